//! `[hashing]`: a structure, its backends, its keys.

use super::Vocabulary;
use super::schema::HashingTable;
use crate::At;
use crate::problem::{Problem, known};
use crate::scalar::Count;

/// A hashing structure and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Which one, a name of the vocabulary.
    pub structure: String,
    /// How many backends, at least 2.
    pub backends: u32,
    /// What they weigh, in turn; 1 each when empty.
    pub weights: Vec<u32>,
    /// How many keys.
    pub keys: u32,
    /// The hash function, when it is not the structure's own.
    pub hash: Option<String>,
    /// Least number of points of a ring.
    pub min_ring: Option<u32>,
    /// Greatest number of points of a ring.
    pub max_ring: Option<u32>,
    /// Entries of a table.
    pub table_size: Option<u32>,
    /// Probes of a lookup.
    pub probes: Option<u32>,
    /// Points of a backend, or of each unit of its weight.
    pub points: Option<u32>,
    /// Places, as a multiple of the backends.
    pub spare: Option<u32>,
}

/// What of a hashing structure can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Which structure.
    Structure,
    /// How many backends.
    Backends,
    /// Their weights.
    Weights,
    /// The hash function.
    Hash,
    /// The least number of points.
    MinRing,
    /// The greatest.
    MaxRing,
    /// The size of the table.
    TableSize,
    /// Probes.
    Probes,
    /// Points of a backend.
    Points,
    /// Places.
    Spare,
}

/// A parameter that cannot be, and why.
pub type Wrong = (Parameter, String);

const BACKENDS_MAX: u32 = 1_000_000;
const KEYS_MAX: u32 = 10_000_000;
const HASHES: [&str; 5] = ["xxh64", "murmur2", "siphash", "md5", "crc32"];

impl Hashing {
    /// Lowers a table. `lost` says that something in it could not be read, which may be the structure's name.
    pub(crate) fn lower(
        table: &HashingTable,
        words: &Vocabulary<'_>,
        report: &mut Vec<Problem>,
        lost: bool,
    ) -> Option<Hashing> {
        let Some(structure) = &table.structure else {
            if !lost {
                let label = format!("one of {}", words.structures.join(", "));
                report.push(Problem::new("which structure? `structure` is missing").help(label));
            }
            return None;
        };
        if !words.structures.contains(&structure.as_str()) {
            let text = format!("unknown structure `{}`", structure.value);
            report.push(Problem::at(structure, text).label(known(structure, &words.structures)));
        }
        if let Some(hash) = table.hash.as_ref().filter(|hash| !HASHES.contains(&hash.as_str())) {
            report
                .push(Problem::at(hash, format!("unknown hash function `{}`", hash.value)).label(known(hash, &HASHES)));
        }
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
            hash: table.hash.as_ref().map(|hash| hash.value.clone()),
            min_ring: value(&table.min_ring),
            max_ring: value(&table.max_ring),
            table_size: value(&table.table_size),
            probes: value(&table.probes),
            points: value(&table.points),
            spare: value(&table.spare),
        };
        if report.is_empty()
            && let Err((parameter, why)) = (words.hashing)(&hashing)
        {
            let place = match parameter {
                Parameter::Structure => structure.span.clone(),
                Parameter::Backends => table.backends.as_ref().and_then(|at| at.span.clone()),
                Parameter::Weights => table.weights.as_ref().and_then(|at| at.span.clone()),
                Parameter::Hash => table.hash.as_ref().and_then(|at| at.span.clone()),
                Parameter::MinRing => table.min_ring.as_ref().and_then(|at| at.span.clone()),
                Parameter::MaxRing => table.max_ring.as_ref().and_then(|at| at.span.clone()),
                Parameter::TableSize => table.table_size.as_ref().and_then(|at| at.span.clone()),
                Parameter::Probes => table.probes.as_ref().and_then(|at| at.span.clone()),
                Parameter::Points => table.points.as_ref().and_then(|at| at.span.clone()),
                Parameter::Spare => table.spare.as_ref().and_then(|at| at.span.clone()),
            };
            report.push(Problem::new(why).span(place.or_else(|| structure.span.clone())));
        }
        Some(hashing)
    }
}
