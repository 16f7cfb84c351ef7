//! How a run ended, from passed to broken promises, and why.

use base::Instant;

/// How a run ended, from best to worst. The names and numbers are those of the command line's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All that was asked for held.
    Passed,
    /// Everything held, but a `sometimes` was never seen: the scenario tests less than it claims.
    Coverage,
    /// An objective was missed.
    Objective,
    /// Calm ended without an `eventually`.
    Liveness,
    /// An `always` was broken.
    Safety,
}

impl Verdict {
    /// The word on the console and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Coverage => "coverage",
            Verdict::Objective => "objective",
            Verdict::Liveness => "liveness",
            Verdict::Safety => "safety",
        }
    }

    /// The process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed => 0,
            Verdict::Safety => 10,
            Verdict::Liveness => 11,
            Verdict::Coverage => 12,
            Verdict::Objective => 14,
        }
    }
}

/// Why a run did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind of failure.
    pub verdict: Verdict,
    /// The invariant or objective.
    pub name: String,
    /// When it was first seen.
    pub at: Instant,
    /// The number of the event at which it was first seen.
    pub event: u64,
    /// What was seen, in a sentence.
    pub message: String,
}
