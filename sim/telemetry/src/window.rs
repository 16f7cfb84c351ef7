//! How it went lately: successes, failures and latencies of the last seconds, as a canary's judge asks for them.
//!
//! Time is cut into slots of equal width, kept in a ring. A question about the last `window` takes whole slots: those
//! that hold any moment after `now - window`, up to the slot of `now`. It may therefore reach back up to one slot width
//! further than asked, and is exact when `now - window` is where a slot ends. Prometheus' `rate(…[10s])` over scrapes
//! has the same grain.
//!
//! A slot belongs to one stretch of the clock. When the clock steps back, a slot that holds a later stretch is taken
//! over by the earlier one as soon as something is recorded there: the window belongs to the clock as it stands.

use crate::Sketch;
use crate::sketch;
use base::{Duration, Fingerprint, Instant, Ratio};

/// A sliding window of outcomes.
#[derive(Clone, Debug)]
pub struct SuccessWindow {
    width: Duration,
    slots: Vec<Slot>,
    /// The slot that was recorded in last, and the nanosecond at which its stretch begins: most records fall into the
    /// same slot as the one before, and need no division.
    last: usize,
    begins: u64,
}

#[derive(Clone, Debug)]
struct Slot {
    /// Which stretch of the clock this slot holds at present: it begins at `stretch * width`.
    stretch: u64,
    counts: Counts,
    latency: Sketch,
}

/// Outcomes in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many succeeded.
    pub ok: u64,
    /// How many failed.
    pub failed: u64,
}

impl Counts {
    /// All of them.
    pub const fn total(self) -> u64 {
        self.ok + self.failed
    }

    /// The share that succeeded, to the nearest billionth; none when there was nothing.
    pub fn success(self) -> Option<Ratio> {
        (self.total() > 0).then(|| Ratio::of(self.ok, self.total()))
    }
}

impl SuccessWindow {
    /// A window that can answer for the last `longest`, to the grain of `width`. Takes a [`Sketch`] for each
    /// `width` in `longest`, and one more. Panics when `width` is zero.
    pub fn new(longest: Duration, width: Duration) -> Self {
        assert!(!width.is_zero(), "a slot must last some time");
        // A window that ends inside a slot also begins inside one.
        let slots = longest.as_nanos().div_ceil(width.as_nanos()) as usize + 1;
        let slot = Slot { stretch: 0, counts: Counts::default(), latency: Sketch::new() };
        SuccessWindow { width, slots: vec![slot; slots], last: 0, begins: 0 }
    }

    /// Counts one outcome that took `latency`. No allocation; a few nanoseconds, and a few hundred when a slot begins.
    #[inline]
    pub fn record(&mut self, now: Instant, ok: bool, latency: Duration) {
        // Below the beginning the difference wraps to something longer than any width.
        if now.as_nanos().wrapping_sub(self.begins) >= self.width.as_nanos() {
            self.turn_to(now);
        }
        let slot = &mut self.slots[self.last];
        slot.counts.ok += u64::from(ok);
        slot.counts.failed += u64::from(!ok);
        slot.latency.record(latency);
    }

    /// What ended in the last `window`, in whole slots. A window longer than this was made for is cut to that.
    /// Linear in the slots.
    pub fn since(&self, now: Instant, window: Duration) -> Counts {
        self.live(now, window).fold(Counts::default(), |sum, slot| Counts {
            ok: sum.ok + slot.counts.ok,
            failed: sum.failed + slot.counts.failed,
        })
    }

    /// The latency that a share `p` of the last `window` does not pass, successes and failures alike, with the bounds
    /// of [`Sketch::quantile`]; none when nothing ended. Slots times buckets: for a judge's tick, not for a request.
    pub fn quantile(&self, now: Instant, window: Duration, p: f64) -> Option<Duration> {
        sketch::quantile(self.live(now, window).map(|slot| &slot.latency), p)
    }

    /// The exact mean latency of the last `window`; none when nothing ended. Linear in the slots.
    pub fn mean(&self, now: Instant, window: Duration) -> Option<Duration> {
        let count: u64 = self.live(now, window).map(|slot| slot.latency.count()).sum();
        let sum: u128 = self.live(now, window).map(|slot| slot.latency.sum_nanos()).sum();
        (count > 0).then(|| Duration::ns((sum / u128::from(count)) as u64))
    }

    /// Folds everything still held into a run's fingerprint.
    pub fn fold(&self, into: &mut Fingerprint) {
        for slot in &self.slots {
            into.fold(slot.stretch);
            into.fold(slot.counts.ok);
            into.fold(slot.counts.failed);
            slot.latency.fold(into);
        }
    }

    /// Makes the slot of `now` the one that is recorded in.
    #[cold]
    fn turn_to(&mut self, now: Instant) {
        let stretch = now.as_nanos() / self.width.as_nanos();
        self.last = (stretch % self.slots.len() as u64) as usize;
        self.begins = stretch * self.width.as_nanos();
        let slot = &mut self.slots[self.last];
        if slot.stretch != stretch {
            slot.stretch = stretch;
            slot.counts = Counts::default();
            slot.latency.clear();
        }
    }

    fn live(&self, now: Instant, window: Duration) -> impl Iterator<Item = &Slot> + Clone {
        let last = now.as_nanos() / self.width.as_nanos();
        // The first nanosecond that counts is the one after `now - window`; a run's first moment counts always.
        let start = now.as_nanos().checked_sub(window.as_nanos()).map_or(0, |ns| ns + 1);
        let oldest = (last + 1).saturating_sub(self.slots.len() as u64);
        let first = (start / self.width.as_nanos()).max(oldest);
        self.slots.iter().filter(move |slot| (first..=last).contains(&slot.stretch))
    }
}
