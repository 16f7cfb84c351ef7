//! Circles: hosts at many points and keys at one, or hosts at one and keys at many.

use super::{Contender, Fleet, Key, Visitor, Xxh64};
use balancer::hashing::{HashFunction, MultiProbe, Nginx, Ring, crc32};
use std::hash::Hash;

pub(super) fn visit(visitor: &mut impl Visitor) {
    visitor.visit::<Ring>();
    visitor.visit::<Hashring>();
    visitor.visit::<Conhash>();
    visitor.visit::<ConsistentHashRing>();
    visitor.visit::<HashRingsConsistent>();
    visitor.visit::<Nginx>();
    visitor.visit::<PingoraKetama>();
    visitor.visit::<MultiProbe>();
    visitor.visit::<Mpchash>();
    visitor.visit::<HashRingsMultiProbe>();
}

/// Points a host: 160 as everywhere, and a tenth of that for the largest fleet, which would have 16 million.
fn points(fleet: &Fleet) -> u32 {
    if fleet.len() > 10_000 { 16 } else { 160 }
}

impl Contender for Ring {
    const FAMILY: &'static str = "ring";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        Ring::fixed(&fleet.equal, points(fleet), HashFunction::Xxh64)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Ring::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.remove(host, &fleet.names[host], 1);
        self.insert(host, &fleet.names[host], 1);
    }
}

struct Hashring(hashring::HashRing<Point, Xxh64>);

/// A virtual node, as the crate's documentation suggests.
#[derive(Clone, Copy, Hash, PartialEq)]
struct Point {
    host: u32,
    number: u32,
}

impl Point {
    fn all(fleet: &Fleet, host: u32) -> impl Iterator<Item = Point> {
        (0..points(fleet)).map(move |number| Point { host, number })
    }
}

impl Contender for Hashring {
    const FAMILY: &'static str = "ring";
    const NAME: &'static str = "hashring";

    fn build(fleet: &'static Fleet) -> Self {
        let mut ring = hashring::HashRing::with_hasher(Xxh64::default());
        ring.batch_add(fleet.numbers.iter().flat_map(|host| Point::all(fleet, *host)).collect());
        Hashring(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        self.0.get(key).expect("there are hosts").host as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        for point in Point::all(fleet, host as u32) {
            self.0.remove(&point);
        }
        self.0.batch_add(Point::all(fleet, host as u32).collect());
    }
}

struct Conhash(conhash::ConsistentHash<Named>);

#[derive(Clone)]
struct Named(u32);

impl conhash::Node for Named {
    fn name(&self) -> String {
        self.0.to_string()
    }
}

impl Contender for Conhash {
    const FAMILY: &'static str = "ring";
    const NAME: &'static str = "conhash";

    fn build(fleet: &'static Fleet) -> Self {
        // Big end first, so that its order of bytes is the order of hashes.
        let mut ring =
            conhash::ConsistentHash::with_hash(|bytes| HashFunction::Xxh64.hash(bytes).to_be_bytes().to_vec());
        for host in &fleet.numbers {
            ring.add(&Named(*host), points(fleet) as usize);
        }
        Conhash(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        self.0.get(key.bytes()).expect("there are hosts").0 as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove(&Named(host as u32));
        self.0.add(&Named(host as u32), points(fleet) as usize);
    }
}

struct ConsistentHashRing(consistent_hash_ring::Ring<u32, Xxh64>);

impl Contender for ConsistentHashRing {
    const FAMILY: &'static str = "ring";
    const NAME: &'static str = "consistent_hash_ring";
    const LARGEST: (usize, &'static str) =
        (100, "it moves half the ring for every point that it inserts: building takes half a minute at 1,000");

    fn build(fleet: &'static Fleet) -> Self {
        let builder = consistent_hash_ring::RingBuilder::new(Xxh64::default()).vnodes(points(fleet) as usize);
        ConsistentHashRing(builder.nodes(&fleet.numbers).build())
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get(key) as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        self.0.remove(&(host as u32));
        self.0.insert(host as u32);
    }
}

struct HashRingsConsistent(hash_rings::consistent::Ring<'static, u32, Xxh64>);

impl Contender for HashRingsConsistent {
    const FAMILY: &'static str = "ring";
    const NAME: &'static str = "hash-rings";

    fn build(fleet: &'static Fleet) -> Self {
        let mut ring = hash_rings::consistent::Ring::with_hasher(Xxh64::default());
        for host in &fleet.numbers {
            ring.insert_node(host, points(fleet) as usize);
        }
        HashRingsConsistent(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove_node(&fleet.numbers[host]);
        self.0.insert_node(&fleet.numbers[host], points(fleet) as usize);
    }
}

impl Contender for Nginx {
    const FAMILY: &'static str = "nginx_ring";
    const NAME: &'static str = "ours";
    const LARGEST: (usize, &'static str) = (10_000, "pingora-ketama, with which it is compared, goes no further");

    fn build(fleet: &'static Fleet) -> Self {
        Nginx::new(&fleet.equal)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Nginx::lookup(self, u64::from(crc32(key.bytes())))
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.remove(host, &fleet.names[host], 1);
        self.insert(host, &fleet.names[host], 1);
    }
}

struct PingoraKetama(pingora_ketama::Continuum);

impl PingoraKetama {
    fn of<'a>(addresses: impl Iterator<Item = &'a std::net::SocketAddr>) -> Self {
        let buckets: Vec<_> = addresses.map(|address| pingora_ketama::Bucket::new(*address, 1)).collect();
        PingoraKetama(pingora_ketama::Continuum::new(&buckets))
    }
}

impl Contender for PingoraKetama {
    const FAMILY: &'static str = "nginx_ring";
    const NAME: &'static str = "pingora-ketama";
    const LARGEST: (usize, &'static str) =
        (10_000, "it numbers hosts in 16 bits and takes one for another above 65,536");

    fn build(fleet: &'static Fleet) -> Self {
        PingoraKetama::of(fleet.addresses.iter())
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        match self.0.node(key.bytes()).expect("there are hosts") {
            std::net::SocketAddr::V4(address) => (u32::from(*address.ip()) - (10 << 24)) as usize,
            std::net::SocketAddr::V6(_) => unreachable!("no host has such an address"),
        }
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        *self = PingoraKetama::of(fleet.addresses[..host].iter().chain(&fleet.addresses[host + 1..]));
        *self = PingoraKetama::build(fleet);
    }
}

/// The number of probes that mpchash has built in.
const PROBES: u32 = mpchash::DEFAULT_PROBE_COUNT as u32;

impl Contender for MultiProbe {
    const FAMILY: &'static str = "multi_probe";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        MultiProbe::new(&fleet.equal, PROBES)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        MultiProbe::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.remove(host, &fleet.names[host]);
        self.insert(host, &fleet.names[host]);
    }
}

struct Mpchash(mpchash::HashRing<u32>);

impl Contender for Mpchash {
    const FAMILY: &'static str = "multi_probe";
    const NAME: &'static str = "mpchash";

    fn build(fleet: &'static Fleet) -> Self {
        let ring = mpchash::HashRing::new();
        for host in &fleet.numbers {
            ring.add(*host);
        }
        Mpchash(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.node(key).expect("there are hosts").node() as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        self.0.remove(&(host as u32));
        self.0.add(host as u32);
    }
}

struct HashRingsMultiProbe(hash_rings::mpc::Ring<'static, u32, Xxh64>);

impl Contender for HashRingsMultiProbe {
    const FAMILY: &'static str = "multi_probe";
    const NAME: &'static str = "hash-rings";

    fn build(fleet: &'static Fleet) -> Self {
        let mut ring = hash_rings::mpc::Ring::with_hasher(Xxh64::default(), u64::from(PROBES));
        for host in &fleet.numbers {
            ring.insert_node(host);
        }
        HashRingsMultiProbe(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove_node(&fleet.numbers[host]);
        self.0.insert_node(&fleet.numbers[host]);
    }
}
