//! Rendezvous: a score for every host, and the highest wins.

use super::{Contender, Fleet, Key, Visitor, Xxh64};
use balancer::hashing::Rendezvous;
use rendezvous_hash::{IdNode, NodeHasher, RendezvousNodes};
use std::hash::{BuildHasher as _, Hash};

pub(super) fn visit(visitor: &mut impl Visitor) {
    visitor.visit::<Rendezvous>();
    visitor.visit::<RendezvousHash>();
    visitor.visit::<HashRingsRendezvous>();
    visitor.visit::<HashRingsCarp>();
    visitor.visit::<WeightedRendezvous>();
    visitor.visit::<HrwHash>();
    visitor.visit::<HashRingsWeightedRendezvous>();
}

impl Contender for Rendezvous {
    const FAMILY: &'static str = "rendezvous";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        Rendezvous::new(&fleet.equal)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        Rendezvous::lookup(self, key.hash())
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.remove(host);
        self.insert(host, &fleet.names[host], 1);
    }
}

struct RendezvousHash(RendezvousNodes<IdNode<u32>, Xxh64>);

impl NodeHasher<u32> for Xxh64 {
    fn hash<T: Hash>(&self, node: &u32, item: &T) -> u64 {
        self.hash_one((item, node))
    }
}

impl Contender for RendezvousHash {
    const FAMILY: &'static str = "rendezvous";
    const NAME: &'static str = "rendezvous_hash";

    fn build(fleet: &'static Fleet) -> Self {
        let mut nodes = RendezvousNodes::new(Xxh64::default());
        for host in &fleet.numbers {
            nodes.insert(IdNode::new(*host));
        }
        RendezvousHash(nodes)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        **self.0.calc_candidates(key).next().expect("there are hosts") as usize
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        self.0.remove(&(host as u32));
        self.0.insert(IdNode::new(host as u32));
    }
}

struct HashRingsRendezvous(hash_rings::rendezvous::Ring<'static, u32, Xxh64>);

impl Contender for HashRingsRendezvous {
    const FAMILY: &'static str = "rendezvous";
    const NAME: &'static str = "hash-rings";

    fn build(fleet: &'static Fleet) -> Self {
        let mut ring = hash_rings::rendezvous::Ring::with_hasher(Xxh64::default());
        for host in &fleet.numbers {
            ring.insert_node(host, 1);
        }
        HashRingsRendezvous(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove_node(&fleet.numbers[host]);
        self.0.insert_node(&fleet.numbers[host], 1);
    }
}

struct HashRingsCarp(hash_rings::carp::Ring<'static, u32, Xxh64>);

impl Contender for HashRingsCarp {
    const FAMILY: &'static str = "rendezvous";
    const NAME: &'static str = "hash-rings.carp";

    fn build(fleet: &'static Fleet) -> Self {
        let nodes = fleet.numbers.iter().map(|host| hash_rings::carp::Node::new(host, 1.0)).collect();
        HashRingsCarp(hash_rings::carp::Ring::with_hasher(Xxh64::default(), nodes))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove_node(&fleet.numbers[host]);
        self.0.insert_node(hash_rings::carp::Node::new(&fleet.numbers[host], 1.0));
    }
}

/// Our rendezvous with weights that differ, which is another calculation.
struct WeightedRendezvous(Rendezvous);

impl WeightedRendezvous {
    fn hosts(fleet: &'static Fleet) -> Vec<(&'static str, u32)> {
        fleet.equal.iter().zip(&fleet.weights).map(|((name, _), weight)| (*name, *weight)).collect()
    }
}

impl Contender for WeightedRendezvous {
    const FAMILY: &'static str = "weighted_rendezvous";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        WeightedRendezvous(Rendezvous::new(&WeightedRendezvous::hosts(fleet)))
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        self.0.lookup(key.hash())
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove(host);
        self.0.insert(host, &fleet.names[host], fleet.weights[host]);
    }
}

struct HrwHash(hrw_hash::HrwNodes<Weighted, Xxh64>);

#[derive(PartialEq, Eq)]
struct Weighted {
    host: u32,
    weight: u32,
}

impl Hash for Weighted {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u32(self.host);
    }
}

impl hrw_hash::HrwNode for Weighted {
    fn capacity(&self) -> usize {
        self.weight as usize
    }
}

impl HrwHash {
    fn of(fleet: &'static Fleet, without: Option<usize>) -> Self {
        let hosts = fleet.numbers.iter().zip(&fleet.weights).filter(|(host, _)| Some(**host as usize) != without);
        let hosts = hosts.map(|(host, weight)| Weighted { host: *host, weight: *weight });
        HrwHash(hrw_hash::HrwNodes::with_build_hasher(Xxh64::default(), hosts))
    }
}

impl Contender for HrwHash {
    const FAMILY: &'static str = "weighted_rendezvous";
    const NAME: &'static str = "hrw-hash";

    fn build(fleet: &'static Fleet) -> Self {
        HrwHash::of(fleet, None)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        self.0.sorted(key).next().expect("there are hosts").host as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        *self = HrwHash::of(fleet, Some(host));
        *self = HrwHash::of(fleet, None);
    }
}

struct HashRingsWeightedRendezvous(hash_rings::weighted_rendezvous::Ring<'static, u32, Xxh64>);

impl Contender for HashRingsWeightedRendezvous {
    const FAMILY: &'static str = "weighted_rendezvous";
    const NAME: &'static str = "hash-rings";

    fn build(fleet: &'static Fleet) -> Self {
        let mut ring = hash_rings::weighted_rendezvous::Ring::with_hasher(Xxh64::default());
        for (host, weight) in fleet.numbers.iter().zip(&fleet.weights) {
            ring.insert_node(host, f64::from(*weight));
        }
        HashRingsWeightedRendezvous(ring)
    }

    fn lookup(&mut self, key: &'static Key) -> usize {
        *self.0.get_node(key) as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        self.0.remove_node(&fleet.numbers[host]);
        self.0.insert_node(&fleet.numbers[host], f64::from(fleet.weights[host]));
    }
}
