//! A study: a scenario, what is varied about it, and what is compared.
//!
//! ```text
//!   study file ─▶ base ──┐
//!              ─▶ axes ──┴─▶ cells: the base with a point of every axis put into it ─▶ scenarios, lowered seed by seed
//!              ─▶ what is compared, what is drawn
//! ```
//!
//! What always holds:
//!
//! - [`check`] never panics, and reports every problem it can find: in the study, and in any of its cells, at the point
//!   of the axis that causes it.
//! - Every cell of a study that was read lowers with every seed.
//! - Cells stand in the order of the axes, the last turning fastest, and each has a key that stays the same from run to
//!   run.
//!
//! Measures, kinds of pictures, theories and hashing structures are named by whoever uses the study; the names are
//! handed in as a [`Vocabulary`], so that a wrong one is pointed out with all the others.

mod axis;
mod cells;
mod hashing;
mod library;
mod patch;
mod schema;

pub use hashing::{Hashing, Parameter, Wrong};
pub use library::{find, library, title};

use crate::problem::{self, Problem, Severity, known};
use crate::recover::{self, Recovered};
use crate::scalar::Percent;
use crate::{At, SIZE_MAX, Scenario};
use base::Ratio;
use cells::{CELLS_MAX, Elsewhere, Makings};
use patch::Tree;
use schema::{Base, Compare, StudyFile};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use world::outcome::Phases;

/// A study that can run.
#[derive(Clone, Debug)]
pub struct Study {
    /// Its short name: the file name without the extension.
    pub name: String,
    /// One line on what it is about.
    pub title: String,
    /// The question and where it came from; may be empty.
    pub question: String,
    /// One replication of every cell each.
    pub seeds: Vec<u64>,
    /// The level of intervals, between 0 and 1.
    pub confidence: f64,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// Every combination of points.
    pub cells: Vec<Cell>,
    /// What is ranked.
    pub comparison: Option<Comparison>,
    /// What is drawn.
    pub plots: Vec<Plot>,
    /// What stands in tables beside what is compared; names of the vocabulary.
    pub measures: Vec<String>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What people call it.
    pub name: String,
    /// Its points.
    pub labels: Vec<String>,
    /// The same as numbers, where every point is one: shares between 0 and 1, spans in seconds, rates per second.
    pub numbers: Option<Vec<f64>>,
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The point of each axis.
    pub at: Vec<usize>,
    /// A name safe in file names, unique in the study and the same in every run.
    pub key: String,
    /// The offered utilisation of the measured service, where it is known; the greatest under any seed.
    pub utilization: Option<f64>,
    /// Whether something bounds its queues, or how long callers wait in them, at any load: a limit of the queue, a
    /// timeout, a limit of what callers have under way.
    pub bounded: bool,
    /// The mean time of service in milliseconds, where it is known and the same for all instances.
    pub service_ms: Option<f64>,
    /// Instances of the measured service times what each works on at once; for hashing, backends.
    pub servers: u32,
    /// What is run.
    pub content: Content,
}

impl Cell {
    /// Whether its queues would grow without end: open loads bring more than can be done, and nothing bounds it. Closed
    /// users wait for their answers and do not count in the utilization.
    pub fn is_unstable(&self) -> bool {
        self.is_overloaded() && !self.bounded
    }

    /// Whether open loads bring more than can be done.
    pub fn is_overloaded(&self) -> bool {
        self.utilization.is_some_and(|rho| rho >= 1.0)
    }
}

/// What is run in a cell.
#[derive(Clone, Debug)]
pub enum Content {
    /// A scenario.
    World {
        /// What happens.
        scenario: Box<Scenario>,
        /// What is measured.
        service: Service,
    },
    /// A hashing structure.
    Hashing(Hashing),
}

/// The service that is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The phases of a run.
    pub phases: Phases,
}

/// What is ranked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The place of the axis.
    pub axis: usize,
    /// Names of the vocabulary, the most important first.
    pub measures: Vec<String>,
    /// The point others are shown against.
    pub against: Option<usize>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// Its kind, a name of the vocabulary.
    pub kind: String,
    /// Its heading; may be empty.
    pub title: String,
    /// The place of the axis along it.
    pub x: Option<usize>,
    /// The place of the axis whose points are the lines.
    pub series: Option<usize>,
    /// What is drawn upwards.
    pub measure: Option<String>,
    /// Curves beside the results.
    pub theory: Vec<String>,
}

/// The names that a study may use and that are not the scenarios' own.
pub struct Vocabulary<'v> {
    /// Measures with a fixed name.
    pub measures: Vec<&'static str>,
    /// Whether a name is that of a measure; there are more than the fixed ones.
    pub is_measure: &'v dyn Fn(&str) -> bool,
    /// Kinds of pictures.
    pub plots: Vec<&'static str>,
    /// What is wrong with the name of a theory, if anything.
    pub theory: &'v dyn Fn(&str) -> Result<(), String>,
    /// Hashing structures.
    pub structures: Vec<&'static str>,
    /// What is wrong with a hashing structure: the parameter and why.
    pub hashing: &'v dyn Fn(&Hashing) -> Result<(), Wrong>,
    /// The scenario that a base names, by its name in the library or a path beside the study: its text, or why there is
    /// none.
    pub base: &'v dyn Fn(&str) -> Result<String, String>,
}

/// What a text turned out to be.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The study, when it can run.
    pub study: Option<Study>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Whether a text is meant as a study rather than a scenario: it has axes, a base, or hashing structures.
pub fn is_study(text: &str) -> bool {
    let (root, _) = recover::tree(text);
    ["axis", "base", "hashing", "compare"].iter().any(|key| root.get_ref().contains_key(*key))
}

/// The JSON Schema of study files, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(StudyFile).into()
}

/// Measures in tables where a study names none.
const MEASURES: [&str; 9] = ["mean", "p50", "p99", "p999", "goodput", "errors", "utilisation", "queue", "imbalance"];
const MEASURES_OF_HASHING: [&str; 6] = ["balance", "rel_std", "moved", "moved_ideal", "entries", "bytes"];

/// Reads a study and checks everything about it, every cell included. `name` becomes its short name.
///
/// Never panics. Every cell is lowered once, and once more for each seed where something is drawn.
pub fn check(text: &str, name: &str, words: &Vocabulary<'_>) -> Checked {
    if text.len() as u64 > SIZE_MAX {
        let problem = Problem::new("this text has more than 1 MiB").label("a study has at most 1 MiB");
        return Checked { study: None, problems: vec![problem] };
    }
    let recovered: Recovered<StudyFile> = recover::read(text);
    let mut problems = recovered.problems.clone();
    let mut study = None;
    if recovered.is_toml {
        let (root, _) = recover::tree(text);
        let mut found = Vec::new();
        study = lower(&recovered, root.get_ref(), text, name, words, &mut found);
        problems.extend(found.into_iter().filter(|problem| !recovered.explains(problem)).map(Problem::settled));
    }
    let problems = problem::in_order(problems);
    let runs = problems.iter().all(|problem| problem.severity != Severity::Error);
    Checked { study: study.filter(|_| runs), problems }
}

fn lower(
    recovered: &Recovered<StudyFile>,
    root: &DeTable<'_>,
    text: &str,
    name: &str,
    words: &Vocabulary<'_>,
    report: &mut Vec<Problem>,
) -> Option<Study> {
    let file = &recovered.value;
    let axes = axes(file, root, text, report);
    let seeds: Vec<u64> = match &file.seeds {
        Some(seeds) => (0..seeds.value.count).map(|n| seeds.value.first + n).collect(),
        None => (1..=5).collect(),
    };
    let confidence = confidence(file, report);
    let total = axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.points.len()));
    if total.is_none_or(|total| total > CELLS_MAX) {
        let place = file.axis.last().and_then(|axis| axis.span.clone());
        report.push(
            Problem::new(format!("more than {CELLS_MAX} cells")).span(place).label("fewer axes, or fewer points"),
        );
        return None;
    }
    let named: Vec<Axis> = axes.iter().map(named).collect();
    let comparison = comparison(file, &named, words, report);
    let plots = plots(file, &named, words, report);
    let measures = measures(file, words, report);
    if axes.is_empty() || axes.len() < file.axis.len() {
        return None;
    }
    let external;
    let (base, elsewhere): (Tree<'_>, Option<Elsewhere<'_>>) = match (&file.base, &file.hashing) {
        (Some(base), Some(hashing)) => {
            let problem = Problem::at(hashing, "`base` and `hashing` contradict each other");
            let start = |span: &Option<std::ops::Range<usize>>| span.as_ref().map_or(0, |span| span.start);
            let place = if start(&base.span) > start(&hashing.span) { base.span.clone() } else { hashing.span.clone() };
            report.push(problem.span(place).label("a study runs worlds, or only looks keys up"));
            return None;
        }
        (None, None) => {
            let help = "a scenario to vary: base = \"steady\", base = \"mine.toml\" or [base]; or [hashing]";
            report.push(Problem::new("this study has no base").help(help).unless_lost("base"));
            return None;
        }
        (None, Some(_)) => (root.get("hashing")?.clone(), None),
        (Some(At { value: Base::Table, .. }), None) => (root.get("base")?.clone(), None),
        (Some(at @ At { value: Base::Name(given), span }), None) => {
            external = match (words.base)(given) {
                Ok(text) => text,
                Err(why) => {
                    report.push(Problem::at(at, why));
                    return None;
                }
            };
            let (tree, syntax) = recover::tree(&external);
            if let Some(first) = syntax.first() {
                report.push(
                    Problem::at(at, format!("in the base: {}", first.message))
                        .help("`windtunnel validate` shows where"),
                );
                return None;
            }
            // Places in the base stand behind those of the study.
            let offset = text.len() + 1;
            let moved = patch::moved(tree.get_ref(), offset);
            let whole = offset..offset + external.len();
            let elsewhere = Elsewhere { offset, text: &external, shown: given, named: span };
            (Spanned::new(whole, DeValue::Table(moved)), Some(elsewhere))
        }
    };
    let makings = Makings {
        name,
        base: &base,
        axes: &axes,
        seeds: &seeds,
        service: file.service.as_ref(),
        words,
        hashing: file.hashing.is_some(),
        elsewhere,
    };
    let (cells, problems) = cells::make(&makings);
    report.extend(problems);
    Some(Study {
        name: name.to_string(),
        title: file.title.as_ref().map_or_else(|| name.to_string(), |title| title.value.clone()),
        question: file.question.as_ref().map_or_else(String::new, |question| question.value.trim().to_string()),
        seeds,
        confidence,
        axes: named,
        cells,
        comparison,
        plots,
        measures,
    })
}

fn axes<'a>(file: &StudyFile, root: &DeTable<'a>, text: &str, report: &mut Vec<Problem>) -> Vec<axis::Axis<'a>> {
    if file.axis.is_empty() {
        report.push(
            Problem::new("a study varies something, and here is no axis")
                .help("[[axis]] set = \"load.users.utilization\", values = [\"50%\", \"90%\"]")
                .unless_lost("axis"),
        );
    }
    // What could not be read has been taken out of the file but not out of the tree; places tell who is who.
    let trees: Vec<&Tree<'a>> = match root.get("axis").map(Spanned::get_ref) {
        Some(DeValue::Array(array)) => array.iter().collect(),
        _ => Vec::new(),
    };
    let mut axes: Vec<axis::Axis<'a>> = Vec::new();
    for at in &file.axis {
        let tree = trees.iter().find(|tree| at.span.as_ref() == Some(&tree.span()));
        let Some(DeValue::Table(table)) = tree.map(|tree| tree.get_ref()) else { continue };
        let Some(axis) = axis::read(at, table, text, report) else { continue };
        if axes.iter().any(|other| other.name == axis.name) {
            let place = at.name.as_ref().or(at.set.as_ref()).and_then(|at| at.span.clone());
            report.push(Problem::new(format!("two axes are called `{}`", axis.name)).span(place));
        }
        axes.push(axis);
    }
    axes
}

fn named(axis: &axis::Axis<'_>) -> Axis {
    Axis {
        name: axis.name.clone(),
        labels: axis.points.iter().map(|point| point.label.clone()).collect(),
        numbers: axis.points.iter().map(|point| point.number).collect(),
    }
}

fn confidence(file: &StudyFile, report: &mut Vec<Problem>) -> f64 {
    let Some(at) = &file.confidence else { return 0.95 };
    let Percent(share) = at.value;
    if share < Ratio::percent(50) || share >= Ratio::ONE {
        report.push(Problem::at(at, "a level of confidence is at least 50% and below 100%"));
    }
    share.as_f64()
}

/// The place of the axis of this name.
fn axis_named(name: &At<String>, axes: &[Axis], report: &mut Vec<Problem>) -> Option<usize> {
    let place = axes.iter().position(|axis| axis.name == name.value);
    if place.is_none() {
        let names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
        report.push(
            Problem::at(name, format!("unknown axis `{}`", name.value)).label(known(name, &names)).unless_lost("axis"),
        );
    }
    place
}

fn measure(name: &At<String>, words: &Vocabulary<'_>, report: &mut Vec<Problem>) -> Option<String> {
    if (words.is_measure)(name) {
        return Some(name.value.clone());
    }
    report.push(Problem::at(name, format!("unknown measure `{}`", name.value)).label(known(name, &words.measures)));
    None
}

fn comparison(
    file: &StudyFile,
    axes: &[Axis],
    words: &Vocabulary<'_>,
    report: &mut Vec<Problem>,
) -> Option<Comparison> {
    let Compare { axis, measure: by, against } = &file.compare.as_ref()?.value;
    let axis = match axis {
        Some(name) => axis_named(name, axes, report)?,
        None => axes.len().checked_sub(1)?,
    };
    let mut measures: Vec<String> = match by {
        Some(by) => by.each().filter_map(|name| measure(&name, words, report)).collect(),
        None if file.hashing.is_some() => vec!["balance".to_string()],
        None => vec!["p99".to_string(), "mean".to_string()],
    };
    let mut seen = Vec::new();
    measures.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    let against = against.as_ref().and_then(|label| {
        let labels = &axes[axis].labels;
        let place = labels.iter().position(|other| *other == label.value.0);
        if place.is_none() {
            let text = format!("the axis `{}` has no point `{}`", axes[axis].name, label.value.0);
            report.push(Problem::at(label, text).label(known(&label.value.0, labels)));
        }
        place
    });
    Some(Comparison { axis, measures, against })
}

fn plots(file: &StudyFile, axes: &[Axis], words: &Vocabulary<'_>, report: &mut Vec<Problem>) -> Vec<Plot> {
    let mut plots = Vec::new();
    for at in &file.plot {
        let Some(kind) = &at.kind else {
            let label = format!("one of {}", words.plots.join(", "));
            report.push(Problem::at(at, "a plot needs its `kind`").label(label).unless_lost_within());
            continue;
        };
        if !words.plots.contains(&kind.as_str()) {
            let text = format!("unknown kind of plot `{}`", kind.value);
            report.push(Problem::at(kind, text).label(known(kind, &words.plots)));
        }
        let mut theory = Vec::new();
        for name in at.theory.iter().flat_map(|theory| theory.each().collect::<Vec<_>>()) {
            match (words.theory)(&name) {
                Ok(()) => theory.push(name.value),
                Err(why) => report.push(Problem::at(&name, why)),
            }
        }
        plots.push(Plot {
            kind: kind.value.clone(),
            title: at.title.as_ref().map_or_else(String::new, |title| title.value.clone()),
            x: at.x.as_ref().and_then(|name| axis_named(name, axes, report)),
            series: at.series.as_ref().and_then(|name| axis_named(name, axes, report)),
            measure: at.measure.as_ref().and_then(|name| measure(name, words, report)),
            theory,
        });
    }
    plots
}

fn measures(file: &StudyFile, words: &Vocabulary<'_>, report: &mut Vec<Problem>) -> Vec<String> {
    match &file.measures {
        Some(names) => names.value.iter().filter_map(|name| measure(name, words, report)).collect(),
        None if file.hashing.is_some() => MEASURES_OF_HASHING.map(String::from).to_vec(),
        None => MEASURES.map(String::from).to_vec(),
    }
}
