//! Points on a circle of 64-bit positions, and the search for the next one clockwise.
//!
//! A plain binary search over a ring of 160,000 points misses the cache a dozen times. Positions are hashes, so they
//! lie evenly: the top bits of a position say to within a few places where it is in the sorted order. `starts` keeps
//! the first place for every value of those bits, and the search is left with the handful of points in between.

/// Sorted positions and who owns them.
#[derive(Clone, Debug)]
pub(super) struct Points {
    /// Ascending, never empty.
    positions: Vec<u64>,
    /// The index of the host at each position.
    owners: Vec<u32>,
    /// `starts[b]` is the place of the first position whose top bits are at least `b`; one more entry than values.
    starts: Vec<u32>,
    /// How far to shift a position right to get its top bits.
    shift: u32,
}

impl Points {
    /// Sorts `points` by position; of equal positions the one given first stays in front. O(p log p).
    pub(super) fn new(mut points: Vec<(u64, u32)>) -> Self {
        assert!(!points.is_empty(), "a circle without points has no next one");
        assert!(u32::try_from(points.len()).is_ok(), "{} points do not fit an index", points.len());
        points.sort_by_key(|(position, _)| *position);
        // Between one and two points a bucket, and at least two buckets so that the shift stays below 64.
        let bits = points.len().ilog2().clamp(1, 24);
        let shift = 64 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut place = 0;
        for bucket in 0..1_u64 << bits {
            while place < points.len() && points[place].0 >> shift < bucket {
                place += 1;
            }
            starts.push(place as u32);
        }
        starts.push(points.len() as u32);
        let (positions, owners) = points.into_iter().unzip();
        Points { positions, owners, starts, shift }
    }

    /// Drops all but the first of points at the same position.
    pub(super) fn deduplicated(points: Vec<(u64, u32)>) -> Self {
        let mut points = points;
        points.sort_by_key(|(position, _)| *position);
        points.dedup_by_key(|(position, _)| *position);
        Points::new(points)
    }

    /// The place of the first point at `position` or after it, around the circle. O(1) expected for hashes, O(log p) at
    /// worst.
    #[inline]
    pub(super) fn at_or_after(&self, position: u64) -> usize {
        let bucket = (position >> self.shift) as usize;
        let (start, end) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        let place = start + self.positions[start..end].partition_point(|&point| point < position);
        if place == self.positions.len() { 0 } else { place }
    }

    /// The place of the first point strictly after `position`, around the circle.
    #[inline]
    pub(super) fn after(&self, position: u64) -> usize {
        match position.checked_add(1) {
            Some(next) => self.at_or_after(next),
            None => 0,
        }
    }

    /// The host at `place`.
    #[inline]
    pub(super) fn owner(&self, place: usize) -> usize {
        self.owners[place] as usize
    }

    /// The position of the point at `place`.
    #[inline]
    pub(super) fn position(&self, place: usize) -> u64 {
        self.positions[place]
    }

    /// How many points there are.
    pub(super) fn len(&self) -> usize {
        self.positions.len()
    }

    /// The memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.positions.as_slice())
            + size_of_val(self.owners.as_slice())
            + size_of_val(self.starts.as_slice())
    }

    /// All points, in ascending order of position.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (u64, usize)> {
        self.positions.iter().zip(&self.owners).map(|(position, owner)| (*position, *owner as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Anywhere, and often close to where the circle closes.
    fn position() -> impl Strategy<Value = u64> {
        prop_oneof![any::<u64>(), 0_u64..20, u64::MAX - 20..=u64::MAX]
    }

    proptest! {
        #[test]
        fn the_search_finds_what_a_walk_around_the_circle_finds(
            positions in proptest::collection::vec(position(), 1..200),
            asked in proptest::collection::vec(position(), 50),
        ) {
            let points = Points::new(positions.iter().enumerate().map(|(i, p)| (*p, i as u32)).collect());
            let sorted: Vec<_> = points.iter().collect();
            for position in asked.into_iter().chain(positions) {
                let walk = sorted.iter().position(|(p, _)| *p >= position).unwrap_or(0);
                prop_assert_eq!(points.at_or_after(position), walk);
                let walk = sorted.iter().position(|(p, _)| *p > position).unwrap_or(0);
                prop_assert_eq!(points.after(position), walk);
            }
        }
    }

    #[test]
    fn equal_positions_keep_the_order_they_were_given_in() {
        let points = Points::new(vec![(7, 2), (7, 0), (3, 1)]);
        assert_eq!(points.iter().collect::<Vec<_>>(), [(3, 1), (7, 2), (7, 0)]);
        let points = Points::deduplicated(vec![(7, 2), (7, 0), (3, 1)]);
        assert_eq!(points.iter().collect::<Vec<_>>(), [(3, 1), (7, 2)]);
    }
}
