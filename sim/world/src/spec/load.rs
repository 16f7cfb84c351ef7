//! Loads: who sends requests where, when, and with which routing keys.

use super::gateway::Spread;
use base::{Dist, Duration, Ratio, ServiceId, Zipf};

/// A source of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSpec {
    /// Unique name; the key of its chances.
    pub name: String,
    /// To whom.
    pub target: Target,
    /// When.
    pub arrivals: Arrivals,
    /// From how many nodes. Each has its own view and its own balancers.
    pub sources: u32,
    /// Which of those nodes each request comes from.
    pub spread: Spread,
    /// By what its requests are routed, of balancers that hash.
    pub keys: RoutingKeys,
}

/// What the requests of a load have in common with each other: a user, a session, a cache key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RoutingKeys {
    /// Nothing: every request has a key of its own.
    Unique,
    /// So many keys, of this popularity. The k-th most wanted key is the same one in every load, seed and run.
    Popular(Zipf),
}

/// Where a load source sends its requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Straight to a service: the source chooses the instance itself, as a sidecar or a smart client does.
    Service(ServiceId),
    /// To the gateway, which routes by host, path and headers.
    Gateway {
        /// The host asked for.
        host: String,
        /// The path asked for.
        path: String,
        /// Headers, names in lower case.
        headers: Vec<(String, String)>,
    },
}

/// When requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent of each other and of the answers, at a mean rate per second.
    Poisson {
        /// Requests per second.
        rate: f64,
    },
    /// Evenly spaced.
    Constant {
        /// Requests per second.
        rate: f64,
    },
    /// Poisson at a base rate, and at a higher one during bursts that come at even intervals.
    Bursts {
        /// Requests per second between bursts.
        base: f64,
        /// Requests per second in a burst.
        peak: f64,
        /// From the beginning of one burst to the beginning of the next.
        every: Duration,
        /// How long a burst lasts.
        lasts: Duration,
    },
    /// Poisson at a rate that rises and falls like a sine, from the mean at the start.
    Diurnal {
        /// Mean requests per second.
        mean: f64,
        /// How far the rate swings, as a share of the mean.
        swing: Ratio,
        /// The length of a day.
        period: Duration,
    },
    /// A fixed number of users who wait for the answer, think, and ask again.
    Closed {
        /// How many.
        users: u32,
        /// Between an answer and the next request.
        think: Dist,
    },
}
