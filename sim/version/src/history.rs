//! What a service ran, revision after revision.
//!
//! Revisions count from one and a history only grows. Going back is a new revision with the old version in it, as
//! `kubectl rollout undo` makes one (kubernetes, `kubectl/pkg/polymorphichelpers/rollback.go`).
//! Kubernetes then forgets the number the old revision had; here every number keeps its meaning.

use base::{Instant, VersionId};
use std::fmt;

/// Everything one service ever ran. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Revision `n` is at index `n - 1`; moments never fall.
    entries: Vec<Entry>,
}

/// One revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from one.
    pub revision: u32,
    /// What the service ran from then on.
    pub version: VersionId,
    /// When it became current.
    pub at: Instant,
    /// Why.
    pub cause: Cause,
}

/// Why a revision was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody wanted this version.
    Deploy,
    /// Somebody wanted an earlier revision back.
    Rollback {
        /// Which one; its version is this revision's version.
        to: u32,
    },
}

impl History {
    /// The history of a service that starts its life with `version`, as revision 1.
    pub fn new(version: VersionId, at: Instant) -> Self {
        History { entries: vec![Entry { revision: 1, version, at, cause: Cause::Deploy }] }
    }

    /// What the service runs.
    pub fn current(&self) -> &Entry {
        self.entries.last().expect("a history begins with its first version")
    }

    /// The revision before the current one, when there was one.
    pub fn previous(&self) -> Option<&Entry> {
        self.entries.iter().nth_back(1)
    }

    /// The revision with this number. Constant time.
    pub fn at(&self, revision: u32) -> Option<&Entry> {
        self.entries.get((revision as usize).checked_sub(1)?)
    }

    /// Every revision, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The newest revision made strictly before `t` that no rollback followed: the one to go back to when things went
    /// wrong at `t`. None when there is no such revision. Linear.
    pub fn stable_before(&self, t: Instant) -> Option<&Entry> {
        let undone = |e: &Entry| matches!(self.at(e.revision + 1), Some(Entry { cause: Cause::Rollback { .. }, .. }));
        self.entries.iter().rev().find(|e| e.at < t && !undone(e))
    }

    /// Makes a new revision with `version` and returns its number.
    ///
    /// A moment before the current revision's (a clock that stepped back) counts as that revision's moment, so that
    /// the order of moments is the order of revisions.
    pub fn deploy(&mut self, version: VersionId, at: Instant) -> Result<u32, HistoryError> {
        self.append(version, at, Cause::Deploy)
    }

    /// Makes a new revision with the version of an earlier one and returns its number. Moments as in
    /// [`History::deploy`].
    pub fn roll_back_to(&mut self, revision: u32, at: Instant) -> Result<u32, HistoryError> {
        let Some(target) = self.at(revision) else {
            return Err(HistoryError::UnknownRevision { revision, newest: self.current().revision });
        };
        self.append(target.version, at, Cause::Rollback { to: revision })
    }

    fn append(&mut self, version: VersionId, at: Instant, cause: Cause) -> Result<u32, HistoryError> {
        let current = *self.current();
        if current.version == version {
            return Err(HistoryError::AlreadyCurrent { version, revision: current.revision });
        }
        let revision = current.revision + 1;
        self.entries.push(Entry { revision, version, at: at.max(current.at), cause });
        Ok(revision)
    }
}

/// Why no revision was made. The history is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryError {
    /// The service already runs this version; kubectl skips such a rollback, and an unchanged template makes no
    /// revision.
    AlreadyCurrent {
        /// The version.
        version: VersionId,
        /// The revision that runs it.
        revision: u32,
    },
    /// There never was a revision with this number.
    UnknownRevision {
        /// The number asked for.
        revision: u32,
        /// The highest there is.
        newest: u32,
    },
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::AlreadyCurrent { version, revision } => {
                write!(f, "{version} is already current, as revision {revision}")
            }
            HistoryError::UnknownRevision { revision, newest } => {
                write!(f, "there is no revision {revision}: revisions go from 1 to {newest}")
            }
        }
    }
}

impl std::error::Error for HistoryError {}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {} runs {} since {}", self.revision, self.version, self.at)?;
        match self.cause {
            Cause::Deploy => Ok(()),
            Cause::Rollback { to } => write!(f, ", back from revision {} to {to}", self.revision - 1),
        }
    }
}
