//! The hash functions of HAProxy, 32 bits each, and what spreads a poor one's bits.
//!
//! `hash-type` names one of [`sdbm`], [`djb2`], [`wt6`] and [`crc32`](super::crc32), and whether it is avalanched.
//! Without a word it is sdbm: plain for the map, avalanched for the ring.

/// The function of the sdbm database library (`src/hash.c`, `hash_sdbm`): hash · 65599 + byte. O(length).
pub fn sdbm(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |hash: u32, byte| hash.wrapping_mul(65_599).wrapping_add(u32::from(*byte)))
}

/// Daniel J. Bernstein's second (`hash_djb2`): hash · 33 + byte, from 5381. O(length).
pub fn djb2(bytes: &[u8]) -> u32 {
    bytes.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)))
}

/// Willy Tarreau's (`hash_wt6`): two registers that change places, turned by as much as they say themselves. O(length).
pub fn wt6(bytes: &[u8]) -> u32 {
    let (mut h0, mut h1) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut step0, mut step1) = (6, 18);
    for byte in bytes {
        let byte = u32::from(*byte);
        (h0, h1) = (!(h0 ^ byte), !h1.wrapping_add(byte));
        (h0, h1) = (h1.rotate_left(step0), h0.rotate_left(step1));
        let steps = (h0 >> 16 ^ h1) & 0xffff;
        (step0, step1) = (steps & 0x1f, steps >> 11);
    }
    h0 ^ h1
}

/// `hash`, each bit of which has a part in all others afterwards: `full_hash` of HAProxy (`include/haproxy/intops.h`).
///
/// The full avalanche of Bob Jenkins in six shifts, and then a multiplication by a prime near three quarters of 2³².
/// One to one.
pub(super) fn avalanche(hash: u32) -> u32 {
    let mut a = hash;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = a ^ 0xc761_c23c ^ a >> 19;
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ a << 9;
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = a ^ 0xb55a_4f09 ^ a >> 16;
    a.wrapping_mul(3_221_225_473)
}

#[cfg(test)]
mod tests {
    use super::super::HashFunction;

    #[test]
    fn hashes_are_those_of_haproxys_own_test() {
        // haproxy/haproxy reg-tests/sample_fetches/hashes.vtc: all bytes once, in order; plain and with (1),
        // avalanched.
        let key: Vec<u8> = (0..=255).collect();
        for (function, expected) in [
            (HashFunction::Crc32, 688_229_491),
            (HashFunction::Crc32Avalanche, 4_230_317_029),
            (HashFunction::Djb2, 2_589_693_061),
            (HashFunction::Djb2Avalanche, 600_622_701),
            (HashFunction::Sdbm, 905_707_648),
            (HashFunction::SdbmAvalanche, 3_103_804_144),
            (HashFunction::Wt6, 4_090_277_559),
            (HashFunction::Wt6Avalanche, 1_192_658_767),
            (HashFunction::Xxh64, 2_282_408_585_429_094_475),
        ] {
            assert_eq!(function.hash(&key), expected, "{function:?}");
        }
    }
}
