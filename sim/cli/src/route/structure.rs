//! From the flags of the command line to the kind of structure that they ask for.

use crate::args::{KeyHash, RouteArgs};
use crate::stop::Stop;
use world::balancer::Strategy;
use world::balancer::hashing::{Kind, Parameters};

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

/// The structure of the strategy that was asked for, one that chooses by key, as the flags want it for this number of
/// `hosts`.
pub(crate) fn kind(args: &RouteArgs, hosts: usize) -> Result<Kind, Stop> {
    let plain = Strategy::from_name(&args.strategy).and_then(|strategy| strategy.structure());
    let plain = plain.unwrap_or_else(|| unreachable!("`{}` was looked up in the names", args.strategy));
    let given = Parameters {
        function: args.hash.map(KeyHash::function),
        least: args.min_ring,
        most: args.max_ring,
        points: args.points,
        size: args.table_size,
        probes: args.probes,
        // Room for one more than there are, so that one can always come.
        capacity: Some(args.capacity.unwrap_or(2 * hosts as u32)),
    };
    match plain.with(&given) {
        Kind::Ring { least, most, .. } if least > most => {
            Err(Stop::usage(format!("--min-ring {least} is above --max-ring {most}")))
        }
        Kind::Dubbo { replicas: few @ ..4 } => Err(Stop::usage(format!("--points {few}: Dubbo's points come by four"))),
        Kind::Anchor { capacity } | Kind::Dx { capacity }
            if (capacity as usize) < hosts + usize::from(args.with.is_some()) =>
        {
            Err(Stop::usage(format!("--capacity {capacity} has no room for all hosts")))
        }
        kind => Ok(kind),
    }
}
