//! nginx without a ring: `hash KEY` and `ip_hash`, which take a remainder of few bits by the sum of weights.
//!
//! Both walk down the list of servers with the remainder, and hash again for a retry. Of the hash little is used: 15
//! bits by the one, so that a key can be told apart from 32,768 others at most; a number below 6,271 by the other, from
//! the first three bytes of an address, so that a whole /24 of clients has the same server.

use super::Modulo;
use super::function::{CRC32_START, crc32, crc32_end, crc32_step};
use std::net::Ipv4Addr;

/// `hash KEY` of nginx, compatible with Cache::Memcached.
///
/// Disruption: nearly all keys on any change.
#[derive(Clone, Debug)]
pub struct NginxHash {
    servers: Modulo,
}

impl NginxHash {
    /// Lays `hosts` side by side in the order given. O(n).
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        NginxHash { servers: Modulo::new(hosts) }
    }

    /// Shares, one a host.
    pub fn entries(&self) -> usize {
        self.servers.entries()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.servers.bytes()
    }

    /// The host of a key whose [`crc32`] is the lower half of `hash`: bits 16 to 30 of it, modulo the sum of the
    /// weights (`src/http/modules/ngx_http_upstream_hash_module.c`, `ngx_http_upstream_get_hash_peer`). O(log n).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.servers.lookup(part(hash as u32))
    }

    /// The host for the `attempt`-th retry of `key`: to its hash those of `1KEY`, `2KEY` and so on are added, in nginx
    /// up to twenty times. It may be the same one. O(attempt · length + log n).
    pub fn lookup_key(&self, key: &[u8], attempt: u32) -> usize {
        self.servers.lookup(part(crc32(key)) + retries(key, attempt))
    }

    /// [`NginxHash::lookup_key`] where there is only a hash: the key of the retries is then its lower four bytes,
    /// little end first.
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        self.servers.lookup(part(hash as u32) + retries(&(hash as u32).to_le_bytes(), attempt))
    }
}

/// What the retries of `key` up to `attempt` add.
fn retries(key: &[u8], attempt: u32) -> u64 {
    let hash = |number: u32| {
        // The digits first, without asking for memory.
        let mut divisor = 1;
        while number / divisor >= 10 {
            divisor *= 10;
        }
        let mut register = CRC32_START;
        while divisor > 0 {
            register = crc32_step(register, &[b'0' + (number / divisor % 10) as u8]);
            divisor /= 10;
        }
        part(crc32_end(crc32_step(register, key)))
    };
    (1..=attempt).map(hash).sum()
}

/// What nginx uses of a checksum.
fn part(crc: u32) -> u64 {
    u64::from(crc >> 16 & 0x7fff)
}

/// `ip_hash` of nginx: by the first three bytes of the client's address.
///
/// Disruption: nearly all keys on any change; a server that is only marked as down keeps its share, and a retry moves
/// it.
#[derive(Clone, Debug)]
pub struct NginxIpHash {
    servers: Modulo,
}

impl NginxIpHash {
    /// Lays `hosts` side by side in the order given. O(n).
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        NginxIpHash { servers: Modulo::new(hosts) }
    }

    /// Shares, one a host.
    pub fn entries(&self) -> usize {
        self.servers.entries()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.servers.bytes()
    }

    /// The host of the client whose address is the lower half of `hash`, as
    /// [`HashFunction::Ipv4`](super::HashFunction::Ipv4) gives it. O(log n).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.lookup_attempt(hash, 0)
    }

    /// The host for the `attempt`-th retry: the bytes are hashed once more onto what they gave before
    /// (`src/http/modules/ngx_http_upstream_ip_hash_module.c`, `ngx_http_upstream_get_ip_hash_peer`), in nginx up to
    /// twenty times. It may be the same one. O(attempt + log n).
    #[inline]
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        let [a, b, c, _] = (hash as u32).to_be_bytes();
        let hash =
            (0..=attempt).flat_map(|_| [a, b, c]).fold(89, |hash: u64, byte| (hash * 113 + u64::from(byte)) % 6271);
        self.servers.lookup(hash)
    }
}

/// The IPv4 address that `text` is, as a number; zero when it is none, as nginx counts clients on Unix sockets. Its
/// rule for IPv6, all 16 bytes, is not modelled.
pub(super) fn ipv4(text: &[u8]) -> u32 {
    let address: Option<Ipv4Addr> = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    address.map_or(0, u32::from)
}

#[cfg(test)]
mod tests {
    use super::super::HashFunction;
    use super::*;

    #[test]
    fn keys_go_where_the_arithmetic_of_cache_memcached_sends_them() {
        // By hand, from the check value of CRC-32: crc32("123456789") = 0xcbf43926, of which 0x4bf4 = 19444 is used.
        for (servers, server) in [(2, 0), (3, 1), (7, 5), (100, 44)] {
            let hash = NginxHash::new(&vec![("host", 1); servers]);
            assert_eq!(hash.lookup(HashFunction::Crc32.hash(b"123456789")), server, "{servers} servers");
            assert_eq!(hash.lookup_key(b"123456789", 0), server, "{servers} servers");
        }
        // And of a retry: 19444 + the part of crc32("123456789") again, as the key "23456789" with a 1 before it.
        let hash = NginxHash::new(&[("a", 1); 100]);
        let first = (crc32(b"23456789") >> 16 & 0x7fff) as usize;
        assert_eq!(hash.lookup_key(b"23456789", 1), (first + 19_444) % 100);
        let twelve: u64 = (1..=12).map(|number| part(crc32(format!("{number}key").as_bytes()))).sum();
        assert_eq!(hash.lookup_key(b"key", 12), ((part(crc32(b"key")) + twelve) % 100) as usize);
    }

    #[test]
    fn of_a_checksum_fifteen_bits_are_used() {
        let hash = NginxHash::new(&vec![("host", 1); 40_000]);
        let most = (0..=u64::from(u32::MAX)).step_by(99_991).map(|crc| hash.lookup(crc)).max();
        assert!(most < Some(32_768), "{most:?}");
    }

    #[test]
    fn clients_go_where_the_arithmetic_of_ip_hash_sends_them() {
        // By hand: 89 · 113 + 10 = 10067 → 3796; 3796 · 113 + 0 = 428948 → 2520; 2520 · 113 + 1 = 284761 → 2566.
        let hash = NginxIpHash::new(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        assert_eq!(hash.lookup(HashFunction::Ipv4.hash(b"10.0.1.77")), 2566 % 4);
        assert_eq!(hash.lookup(HashFunction::Ipv4.hash(b"10.0.1.200")), 2566 % 4, "the same /24");
        // Once more: 2566 · 113 + 10 = 289968 → 1502; · 113 + 0 = 169726 → 409; · 113 + 1 = 46218 → 2321.
        assert_eq!(hash.lookup_attempt(HashFunction::Ipv4.hash(b"10.0.1.77"), 1), 2321 % 4);
        assert_eq!(HashFunction::Ipv4.hash(b"::1"), 0);
    }
}
