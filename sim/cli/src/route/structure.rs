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

/// The flags that are parameters: whose they are, and what a scenario calls them.
pub(crate) const PARAMETERS: [(&str, &str, &[&str]); 6] = [
    ("--min-ring", "min_ring_size", &["ring"]),
    ("--max-ring", "max_ring_size", &["ring"]),
    ("--points", "points", &["karger", "dubbo_consistent_hash"]),
    ("--table-size", "table_size", &["maglev"]),
    ("--probes", "probes", &["multi_probe"]),
    ("--capacity", "capacity", &["anchor", "dx"]),
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
