//! Core: one request's life as policy: where it is routed, how long it may take, when it is tried again, and when it is
//! not sent at all.
//!
//! ```text
//!                 ┌───────────── retry after a pause ─────────────┐
//!                 ▼                                               │
//! request ▶ route ▶ may it start? ▶ (balancer, network, service) ▶ how did it end? ▶ answer
//!           route    limits, breaker                                class, budget
//! ```
//!
//! - [`class`]: how an attempt ended, in the six ways that policy can tell apart.
//! - [`route`]: which service a request is for, by host, path and headers; weights between destinations.
//! - [`policy`]: what one client does towards one service, as a value, with the defaults of Envoy, Istio and gRPC.
//! - [`retry`]: which ends are tried again, how often, and after what pause.
//! - [`budget`]: how many retries all requests together may cause.
//! - [`breaker`]: a circuit breaker that stops calling what keeps failing.
//! - [`limits`]: how much may be under way at once.
//! - [`upstream`]: all of the above for one client and one service, as the few calls a request makes.
//!
//! What always holds:
//!
//! - After construction nothing allocates, and an [`Upstream`] without a policy costs one branch a call.
//! - Time is an argument and may jump back; chance is an argument. Nothing here waits: a pause is returned to the
//!   caller, who owns the clock, the connection and the request.
//! - Every mechanism follows one published implementation to the letter, named where it is written down, including what
//!   is odd about it. People come here to learn what theirs will do.
//!
//! Which instance gets an attempt is the balancer's matter.

pub mod breaker;
pub mod budget;
pub mod class;
pub mod limits;
pub mod policy;
pub mod retry;
pub mod route;
pub mod upstream;

pub use breaker::{Breaker, BreakerConfig, BreakerState};
pub use budget::{Budget, RetryBudget};
pub use class::{Class, ClassSet};
pub use limits::{Limiter, Limits};
pub use policy::{Deadlines, Policy};
pub use retry::{Backoff, RetryPolicy, Spread};
pub use route::{
    Action, Destination, HeaderMatch, HostMatch, Match, PathMatch, RequestHead, Route, RouteTable, ValueMatch,
};
pub use upstream::{Rejection, Upstream};
