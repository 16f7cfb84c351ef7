//! Dubbo's `consistenthash`: a ring of MD5 points like libketama's, for hosts that all weigh the same.
//!
//! The points are hashed from the address and a number with nothing between them, so that other points come out than
//! [`Ketama`](super::Ketama)'s, and weights play no part.

use super::check;
use super::function::md5_words;
use super::points::{Points, Unplaced};

/// Points of hosts on a circle of 32-bit hashes, as Dubbo places them.
///
/// Disruption: minimal.
#[derive(Clone, Debug)]
pub struct DubboConsistentHash {
    points: Points,
    hosts: u32,
}

impl DubboConsistentHash {
    /// Points of a host by default (`hash.nodes`).
    pub const REPLICAS: u32 = 160;

    /// The selector of Dubbo (apache/dubbo `ConsistentHashLoadBalance.java`, `ConsistentHashSelector`) with `replicas`
    /// points a host, rounded down to a multiple of four.
    ///
    /// Digest i of a host is the [`md5`](super::md5) of its name and i in decimal; each four of its bytes, little end
    /// first, are a point. Of equal points the last of the list has it. O(p) expected for p points. Panics on fewer
    /// than four replicas, with which Dubbo has nobody to choose.
    pub fn new(hosts: &[(&str, u32)], replicas: u32) -> Self {
        check(hosts);
        assert!(replicas >= 4, "points come by four");
        let mut points = Unplaced::new(hosts.len() * replicas as usize);
        // Numbered from the end: of equal points it is the lesser number that stays.
        for (number, (host, _)) in hosts.iter().rev().enumerate() {
            for digest in 0..replicas / 4 {
                for point in md5_words(format!("{host}{digest}").as_bytes()) {
                    points.push(u64::from(point) << 32, number as u32);
                }
            }
        }
        DubboConsistentHash { points: Points::deduplicated(points).0, hosts: hosts.len() as u32 }
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes()
    }

    /// The host of the first point at the lower 32 bits of `hash`, or after; Dubbo hashes keys by
    /// [`HashFunction::Md5`](super::HashFunction::Md5). O(1) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.host(self.points.owner_at_or_after(hash << 32))
    }

    /// The points in ascending order: hash, and index of the host.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (u32, usize)> {
        self.points.iter().map(|(position, number)| ((position >> 32) as u32, self.host(number)))
    }

    #[inline]
    fn host(&self, number: usize) -> usize {
        self.hosts as usize - 1 - number
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HashFunction, md5};
    use super::*;

    #[test]
    fn points_are_where_the_selector_puts_them() {
        let hosts = [("127.0.0.1:20880", 1), ("127.0.0.1:20881", 9)];
        let ring = DubboConsistentHash::new(&hosts, 160);
        assert_eq!(ring.entries(), 320);
        let points: Vec<(u32, usize)> = ring.points().collect();
        for (index, (host, _)) in hosts.iter().enumerate() {
            for digest in 0..40 {
                let bytes = md5(format!("{host}{digest}").as_bytes());
                for four in bytes.as_chunks::<4>().0 {
                    assert!(points.contains(&(u32::from_le_bytes(*four), index)), "{host}, digest {digest}");
                }
            }
        }
        // The first point at the key's or after it, as a TreeMap's tailMap gives it.
        for key in (0..2_000).map(|i: u32| i.to_string()) {
            let hash = HashFunction::Md5.hash(key.as_bytes());
            let owner = points.iter().find(|(point, _)| u64::from(*point) >= hash).unwrap_or(&points[0]).1;
            assert_eq!(ring.lookup(hash), owner, "{key}");
        }
    }

    #[test]
    fn of_equal_points_the_last_of_the_list_has_them() {
        // The same name twice, which a registry would not list: every point is there twice.
        let ring = DubboConsistentHash::new(&[("a", 1), ("a", 1)], 8);
        assert_eq!(ring.entries(), 8);
        assert!(ring.points().all(|(_, host)| host == 1));
    }
}
