//! The pictures of a study, each with the numbers behind it and the line that makes it again.
//!
//! What a study file asks for is drawn; where it asks for nothing, what suits it. Series keep their look through all
//! pictures of a study. Cells that were not run are marked, never joined by a line.

mod along;
mod by_axis;
mod distribution;
mod forest;
mod heat;
mod keys;
mod over_time;

use super::data;
use crate::csv::Sheet;
use crate::number::percent;
use crate::plot::label::Look;
use study::{Analysis, Cell, Combination, Kind, Measure, PlotKind, PlotSpec};

/// More lines than this are not drawn over time or as distributions; the best and the worst are.
const LINES: usize = 10;
/// More pictures than this of one kind are left to the data.
const PICTURES: usize = 12;

/// A picture and what belongs to it.
pub(crate) struct Figure {
    /// Its name on the page and, without `plot-`, of its files.
    pub(crate) id: String,
    pub(crate) title: String,
    /// The heading in a word or three, for the list of contents.
    pub(crate) short: String,
    /// How to read it.
    pub(crate) caption: String,
    pub(crate) svg: String,
    pub(crate) csv: Sheet,
    /// The command that makes it again.
    pub(crate) reproduce: String,
}

impl Figure {
    /// The name of its files, without extension.
    pub(crate) fn file(&self) -> &str {
        self.id.strip_prefix("plot-").unwrap_or(&self.id)
    }
}

/// All pictures, in reading order. Names are made to differ.
pub(crate) fn all(analysis: &Analysis<'_>) -> Vec<Figure> {
    if analysis.results.samples.is_empty() {
        return Vec::new();
    }
    let asked = &analysis.plan().plots;
    let specs = if asked.is_empty() { usual(analysis) } else { asked.clone() };
    let mut figures = forest::all(analysis);
    for spec in &specs {
        figures.extend(match spec.kind {
            PlotKind::ByAxis => by_axis::all(analysis, spec),
            PlotKind::Distribution => distribution::all(analysis, spec, distribution::Shape::Function),
            PlotKind::Tail => distribution::all(analysis, spec, distribution::Shape::Tail),
            PlotKind::HeatMap => heat::all(analysis, spec),
            PlotKind::Queues => over_time::queues(analysis, spec),
            PlotKind::OverTime => over_time::around_faults(analysis, spec),
            PlotKind::KeysPerBackend => keys::all(analysis, spec),
        });
    }
    let mut taken = std::collections::BTreeSet::new();
    for figure in &mut figures {
        let mut n = 1;
        let name = figure.id.clone();
        while !taken.insert(figure.id.clone()) {
            n += 1;
            figure.id = format!("{name}-{n}");
        }
        if n > 1 {
            figure.svg = figure.svg.replace(&format!("\"{name}-title\""), &format!("\"{}-title\"", figure.id));
        }
    }
    figures
}

/// What is drawn when a study asks for nothing.
fn usual(analysis: &Analysis<'_>) -> Vec<PlotSpec> {
    let spec = |kind| PlotSpec { kind, title: String::new(), x: None, series: None, measure: None, theory: Vec::new() };
    let mut specs = Vec::new();
    if x_axis(analysis, &spec(PlotKind::ByAxis)).is_some() {
        let measures: Vec<Measure> = match &analysis.plan().comparison {
            Some(c) => c.measures.clone(),
            None => analysis.measures.iter().take(3).cloned().collect(),
        };
        specs.extend(measures.into_iter().map(|m| PlotSpec { measure: Some(m), ..spec(PlotKind::ByAxis) }));
    }
    match analysis.plan().kind {
        Kind::Hashing => specs.push(spec(PlotKind::KeysPerBackend)),
        Kind::World => {
            specs.extend([PlotKind::Distribution, PlotKind::Tail].map(spec));
            if analysis.results.samples.values().any(|s| !s.faults.is_empty()) {
                specs.push(spec(PlotKind::OverTime));
            }
            specs.extend([PlotKind::HeatMap, PlotKind::Queues].map(spec));
        }
    }
    specs
}

/// The axis along a picture: the one asked for, or the first of numbers that is not compared, or the first that is not
/// compared.
fn x_axis(analysis: &Analysis<'_>, spec: &PlotSpec) -> Option<usize> {
    let plan = analysis.plan();
    let free = |i: &usize| Some(*i) != series_axis(analysis, spec) && plan.axes[*i].labels.len() > 1;
    spec.x.or_else(|| {
        let all = || (0..plan.axes.len()).filter(free);
        all().find(|&i| plan.axes[i].numbers.is_some()).or_else(|| all().next())
    })
}

/// The axis whose points are lines: the one asked for, or the compared one, or the first without numbers.
fn series_axis(analysis: &Analysis<'_>, spec: &PlotSpec) -> Option<usize> {
    let plan = analysis.plan();
    let compared = plan.comparison.as_ref().map(|c| c.axis).filter(|axis| Some(*axis) != spec.x);
    let words = || (0..plan.axes.len()).find(|&i| plan.axes[i].numbers.is_none() && Some(i) != spec.x);
    spec.series.or(compared).or_else(words)
}

/// Lines of a picture without an x axis, or the points of a combination: name, look and cell.
struct Line<'a> {
    name: String,
    look: Look,
    cell: usize,
    of: &'a Cell,
}

/// The lines of a combination that have results: all of them, or the best and the worst by the first compared measure.
fn lines<'a>(analysis: &Analysis<'a>, combination: &Combination, most: usize) -> Vec<Line<'a>> {
    let plan = analysis.plan();
    let names = analysis.points();
    let mut items: Vec<usize> = match combination.tables.first() {
        Some(table) => table.ranking.iter().map(|r| r.item).collect(),
        None => (0..combination.cells.len()).collect(),
    };
    items.retain(|&i| combination.cells[i].is_some_and(|c| analysis.results.of(c).next().is_some()));
    if items.len() > most {
        let best = most.div_ceil(2);
        items.drain(best..items.len() - (most - best));
    }
    items.sort_unstable();
    let line = |i: usize| {
        let cell = combination.cells[i]?;
        let name = names.get(i).cloned().unwrap_or_else(|| analysis.plan().label(cell));
        Some(Line { name, look: Look::of(i), cell, of: &plan.cells[cell] })
    };
    items.into_iter().filter_map(line).collect()
}

/// What is said where lines were left out.
fn left_out(combination: &Combination, drawn: usize) -> String {
    let there = combination.tables.first().map_or(combination.cells.len(), |t| t.ranking.len());
    if there > drawn {
        format!(" Of {there} the best and the worst are drawn, {drawn} in all; the rest is in the data.")
    } else {
        String::new()
    }
}

/// The combinations a picture without an x axis is drawn for: all while they are few, or else the hardest.
fn shown<'b>(analysis: &'b Analysis<'_>, most: usize) -> Vec<&'b Combination> {
    let run = |c: &&Combination| c.cells.iter().flatten().any(|&i| analysis.results.of(i).next().is_some());
    let all: Vec<&Combination> = analysis.combinations.iter().filter(run).collect();
    if all.len() <= most { all } else { vec![&analysis.combinations[analysis.hardest()]] }
}

/// A heading: the one asked for, or `made`; with the combination behind it.
fn heading(spec: &PlotSpec, made: &str, label: &str) -> String {
    let title = if spec.title.is_empty() { made } else { &spec.title };
    if label.is_empty() { title.into() } else { format!("{title}: {label}") }
}

/// A name for a page and for files: letters, digits and hyphens.
fn id(words: &[&str]) -> String {
    let mut out = String::from("plot");
    for word in words.iter().filter(|w| !w.is_empty()) {
        out.push('-');
        for c in word.chars().take(48) {
            match c {
                c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
                '%' => {}
                _ if out.ends_with('-') => {}
                _ => out.push('-'),
            }
        }
        out.truncate(out.trim_end_matches('-').len());
    }
    out
}

/// `10 seeds with 95 % intervals`.
fn over_seeds(analysis: &Analysis<'_>) -> String {
    match analysis.plan().seeds.len() {
        1 => "one seed, no intervals".into(),
        n => format!("{n} seeds with {} intervals", percent(analysis.plan().confidence, 0)),
    }
}

fn reproduce(analysis: &Analysis<'_>) -> String {
    data::reproduce(analysis)
}

/// A measure as the title of an axis.
fn measure_title(measure: &Measure) -> String {
    match measure.unit().name() {
        "" => measure.title(),
        unit => format!("{}, {unit}", measure.title()),
    }
}

/// With a capital letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
