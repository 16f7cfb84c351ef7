//! Moments at even distances, and where in them somebody stands who has been doing this for a while.
//!
//! What happens periodically follows from when it began. A server that starts during a run begins its periods there;
//! one that was running before the run is somewhere in the middle of them, and which moments are its own follows from
//! its age. Were all periods to begin with the run, heartbeats, passes and polls would meet the same way in every run,
//! and what takes 150 to 300 s would take 210 to 270.

use base::{Duration, Instant};

/// Moments at even distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    first: Instant,
    every: Duration,
}

impl Grid {
    /// Every `every`, for somebody who began `age` before `now`; the first moment lies after `now`. Panics when `every`
    /// is zero.
    pub(crate) fn new(now: Instant, age: Duration, every: Duration) -> Self {
        Grid { first: now.saturating_add(age.to_next(every)), every }
    }

    /// How many moments have come, counted from the first.
    pub(crate) fn passed(&self, at: Instant) -> u64 {
        if at < self.first { 0 } else { 1 + at.saturating_since(self.first).as_nanos() / self.every.as_nanos() }
    }

    /// The first moment after `at`.
    pub(crate) fn after(&self, at: Instant) -> Instant {
        self.first.saturating_add(self.every.saturating_mul(self.passed(at)))
    }

    /// The first moment at `at` or later.
    pub(crate) fn at_or_after(&self, at: Instant) -> Instant {
        let steps = at.saturating_since(self.first).as_nanos().div_ceil(self.every.as_nanos());
        self.first.saturating_add(self.every.saturating_mul(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_now_waits_a_whole_period_and_who_began_before_the_rest_of_one() {
        let at = Instant::from_secs;
        let fresh = Grid::new(at(7), Duration::ZERO, Duration::secs(10));
        assert_eq!((fresh.after(at(7)), fresh.passed(at(16)), fresh.passed(at(17))), (at(17), 0, 1));
        assert_eq!(
            (fresh.at_or_after(at(3)), fresh.at_or_after(at(17)), fresh.at_or_after(at(18))),
            (at(17), at(17), at(27))
        );
        let old = Grid::new(at(7), Duration::secs(34), Duration::secs(10));
        assert_eq!((old.after(at(7)), old.after(at(13)), old.passed(at(33))), (at(13), at(23), 3));
    }
}
