//! Study files: TOML in, a `study::Plan` and what is run in each of its cells out.
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

mod axis;
mod cells;
mod hashing;
mod library;
mod patch;
mod schema;

pub use library::{find, library, title};

use crate::problem::{self, Problem, Severity, known};
use crate::recover::{self, Recovered};
use crate::scalar::Percent;
use crate::{At, SIZE_MAX, Scenario};
use base::{Ratio, Seed};
use cells::{CELLS_MAX, CellInputs, Elsewhere};
use patch::Tree;
use schema::{Base, Compare, StudyFile};
use study::{Axis, Cell, Comparison, Hashing, Kind, Measure, Plan, PlotKind, PlotSpec, Theory};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A study that can run.
#[derive(Clone, Debug)]
pub struct Study {
    /// What is varied, compared and drawn.
    pub plan: Plan,
    /// What is run in each cell, by its place in [`Plan::cells`].
    pub contents: Vec<Content>,
}

/// What is run in a cell.
#[derive(Clone, Debug)]
pub enum Content {
    /// A scenario.
    World(Box<Scenario>),
    /// A hashing structure.
    Hashing(Hashing),
}

impl Study {
    /// The cells that are run, each with its place in the plan and what is run in it: all but the unstable ones.
    pub fn stable(&self) -> impl Iterator<Item = (usize, &Cell, &Content)> {
        let all = self.plan.cells.iter().zip(&self.contents).enumerate();
        all.filter(|(_, (cell, _))| !cell.is_unstable()).map(|(place, (cell, content))| (place, cell, content))
    }
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
    crate::json_schema::of::<StudyFile>()
}

/// Measures in tables where a study names none.
const MEASURES: [Measure; 9] = {
    use Measure::*;
    [Mean, P50, P99, P999, Goodput, Errors, Utilisation, Queue, Imbalance]
};
const MEASURES_OF_HASHING: [Measure; 6] = {
    use Measure::*;
    [Balance, RelStd, Moved, MovedIdeal, Entries, Bytes]
};

/// Reads a study and checks everything about it, every cell included. `name` becomes its short name.
///
/// `base` finds the text of the scenario that a study names as its base, by its name in the library or a path beside
/// the study, or says why there is none. Never panics. Every cell is lowered once, and once more for each seed where
/// something is drawn.
pub fn check(text: &str, name: &str, base: impl Fn(&str) -> Result<String, String>) -> Checked {
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
        study = lower(&recovered.value, root.get_ref(), text, name, &base, &mut found);
        problems.extend(found.into_iter().filter(|problem| !recovered.explains(problem)).map(Problem::settled));
    }
    let problems = problem::in_order(problems);
    let runs = problems.iter().all(|problem| problem.severity != Severity::Error);
    Checked { study: study.filter(|_| runs), problems }
}

/// Finds the text of a base: see [`check`].
type FindBase<'f> = &'f dyn Fn(&str) -> Result<String, String>;

fn lower(
    file: &StudyFile,
    root: &DeTable<'_>,
    text: &str,
    name: &str,
    find_base: FindBase<'_>,
    report: &mut Vec<Problem>,
) -> Option<Study> {
    let axes = axes(file, root, text, report);
    let seeds: Vec<Seed> = match &file.seeds {
        Some(seeds) => (0..seeds.value.count).map(|n| Seed(seeds.value.first + n)).collect(),
        None => (1..=5).map(Seed).collect(),
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
    let comparison = comparison(file, &named, report);
    let plots = plots(file, &named, report);
    let measures = measures(file, report);
    if axes.is_empty() || axes.len() < file.axis.len() {
        return None;
    }
    let mut external = None;
    let (base, elsewhere) = varied(file, root, text, find_base, &mut external, report)?;
    let inputs = CellInputs {
        name,
        base: &base,
        axes: &axes,
        seeds: &seeds,
        service: file.service.as_ref(),
        hashing: file.hashing.is_some(),
        elsewhere,
    };
    let (made, problems) = cells::make(&inputs);
    report.extend(problems);
    let service = made.first().map_or_else(String::new, |made| made.service.clone());
    let (cells, contents) = made.into_iter().map(|made| (made.cell, made.content)).unzip();
    let plan = Plan {
        name: name.to_string(),
        title: file.title.as_ref().map_or_else(|| name.to_string(), |title| title.value.clone()),
        question: file.question.as_ref().map_or_else(String::new, |question| question.value.trim().to_string()),
        kind: if file.hashing.is_some() { Kind::Hashing } else { Kind::World },
        service,
        confidence,
        seeds,
        axes: named,
        cells,
        comparison,
        plots,
        measures,
    };
    Some(Study { plan, contents })
}

/// What the axes vary: a scenario or a hashing structure, as a tree; and where it stands, when that is another file,
/// whose text is kept in `external`.
fn varied<'t>(
    file: &'t StudyFile,
    root: &DeTable<'t>,
    text: &str,
    find_base: FindBase<'_>,
    external: &'t mut Option<String>,
    report: &mut Vec<Problem>,
) -> Option<(Tree<'t>, Option<Elsewhere<'t>>)> {
    match (&file.base, &file.hashing) {
        (Some(base), Some(hashing)) => {
            let problem = Problem::at(hashing, "`base` and `hashing` contradict each other");
            let start = |span: &Option<std::ops::Range<usize>>| span.as_ref().map_or(0, |span| span.start);
            let place = if start(&base.span) > start(&hashing.span) { base.span.clone() } else { hashing.span.clone() };
            report.push(problem.span(place).label("a study runs worlds, or only looks keys up"));
            None
        }
        (None, None) => {
            let help = "a scenario to vary: base = \"steady\", base = \"mine.toml\" or [base]; or [hashing]";
            report.push(Problem::new("this study has no base").help(help).unless_lost("base"));
            None
        }
        (None, Some(_)) => Some((root.get("hashing")?.clone(), None)),
        (Some(At { value: Base::Table, .. }), None) => Some((root.get("base")?.clone(), None)),
        (Some(at @ At { value: Base::Name(given), span }), None) => {
            let external: &str = match find_base(given) {
                Ok(text) => external.insert(text),
                Err(why) => {
                    report.push(Problem::at(at, why));
                    return None;
                }
            };
            let (tree, syntax) = recover::tree(external);
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
            let elsewhere = Elsewhere { offset, text: external, shown: given, named: span };
            Some((Spanned::new(whole, DeValue::Table(moved)), Some(elsewhere)))
        }
    }
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

fn measure(name: &At<String>, report: &mut Vec<Problem>) -> Option<Measure> {
    let measure = Measure::parse(name);
    if measure.is_none() {
        let names: Vec<&str> = Measure::names().collect();
        report.push(Problem::at(name, format!("unknown measure `{}`", name.value)).label(known(name, &names)));
    }
    measure
}

fn comparison(file: &StudyFile, axes: &[Axis], report: &mut Vec<Problem>) -> Option<Comparison> {
    let Compare { axis, measure: by, against } = &file.compare.as_ref()?.value;
    let axis = match axis {
        Some(name) => axis_named(name, axes, report)?,
        None => axes.len().checked_sub(1)?,
    };
    let asked: Vec<Measure> = match by {
        Some(by) => by.each().filter_map(|name| measure(&name, report)).collect(),
        None if file.hashing.is_some() => vec![Measure::Balance],
        None => vec![Measure::P99, Measure::Mean],
    };
    let mut measures = Vec::new();
    for measure in asked {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
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

fn plots(file: &StudyFile, axes: &[Axis], report: &mut Vec<Problem>) -> Vec<PlotSpec> {
    let kinds = PlotKind::ALL.map(PlotKind::name);
    let mut plots = Vec::new();
    for at in &file.plot {
        let Some(name) = &at.kind else {
            let label = format!("one of {}", kinds.join(", "));
            report.push(Problem::at(at, "a plot needs its `kind`").label(label).unless_lost_within());
            continue;
        };
        let kind = PlotKind::parse(name);
        if kind.is_none() {
            let text = format!("unknown kind of plot `{}`", name.value);
            report.push(Problem::at(name, text).label(known(name, &kinds)));
        }
        let mut theory = Vec::new();
        for name in at.theory.iter().flat_map(|theory| theory.each().collect::<Vec<_>>()) {
            match Theory::parse(&name) {
                Ok(one) => theory.push(one),
                Err(why) => report.push(Problem::at(&name, why)),
            }
        }
        // Everything else of the plot is read in any case, so that all of its problems are told at once.
        let x = at.x.as_ref().and_then(|name| axis_named(name, axes, report));
        let series = at.series.as_ref().and_then(|name| axis_named(name, axes, report));
        let measure = at.measure.as_ref().and_then(|name| measure(name, report));
        let title = at.title.as_ref().map_or_else(String::new, |title| title.value.clone());
        plots.extend(kind.map(|kind| PlotSpec { kind, title, x, series, measure, theory }));
    }
    plots
}

fn measures(file: &StudyFile, report: &mut Vec<Problem>) -> Vec<Measure> {
    match &file.measures {
        Some(names) => names.value.iter().filter_map(|name| measure(name, report)).collect(),
        None if file.hashing.is_some() => MEASURES_OF_HASHING.to_vec(),
        None => MEASURES.to_vec(),
    }
}
