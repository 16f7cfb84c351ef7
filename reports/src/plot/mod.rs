//! Seven pictures of a run, drawn with plotters, each with the numbers behind it.
//!
//! Pictures over time share one axis, from the beginning of warm-up to the end of calm, with the run's phases and
//! faults on it, so that what happened in one is found again in the others. Lines differ in dash as well as in colour.
//! A run without data gives empty axes, never a panic.

pub(crate) mod frame;
pub(crate) mod ink;
mod instances;
pub(crate) mod label;
mod latency;
mod outcomes;
mod processes;
pub(crate) mod scale;
pub(crate) mod story;
mod svg;
mod versions;

pub(crate) use ink::Ink;
pub(crate) use svg::SANS;

use crate::csv::Sheet;
use world::outcome::{Outcome, Timeline};

/// A picture and what belongs to it.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Its name on a page: `plot-latency-time`. The files are called the same without `plot-`.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How to read it.
    pub caption: String,
    /// The picture: an SVG element that is also a whole file.
    pub svg: String,
    /// The numbers behind it.
    pub csv: Sheet,
}

impl Plot {
    /// The name of its files, without extension.
    pub fn file(&self) -> &'static str {
        file_of(self.id)
    }
}

/// The names of all files that [`all`] may give, without extension.
pub fn files() -> impl Iterator<Item = &'static str> {
    [
        latency::OVER_TIME,
        latency::DISTRIBUTION,
        outcomes::ID,
        outcomes::IN_FLIGHT,
        instances::ID,
        versions::ID,
        processes::ID,
    ]
    .into_iter()
    .map(file_of)
}

fn file_of(id: &'static str) -> &'static str {
    id.strip_prefix("plot-").unwrap_or(id)
}

/// The pictures of a run, in reading order. The one of versions is left out when no service ever had two,
/// that of processes when none has a series.
pub fn all(outcome: &Outcome) -> Vec<Plot> {
    let mut plots = vec![latency::over_time(outcome), latency::distribution(outcome), outcomes::over_time(outcome)];
    plots.extend(versions::shares(outcome));
    plots.push(instances::load(outcome));
    plots.push(outcomes::in_flight(outcome));
    plots.extend(processes::over_time(outcome));
    plots
}

/// Where the time axis ends, in seconds: at the end of calm, or later when requests ended later.
fn end(outcome: &Outcome) -> f64 {
    let steps = outcome.timeline.step.as_secs_f64() * outcome.timeline.steps as f64;
    outcome.run.phases.total().as_secs_f64().max(steps)
}

/// The middle of each step, in seconds.
fn middles(timeline: &Timeline) -> impl Iterator<Item = f64> {
    let step = timeline.step.as_secs_f64();
    (0..timeline.steps).map(move |i| (i as f64 + 0.5) * step)
}

/// A step's count as a rate per second; nothing for steps of no length.
fn rate(count: u32, timeline: &Timeline) -> f64 {
    let step = timeline.step.as_secs_f64();
    if step > 0.0 { f64::from(count) / step } else { 0.0 }
}

/// Entry `i`, or nothing where a vector is shorter than the timeline says.
fn nth(counts: &[u32], i: usize) -> u32 {
    counts.get(i).copied().unwrap_or(0)
}

/// Counts of `per` neighbouring steps added up.
fn grouped(counts: &[u32], steps: usize, per: usize) -> Vec<u64> {
    (0..steps.div_ceil(per.max(1)))
        .map(|g| (g * per..((g + 1) * per).min(steps)).map(|i| u64::from(nth(counts, i))).sum())
        .collect()
}
