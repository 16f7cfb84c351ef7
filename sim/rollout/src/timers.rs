//! The few moments a rollout waits for, at most one of each kind.
//!
//! A fixed table instead of a queue: setting a timer again moves it, and the next wake-up is the least of six. When the
//! clock jumps back, the timers go back with it, so the time still to wait stays what it was.

use base::{Duration, Instant};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Ask for the lock (again).
    Lock,
    /// Look at the instances.
    Observe,
    /// Check the new version.
    Measure,
    /// A hold ends.
    Hold,
    /// No progress for too long.
    Progress,
    /// Instances without traffic may go.
    Drain,
}

const TIMERS: usize = 6;

/// When each timer rings, if it is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    at: [Option<Instant>; TIMERS],
    /// The latest moment seen.
    now: Instant,
}

impl Timers {
    /// Takes note of the time. When the clock steps back, every timer steps back with it: the time still to wait
    /// stays what it was, and nothing waits for an hour to come round again.
    pub(crate) fn advance(&mut self, now: Instant) {
        let back = self.now.saturating_since(now);
        if !back.is_zero() {
            for at in self.at.iter_mut().flatten() {
                *at = at.saturating_sub(back);
            }
        }
        self.now = now;
    }

    /// The moment last noted.
    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn set(&mut self, timer: Timer, after: Duration) {
        self.at[timer as usize] = Some(self.now.saturating_add(after));
    }

    /// Sets a timer unless it is set already.
    pub(crate) fn ensure(&mut self, timer: Timer, after: Duration) {
        if self.at[timer as usize].is_none() {
            self.set(timer, after);
        }
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.at[timer as usize] = None;
    }

    pub(crate) fn clear_all(&mut self) {
        self.at = Default::default();
    }

    /// True when the timer is set and its moment has come.
    pub(crate) fn due(&self, timer: Timer) -> bool {
        self.at[timer as usize].is_some_and(|at| at <= self.now)
    }

    /// The first moment anything is waited for.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.at.iter().flatten().min().copied()
    }
}
