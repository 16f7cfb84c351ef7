//! Eureka's brake on mass expiry: who is expected, how many renewals came, and whether the silence is believed.
//!
//! The rules stand at [`SelfPreservation`]. Windows and refreshes are counted lazily: every input first lets the time
//! before it pass, and a server with leases is woken at every pass.

use crate::config::SelfPreservation;
use crate::grid::Grid;
use base::{Duration, Instant};

/// The counters behind the brake.
#[derive(Debug)]
pub(crate) struct Preservation {
    rules: SelfPreservation,
    windows: Grid,
    refreshes: Grid,
    expected: u64,
    window: u64,
    counted: u64,
    counted_last: u64,
    refreshed: u64,
}

impl Preservation {
    /// A server that was started `age` ago and has `listed` instances; an empty one expects what the rules say.
    pub(crate) fn new(rules: SelfPreservation, now: Instant, age: Duration, listed: u64) -> Self {
        let expected = if listed == 0 { rules.expected_at_start } else { listed };
        let (windows, refreshes) = (Grid::new(now, age, rules.window), Grid::new(now, age, rules.refresh));
        Preservation { rules, windows, refreshes, expected, window: 0, counted: 0, counted_last: 0, refreshed: 0 }
    }

    /// Lets time pass while `listed` instances are in the catalogue.
    pub(crate) fn advance(&mut self, now: Instant, listed: u64) {
        let window = self.windows.passed(now);
        if window > self.window {
            self.counted_last = if window == self.window + 1 { self.counted } else { 0 };
            self.counted = 0;
            self.window = window;
        }
        let refreshed = self.refreshes.passed(now);
        if refreshed > self.refreshed {
            self.refreshed = refreshed;
            // Compared as `listed > threshold · expected` without rounding: floor keeps the order for whole numbers.
            if listed > self.rules.threshold.floor_of(self.expected) {
                self.expected = listed;
            }
        }
    }

    pub(crate) fn registered(&mut self) {
        if self.expected > 0 {
            self.expected += 1;
        }
    }

    pub(crate) fn deregistered(&mut self) {
        self.expected = self.expected.saturating_sub(1);
    }

    pub(crate) fn expired(&mut self) {
        if self.rules.expiry_lowers {
            self.deregistered();
        }
    }

    pub(crate) fn renewed(&mut self) {
        self.counted += 1;
    }

    /// Renewals in the last whole window.
    pub(crate) fn renewals(&self) -> u64 {
        self.counted_last
    }

    /// What the renewals of a window must exceed.
    pub(crate) fn threshold(&self) -> u64 {
        self.rules.renewal_threshold(self.expected)
    }

    /// How many leases a pass ends of `listed`, of which `ended` have run out; `None` where silence is not believed.
    pub(crate) fn evictions(&self, listed: u64, ended: u64) -> Option<u64> {
        self.rules.evictions(self.expected, self.renewals(), listed, ended)
    }
}
