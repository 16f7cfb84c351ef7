//! From the flags of the command line to the kind of structure that they ask for.

use crate::args::{KeyHash, RouteArgs};
use crate::stop::Stop;
use world::balancer::Strategy;
use world::balancer::hashing::{HashFunction, Kind};
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
