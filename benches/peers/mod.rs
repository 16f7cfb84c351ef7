//! What is compared: our structures and strategies, and beside each the crates that do the same.
//!
//! A [`Contender`] is one of them behind the four things that are measured. Families compare like with like: the same
//! hosts, the same number of points, probes, places or table entries, and the same keys.
//!
//! What keeps it fair:
//!
//! - A key is sixteen bytes, and hashing it is part of every lookup, ours and theirs. A crate that takes a hash
//!   function is given [`xxh64`], which is ours; one that does not uses its own.
//! - Where a crate takes hosts of any type it is given a number, which is the cheapest host there is to hash, compare
//!   and return. Ours are always built from names.
//! - A lookup gives the number of a host.

mod picks;
mod rings;
mod scores;
mod tables;

use balancer::hashing::xxh64;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr};

/// How many hosts.
pub(crate) const SIZES: [usize; 6] = [3, 10, 100, 1_000, 10_000, 100_000];

/// One of those that are compared.
pub(crate) trait Contender: Sized + 'static {
    /// Who it is compared with: `ring`, `p2c`.
    const FAMILY: &'static str;
    /// The crate, or `ours` first and then a dot and what of ours.
    const NAME: &'static str;
    /// The most hosts it is measured with, and why not with more.
    const LARGEST: (usize, &'static str) = (usize::MAX, "");
    /// Whether there is something to build and to change; a formula has nothing.
    const BUILT: bool = true;

    /// Makes it for all hosts of `fleet`.
    fn build(fleet: &'static Fleet) -> Self;

    /// The number of the host for `key`. Strategies that choose without a key choose once.
    fn lookup(&mut self, key: &'static Key) -> usize;

    /// The host numbered `host` leaves, and then comes back.
    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize);
}

/// Something that is done to every contender.
pub(crate) trait Visitor {
    fn visit<C: Contender>(&mut self);
}

/// Shows `visitor` all contenders, families together and ours first in each.
pub(crate) fn visit_all(visitor: &mut impl Visitor) {
    rings::visit(visitor);
    tables::visit(visitor);
    scores::visit(visitor);
    picks::visit(visitor);
}

/// A key as it comes with a request: `key-` and twelve digits.
pub(crate) struct Key([u8; 16]);

impl Key {
    /// `count` keys that live as long as the program.
    pub(crate) fn many(count: usize) -> &'static [Key] {
        let key = |i: usize| Key(format!("key-{i:012}").into_bytes().try_into().expect("sixteen bytes"));
        Box::leak((0..count).map(key).collect())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What our structures look up.
    pub(crate) fn hash(&self) -> u64 {
        xxh64(&self.0, 0)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The bytes alone, without the length that the standard library's arrays add.
        state.write(&self.0);
    }
}

/// Our hash function for crates that take one: [`xxh64`] of what is written, seeded with what was written before.
#[derive(Clone, Copy, Default)]
pub(crate) struct Xxh64(u64);

impl Hasher for Xxh64 {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh64(bytes, self.0);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl BuildHasher for Xxh64 {
    type Hasher = Xxh64;

    fn build_hasher(&self) -> Xxh64 {
        *self
    }
}

/// Hosts in every form that somebody wants them in.
pub(crate) struct Fleet {
    /// `10.0.0.1:8080`, for who hashes names.
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<SocketAddr>,
    /// 0, 1, 2 and so on, for who borrows hosts.
    pub(crate) numbers: Vec<u32>,
    /// One to five, in turn; for families that weigh.
    pub(crate) weights: Vec<u32>,
    /// Names with weight one.
    pub(crate) equal: Vec<(&'static str, u32)>,
}

impl Fleet {
    /// `size` hosts that live as long as the program.
    pub(crate) fn of(size: usize) -> &'static Fleet {
        let numbers: Vec<u32> = (0..size as u32).collect();
        let address = |n: &u32| SocketAddr::from((Ipv4Addr::from((10 << 24) + n), 8080));
        let addresses: Vec<SocketAddr> = numbers.iter().map(address).collect();
        let names: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        let fleet: &'static mut Fleet = Box::leak(Box::new(Fleet {
            names,
            addresses,
            weights: numbers.iter().map(|n| n % 5 + 1).collect(),
            numbers,
            equal: Vec::new(),
        }));
        let names: &'static [String] = fleet.names.clone().leak();
        fleet.equal = names.iter().map(|name| (name.as_str(), 1)).collect();
        fleet
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Names with weight one, without the host numbered `host`.
    pub(crate) fn without(&self, host: usize) -> Vec<(&'static str, u32)> {
        self.equal[..host].iter().chain(&self.equal[host + 1..]).copied().collect()
    }
}
