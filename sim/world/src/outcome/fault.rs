//! Faults on the time axis, and what dead instances went on being sent.

use base::Instant;

/// A fault, as a window on the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultWindow {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Which kind, such as `crash`.
    pub kind: &'static str,
    /// What it did to whom, in a few words.
    pub text: String,
    /// Whom it met, where the scenario does not say so by itself: the nodes that chance chose, or `nobody`.
    pub hit: Option<String>,
    /// When it began.
    pub from: Instant,
    /// When its cause was gone: at once for a step of a clock, the end of the run for what never ended.
    pub until: Instant,
}

/// How long an instance that had died went on being chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The instance.
    pub instance: String,
    /// When it died.
    pub died: Instant,
    /// The last time a caller sent a request to it while it was dead.
    pub last_sent: Option<Instant>,
    /// How many attempts were sent to it while it was dead.
    pub attempts: u64,
}
