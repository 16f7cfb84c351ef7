//! Ketama: the ring of libketama, by which memcached clients have found their servers since 2007.
//!
//! Points come from MD5, four to a digest, 160 a host on average. They are shared out by weight over all hosts, so with
//! unequal weights everybody's number of points depends on who else is there, and more keys move than must; with equal
//! weights every host has 160 whatever their number.

use super::function::md5_words;
use super::points::{Points, Unplaced};
use super::{check, total_weight};

/// Points of hosts on a circle of 32-bit hashes, as libketama places them.
///
/// Disruption: minimal with equal weights.
#[derive(Clone, Debug)]
pub struct Ketama {
    points: Points,
}

impl Ketama {
    /// Points of a host on average.
    pub const POINTS_PER_HOST: u32 = 160;

    /// The continuum of libketama (RJ/ketama `libketama/ketama.c`, `ketama_create_continuum`).
    ///
    /// A host has `⌊share · 40 · n⌋` digests, its share of the weights rounded to single precision as there; digest k
    /// is the [`md5`](super::md5) of `HOST-k`, and each four of its bytes, little end first, are a point. A host whose
    /// share is below 1/(40 · n) has none. Of equal points the host given first stays in front; libketama leaves that
    /// to its sort. O(p) expected for p points.
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let total = total_weight(hosts) as f32;
        let mut points = Unplaced::new(hosts.len() * Self::POINTS_PER_HOST as usize);
        for (index, (host, weight)) in hosts.iter().enumerate() {
            let share = *weight as f32 / total;
            let digests = ((f64::from(share) * 40.0 * hosts.len() as f64) as f32).floor() as u32;
            for digest in 0..digests {
                for point in md5_words(format!("{host}-{digest}").as_bytes()) {
                    points.push(position(u64::from(point)), index as u32);
                }
            }
        }
        Ketama { points: Points::new(points) }
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes()
    }

    /// The host of the first point at the lower 32 bits of `hash`, or after; libketama hashes keys by
    /// [`HashFunction::Md5`](super::HashFunction::Md5). O(1) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.points.owner_at_or_after(position(hash))
    }

    /// The points in ascending order: hash, and index of the host.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (u32, usize)> {
        self.points.iter().map(|(position, host)| ((position >> 32) as u32, host))
    }
}

/// Where the lower 32 bits of a hash lie on the circle of 64 bits.
#[inline]
fn position(hash: u64) -> u64 {
    hash << 32
}

#[cfg(test)]
mod tests {
    use super::super::{HashFunction, md5};
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn a_million_keys_go_where_libketama_sends_them() {
        // RJ/ketama libketama/test.sh: the MD5 of what ketama_test prints for the servers in ketama.servers, which is
        // an empty line and then hash, point and server of the keys 0 to 999999.
        let hosts = [
            ("10.0.1.1:11211", 600),
            ("10.0.1.2:11211", 300),
            ("10.0.1.3:11211", 200),
            ("10.0.1.4:11211", 350),
            ("10.0.1.5:11211", 1000),
            ("10.0.1.6:11211", 800),
            ("10.0.1.7:11211", 950),
            ("10.0.1.8:11211", 100),
        ];
        let ketama = Ketama::new(&hosts);
        let mut printed = String::from("\n");
        for key in 0..1_000_000 {
            let hash = HashFunction::Md5.hash(key.to_string().as_bytes());
            let point = ketama.points.position(ketama.points.at_or_after(position(hash))) >> 32;
            writeln!(printed, "{hash} {point} {}", hosts[ketama.lookup(hash)].0).unwrap();
        }
        let hex: String = md5(printed.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5672b131391f5aa2b280936aec1eea74");
    }

    #[test]
    fn equal_hosts_have_160_points_each() {
        for n in [1_usize, 3, 7, 100] {
            let names: Vec<_> = (0..n).map(|i| format!("10.0.0.{i}:11211")).collect();
            let hosts: Vec<_> = names.iter().map(|name| (name.as_str(), 3)).collect();
            assert_eq!(Ketama::new(&hosts).points().len(), 160 * n, "n = {n}");
        }
    }
}
