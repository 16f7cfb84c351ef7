//! The hash functions the originals put hosts and keys on their circles with.
//!
//! None of them is there for security: what counts is that they give the same numbers as the systems that are
//! compared with. [`xxh64`] comes from the `xxhash-rust` crate; the others are short enough to be read here.

use super::haproxy_function::{avalanche, djb2, sdbm, wt6};
use super::nginx_modulo::ipv4;
use super::siphash;

/// A hash function by the name the field knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashFunction {
    /// [`xxh64`] with seed 0: Envoy's default, `XX_HASH`.
    Xxh64,
    /// [`murmur2`] with [`HashFunction::MURMUR2_SEED`]: Envoy's `MURMUR_HASH_2`.
    Murmur2,
    /// The first four bytes of [`md5`], little end first: libketama's `ketama_hashi`. Below 2³².
    Md5,
    /// [`crc32`]: nginx. Below 2³².
    Crc32,
    /// [`sdbm`]: HAProxy's `hash-type map-based`. Below 2³².
    Sdbm,
    /// [`sdbm`], avalanched: HAProxy's `hash-type consistent`. Below 2³².
    SdbmAvalanche,
    /// [`djb2`]. Below 2³².
    Djb2,
    /// [`djb2`], avalanched. Below 2³².
    Djb2Avalanche,
    /// [`wt6`]. Below 2³².
    Wt6,
    /// [`wt6`], avalanched. Below 2³².
    Wt6Avalanche,
    /// [`crc32`], avalanched as by HAProxy. Below 2³².
    Crc32Avalanche,
    /// [`siphash`] with seed 1: what go-mpchash's tests probe first with for a key.
    SipHash,
    /// The IPv4 address that the text is, zero if it is none: nginx's `ip_hash`. Below 2³².
    Ipv4,
}

impl HashFunction {
    /// The seed of `std::_Hash_bytes` in libstdc++, which Envoy uses (`source/common/common/hash.h`, `STD_HASH_SEED`).
    pub const MURMUR2_SEED: u64 = 0xc70f_6907;

    /// The hash of `bytes`. O(length).
    pub fn hash(self, bytes: &[u8]) -> u64 {
        match self {
            HashFunction::Xxh64 => xxh64(bytes, 0),
            HashFunction::Murmur2 => murmur2(bytes, Self::MURMUR2_SEED),
            HashFunction::Md5 => u64::from(md5_words(bytes)[0]),
            HashFunction::Crc32 => u64::from(crc32(bytes)),
            HashFunction::Sdbm => u64::from(sdbm(bytes)),
            HashFunction::SdbmAvalanche => u64::from(avalanche(sdbm(bytes))),
            HashFunction::Djb2 => u64::from(djb2(bytes)),
            HashFunction::Djb2Avalanche => u64::from(avalanche(djb2(bytes))),
            HashFunction::Wt6 => u64::from(wt6(bytes)),
            HashFunction::Wt6Avalanche => u64::from(avalanche(wt6(bytes))),
            HashFunction::Crc32Avalanche => u64::from(avalanche(crc32(bytes))),
            HashFunction::SipHash => siphash(bytes, 1),
            HashFunction::Ipv4 => u64::from(ipv4(bytes)),
        }
    }

    /// Whether its hashes have 64 bits; those of the others have 32.
    pub fn is_wide(self) -> bool {
        matches!(self, HashFunction::Xxh64 | HashFunction::Murmur2 | HashFunction::SipHash)
    }
}

/// xxHash, 64 bits, of `bytes`.
pub fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    xxhash_rust::xxh64::xxh64(bytes, seed)
}

/// MurmurHash2, variant 64A, of `bytes` (Austin Appleton, `MurmurHash2.cpp`).
pub fn murmur2(bytes: &[u8], seed: u64) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word = (word ^ (word >> 47)).wrapping_mul(MULTIPLIER);
        hash = (hash ^ word).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 47)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 47)
}

/// CRC-32 of `bytes` as zlib and nginx compute it: polynomial 0x04c11db7 reflected, all ones in and out.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32_end(crc32_step(CRC32_START, bytes))
}

/// The register of a CRC-32 before the first byte.
pub(super) const CRC32_START: u32 = u32::MAX;

/// The register after `bytes`.
pub(super) fn crc32_step(register: u32, bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let (words, rest) = rest.as_chunks::<4>();
    let mut register = register;
    for block in blocks {
        let mut block = *block;
        for (byte, with) in block.iter_mut().zip(register.to_le_bytes()) {
            *byte ^= with;
        }
        register =
            block.iter().zip(CRC32_TABLES.iter().rev()).fold(0, |sum, (byte, table)| sum ^ table[*byte as usize]);
    }
    for word in words {
        let bytes = (register ^ u32::from_le_bytes(*word)).to_le_bytes();
        register =
            bytes.iter().zip(CRC32_TABLES[..4].iter().rev()).fold(0, |sum, (byte, table)| sum ^ table[*byte as usize]);
    }
    rest.iter().fold(register, |register, byte| {
        CRC32_TABLES[0][((register ^ u32::from(*byte)) & 0xff) as usize] ^ (register >> 8)
    })
}

/// The checksum that a register stands for after the last byte.
pub(super) fn crc32_end(register: u32) -> u32 {
    !register
}

/// What a byte does to the register, and in table k when k bytes of zero follow it: the bytes of a block are looked up
/// side by side instead of one after the other (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for
/// High-Performance CRC Generation", 2008).
static CRC32_TABLES: [[u32; 256]; 16] = {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut register = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            register = if register & 1 == 1 { (register >> 1) ^ 0xedb8_8320 } else { register >> 1 };
            bit += 1;
        }
        tables[0][byte] = register;
        byte += 1;
    }
    let mut entry = 256;
    while entry < 16 * 256 {
        let before = tables[entry / 256 - 1][entry % 256];
        tables[entry / 256][entry % 256] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
        entry += 1;
    }
    tables
};

/// MD5 of `bytes` (RFC 1321).
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    for (out, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(md5_words(bytes)) {
        *out = word.to_le_bytes();
    }
    digest
}

/// MD5 of `bytes` as its four words: the bytes of the digest, four at a time, little end first.
pub(super) fn md5_words(bytes: &[u8]) -> [u32; 4] {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        md5_block(&mut state, block);
    }
    // One bit, zeros up to a whole number of blocks, and the length in bits; the length may need a block of its own.
    let mut block = [0; 64];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x80;
    if rest.len() >= 56 {
        md5_block(&mut state, &block);
        block = [0; 64];
    }
    block[56..].copy_from_slice(&(bytes.len() as u64).wrapping_mul(8).to_le_bytes());
    md5_block(&mut state, &block);
    state
}

/// How far each step of MD5 rotates, by round and step modulo four.
const MD5_ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The constants of MD5's steps: `⌊2³² · |sin(i + 1)|⌋`, as the RFC lists them.
#[rustfmt::skip]
const MD5_SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

fn md5_block(state: &mut [u32; 4], block: &[u8; 64]) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for step in 0..64 {
        let (mixed, word) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let sum = a.wrapping_add(mixed).wrapping_add(MD5_SINES[step]).wrapping_add(words[word % 16]);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(MD5_ROTATIONS[step / 16][step % 4])));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xxh64_and_murmur2_give_envoys_numbers() {
        // envoyproxy/envoy test/common/common/hash_test.cc, `xxHash` and `murmurHash2`.
        for (text, xx, murmur) in [
            ("foo", 3_728_699_739_546_630_719, 9_631_199_822_919_835_226),
            ("bar", 5_234_164_152_756_840_025, 11_474_628_671_133_349_555),
            ("foo\nbar", 8_917_841_378_505_826_757, 16_306_510_975_912_980_159),
            ("lyft", 4_400_747_396_090_729_504, 12_847_078_931_730_529_320),
            ("", 17_241_709_254_077_376_921, 6_142_509_188_972_423_790),
        ] {
            assert_eq!(HashFunction::Xxh64.hash(text.as_bytes()), xx, "{text:?}");
            assert_eq!(HashFunction::Murmur2.hash(text.as_bytes()), murmur, "{text:?}");
        }
    }

    #[test]
    fn md5_gives_the_digests_of_its_rfc() {
        // RFC 1321, appendix A.5.
        for (text, digest) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            let hex: String = md5(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, digest, "{text:?}");
        }
        assert_eq!(HashFunction::Md5.hash(b""), 0xd98c_1dd4, "four bytes, little end first");
    }

    #[test]
    fn crc32_gives_the_check_value_of_its_catalogue_entry() {
        // Greg Cook's catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC: check = 0xcbf43926.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(HashFunction::Crc32.hash(b"123456789"), 0xcbf4_3926);
        // In whatever steps, long ones and short ones, it is the same.
        let bytes: Vec<u8> = (0..100).collect();
        for length in 0..=bytes.len() {
            let at_once = crc32(&bytes[..length]);
            let one_by_one = bytes[..length].iter().fold(CRC32_START, |register, byte| crc32_step(register, &[*byte]));
            assert_eq!(at_once, crc32_end(one_by_one), "{length} bytes");
        }
    }
}
