//! SipHash-2-4, the keyed hash that go-mpchash's tests place hosts and keys with.
//!
//! Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012. The standard library has it too, marked
//! as deprecated in favour of a default hasher whose algorithm is not promised.

/// SipHash-2-4 of `bytes` under the key whose first half is `seed` and whose second half is zero.
pub fn siphash(bytes: &[u8], seed: u64) -> u64 {
    keyed(bytes, seed, 0)
}

/// SipHash-2-4 of `bytes` under the key of two halves.
fn keyed(bytes: &[u8], first: u64, second: u64) -> u64 {
    // "somepseudorandomlygeneratedbytes".
    let mut state = [
        first ^ 0x736f_6d65_7073_6575,
        second ^ 0x646f_7261_6e64_6f6d,
        first ^ 0x6c79_6765_6e65_7261,
        second ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // The length modulo 256 stands in the last byte.
    last[7] = bytes.len() as u8;
    for word in words.iter().chain([&last]) {
        let word = u64::from_le_bytes(*word);
        state[3] ^= word;
        rounds(&mut state, 2);
        state[0] ^= word;
    }
    state[2] ^= 0xff;
    rounds(&mut state, 4);
    state[0] ^ state[1] ^ state[2] ^ state[3]
}

fn rounds([a, b, c, d]: &mut [u64; 4], n: u32) {
    for _ in 0..n {
        *a = a.wrapping_add(*b);
        *b = b.rotate_left(13) ^ *a;
        *a = a.rotate_left(32);
        *c = c.wrapping_add(*d);
        *d = d.rotate_left(16) ^ *c;
        *a = a.wrapping_add(*d);
        *d = d.rotate_left(21) ^ *a;
        *c = c.wrapping_add(*b);
        *b = b.rotate_left(17) ^ *c;
        *c = c.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hasher as _;

    #[test]
    fn the_vectors_of_its_authors_come_out() {
        // The paper, appendix A, and the first and last of veorq/SipHash vectors.h: bytes 0, 1, 2, … under the key 0
        // to 15.
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let bytes: Vec<u8> = (0..63).collect();
        for (n, expected) in [
            (0, 0x726f_db47_dd0e_0e31),
            (1, 0x74f8_39c5_93dc_67fd),
            (15, 0xa129_ca61_49be_45e5),
            (63, 0x958a_324c_eb06_4572),
        ] {
            assert_eq!(keyed(&bytes[..n], key[0], key[1]), expected, "of {n} bytes");
        }
    }

    #[test]
    #[expect(deprecated, reason = "a second opinion; its successor is SipHash-1-3")]
    fn the_standard_library_agrees() {
        let bytes: Vec<u8> = (0..=255).map(|i: u8| i.wrapping_mul(37)).collect();
        for n in 0..=256 {
            let mut hasher = std::hash::SipHasher::new_with_keys(n as u64, 0);
            hasher.write(&bytes[..n]);
            assert_eq!(siphash(&bytes[..n], n as u64), hasher.finish());
        }
    }
}
