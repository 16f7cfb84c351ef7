//! How long something took, over a whole run: an HDR histogram for the quantiles, exact sums for the mean.
//!
//! Theory tests compare means with closed forms to a fraction of a percent, so the mean must not suffer from buckets:
//! the sum is kept in whole nanoseconds, in 128 bits, and no order of records changes it. The buckets are those of
//! Gil Tene's HdrHistogram (crate `hdrhistogram`) with three significant digits.

use base::{Duration, Fingerprint, Ratio};
use hdrhistogram::Histogram;

/// The grain of the shortest spans, a microsecond: below it, buckets are 512 ns wide.
const LOWEST_NS: u64 = 1_000;
/// One hour. Longer spans are counted in the last bucket; sum and maximum still know them exactly.
const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Three significant digits: a bucket is at most a thousandth of its value wide.
const DIGITS: u8 = 3;

/// A histogram of spans of time with a fixed size of about 192 KiB.
///
/// A quantile is never below the true one and at most 1/1024 or 512 ns above it, whichever is more, up to one hour.
/// Count, sum, mean, least and greatest are exact. For thousands of histograms take [`Sketch`](crate::Sketch).
#[derive(Clone, Debug)]
pub struct Latency {
    histogram: Histogram<u64>,
    count: u64,
    sum_ns: u128,
    min: Duration,
    max: Duration,
}

/// One bucket of a [`Latency`] in which something was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The longest span that falls into it.
    pub up_to: Duration,
    /// How many did.
    pub count: u64,
    /// How many fell into this bucket and all before it: the distribution function, times the count.
    pub cumulative: u64,
}

impl Latency {
    /// An empty histogram. Allocates all it will ever need.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("the bounds are constants");
        Latency { histogram, count: 0, sum_ns: 0, min: Duration::MAX, max: Duration::ZERO }
    }

    /// Counts one span. No allocation; a few nanoseconds.
    #[inline]
    pub fn record(&mut self, span: Duration) {
        self.histogram.saturating_record(span.as_nanos());
        self.count += 1;
        self.sum_ns += u128::from(span.as_nanos());
        self.min = self.min.min(span);
        self.max = self.max.max(span);
    }

    /// How many spans were recorded.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The exact sum of all spans, in nanoseconds.
    pub const fn sum_nanos(&self) -> u128 {
        self.sum_ns
    }

    /// The exact mean, rounded down to a nanosecond; none when nothing was recorded.
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::ns((self.sum_ns / u128::from(self.count)) as u64))
    }

    /// The exact shortest span; none when nothing was recorded.
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.min)
    }

    /// The exact longest span; none when nothing was recorded.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The span that a share `p` of all spans does not pass: the ⌈p·n⌉-th shortest, rounded up to the end of its
    /// bucket but never past the longest. None when nothing was recorded. Linear in the buckets.
    ///
    /// `p` is taken to the nearest billionth and held to `0 ..= 1`; zero is the first bucket in use.
    pub fn quantile(&self, p: f64) -> Option<Duration> {
        let rank = Ratio::from_f64(p).ceil_of(self.count).max(1);
        let bucket = self.buckets().find(|bucket| bucket.cumulative >= rank)?;
        Some(bucket.up_to)
    }

    /// The buckets in use, shortest spans first: what a plot of the distribution is drawn from.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let mut cumulative = 0;
        self.histogram.iter_recorded().map(move |step| {
            cumulative += step.count_since_last_iteration();
            // The last bucket ends where the records end, and may hold what passed the highest bound.
            let up_to = if cumulative == self.count { self.max } else { Duration::ns(step.value_iterated_to()) };
            Bucket { up_to, count: step.count_since_last_iteration(), cumulative }
        })
    }

    /// Adds everything `other` recorded. The result is what recording all of it here would have given.
    pub fn merge(&mut self, other: &Latency) {
        self.histogram.add(&other.histogram).expect("all histograms have the same bounds");
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Folds everything recorded into a run's fingerprint. Linear in the buckets.
    pub fn fold(&self, into: &mut Fingerprint) {
        into.fold(self.count);
        into.fold(self.sum_ns as u64);
        into.fold((self.sum_ns >> 64) as u64);
        for bucket in self.buckets() {
            into.fold(bucket.up_to.as_nanos());
            into.fold(bucket.count);
        }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Latency::new()
    }
}
