//! The ring of nginx: `hash KEY consistent`.
//!
//! It is called ketama there, and shares the 160 points a host with it, but nothing else: points come from CRC-32, each
//! hashed from the one before, and their number depends on a host's own weight alone. pingora-ketama computes the same.

use super::function::{CRC32_START, crc32_end, crc32_step};
use super::points::{Points, Unplaced};
use super::{check, total_weight};

/// Points of hosts on a circle of 32-bit hashes, as nginx places them.
///
/// Disruption: minimal, on any change of hosts or weights.
#[derive(Clone, Debug)]
pub struct Nginx {
    points: Points,
}

impl Nginx {
    /// How many points a host has for each unit of weight.
    pub const POINTS_PER_WEIGHT: u32 = 160;

    /// The points of nginx (`src/http/modules/ngx_http_upstream_hash_module.c`, `ngx_http_upstream_init_chash`).
    ///
    /// A name splits at its last colon, if only digits follow, into address and port; `unix:` in front is left away. A
    /// point is the [`crc32`](super::crc32) of the address, a zero byte, the port if there is one, and the host's point
    /// before in four bytes, little end first; zero before the first. Of equal points only one stays, here of the host
    /// given first; nginx leaves which to its sort. O(p) expected for p points.
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let mut points = Unplaced::new(total_weight(hosts) as usize * Self::POINTS_PER_WEIGHT as usize);
        for (index, (host, weight)) in hosts.iter().enumerate() {
            let (address, port) = split(host);
            let stem = [address, "\0", port].iter().fold(CRC32_START, |crc, part| crc32_step(crc, part.as_bytes()));
            let mut before = 0_u32;
            for _ in 0..u64::from(*weight) * u64::from(Self::POINTS_PER_WEIGHT) {
                before = crc32_end(crc32_step(stem, &before.to_le_bytes()));
                points.push(u64::from(before) << 32, index as u32);
            }
        }
        Nginx { points: Points::deduplicated(points) }
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes()
    }

    /// The host of the first point at the lower 32 bits of `hash`, or after; nginx hashes keys by
    /// [`HashFunction::Crc32`](super::HashFunction::Crc32). O(1) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.points.owner_at_or_after(hash << 32)
    }

    /// The host `attempt` points further on: who is asked when those before cannot be. It may be the same one.
    #[inline]
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        let place = self.points.at_or_after(hash << 32);
        self.points.owner(self.points.further(place, attempt as usize))
    }

    /// The points in ascending order: hash, and index of the host.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (u32, usize)> {
        self.points.iter().map(|(position, host)| ((position >> 32) as u32, host))
    }
}

/// Address and port of a server's name, as nginx takes them apart.
fn split(host: &str) -> (&str, &str) {
    if let Some(path) = host.strip_prefix("unix:") {
        return (path, "");
    }
    match host.rsplit_once(':') {
        Some((address, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (address, port),
        _ => (host, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::HashFunction;
    use super::*;

    fn lookup(nginx: &Nginx, key: &str) -> usize {
        nginx.lookup(HashFunction::Crc32.hash(key.as_bytes()))
    }

    #[test]
    fn keys_go_where_nginx_sends_them() {
        // cloudflare/pingora pingora-ketama/src/lib.rs, matches_nginx_sample: answers of an nginx.
        let nginx = Nginx::new(&[("127.0.0.1:7777", 1), ("127.0.0.1:7778", 1)]);
        for (key, host) in [
            ("/some/path", 1),
            ("/some/longer/path", 0),
            ("/sad/zaidoon", 1),
            ("/g", 0),
            ("/pingora/team/is/cool/and/this/is/a/long/uri", 1),
            ("/i/am/not/confident/in/this/code", 0),
        ] {
            assert_eq!(lookup(&nginx, key), host, "{key}");
        }
    }

    #[test]
    fn keys_go_where_an_nginx_with_weights_sends_them() {
        // cloudflare/pingora pingora-ketama/test-data/sample-nginx-upstream.csv, its first lines: the log of an nginx
        // with nine servers of weight 100.
        let names: Vec<_> = (1..=9).map(|i| format!("10.0.0.{i}:443")).collect();
        let hosts: Vec<_> = names.iter().map(|name| (name.as_str(), 100)).collect();
        let nginx = Nginx::new(&hosts);
        for (key, server) in [
            ("/81fa1d251d605775d647b5b55565e71526d4cef6", 7),
            ("/2fec328e6ccdda6a7edf329f9f780e546ea183b4", 5),
            ("/19fb835d90883a6263ec4279c6da184e3f1a79b2", 4),
            ("/da7a88e542f7aaddc074f988164b9df7e5f7fea6", 4),
            ("/8f87cfd8005306643b6528b3d4125cf005139a7e", 5),
            ("/26d2769eab098458bc3e4e641a4b7d8abffd0aea", 6),
            ("/aa5b5323980f2d3e21246212ebd820c3949c1e88", 7),
            ("/d9c4bc3cc4517c629e8f4c911c2fd8baf260ae65", 1),
            ("/28c1c069a2904bb3b3e0f9731b1ff8de9ab7a76d", 4),
            ("/fe5199bdfeee5cd431ae7e9f77f178164f9995a0", 9),
            ("/43992eee187920c5e8695332f71ca6e23ef6ac4b", 3),
            ("/38528aab753a6f32de86b5a7acdbb0c885137a81", 9),
            ("/12d4b9155ff599c0ac554226796b58a2278b450f", 7),
            ("/9c34c9a4f9009997dd29c6e6a627b0aca7beb6e5", 5),
            ("/eb5a2ab55796afd673874fd7560f1329be5540bd", 9),
            ("/ad7b5395766b77098c3f212043650a805b622ffe", 3),
        ] {
            assert_eq!(names[lookup(&nginx, key)], format!("10.0.0.{server}:443"), "{key}");
        }
    }

    #[test]
    fn the_walk_along_the_ring_is_that_of_pingora() {
        // cloudflare/pingora pingora-ketama/src/lib.rs, node_iter: ports from the place of "doghash" on.
        let nginx = Nginx::new(&[("127.0.0.1:7777", 1), ("127.0.0.1:7778", 1), ("127.0.0.1:7779", 1)]);
        let hash = HashFunction::Crc32.hash(b"doghash");
        let ports: Vec<_> = (0..8).map(|attempt| 7777 + nginx.lookup_attempt(hash, attempt)).collect();
        assert_eq!(ports, [7778, 7779, 7779, 7777, 7777, 7778, 7778, 7779]);
        // consistency_after_adding_host, there too.
        for n in [10, 11] {
            let names: Vec<_> = (1..=n).map(|i| format!("127.0.0.{i}:6443")).collect();
            let hosts: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
            let nginx = Nginx::new(&hosts);
            assert_eq!(names[lookup(&nginx, "a")], "127.0.0.10:6443", "{n} hosts");
            assert_eq!(names[lookup(&nginx, "b")], "127.0.0.5:6443", "{n} hosts");
        }
    }

    #[test]
    fn names_come_apart_as_in_nginx() {
        for (name, parts) in [
            ("10.0.0.1:80", ("10.0.0.1", "80")),
            ("10.0.0.1", ("10.0.0.1", "")),
            ("[::1]:80", ("[::1]", "80")),
            ("[::1]", ("[::1]", "")),
            ("backend", ("backend", "")),
            ("unix:/run/a:80", ("/run/a:80", "")),
        ] {
            assert_eq!(split(name), parts, "{name}");
        }
    }
}
