//! How long something took, in 3.5 KiB: for the many places that need a quantile and not its third digit.
//!
//! Buckets are log-linear with 32 steps an octave: below 32 µs (more exactly 32 · 1024 ns) every bucket is 1024 ns
//! wide; from there on each doubling is cut into 32 equal parts.

use base::{Duration, Fingerprint, Ratio};

/// 1024 ns at the least, 32 an octave, up to 2⁴² ns (73 minutes).
type Buckets = crate::buckets::Buckets<10, 5, 42>;
const BUCKETS: usize = Buckets::COUNT;

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
        let bucket = &mut self.buckets[Buckets::index(span)];
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
            return Some(Buckets::end(i).min(max));
        }
    }
    // The last bucket has no end of its own, and a bucket that stopped counting leaves ranks behind.
    Some(max)
}
