//! When leases end, and when the server looks.
//!
//! Deadlines stand in an ordered set, so granting, renewing and finding the next to end are O(log n). A server either
//! acts at the very deadline (interval zero) or in passes at even distances from its start; then a lease ends at the
//! first pass at or after its deadline.

use crate::grid::Grid;
use base::{Duration, Instant, LeaseId};
use std::collections::BTreeSet;

/// Deadlines of all leases, and the rhythm of passes.
#[derive(Debug)]
pub(crate) struct Expiry {
    queue: BTreeSet<(Instant, LeaseId)>,
    /// When passes are made; none where each lease is taken out at its very deadline.
    passes: Option<Grid>,
    /// Wake at every pass and not only where a lease may end: lateness can only be seen by who looks each time.
    every_pass: bool,
    /// The earliest pass that has not been made.
    next_pass: Instant,
}

impl Expiry {
    /// Of a server that was started `age` before `now`; an `interval` of zero makes no passes.
    pub(crate) fn new(interval: Duration, every_pass: bool, now: Instant, age: Duration) -> Self {
        let passes = (!interval.is_zero()).then(|| Grid::new(now, age, interval));
        let next_pass = passes.map_or(now, |passes| passes.after(now));
        Expiry { queue: BTreeSet::new(), passes, every_pass, next_pass }
    }

    pub(crate) fn insert(&mut self, now: Instant, deadline: Instant, lease: LeaseId) {
        if self.queue.is_empty()
            && let Some(passes) = self.passes
        {
            // Nobody looked while there was nothing to find; that is not lateness.
            self.next_pass = self.next_pass.max(passes.after(now));
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
        Some(match self.passes {
            None => earliest,
            Some(_) if self.every_pass => self.next_pass,
            Some(passes) => self.next_pass.max(passes.at_or_after(earliest)),
        })
    }

    /// Makes the pass that is due, and says by how much it is late; `None` when none is due.
    pub(crate) fn begin_pass(&mut self, now: Instant) -> Option<Duration> {
        let due = self.due().filter(|&due| due <= now)?;
        if let Some(passes) = self.passes {
            self.next_pass = passes.after(now);
        }
        Some(now.saturating_since(due))
    }

    /// The leases whose deadline is `moment` or earlier, first ended first.
    pub(crate) fn ended(&self, moment: Instant) -> impl Iterator<Item = LeaseId> {
        self.queue.iter().take_while(move |&&(deadline, _)| deadline <= moment).map(|&(_, lease)| lease)
    }
}
