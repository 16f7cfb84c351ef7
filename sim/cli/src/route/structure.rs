//! The strategies that choose by key, behind one face: built from hosts and flags, asked, changed, dumped.

use super::input::Backend;
use crate::args::{KeyHash, RouteArgs};
use crate::stop::Stop;
use world::balancer::hashing::{
    Anchor, Dx, HashFunction, Jump, Ketama, Maglev, Memento, Modulo, MultiProbe, Nginx, Rendezvous, Ring,
};

/// The names, as in the table of `balancer::hashing`.
pub(crate) const NAMES: [&str; 11] =
    ["modulo", "ring", "ketama", "nginx", "maglev", "jump", "rendezvous", "multi_probe", "anchor", "dx", "memento"];

/// Most points of a ring without a configured maximum: 160 for each unit of weight or host.
const POINTS_MAX: u64 = 16_000_000;

/// Most turns of hosts in which a table of Maglev is filled: some ten seconds.
const TURNS_MAX: f64 = 5e9;

/// Whether the strategy of this name goes by weight.
pub(crate) fn is_weighted(name: &str) -> bool {
    matches!(name, "modulo" | "ring" | "ketama" | "nginx" | "maglev" | "rendezvous")
}

/// A change of hosts.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// The host at this index leaves.
    Without(usize),
    /// This one comes, as the last.
    With(Backend),
}

/// The function that hashes keys, and the points of `ring`.
pub(crate) fn function(name: &str, given: Option<KeyHash>) -> HashFunction {
    match (given, name) {
        (Some(KeyHash::Xxh64), _) => HashFunction::Xxh64,
        (Some(KeyHash::Murmur2), _) => HashFunction::Murmur2,
        (Some(KeyHash::Md5), _) | (None, "ketama") => HashFunction::Md5,
        (Some(KeyHash::Crc32), _) | (None, "nginx") => HashFunction::Crc32,
        (None, _) => HashFunction::Xxh64,
    }
}

/// A lookup structure.
pub(crate) enum Structure {
    Modulo(Modulo),
    Ring(Ring),
    Ketama(Ketama),
    Nginx(Nginx),
    Maglev(Maglev),
    Jump(Jump),
    Rendezvous(Rendezvous),
    MultiProbe(MultiProbe),
    Anchor(Anchor),
    Dx(Dx),
    Memento(Memento),
}

/// What can be seen of a structure.
pub(crate) enum Dump {
    /// The host of each entry.
    Table(Vec<usize>),
    /// The points in ascending order: hash and host.
    Ring(Vec<(u64, usize)>),
}

impl Structure {
    /// The structure of this name, one of [`NAMES`], as the flags want it.
    pub(crate) fn new(name: &str, backends: &[Backend], args: &RouteArgs) -> Result<Structure, Stop> {
        let hosts: Vec<(&str, u32)> = backends.iter().map(|one| (one.host.as_str(), one.weight)).collect();
        // Room for one more than there are, so that one can always come.
        let capacity = || match args.capacity.unwrap_or(2 * hosts.len() as u32) {
            capacity if (capacity as usize) < hosts.len() + usize::from(args.with.is_some()) => {
                Err(Stop::usage(format!("--capacity {capacity} has no room for all hosts")))
            }
            capacity => Ok(capacity),
        };
        Ok(match name {
            "modulo" => Structure::Modulo(Modulo::new(&hosts)),
            "ring" => {
                let least = args.min_ring.unwrap_or(*Ring::ENVOY_SIZE.start());
                let most = args.max_ring.unwrap_or(*Ring::ENVOY_SIZE.end());
                if least > most {
                    return Err(Stop::usage(format!("--min-ring {least} is above --max-ring {most}")));
                }
                Structure::Ring(Ring::envoy(&hosts, least..=most, function(name, args.hash)))
            }
            "ketama" => Structure::Ketama(Ketama::new(&hosts)),
            "nginx" => {
                let total: u64 = hosts.iter().map(|(_, weight)| u64::from(*weight)).sum();
                let most = POINTS_MAX / u64::from(Nginx::POINTS_PER_WEIGHT);
                if total > most {
                    return Err(Stop::usage(format!("the weights sum up to {total}; nginx takes up to {most} here"))
                        .help("each unit of weight is 160 points; divide the weights by what they have in common"));
                }
                Structure::Nginx(Nginx::new(&hosts))
            }
            "maglev" => Structure::Maglev(maglev(&hosts, args.table_size.unwrap_or(Maglev::TABLE_SIZE))?),
            "jump" => Structure::Jump(Jump::new(&hosts)),
            "rendezvous" => Structure::Rendezvous(Rendezvous::new(&hosts)),
            "multi_probe" => Structure::MultiProbe(MultiProbe::new(&hosts, args.probes.unwrap_or(MultiProbe::PROBES))),
            "anchor" => Structure::Anchor(Anchor::new(&hosts, capacity()?)),
            "dx" => Structure::Dx(Dx::new(&hosts, capacity()?)),
            "memento" => Structure::Memento(Memento::new(&hosts)),
            _ => unreachable!("`{name}` was looked up in the names"),
        })
    }

    /// The index of the host for `hash`.
    pub(crate) fn lookup(&self, hash: u64) -> usize {
        match self {
            Structure::Modulo(s) => s.lookup(hash),
            Structure::Ring(s) => s.lookup(hash),
            Structure::Ketama(s) => s.lookup(hash),
            Structure::Nginx(s) => s.lookup(hash),
            Structure::Maglev(s) => s.lookup(hash),
            Structure::Jump(s) => s.lookup(hash),
            Structure::Rendezvous(s) => s.lookup(hash),
            Structure::MultiProbe(s) => s.lookup(hash),
            Structure::Anchor(s) => s.lookup(hash),
            Structure::Dx(s) => s.lookup(hash),
            Structure::Memento(s) => s.lookup(hash),
        }
    }

    /// Entries, points or places that a lookup goes by.
    pub(crate) fn entries(&self) -> usize {
        match self {
            Structure::Modulo(s) => s.entries(),
            Structure::Ring(s) => s.entries(),
            Structure::Ketama(s) => s.entries(),
            Structure::Nginx(s) => s.entries(),
            Structure::Maglev(s) => s.entries(),
            Structure::Jump(s) => s.entries(),
            Structure::Rendezvous(s) => s.entries(),
            Structure::MultiProbe(s) => s.entries(),
            Structure::Anchor(s) => s.entries(),
            Structure::Dx(s) => s.entries(),
            Structure::Memento(s) => s.entries(),
        }
    }

    /// The memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Structure::Modulo(s) => s.bytes(),
            Structure::Ring(s) => s.bytes(),
            Structure::Ketama(s) => s.bytes(),
            Structure::Nginx(s) => s.bytes(),
            Structure::Maglev(s) => s.bytes(),
            Structure::Jump(s) => s.bytes(),
            Structure::Rendezvous(s) => s.bytes(),
            Structure::MultiProbe(s) => s.bytes(),
            Structure::Anchor(s) => s.bytes(),
            Structure::Dx(s) => s.bytes(),
            Structure::Memento(s) => s.bytes(),
        }
    }

    /// What it chooses for each of `hashes` after `change`. Indexes are those of before; a host that came has the next.
    pub(crate) fn after(
        mut self,
        change: &Change,
        name: &str,
        backends: &[Backend],
        args: &RouteArgs,
        hashes: &[u64],
    ) -> Result<Vec<usize>, Stop> {
        // Three are made to be changed in place and keep everybody's place; of the others, a change is a new one.
        let in_place = match (&mut self, change) {
            (Structure::Anchor(s), Change::Without(place)) => {
                s.remove(*place);
                true
            }
            (Structure::Dx(s), Change::Without(place)) => {
                s.remove(*place);
                true
            }
            (Structure::Memento(s), Change::Without(place)) => {
                s.remove(*place);
                true
            }
            (Structure::Anchor(s), Change::With(_)) => s.add().is_some(),
            (Structure::Dx(s), Change::With(_)) => s.add().is_some(),
            (Structure::Memento(s), Change::With(_)) => s.add() == backends.len(),
            _ => false,
        };
        if in_place {
            return Ok(hashes.iter().map(|hash| self.lookup(*hash)).collect());
        }
        let mut changed = backends.to_vec();
        let gone = match change {
            Change::Without(index) => {
                changed.remove(*index);
                *index
            }
            Change::With(one) => {
                changed.push(one.clone());
                usize::MAX
            }
        };
        let next = Structure::new(name, &changed, args)?;
        // Whoever stood behind the host that left has moved up by one.
        let index = |index: usize| index + usize::from(index >= gone);
        Ok(hashes.iter().map(|hash| index(next.lookup(*hash))).collect())
    }

    /// Its table or ring, if it is one.
    pub(crate) fn dump(&self) -> Option<Dump> {
        Some(match self {
            Structure::Maglev(s) => Dump::Table(s.table().collect()),
            Structure::Ring(s) => Dump::Ring(s.points().collect()),
            Structure::Ketama(s) => Dump::Ring(s.points().map(|(hash, host)| (u64::from(hash), host)).collect()),
            Structure::Nginx(s) => Dump::Ring(s.points().map(|(hash, host)| (u64::from(hash), host)).collect()),
            _ => return None,
        })
    }
}

/// A table, unless it would take minutes: in each round of turns every host is looked at, and where one host weighs nearly
/// everything, it alone takes an entry in most of them.
fn maglev(hosts: &[(&str, u32)], size: u32) -> Result<Maglev, Stop> {
    let weights = || hosts.iter().map(|(_, weight)| f64::from(*weight));
    let rounds = f64::from(size) * weights().fold(0.0, f64::max) / weights().sum::<f64>();
    if rounds * hosts.len() as f64 > TURNS_MAX {
        return Err(Stop::usage(format!(
            "{} hosts of such uneven weights take too long in a table of {size}",
            hosts.len()
        ))
        .help("a smaller --table-size, or weights closer to each other"));
    }
    Ok(Maglev::new(hosts, size))
}
