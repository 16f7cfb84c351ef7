//! What a study is: a question, axes, the cells they span, what is compared and what is drawn.
//!
//! A plan is complete before the first run and says nothing about results, so that a study can be resumed, cut into
//! shards and merged: equal plans and equal samples give equal reports, whoever ran them and in which order.

use crate::cell::Cell;
use crate::measure::Measure;
use crate::theory::Theory;
use base::Seed;

/// A study, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its short name: the file name without the extension.
    pub name: String,
    /// Its title, one line.
    pub title: String,
    /// The question it asks and where that came from; blank lines separate paragraphs. May be empty.
    pub question: String,
    /// What a cell is.
    pub kind: Kind,
    /// The service whose calls are measured; empty where no world is run.
    pub service: String,
    /// The level of every interval, such as 0.95; at least 0.5 and below 1.
    pub confidence: f64,
    /// One replication each. Every cell is run under all of them, and under one seed all cells share their chance.
    pub seeds: Vec<Seed>,
    /// What is varied, the slowest first.
    pub axes: Vec<Axis>,
    /// The combinations of their points, in the order of the axes; the last axis turns fastest.
    pub cells: Vec<Cell>,
    /// What is ranked, when anything is.
    pub comparison: Option<Comparison>,
    /// The plots asked for; suitable ones are drawn when there are none.
    pub plots: Vec<PlotSpec>,
    /// Measures of the tables, the CSV and the JSON beside those of the comparison and the plots.
    pub measures: Vec<Measure>,
}

/// What a cell of a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scenario, run once per seed.
    World,
    /// A hashing structure, filled with one set of keys per seed; no world is run.
    Hashing,
}

/// One thing that is varied.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its points, as a person reads them.
    pub labels: Vec<String>,
    /// The points as numbers, where all of them are: shares between 0 and 1, spans in seconds, rates per second.
    pub numbers: Option<Vec<f64>>,
}

/// What is ranked: the points of one axis, within each combination of the points of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Which axis, by its zero-based place in [`Plan::axes`].
    pub axis: usize,
    /// By what, the most important first; each once.
    pub measures: Vec<Measure>,
    /// The point that differences are shown against, by its zero-based place on the axis; all pairs otherwise.
    pub against: Option<usize>,
}

/// A plot that was asked for. Whoever draws it chooses what is left out: x is then the first axis of numbers, series
/// the compared axis.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotSpec {
    /// What to draw.
    pub kind: PlotKind,
    /// Its heading; one is made when it is empty.
    pub title: String,
    /// The axis along the plot, by its zero-based place in [`Plan::axes`].
    pub x: Option<usize>,
    /// The axis whose points are the lines, by its place.
    pub series: Option<usize>,
    /// What is drawn upwards.
    pub measure: Option<Measure>,
    /// Curves to draw beside the results.
    pub theory: Vec<Theory>,
}

/// The kinds of plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlotKind {
    /// A measure against an axis, one line per series, with confidence bands.
    ByAxis,
    /// The distribution of latency on an axis of nines, one line per series.
    Distribution,
    /// The share of requests that took longer, on logarithmic axes.
    Tail,
    /// Requests at each instance over time, under the first seed.
    HeatMap,
    /// The mean queue over time.
    Queues,
    /// Latency, errors and requests over time, around the faults.
    OverTime,
    /// How keys spread over backends, from the fullest to the emptiest.
    KeysPerBackend,
}

impl PlotKind {
    /// All kinds, in the order of reports.
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

    /// The kind of this name; none when there is no such kind.
    pub fn parse(name: &str) -> Option<PlotKind> {
        PlotKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Plan {
    /// How many runs it asks for: one per seed and stable cell.
    pub fn runs(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.is_unstable()).count() * self.seeds.len()
    }

    /// A cell as a person reads it: `load 90%, strategy p2c`.
    pub fn label(&self, cell: usize) -> String {
        self.label_of(|axis| Some(self.cells[cell].at[axis]))
    }

    /// Names and points of the axes for which `point` has one: `load 90%, fleet 100`.
    pub(crate) fn label_of(&self, point: impl Fn(usize) -> Option<usize>) -> String {
        let named = self.axes.iter().enumerate().filter_map(|(place, axis)| {
            let point = point(place)?;
            Some(format!("{} {}", axis.name, axis.labels[point]))
        });
        named.collect::<Vec<String>>().join(", ")
    }
}
