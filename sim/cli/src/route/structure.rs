//! From the flags of the command line to a structure that looks keys up, and what a change of hosts does to it.

use super::input::Backend;
use crate::args::{KeyHash, RouteArgs};
use crate::stop::Stop;
use world::balancer::Strategy;
use world::balancer::hashing::{HashFunction, Kind, Structure};
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
pub(crate) const FLAGS: [Flag; 6] = [
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
        Kind::MultiProbe { probes } => Kind::MultiProbe { probes: args.probes.unwrap_or(probes) },
        Kind::Anchor { .. } => Kind::Anchor { capacity: capacity()? },
        Kind::Dx { .. } => Kind::Dx { capacity: capacity()? },
        plain => plain,
    })
}

fn named(one: &Backend) -> (&str, u32) {
    (&one.host, one.weight)
}

/// Builds it, unless that would take minutes.
pub(crate) fn build(kind: Kind, backends: &[Backend]) -> Result<Structure, Stop> {
    let hosts: Vec<(&str, u32)> = backends.iter().map(named).collect();
    kind.check(&hosts).map_err(|(said, help)| Stop::usage(said).help(help))?;
    Ok(Structure::build(kind, &hosts))
}

/// What `structure`, of this kind over these hosts, chooses for each of `hashes` after `change`. Indexes are those of before;
/// a host that came has the next.
pub(crate) fn after(
    mut structure: Structure,
    change: &Change,
    kind: Kind,
    backends: &[Backend],
    hashes: &[u64],
) -> Result<Vec<usize>, Stop> {
    // Some are made to be changed in place and keep everybody's place; of the others, a change is a new one.
    let in_place = match change {
        Change::Without(place) => structure.leave(*place, named(&backends[*place])),
        Change::With(one) => structure.come(named(one)) == Some(backends.len()),
    };
    if in_place {
        return Ok(hashes.iter().map(|hash| structure.lookup(*hash)).collect());
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
    let next = build(kind, &changed)?;
    // Whoever stood behind the host that left has moved up by one.
    let index = |index: usize| index + usize::from(index >= gone);
    Ok(hashes.iter().map(|hash| index(next.lookup(*hash))).collect())
}
