//! Multi-probe: hosts at one point of the circle each, keys at many.
//!
//! Appleton and O'Reilly, "Multi-Probe Consistent Hashing" (arXiv:1505.00062). Instead of many points a host, as a
//! [ring](super::Ring) has, the key is hashed several times, and of all next points clockwise the nearest has it.
//! Memory is one point a host; with 21 probes and many hosts, none expects more than 1.05 times the average. Only the
//! peak is bounded: hosts that came to lie close behind another stay light.

use super::points::{Points, Unplaced};
use super::{check, xxh64};

/// Points of hosts on a circle of 64-bit hashes, one each; weights play no part.
///
/// Disruption: minimal, on any change of hosts.
#[derive(Clone, Debug)]
pub struct MultiProbe {
    points: Points,
    probes: u32,
}

impl MultiProbe {
    /// The number of probes at which the paper promises a peak of 1.05 times the average.
    pub const PROBES: u32 = 21;

    /// Places each of `hosts` at the [`xxh64`] of its name, for lookups with `probes` probes. O(n) expected. Panics when
    /// there are no probes.
    pub fn new(hosts: &[(&str, u32)], probes: u32) -> Self {
        MultiProbe::placed(hosts, probes, |host| xxh64(host, 0))
    }

    /// Like [`MultiProbe::new`] with the hash function of your choice to place hosts by.
    pub fn placed(hosts: &[(&str, u32)], probes: u32, place: impl Fn(&[u8]) -> u64) -> Self {
        check(hosts);
        assert!(probes > 0, "a key without probes has no place");
        let mut points = Unplaced::new(hosts.len());
        hosts.iter().zip(0..).for_each(|((host, _), index)| points.push(place(host.as_bytes()), index));
        MultiProbe { points: Points::new(points), probes }
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes()
    }

    /// A host comes, to be known by `index`, at `position`: for [`MultiProbe::new`] the [`xxh64`] of its name. O(1)
    /// expected, over many.
    pub fn insert(&mut self, index: usize, position: u64) {
        self.points.insert(position, index as u32);
    }

    /// The host known by `index` leaves from `position`. O(1) expected. Panics when it is not there, or is the last one.
    pub fn remove(&mut self, index: usize, position: u64) {
        assert!(self.points.remove(position, index as u32), "host {index} is not there, or the last one");
    }

    /// The host for `hash`: [`MultiProbe::lookup_pair`] of it and of its [`xxh64`]. O(probes) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.lookup_pair(hash, xxh64(&hash.to_le_bytes(), 0))
    }

    /// The host nearest after any of the probes `first + i · second`, i below the number of probes; the earlier probe
    /// if two are as near.
    ///
    /// The double hashing of dgryski/go-mpchash, where the two are hashes of the key under two seeds. O(probes)
    /// expected.
    #[inline]
    pub fn lookup_pair(&self, first: u64, second: u64) -> usize {
        let mut nearest = (u64::MAX, u32::MAX);
        let mut probe = first;
        for _ in 0..self.probes {
            nearest = self.points.nearer(probe, nearest);
            probe = probe.wrapping_add(second);
        }
        if nearest.0 == u64::MAX {
            // All are as far as can be, as on a circle of one point.
            return self.points.owner(self.points.after(first));
        }
        nearest.1 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hasher as _;

    /// SipHash-2-4 under the key (seed, 0).
    #[expect(deprecated, reason = "the one SipHash-2-4 there is in the standard library; its successor is SipHash-1-3")]
    fn siphash(bytes: &[u8], seed: u64) -> u64 {
        let mut hasher = std::hash::SipHasher::new_with_keys(seed, 0);
        hasher.write(bytes);
        hasher.finish()
    }

    #[test]
    fn keys_belong_to_the_shards_that_go_mpchash_gives_them() {
        // dgryski/go-mpchash compat_test.go: hosts shard-1 to shard-6000, keys of the same names, SipHash with seeds 0
        // for hosts, 1 and 2 for keys, 21 probes. The numbers are the first lines of testdata/compat.out.
        let expected = [
            1389, 4257, 4744, 4613, 3027, 1872, 3565, 5494, 5517, 3009, 163, 2061, 5627, 787, 2917, 2329, 3737, 4750,
            1660, 21, 1366, 1272, 4159, 1618, 4896, 4910, 5081, 1226, 3892, 4977, 5505, 5104, 191, 832, 506, 1837, 204,
            4552, 4607, 3523, 4750, 4014, 4456, 4186, 3501, 2382, 4354, 4931, 2775, 4886, 5791, 278, 5901, 3105, 1823,
            3457, 4623, 4784, 4744, 1061, 2856, 1127, 4946, 722, 3409, 4809, 4346, 1127, 5228, 299, 4997, 1586, 2476,
            1509, 3597, 4192, 5996, 1132, 2853, 931, 4520, 4648, 4909, 1099, 4248, 3909, 4165, 374, 4978, 54, 2086,
            4740, 2554, 4441, 3271, 5023, 781, 3746, 3215, 4548,
        ];
        let names: Vec<_> = (1..=6000).map(|i| format!("shard-{i}")).collect();
        let hosts: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let multi = MultiProbe::placed(&hosts, MultiProbe::PROBES, |host| siphash(host, 0));
        for (key, shard) in names.iter().zip(expected) {
            let host = multi.lookup_pair(siphash(key.as_bytes(), 1), siphash(key.as_bytes(), 2));
            assert_eq!(names[host], format!("shard-{shard}"), "{key}");
        }
    }
}
