//! How much may be under way at once towards one service: Envoy's "circuit breakers", which are plain limits.
//!
//! envoyproxy/envoy `api/envoy/config/cluster/v3/circuit_breaker.proto` and
//! `source/common/upstream/resource_manager_impl.h`: one more may start while fewer than the limit are under way. Envoy
//! keeps a set per priority and shares the counts of a set between its worker threads; a simulated client has one of
//! each.

/// The most that may be under way at once; `u32::MAX` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attempts sent and not answered.
    pub max_requests: u32,
    /// Requests that wait for a connection.
    pub max_pending: u32,
    /// Retries, from the decision to retry to the end of that attempt.
    pub max_retries: u32,
}

impl Limits {
    /// Envoy's defaults.
    pub const ENVOY: Limits = Limits { max_requests: 1024, max_pending: 1024, max_retries: 3 };
    /// What Istio sets where nothing is said.
    pub const UNLIMITED: Limits = Limits { max_requests: u32::MAX, max_pending: u32::MAX, max_retries: u32::MAX };
}

/// What is under way, and whether one more may be.
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    limits: Limits,
    requests: u32,
    pending: u32,
    retries: u32,
}

impl Limiter {
    /// Nothing under way.
    pub const fn new(limits: Limits) -> Self {
        Limiter { limits, requests: 0, pending: 0, retries: 0 }
    }

    /// With this much under way, whatever the limits allow.
    pub const fn under(limits: Limits, requests: u32, pending: u32, retries: u32) -> Self {
        Limiter { limits, requests, pending, retries }
    }

    /// Starts an attempt, or leaves everything as it is and returns false.
    #[inline]
    pub fn try_start(&mut self) -> bool {
        try_count(&mut self.requests, self.limits.max_requests)
    }

    /// Ends an attempt. Panics when none is under way.
    #[inline]
    pub fn finish(&mut self) {
        self.requests = self.requests.checked_sub(1).expect("a finished attempt was started");
    }

    /// Lets a request wait for a connection, or leaves everything as it is and returns false.
    pub fn try_wait(&mut self) -> bool {
        try_count(&mut self.pending, self.limits.max_pending)
    }

    /// A request no longer waits for a connection. Panics when none does.
    pub fn wait_over(&mut self) {
        self.pending = self.pending.checked_sub(1).expect("a request that no longer waits was waiting");
    }

    /// Whether the limit allows one more retry.
    pub fn may_retry(&self) -> bool {
        self.retries < self.limits.max_retries
    }

    /// Counts a retry whose permission was decided elsewhere.
    pub fn start_retry(&mut self) {
        self.retries += 1;
    }

    /// Ends a retry. Panics when none is under way.
    #[inline]
    pub fn finish_retry(&mut self) {
        self.retries = self.retries.checked_sub(1).expect("a finished retry was started");
    }

    /// Attempts sent and not answered.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Requests that wait for a connection.
    pub fn pending(&self) -> u32 {
        self.pending
    }

    /// Retries decided and not over.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Requests that are sent or wait: what a budget counts as active and pending.
    pub fn under_way(&self) -> u32 {
        self.requests.saturating_add(self.pending)
    }
}

#[inline]
fn try_count(count: &mut u32, limit: u32) -> bool {
    let allowed = *count < limit;
    *count += u32::from(allowed);
    allowed
}
