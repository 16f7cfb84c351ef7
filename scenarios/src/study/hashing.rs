//! `[hashing]`: a structure, its backends, its keys.

use super::schema::HashingTable;
use crate::At;
use crate::problem::{Problem, known};
use crate::scalar::Count;
use std::ops::Range;
use study::{Hashing, Parameter};
use world::balancer::strategy::catalogue;

const BACKENDS_MAX: u32 = 1_000_000;
const KEYS_MAX: u32 = 10_000_000;

/// Lowers a table. `lost` says that something in it could not be read, which may be the structure's name.
pub(crate) fn lower(table: &HashingTable, report: &mut Vec<Problem>, lost: bool) -> Option<Hashing> {
    let structures = catalogue::by_key();
    let Some(structure) = &table.structure else {
        if !lost {
            let label = format!("one of {}", structures.join(", "));
            report.push(Problem::new("which structure? `structure` is missing").help(label));
        }
        return None;
    };
    if !structures.contains(&structure.as_str()) {
        let text = format!("unknown structure `{}`", structure.value);
        report.push(Problem::at(structure, text).label(known(structure, &structures)));
    }
    let hash = table.hash.as_ref().and_then(|name| {
        let function = Hashing::FUNCTIONS.iter().find(|(known, _)| *known == name.as_str());
        if function.is_none() {
            let names = Hashing::FUNCTIONS.map(|(name, _)| name);
            let text = format!("unknown hash function `{}`", name.value);
            report.push(Problem::at(name, text).label(known(name, &names)));
        }
        function.map(|(_, function)| *function)
    });
    let mut within = |at: &Option<At<Count>>, default: u32, least: u32, most: u32, what: &str| {
        if let Some(at) = at.as_ref().filter(|at| !(least..=most).contains(&at.value.0)) {
            report.push(Problem::at(at, format!("from {least} to {most} {what}")));
        }
        at.as_ref().map_or(default, |at| at.value.0)
    };
    let backends = within(&table.backends, 10, 2, BACKENDS_MAX, "backends");
    let keys = within(&table.keys, 100_000, 1, KEYS_MAX, "keys");
    let value = |at: &Option<At<Count>>| at.as_ref().map(|at| at.value.0);
    for weight in table.weights.iter().flat_map(|weights| &weights.value) {
        if weight.value.0 == 0 {
            report.push(Problem::at(weight, "a weight is at least 1"));
        }
    }
    let hashing = Hashing {
        structure: structure.value.clone(),
        backends,
        weights: table.weights.iter().flat_map(|weights| &weights.value).map(|weight| weight.value.0).collect(),
        keys,
        hash,
        min_ring: value(&table.min_ring),
        max_ring: value(&table.max_ring),
        table_size: value(&table.table_size),
        probes: value(&table.probes),
        points: value(&table.points),
        spare: value(&table.spare),
    };
    if report.is_empty()
        && let Err(misfit) = hashing.check()
    {
        let place = place(table, misfit.parameter).or_else(|| structure.span.clone());
        report.push(Problem::new(misfit.why).span(place));
    }
    Some(hashing)
}

/// Where a parameter stands.
fn place(table: &HashingTable, parameter: Parameter) -> Option<Range<usize>> {
    let of = |at: &Option<At<Count>>| at.as_ref().and_then(|at| at.span.clone());
    match parameter {
        Parameter::Backends => of(&table.backends),
        Parameter::Weights => table.weights.as_ref()?.span.clone(),
        Parameter::MinRing => of(&table.min_ring),
        Parameter::MaxRing => of(&table.max_ring),
        Parameter::TableSize => of(&table.table_size),
        Parameter::Probes => of(&table.probes),
        Parameter::Points => of(&table.points),
        Parameter::Spare => of(&table.spare),
    }
}
