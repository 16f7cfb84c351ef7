//! Multi-probe: hosts at one point of the circle each, keys at many.
//!
//! Appleton and O'Reilly, "Multi-Probe Consistent Hashing" (arXiv:1505.00062). Instead of many points a host, as a
//! [ring](super::Ring) has, the key is hashed several times, and of all next points clockwise the nearest has it.
//! Memory is one point a host; with 21 probes and many hosts, none expects more than 1.05 times the average. Only the
//! peak is bounded: hosts that came to lie close behind another stay light.

use super::points::{Points, Unplaced};
use super::{HashFunction, check, siphash, xxh64};

/// Points of hosts on a circle of 64-bit hashes, one each; weights play no part.
///
/// Disruption: minimal, on any change of hosts.
#[derive(Clone, Debug)]
pub struct MultiProbe {
    points: Points,
    probes: u32,
    function: HashFunction,
}

impl MultiProbe {
    /// The number of probes at which the paper promises a peak of 1.05 times the average.
    pub const PROBES: u32 = 21;
    /// The seeds of SipHash in dgryski/go-mpchash's tests: for hosts, and for the two hashes of a key. The first of the
    /// two is [`HashFunction::SipHash`].
    const SIP_SEEDS: [u64; 3] = [0, 1, 2];

    /// Places each of `hosts` at the [`xxh64`] of its name, for lookups with `probes` probes. O(n) expected. Panics
    /// when there are no probes.
    pub fn new(hosts: &[(&str, u32)], probes: u32) -> Self {
        MultiProbe::hashed(hosts, probes, HashFunction::Xxh64)
    }

    /// Like [`MultiProbe::new`] with another hash function: with [`HashFunction::SipHash`] hosts, and keys that are
    /// looked up by [`MultiProbe::lookup_key`], are where dgryski/go-mpchash's tests have them.
    pub fn hashed(hosts: &[(&str, u32)], probes: u32, function: HashFunction) -> Self {
        check(hosts);
        assert!(probes > 0, "a key without probes has no place");
        let mut points = Unplaced::new(hosts.len());
        let place = |host: &str| position(function, host);
        hosts.iter().zip(0..).for_each(|((host, _), index)| points.push(place(host), index));
        MultiProbe { points: Points::new(points), probes, function }
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes()
    }

    /// The host of this name comes, to be known by `index`. O(1) expected, over many.
    pub fn insert(&mut self, index: usize, host: &str) {
        self.points.insert(position(self.function, host), index as u32);
    }

    /// The host of this name, known by `index`, leaves. O(1) expected. Panics when it is not there, or is the last one.
    pub fn remove(&mut self, index: usize, host: &str) {
        let was_there = self.points.remove(position(self.function, host), index as u32);
        assert!(was_there, "host {index} is not there, or the last one");
    }

    /// The host for `hash`: [`MultiProbe::lookup_pair`] of it and of its own hash, since of a key nothing else is
    /// known. O(probes) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.lookup_pair(hash, second(self.function, &hash.to_le_bytes()))
    }

    /// The host for a key whose bytes are known: [`MultiProbe::lookup_pair`] of its two hashes with SipHash, and
    /// otherwise [`MultiProbe::lookup`] of its hash. O(length + probes) expected.
    pub fn lookup_key(&self, key: &[u8]) -> usize {
        match self.function {
            HashFunction::SipHash => self.lookup_pair(self.function.hash(key), second(self.function, key)),
            function => self.lookup(function.hash(key)),
        }
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

/// Where a host is on the circle.
fn position(function: HashFunction, host: &str) -> u64 {
    match function {
        HashFunction::SipHash => siphash(host.as_bytes(), MultiProbe::SIP_SEEDS[0]),
        other => other.hash(host.as_bytes()),
    }
}

/// The step from probe to probe.
#[inline]
fn second(function: HashFunction, bytes: &[u8]) -> u64 {
    match function {
        HashFunction::SipHash => siphash(bytes, MultiProbe::SIP_SEEDS[2]),
        _ => xxh64(bytes, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let multi = MultiProbe::hashed(&hosts, MultiProbe::PROBES, HashFunction::SipHash);
        for (key, shard) in names.iter().zip(expected) {
            let host = multi.lookup_key(key.as_bytes());
            assert_eq!(names[host], format!("shard-{shard}"), "{key}");
        }
    }
}
