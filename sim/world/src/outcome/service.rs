//! What one service, its versions and its instances did in the measured part of a run.

use super::distribution::Distribution;
use super::requests::Requests;

/// One service's part.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceOutcome {
    /// Its name.
    pub name: String,
    /// Calls to it in the measured part, by how they ended for the caller.
    pub requests: Requests,
    /// Latency of those calls as the callers saw it, successes and failures alike.
    pub latency: Distribution,
    /// How many of those calls ended in each step of the timeline, and the sum of their latencies in nanoseconds. What
    /// ends behind the last step counts in it.
    pub latency_per_step: Vec<(u64, u64)>,
    /// Latency of those that succeeded. Its longest is known as a quantile is: at most 1/1024 too long.
    pub success_latency: Distribution,
    /// What balancing it has cost.
    pub balancing: Balancing,
    /// Per version, in order of declaration.
    pub versions: Vec<VersionOutcome>,
    /// Per instance, in order of creation, those made by rollouts included.
    pub instances: Vec<InstanceOutcome>,
}

/// What balancing one service has cost its callers, over the whole run, in their last lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balancing {
    /// Probes sent.
    pub probes: u64,
    /// How often tables, rings and the like were built or changed.
    pub rebuilds: u64,
    /// How many entries were written in doing so.
    pub entries: u64,
    /// The memory of the balancers of whichever caller has the largest, in bytes, at the end.
    pub bytes: u64,
}

/// What one version of a service did in the measured part.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionOutcome {
    /// Such as `1.1.0`.
    pub version: String,
    /// Attempts that ended at one of its instances.
    pub attempts: u64,
    /// Those that failed.
    pub failed: u64,
    /// Attempts begun in each step of the timeline.
    pub attempts_per_step: Vec<u32>,
}

/// What one instance did.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceOutcome {
    /// Such as `checkout-3`.
    pub name: String,
    /// The version it ran.
    pub version: String,
    /// Its zone's name.
    pub zone: String,
    /// Requests it took in during the measured part.
    pub requests: u64,
    /// Requests that nobody worked on because their deadline had passed when their turn came, since the run began; only
    /// where deadlines travel.
    pub expired: u64,
    /// Share of its capacity that was busy in the measured part while it existed.
    pub utilisation: f64,
    /// Time average of requests waiting or being served, in the measured part while it existed.
    pub in_system: f64,
    /// Most requests waiting or being served at once, since the run began.
    pub in_system_max: u32,
    /// The same in the measured part alone.
    pub in_system_max_measured: u32,
    /// The step of the timeline in which it was made; zero for what was there from the first moment.
    pub created_in_step: usize,
    /// Requests taken in during each step of the timeline.
    pub requests_per_step: Vec<u32>,
    /// Requests waiting or being served at the end of each step of the timeline; zero before it was made.
    pub in_system_per_step: Vec<u32>,
}
