//! Runs over time, averaged over seeds: around faults, and how queues fill.

use super::heat::story;
use super::{Figure, LINES, Line, heading, id, left_out, lines, reproduce, shown};
use crate::csv::{self, Sheet};
use crate::plot::frame::{self, Axis, Key, Panel, RIGHT};
use crate::plot::scale::{Heights, amounts, time};
use study::{Analysis, Combination, PlotSpec, Sample};

/// One value for every step; none where there is nothing to say.
type Course = Vec<Option<f64>>;

/// A panel: its heading, the column in the data, and a run's course.
struct Track {
    title: &'static str,
    column: &'static str,
    of: fn(&Sample, usize) -> Option<f64>,
    /// Whether it may be drawn on a logarithmic axis.
    bent: bool,
}

/// Latency, failures and arrivals.
pub(super) fn around_faults(analysis: &Analysis<'_>, spec: &PlotSpec) -> Vec<Figure> {
    let tracks = [
        Track { title: "99th percentile of latency, ms", column: "p99_ms", of: p99, bent: true },
        Track { title: "failures, % of what ended", column: "failed_percent", of: failed, bent: false },
        Track { title: "requests that ended well, per second", column: "succeeded_per_s", of: succeeded, bent: false },
    ];
    let draw = |c| draw(analysis, spec, c, "Around the faults", "over-time", &tracks);
    shown(analysis, 2).into_iter().filter_map(draw).collect()
}

/// The mean queue and the longest.
pub(super) fn queues(analysis: &Analysis<'_>, spec: &PlotSpec) -> Vec<Figure> {
    let tracks = [
        Track { title: "requests at an instance, mean", column: "queue_mean", of: queue, bent: true },
        Track { title: "requests at the fullest instance", column: "queue_longest", of: longest, bent: true },
    ];
    let draw = |c| draw(analysis, spec, c, "Queues over time", "queues", &tracks);
    shown(analysis, 1).into_iter().filter_map(draw).collect()
}

fn p99(s: &Sample, i: usize) -> Option<f64> {
    s.series.p99_ns.get(i).filter(|ns| **ns > 0).map(|&ns| ns as f64 / 1e6)
}

fn failed(s: &Sample, i: usize) -> Option<f64> {
    let (bad, good) = (f64::from(*s.series.failed.get(i)?), f64::from(*s.series.succeeded.get(i)?));
    (bad + good > 0.0).then(|| bad / (bad + good) * 100.0)
}

fn succeeded(s: &Sample, i: usize) -> Option<f64> {
    Some(f64::from(*s.series.succeeded.get(i)?) / (s.series.step_ns as f64 / 1e9))
}

fn queue(s: &Sample, i: usize) -> Option<f64> {
    Some(f64::from(*s.series.queued.get(i)?) / s.taken.len().max(1) as f64)
}

fn longest(s: &Sample, i: usize) -> Option<f64> {
    s.series.longest.get(i).map(|&n| f64::from(n))
}

fn draw(
    analysis: &Analysis<'_>,
    spec: &PlotSpec,
    combination: &Combination,
    made: &str,
    word: &str,
    tracks: &[Track],
) -> Option<Figure> {
    let drawn = lines(analysis, combination, LINES);
    let first_cell = drawn.first()?.cell;
    let first: &Sample = analysis.results.of(first_cell).next()?.1;
    let step = first.series.step_ns as f64 / 1e9;
    let steps = drawn.iter().flat_map(|l| analysis.results.of(l.cell)).map(|(_, s)| s.series.arrived.len()).max()?;
    if steps == 0 {
        return None;
    }
    let courses: Vec<Vec<Course>> =
        tracks.iter().map(|t| drawn.iter().map(|l| course(analysis, l, t, steps)).collect()).collect();
    let heights: Vec<Heights> = tracks.iter().zip(&courses).map(|(t, all)| scale(t, all)).collect();
    let title = heading(spec, made, &combination.label);
    let name = id(&[word, &combination.label]);
    let panel = |h: &Heights| Panel { y: h.axis.clone(), height: if tracks.len() > 2 { 170.0 } else { 210.0 } };
    let end = (steps as f64 * step).max(analysis.plan().cells[first_cell].phases.total().as_secs_f64());
    let sheet = frame::Sheet {
        id: &name,
        title: &title,
        x: time(end),
        time: Some(story(analysis, first_cell, first)),
        right: RIGHT,
        keys: drawn.iter().map(|l| Key::Line(l.look.ink, l.look.dash, l.name.clone())).collect(),
        panels: heights.iter().map(panel).collect(),
    };
    let svg = frame::draw(&sheet, |planes| {
        for ((plane, all), h) in planes.iter().zip(&courses).zip(&heights) {
            for (line, course) in drawn.iter().zip(all).rev() {
                let points: Vec<(f64, Option<f64>)> =
                    course.iter().enumerate().map(|(i, v)| ((i as f64 + 0.5) * step, *v)).collect();
                for run in points.split(|(_, v)| v.is_none()).filter(|run| !run.is_empty()) {
                    let run = run.iter().filter_map(|&(x, v)| Some((x, h.height(v?))));
                    plane.line(run, line.look.ink.line(1.6, line.look.dash));
                }
            }
        }
    });
    let mut csv = Sheet::new(["of", "t_s"].into_iter().chain(tracks.iter().map(|t| t.column)));
    for (l, line) in drawn.iter().enumerate() {
        for i in 0..steps {
            let values = courses.iter().map(|all| all[l][i].map_or_else(String::new, csv::number));
            csv.row([line.name.clone(), csv::number(i as f64 * step)].into_iter().chain(values));
        }
    }
    let seeds = analysis.plan().seeds.len();
    let faults = if first.faults.is_empty() { "" } else { " Shaded columns are faults, named in the strip above." };
    let caption = format!(
        "Each point sums up a step of {}, averaged over {}; grey is warm-up, which is not measured.{faults}{}",
        crate::number::span(base::Duration::ns(first.series.step_ns)),
        crate::number::counted(seeds as u64, "seed", "seeds"),
        left_out(combination, drawn.len())
    );
    Some(Figure { id: name, title, short: made.into(), caption, svg, csv, reproduce: reproduce(analysis) })
}

/// The mean over the seeds that have something at a step.
fn course(analysis: &Analysis<'_>, line: &Line<'_>, track: &Track, steps: usize) -> Course {
    let samples: Vec<&Sample> = analysis.results.of(line.cell).map(|(_, s)| s).collect();
    (0..steps)
        .map(|i| {
            let seen = samples.iter().filter_map(|s| (track.of)(s, i));
            let (sum, n) = seen.fold((0.0, 0u32), |(s, n), x| (s + x, n + 1));
            (n > 0).then(|| sum / f64::from(n))
        })
        .collect()
}

fn scale(track: &Track, all: &[Course]) -> Heights {
    let values = || all.iter().flatten().flatten().copied();
    if track.bent {
        return Heights::over(track.title, values());
    }
    let axis: Axis = amounts(track.title, values().fold(0.0, f64::max), 4.0);
    Heights::straight(axis)
}
