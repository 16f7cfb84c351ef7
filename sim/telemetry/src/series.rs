//! How it went over time: a run cut into steps of equal length, for the plots of a report.
//!
//! The number of steps is given up front, so memory does not grow with simulated time. What happens before the
//! first step belongs to the first, what happens after the last to the last: a drain at the end of a run loses nothing,
//! and sums over a series equal the totals of the run.

use crate::Sketch;
use base::{Duration, Fingerprint, Instant};

/// Where the steps of a series lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    start: Instant,
    step: Duration,
    steps: usize,
}

impl Axis {
    /// `steps` steps of length `step` from `start`. Panics when there are none or they take no time.
    pub fn new(start: Instant, step: Duration, steps: usize) -> Self {
        assert!(!step.is_zero() && steps > 0, "an axis needs steps that take time, got {steps} of {step}");
        Axis { start, step, steps }
    }

    /// `steps` steps that cover `length` from `start`; the last may reach a little beyond.
    pub fn covering(start: Instant, length: Duration, steps: usize) -> Self {
        let step = Duration::ns(length.as_nanos().div_ceil(steps.max(1) as u64).max(1));
        Axis::new(start, step, steps)
    }

    /// The step `at` falls into, held to the first and the last.
    #[inline]
    pub fn index(&self, at: Instant) -> usize {
        let step = at.saturating_since(self.start).as_nanos() / self.step.as_nanos();
        (step as usize).min(self.steps - 1)
    }

    /// When step `index` begins.
    pub fn begins(&self, index: usize) -> Instant {
        self.start.saturating_add(self.step.saturating_mul(index as u64))
    }

    /// How long a step is.
    pub const fn step(&self) -> Duration {
        self.step
    }

    /// How many there are.
    pub const fn steps(&self) -> usize {
        self.steps
    }
}

/// The step that was recorded in last: most records fall into the same step as the one before, and need no division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    index: usize,
    begins: Instant,
}

impl Place {
    const fn first(axis: &Axis) -> Self {
        Place { index: 0, begins: axis.start }
    }

    #[inline]
    fn of(&mut self, at: Instant, axis: &Axis) -> usize {
        // Below the beginning the difference wraps to something longer than any step.
        if at.as_nanos().wrapping_sub(self.begins.as_nanos()) >= axis.step.as_nanos() {
            self.index = axis.index(at);
            self.begins = axis.begins(self.index);
        }
        self.index
    }
}

/// Counts over time, eight bytes a step.
#[derive(Clone, Debug)]
pub struct Series {
    axis: Axis,
    place: Place,
    counts: Vec<u64>,
}

impl Series {
    /// Nothing counted anywhere on `axis`.
    pub fn new(axis: Axis) -> Self {
        Series { axis, place: Place::first(&axis), counts: vec![0; axis.steps] }
    }

    /// Counts `n` in the step of `at`. No allocation; a division when the step changes.
    #[inline]
    pub fn add(&mut self, at: Instant, n: u64) {
        self.counts[self.place.of(at, &self.axis)] += n;
    }

    /// Raises the step of `at` to `level` if it is lower: a gauge of which a plot shows the peak.
    #[inline]
    pub fn raise(&mut self, at: Instant, level: u64) {
        let step = &mut self.counts[self.place.of(at, &self.axis)];
        *step = (*step).max(level);
    }

    /// What was counted, step by step.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// What was counted in all steps together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Where the steps lie.
    pub const fn axis(&self) -> Axis {
        self.axis
    }

    /// Folds all counts into a run's fingerprint.
    pub fn fold(&self, into: &mut Fingerprint) {
        self.counts.iter().for_each(|&count| into.fold(count));
    }
}

/// Latencies over time, a [`Sketch`] a step: 200 steps take 700 KiB, so keep one for a service, not one for an
/// instance.
#[derive(Clone, Debug)]
pub struct LatencySeries {
    axis: Axis,
    place: Place,
    sketches: Vec<Sketch>,
}

impl LatencySeries {
    /// Nothing recorded anywhere on `axis`. Allocates all it will ever need.
    pub fn new(axis: Axis) -> Self {
        LatencySeries { axis, place: Place::first(&axis), sketches: vec![Sketch::new(); axis.steps] }
    }

    /// Counts one span in the step of `at`. No allocation; a few nanoseconds, and a division when the step changes.
    #[inline]
    pub fn record(&mut self, at: Instant, span: Duration) {
        let step = self.place.of(at, &self.axis);
        self.sketches[step].record(span);
    }

    /// The sketch of every step: its count, mean, quantiles and maximum.
    pub fn sketches(&self) -> &[Sketch] {
        &self.sketches
    }

    /// Where the steps lie.
    pub const fn axis(&self) -> Axis {
        self.axis
    }

    /// Folds all sketches into a run's fingerprint.
    pub fn fold(&self, into: &mut Fingerprint) {
        self.sketches.iter().for_each(|sketch| sketch.fold(into));
    }
}
