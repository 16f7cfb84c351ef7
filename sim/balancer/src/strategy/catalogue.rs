//! The strategies as a table for people: what `windtunnel list strategies` and `windtunnel explain` print.
//!
//! Each strategy describes itself in its own file; here they are put in order.

use super::parameter::{Parameter, Values};
use super::{
    State, c3, client_weighted, d_choices, dubbo_adaptive, edf, full_scan, haproxy_leastconn, haproxy_random,
    haproxy_roundrobin, hashed, jbsq, jiq, nginx_least_conn, nginx_random_two, peak_ewma, penalty_peak_ewma, prequal,
    random, round_robin, shortest_response, smooth_weighted, static_stride, weighted_least_request, weighted_random,
};
use base::Rng;

/// A strategy, described.
#[derive(Debug)]
pub struct StrategyInfo {
    /// What a scenario calls it.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does, what it is good at and where it fails.
    pub explanation: &'static str,
    /// Whose rule it follows to the letter.
    pub source: &'static str,
    /// Whether it reads [`Host::weight`](crate::Host::weight); the others treat hosts as equals.
    pub weighted: bool,
    /// What may be said beside its name.
    pub parameters: &'static [Parameter],
    /// What it must be given that costs something.
    pub needs: Needs,
    pub(crate) make: fn(&Values, &mut Rng) -> State,
}

/// What a strategy must be given beyond hosts and outcomes. A driver may leave out what is not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// It goes by [`Request::hash`](crate::Request::hash).
    pub keys: bool,
    /// It goes by [`Response::report`](crate::Response::report).
    pub reports: bool,
    /// It sends probes: [`Balancer::probe`](crate::Balancer::probe) is to be asked after every pick.
    pub probes: bool,
    /// It may pick nobody though there are hosts: requests then wait in line at the client until one has ended or the
    /// hosts have changed.
    pub line: bool,
}

impl Needs {
    /// Hosts and outcomes are enough.
    pub const NOTHING: Needs = Needs { keys: false, reports: false, probes: false, line: false };
}

/// Every strategy, in the order in which they are best learned.
pub const fn all() -> &'static [&'static StrategyInfo] {
    ALL
}

/// The names of those that choose by key, which are those with a structure of `hashing` behind them.
pub fn by_key() -> Vec<&'static str> {
    all().iter().filter(|info| info.needs.keys).map(|info| info.name).collect()
}

static ALL: &[&StrategyInfo] = &[
    &round_robin::INFO,
    &random::INFO,
    &d_choices::LEAST_REQUEST,
    &d_choices::P2C,
    &full_scan::INFO,
    &haproxy_random::INFO,
    &haproxy_leastconn::INFO,
    &nginx_random_two::INFO,
    &nginx_least_conn::INFO,
    &jiq::INFO,
    &jbsq::INFO,
    &smooth_weighted::INFO,
    &haproxy_roundrobin::INFO,
    &edf::INFO,
    &static_stride::INFO,
    &weighted_random::INFO,
    &weighted_least_request::INFO,
    &client_weighted::GRPC,
    &client_weighted::ENVOY,
    &peak_ewma::PEAK_EWMA,
    &peak_ewma::FINAGLE,
    &penalty_peak_ewma::INFO,
    &shortest_response::INFO,
    &dubbo_adaptive::INFO,
    &c3::INFO,
    &prequal::INFO,
    hashed::ALL[0],
    hashed::ALL[1],
    hashed::ALL[2],
    hashed::ALL[3],
    hashed::ALL[4],
    hashed::ALL[5],
    hashed::ALL[6],
    hashed::ALL[7],
    hashed::ALL[8],
    hashed::ALL[9],
    hashed::ALL[10],
    hashed::ALL[11],
    hashed::ALL[12],
    hashed::ALL[13],
    hashed::ALL[14],
    hashed::ALL[15],
    hashed::ALL[16],
    hashed::ALL[17],
];
