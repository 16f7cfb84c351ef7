//! From the flags of the command line to a structure that looks keys up, and what a change of hosts does to it.

use super::input::Backend;
use crate::args::{KeyHash, RouteArgs};
use crate::stop::Stop;
use world::balancer::Strategy;
use world::balancer::hashing::{BoundedLoad, Dump, HashFunction, Kind, Structure};
use world::balancer::strategy::catalogue;

/// Those with a table or a ring to show.
pub(crate) const DUMPED: [&str; 8] =
    ["haproxy_map", "ring", "karger", "ketama", "nginx", "haproxy", "dubbo_consistent_hash", "maglev"];

/// A flag that is a parameter of strategies.
pub(crate) struct Flag {
    /// With its dashes.
    pub(crate) name: &'static str,
    /// What a scenario calls the parameter.
    pub(crate) sets: &'static str,
    /// Whose it is.
    pub(crate) of: &'static [&'static str],
    pub(crate) is_given: fn(&RouteArgs) -> bool,
}

/// All of them.
pub(crate) const FLAGS: [Flag; 7] = [
    Flag { name: "--min-ring", sets: "min_ring_size", of: &["ring"], is_given: |args| args.min_ring.is_some() },
    Flag { name: "--max-ring", sets: "max_ring_size", of: &["ring"], is_given: |args| args.max_ring.is_some() },
    Flag {
        name: "--points",
        sets: "points",
        of: &["karger", "dubbo_consistent_hash"],
        is_given: |args| args.points.is_some(),
    },
    Flag { name: "--table-size", sets: "table_size", of: &["maglev"], is_given: |args| args.table_size.is_some() },
    Flag { name: "--probes", sets: "probes", of: &["multi_probe"], is_given: |args| args.probes.is_some() },
    Flag {
        name: "--balance-factor",
        sets: "balance_factor",
        of: &["ring", "maglev", "haproxy"],
        is_given: |args| args.balance_factor.is_some(),
    },
    Flag { name: "--capacity", sets: "capacity", of: &["anchor", "dx"], is_given: |args| args.capacity.is_some() },
];

/// The strategies that choose by key.
pub(crate) fn names() -> Vec<&'static str> {
    catalogue::all().iter().filter(|info| info.needs.keys).map(|info| info.name).collect()
}

/// A change of hosts.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// The host at this index leaves.
    Without(usize),
    /// This one comes, as the last.
    With(Backend),
}

/// The structure of the strategy that was asked for, one of [`names`], as the flags want it for so many `hosts`.
pub(crate) fn kind(args: &RouteArgs, hosts: usize) -> Result<Kind, Stop> {
    let plain = Strategy::from_name(&args.strategy).and_then(|strategy| strategy.structure());
    let plain = plain.unwrap_or_else(|| unreachable!("`{}` was looked up in the names", args.strategy));
    let own = |function: HashFunction| args.hash.map_or(function, KeyHash::function);
    // Room for one more than there are, so that one can always come.
    let capacity = || match args.capacity.unwrap_or(2 * hosts as u32) {
        capacity if (capacity as usize) < hosts + usize::from(args.with.is_some()) => {
            Err(Stop::usage(format!("--capacity {capacity} has no room for all hosts")))
        }
        capacity => Ok(capacity),
    };
    Ok(match plain {
        Kind::Ring { least, most, function } => {
            let (least, most) = (args.min_ring.unwrap_or(least), args.max_ring.unwrap_or(most));
            if least > most {
                return Err(Stop::usage(format!("--min-ring {least} is above --max-ring {most}")));
            }
            Kind::Ring { least, most, function: own(function) }
        }
        Kind::Karger { points, function } => {
            Kind::Karger { points: args.points.unwrap_or(points), function: own(function) }
        }
        Kind::Dubbo { replicas } => match args.points.unwrap_or(replicas) {
            few @ ..4 => return Err(Stop::usage(format!("--points {few}: Dubbo's points come by four"))),
            replicas => Kind::Dubbo { replicas },
        },
        Kind::Maglev { size } => Kind::Maglev { size: args.table_size.unwrap_or(size) },
        Kind::MultiProbe { probes, function } => {
            // Of the functions, go-mpchash has SipHash for hosts too.
            let function = if args.hash == Some(KeyHash::SipHash) { HashFunction::SipHash } else { function };
            Kind::MultiProbe { probes: args.probes.unwrap_or(probes), function }
        }
        Kind::Anchor { .. } => Kind::Anchor { capacity: capacity()? },
        Kind::Dx { .. } => Kind::Dx { capacity: capacity()? },
        plain => plain,
    })
}

/// A structure over the hosts of a list, some of which may have weight zero.
pub(crate) struct Routed {
    structure: Structure,
    /// The index in the list of what the structure answers with; none when that is the index itself.
    listed: Option<Vec<usize>>,
    /// What bounds loads, and requests under way by answer.
    bound: Option<(u32, BoundedLoad, Vec<u32>)>,
}

/// What is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// A key, and what hashes it.
    Key(&'a [u8], HashFunction),
    /// Its hash, and nothing else.
    Hash(u64),
}

impl Asked<'_> {
    /// The hash that a strategy goes by.
    pub(crate) fn hash(self) -> u64 {
        match self {
            Asked::Key(key, function) => function.hash(key),
            Asked::Hash(hash) => hash,
        }
    }
}

impl Routed {
    /// The index in the list of the host for what is asked; of its `attempt`-th retry.
    pub(crate) fn lookup(&mut self, asked: Asked<'_>, attempt: u32) -> usize {
        let structure = &self.structure;
        let plain = match asked {
            Asked::Key(key, function) => structure.lookup_key(key, function, attempt),
            Asked::Hash(hash) => structure.lookup_retry(hash, attempt),
        };
        let answer = match &mut self.bound {
            // A retry is not bounded, as in a run.
            Some((factor, bound, active)) if attempt == 0 => structure
                .lookup_bounded(asked.hash(), *factor, |place| active[place])
                .unwrap_or_else(|| bound.choose(asked.hash(), plain, active)),
            _ => plain,
        };
        self.index(answer)
    }

    /// The structure itself, whose answers are indexes of the list while no weight is zero.
    pub(crate) fn structure(&self) -> &Structure {
        &self.structure
    }

    fn index(&self, answer: usize) -> usize {
        self.listed.as_ref().map_or(answer, |listed| listed[answer])
    }

    /// Its table or ring, with indexes of the list.
    pub(crate) fn dump(&self) -> Option<Dump> {
        Some(match self.structure.dump()? {
            Dump::Table(table) => Dump::Table(table.into_iter().map(|answer| self.index(answer)).collect()),
            Dump::Ring(ring) => Dump::Ring(ring.into_iter().map(|(hash, answer)| (hash, self.index(answer))).collect()),
        })
    }
}

fn named(one: &Backend) -> (&str, u32) {
    (&one.host, one.weight)
}

/// Builds it, unless that would take minutes or more memory than there is.
pub(crate) fn build(kind: Kind, backends: &[Backend], factor: Option<u32>) -> Result<Routed, Stop> {
    let counted: Vec<usize> = (0..backends.len()).filter(|index| backends[*index].weight > 0).collect();
    let all = counted.len() == backends.len();
    // HAProxy numbers the servers of its configuration, also those that get nothing: they leave their numbers free.
    let keeps_numbers = kind == Kind::Haproxy && !all;
    let hosts: Vec<(&str, u32)> = match keeps_numbers {
        true => backends.iter().map(|one| (one.host.as_str(), one.weight.max(1))).collect(),
        false => counted.iter().map(|index| named(&backends[*index])).collect(),
    };
    kind.check(&hosts).map_err(|(said, help)| Stop::usage(said).help(help))?;
    let mut structure = Structure::build(kind, &hosts);
    if keeps_numbers {
        for (place, one) in backends.iter().enumerate().filter(|(_, one)| one.weight == 0) {
            structure.leave(place, (&one.host, 1));
        }
    }
    let listed = (!all && !keeps_numbers).then_some(counted);
    let bound = factor.map(|factor| {
        let active = match &listed {
            Some(listed) => listed.iter().map(|index| backends[*index].active).collect(),
            None => backends.iter().map(|one| one.active).collect(),
        };
        (factor, BoundedLoad::new(&hosts, factor), active)
    });
    Ok(Routed { structure, listed, bound })
}

/// What a structure of this kind over these hosts chooses for each that is asked after `change`. Indexes are those of
/// before; a host that came has the next.
pub(crate) fn after(
    mut routed: Routed,
    change: &Change,
    kind: Kind,
    backends: &[Backend],
    asked: &[Asked<'_>],
) -> Result<Vec<usize>, Stop> {
    let mut changed = backends.to_vec();
    let gone = match change {
        // It keeps its line, so that the others keep theirs.
        Change::Without(index) => {
            changed[*index].weight = 0;
            *index
        }
        Change::With(one) => {
            changed.push(one.clone());
            backends.len()
        }
    };
    let counted: Vec<(&str, u32)> = changed.iter().filter(|one| one.weight > 0).map(named).collect();
    kind.check(&counted).map_err(|(said, help)| Stop::usage(said).help(help))?;
    // Some are made to be changed in place and keep everybody's place; of the others, a change is a new one. Where
    // loads are bounded, shares change with every change.
    let in_place = routed.listed.is_none()
        && routed.bound.is_none()
        && match change {
            Change::Without(place) => routed.structure.leave(*place, named(&backends[*place])),
            Change::With(one) => routed.structure.come(named(one)) == Some(gone),
        };
    let mut next = match in_place {
        true => routed,
        false => {
            let factor = routed.bound.as_ref().map(|(factor, ..)| *factor);
            // Freed before the next is built.
            drop(routed);
            build(kind, &changed, factor)?
        }
    };
    Ok(asked.iter().map(|asked| next.lookup(*asked, 0)).collect())
}
