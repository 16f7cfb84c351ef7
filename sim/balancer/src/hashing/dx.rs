//! Dx: keys try places in a random order of their own until one is taken.
//!
//! Dong and Wang, "DxHash: A Scalable Consistent Hash Based on the Pseudo-Random Sequence" (arXiv:2107.07930). A bit
//! for each place says whether it is taken; a key goes through its own endless sequence of places to the first that is.
//! Who leaves sends only its own keys on, and whoever takes a place gets those that came by.

use super::check;

/// Places, a power of two of them, of which some are taken; names and weights of hosts play no part.
///
/// Disruption: minimal, when any host leaves and when one takes any place.
#[derive(Clone, Debug)]
pub struct Dx {
    taken: Vec<bool>,
    /// The places not taken, the next to be filled last.
    free: Vec<u32>,
}

impl Dx {
    /// Gives `hosts` the places 0 to n − 1 of `capacity`, which is raised to a power of two. O(capacity). Panics when
    /// the hosts are more than that.
    pub fn new(hosts: &[(&str, u32)], capacity: u32) -> Self {
        check(hosts);
        assert!(hosts.len() <= capacity as usize, "{} hosts do not fit a capacity of {capacity}", hosts.len());
        let capacity = capacity.next_power_of_two();
        Dx {
            taken: (0..capacity as usize).map(|place| place < hosts.len()).collect(),
            free: (hosts.len() as u32..capacity).rev().collect(),
        }
    }

    /// Places, taken or not.
    pub fn entries(&self) -> usize {
        self.taken.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.taken.as_slice()) + size_of_val(self.free.as_slice())
    }

    /// The first taken place in the sequence of `hash`. O(capacity / taken) expected.
    ///
    /// The sequence is SplitMix64 from the state `hash` on, of which the lower bits say the place; the paper leaves the
    /// generator open. It runs through every 64-bit number before it repeats, so it always ends.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        let mask = self.taken.len() - 1;
        let mut state = hash;
        loop {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let place = (bits ^ (bits >> 31)) as usize & mask;
            if self.taken[place] {
                return place;
            }
        }
    }

    /// The host at `place` leaves. O(1). Panics when nobody has the place, and when its host is the only one.
    pub fn remove(&mut self, place: usize) {
        assert!(self.taken[place], "nobody has place {place}");
        assert!(self.taken() > 1, "the last host cannot leave");
        self.taken[place] = false;
        self.free.push(place as u32);
    }

    /// A host takes the place left last, which is returned; `None` when all are taken. O(1).
    pub fn add(&mut self) -> Option<usize> {
        let place = self.free.pop()? as usize;
        self.taken[place] = true;
        Some(place)
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.taken.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_splitmix64() {
        // Vigna's splitmix64.c from the state 1234567: first number 6457827717110365317 (also in Rosetta Code's task).
        let full = Dx::new(&[("host", 1); 1 << 16], 1 << 16);
        assert_eq!(full.lookup(1_234_567), (6_457_827_717_110_365_317_u64 & 0xffff) as usize);
        // With that place left, the second one: 3203168211198807973.
        let mut without = full.clone();
        without.remove(full.lookup(1_234_567));
        assert_eq!(without.lookup(1_234_567), (3_203_168_211_198_807_973_u64 & 0xffff) as usize);
    }

    #[test]
    fn a_full_house_takes_nobody() {
        let mut dx = Dx::new(&[("host", 1); 3], 3);
        assert_eq!([dx.add(), dx.add()], [Some(3), None], "three are raised to four");
    }
}
