//! The ring of nginx: `hash KEY consistent`.
//!
//! It is called ketama there, and shares the 160 points a host with it, but nothing else: points come from CRC-32, each
//! hashed from the one before, and their number depends on a host's own weight alone. pingora-ketama computes the same.

use super::function::{CRC32_START, crc32_end, crc32_step};
use super::points::{Points, Unplaced};
use super::{check, total_weight};
use std::collections::BTreeSet;

/// Points of hosts on a circle of 32-bit hashes, as nginx places them.
///
/// Disruption: minimal, on any change of hosts or weights. A host may come and go: it is known by an index, which stays
/// its own while others come and go.
#[derive(Clone, Debug)]
pub struct Nginx {
    points: Points,
    /// Points that are not on the ring because one of a lesser index is there already: position and index.
    hidden: BTreeSet<(u64, u32)>,
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
            positions(host).take(count_of(*weight)).for_each(|position| points.push(position, index as u32));
        }
        let (points, hidden) = Points::deduplicated(points);
        Nginx { points, hidden: hidden.into_iter().collect() }
    }

    /// `host` comes, to be known by `index`, which nobody is known by. O(points of the host) expected. Panics when
    /// `weight` is zero.
    pub fn insert(&mut self, index: usize, host: &str, weight: u32) {
        check(&[(host, weight)]);
        positions(host).take(count_of(weight)).for_each(|position| self.put(position, index as u32));
    }

    /// The host known by `index` leaves, which came as `host` with `weight`. O(points of the host) expected. Panics
    /// when it is the last one.
    pub fn remove(&mut self, index: usize, host: &str, weight: u32) {
        positions(host).take(count_of(weight)).for_each(|position| self.take_away(position, index as u32));
        assert!(self.points.owner(self.points.at_or_after(0)) != index, "the last host cannot leave");
    }

    /// The host known by `index`, which came as `host`, has the weight `to` from now on instead of `from`; how many
    /// points that wrote. O(points of the host) expected.
    pub fn weigh(&mut self, index: usize, host: &str, from: u32, to: u32) -> usize {
        let (from, to) = (count_of(from), count_of(to));
        positions(host).take(to).skip(from).for_each(|position| self.put(position, index as u32));
        positions(host).take(from).skip(to).for_each(|position| self.take_away(position, index as u32));
        from.abs_diff(to)
    }

    fn put(&mut self, position: u64, index: u32) {
        match self.points.owner_at(position) {
            Some(owner) if owner < index => drop(self.hidden.insert((position, index))),
            Some(owner) if owner == index => {}
            before => {
                self.points.insert(position, index);
                if let Some(owner) = before {
                    self.points.remove(position, owner);
                    self.hidden.insert((position, owner));
                }
            }
        }
    }

    fn take_away(&mut self, position: u64, index: u32) {
        if self.hidden.remove(&(position, index)) || self.points.owner_at(position) != Some(index) {
            return;
        }
        // Whoever was behind it comes first, so that the ring is never without a point.
        if let Some(next) = self.hidden.range((position, 0)..=(position, u32::MAX)).next().copied() {
            self.hidden.remove(&next);
            self.points.insert(position, next.1);
        }
        self.points.remove(position, index);
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes() + self.hidden.len() * size_of::<(u64, u32)>()
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

/// The positions of a host's points, one after the other, without end.
fn positions(host: &str) -> impl Iterator<Item = u64> {
    let (address, port) = split(host);
    let stem = [address, "\0", port].iter().fold(CRC32_START, |crc, part| crc32_step(crc, part.as_bytes()));
    let next = move |before: &u32| Some(crc32_end(crc32_step(stem, &before.to_le_bytes())));
    std::iter::successors(next(&0), next).map(|hash| u64::from(hash) << 32)
}

/// How many points a host of `weight` has.
fn count_of(weight: u32) -> usize {
    weight as usize * Nginx::POINTS_PER_WEIGHT as usize
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
    fn who_comes_and_goes_leaves_the_ring_of_those_who_are_there() {
        // 384,000 points of 32 bits: some seventeen pairs are equal.
        let names: Vec<_> = (0..60).map(|i| format!("10.0.0.{i}:443")).collect();
        let hosts: Vec<_> = names.iter().map(|name| (name.as_str(), 40)).collect();
        let all = Nginx::new(&hosts);
        assert!(all.hidden.len() > 5, "{} pairs are equal", all.hidden.len());
        let mut ring = Nginx::new(&hosts[..1]);
        for (index, (host, weight)) in hosts.iter().enumerate().skip(1).rev() {
            ring.insert(index, host, 1);
            assert_eq!(ring.weigh(index, host, 1, *weight), 39 * 160);
        }
        assert!(ring.points().eq(all.points()) && ring.hidden == all.hidden);
        for index in (0..60).step_by(2) {
            ring.weigh(index, hosts[index].0, 40, 3);
            ring.remove(index, hosts[index].0, 3);
        }
        let odd: Vec<_> = hosts.iter().copied().skip(1).step_by(2).collect();
        assert!(ring.points().eq(Nginx::new(&odd).points().map(|(hash, index)| (hash, 2 * index + 1))));
    }

    #[test]
    #[should_panic(expected = "the last host cannot leave")]
    fn the_last_host_stays() {
        Nginx::new(&[("a:80", 1)]).remove(0, "a:80", 1);
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
