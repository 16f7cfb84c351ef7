//! When leases end, and when the server looks.
//!
//! Deadlines stand in an ordered set, so granting, renewing and finding the next to end are O(log n). A server either
//! acts at the very deadline (interval zero) or in passes on a grid that begins at its start; then a lease ends at the
//! first pass at or after its deadline.

use base::{Duration, Instant, LeaseId};
use std::collections::BTreeSet;

/// Deadlines of all leases, and the rhythm of passes.
#[derive(Debug)]
pub(crate) struct Expiry {
    queue: BTreeSet<(Instant, LeaseId)>,
    interval: Duration,
    origin: Instant,
    /// Wake at every pass and not only where a lease may end: lateness can only be seen by who looks each time.
    every_pass: bool,
    /// The earliest pass that has not been made.
    next_pass: Instant,
}

impl Expiry {
    pub(crate) fn new(interval: Duration, every_pass: bool, origin: Instant) -> Self {
        Expiry { queue: BTreeSet::new(), interval, origin, every_pass, next_pass: origin.saturating_add(interval) }
    }

    pub(crate) fn insert(&mut self, now: Instant, deadline: Instant, lease: LeaseId) {
        if self.queue.is_empty() && !self.interval.is_zero() {
            // Nobody looked while there was nothing to find; that is not lateness.
            self.next_pass = self.next_pass.max(self.grid_after(now));
        }
        self.queue.insert((deadline, lease));
    }

    pub(crate) fn remove(&mut self, deadline: Instant, lease: LeaseId) {
        let known = self.queue.remove(&(deadline, lease));
        debug_assert!(known, "{lease} did not stand at {deadline}");
    }

    /// When the next pass is due, if there is anything to look at.
    pub(crate) fn due(&self) -> Option<Instant> {
        let &(earliest, _) = self.queue.first()?;
        Some(match (self.interval.is_zero(), self.every_pass) {
            (true, _) => earliest,
            (false, true) => self.next_pass,
            (false, false) => self.next_pass.max(self.grid_at_or_after(earliest)),
        })
    }

    /// Makes the pass that is due, and says by how much it is late; `None` when none is due.
    pub(crate) fn begin_pass(&mut self, now: Instant) -> Option<Duration> {
        let due = self.due().filter(|&due| due <= now)?;
        if !self.interval.is_zero() {
            self.next_pass = self.grid_after(now);
        }
        Some(now.saturating_since(due))
    }

    /// The leases whose deadline is `moment` or earlier, first ended first.
    pub(crate) fn ended(&self, moment: Instant) -> impl Iterator<Item = LeaseId> {
        self.queue.iter().take_while(move |&&(deadline, _)| deadline <= moment).map(|&(_, lease)| lease)
    }

    fn grid_after(&self, moment: Instant) -> Instant {
        let passes = moment.saturating_since(self.origin).as_nanos() / self.interval.as_nanos();
        self.origin.saturating_add(self.interval.saturating_mul(passes + 1))
    }

    fn grid_at_or_after(&self, moment: Instant) -> Instant {
        let passes = moment.saturating_since(self.origin).as_nanos().div_ceil(self.interval.as_nanos());
        self.origin.saturating_add(self.interval.saturating_mul(passes))
    }
}
