//! Log-linear buckets: where a span falls, and where a bucket ends.
//!
//! The layout is HdrHistogram's (Gil Tene): a flat part of `2^STEP` buckets of `2^UNIT` ns each, and from there on
//! every doubling is cut into `2^STEP` equal parts, so that a bucket is at most `2^−STEP` of its lower end wide.
//! Recording is in the path of every request, and an index takes one count of leading zeros and two shifts.

use base::Duration;

/// Buckets of `2^UNIT` ns at the least, `2^STEP` of them an octave, up to `2^TOP` ns; longer spans
/// share one more, the last.
pub(crate) struct Buckets<const UNIT: u32, const STEP: u32, const TOP: u32>;

impl<const UNIT: u32, const STEP: u32, const TOP: u32> Buckets<UNIT, STEP, TOP> {
    /// How many there are: one flat group, one group for each octave, and the bucket of what is too long.
    pub(crate) const COUNT: usize = ((TOP - UNIT - STEP + 1) << STEP) as usize + 1;

    /// The bucket of a span.
    #[inline]
    pub(crate) fn index(span: Duration) -> usize {
        let units = span.as_nanos() >> UNIT;
        // How many bits the units have beyond the flat part; the top STEP + 1 bits then name the bucket.
        let octave = (u64::BITS - (units >> STEP).leading_zeros()).saturating_sub(1);
        let index = (u64::from(octave) << STEP) + (units >> octave);
        (index as usize).min(Self::COUNT - 1)
    }

    /// The longest span that falls into bucket `index`.
    pub(crate) fn end(index: usize) -> Duration {
        let index = index as u64;
        // The first two groups have buckets of one unit; after that the width doubles with each group.
        let octave = (index >> STEP).saturating_sub(1);
        let first = (index - (octave << STEP)) << octave;
        Duration::ns(((first + (1 << octave)) << UNIT) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch<const UNIT: u32, const STEP: u32, const TOP: u32>() {
        let mut start = 0u64;
        for i in 0..Buckets::<UNIT, STEP, TOP>::COUNT - 1 {
            let end = Buckets::<UNIT, STEP, TOP>::end(i).as_nanos();
            let index = |ns| Buckets::<UNIT, STEP, TOP>::index(Duration::ns(ns));
            assert_eq!(index(start), i, "bucket {i} begins at {start}");
            assert_eq!(index(end), i, "bucket {i} ends at {end}");
            assert_eq!(index(end + 1), i + 1, "the next begins one nanosecond later");
            let width = end + 1 - start;
            assert!(width <= (1 << UNIT).max(start >> STEP), "bucket {i} from {start} is {width} wide");
            start = end + 1;
        }
    }

    #[test]
    fn buckets_touch_and_none_is_wider_than_its_claim() {
        touch::<10, 5, 42>();
        touch::<9, 10, 42>();
    }

    #[test]
    fn the_last_bucket_takes_what_is_too_long_and_nothing_else() {
        type Small = Buckets<10, 5, 42>;
        for span in [Duration::ns(1 << 42), Duration::MAX] {
            assert_eq!(Small::index(span), Small::COUNT - 1);
        }
        assert_eq!(Small::end(Small::COUNT - 2), Duration::ns((1 << 42) - 1), "the last octave ends at the bound");
    }
}
