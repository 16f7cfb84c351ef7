//! Times and rules of a server, and the settings of three that exist.
//!
//! A preset copies published defaults and the semantics that decide when a dead instance is gone; its documentation
//! says what the original does otherwise. The fields are public: a scenario starts from a preset and changes what it
//! means to change.

use base::{Duration, Ratio};
use std::fmt;

/// Times and rules of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The ttl of a registration that names none.
    pub ttl: Duration,
    /// How many ttls of silence a renewal buys: 1 everywhere but in Eureka, where it is 2. A registration buys 1.
    pub ttls_per_renewal: u64,
    /// How often ended leases are looked for; zero takes each out at its very deadline.
    pub expire_interval: Duration,
    /// True where a lease stores the date until which it stands: whoever sets the server's wall clock moves the end of
    /// every lease. Otherwise leases end by a clock that never steps. A server with dated leases is told the date by
    /// [`Input::Date`](crate::Input::Date).
    pub dated_leases: bool,
    /// True where a pass that runs late gives every lease the time it was late.
    pub compensate_late_passes: bool,
    /// How long a change waits for others before watchers hear of it; zero tells them in the same call.
    pub push_delay: Duration,
    /// How long a watch stands that is not asked for again; [`Duration::MAX`] for ever.
    pub watch_ttl: Duration,
    /// Fetches are answered from a copy renewed whenever the date at the server passes a multiple of this, whenever the
    /// server was started (`ResponseCacheImpl.java`); zero: no copy.
    pub response_cache: Duration,
    /// Doubt about mass silence.
    pub self_preservation: Option<SelfPreservation>,
}

/// Eureka's brake: when many fall silent at once, suspect the network and not the instances.
///
/// Ended leases are taken out only while the renewals of the last whole window exceed
/// `floor(expected · window / renew_interval · threshold)` and that number is above zero; and one pass takes out at
/// most `listed − floor(listed · threshold)`, chosen at random
/// (`AbstractInstanceRegistry.evict`, `PeerAwareInstanceRegistryImpl.isLeaseExpirationEnabled`, `MeasuredRate`).
///
/// `expected` counts clients: a new registration adds one unless it is zero, a deregistration takes one, and so does an
/// expiry where `expiry_lowers`; every `refresh` it becomes the number listed, if that exceeds `threshold · expected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfPreservation {
    /// The share of expected renewals that must be exceeded.
    pub threshold: Ratio,
    /// Over which renewals are counted; windows follow each other from the server's start.
    pub window: Duration,
    /// How often a client is expected to renew. It is the server's own idea
    /// (`getExpectedClientRenewalIntervalSeconds`), which no client tells it: clients that renew more often than that
    /// hide the silence of others.
    pub renew_interval: Duration,
    /// How often the expectation is corrected to what is listed.
    pub refresh: Duration,
    /// Clients expected by a server that starts with an empty catalogue. Eureka alone takes 0, under which nothing
    /// expires before the first refresh; Spring Cloud takes 1 (`defaultOpenForTrafficCount`).
    pub expected_at_start: u64,
    /// Whether an expiry lowers the expectation, so that a second death is judged by the smaller fleet. Since Eureka
    /// 1.9.17, where `internalCancel` does it, which `evict` calls (Netflix/eureka#1271); before, only the refresh
    /// corrected it.
    pub expiry_lowers: bool,
}

/// Why a configuration cannot run; nothing was built from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// Self-preservation, compensation or dated leases without passes.
    NeedsPasses,
    /// A renewal that buys no time.
    RenewalBuysNothing,
    /// A window, renewal interval or refresh of zero.
    EmptyWindow,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConfigError::NeedsPasses => {
                "self-preservation, compensation and dated leases decide once per pass and need an expire interval above zero"
            }
            ConfigError::RenewalBuysNothing => "a renewal must buy at least one ttl",
            ConfigError::EmptyWindow => {
                "window, renewal interval and refresh of self-preservation must be longer than zero"
            }
        })
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Leases and blocking queries as in Consul, for services with a TTL check.
    ///
    /// The check turns critical when its timer fires, exactly one ttl after the last update (`agent/checks/check.go`,
    /// `CheckTTL`), and blocking queries that ask for passing instances wake at once; a query lives for at most 10 min
    /// and a sixteenth (`api-docs/features/blocking`). There is no default ttl; 30 s is the documentation's example.
    ///
    /// Consul keeps a critical instance in the catalogue, so an update that comes late makes it pass again, where here
    /// it registers anew: one round trip more. Only queries for passing instances are modelled.
    pub const fn consul_ttl() -> Self {
        Config {
            ttl: Duration::secs(30),
            ttls_per_renewal: 1,
            expire_interval: Duration::ZERO,
            dated_leases: false,
            compensate_late_passes: false,
            push_delay: Duration::ZERO,
            watch_ttl: Duration::ms(600_000 + 37_500),
            response_cache: Duration::ZERO,
            self_preservation: None,
        }
    }

    /// Leases and watches as in etcd, one key per instance.
    ///
    /// The lessor looks for ended leases every 500 ms (`server/lease/lessor.go`, `runLoop`) and watches stream until
    /// they are cancelled. The ttl is chosen by the client; 60 s is that of `clientv3/concurrency` sessions.
    ///
    /// etcd revokes at most 500 leases a pass and raises short ttls to one and a half election timeouts; its watches
    /// carry each change, where here a watcher gets the state after it. There is no history, hence no compaction.
    pub const fn etcd() -> Self {
        Config {
            ttl: Duration::secs(60),
            expire_interval: Duration::ms(500),
            watch_ttl: Duration::MAX,
            ..Config::consul_ttl()
        }
    }

    /// Leases, self-preservation and response cache as in Netflix Eureka, started by Spring Cloud.
    ///
    /// Lease 90 s, doubled by a renewal (`Lease.java`: "will not be fixed"); eviction every 60 s with compensation for
    /// late passes; response cache 30 s; self-preservation at 85 % of two renewals a minute per client, refreshed every
    /// 15 min (`DefaultEurekaServerConfig.java`). Callers poll: `resolver::Config::eureka()`.
    ///
    /// Leases are dated: `Lease.java` stores and compares `System.currentTimeMillis()`, so a server whose wall clock
    /// steps forward finds leases ended, and one whose clock steps back keeps the dead for as much longer. How late a
    /// pass is goes by `System.nanoTime()` (`AbstractInstanceRegistry.EvictionTask`), which never steps. The pass
    /// itself is started by a `java.util.Timer`, which a step back also delays; here it is not.
    ///
    /// One server without peers. A lease ends when its time is reached, where Eureka's must be exceeded by a
    /// millisecond, and the per-pass limit counts this server's whole catalogue. Clients fetch services one by one.
    pub const fn eureka() -> Self {
        Config {
            ttl: Duration::secs(90),
            ttls_per_renewal: 2,
            expire_interval: Duration::secs(60),
            dated_leases: true,
            compensate_late_passes: true,
            push_delay: Duration::ZERO,
            watch_ttl: Duration::MAX,
            response_cache: Duration::secs(30),
            self_preservation: Some(SelfPreservation::eureka()),
        }
    }

    /// How long a lease of `ttl` stands from now: after a registration one ttl, after a renewal `ttls_per_renewal`.
    pub const fn lease_length(&self, ttl: Duration, renewed: bool) -> Duration {
        if renewed { ttl.saturating_mul(self.ttls_per_renewal) } else { ttl }
    }

    /// Whether a server can run with this, and why not.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.ttls_per_renewal == 0 {
            return Err(ConfigError::RenewalBuysNothing);
        }
        let decides_by_pass = self.self_preservation.is_some() || self.compensate_late_passes || self.dated_leases;
        if self.expire_interval.is_zero() && decides_by_pass {
            return Err(ConfigError::NeedsPasses);
        }
        match &self.self_preservation {
            Some(p) if p.window.is_zero() || p.renew_interval.is_zero() || p.refresh.is_zero() => {
                Err(ConfigError::EmptyWindow)
            }
            _ => Ok(()),
        }
    }
}

impl SelfPreservation {
    /// 85 % of a renewal every 30 s, counted by the minute, refreshed every 15 min; one client expected at the start.
    pub const fn eureka() -> Self {
        SelfPreservation {
            threshold: Ratio::percent(85),
            window: Duration::secs(60),
            renew_interval: Duration::secs(30),
            refresh: Duration::mins(15),
            expected_at_start: 1,
            expiry_lowers: true,
        }
    }

    /// The same up to Eureka 1.9.16: an expiry leaves the expectation as it is.
    pub const fn eureka_1_9_16() -> Self {
        SelfPreservation { expiry_lowers: false, ..SelfPreservation::eureka() }
    }

    /// What the renewals of a window must exceed, with `expected` clients:
    /// `floor(expected · window / renew_interval · threshold)`, without rounding in between.
    pub fn renewal_threshold(&self, expected: u64) -> u64 {
        let per_client = u128::from(self.window.as_nanos()) * u128::from(self.threshold.billionths());
        let whole = u128::from(self.renew_interval.as_nanos()) * 1_000_000_000;
        // Thousands of clients times minutes in nanoseconds stay far from 2¹²⁸.
        u64::try_from(u128::from(expected) * per_client / whole).unwrap_or(u64::MAX)
    }

    /// Whether silence is believed, after `renewals` in the last window.
    pub fn may_evict(&self, expected: u64, renewals: u64) -> bool {
        let threshold = self.renewal_threshold(expected);
        threshold > 0 && renewals > threshold
    }

    /// How many leases one pass may end of `listed`.
    pub fn pass_limit(&self, listed: u64) -> u64 {
        listed - self.threshold.floor_of(listed)
    }

    /// How many leases a pass ends of `listed`, of which `ended` have run out; `None` where silence is not believed.
    pub fn evictions(&self, expected: u64, renewals: u64, listed: u64, ended: u64) -> Option<u64> {
        self.may_evict(expected, renewals).then(|| self.pass_limit(listed).min(ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_can_run_and_contradictions_say_why_not() {
        for preset in [Config::consul_ttl(), Config::etcd(), Config::eureka()] {
            assert_eq!(preset.check(), Ok(()));
        }
        let without_passes = Config { expire_interval: Duration::ZERO, ..Config::eureka() };
        assert_eq!(without_passes.check(), Err(ConfigError::NeedsPasses));
        let compensating = Config { compensate_late_passes: true, ..Config::consul_ttl() };
        assert_eq!(compensating.check(), Err(ConfigError::NeedsPasses));
        let worthless = Config { ttls_per_renewal: 0, ..Config::etcd() };
        assert_eq!(worthless.check(), Err(ConfigError::RenewalBuysNothing));
        let blink = SelfPreservation { window: Duration::ZERO, ..SelfPreservation::eureka() };
        assert_eq!(
            Config { self_preservation: Some(blink), ..Config::eureka() }.check(),
            Err(ConfigError::EmptyWindow)
        );
    }
}
