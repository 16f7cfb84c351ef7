//! Anchor: a consistent hash for hosts that leave from anywhere, within a capacity set beforehand.
//!
//! Mendelson et al., "AnchorHash: A Scalable Consistent Hash" (arXiv:1812.09674). A key is hashed to one of all places,
//! taken or not. At a place that was left it is hashed again, to the places that were taken right after that one was
//! left, and so on back in time until it comes upon one that is taken now. The history is kept as a stack: who comes
//! takes the place left last.

use super::check;

/// Places up to a capacity, of which some are taken; names and weights of hosts play no part.
///
/// Disruption: minimal, when any host leaves and when one takes the place left last.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// A of the paper: zero for a place that is taken, else how many were right after this one was left.
    taken_after: Vec<u32>,
    /// W: the first `taken` entries are the places that are taken.
    working: Vec<u32>,
    /// L: where each place is, or was last, in `working`.
    last: Vec<u32>,
    /// K: the place that stood in for each place when it was left.
    successor: Vec<u32>,
    /// R: the places left, latest last.
    left: Vec<u32>,
}

impl Anchor {
    /// Gives `hosts` the places 0 to n − 1 of `capacity`. O(capacity). Panics when the hosts are more than that.
    pub fn new(hosts: &[(&str, u32)], capacity: u32) -> Self {
        check(hosts);
        assert!(hosts.len() <= capacity as usize, "{} hosts do not fit a capacity of {capacity}", hosts.len());
        let places: Vec<u32> = (0..capacity).collect();
        let mut anchor = Anchor {
            taken_after: vec![0; places.len()],
            working: places.clone(),
            last: places.clone(),
            successor: places,
            left: Vec::with_capacity(capacity as usize),
        };
        // The places nobody has had yet count as left in descending order, as in the paper.
        for place in (hosts.len()..capacity as usize).rev() {
            anchor.remove(place);
        }
        anchor
    }

    /// Places, taken or not.
    pub fn entries(&self) -> usize {
        self.taken_after.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let tables = [&self.taken_after, &self.working, &self.last, &self.successor, &self.left];
        size_of::<Self>() + tables.iter().map(|table| size_of_val(table.as_slice())).sum::<usize>()
    }

    /// The taken place for `hash`. O((1 + ln(capacity / taken))²) expected.
    ///
    /// The paper leaves the family of hash functions open. Here the first place is the lower half of `hash`, exclusive
    /// or the upper half, as a fraction of the capacity; and the hash at a place left is that of a mixture of `hash`
    /// and the place, as a fraction of those that were taken: multiplications where a remainder would be a division.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        let mut place = share(hash ^ (hash >> 32), self.taken_after.len() as u32);
        while self.taken_after[place] > 0 {
            let among = self.taken_after[place];
            let mut next = share(mixture(hash, place as u64), among);
            // That place may have been left before this one was; whoever stood in for it then is meant.
            while self.taken_after[next] >= among {
                next = self.successor[next] as usize;
            }
            place = next;
        }
        place
    }

    /// The host at `place` leaves. O(1). Panics when nobody has the place, and when its host is the only one.
    pub fn remove(&mut self, place: usize) {
        assert!(self.taken_after[place] == 0, "nobody has place {place}");
        let taken = self.taken() - 1;
        assert!(taken > 0, "the last host cannot leave");
        self.left.push(place as u32);
        let successor = self.working[taken];
        self.taken_after[place] = taken as u32;
        self.working[self.last[place] as usize] = successor;
        self.last[successor as usize] = self.last[place];
        self.successor[place] = successor;
    }

    /// A host takes the place left last, which is returned; `None` when all are taken. O(1).
    pub fn add(&mut self) -> Option<usize> {
        let taken = self.taken();
        let place = self.left.pop()?;
        let index = place as usize;
        self.taken_after[index] = 0;
        self.last[self.working[taken] as usize] = taken as u32;
        self.working[self.last[index] as usize] = place;
        self.successor[index] = place;
        Some(index)
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.taken_after.len() - self.left.len()
    }
}

/// The lower half of `hash` as a fraction of 2³², of `range`.
#[inline]
fn share(hash: u64, range: u32) -> usize {
    ((u64::from(hash as u32) * u64::from(range)) >> 32) as usize
}

/// A hash of both, by the steps of Pelle Evensen's rrmxmx up to the upper half of its bits.
#[inline]
fn mixture(hash: u64, place: u64) -> u64 {
    let mut bits = hash ^ place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits.rotate_right(49) ^ bits.rotate_right(24)).wrapping_mul(0x9fb2_1c65_1e98_df25);
    bits ^= bits >> 28;
    bits.wrapping_mul(0x9fb2_1c65_1e98_df25) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrays_are_those_of_the_papers_example() {
        // wdamron/go-anchorhash anchor_test.go, TestAnchor, after figure 2(d) and examples 13 to 15 of the paper.
        let mut anchor = Anchor::new(&[("host", 1); 7], 7);
        anchor.remove(6);
        anchor.remove(5);
        anchor.remove(1);
        assert_eq!(anchor.working, [0, 4, 2, 3, 4, 5, 6]);
        assert_eq!(anchor.last, [0, 1, 2, 3, 1, 5, 6]);
        anchor.remove(0);
        assert_eq!(anchor.successor, [3, 4, 2, 3, 4, 5, 6]);
        assert_eq!([(); 5].map(|()| anchor.add()), [Some(0), Some(1), Some(5), Some(6), None]);
        for array in [&anchor.working, &anchor.last, &anchor.successor] {
            assert_eq!(*array, [0, 1, 2, 3, 4, 5, 6]);
        }
    }

    #[test]
    #[should_panic(expected = "the last host cannot leave")]
    fn the_last_host_stays() {
        Anchor::new(&[("a", 1)], 4).remove(0);
    }
}
