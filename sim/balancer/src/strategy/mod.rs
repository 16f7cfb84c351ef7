//! How to choose: the strategies, one file each, and the enum that selects among them.
//!
//! To add one: a file beside these with a state type that implements `Choose` and a [`StrategyInfo`] that declares
//! name, parameters and meaning; a line in `strategies!` below; and its info in [`catalogue`]. Scenario files, their
//! schema, `list`, `explain` and `route` follow from that.
//!
//! Dispatch is a match on an enum, decided by the branch predictor after the first request; there is no table of
//! function pointers on the way of a request.

mod c3;
pub mod catalogue;
mod client_weighted;
mod d_choices;
mod dubbo_adaptive;
mod edf;
mod full_scan;
mod haproxy_leastconn;
mod haproxy_random;
mod haproxy_roundrobin;
mod hashed;
mod jbsq;
mod jiq;
mod nginx_least_conn;
mod nginx_random_two;
pub mod parameter;
mod peak_ewma;
mod penalty_peak_ewma;
pub(crate) mod per_host;
mod prequal;
mod random;
mod round_robin;
mod shared;
mod shortest_response;
mod smooth_weighted;
mod static_stride;
#[cfg(test)]
mod vectors;
mod weighted_least_request;
mod weighted_random;

use crate::bulletin_board::Dispatcher;
use crate::hosts::Hosts;
use crate::request::{ProbeReply, Request, Response};
use crate::{Balancer, Host, Rebuilds};
use base::{Duration, InstanceId, Instant, Rng, Seed};
use parameter::{ParameterError, Value, Values};
use std::fmt;

pub use catalogue::StrategyInfo;
pub(crate) use edf::Schedule;

/// How a balancer chooses: a strategy of the catalogue and its parameters. All that a scenario has to say.
#[derive(Clone, Copy)]
pub struct Strategy {
    info: &'static StrategyInfo,
    values: Values,
}

impl Strategy {
    /// One host after the other.
    pub const ROUND_ROBIN: Strategy = Strategy::of(&round_robin::INFO);
    /// Each host equally likely.
    pub const RANDOM: Strategy = Strategy::of(&random::INFO);
    /// Envoy's least request with its default of two choices.
    pub const LEAST_REQUEST: Strategy = Strategy::of(&d_choices::LEAST_REQUEST);
    /// Two distinct choices, as Finagle's p2c.
    pub const P2C: Strategy = Strategy::of(&d_choices::P2C);
    /// Join the shortest queue.
    pub const FULL_SCAN: Strategy = Strategy::of(&full_scan::INFO);
    /// Hosts that reported themselves idle first.
    pub const JOIN_IDLE_QUEUE: Strategy = Strategy::of(&jiq::INFO);
    /// The shortest queue, of at most two requests each, and a line before them.
    pub const BOUNDED_SHORTEST_QUEUE: Strategy = Strategy::of(&jbsq::INFO);
    /// nginx's weighted round robin.
    pub const SMOOTH_WEIGHTED: Strategy = Strategy::of(&smooth_weighted::INFO);
    /// Envoy's weighted round robin.
    pub const EARLIEST_DEADLINE: Strategy = Strategy::of(&edf::INFO);
    /// gRPC's weighted round robin.
    pub const STATIC_STRIDE: Strategy = Strategy::of(&static_stride::INFO);
    /// At random by weight.
    pub const WEIGHTED_RANDOM: Strategy = Strategy::of(&weighted_random::INFO);

    /// A strategy with its default parameters.
    pub const fn of(info: &'static StrategyInfo) -> Self {
        Strategy { info, values: Values::defaults(info.parameters) }
    }

    /// The strategy of this name with its default parameters; [`catalogue::all`] lists the names.
    pub fn from_name(name: &str) -> Option<Self> {
        catalogue::all().iter().find(|info| info.name == name).map(|info| Strategy::of(info))
    }

    /// The structure that it looks keys up in; none of a strategy that does not go by keys.
    pub fn structure(&self) -> Option<crate::hashing::Kind> {
        hashed::kind_of(self.info.name, &self.values)
    }

    /// An upper bound of what a balancer over `hosts` takes, in bytes, as [`Balancer::bytes`](crate::Balancer::bytes)
    /// counts them; found without building a structure of keys. O(n).
    pub fn bytes_over(self, hosts: &[Host]) -> u64 {
        // Of what grows with hosts, a small balancer tells how much it is for each.
        const TRIED: usize = 512;
        let n = hosts.len() as u64;
        let kind = self.structure().or_else(|| haproxy_random::ring_of(self.info.name));
        if let Some(kind) = kind {
            let weighing: Vec<(&str, u32)> = hosts.iter().map(|host| ("", host.weight.max(1))).collect();
            // Hosts as they are and as they were before the latest update, with counts, and those that have left; the
            // bound of loads keeps a share and an index for each.
            return kind.bytes_over(&weighing).saturating_add(n.saturating_mul(80)).saturating_add(4_096);
        }
        let few = &hosts[..hosts.len().min(TRIED)];
        let mut balancer = Balancer::new(self, Seed(0).stream("bytes"));
        balancer.update(Instant::ZERO, few);
        balancer.update(Instant::ZERO, few);
        // Beside it, hosts that have left, and what a smooth round robin remembers once a cycle has gone by: up to
        // sixteen picks for each host.
        let each = (balancer.bytes() as u64).div_ceil(few.len().max(1) as u64) + 24 + 64;
        n.saturating_mul(each).saturating_add(4_096)
    }

    /// The same with one parameter set to `value`.
    pub fn with(mut self, parameter: &str, value: Value) -> Result<Self, ParameterError> {
        let Some(index) = self.info.parameters.iter().position(|p| p.name == parameter) else {
            return Err(ParameterError::Unknown {
                strategy: self.info.name,
                parameter: parameter.into(),
                known: self.info.parameters.iter().map(|p| p.name).collect(),
            });
        };
        let declared = &self.info.parameters[index];
        if !declared.kind.admits(value) {
            return Err(ParameterError::Refused {
                parameter: declared.name,
                given: value.to_string(),
                expected: declared.kind.to_string(),
            });
        }
        self.values.set(index, value);
        Ok(self)
    }

    /// The same with a parameter that is a whole number. Panics where [`Strategy::with`] gives an error; for programs
    /// that know what they write.
    pub fn count(self, parameter: &str, n: u64) -> Self {
        self.with(parameter, Value::Count(n)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The name under which [`Strategy::from_name`] and the catalogue know it.
    pub const fn name(self) -> &'static str {
        self.info.name
    }

    /// Its entry in the catalogue.
    pub const fn info(self) -> &'static StrategyInfo {
        self.info
    }

    /// Its parameters.
    pub const fn values(&self) -> &Values {
        &self.values
    }
}

impl PartialEq for Strategy {
    fn eq(&self, other: &Self) -> bool {
        self.info.name == other.info.name && self.values == other.values
    }
}

impl fmt::Debug for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Strategy {
    /// The name, and the parameters that differ from its defaults: `p2c`, `least_request choices=3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        for (parameter, value) in self.values.iter().filter(|(parameter, value)| *value != parameter.default) {
            write!(f, " {}={value}", parameter.name)?;
        }
        Ok(())
    }
}

/// What a strategy may go by when it chooses.
#[derive(Debug)]
pub(crate) struct Pick<'a> {
    pub(crate) now: Instant,
    pub(crate) request: Request,
    /// At least one.
    pub(crate) hosts: &'a Hosts,
    /// How often this request was picked for before, with a choice that cannot be had.
    pub(crate) attempt: u32,
    /// Where this request was sent before, for the rules that pass over such hosts by themselves; empty for a first
    /// attempt.
    pub(crate) tried: &'a [InstanceId],
    pub(crate) rng: &'a mut Rng,
}

impl Pick<'_> {
    /// Whether this request was sent to the host at `index` before.
    #[inline]
    fn was_tried(&self, index: usize) -> bool {
        self.tried.contains(&self.hosts.instance(index))
    }

    /// Whether there is no host that it was not sent to.
    #[inline]
    fn all_were_tried(&self) -> bool {
        !self.tried.is_empty() && (0..self.hosts.len()).all(|index| self.was_tried(index))
    }
}

/// What every strategy can do. The defaults are those of one that remembers nothing.
pub(crate) trait Choose {
    /// Whether it does anything when a request starts or ends. Most count nothing themselves, and are then not asked on
    /// the way of every request.
    const FOLLOWS: bool;

    /// Begins its schedule at `start` in place of the random number it was made with; whether there is such a number.
    fn start_at(&mut self, _start: u64) -> bool {
        false
    }

    /// The hosts have changed; `hosts.before()` has the former ones.
    fn refresh(&mut self, _now: Instant, _hosts: &Hosts) {}

    /// An index below `hosts.len()`; none when every host has as much as it may have.
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize>;

    /// The host at `index`, which had `before` requests outstanding, has one more.
    fn started(&mut self, _index: usize, _before: u32) {}

    /// The host at `index`, which had `before` requests outstanding, has one less, and this is how it went.
    fn finished(&mut self, _now: Instant, _index: usize, _before: u32, _response: &Response, _hosts: &Hosts) {}

    /// A request is over at an instance that is no longer a host.
    fn finished_elsewhere(&mut self, _now: Instant, _instance: InstanceId) {}

    /// The client was started `age` before `now`, and what it does periodically counts from there.
    fn running_for(&mut self, _now: Instant, _age: Duration) {}

    /// The date on the client's wall clock was set ahead by so many nanoseconds; back when negative. For what reads
    /// dates: `now` never steps.
    fn stepped(&mut self, _by_ns: i64) {}

    /// What all clients know together is at `dispatcher`; `counts` when it is for the strategy to count there what is
    /// started and finished. Whether it goes by that.
    fn join(&mut self, _desk: &Dispatcher, _counts: bool) -> bool {
        false
    }

    /// The next host to send a probe to, while there are any to send. Asked again and again after each pick until it
    /// says none.
    fn probe(&mut self, _now: Instant, _hosts: &Hosts, _rng: &mut Rng) -> Option<usize> {
        None
    }

    /// The host at `index` has answered a probe.
    fn probed(&mut self, _now: Instant, _index: usize, _reply: ProbeReply, _hosts: &Hosts, _rng: &mut Rng) {}

    /// What following the hosts has cost so far.
    fn rebuilds(&self) -> Rebuilds {
        Rebuilds::default()
    }

    /// What it remembers beside its own size, in bytes.
    fn bytes(&self) -> usize {
        0
    }
}

/// The enum of all states, and the dispatch to each.
macro_rules! strategies {
    ($($state:ident($type:ty)),+ $(,)?) => {
        /// What a strategy remembers between picks.
        #[derive(Debug)]
        pub(crate) enum State {
            $($state($type)),+
        }

        impl State {
            /// [`Choose::FOLLOWS`].
            pub(crate) fn follows(&self) -> bool {
                match self { $(State::$state(_) => <$type as Choose>::FOLLOWS),+ }
            }
        }

        impl Choose for State {
            const FOLLOWS: bool = true;

            fn start_at(&mut self, start: u64) -> bool {
                match self { $(State::$state(s) => s.start_at(start)),+ }
            }
            fn refresh(&mut self, now: Instant, hosts: &Hosts) {
                match self { $(State::$state(s) => s.refresh(now, hosts)),+ }
            }
            #[inline(always)]
            fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
                match self { $(State::$state(s) => s.pick(pick)),+ }
            }
            #[inline]
            fn started(&mut self, index: usize, before: u32) {
                match self { $(State::$state(s) => s.started(index, before)),+ }
            }
            #[inline]
            fn finished(&mut self, now: Instant, index: usize, before: u32, response: &Response, hosts: &Hosts) {
                match self { $(State::$state(s) => s.finished(now, index, before, response, hosts)),+ }
            }
            fn finished_elsewhere(&mut self, now: Instant, instance: InstanceId) {
                match self { $(State::$state(s) => s.finished_elsewhere(now, instance)),+ }
            }
            fn running_for(&mut self, now: Instant, age: Duration) {
                match self { $(State::$state(s) => s.running_for(now, age)),+ }
            }
            fn stepped(&mut self, by_ns: i64) {
                match self { $(State::$state(s) => s.stepped(by_ns)),+ }
            }
            fn join(&mut self, dispatcher: &Dispatcher, counts: bool) -> bool {
                match self { $(State::$state(s) => s.join(dispatcher, counts)),+ }
            }
            #[inline]
            fn probe(&mut self, now: Instant, hosts: &Hosts, rng: &mut Rng) -> Option<usize> {
                match self { $(State::$state(s) => s.probe(now, hosts, rng)),+ }
            }
            fn probed(&mut self, now: Instant, index: usize, reply: ProbeReply, hosts: &Hosts, rng: &mut Rng) {
                match self { $(State::$state(s) => s.probed(now, index, reply, hosts, rng)),+ }
            }
            fn rebuilds(&self) -> Rebuilds {
                match self { $(State::$state(s) => s.rebuilds()),+ }
            }
            fn bytes(&self) -> usize {
                match self { $(State::$state(s) => s.bytes()),+ }
            }
        }
    };
}

strategies! {
    RoundRobin(round_robin::RoundRobin),
    Random(random::Random),
    WithReplacement(d_choices::WithReplacement),
    Distinct(d_choices::Distinct),
    FullScan(full_scan::FullScan),
    HaproxyLeastconn(haproxy_leastconn::HaproxyLeastconn),
    NginxLeastConn(nginx_least_conn::NginxLeastConn),
    HaproxyRandom(haproxy_random::HaproxyRandom),
    NginxRandomTwo(nginx_random_two::NginxRandomTwo),
    HaproxyRoundrobin(haproxy_roundrobin::HaproxyRoundrobin),
    SmoothWeighted(smooth_weighted::SmoothWeighted),
    Edf(edf::Edf),
    StaticStride(static_stride::StaticStride),
    WeightedRandom(weighted_random::WeightedRandom),
    PeakEwma(peak_ewma::PeakEwma),
    PenaltyPeakEwma(penalty_peak_ewma::PenaltyPeakEwma),
    ShortestResponse(shortest_response::ShortestResponse),
    DubboAdaptive(dubbo_adaptive::DubboAdaptive),
    C3(c3::C3),
    WeightedLeastRequest(weighted_least_request::WeightedLeastRequest),
    ClientWeighted(client_weighted::ClientWeighted),
    Prequal(prequal::Prequal),
    Shared(shared::Shared),
    Jiq(jiq::Jiq),
    Jbsq(jbsq::Jbsq),
    Hashed(hashed::Hashed),
}
