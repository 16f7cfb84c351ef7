//! How to choose: the strategies, one file each, and the enum that selects among them.
//!
//! To add one: a file beside these with a state type that has `pick` (and `refresh`, `started`, `finished` where it
//! must know), a variant of [`Strategy`], a variant of `State`, and an entry in [`catalogue`]. The compiler lists the
//! places that are missing.
//!
//! Dispatch is a match on a small enum, decided by the branch predictor after the first request; there is no table of
//! function pointers on the way of a request.

pub mod catalogue;
mod d_choices;
mod edf;
mod full_scan;
mod random;
mod round_robin;
mod smooth_weighted;
mod static_stride;
#[cfg(test)]
mod vectors;
mod weighted_random;

use crate::hosts::Hosts;
use base::Rng;
use std::fmt;

pub use catalogue::StrategyInfo;

use d_choices::{Distinct, WithReplacement};
use edf::Edf;
use full_scan::FullScan;
use random::Random;
use round_robin::RoundRobin;
use smooth_weighted::SmoothWeighted;
use static_stride::StaticStride;
use weighted_random::WeightedRandom;

/// How a balancer chooses; a value of this type is all that a scenario has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// One after the other, from a random start.
    RoundRobin,
    /// Each host equally likely, every time.
    Random,
    /// The least busy of a few hosts drawn at random.
    LeastRequest {
        /// How many hosts are drawn, at least 1; when distinct, at most [`DISTINCT_CHOICES_MAX`].
        choices: u32,
        /// Whether the drawn hosts differ from each other (Finagle's p2c) or may be the same one twice (Envoy).
        distinct: bool,
    },
    /// The least busy of all hosts, fairly chosen among equals: join the shortest queue.
    FullScan,
    /// In turn by weight, the turns of each host spread out, as nginx. A pick is O(n).
    SmoothWeighted,
    /// In turn by weight, the earliest deadline first, as Envoy. A pick is O(log n) where weights differ.
    EarliestDeadline,
    /// In turn by weight, rounds over all hosts that leave out the lighter ones now and then, as gRPC. A pick looks at up to
    /// ten hosts on average, and at n at worst.
    StaticStride,
    /// At random by weight. A pick is O(log n) where weights differ.
    WeightedRandom,
}

/// The most hosts that a pick of distinct ones may draw; gRPC clamps to 10 (grpc/proposal A48).
pub const DISTINCT_CHOICES_MAX: u32 = d_choices::DISTINCT_MAX as u32;

impl Strategy {
    /// Envoy's least request with its default of two choices.
    pub const LEAST_REQUEST: Strategy = Strategy::LeastRequest { choices: 2, distinct: false };
    /// Two distinct choices, as Finagle's p2c.
    pub const P2C: Strategy = Strategy::LeastRequest { choices: 2, distinct: true };

    /// The strategy of this name with its default parameters; [`catalogue::all`] lists the names.
    pub fn from_name(name: &str) -> Option<Self> {
        catalogue::all().iter().find(|info| info.name == name).map(|info| info.strategy)
    }

    /// The name under which [`Strategy::from_name`] and the catalogue know it.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::RoundRobin => "round_robin",
            Strategy::Random => "random",
            Strategy::LeastRequest { distinct: false, .. } => "least_request",
            Strategy::LeastRequest { distinct: true, .. } => "p2c",
            Strategy::FullScan => "full_scan",
            Strategy::SmoothWeighted => "smooth_weighted_round_robin",
            Strategy::EarliestDeadline => "edf",
            Strategy::StaticStride => "static_stride",
            Strategy::WeightedRandom => "weighted_random",
        }
    }

    /// Whether the parameters make sense. The error says which does not, and why.
    pub const fn validate(self) -> Result<(), StrategyError> {
        match self {
            Strategy::LeastRequest { choices: 0, .. } => Err(StrategyError::NoChoice),
            Strategy::LeastRequest { choices, distinct: true } if choices > DISTINCT_CHOICES_MAX => {
                Err(StrategyError::TooManyChoices { choices })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Strategy {
    /// The name, and the parameters that differ from its defaults: `p2c`, `least_request choices=3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Strategy::LeastRequest { choices, .. } if *choices != 2 => write!(f, " choices={choices}"),
            _ => Ok(()),
        }
    }
}

/// Parameters that no balancer can be built with; nothing was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrategyError {
    /// Zero choices leave nothing to choose from.
    NoChoice,
    /// More distinct choices than [`DISTINCT_CHOICES_MAX`].
    TooManyChoices {
        /// How many were asked for.
        choices: u32,
    },
}

impl fmt::Display for StrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StrategyError::NoChoice => f.write_str("least request needs at least one choice"),
            StrategyError::TooManyChoices { choices } => write!(
                f,
                "{choices} distinct choices are more than {DISTINCT_CHOICES_MAX}; full_scan looks at every host at once"
            ),
        }
    }
}

impl std::error::Error for StrategyError {}

/// What a strategy remembers between picks.
#[derive(Debug)]
pub(crate) enum State {
    RoundRobin(RoundRobin),
    Random(Random),
    WithReplacement(WithReplacement),
    Distinct(Distinct),
    FullScan(FullScan),
    SmoothWeighted(SmoothWeighted),
    Edf(Edf),
    StaticStride(StaticStride),
    WeightedRandom(WeightedRandom),
}

impl State {
    pub(crate) fn new(strategy: Strategy, rng: &mut Rng) -> Self {
        match strategy {
            Strategy::RoundRobin => State::RoundRobin(RoundRobin::new(rng)),
            Strategy::Random => State::Random(Random),
            Strategy::LeastRequest { choices, distinct: false } => State::WithReplacement(WithReplacement { choices }),
            Strategy::LeastRequest { choices, distinct: true } => State::Distinct(Distinct { choices }),
            Strategy::FullScan => State::FullScan(FullScan::default()),
            Strategy::SmoothWeighted => State::SmoothWeighted(SmoothWeighted::default()),
            Strategy::EarliestDeadline => State::Edf(Edf::new(rng)),
            Strategy::StaticStride => State::StaticStride(StaticStride::new(rng)),
            Strategy::WeightedRandom => State::WeightedRandom(WeightedRandom::default()),
        }
    }

    /// The hosts have changed.
    pub(crate) fn refresh(&mut self, hosts: &Hosts) {
        match self {
            State::RoundRobin(s) => s.refresh(hosts),
            State::FullScan(s) => s.refresh(hosts),
            State::SmoothWeighted(s) => s.refresh(hosts),
            State::Edf(s) => s.refresh(hosts),
            State::StaticStride(s) => s.refresh(hosts),
            State::WeightedRandom(s) => s.refresh(hosts),
            State::Random(_) | State::WithReplacement(_) | State::Distinct(_) => {}
        }
    }

    /// An index below `hosts.len()`, which is not zero.
    #[inline]
    pub(crate) fn pick(&mut self, hosts: &Hosts, rng: &mut Rng) -> usize {
        match self {
            State::RoundRobin(s) => s.pick(hosts),
            State::Random(s) => s.pick(hosts, rng),
            State::WithReplacement(s) => s.pick(hosts, rng),
            State::Distinct(s) => s.pick(hosts, rng),
            State::FullScan(s) => s.pick(rng),
            State::SmoothWeighted(s) => s.pick(hosts),
            State::Edf(s) => s.pick(hosts),
            State::StaticStride(s) => s.pick(),
            State::WeightedRandom(s) => s.pick(hosts, rng),
        }
    }

    /// The host at `index`, which had `before` requests outstanding, has one more.
    #[inline]
    pub(crate) fn started(&mut self, index: usize, before: u32) {
        if let State::FullScan(s) = self {
            s.started(index, before);
        }
    }

    /// The host at `index`, which had `before` requests outstanding, has one less.
    #[inline]
    pub(crate) fn finished(&mut self, index: usize, before: u32) {
        if let State::FullScan(s) = self {
            s.finished(index, before);
        }
    }
}
