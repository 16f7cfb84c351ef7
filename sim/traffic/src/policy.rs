//! What one client does towards one service, as a value; and what well-known clients do when nobody tells them.

use crate::{Backoff, BreakerConfig, Class, ClassSet, Limits, RetryBudget, RetryPolicy};
use base::{Duration, Instant};

/// Timeouts, retries, budget, breaker and limits of one client towards one service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The most time for a request with all its attempts and pauses; `None` waits for ever.
    pub timeout: Option<Duration>,
    /// When a request is tried again; `None` never does.
    pub retry: Option<RetryPolicy>,
    /// How many retries all requests together may cause.
    pub budget: RetryBudget,
    /// When to stop calling.
    pub breaker: Option<BreakerConfig>,
    /// How much may be under way at once.
    pub limits: Limits,
    /// Whether a request's deadline goes with it.
    pub deadlines: Deadlines,
}

/// What an instance learns of how long its caller waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deadlines {
    /// Nothing: it works on a request, and calls others for it, after its caller has given up. Envoy, nginx and most
    /// HTTP clients.
    #[default]
    Stay,
    /// The time that is left goes with the request. It bounds every call that the request causes, and a request whose
    /// time is over when its turn comes is answered without being worked on.
    ///
    /// gRPC's header `grpc-timeout` (grpc/grpc `doc/PROTOCOL-HTTP2.md`; propagation by context in grpc-go and
    /// grpc-java), Finagle's `Deadline` context (twitter/finagle `finagle-core/.../filter/` and
    /// `.../context/Deadline.scala`).
    Travel,
}

impl Policy {
    /// Send it once and wait for ever.
    pub const fn none() -> Self {
        Policy {
            timeout: None,
            retry: None,
            budget: RetryBudget::Unlimited,
            breaker: None,
            limits: Limits::UNLIMITED,
            deadlines: Deadlines::Stay,
        }
    }

    /// Envoy where a route says `retry_on: 5xx` and nothing else: 15 s for a request, one retry of anything that is not
    /// an answer below 500, limits of 1024 requests, 1024 waiting and 3 retries at once.
    ///
    /// envoyproxy/envoy `api/envoy/config/route/v3/route_components.proto` (`timeout`, `num_retries`) and
    /// `docs/root/configuration/http/http_filters/router_filter.rst`.
    pub const fn envoy() -> Self {
        Policy {
            timeout: Some(Duration::secs(15)),
            retry: Some(RetryPolicy {
                max_retries: 1,
                retry_on: ClassSet::FAILURES,
                backoff: Backoff::ENVOY,
                per_try_timeout: None,
                previous_hosts: 0,
            }),
            limits: Limits::ENVOY,
            ..Policy::none()
        }
    }

    /// Istio where nothing is said: no timeout, two retries of what was certainly not carried out or was answered 503,
    /// no limits; up to five picks avoid the hosts tried before.
    ///
    /// istio/istio `pilot/pkg/networking/core/route/retry/retry.go`: `connect-failure, refused-stream, unavailable,
    /// cancelled, retriable-status-codes` with 503, the predicate `previous_hosts`, `HostSelectionRetryMaxAttempts: 5`.
    pub const fn istio() -> Self {
        Policy {
            retry: Some(RetryPolicy {
                max_retries: 2,
                retry_on: ClassSet::of(&[Class::ConnectFailure, Class::Refused]),
                backoff: Backoff::ENVOY,
                per_try_timeout: None,
                previous_hosts: 5,
            }),
            ..Policy::none()
        }
    }

    /// gRPC with the service config that its proposal gives as the example: four attempts on `UNAVAILABLE`, 100 ms
    /// doubling to 1 s, ten throttling tokens that a success raises by 0.1.
    ///
    /// grpc/proposal A6. Without a service config gRPC retries only what never reached the wire.
    pub const fn grpc() -> Self {
        Policy {
            retry: Some(RetryPolicy {
                max_retries: 3,
                retry_on: ClassSet::of(&[Class::ConnectFailure, Class::Reset, Class::Refused]),
                backoff: Backoff::Grpc { initial: Duration::ms(100), multiplier: 2.0, max: Duration::secs(1) },
                per_try_timeout: None,
                previous_hosts: 0,
            }),
            budget: RetryBudget::GRPC,
            deadlines: Deadlines::Travel,
            ..Policy::none()
        }
    }

    /// The policy of this name: `none`, `envoy`, `istio` or `grpc`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Policy::none()),
            "envoy" => Some(Policy::envoy()),
            "istio" => Some(Policy::istio()),
            "grpc" => Some(Policy::grpc()),
            _ => None,
        }
    }

    /// When a request that begins at `now` must be over: its own timeout, or the deadline it inherits from the request
    /// that caused it when that is earlier. [`Instant::MAX`] when there is neither.
    #[inline]
    pub fn deadline(&self, now: Instant, inherited: Option<Instant>) -> Instant {
        let own = self.timeout.map_or(Instant::MAX, |timeout| now.saturating_add(timeout));
        own.min(inherited.unwrap_or(Instant::MAX))
    }

    /// When an attempt that begins at `now` must be over, within a request that must be over at `deadline`.
    #[inline]
    pub fn attempt_deadline(&self, now: Instant, deadline: Instant) -> Instant {
        self.retry.map_or(deadline, |retry| retry.attempt_deadline(now, deadline))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy::none()
    }
}
