//! A plan, what its runs measured, and where both came from: all that a report is made of.

use crate::measure::Measure;
use crate::plan::Plan;
use crate::sample::{Latencies, Sample};
use std::collections::BTreeMap;

/// A study that was run.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// What was asked for.
    pub plan: Plan,
    /// From what, and how to get it again.
    pub origin: Origin,
    /// One sample per run, by the zero-based places of its cell in [`Plan::cells`] and of its seed in [`Plan::seeds`].
    /// Unstable cells have none; runs of other shards may be missing.
    pub samples: BTreeMap<(usize, usize), Sample>,
    /// Times of picks, where somebody asked for them; the only figures that depend on the machine.
    pub picks: Vec<PickTime>,
}

/// Where a study came from, for those who want to run it again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The version of the program.
    pub version: String,
    /// The study file as it was named on the command line.
    pub file: String,
    /// The text of that file, for the appendix of a page; may be empty.
    pub text: String,
    /// The command that runs one cell alone, by the place of the cell in [`Plan::cells`]; may have fewer entries.
    pub commands: Vec<String>,
}

/// The time of a pick on the machine that ran the study.
#[derive(Clone, Debug, PartialEq)]
pub struct PickTime {
    /// The strategy or structure, with the parameters that differ from its defaults.
    pub what: String,
    /// Number of hosts picked from.
    pub hosts: u32,
    /// The median over batches.
    pub nanoseconds: f64,
}

impl Origin {
    /// The command that runs this cell alone; empty where none is known.
    pub fn command(&self, cell: usize) -> &str {
        self.commands.get(cell).map_or("", String::as_str)
    }
}

impl Results {
    /// The samples of a cell, each with the place of its seed, by rising place.
    pub fn of(&self, cell: usize) -> impl Iterator<Item = (usize, &Sample)> {
        self.samples.range((cell, 0)..=(cell, usize::MAX)).map(|((_, seed), sample)| (*seed, sample))
    }

    /// The latencies of a cell's runs, each with the place of its seed.
    pub fn latencies(&self, cell: usize) -> impl Iterator<Item = (usize, &Latencies)> {
        self.of(cell).map(|(seed, sample)| (seed, &sample.latency))
    }

    /// One measure of a cell by the place of the seed, without the seeds whose sample does not have it.
    pub fn values(&self, cell: usize, measure: &Measure) -> Vec<(usize, f64)> {
        self.of(cell).filter_map(|(seed, sample)| Some((seed, sample.measure(measure)?))).collect()
    }
}
