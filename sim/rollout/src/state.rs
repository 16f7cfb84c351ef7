//! What must outlive the controller: 36 bytes that say how far a rollout has come.
//!
//! Neither the lock nor any moment is part of it. A controller that comes back holds no lock, and its clock may have
//! nothing to do with the one before; holds and delays nobody watched begin again.

use crate::AbortReason;
use base::{Fingerprint, Ratio, ServiceId, VersionId};
use std::fmt;

/// How far a rollout has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing was done yet.
    Pending,
    /// The new version comes up: a rolling update, or a canary in its steps.
    Progressing,
    /// A canary's steps are done: it gets all its instances, then all traffic.
    Promoting,
    /// The new version has all traffic; the old one is still there, for a while.
    Draining,
    /// On the way back.
    RollingBack,
    /// The end: only the new version is left.
    Completed,
    /// The end: everything is as it was.
    RolledBack,
    /// The end: given up, and left where it was.
    Failed,
}

impl Phase {
    /// True for the three ends, after which nothing is done any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Phase::Completed | Phase::RolledBack | Phase::Failed)
    }
}

impl Phase {
    /// The word in stories and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Pending => "pending",
            Phase::Progressing => "progressing",
            Phase::Promoting => "promoting",
            Phase::Draining => "draining",
            Phase::RollingBack => "rolling_back",
            Phase::Completed => "completed",
            Phase::RolledBack => "rolled_back",
            Phase::Failed => "failed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a controller must know to go on with a rollout that another, or it itself in an earlier life, began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Whose rollout.
    pub service: ServiceId,
    /// From which version.
    pub from: VersionId,
    /// To which version.
    pub to: VersionId,
    /// How far it has come.
    pub phase: Phase,
    /// The step a canary is in, from zero.
    pub step: u32,
    /// The share of the traffic last given to the new version.
    pub weight: Ratio,
    /// How many checks have failed so far.
    pub failures: u32,
    /// True once the old version was told to go: from then on traffic may go back to it only when it is up again.
    pub drained: bool,
    /// Why the rollout goes, went back or failed.
    pub reason: Option<AbortReason>,
}

/// How many bytes a state takes.
const LENGTH: usize = 36;
/// The first byte. Another layout gets another one.
const LAYOUT: u8 = 1;

impl State {
    /// The state as bytes, little-endian, with a checksum at the end.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(LAYOUT);
        bytes.push(self.phase as u8);
        bytes.push(u8::from(self.drained));
        bytes.push(self.reason.map_or(0, |reason| reason as u8 + 1));
        for word in [self.service.0, self.from.0, self.to.0, self.step, self.weight.billionths(), self.failures] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        debug_assert_eq!(bytes.len(), LENGTH, "the layout is fixed");
        bytes
    }

    /// Reads what [`State::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let Some((&layout, _)) = bytes.split_first() else {
            return Err(StateError::Length { found: 0 });
        };
        if layout != LAYOUT {
            return Err(StateError::Layout { found: layout });
        }
        if bytes.len() != LENGTH {
            return Err(StateError::Length { found: bytes.len() });
        }
        let (body, sum) = bytes.split_at(LENGTH - 8);
        if checksum(body).to_le_bytes() != sum {
            return Err(StateError::Checksum);
        }
        let word = |i: usize| {
            let at = 4 + 4 * i;
            u32::from_le_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]])
        };
        let phases = [
            Phase::Pending,
            Phase::Progressing,
            Phase::Promoting,
            Phase::Draining,
            Phase::RollingBack,
            Phase::Completed,
            Phase::RolledBack,
            Phase::Failed,
        ];
        let reasons = [
            None,
            Some(AbortReason::Operator),
            Some(AbortReason::Analysis),
            Some(AbortReason::ProgressDeadline),
            Some(AbortReason::Superseded),
        ];
        // The checksum was right, so a value out of range was written by something that is not this program.
        let phase = *phases.get(usize::from(body[1])).ok_or(StateError::Value { field: "phase" })?;
        let reason = *reasons.get(usize::from(body[3])).ok_or(StateError::Value { field: "reason" })?;
        if word(4) > Ratio::ONE.billionths() {
            return Err(StateError::Value { field: "weight" });
        }
        Ok(State {
            service: ServiceId(word(0)),
            from: VersionId(word(1)),
            to: VersionId(word(2)),
            phase,
            step: word(3),
            weight: Ratio::from_billionths(word(4)),
            failures: word(5),
            drained: body[2] != 0,
            reason,
        })
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = Fingerprint::EMPTY;
    bytes.iter().for_each(|&byte| sum.fold(u64::from(byte)));
    sum.value()
}

/// Why bytes are not a state. Nothing was recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// Too short or too long: a torn write.
    Length {
        /// How many bytes there were.
        found: usize,
    },
    /// Written in another layout.
    Layout {
        /// Its number.
        found: u8,
    },
    /// At least one bit is not what was written.
    Checksum,
    /// A field holds a value that was never written.
    Value {
        /// Which field.
        field: &'static str,
    },
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Length { found } => write!(f, "a rollout's state takes {LENGTH} bytes, found {found}"),
            StateError::Layout { found } => {
                write!(f, "a rollout's state in layout {found}, this program reads {LAYOUT}")
            }
            StateError::Checksum => f.write_str("a rollout's state does not match its checksum"),
            StateError::Value { field } => write!(f, "a rollout's state has no such {field}"),
        }
    }
}

impl std::error::Error for StateError {}
