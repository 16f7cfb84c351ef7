//! Memento: jump hashing that remembers who left out of turn.
//!
//! Coluzzi et al., "MementoHash: A Stateful, Minimal Memory, Best Performing Consistent Hash Algorithm"
//! (arXiv:2306.09783). While hosts come and go at the end of the list it is [`jump`] and needs no memory. A host
//! that leaves from the middle is remembered with the one that replaces it; memory and time grow with those only.

use super::{check, jump, xxh64};
use std::collections::BTreeMap;

/// What is remembered of a place that was left out of turn.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// How many places were taken right after, which is also the place that stands in for it.
    replacer: u32,
    /// The place left before this one, or the number of places if there was none.
    before: u32,
}

/// Numbered places, of which some were left; names and weights of hosts play no part.
///
/// Disruption: minimal, when any host leaves, and when one takes the place left last or, with none left, a new one.
#[derive(Clone, Debug)]
pub struct Memento {
    /// Places the jump lands on, whether taken or not.
    places: u32,
    left: BTreeMap<u32, Left>,
    /// The place left last, or `places` when none is.
    last: u32,
}

impl Memento {
    /// Gives `hosts` the places 0 to n − 1. O(n), for the check alone.
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let places = hosts.len() as u32;
        Memento { places, left: BTreeMap::new(), last: places }
    }

    /// Places that were left.
    pub fn entries(&self) -> usize {
        self.left.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.left.len() * (size_of::<u32>() + size_of::<Left>())
    }

    /// The taken place for `hash`. O(ln n) expected while nobody left out of turn; then in expectation
    /// O(ln n + ln²(places / taken)) looks at what is remembered, each logarithmic in its size.
    ///
    /// The first place is the [`jump`] of `hash`; the hash at a place left is [`xxh64`] of `hash` seeded with that
    /// place, where the authors' code seeds the hash of the key itself.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        let mut place = jump(hash, self.places);
        while let Some(left) = self.left.get(&place) {
            let among = left.replacer;
            place = (xxh64(&hash.to_le_bytes(), u64::from(place)) % u64::from(among)) as u32;
            // That place may have been left before this one was; whoever stood in for it then is meant.
            while let Some(earlier) = self.left.get(&place)
                && earlier.replacer >= among
            {
                place = earlier.replacer;
            }
        }
        place as usize
    }

    /// The host at `place` leaves. Logarithmic in the number of places left. Panics when nobody has the place, and when
    /// its host is the only one.
    pub fn remove(&mut self, place: usize) {
        let taken = self.taken() as u32;
        assert!(taken > 1, "the last host cannot leave");
        let place = u32::try_from(place).ok().filter(|p| *p < self.places && !self.left.contains_key(p));
        let place = place.expect("nobody has that place");
        if self.left.is_empty() && place == self.places - 1 {
            self.places = place;
        } else {
            self.left.insert(place, Left { replacer: taken - 1, before: self.last });
        }
        self.last = place;
    }

    /// A host takes the place left last, or a new one at the end if none is left; returns which. Logarithmic in the
    /// number of places left.
    pub fn add(&mut self) -> usize {
        let place = self.last;
        match self.left.remove(&place) {
            Some(left) => self.last = left.before,
            None => {
                self.places += 1;
                self.last = self.places;
            }
        }
        place as usize
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.places as usize - self.left.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_turn_it_is_jump_and_remembers_nothing() {
        let mut memento = Memento::new(&[("host", 1); 20]);
        memento.remove(19);
        memento.remove(18);
        assert!(memento.left.is_empty());
        for hash in (0..1000_u64).map(|i| xxh64(&i.to_le_bytes(), 0)) {
            assert_eq!(memento.lookup(hash), jump(hash, 18) as usize, "{hash}");
        }
        assert_eq!((memento.add(), memento.add(), memento.add()), (18, 19, 20));
    }

    #[test]
    #[should_panic(expected = "nobody has that place")]
    fn nobody_leaves_twice() {
        let mut memento = Memento::new(&[("host", 1); 5]);
        memento.remove(2);
        memento.remove(2);
    }
}
