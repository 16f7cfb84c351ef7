//! How long something took, in 3.5 KiB: for the many places that need a quantile and not its third digit.
//!
//! Buckets are log-linear, as in HdrHistogram with 32 steps an octave: below 32 µs (more exactly 32 · 1024 ns) every
//! bucket is 1024 ns wide; from there on each doubling is cut into 32 equal parts, so that a bucket is at most 1/32 of
//! its lower end wide. The index takes one leading-zero count and one shift.

use base::{Duration, Fingerprint, Ratio};

/// Buckets are counted in units of 2¹⁰ ns.
const UNIT_BITS: u32 = 10;
/// 2⁵ buckets an octave.
const STEP_BITS: u32 = 5;
/// Spans below 2⁴² ns (73 minutes) have a bucket; longer ones share the last.
const TOP_BITS: u32 = 42;
/// One flat octave group of 32 below 32 units, then 32 an octave.
pub(crate) const BUCKETS: usize = ((TOP_BITS - UNIT_BITS - STEP_BITS + 1) << STEP_BITS) as usize;

/// A small histogram of spans of time, of fixed size.
///
/// A quantile is never below the true one and at most 1/32 or 1024 ns above it, whichever is more, up to 73 minutes.
/// Count, mean and maximum are exact. A bucket counts to 2³² − 1 and stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    buckets: Box<[u32; BUCKETS]>,
    count: u64,
    sum_ns: u128,
    max: Duration,
}

impl Sketch {
    /// An empty sketch. Allocates all it will ever need.
    pub fn new() -> Self {
        Sketch { buckets: Box::new([0; BUCKETS]), count: 0, sum_ns: 0, max: Duration::ZERO }
    }

    /// Counts one span. No allocation; a few nanoseconds.
    #[inline]
    pub fn record(&mut self, span: Duration) {
        let bucket = &mut self.buckets[index(span)];
        *bucket = bucket.saturating_add(1);
        self.count += 1;
        self.sum_ns += u128::from(span.as_nanos());
        self.max = self.max.max(span);
    }

    /// Forgets everything, keeps the room.
    pub fn clear(&mut self) {
        // A slot of a window is cleared whenever its time comes round; most are nearly empty in a quiet run.
        if self.count > 0 {
            self.buckets.fill(0);
            (self.count, self.sum_ns, self.max) = (0, 0, Duration::ZERO);
        }
    }

    /// How many spans were recorded.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The exact mean, rounded down to a nanosecond; none when nothing was recorded.
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::ns((self.sum_ns / u128::from(self.count)) as u64))
    }

    /// The exact longest span; none when nothing was recorded.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The span that a share `p` of all spans does not pass: the ⌈p·n⌉-th shortest, rounded up to the end of its
    /// bucket but never past the longest. None when nothing was recorded. Linear in the buckets.
    pub fn quantile(&self, p: f64) -> Option<Duration> {
        quantile(std::slice::from_ref(self).iter(), p)
    }

    /// Adds everything `other` recorded.
    pub fn merge(&mut self, other: &Sketch) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets.iter()) {
            *mine = mine.saturating_add(*theirs);
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.max = self.max.max(other.max);
    }

    /// Folds everything recorded into a run's fingerprint. Linear in the buckets.
    pub fn fold(&self, into: &mut Fingerprint) {
        into.fold(self.count);
        into.fold(self.sum_ns as u64);
        into.fold(self.max.as_nanos());
        for (i, &count) in self.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
            into.fold(i as u64);
            into.fold(u64::from(count));
        }
    }

    pub(crate) const fn sum_nanos(&self) -> u128 {
        self.sum_ns
    }
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch::new()
    }
}

/// The quantile of several sketches taken as one, without adding them up first.
pub(crate) fn quantile<'a>(sketches: impl Iterator<Item = &'a Sketch> + Clone, p: f64) -> Option<Duration> {
    let count: u64 = sketches.clone().map(|sketch| sketch.count).sum();
    let max = sketches.clone().map(|sketch| sketch.max).max()?;
    if count == 0 {
        return None;
    }
    let rank = Ratio::from_f64(p).ceil_of(count).max(1);
    let mut cumulative = 0;
    for i in 0..BUCKETS - 1 {
        cumulative += sketches.clone().map(|sketch| u64::from(sketch.buckets[i])).sum::<u64>();
        if cumulative >= rank {
            return Some(end(i).min(max));
        }
    }
    // The last bucket has no end of its own, and a bucket that stopped counting leaves ranks behind.
    Some(max)
}

/// The bucket of a span.
#[inline]
fn index(span: Duration) -> usize {
    let units = span.as_nanos() >> UNIT_BITS;
    // How many bits the units have beyond the flat part; the top STEP_BITS + 1 bits then name the bucket.
    let octave = (u64::BITS - (units >> STEP_BITS).leading_zeros()).saturating_sub(1);
    let index = (u64::from(octave) << STEP_BITS) + (units >> octave);
    (index as usize).min(BUCKETS - 1)
}

/// The longest span that falls into bucket `index`.
fn end(index: usize) -> Duration {
    let index = index as u64;
    // Buckets 0..64 are one unit wide; after that the width doubles every 32.
    let octave = (index >> STEP_BITS).saturating_sub(1);
    let first = (index - (octave << STEP_BITS)) << octave;
    Duration::ns(((first + (1 << octave)) << UNIT_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_touch_and_none_is_wider_than_its_claim() {
        let mut start = 0u64;
        for i in 0..BUCKETS - 1 {
            let end = end(i).as_nanos();
            assert_eq!(index(Duration::ns(start)), i, "bucket {i} begins at {start}");
            assert_eq!(index(Duration::ns(end)), i, "bucket {i} ends at {end}");
            assert_eq!(index(Duration::ns(end + 1)), i + 1, "the next begins one nanosecond later");
            let width = end + 1 - start;
            assert!(width <= 1024.max(start / 32), "bucket {i} from {start} is {width} wide");
            start = end + 1;
        }
    }

    #[test]
    fn the_last_bucket_takes_what_is_too_long() {
        let top = 1u64 << TOP_BITS;
        assert_eq!(index(Duration::ns(top - 1)), BUCKETS - 1);
        assert_eq!(index(Duration::ns(top)), BUCKETS - 1);
        assert_eq!(index(Duration::MAX), BUCKETS - 1);
    }
}
