//! Jump: a consistent hash that needs no memory, for hosts that come and go at the end of the list.
//!
//! Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (arXiv:1406.2294). As hosts are added one by
//! one, a key that is to stay evenly spread must move to the (j + 1)-th with probability 1/(j + 1). The generator
//! seeded with the key decides when, and the algorithm leaps from move to move: ln n of them on average.

use super::check;

/// The jump hash of `hash` among `buckets`: a number below `buckets`.
///
/// The loop of the paper, with its 64-bit linear congruential generator and its floating-point division, which every
/// IEEE 754 machine rounds alike. Guava's `Hashing.consistentHash` and dgryski/go-jump give the same numbers. O(ln
/// buckets) expected. Panics when there are no buckets.
#[inline]
pub fn jump(hash: u64, buckets: u32) -> u32 {
    assert!(buckets > 0, "there is no bucket to jump to");
    let mut state = hash;
    let mut bucket = 0;
    let mut next = 0_i64;
    while next < i64::from(buckets) {
        bucket = next;
        state = state.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1_u64 << 31) as f64 / ((state >> 33) + 1) as f64)) as i64;
    }
    bucket as u32
}

/// Hosts numbered in the order given, chosen by [`jump`]; names and weights play no part.
///
/// Disruption: a host added at the end takes one key in n, and nobody else's keys move; taking away the last is the
/// same backwards. Taking away any other renumbers the hosts after it, and their keys with them.
#[derive(Clone, Debug)]
pub struct Jump {
    hosts: u32,
}

impl Jump {
    /// Numbers `hosts`. O(n), for the check alone.
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        Jump { hosts: hosts.len() as u32 }
    }

    /// There is nothing to look into.
    pub fn entries(&self) -> usize {
        0
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    /// The host that `hash` jumps to. O(ln n) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        jump(hash, self.hosts) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_land_where_the_reference_code_lands() {
        // dgryski/go-jump jump_test.go, "Generated from the reference C++ code"; one row a key, buckets from 1 up.
        let rows: [(u64, &[u32]); 4] = [
            (0, &[0; 20]),
            (1, &[0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 17, 17]),
            (0xdead_beef, &[0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16]),
            (0x0ddc_0ffe_ebad_f00d, &[0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 15, 15, 15, 15]),
        ];
        for (key, row) in rows {
            for (buckets, expected) in (1..).zip(row) {
                assert_eq!(jump(key, buckets), *expected, "jump({key:#x}, {buckets})");
            }
        }
    }

    #[test]
    fn jumps_land_where_guava_lands() {
        // google/guava HashingTest.java, testConsistentHash_linearCongruentialGeneratorCompatibility: keys 1 to 5 of
        // 100.
        for (key, expected) in (1..).zip([55, 62, 8, 45, 59]) {
            assert_eq!(jump(key, 100), expected, "jump({key}, 100)");
        }
        // tarantool/tarantool test/unit/guava.c, lcg_compat_check, which took its numbers from Guava as well.
        for (key, buckets, expected) in [
            (10_863_919_174_838_991, 11, 6),
            (2_016_238_256_797_177_309, 11, 3),
            (1_673_758_223_894_951_030, 11, 5),
            (2, 100_001, 80_343),
            (2201, 100_001, 22_152),
            (2202, 100_001, 15_018),
        ] {
            assert_eq!(jump(key, buckets), expected, "jump({key}, {buckets})");
        }
    }

    #[test]
    fn a_key_only_ever_moves_to_the_host_that_came_last() {
        // Guava's testConsistentHash_correctness, with its interesting values.
        for key in [u64::MAX, 0, 1, 2, i64::MAX as u64, i64::MIN as u64, 0x9e37_79b9_7f4a_7c15] {
            let mut last = 0;
            for buckets in 1..=10_000 {
                let bucket = jump(key, buckets);
                assert!(bucket == last || bucket == buckets - 1, "jump({key}, {buckets}) = {bucket} after {last}");
                last = bucket;
            }
        }
    }
}
