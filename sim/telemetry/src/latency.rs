//! How long something took, over a whole run: an HDR histogram for the quantiles, exact sums for the mean.
//!
//! Theory tests compare means with closed forms to a fraction of a percent, so the mean must not suffer from buckets:
//! the sum is kept in whole nanoseconds, in 128 bits, and no order of records changes it. The buckets are laid out as
//! in Gil Tene's HdrHistogram with three significant digits; the tests compare with the crate `hdrhistogram`, which
//! takes five times as long to record.

use crate::profile::{self, Profile};
use base::{Duration, Fingerprint, Ratio};

/// 512 ns at the least, 1024 an octave, up to 2⁴² ns (73 minutes). Longer spans are counted in the last bucket; sum and
/// maximum still know them exactly.
type Buckets = crate::buckets::Buckets<9, 10, 42>;

/// A histogram of spans of time with a fixed size of about 384 KiB.
///
/// A quantile is never below the true one and at most 1/1024 or 512 ns above it, whichever is more, up to 73 minutes.
/// Count, sum, mean, least and greatest are exact, and so is the mean of each bucket, by which a value that occurs
/// again and again is known to the nanosecond. For thousands of histograms take [`Sketch`](crate::Sketch).
#[derive(Clone, Debug)]
pub struct Latency {
    /// Count and sum in nanoseconds of each bucket. The sum wraps around after 584 years of latency in one bucket.
    buckets: Box<[[u64; 2]]>,
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
    /// Their mean, rounded down to a nanosecond.
    pub mean: Duration,
    /// How many fell into this bucket and all before it: the distribution function, times the count.
    pub cumulative: u64,
}

impl Latency {
    /// An empty histogram. Allocates all it will ever need.
    pub fn new() -> Self {
        let buckets = vec![[0; 2]; Buckets::COUNT].into_boxed_slice();
        Latency { buckets, count: 0, sum_ns: 0, min: Duration::MAX, max: Duration::ZERO }
    }

    /// Counts one span. No allocation; a few nanoseconds.
    #[inline]
    pub fn record(&mut self, span: Duration) {
        // Count and sum of a bucket lie side by side, so the sum costs no further cache line.
        let [count, sum] = &mut self.buckets[Buckets::index(span)];
        *count += 1;
        *sum = sum.wrapping_add(span.as_nanos());
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

    /// [`Latency::quantile`] at each of these shares. Linear in the buckets once, however many shares there are.
    pub fn quantiles(&self, shares: &[f64]) -> Option<Vec<Duration>> {
        let buckets: Vec<Bucket> = self.buckets().collect();
        let rank = |p: f64| Ratio::from_f64(p).ceil_of(self.count).max(1);
        let at = |p: f64| buckets[buckets.partition_point(|bucket| bucket.cumulative < rank(p))].up_to;
        (!buckets.is_empty()).then(|| shares.iter().map(|p| at(*p)).collect())
    }

    /// The buckets in use, shortest spans first: what a plot of the distribution is drawn from.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let mut cumulative = 0;
        let used = self.buckets.iter().enumerate().filter(|(_, [count, _])| *count > 0);
        used.map(move |(i, &[count, sum])| {
            cumulative += count;
            // The last bucket ends where the records end, and may hold what passed the highest bound.
            let up_to = if cumulative == self.count { self.max } else { Buckets::end(i) };
            Bucket { up_to, count, mean: Duration::ns(sum / count), cumulative }
        })
    }

    /// Adds everything `other` recorded. The result is what recording all of it here would have given.
    pub fn merge(&mut self, other: &Latency) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = [mine[0] + theirs[0], mine[1].wrapping_add(theirs[1])];
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// What was recorded, in the compact form that is kept of a run. Linear in the buckets.
    pub fn profile(&self) -> Profile {
        // Buckets without a count stand between those with one, so the neighbours of a bucket are found by its index.
        let of = |i: usize| self.buckets.get(i).map_or(0, |[count, _]| *count);
        let used = self.buckets.iter().enumerate().filter(|(_, [count, _])| *count > 0);
        let mut profile = Profile::default();
        for (i, &[count, sum]) in used {
            let around = [i.wrapping_sub(2), i.wrapping_sub(1), i + 1, i + 2].map(of).iter().sum::<u64>();
            let mean = Duration::ns(sum / count);
            if profile::is_atom(count, around, self.count) {
                profile.add_atom(mean, count);
            } else {
                profile.add(mean, count);
            }
        }
        profile
    }

    /// What was recorded here without what `part` recorded, all of which must have been recorded here too. Count, sum
    /// and mean are exact; least and greatest are known as quantiles are, to the ends of their buckets. Linear in the
    /// buckets.
    #[must_use]
    pub fn without(&self, part: &Latency) -> Latency {
        let mut rest = self.clone();
        for (mine, theirs) in rest.buckets.iter_mut().zip(&part.buckets) {
            *mine = [mine[0] - theirs[0], mine[1].wrapping_sub(theirs[1])];
        }
        rest.count -= part.count;
        rest.sum_ns -= part.sum_ns;
        let mut used = (0..rest.buckets.len()).filter(|i| rest.buckets[*i][0] > 0);
        let first = used.next();
        let last = used.next_back().or(first);
        // The last bucket has no end of its own; the others' lie within what was recorded here.
        let end = |i: usize| if i + 1 == rest.buckets.len() { self.max } else { Buckets::end(i).min(self.max) };
        rest.min = first.map_or(Duration::MAX, |i| end(i).max(self.min));
        rest.max = last.map_or(Duration::ZERO, end);
        rest
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
