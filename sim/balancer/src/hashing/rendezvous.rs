//! Rendezvous, or highest random weight: every host draws a score for the key, the highest has it.
//!
//! Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996). There is nothing to build and nothing
//! to balance: scores are independent, so keys are spread like balls thrown at bins, and a key moves only if the host
//! that comes or goes is the one with the highest score. The price is a look at every host.

use super::{check, xxh64};
use base::math::ln;

/// Hashes of the hosts' names, and their weights if they differ.
///
/// Disruption: minimal, on any change of hosts, and of weights. A host may come and go: it is known by an index, which
/// stays its own while others come and go.
#[derive(Clone, Debug)]
pub struct Rendezvous {
    /// Hashes of names, in the order in which they are compared.
    hosts: Vec<u64>,
    /// Empty when all weights are equal: then the scores themselves are compared.
    weights: Vec<f64>,
    /// The weight of all, when it is one.
    common: u32,
    /// By place in `hosts`, the index that the host there is known by, and by index its place. Both are empty while
    /// each is its own, which is until the first host leaves.
    indexes: Vec<u32>,
    places: Vec<u32>,
}

impl Rendezvous {
    /// Hashes the names of `hosts` by [`xxh64`]. O(n).
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let equal = hosts.iter().all(|(_, weight)| *weight == hosts[0].1);
        Rendezvous {
            hosts: hosts.iter().map(|(host, _)| xxh64(host.as_bytes(), 0)).collect(),
            weights: if equal { Vec::new() } else { hosts.iter().map(|(_, weight)| f64::from(*weight)).collect() },
            common: hosts[0].1,
            indexes: Vec::new(),
            places: Vec::new(),
        }
    }

    /// `host` comes, to be known by `index`, which nobody is known by. O(1), and O(n) when it is the first whose weight
    /// is another than that of all. Panics when `weight` is zero.
    pub fn insert(&mut self, index: usize, host: &str, weight: u32) {
        check(&[(host, weight)]);
        let place = self.hosts.len();
        if index != place || !self.indexes.is_empty() {
            self.write_indexes();
            self.indexes.push(index as u32);
            self.places.resize(self.places.len().max(index + 1), u32::MAX);
            self.places[index] = place as u32;
        }
        self.hosts.push(xxh64(host.as_bytes(), 0));
        if !self.weights.is_empty() || self.common != weight {
            self.weights.resize(place, f64::from(self.common));
            self.weights.push(f64::from(weight));
        }
    }

    /// The host known by `index` leaves, and the last of those that are compared takes its place there. O(1), but O(n)
    /// when it is the first to leave. Panics when nobody is known by it, and when it is the only one.
    pub fn remove(&mut self, index: usize) {
        assert!(self.hosts.len() > 1, "the last host cannot leave");
        self.write_indexes();
        let place = std::mem::replace(&mut self.places[index], u32::MAX);
        assert!(place != u32::MAX, "host {index} is not there");
        self.hosts.swap_remove(place as usize);
        self.indexes.swap_remove(place as usize);
        if !self.weights.is_empty() {
            self.weights.swap_remove(place as usize);
        }
        if let Some(moved) = self.indexes.get(place as usize) {
            self.places[*moved as usize] = place;
        }
    }

    /// The host known by `index` weighs `weight` from now on. O(1), and O(n) when it is the first whose weight is
    /// another than that of all. Panics when nobody is known by it, and when `weight` is zero.
    pub fn weigh(&mut self, index: usize, weight: u32) {
        assert!(weight > 0, "a host of weight zero is to be left out");
        let place = if self.places.is_empty() { index } else { self.places[index] as usize };
        assert!(place < self.hosts.len(), "host {index} is not there");
        self.weights.resize(self.hosts.len(), f64::from(self.common));
        self.weights[place] = f64::from(weight);
    }

    /// From now on it is written down who is known by which index.
    fn write_indexes(&mut self) {
        if self.indexes.is_empty() {
            self.indexes.extend(0..self.hosts.len() as u32);
            self.places.clone_from(&self.indexes);
        }
    }

    /// Hosts that a lookup compares.
    pub fn entries(&self) -> usize {
        self.hosts.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let indexes = size_of_val(self.indexes.as_slice()) + size_of_val(self.places.as_slice());
        size_of::<Self>() + size_of_val(self.hosts.as_slice()) + size_of_val(self.weights.as_slice()) + indexes
    }

    /// The host with the highest score for `hash`, the one compared earlier of equals. O(n), and a logarithm each with
    /// weights.
    ///
    /// The score is that of dgryski/go-rendezvous: the exclusive or of key and host through `xorshift64*`. With weights
    /// w, it becomes a number u between 0 and 1 and then `−w / ln u`, by which a host wins in proportion to w
    /// (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        let place = if self.weights.is_empty() { self.highest(hash) } else { self.highest_weighted(hash) };
        if self.indexes.is_empty() { place } else { self.indexes[place] as usize }
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

    #[test]
    fn who_comes_and_goes_leaves_the_scores_of_those_who_are_there() {
        let mut hosts = Rendezvous::new(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        hosts.remove(1);
        hosts.insert(7, "e", 1);
        hosts.remove(0);
        hosts.insert(1, "f", 3); // the first of another weight
        hosts.weigh(3, 2);
        let (names, places) = ([("c", 1), ("d", 2), ("e", 1), ("f", 3)], [2, 3, 7, 1]);
        let anew = Rendezvous::new(&names);
        for key in 0..10_000_u64 {
            let hash = xxh64(&key.to_le_bytes(), 0);
            assert_eq!(hosts.lookup(hash), places[anew.lookup(hash)], "key {key}");
        }
    }
}
