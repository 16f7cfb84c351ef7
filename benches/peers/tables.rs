//! Tables and formulas: Maglev, the hashes that number hosts, and anchor.

use super::{Contender, Fleet, Key, Visitor, Xxh64};
use balancer::hashing::{Anchor, Binomial, Jump, Maglev};
use maglev::ConsistentHasher as _;

pub(super) fn visit(visitor: &mut impl Visitor) {
    visitor.visit::<Maglev>();
    visitor.visit::<MaglevCrate>();
    visitor.visit::<HashRingsMaglev>();
    visitor.visit::<Jump>();
    visitor.visit::<Jumphash>();
    visitor.visit::<HashRingsJump>();
    visitor.visit::<Binomial>();
    visitor.visit::<Fliphash>();
    visitor.visit::<Anchor>();
    visitor.visit::<Anchorhash>();
}

/// Entries of a Maglev table: Envoy's number, and ten times as many where that is less than the hosts.
fn entries(fleet: &Fleet) -> u32 {
    if fleet.len() > 10_000 { 655_373 } else { Maglev::TABLE_SIZE }
}

impl Contender for Maglev {
    const FAMILY: &'static str = "maglev";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        Maglev::new(&fleet.equal, entries(fleet))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Maglev::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        *self = Maglev::new(&fleet.without(host), entries(fleet));
        *self = Contender::build(fleet);
    }
}

/// Why both Maglevs stop early.
const PERMUTATIONS: &str = "it writes down every host's order of the whole table: 0.5 GB at 1,000 hosts";

struct MaglevCrate(maglev::Maglev<u32, Xxh64>);

impl Contender for MaglevCrate {
    const FAMILY: &'static str = "maglev";
    const NAME: &'static str = "maglev";
    const LARGEST: (usize, &'static str) = (100, PERMUTATIONS);

    fn build(fleet: &'static Fleet) -> Self {
        let hosts = fleet.numbers.iter().copied();
        MaglevCrate(maglev::Maglev::with_capacity_and_hasher(hosts, entries(fleet) as usize, Xxh64::default()))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get(&key.bytes()).expect("there are hosts") as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        let hosts = fleet.numbers.iter().copied().filter(|number| *number != host as u32);
        *self = MaglevCrate(maglev::Maglev::with_capacity_and_hasher(hosts, entries(fleet) as usize, Xxh64::default()));
        *self = MaglevCrate::build(fleet);
    }
}

struct HashRingsMaglev(hash_rings::maglev::Ring<'static, u32>);

impl Contender for HashRingsMaglev {
    const FAMILY: &'static str = "maglev";
    const NAME: &'static str = "hash-rings";
    const LARGEST: (usize, &'static str) = (100, PERMUTATIONS);

    fn build(fleet: &'static Fleet) -> Self {
        let hosts = fleet.numbers.iter().collect();
        HashRingsMaglev(hash_rings::maglev::Ring::with_capacity_hint(hosts, entries(fleet) as usize))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        let hosts = fleet.numbers.iter().filter(|number| **number != host as u32).collect();
        *self = HashRingsMaglev(hash_rings::maglev::Ring::with_capacity_hint(hosts, entries(fleet) as usize));
        *self = HashRingsMaglev::build(fleet);
    }
}

impl Contender for Jump {
    const FAMILY: &'static str = "jump";
    const NAME: &'static str = "ours";
    const BUILT: bool = false;

    fn build(fleet: &'static Fleet) -> Self {
        Jump::new(&fleet.equal)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Jump::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, _: &'static Fleet, _: usize) {}
}

struct Jumphash {
    hasher: jumphash::CustomJumpHasher<Xxh64>,
    hosts: u32,
}

impl Contender for Jumphash {
    const FAMILY: &'static str = "jump";
    const NAME: &'static str = "jumphash";
    const BUILT: bool = false;

    fn build(fleet: &'static Fleet) -> Self {
        Jumphash { hasher: jumphash::CustomJumpHasher::new(Xxh64::default()), hosts: fleet.len() as u32 }
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        self.hasher.slot(key, self.hosts) as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, _: usize) {}
}

struct HashRingsJump(hash_rings::jump::Ring<Xxh64>);

impl Contender for HashRingsJump {
    const FAMILY: &'static str = "jump";
    const NAME: &'static str = "hash-rings";
    const BUILT: bool = false;

    fn build(fleet: &'static Fleet) -> Self {
        HashRingsJump(hash_rings::jump::Ring::with_hasher(Xxh64::default(), fleet.len() as u32))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, _: usize) {}
}

impl Contender for Binomial {
    const FAMILY: &'static str = "binomial";
    const NAME: &'static str = "ours";
    const BUILT: bool = false;

    fn build(fleet: &'static Fleet) -> Self {
        Binomial::new(&fleet.equal)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Binomial::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, _: &'static Fleet, _: usize) {}
}

struct Fliphash {
    last: u64,
}

impl Contender for Fliphash {
    const FAMILY: &'static str = "binomial";
    const NAME: &'static str = "fliphash";
    const BUILT: bool = false;

    fn build(fleet: &'static Fleet) -> Self {
        Fliphash { last: fleet.len() as u64 - 1 }
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        fliphash::fliphash_64(key.hash(), ..=self.last) as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, _: usize) {}
}

/// Places of an anchor: as many free as taken.
fn places(fleet: &Fleet) -> usize {
    2 * fleet.len()
}

impl Contender for Anchor {
    const FAMILY: &'static str = "anchor";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        Anchor::new(&fleet.equal, places(fleet) as u32)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Anchor::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        self.remove(host);
        assert_eq!(self.add(), Some(host));
    }
}

struct Anchorhash(anchorhash::AnchorHash<&'static Key, u32, Xxh64>);

impl Contender for Anchorhash {
    const FAMILY: &'static str = "anchor";
    const NAME: &'static str = "anchorhash";
    const LARGEST: (usize, &'static str) = (10_000, "it counts places in 16 bits");

    fn build(fleet: &'static Fleet) -> Self {
        let builder = anchorhash::Builder::with_hasher(Xxh64::default()).with_resources(fleet.numbers.iter().copied());
        Anchorhash(builder.build(places(fleet) as u16))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_resource(key).expect("there are hosts") as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        self.0.remove_resource(&(host as u32)).expect("it is there");
        self.0.add_resource(host as u32).expect("there is a place");
    }
}
