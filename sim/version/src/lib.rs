//! Core: which versions of a service exist, which of them a requirement admits, and which one ran when.
//!
//! Everything else in a run calls a version by its [`VersionId`](base::VersionId), a small integer. The
//! [`Catalogue`] is the one place that knows which number stands for `1.5.0-rc.1`; a [`Range`] says which versions
//! will do; a [`History`] remembers what each service ran, one revision after the other.
//!
//! > A history only grows. Going back to an older version is a new revision with the old version in it.
//!
//! There is no input, no effect and no deadline here: nothing in this crate happens by itself. What moves traffic and
//! instances from one version to the next is the rollout core.

mod catalogue;
mod history;
mod number;
mod range;

pub use catalogue::{Catalogue, CatalogueError};
pub use history::{Cause, Entry, History, HistoryError};
pub use number::{Version, VersionError};
pub use range::{Range, RangeError};
