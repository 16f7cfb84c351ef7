//! A distribution of spans after a run: small enough to be kept for every run of a study, and exact where it matters.
//!
//! Bins are log-linear with 256 to an octave, within which values count as evenly spread: with linear interpolation a
//! smooth distribution keeps its quantiles to about 1e-5 of themselves. A value that occurs again and again, such as a
//! timeout, is an atom and is kept to the nanosecond beside the bins, because interpolation would smear it. Profiles of
//! several runs have equal bins, so they add up to the profile of all of them.

use base::Duration;

/// 2048 ns at the least, 256 an octave, up to 2⁴² ns (73 minutes); longer spans share one more bin.
type Bins = crate::buckets::Buckets<11, 8, 42>;

/// The distribution of the spans of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Bins in use and how many spans fell into each, without those of the atoms, by rising bin.
    pub bins: Vec<(u32, u64)>,
    /// Values that occur again and again, and how often, by rising value.
    pub atoms: Vec<(Duration, u64)>,
}

/// Whether a bucket of the full histogram with `count` of `total` spans, and `around` of them in the four buckets
/// beside it, holds one value that occurs again and again: at least a thousandth of all, and three times the mean of
/// its neighbours.
pub(crate) fn is_atom(count: u64, around: u64, total: u64) -> bool {
    count >= 8 && count >= total / 1000 && count * 4 > around * 3
}

impl Profile {
    /// How many bins there can be; every index is less.
    pub const BINS: u32 = Bins::COUNT as u32;

    /// The shortest span of a bin and the longest, in nanoseconds. The last bin, which has no end, is as wide as the
    /// one before it.
    pub fn bounds(bin: u32) -> (u64, u64) {
        let end = |bin: u32| Bins::end(bin as usize).as_nanos();
        let from = if bin == 0 { 0 } else { end(bin - 1) + 1 };
        let up_to = if bin + 1 < Self::BINS { end(bin) } else { from + (from - Self::bounds(bin - 1).0) };
        (from, up_to)
    }

    /// Adds spans of about one length; lengths must not fall from call to call.
    pub(crate) fn add(&mut self, span: Duration, count: u64) {
        let bin = Bins::index(span) as u32;
        match self.bins.last_mut() {
            Some((last, n)) if *last == bin => *n += count,
            _ => self.bins.push((bin, count)),
        }
    }

    /// Adds spans of one length; lengths must rise from call to call.
    pub(crate) fn add_atom(&mut self, span: Duration, count: u64) {
        self.atoms.push((span, count));
    }

    /// How many spans there are.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|(_, n)| n).chain(self.atoms.iter().map(|(_, n)| n)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Latency;

    #[test]
    fn bins_touch_and_hold_what_falls_into_them() {
        let mut from = 0;
        for bin in 0..Profile::BINS {
            let bounds = Profile::bounds(bin);
            assert_eq!(bounds.0, from, "bin {bin}");
            for ns in [bounds.0, bounds.1] {
                assert_eq!(Bins::index(Duration::ns(ns)) as u32, bin);
            }
            from = bounds.1 + 1;
        }
    }

    #[test]
    fn a_value_that_occurs_again_and_again_is_kept_to_the_nanosecond() {
        let mut latency = Latency::new();
        for i in 0..10_000u64 {
            latency.record(Duration::us(3 * i));
        }
        for _ in 0..2_000 {
            latency.record(Duration::ns(60_000_001));
        }
        let profile = latency.profile();
        assert_eq!(profile.atoms, [(Duration::ns(60_000_001), 2_000)]);
        assert_eq!(profile.count(), 12_000);
        assert!(profile.bins.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(Latency::new().profile(), Profile::default());
    }

    #[test]
    fn what_is_longer_than_all_bins_is_in_the_last() {
        let mut latency = Latency::new();
        latency.record(Duration::MAX);
        assert_eq!(latency.profile().bins, [(Profile::BINS - 1, 1)]);
    }
}
