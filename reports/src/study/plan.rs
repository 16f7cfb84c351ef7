//! What a study is: a question, axes, the cells they span, what is compared and what is drawn.
//!
//! A plan is complete before the first run and says nothing about results, so that a study can be resumed, cut into
//! shards and merged: equal plans and equal samples give equal reports, whoever ran them and in which order.

use super::{Latencies, Measure, Sample, Theory};
use base::Seed;
use std::collections::BTreeMap;
use world::outcome::Phases;

/// A study, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its short name: the file name without the extension.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The question it asks and where that came from; paragraphs are parted by blank lines. May be empty.
    pub question: String,
    /// The version of the program.
    pub version: String,
    /// The file as it was given on the command line.
    pub file: String,
    /// The file's text, for the appendix of the page; may be empty.
    pub text: String,
    /// What a cell is.
    pub kind: Kind,
    /// The service whose calls are measured; empty where no world is run.
    pub service: String,
    /// The level of every interval, such as 0.95; between 0 and 1.
    pub confidence: f64,
    /// One replication each. Every cell meets all of them, and under one seed every cell meets the same chance.
    pub seeds: Vec<Seed>,
    /// What is varied, the slowest first.
    pub axes: Vec<Axis>,
    /// The combinations of their points, in the order of the axes.
    pub cells: Vec<Cell>,
    /// What is ranked, when anything is.
    pub comparison: Option<Comparison>,
    /// The pictures asked for; sensible ones are drawn when there are none.
    pub plots: Vec<PlotSpec>,
    /// What is in the tables, the CSV and the JSON beside what the comparison and the plots name.
    pub measures: Vec<Measure>,
}

/// What a cell of a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scenario, run once for every seed.
    World,
    /// A hashing structure, filled with one set of keys for every seed; no world is run.
    Hashing,
}

/// One thing that is varied.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its points, as a person reads them.
    pub labels: Vec<String>,
    /// The same as numbers, where every point is one: shares between 0 and 1, spans in seconds, rates per second.
    pub numbers: Option<Vec<f64>>,
}

/// One combination of points.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The point of each axis.
    pub at: Vec<usize>,
    /// A name that is the same in every run of the study and safe in file names.
    pub key: String,
    /// The offered utilisation when it is 1 or more and nothing bounds the queues: such a cell is not run, because they
    /// grow without end.
    pub unstable: Option<f64>,
    /// The offered utilisation of the measured service, where it is known.
    pub utilization: Option<f64>,
    /// The phases of its runs; all zero where no world is run.
    pub phases: Phases,
    /// The mean time of service, where it is known: the unit of time of theory's curves, in milliseconds.
    pub service_ms: Option<f64>,
    /// Instances of the measured service times requests each serves at once; for hashing, backends.
    pub servers: u32,
    /// The command that runs this cell alone.
    pub reproduce: String,
}

/// What is ranked: the points of one axis, within each combination of the points of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Which axis, by its place in [`Plan::axes`].
    pub axis: usize,
    /// By what, the most important first.
    pub measures: Vec<Measure>,
    /// The point that differences are shown against; all pairs otherwise.
    pub against: Option<usize>,
}

/// A picture that was asked for. What is left out is chosen: x is the first axis of numbers, series the compared axis.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotSpec {
    /// What to draw.
    pub kind: PlotKind,
    /// Its heading; one is made when it is empty.
    pub title: String,
    /// The axis along the picture, by its place in [`Plan::axes`].
    pub x: Option<usize>,
    /// The axis whose points are the lines.
    pub series: Option<usize>,
    /// What is drawn upwards.
    pub measure: Option<Measure>,
    /// Curves to draw beside the results.
    pub theory: Vec<Theory>,
}

/// The kinds of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlotKind {
    /// A measure against an axis, a line a series, with confidence bands.
    ByAxis,
    /// The distribution of latency on an axis of nines, a line a series.
    Distribution,
    /// The share of requests that took longer, on logarithmic axes.
    Tail,
    /// What is at each instance over time, under the first seed.
    HeatMap,
    /// The mean queue over time.
    Queues,
    /// Latency, errors and requests over time, around the faults.
    OverTime,
    /// How keys spread over backends, from the fullest to the emptiest.
    KeysPerBackend,
}

impl PlotKind {
    /// All of them, in the order of reports.
    pub const ALL: [PlotKind; 7] = [
        PlotKind::ByAxis,
        PlotKind::Distribution,
        PlotKind::Tail,
        PlotKind::HeatMap,
        PlotKind::Queues,
        PlotKind::OverTime,
        PlotKind::KeysPerBackend,
    ];

    /// The word in study files.
    pub const fn name(self) -> &'static str {
        match self {
            PlotKind::ByAxis => "by_axis",
            PlotKind::Distribution => "distribution",
            PlotKind::Tail => "tail",
            PlotKind::HeatMap => "heat_map",
            PlotKind::Queues => "queues",
            PlotKind::OverTime => "over_time",
            PlotKind::KeysPerBackend => "keys_per_backend",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<PlotKind> {
        PlotKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A plan and what its runs measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// What was run.
    pub plan: Plan,
    /// What came of it, by the place of the cell in [`Plan::cells`] and of the seed in [`Plan::seeds`]. Unstable cells
    /// have none; runs of other shards may be missing.
    pub samples: BTreeMap<(usize, usize), Sample>,
    /// What a pick took, where somebody asked. The only figures that depend on the machine.
    pub picks: Vec<PickTime>,
}

/// The time of a pick on the machine that ran a study.
#[derive(Clone, Debug, PartialEq)]
pub struct PickTime {
    /// The strategy or structure, with what is not its default.
    pub what: String,
    /// Over how many hosts.
    pub hosts: u32,
    /// Its median.
    pub nanoseconds: f64,
}

impl Results {
    /// The samples of a cell, by the place of their seeds, in order.
    pub(crate) fn of(&self, cell: usize) -> impl Iterator<Item = (usize, &Sample)> {
        self.samples.range((cell, 0)..=(cell, usize::MAX)).map(|((_, seed), sample)| (*seed, sample))
    }

    /// The latencies of a cell's runs, by the place of the seed.
    pub(crate) fn latencies(&self, cell: usize) -> impl Iterator<Item = (usize, &Latencies)> {
        self.of(cell).map(|(seed, sample)| (seed, &sample.latency))
    }

    /// One measure of a cell, by the place of the seed; seeds whose sample does not have it are left out.
    pub(crate) fn values(&self, cell: usize, measure: &Measure) -> Vec<(usize, f64)> {
        self.of(cell).filter_map(|(seed, sample)| Some((seed, sample.measure(measure)?))).collect()
    }
}
