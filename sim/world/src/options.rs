//! What to record of a run, and what was recorded.

use crate::outcome::Outcome;
use crate::sabotage::Sabotage;
use crate::standstill::Progress;
use base::{Instant, Key};
use kernel::trace::{Level, Trace};

/// What to record of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// How much of the trace to keep.
    pub trace: Level,
    /// Stop here instead of at the end; the outcome is that of a run cut short, and nothing is settled.
    pub until: Option<Instant>,
    /// Keep when each request arrived and its key, for tests that compare runs.
    pub record_arrivals: bool,
    /// A deliberate bug, to show that an invariant catches it.
    pub sabotage: Option<Sabotage>,
    /// Where to say how far the run has come, for whoever waits for it.
    pub progress: Option<&'a Progress>,
}

/// A run and what was recorded of it.
#[derive(Debug)]
pub struct Run {
    /// What it left behind.
    pub outcome: Outcome,
    /// The trace.
    pub trace: Trace,
    /// The names of all nodes, indexed by id.
    pub nodes: Vec<String>,
    /// When each request arrived, and the key from which its service times follow; with [`Options::record_arrivals`].
    pub arrivals: Option<Vec<(Instant, Key)>>,
}
