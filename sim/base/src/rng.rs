//! Chance: one [`Seed`] for a run, and from it as many independent streams as there are names.
//!
//! A stream is ChaCha8 keyed with the seed, the hash of a name and an ordinal. Streams never meet, so adding a node, a
//! fault or one more draw in one place moves nothing anywhere else. That is what lets a fault be removed from a
//! failing scenario without reshuffling the rest of it.
//!
//! Requests go one step further. Each carries a [`Key`], drawn once from its load source's stream; whatever happens to
//! the request later (its demand at each service, whether a buggy version fails it) is a pure function of that key and
//! a label. Two balancers compared under one seed therefore meet the same requests, however differently they treat
//! them: common random numbers, by construction.
//!
//! ```
//! use base::{Draw, Seed};
//!
//! let seed = Seed(42);
//! let mut arrivals = seed.stream("load/shoppers/arrivals");
//! let mut third_node = seed.nth("node/clock", 3);
//! assert_ne!(arrivals.next_u64(), third_node.next_u64());
//! assert_eq!(seed.stream("load/shoppers/arrivals").below(6), Seed(42).stream("load/shoppers/arrivals").below(6));
//! ```

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use std::fmt;
use xxhash_rust::xxh64::xxh64;

/// The one input of chance; everything random in a run is derived from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream called `name`. Equal names are the same stream, from its beginning.
    pub fn stream(self, name: &str) -> Rng {
        self.nth(name, 0)
    }

    /// The `ordinal`-th stream of a family of streams called `name`.
    pub fn nth(self, name: &str, ordinal: u64) -> Rng {
        // 256 bits of key: the seed, the ordinal, and 128 bits of the name. Two names meet only if both 64-bit hashes
        // of them do, which no scenario will live to see.
        let mut key = [0u8; 32];
        key[0..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..16].copy_from_slice(&ordinal.to_le_bytes());
        key[16..24].copy_from_slice(&xxh64(name.as_bytes(), 0).to_le_bytes());
        key[24..32].copy_from_slice(&xxh64(name.as_bytes(), 0x5769_6e64_7475_6e6e).to_le_bytes());
        Rng { key, state: None }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A source of random bits, and the few shapes in which they are wanted.
pub trait Draw {
    /// The next 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// A number in `[0, 1)`, a multiple of 2⁻⁵³.
    fn unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// A whole number in `0..bound`, each equally likely. Panics when `bound` is zero.
    ///
    /// Lemire's multiplication with rejection ("Fast Random Integer Generation in an Interval", 2019): one
    /// multiplication in the common case and no bias.
    fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "there is no number below zero");
        let mut product = (self.next_u64() >> 32) * u64::from(bound);
        if (product as u32) < bound {
            let reject_below = bound.wrapping_neg() % bound;
            while (product as u32) < reject_below {
                product = (self.next_u64() >> 32) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    /// A whole number in `0..bound` for bounds that may pass 2³², each equally likely. Panics when `bound` is zero.
    fn below_u64(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let reject_below = bound.wrapping_neg() % bound;
            while (product as u64) < reject_below {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// Puts `items` in an order drawn evenly from all orders (Fisher and Yates).
    fn shuffle<T>(&mut self, items: &mut [T])
    where
        Self: Sized,
    {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u32 + 1) as usize;
            items.swap(i, j);
        }
    }
}

/// 53 of the bits as a number in `[0, 1)`.
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// One stream of chance. Not `Clone`: two owners of one stream would draw the same numbers and call them independent.
///
/// Many streams are named and few are drawn from (a node that never syncs its disk, a retry that never happens), so a
/// stream is its key until its first draw, and takes the generator's 320 bytes only then.
pub struct Rng {
    key: [u8; 32],
    state: Option<Box<ChaCha8Rng>>,
}

impl Draw for Rng {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        match &mut self.state {
            Some(state) => state.next_u64(),
            None => self.first(),
        }
    }
}

impl Rng {
    #[cold]
    fn first(&mut self) -> u64 {
        self.state.insert(Box::new(ChaCha8Rng::from_seed(self.key))).next_u64()
    }

    /// A key for something that will need draws of its own later.
    #[inline]
    pub fn key(&mut self) -> Key {
        Key(self.next_u64())
    }
}

impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rng(..)")
    }
}

/// 64 random bits from which any number of independent draws can be derived by label, at a few nanoseconds each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key(pub u64);

impl Key {
    /// The key of the part called `label` of whatever this key belongs to.
    #[inline]
    pub fn derive(self, label: u64) -> Key {
        Key(mix(self.0 ^ mix(label.wrapping_add(GOLDEN))))
    }

    /// Draws that belong to this key: always the same ones.
    #[inline]
    pub fn draws(self) -> Draws {
        Draws(self.0)
    }
}

/// The draws of a [`Key`]: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014),
/// which is as good as its key and costs no set-up.
#[derive(Clone, Debug)]
pub struct Draws(u64);

impl Draw for Draws {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }
}

/// 2⁶⁴ divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finalizer: every output bit depends on every input bit.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_its_name_and_nothing_else() {
        let first = |name: &str, ordinal| Seed(42).nth(name, ordinal).next_u64();
        assert_eq!(first("network", 0), Seed(42).stream("network").next_u64());
        assert_ne!(first("network", 0), first("network", 1));
        assert_ne!(first("network", 0), first("faults", 0));
        assert_ne!(first("network", 0), Seed(43).stream("network").next_u64());
    }

    #[test]
    fn the_first_draws_are_pinned() {
        // These numbers are in every fingerprint anyone ever wrote down.
        let mut rng = Seed(42).stream("pinned");
        let drawn = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
        assert_eq!(drawn, [PINNED[0], PINNED[1], PINNED[2]], "{drawn:#x?}");
        assert_eq!(Key(42).derive(7).draws().next_u64(), PINNED[3], "{:#x}", Key(42).derive(7).draws().next_u64());
    }

    const PINNED: [u64; 4] =
        [0x4a4d_e603_e8f8_4a1d, 0x71f5_f63a_9167_03c3, 0x6194_c380_7164_2ba5, 0xdeb7_4532_0506_897a];

    #[test]
    fn bounded_draws_are_even() {
        let mut rng = Seed(7).stream("even");
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[rng.below(7) as usize] += 1;
        }
        // Chi-squared with 6 degrees of freedom passes 22.5 once in a thousand seeds; this seed is fixed.
        let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - 10_000.0) * (f64::from(c) - 10_000.0) / 10_000.0).sum();
        assert!(chi2 < 22.5, "chi² = {chi2}, counts {counts:?}");
        assert!((0..1000).all(|_| rng.below_u64(3) < 3));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Seed(1).stream("shuffle").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
