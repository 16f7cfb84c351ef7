//! Modulo: the remainder of the hash says which host.
//!
//! The plainest rule and the worst one when hosts change: with one host less, a key stays only where two remainders
//! happen to agree, about one in n. It is what a hash without the word "consistent" means in nginx (`hash KEY`) and
//! HAProxy (`hash-type map-based`), and the yardstick for what consistency buys.

use super::{check, total_weight};

/// Hosts side by side, each as wide as its weight; the hash modulo the sum falls into one of them.
///
/// Disruption: nearly all keys on any change.
#[derive(Clone, Debug)]
pub struct Modulo {
    /// Where each host's share ends; the last is the sum of the weights.
    ends: Vec<u64>,
}

impl Modulo {
    /// Lays `hosts` side by side in the order given. O(n).
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let mut end = 0;
        let ends: Vec<u64> = hosts
            .iter()
            .map(|(_, weight)| {
                end += u64::from(*weight);
                end
            })
            .collect();
        debug_assert_eq!(end, total_weight(hosts));
        Modulo { ends }
    }

    /// Shares, one a host.
    pub fn entries(&self) -> usize {
        self.ends.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.ends.as_slice())
    }

    /// The host whose share holds `hash` modulo the sum of the weights: with weights of one, `hash` modulo n. O(log n).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        let slot = hash % self.ends[self.ends.len() - 1];
        self.ends.partition_point(|end| *end <= slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_gets_as_many_remainders_as_its_weight() {
        let modulo = Modulo::new(&[("a", 1), ("b", 3), ("c", 1)]);
        let hosts: Vec<_> = (0..7).map(|hash| modulo.lookup(hash)).collect();
        assert_eq!(hosts, [0, 1, 1, 1, 2, 0, 1]);
        let even = Modulo::new(&[("a", 1), ("b", 1), ("c", 1)]);
        assert_eq!(even.lookup(u64::MAX), (u64::MAX % 3) as usize);
    }
}
