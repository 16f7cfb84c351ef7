//! What a run is expected to show: promises by name, objectives by service.

use crate::outcome::CheckKind;
use base::{Duration, Ratio, ServiceId};

/// What a run is expected to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// Invariants by kind and name. Those of kind `always` are checked in every run; naming them makes the scenario say
    /// which ones it is about.
    pub checks: Vec<(CheckKind, String)>,
    /// Objectives.
    pub objectives: Vec<ObjectiveSpec>,
}

/// What a service's callers must see in the measured part of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveSpec {
    /// Whose.
    pub service: ServiceId,
    /// At least this share of requests succeeds.
    pub success: Option<Ratio>,
    /// The median is at most this.
    pub p50: Option<Duration>,
    /// The 99th percentile is at most this.
    pub p99: Option<Duration>,
    /// The mean is at most this.
    pub mean: Option<Duration>,
}
