//! From the `[registry]` section to servers and their clients: the defaults of a kind, then what the section changes.
//!
//! Times that belong together move together: whoever gives only a `ttl` gets the kind's share of it as the heartbeat.

use super::Context;
use crate::At;
use crate::problem::Problem;
use crate::scalar::Span;
use crate::schema::registry::{Mode, Registry, RegistryKind};
use base::Duration;
use world::registry::{self, Config, registrant, resolver};
use world::spec::RegistrySpec;
use world::version::Version;

/// How long a watching caller stays silent, where the kind does not say.
const WAIT: Duration = Duration::mins(5);
/// How often a polling caller asks, where the kind does not say.
const INTERVAL: Duration = Duration::secs(30);

/// How many servers a registry may have.
const SERVERS_MAX: u32 = 16;

pub(crate) fn lower(cx: &mut Context<'_>) -> Option<RegistrySpec> {
    let table = cx.scenario.registry.as_ref()?;
    let (mut server, mut registrant, mut resolver) =
        match table.kind.as_ref().map_or_else(Default::default, |k| k.value) {
            RegistryKind::Consul => {
                (Config::consul_ttl(), registrant::Config::consul_ttl(), resolver::Config::consul())
            }
            RegistryKind::Eureka => (Config::eureka(), registrant::Config::eureka(), resolver::Config::eureka()),
            RegistryKind::Etcd => (Config::etcd(), registrant::Config::etcd(), resolver::Config::consul()),
        };
    let servers = table.servers.as_ref().map_or(1, |n| n.value.0);
    if servers == 0 {
        cx.report(
            Problem::new("a registry has at least one server")
                .span(table.servers.as_ref().and_then(|n| n.span.clone()))
                .help("leave out [registry] for callers who know the truth at once"),
        );
    }
    if let Some(count) = table.servers.as_ref().filter(|n| n.value.0 > SERVERS_MAX) {
        cx.report(
            Problem::at(count, format!("at most {SERVERS_MAX} servers")).label("every instance registers with each"),
        );
    }
    lease(cx, table, &mut server, &mut registrant);
    how_callers_ask(cx, table, &mut resolver.mode);
    if let Some(timeout) = &table.request_timeout {
        registrant.request_timeout = timeout.value.0;
        resolver.request_timeout = timeout.value.0;
        if timeout.value.0.is_zero() {
            cx.report(Problem::at(timeout, "`request_timeout` must be longer than zero"));
        }
    }
    if let Some(interval) = &table.expire_interval {
        server.expire_interval = interval.value.0;
        // Without passes there is nothing to compensate.
        server.compensate_late_passes &= !interval.value.0.is_zero();
    }
    server.push_delay = table.push_delay.as_ref().map_or(server.push_delay, |d| d.value.0);
    server.response_cache = table.response_cache.as_ref().map_or(server.response_cache, |d| d.value.0);
    registrant.drain = table.drain.as_ref().map_or(registrant.drain, |d| d.value.0);
    self_preservation(cx, table, &mut server);
    let valid = (server.ttl.as_nanos() > 0 && registrant.heartbeat.as_nanos() > 0).then(|| server.check());
    if let Some(Err(error)) = valid {
        let place = table.expire_interval.as_ref().and_then(|at| at.span.clone());
        let place = place.or_else(|| table.self_preservation.as_ref().and_then(|at| at.span.clone()));
        cx.report(Problem::new(error.to_string()).span(place.or_else(|| table.span.clone())));
    }
    Some(RegistrySpec { servers, server, registrant, resolver })
}

/// How long a lease lasts and how often it is renewed.
fn lease(cx: &mut Context<'_>, table: &Registry, server: &mut Config, registrant: &mut registrant::Config) {
    let share = registrant.heartbeat.as_secs_f64() / server.ttl.as_secs_f64();
    if let Some(ttl) = &table.ttl {
        server.ttl = cx.draw("registry/ttl", &ttl.value).0;
        registrant.heartbeat = server.ttl.mul_f64(share).max(Duration::ns(1));
        if ttl.low().0.is_zero() {
            cx.report(Problem::at(ttl, "a ttl must be longer than zero"));
        }
    }
    if let Some(heartbeat) = &table.heartbeat {
        registrant.heartbeat = cx.draw("registry/heartbeat", &heartbeat.value).0;
        let ttl_low = table.ttl.as_ref().map_or(server.ttl, |ttl| ttl.low().0);
        if heartbeat.low().0.is_zero() {
            cx.report(Problem::at(heartbeat, "a heartbeat must be longer than zero"));
        } else if heartbeat.high().0 >= ttl_low {
            cx.report(
                Problem::at(
                    heartbeat,
                    format!("a heartbeat every {} is too late for a ttl of {}", heartbeat.high(), Span(ttl_low)),
                )
                .label("shorter than the ttl, or every lease ends between two renewals"),
            );
        }
    }
}

/// Whether callers watch or poll, and how long or how often.
fn how_callers_ask(cx: &mut Context<'_>, table: &Registry, asks: &mut resolver::Mode) {
    if let Some(mode) = &table.mode {
        *asks = match mode.value {
            Mode::Watch => resolver::Mode::Watch { wait: WAIT },
            Mode::Poll => resolver::Mode::Poll { interval: INTERVAL },
        };
    }
    match asks {
        resolver::Mode::Poll { interval } => {
            if let Some(given) = &table.interval {
                *interval = cx.draw("registry/interval", &given.value).0;
                if given.low().0.is_zero() {
                    cx.report(Problem::at(given, "an interval must be longer than zero"));
                }
            }
            if let Some(wait) = &table.wait {
                cx.report(Problem::at(wait, "`wait` has no meaning for callers that poll").label("say `interval`"));
            }
        }
        resolver::Mode::Watch { wait } => {
            if let Some(given) = &table.wait {
                *wait = given.value.0;
                if given.value.0.is_zero() {
                    cx.report(Problem::at(given, "`wait` must be longer than zero"));
                }
            }
            if let Some(interval) = &table.interval {
                cx.report(
                    Problem::at(interval, "`interval` has no meaning for callers that watch")
                        .label("say mode = \"poll\""),
                );
            }
        }
    }
}

/// Whether the server keeps leases when too many end at once, and from what it expects.
fn self_preservation(cx: &mut Context<'_>, table: &Registry, server: &mut Config) {
    if let Some(wanted) = &table.self_preservation {
        server.self_preservation = wanted.value.then(registry::SelfPreservation::eureka);
    }
    let is_eureka = table.kind.as_ref().is_some_and(|kind| kind.value == RegistryKind::Eureka);
    let expiry_lowers = expiry_lowers(cx, table.version.as_ref(), is_eureka);
    if let Some(preservation) = &mut server.self_preservation {
        preservation.expiry_lowers = expiry_lowers;
    }
    match (&table.expected_renewal_interval, &mut server.self_preservation) {
        (Some(interval), _) if interval.value.0.is_zero() => {
            cx.report(Problem::at(interval, "`expected_renewal_interval` must be longer than zero"));
        }
        (Some(interval), Some(preservation)) => preservation.renew_interval = interval.value.0,
        (Some(interval), None) => cx.report(
            Problem::at(interval, "`expected_renewal_interval` has no meaning without self-preservation")
                .label("say kind = \"eureka\" or self_preservation = true"),
        ),
        (None, _) => {}
    }
}

/// Since when an expiry lowers what Eureka expects, and the first version whose rules these are.
const EXPIRY_LOWERS_SINCE: Version = Version::new(1, 9, 17);
const EUREKA_SINCE: Version = Version::new(1, 9, 0);

/// Whether an expiry lowers what self-preservation expects, as of the version that was asked for.
fn expiry_lowers(cx: &mut Context<'_>, version: Option<&At<String>>, is_eureka: bool) -> bool {
    let Some(asked) = version else { return true };
    if !is_eureka {
        cx.report(
            Problem::at(asked, "`version` has no meaning for this kind of registry")
                .label("of eureka alone more than one version's rules are known"),
        );
        return true;
    }
    match asked.value.parse::<Version>() {
        Ok(version) if version < EUREKA_SINCE => {
            cx.report(
                Problem::at(asked, format!("rules of Eureka {version} are not known"))
                    .label(format!("{EUREKA_SINCE} or later")),
            );
            true
        }
        Ok(version) => version >= EXPIRY_LOWERS_SINCE,
        Err(error) => {
            cx.report(Problem::at(asked, error.to_string()));
            true
        }
    }
}
