//! One client's traffic towards one service: limits, breaker, retry policy and budget behind the few calls that a
//! request makes.
//!
//! ```text
//! begin ─▶ attempt_done ─▶ retry ─▶ Some(pause) ─▶ retry_started ─▶ attempt_done ─▶ retry ─▶ None
//!   │           │                        │                │
//!   │           └ attempt_cancelled      └ retry_cancelled└ Err: over
//!   └ Err: over
//! ```
//!
//! Each `begin` or `retry_started` that is granted is followed by exactly one `attempt_done` or `attempt_cancelled`;
//! each pause granted by `retry` by exactly one `retry_started` or `retry_cancelled`. Then, when nothing is under way,
//! every count is zero again.
//!
//! A retry holds its place from the decision to the end of its attempt, pause included, as in Envoy
//! (`source/common/router/retry_state_impl.cc`).

use crate::{Breaker, BreakerState, Budget, Class, Limiter, Policy};
use base::{Draw, Duration, Instant};
use std::fmt;

/// Why an attempt was not sent; nothing is under way because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The breaker is open, or half-open with all its probes under way.
    BreakerOpen,
    /// As many attempts as allowed are under way.
    Overflow,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rejection::BreakerOpen => "circuit breaker open",
            Rejection::Overflow => "too many requests under way",
        })
    }
}

impl std::error::Error for Rejection {}

/// The traffic of one client towards one service.
#[derive(Clone, Debug)]
pub struct Upstream {
    policy: Policy,
    /// True when the policy bounds nothing and repeats nothing: every call returns at once.
    plain: bool,
    limiter: Limiter,
    breaker: Option<Breaker>,
    budget: Budget,
    retries_denied: u64,
}

impl Upstream {
    /// Nothing under way. Allocates only the breaker's window.
    pub fn new(policy: Policy) -> Self {
        let Policy { timeout, deadlines, .. } = policy;
        Upstream {
            policy,
            plain: policy == Policy { timeout, deadlines, ..Policy::none() },
            limiter: Limiter::new(policy.limits),
            breaker: policy.breaker.map(Breaker::new),
            budget: Budget::new(policy.budget),
            retries_denied: 0,
        }
    }

    /// The first attempt of a request wants to go.
    #[inline]
    pub fn begin(&mut self, now: Instant) -> Result<(), Rejection> {
        if self.plain {
            return Ok(());
        }
        self.start_attempt(now)?;
        self.budget.on_request(now);
        Ok(())
    }

    /// The attempt after `retries` retries (0 is the first) ended at `now` as `class`, `latency` after it was sent.
    #[inline]
    pub fn attempt_done(&mut self, now: Instant, retries: u32, class: Class, latency: Duration) {
        if self.plain {
            return;
        }
        self.end_attempt(retries);
        if let Some(breaker) = &mut self.breaker {
            breaker.record(now, class, latency);
        }
        if class.is_success() {
            self.budget.on_success();
        } else if self.policy.retry.is_none_or(|policy| policy.retry_on.contains(class)) {
            self.budget.on_failure();
        }
    }

    /// The attempt after `retries` retries was given up by its caller (whose own deadline passed, or who left) and says
    /// nothing about the service.
    pub fn attempt_cancelled(&mut self, retries: u32) {
        if self.plain {
            return;
        }
        self.end_attempt(retries);
        if let Some(breaker) = &mut self.breaker {
            breaker.release();
        }
    }

    /// A request that was retried `retries` times already, the last time after `previous_pause` (zero for none), has
    /// just ended as `class`, and [`Upstream::attempt_done`] knows. The pause before it is tried again, or `None` to
    /// give up.
    ///
    /// Draws only when the answer is a pause that has chance in it. Whether the pause ends before the request's
    /// deadline is for the caller to see; Envoy and gRPC wait for whichever comes first.
    #[inline]
    pub fn retry(
        &mut self,
        now: Instant,
        retries: u32,
        previous_pause: Duration,
        class: Class,
        draw: &mut impl Draw,
    ) -> Option<Duration> {
        if self.plain {
            return None;
        }
        let policy = self.policy.retry?;
        if !policy.wants(retries, class) {
            return None;
        }
        if !self.budget.grant(now, &self.limiter) {
            self.retries_denied += 1;
            return None;
        }
        self.limiter.start_retry();
        Some(policy.backoff.delay(retries + 1, previous_pause, draw))
    }

    /// The pause is over and the further attempt wants to go. When it is rejected, the retry is over.
    /// Panics when no pause was granted.
    pub fn retry_started(&mut self, now: Instant) -> Result<(), Rejection> {
        assert!(self.limiter.retries() > 0, "a retry was started that nobody granted");
        let started = self.start_attempt(now);
        if started.is_err() {
            self.limiter.finish_retry();
        }
        started
    }

    /// The request ended during the pause: the retry will not be sent. Panics when no pause was granted.
    pub fn retry_cancelled(&mut self) {
        self.limiter.finish_retry();
    }

    /// A request wants to wait for a connection before its attempt begins.
    pub fn wait(&mut self) -> Result<(), Rejection> {
        if self.plain || self.limiter.try_wait() { Ok(()) } else { Err(Rejection::Overflow) }
    }

    /// A request no longer waits for a connection, because it has one or because it was given up.
    pub fn wait_over(&mut self) {
        if !self.plain {
            self.limiter.wait_over();
        }
    }

    /// What this client does.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is under way; nothing is counted under [`Policy::none`].
    pub fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// What the breaker does, when there is one.
    pub fn breaker_state(&self) -> Option<BreakerState> {
        self.breaker.as_ref().map(Breaker::state)
    }

    /// How often the breaker has opened.
    pub fn breaker_opened(&self) -> u64 {
        self.breaker.as_ref().map_or(0, Breaker::opened)
    }

    /// How many retries the policy wanted and the budget or the limit denied; Envoy's `upstream_rq_retry_overflow`.
    pub fn retries_denied(&self) -> u64 {
        self.retries_denied
    }

    fn start_attempt(&mut self, now: Instant) -> Result<(), Rejection> {
        if !self.limiter.try_start() {
            return Err(Rejection::Overflow);
        }
        if let Some(breaker) = &mut self.breaker
            && !breaker.admit(now)
        {
            self.limiter.finish();
            return Err(Rejection::BreakerOpen);
        }
        Ok(())
    }

    fn end_attempt(&mut self, retries: u32) {
        self.limiter.finish();
        if retries > 0 {
            self.limiter.finish_retry();
        }
    }
}
