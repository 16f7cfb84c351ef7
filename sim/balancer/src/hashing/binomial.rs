//! Binomial: constant time and two numbers of memory, for hosts that come and go at the end of the list.
//!
//! Coluzzi et al., "BinomialHash: A Constant Time, Minimal Memory Consistent Hash Algorithm" (arXiv:2406.19836). Hosts
//! are the nodes of a binary tree, level by level. A key falls on a node of the smallest full tree that holds them all
//! and is shuffled within that node's level; if nobody is there, it tries again a few times, and then falls back on the
//! full tree below, where everybody is. What it does that [`jump`](super::jump) does in ln n steps takes as many here
//! for any n.

use super::check;

/// Hosts numbered in the order given; names and weights play no part.
///
/// Disruption: that of [`Jump`](super::Jump): only the last can come or go cheaply. Balance: the hosts of the last
/// level get up to 2⁻⁵ less than their part, the price of a bound on the tries (section 5.4 of the paper).
#[derive(Clone, Debug)]
pub struct Binomial {
    hosts: u32,
    /// One less than the nodes of the smallest full tree that holds all hosts.
    enclosing: u64,
}

impl Binomial {
    /// Tries in the enclosing tree after the first; four in the authors' code
    /// (SUPSI-DTI-ISIN/java-consistent-hashing-algorithms, `BinomialEngine.java`).
    const TRIES: u32 = 4;

    /// Numbers `hosts`. O(n), for the check alone.
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let hosts = hosts.len() as u32;
        Binomial { hosts, enclosing: u64::from(hosts).next_power_of_two() - 1 }
    }

    /// There is nothing to look into.
    pub fn entries(&self) -> usize {
        0
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    /// The host for `hash`, as `BinomialEngine.getBucket` finds it. O(1), five tries at most.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        if self.hosts < 2 {
            return 0;
        }
        let (hosts, minor) = (u64::from(self.hosts), self.enclosing >> 1);
        let node = shuffled(hash & self.enclosing, hash);
        if node < hosts {
            return node as usize;
        }
        let mut another = hash;
        for _ in 0..Self::TRIES {
            another = rehash(another, self.enclosing);
            let node = shuffled(another & self.enclosing, another);
            if node <= minor {
                break;
            }
            if node < hosts {
                return node as usize;
            }
        }
        shuffled(hash & minor, hash) as usize
    }
}

/// Another node of the same level of the tree.
fn shuffled(node: u64, hash: u64) -> u64 {
    if node < 2 {
        return node;
    }
    let level = 1 << node.ilog2();
    level + (rehash(hash, level - 1) & (level - 1))
}

/// The authors' generator: a step of a linear congruential one, squared, times `seed`, the upper half.
fn rehash(value: u64, seed: u64) -> u64 {
    let next = value.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
    next.wrapping_mul(next).wrapping_mul(seed) >> 32
}

#[cfg(test)]
mod tests {
    use super::super::xxh64;
    use super::*;

    fn over(hosts: u32) -> Binomial {
        Binomial::new(&vec![("host", 1); hosts as usize])
    }

    fn keys(count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(|i| xxh64(&i.to_le_bytes(), 0))
    }

    #[test]
    fn a_key_only_ever_moves_to_the_host_that_came_last() {
        // Minimal disruption and monotonicity, propositions 5.2 and 5.3 of the paper, across three sizes of the tree.
        for hash in keys(300).chain([0, 1, u64::MAX]) {
            let mut before = 0;
            for hosts in 1..=600 {
                let host = over(hosts).lookup(hash);
                assert!(host == before || host == hosts as usize - 1, "{hash}: {before}, then {host} of {hosts}");
                before = host;
            }
        }
    }

    #[test]
    fn the_last_level_gets_little_less_than_its_part() {
        // Section 5.4: the hosts of the last level get at most (1/2)^tries less, in the worst case of one alone there.
        for hosts in [2, 3, 5, 11, 16, 17, 24, 100, 1_000] {
            let binomial = over(hosts);
            let mut counts = vec![0_u32; hosts as usize];
            keys(hosts as u64 * 4_000).for_each(|hash| counts[binomial.lookup(hash)] += 1);
            for (host, count) in counts.iter().enumerate() {
                assert!((3_600..4_400).contains(count), "host {host} of {hosts} got {count} of 4000");
            }
        }
    }
}
