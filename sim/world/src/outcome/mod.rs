//! What a run leaves behind: a verdict, the numbers behind it, and enough of the run's shape to draw it.
//!
//! An outcome is plain data. It knows nothing of files or pictures; `reports` turns it into tables, JSON and plots. Two
//! runs of one scenario and seed give equal outcomes, and the fingerprint covers every event that led to them.

mod check;
mod distribution;
mod fault;
mod requests;
mod rollout;
mod section;
mod service;
mod timeline;
mod verdict;

pub use check::{Check, CheckKind, Objective, Violation};
pub use distribution::Distribution;
pub use fault::{Exposure, FaultWindow};
pub use requests::Requests;
pub use rollout::RolloutOutcome;
pub use section::{Cell, Section, Series, Table};
pub use service::{Balancing, InstanceOutcome, ServiceOutcome, VersionOutcome};
pub use timeline::{Phases, Timeline};
pub use verdict::{Failure, Verdict};

use base::{Duration, Fingerprint, Seed};

/// Everything a run has to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Which run it was.
    pub run: RunFacts,
    /// How it ended.
    pub verdict: Verdict,
    /// The worst thing that happened, when the verdict is not [`Verdict::Passed`].
    pub failure: Option<Failure>,
    /// Requests that arrived in the measured part of the run (after warm-up), by how they ended.
    pub requests: Requests,
    /// Latency of those requests, as their senders saw it: successes and failures alike.
    pub latency: Distribution,
    /// The same, service by service, as the services' callers saw it.
    pub services: Vec<ServiceOutcome>,
    /// The invariants, and how often each was really tested.
    pub checks: Vec<Check>,
    /// The objectives, and what was reached.
    pub objectives: Vec<Objective>,
    /// The rollouts.
    pub rollouts: Vec<RolloutOutcome>,
    /// What its processes have to tell.
    pub sections: Vec<Section>,
    /// The faults, as windows on the time axis.
    pub faults: Vec<FaultWindow>,
    /// The run over time.
    pub timeline: Timeline,
    /// How long dead instances went on being sent requests.
    pub exposure: Vec<Exposure>,
}

/// Which run it was, and how long.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// The scenario's short name: its file name without the extension.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// The one input of chance.
    pub seed: Seed,
    /// The run, folded into 64 bits.
    pub fingerprint: Fingerprint,
    /// How long each phase lasted.
    pub phases: Phases,
    /// Simulated time from the first event to the last.
    pub simulated: Duration,
    /// Events handled.
    pub events: u64,
    /// What was drawn from the seed where the scenario gave a range: name and value, as a person would write them.
    pub drawn: Vec<(String, String)>,
}
