//! What happened, for people: the story of a rollout, one line an event.

use crate::analysis::{Breach, reading};
use crate::{Measurement, Step};
use base::{Duration, FencingToken, Ratio, VersionId};
use std::fmt;

/// Something that happened in a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first time under the lock.
    Started {
        /// From this version…
        from: VersionId,
        /// …to this one.
        to: VersionId,
    },
    /// The service runs the wanted version already: nothing is to be done.
    AlreadyRuns {
        /// That version.
        version: VersionId,
    },
    /// No instance became available for so long, and the rollout goes on waiting.
    Overdue {
        /// The plan's `progress_deadline`.
        after: Duration,
    },
    /// Under the lock again, after it was lost or after the controller came back.
    Resumed {
        /// The new token.
        token: FencingToken,
    },
    /// The lock was lost; the world stays as it is.
    Frozen,
    /// A step of a canary began.
    StepEntered {
        /// Which one, from zero.
        index: u32,
        /// What it is.
        step: Step,
    },
    /// So many instances of a version were asked for.
    Scaled {
        /// Of what.
        version: VersionId,
        /// How many.
        replicas: u32,
    },
    /// The new version was given this share of the traffic.
    WeightSet {
        /// The share.
        weight: Ratio,
    },
    /// A check found nothing wrong.
    AnalysisPassed {
        /// What it saw.
        measurement: Measurement,
    },
    /// A check found something wrong.
    AnalysisFailed {
        /// What was wrong.
        breach: Breach,
        /// How many checks have failed so far, this one included.
        failed: u32,
        /// How many end the rollout.
        limit: u32,
    },
    /// A check saw too little to judge.
    AnalysisInconclusive {
        /// What it saw.
        measurement: Measurement,
    },
    /// All traffic goes to the new version.
    Promoted,
    /// The rollout gave up and goes back.
    Aborted {
        /// Why.
        reason: AbortReason,
    },
    /// Only the new version is left.
    Completed,
    /// Only the old version is left, as it was before.
    RolledBack,
    /// The rollout gave up and left everything where it was.
    Failed {
        /// Why.
        reason: AbortReason,
    },
}

/// Why a rollout gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortReason {
    /// Somebody said so.
    Operator,
    /// Too many checks failed.
    Analysis,
    /// Instances did not become available in time.
    ProgressDeadline,
    /// A later rollout of the service began while this one was without the lock.
    Superseded,
}

impl Event {
    /// True for events that belong into a rollout's history: all but the checks that did not fail, of which there is no
    /// end while a canary is paused.
    pub(crate) const fn is_history(&self) -> bool {
        !matches!(self, Event::AnalysisPassed { .. } | Event::AnalysisInconclusive { .. })
    }
}

impl fmt::Display for AbortReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AbortReason::Operator => "an operator said so",
            AbortReason::Analysis => "too many checks failed",
            AbortReason::ProgressDeadline => "no progress within the deadline",
            AbortReason::Superseded => "a later rollout took its place",
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started { from, to } => write!(f, "started from {from} to {to}"),
            Event::AlreadyRuns { version } => write!(f, "nothing to do: {version} runs already"),
            Event::Overdue { after } => write!(f, "no progress for {after}: goes on waiting"),
            Event::Resumed { token } => write!(f, "resumed under {token}"),
            Event::Frozen => f.write_str("frozen: the lock is lost"),
            Event::StepEntered { index, step } => write!(f, "step {index}: {step}"),
            Event::Scaled { version, replicas } => write!(f, "{version} scaled to {replicas}"),
            Event::WeightSet { weight } => write!(f, "new version has {weight} of the traffic"),
            Event::AnalysisPassed { measurement } => write!(f, "check passed: {}", reading(measurement)),
            Event::AnalysisFailed { breach, failed, limit } => {
                write!(f, "check failed, {failed} of {limit}: {breach}")
            }
            Event::AnalysisInconclusive { measurement } => write!(f, "check inconclusive: {}", reading(measurement)),
            Event::Promoted => f.write_str("promoted"),
            Event::Aborted { reason } => write!(f, "aborted: {reason}"),
            Event::Completed => f.write_str("completed"),
            Event::RolledBack => f.write_str("rolled back"),
            Event::Failed { reason } => write!(f, "failed: {reason}"),
        }
    }
}
