//! Rendezvous, or highest random weight: every host draws a score for the key, the highest has it.
//!
//! Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996). There is nothing to build and nothing
//! to balance: scores are independent, so keys are spread like balls thrown at bins, and a key moves only if the host
//! that comes or goes is the one with the highest score. The price is a look at every host.

use super::{check, xxh64};
use base::math::ln;

/// Hashes of the hosts' names, and their weights if they differ.
///
/// Disruption: minimal, on any change of hosts, and of weights.
#[derive(Clone, Debug)]
pub struct Rendezvous {
    hosts: Vec<u64>,
    /// Empty when all weights are equal: then the scores themselves are compared.
    weights: Vec<f64>,
}

impl Rendezvous {
    /// Hashes the names of `hosts` by [`xxh64`]. O(n).
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let equal = hosts.iter().all(|(_, weight)| *weight == hosts[0].1);
        Rendezvous {
            hosts: hosts.iter().map(|(host, _)| xxh64(host.as_bytes(), 0)).collect(),
            weights: if equal { Vec::new() } else { hosts.iter().map(|(_, weight)| f64::from(*weight)).collect() },
        }
    }

    /// Hosts that a lookup compares.
    pub fn entries(&self) -> usize {
        self.hosts.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.hosts.as_slice()) + size_of_val(self.weights.as_slice())
    }

    /// The host with the highest score for `hash`, the earlier one of equals. O(n), and a logarithm each with weights.
    ///
    /// The score is that of dgryski/go-rendezvous: the exclusive or of key and host through `xorshift64*`. With weights
    /// w, it becomes a number u between 0 and 1 and then `−w / ln u`, by which a host wins in proportion to w
    /// (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        if self.weights.is_empty() { self.highest(hash) } else { self.highest_weighted(hash) }
    }

    fn highest(&self, hash: u64) -> usize {
        let mut best = (0, score(hash, self.hosts[0]));
        for (index, host) in self.hosts.iter().enumerate().skip(1) {
            let score = score(hash, *host);
            if score > best.1 {
                best = (index, score);
            }
        }
        best.0
    }

    fn highest_weighted(&self, hash: u64) -> usize {
        let mut best = (0, 0.0);
        for (index, (host, weight)) in self.hosts.iter().zip(&self.weights).enumerate() {
            let score = -weight / ln(unit(score(hash, *host)));
            if score > best.1 {
                best = (index, score);
            }
        }
        best.0
    }
}

/// `xorshift64*` of `key ^ host`.
#[inline]
fn score(key: u64, host: u64) -> u64 {
    let mut bits = key ^ host;
    bits ^= bits >> 12;
    bits ^= bits << 25;
    bits ^= bits >> 27;
    bits.wrapping_mul(2_685_821_657_736_338_717)
}

/// A number strictly between 0 and 1 from the upper 52 bits; the middle of its interval, so that its logarithm is
/// finite and not zero.
#[inline]
fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_unit_interval_are_never_reached() {
        assert!(unit(0) > 0.0 && ln(unit(0)).is_finite());
        assert!(unit(u64::MAX) < 1.0 && ln(unit(u64::MAX)) < 0.0);
    }

    #[test]
    fn equal_weights_choose_as_no_weights() {
        let plain = Rendezvous::new(&[("a", 5), ("b", 5), ("c", 5)]);
        let weighted = Rendezvous { weights: vec![5.0; 3], ..plain.clone() };
        for key in 0..10_000_u64 {
            let hash = xxh64(&key.to_le_bytes(), 0);
            assert_eq!(plain.lookup(hash), weighted.lookup(hash), "key {key}");
        }
    }
}
