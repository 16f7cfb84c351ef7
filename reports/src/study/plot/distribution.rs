//! The distribution of latency: as a whole, and its tail alone on logarithmic axes.

use super::{Figure, LINES, Line, heading, id, left_out, lines, over_seeds, reproduce, shown};
use crate::csv::{self, Sheet};
use crate::plot::frame::{self, Axis, Key, Panel, RIGHT};
use crate::plot::ink::{Dash, Ink};
use crate::plot::scale::{Heights, decades};
use base::math::log10;
use study::stats::Estimate;
use study::{Analysis, Combination, PlotSpec, Pool};

/// What is drawn upwards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The share that took at most so long.
    Function,
    /// The share that took longer, on a logarithmic axis.
    Tail,
}

impl Shape {
    /// The upward axis. `least` is the smallest share beyond a latency that any line shows.
    fn axis(self, least: f64) -> Axis {
        match self {
            Shape::Function => Axis {
                title: "share of requests at most this slow".into(),
                low: 0.0,
                high: 100.0,
                ticks: [0, 25, 50, 75, 90, 100].map(|p| (f64::from(p), format!("{p} %"))).into(),
                grid: true,
            },
            Shape::Tail => {
                let mut axis = decades(least * 100.0, 100.0);
                axis.title = "share of requests slower than this, % (logarithmic)".into();
                axis.ticks.iter_mut().for_each(|(_, text)| text.push_str(" %"));
                axis
            }
        }
    }

    fn how_to_read(self) -> &'static str {
        match self {
            Shape::Function => "Read upwards from a latency: that share of the requests took at most so long.",
            Shape::Tail => {
                "Read upwards from a latency: that share took longer. On these axes an exponential tail bends down \
                 ever more steeply and a heavy one runs straight; the further right a line ends, the worse its slowest \
                 requests."
            }
        }
    }
}

/// Up to so many lines have bands.
const BANDS: usize = 4;

/// A picture for each combination while they are few, for the hardest otherwise.
pub(super) fn all(analysis: &Analysis<'_>, spec: &PlotSpec, shape: Shape) -> Vec<Figure> {
    shown(analysis, 2).into_iter().filter_map(|c| draw(analysis, spec, shape, c)).collect()
}

/// A share, and the latency in milliseconds that it does not pass, over seeds.
type Curve = Vec<(f64, Estimate)>;

fn draw(analysis: &Analysis<'_>, spec: &PlotSpec, shape: Shape, combination: &Combination) -> Option<Figure> {
    let drawn = lines(analysis, combination, LINES);
    let curves: Vec<Curve> = drawn.iter().map(|l| curve(analysis, l.cell)).collect();
    let beyond = |p: f64| 1.0 - p;
    let least = curves.iter().flatten().map(|(p, _)| beyond(*p)).filter(|t| *t > 1e-12).fold(1.0, f64::min);
    if least >= 1.0 {
        return None;
    }
    let interval = |e: &Estimate| e.interval(analysis.alpha).unwrap_or((e.mean, e.mean));
    let fits = |p: f64| shape == Shape::Function || beyond(p) > 1e-12;
    let times = curves.iter().flatten().filter(|(p, e)| fits(*p) && *p > 0.0 && e.mean > 0.0);
    let heights = Heights::over("latency, ms", times.map(|(_, e)| e.mean));
    let across = |ms: f64| heights.height(ms).clamp(heights.axis.low, heights.axis.high);
    let y = shape.axis(least);
    let up = |p: f64| match shape {
        Shape::Function => p * 100.0,
        Shape::Tail => log10((beyond(p) * 100.0).max(1e-10)).max(y.low),
    };
    let theory = theory(spec, &drawn, &curves);
    let (made, word) = match shape {
        Shape::Function => ("Distribution of latency", "distribution"),
        Shape::Tail => ("Tail of latency", "tail"),
    };
    let title = heading(spec, made, &combination.label);
    let name = id(&["latency", word, &combination.label]);
    let dashes = [Dash::Dotted, Dash::Mixed, Dash::Dashed, Dash::Long];
    let result = drawn.iter().map(|l| Key::Line(l.look.ink, l.look.dash, l.name.clone()));
    let known =
        theory.iter().enumerate().map(|(i, (t, _))| Key::Line(Ink::Text, dashes[i % 4], format!("theory: {t}")));
    let sheet = frame::Sheet {
        id: &name,
        title: &title,
        x: heights.axis.clone(),
        time: None,
        right: RIGHT,
        keys: result.chain(known).collect(),
        panels: vec![Panel { y: y.clone(), height: 340.0 }],
    };
    let svg = frame::draw(&sheet, |planes| {
        for (line, curve) in drawn.iter().zip(&curves).rev() {
            let curve: Vec<&(f64, Estimate)> = curve.iter().filter(|(p, _)| fits(*p)).collect();
            if drawn.len() <= BANDS {
                let there = curve.iter().map(|(p, e)| (across(interval(e).0), up(*p)));
                let back = curve.iter().rev().map(|(p, e)| (across(interval(e).1), up(*p)));
                planes[0].polygon(there.chain(back).collect(), line.look.ink.fill(0.16));
            }
            let points = curve.iter().map(|(p, e)| (across(e.mean), up(*p)));
            planes[0].line(points, line.look.ink.line(1.8, line.look.dash));
        }
        for (i, (_, points)) in theory.iter().enumerate() {
            let inside = points.iter().filter(|(_, ms)| heights.height(*ms) <= heights.axis.high);
            planes[0].line(inside.map(|&(p, ms)| (across(ms), up(p))), Ink::Text.line(1.3, dashes[i % 4]));
        }
    });
    let csv = data(analysis, &drawn, &curves, &theory);
    let caption = format!(
        "{} The requests of all seeds are one distribution: {}{}.{}",
        shape.how_to_read(),
        over_seeds(analysis),
        if drawn.len() <= BANDS { ", drawn as bands" } else { "" },
        left_out(combination, drawn.len())
    );
    let short = heading(&PlotSpec { title: String::new(), ..spec.clone() }, made, "");
    Some(Figure { id: name, title, short, caption, svg, csv, reproduce: reproduce(analysis) })
}

/// The curves of theory at the shares of the first line that is drawn: name, and latency in milliseconds by share.
fn theory(spec: &PlotSpec, drawn: &[Line<'_>], curves: &[Curve]) -> Vec<(String, Vec<(f64, f64)>)> {
    // Theory needs one cell; all of a combination have one load and one service.
    spec.theory
        .iter()
        .filter_map(|t| {
            let cell = drawn.first()?.of;
            let shares = curves.first()?.iter().map(|(p, _)| *p).filter(|p| *p > 0.0 && *p < 1.0);
            let points: Option<Vec<(f64, f64)>> = shares.map(|p| Some((p, t.quantile(p, cell)?))).collect();
            Some((t.to_string(), points?))
        })
        .collect()
}

/// The numbers behind the picture.
fn data(analysis: &Analysis<'_>, drawn: &[Line<'_>], curves: &[Curve], theory: &[(String, Vec<(f64, f64)>)]) -> Sheet {
    let mut csv = Sheet::new(["of", "share", "latency_ms", "low_ms", "high_ms", "n"]);
    for (line, curve) in drawn.iter().zip(curves) {
        for (p, e) in curve {
            let [low, high] = csv::bounds(e.interval(analysis.alpha));
            csv.row([line.name.clone(), format!("{p}"), csv::number(e.mean), low, high, e.n.to_string()]);
        }
    }
    for (t, points) in theory {
        for (p, ms) in points {
            let empty = String::new;
            csv.row([format!("theory: {t}"), format!("{p}"), csv::number(*ms), empty(), empty(), empty()]);
        }
    }
    csv
}

/// The latency at each share of the requests of all seeds of a cell, in milliseconds.
fn curve(analysis: &Analysis<'_>, cell: usize) -> Curve {
    let Some(pool) = Pool::of(analysis.results.latencies(cell), analysis.alpha) else { return Vec::new() };
    let (least, most) = pool.range();
    let end = |p: f64, ms: f64| Estimate::of([ms]).map(|e| (p, e));
    let between = pool.shares().into_iter().map(|p| (p, pool.quantile(p).0));
    end(0.0, least).into_iter().chain(between).chain(end(1.0, most)).collect()
}
