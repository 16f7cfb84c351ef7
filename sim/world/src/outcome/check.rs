//! Promises and objectives, and what came of them.

use base::Instant;

/// Which kind of promise a check makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckKind {
    /// Holds at every moment.
    Always,
    /// Holds by the end of calm.
    Eventually,
    /// Is reached at least once.
    Sometimes,
}

impl CheckKind {
    /// The word in scenario files, on the console and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            CheckKind::Always => "always",
            CheckKind::Eventually => "eventually",
            CheckKind::Sometimes => "sometimes",
        }
    }
}

/// One invariant in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What kind of promise.
    pub kind: CheckKind,
    /// Its name.
    pub name: &'static str,
    /// How often it was really tested; for a `sometimes`, how often it was reached.
    pub tested: u64,
    /// How often it was broken; for a `sometimes`, 1 when it was never reached.
    pub violations: u64,
    /// Where it was first broken.
    pub first: Option<Violation>,
}

/// The first time an invariant was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Instant,
    /// At which event.
    pub event: u64,
    /// What was seen, in a sentence.
    pub message: String,
}

/// An objective such as `p99 <= 120ms` and what was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The service it is about.
    pub service: String,
    /// As written: `success >= 99.5%`.
    pub asked: String,
    /// As measured: `99.71%`.
    pub reached: String,
    /// Whether that is enough.
    pub met: bool,
}
