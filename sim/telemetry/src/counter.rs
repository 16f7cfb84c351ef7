//! How often something happened: the smallest instrument there is.
//!
//! A count only grows, so the difference between two readings is what happened between them. Rates, shares and anything
//! that forgets are for the windows and series beside it.

use base::Fingerprint;
use std::fmt;

/// A count that only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter(u64);

impl Counter {
    /// Nothing counted.
    pub const ZERO: Counter = Counter(0);

    /// Once more.
    #[inline]
    pub fn inc(&mut self) {
        self.0 += 1;
    }

    /// `n` times more.
    #[inline]
    pub fn add(&mut self, n: u64) {
        self.0 += n;
    }

    /// How often so far.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Folds the count into a run's fingerprint.
    pub fn fold(&self, into: &mut Fingerprint) {
        into.fold(self.0);
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
