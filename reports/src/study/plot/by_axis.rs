//! A measure against an axis: a line a series, its interval around it, and theory beside it.

use super::along::Along;
use super::{Figure, PICTURES, heading, id, measure_title, over_seeds, reproduce, sentence, series_axis, x_axis};
use crate::csv::{self, Sheet};
use crate::plot::frame::{self, Key, Panel, Plane};
use crate::plot::ink::{Dash, Ink};
use crate::plot::label::{self, End, Look, Mark};
use crate::plot::scale::Heights;
use crate::study::data::column;
use std::collections::BTreeMap;
use study::stats::Estimate;
use study::{Analysis, Measure, PlotSpec};

/// Up to so many series have bands; beyond, bars at the points.
const BANDS: usize = 6;

/// A line of results.
struct Series {
    name: String,
    look: Look,
    /// For each point of the x axis: its cell and what was measured.
    points: Vec<(Option<usize>, Option<Estimate>)>,
}

/// A curve beside the results.
struct Curve {
    name: String,
    /// Place along the picture and value, as drawn.
    points: Vec<(f64, f64)>,
    /// Point of the x axis and value, as written.
    at: Vec<(usize, f64)>,
}

/// One picture for each combination of the axes that are neither x nor series.
pub(super) fn all(analysis: &Analysis<'_>, spec: &PlotSpec) -> Vec<Figure> {
    let Some(x) = x_axis(analysis, spec) else { return Vec::new() };
    let series = series_axis(analysis, spec).filter(|s| *s != x);
    let plan = analysis.plan();
    let measure = spec.measure.clone().or_else(|| analysis.measures.first().cloned());
    let Some(measure) = measure else { return Vec::new() };
    let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (i, cell) in plan.cells.iter().enumerate() {
        let mut at = cell.at.clone();
        at[x] = 0;
        if let Some(series) = series {
            at[series] = 0;
        }
        groups.entry(at).or_default().push(i);
    }
    let draw = |(at, cells): (Vec<usize>, Vec<usize>)| {
        let others = plan.axes.iter().enumerate().filter(|(i, a)| *i != x && Some(*i) != series && a.labels.len() > 1);
        let label: Vec<String> = others.map(|(i, axis)| format!("{} {}", axis.name, axis.labels[at[i]])).collect();
        Picture { analysis, spec, measure: &measure, x, series, cells, label: label.join(", ") }.draw()
    };
    groups.into_iter().filter_map(draw).take(PICTURES).collect()
}

struct Picture<'a> {
    analysis: &'a Analysis<'a>,
    spec: &'a PlotSpec,
    measure: &'a Measure,
    x: usize,
    series: Option<usize>,
    cells: Vec<usize>,
    label: String,
}

impl Picture<'_> {
    fn draw(&self) -> Option<Figure> {
        let plan = self.analysis.plan();
        let axis = &plan.axes[self.x];
        let all = self.lines();
        if all.iter().all(|s| s.points.iter().all(|(_, e)| e.is_none())) {
            return None;
        }
        let along = Along::over(&axis.name, &axis.labels, axis.numbers.as_deref(), self.by_load());
        let curves = self.curves(&along);
        let unit = self.measure.unit();
        let bounds = |e: &Estimate| {
            let (low, high) = e.interval(self.analysis.alpha).unwrap_or((e.mean, e.mean));
            // An interval that reaches down to nothing would pull a logarithmic axis with it.
            [e.mean, high, if low > e.mean / 3.0 { low } else { e.mean }]
        };
        let estimates = all.iter().flat_map(|s| s.points.iter().filter_map(|(_, e)| e.as_ref())).flat_map(bounds);
        let theory = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
        let heights = Heights::snug(&measure_title(self.measure), estimates.chain(theory).map(|x| unit.shown(x)));
        let up = |x: f64| heights.height(unit.shown(x));

        let names = all.iter().map(|s| s.name.as_str()).chain(curves.iter().map(|c| c.name.as_str()));
        let title = heading(self.spec, &sentence(&format!("{} by {}", self.measure.title(), axis.name)), &self.label);
        let name = id(&[&self.measure.name(), "by", &axis.name, &self.label]);
        let height = label::height(all.len() + curves.len(), 340.0);
        let some_unstable = self.cells.iter().any(|&c| plan.cells[c].is_unstable());
        let sheet = frame::Sheet {
            id: &name,
            title: &title,
            x: along.axis.clone(),
            time: None,
            right: label::margin(names),
            keys: keys(!self.spec.theory.is_empty() && !curves.is_empty(), some_unstable),
            panels: vec![Panel { y: heights.axis.clone(), height }],
        };
        let svg = frame::draw(&sheet, |planes| {
            let plane = &planes[0];
            self.unstable(plane, &all, &along, &heights.axis);
            for curve in &curves {
                let line = Ink::Quiet.line(1.6, Dash::Dotted);
                plane.line(curve.points.iter().map(|&(x, y)| (x, up(y))), line);
            }
            for (i, series) in all.iter().enumerate() {
                // Side by side by a hair, so that bars at one point do not hide one another.
                let apart = if all.len() <= BANDS { 0.0 } else { 0.016 / all.len() as f64 };
                let aside = (i as f64 - (all.len() - 1) as f64 / 2.0) * apart * (along.axis.high - along.axis.low);
                self.series(plane, series, &along, &up, aside, all.len() <= BANDS);
            }
            let end = |points: Vec<(f64, f64)>, name: &str, look| {
                let (x, y) = *points.last()?;
                Some(End { name: name.into(), look, y: up(y), reaches: x >= last_served(&along, &all) })
            };
            let results = all.iter().filter_map(|s| end(known(s, &along), &s.name, s.look));
            let theory = curves.iter().filter_map(|c| end(c.points.clone(), &c.name, Look::THEORY));
            plane.ends(&sheet.x, &heights.axis, height, results.chain(theory).collect());
        });
        let caption = format!(
            "{}: {}{}.{}",
            sentence(&self.measure.title()),
            over_seeds(self.analysis),
            if all.len() <= BANDS { ", drawn as bands" } else { ", drawn as bars" },
            self.notes(&curves, some_unstable)
        );
        let csv = self.data(&all, &curves);
        let short = format!("{} by {}", self.measure, axis.name);
        let short = if self.label.is_empty() { short } else { format!("{short}, {}", self.label) };
        Some(Figure { id: name, title, short, caption, svg, csv, reproduce: reproduce(self.analysis) })
    }

    fn notes(&self, curves: &[Curve], some_unstable: bool) -> String {
        let mut notes = String::new();
        if !self.spec.theory.is_empty() && !curves.is_empty() {
            notes.push_str(
                " Dotted lines are theory, for Poisson arrivals and messages that take no time; where the base differs, so do \
                 the results.",
            );
        }
        if matches!(self.measure, Measure::Moved | Measure::Added) {
            notes.push_str(" The dotted line is what has to move whatever the structure.");
        }
        if some_unstable {
            notes.push_str(" Crosses mark cells whose load is 100 % or more: they were not run.");
        }
        if self.by_load() {
            notes.push_str(
                " Loads stand at −log(1 − load), so that every halving of what is left free has the same room.",
            );
        }
        notes
    }

    /// Whether the numbers of the x axis are the loads of the cells.
    fn by_load(&self) -> bool {
        let plan = self.analysis.plan();
        let Some(numbers) = &plan.axes[self.x].numbers else { return false };
        self.cells.iter().all(|&c| {
            let cell = &plan.cells[c];
            cell.utilization.is_some_and(|rho| (rho - numbers[cell.at[self.x]]).abs() < 1e-6)
        })
    }

    fn lines(&self) -> Vec<Series> {
        let plan = self.analysis.plan();
        let n = plan.axes[self.x].labels.len();
        let names: Vec<String> = match self.series {
            Some(axis) => plan.axes[axis].labels.clone(),
            None => vec![self.measure.name()],
        };
        let mut all: Vec<Series> = names
            .into_iter()
            .enumerate()
            .map(|(i, name)| Series { name, look: Look::of(i), points: vec![(None, None); n] })
            .collect();
        for &c in &self.cells {
            let cell = &plan.cells[c];
            let series = self.series.map_or(0, |axis| cell.at[axis]);
            all[series].points[cell.at[self.x]] = (Some(c), self.analysis.estimate(c, self.measure));
        }
        all
    }

    fn curves(&self, along: &Along) -> Vec<Curve> {
        let plan = self.analysis.plan();
        let stable: Vec<usize> = self.cells.iter().copied().filter(|&c| !plan.cells[c].is_unstable()).collect();
        let mut curves = Vec::new();
        let place = |at: &[(usize, f64)]| {
            let mut points: Vec<(f64, f64)> = at.iter().map(|&(point, y)| (along.places[point], y)).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points
        };
        for theory in &self.spec.theory {
            let at = self.at_points(&stable, |c| theory.value(&plan.cells[c], self.measure));
            let between = plan.axes[self.x].numbers.as_ref().filter(|_| self.by_load());
            let between = between.map_or_else(Vec::new, |numbers| along.loads_between(numbers));
            let points: Vec<(f64, f64)> = match stable.first() {
                Some(&c) if !between.is_empty() => {
                    let value = |(rho, x)| Some((x, theory.at(rho, &plan.cells[c], self.measure)?));
                    between.into_iter().filter_map(value).collect()
                }
                _ => place(&at),
            };
            if !points.is_empty() {
                curves.push(Curve { name: theory.to_string(), points, at });
            }
        }
        // What has to move is known without queues.
        let least = match self.measure {
            Measure::Moved => Measure::MovedIdeal,
            Measure::Added => Measure::AddedIdeal,
            _ => return curves,
        };
        let at = self.at_points(&stable, |c| self.analysis.estimate(c, &least).map(|e| e.mean));
        curves.push(Curve { name: "the least that must".into(), points: place(&at), at });
        curves
    }

    /// One value for each point of the x axis, from the first cell that has one.
    fn at_points(&self, cells: &[usize], value: impl Fn(usize) -> Option<f64>) -> Vec<(usize, f64)> {
        let plan = self.analysis.plan();
        let of = |point: usize| cells.iter().filter(move |&&c| plan.cells[c].at[self.x] == point);
        let points = 0..plan.axes[self.x].labels.len();
        points.filter_map(|point| Some((point, of(point).find_map(|&c| value(c))?))).collect()
    }

    fn series(
        &self,
        plane: &Plane<'_>,
        series: &Series,
        along: &Along,
        up: &dyn Fn(f64) -> f64,
        aside: f64,
        band: bool,
    ) {
        let mut found: Vec<(f64, Option<[f64; 3]>)> = series
            .points
            .iter()
            .zip(&along.places)
            .map(|((_, e), &x)| {
                let bounds = e.map(|e| {
                    let (low, high) = e.interval(self.analysis.alpha).unwrap_or((e.mean, e.mean));
                    [low, e.mean, high].map(up)
                });
                (x + aside, bounds)
            })
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Lines join neighbours that were both run.
        for run in found.split(|(_, e)| e.is_none()).filter(|run| !run.is_empty()) {
            let run: Vec<(f64, [f64; 3])> = run.iter().filter_map(|&(x, bounds)| Some((x, bounds?))).collect();
            if band {
                let edges: Vec<_> = run.iter().map(|&(x, [low, _, high])| (x, low, high)).collect();
                plane.band(&edges, series.look.ink.fill(0.16));
            }
            if run.len() > 1 {
                plane.line(run.iter().map(|&(x, [_, y, _])| (x, y)), series.look.ink.line(1.8, series.look.dash));
            }
            for &(x, [low, y, high]) in &run {
                if high > low && (!band || run.len() == 1) {
                    plane.whisker(x, (low, high), series.look);
                }
                plane.mark((x, y), series.look, 3.2);
            }
        }
    }

    /// Shades points where nothing could be run, and crosses where some could not.
    fn unstable(&self, plane: &Plane<'_>, all: &[Series], along: &Along, y: &frame::Axis) {
        let plan = self.analysis.plan();
        let stands = |cell: Option<usize>| cell.is_some_and(|c| plan.cells[c].is_unstable());
        for (point, &x) in along.places.iter().enumerate() {
            let here: Vec<&Series> = all.iter().filter(|s| stands(s.points[point].0)).collect();
            let span = y.high - y.low;
            if here.is_empty() {
                continue;
            }
            if all.iter().all(|s| s.points[point].1.is_none()) {
                let half = (along.axis.high - along.axis.low) * 0.025;
                let (a, b) = ((x - half).max(along.axis.low), (x + half).min(along.axis.high));
                plane.rectangle((a, y.low), (b, y.high), Ink::Warmup.fill(0.18));
                let cross = Look { ink: Ink::Text, mark: Mark::Cross, dash: Dash::Solid };
                plane.mark((x, y.high - span * 0.04), cross, 3.6);
                continue;
            }
            let step = (0.055 * span).min(0.9 * span / here.len() as f64);
            for (i, series) in here.iter().enumerate() {
                let at = (x, y.high - span * 0.04 - step * i as f64);
                plane.mark(at, Look { mark: Mark::Cross, ..series.look }, 3.6);
            }
        }
    }

    fn data(&self, all: &[Series], curves: &[Curve]) -> Sheet {
        let plan = self.analysis.plan();
        let axis = &plan.axes[self.x];
        let name = column(self.measure);
        let series = self.series.map_or_else(|| "series".into(), |s| plan.axes[s].name.clone());
        let head = [
            axis.name.clone(),
            series,
            "n".into(),
            name.clone(),
            format!("{name}_low"),
            format!("{name}_high"),
            "note".into(),
        ];
        let mut sheet = Sheet::new(head);
        for s in all {
            for (point, (cell, estimate)) in s.points.iter().enumerate() {
                let start = [axis.labels[point].clone(), s.name.clone()];
                let unstable = cell.and_then(|c| plan.cells[c].unstable());
                let rest = match (estimate, unstable) {
                    (Some(e), _) => {
                        let [low, high] = csv::bounds(e.interval(self.analysis.alpha));
                        [e.n.to_string(), csv::number(e.mean), low, high, String::new()]
                    }
                    (None, Some(rho)) => {
                        let note = format!("unstable: load {}, not run", csv::number(rho));
                        ["0".into(), String::new(), String::new(), String::new(), note]
                    }
                    (None, None) => continue,
                };
                sheet.row(start.into_iter().chain(rest));
            }
        }
        for curve in curves {
            for &(point, value) in &curve.at {
                let value = csv::number(value);
                let empty = String::new;
                sheet.row([
                    axis.labels[point].clone(),
                    curve.name.clone(),
                    empty(),
                    value,
                    empty(),
                    empty(),
                    "theory".into(),
                ]);
            }
        }
        sheet
    }
}

fn keys(theory: bool, unstable: bool) -> Vec<Key> {
    let mut keys = Vec::new();
    if theory {
        keys.push(Key::Line(Ink::Quiet, Dash::Dotted, "theory".into()));
    }
    if unstable {
        keys.push(Key::Note("× not run: the load is 100 % or more".into()));
    }
    keys
}

/// The points of a series that have a result, from left to right.
fn known(series: &Series, along: &Along) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> =
        series.points.iter().zip(&along.places).filter_map(|((_, e), &x)| Some((x, e.as_ref()?.mean))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The rightmost place at which any series has a result.
fn last_served(along: &Along, all: &[Series]) -> f64 {
    all.iter().filter_map(|s| known(s, along).last().map(|p| p.0)).fold(f64::NEG_INFINITY, f64::max)
}
