//! Times of a lock store, and those of two that exist.

use base::Duration;

/// Times of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The ttl of a session that names none.
    pub ttl: Duration,
    /// No session lives shorter without renewal; must not exceed `ttl_max`.
    pub ttl_min: Duration,
    /// No session is promised longer.
    pub ttl_max: Duration,
    /// How many ttls the store waits before it ends a silent session; at least 1.
    pub ttls_until_expiry: u64,
    /// How long nobody gets a key whose session ended with it; zero frees it at once.
    pub lock_delay: Duration,
}

impl Config {
    /// Sessions as in Consul: ttl 10 s to 24 h (`agent/structs`, `SessionTTLMin`, `SessionTTLMax`), ended after twice
    /// the ttl (`agent/consul/session_ttl.go`, "to give a client a grace period"), lock delay 15 s, bounded there to 0
    /// to 60 s (`docs/dynamic-app-config/sessions`). Consul sessions have no default ttl; 15 s is that of its lock
    /// clients (`api/lock.go`, `DefaultLockSessionTTL`).
    ///
    /// Consul has no queue: who waits there polls with a blocking query, and any of them may win.
    pub const fn consul() -> Self {
        Config {
            ttl: Duration::secs(15),
            ttl_min: Duration::secs(10),
            ttl_max: Duration::secs(86_400),
            ttls_until_expiry: 2,
            lock_delay: Duration::secs(15),
        }
    }

    /// Sessions as in etcd's `clientv3/concurrency`: ttl 60 s, no lock delay, waiting in order of arrival (there by the
    /// create revision of a key per waiter). A lease there ends up to 500 ms late, here at its deadline.
    pub const fn etcd() -> Self {
        Config {
            ttl: Duration::secs(60),
            ttl_min: Duration::secs(2),
            ttl_max: Duration::secs(9_000_000_000),
            ttls_until_expiry: 1,
            lock_delay: Duration::ZERO,
        }
    }
}
