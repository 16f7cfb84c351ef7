//! How requests ended over time, and how many were under way.
//!
//! Failures are usually so few that beside the successes nobody sees them, so they are drawn a second time in a panel
//! of their own.

use super::frame::{self, Key, Panel, Plane};
use super::ink::{Dash, Ink};
use super::scale::{amounts, time};
use super::story::Story;
use super::{Plot, end, middles, nth, rate};
use crate::csv::{self, Sheet};
use crate::number::span;
use world::outcome::Outcome;

pub(super) const ID: &str = "plot-outcomes";
pub(super) const IN_FLIGHT: &str = "plot-in-flight";

/// The colours of failures, in order of how often they occurred; whatever comes after shares the last.
const FAILURES: [Ink; 6] = [Ink::Vermilion, Ink::Purple, Ink::Orange, Ink::Sky, Ink::Green, Ink::Grey];
const DASHES: [Dash; 6] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Mixed, Dash::Long, Dash::Solid];

/// Requests by how they ended, stacked.
pub(super) fn over_time(outcome: &Outcome) -> Plot {
    let t = &outcome.timeline;
    // The most frequent failure lies at the bottom of the stack.
    let mut failed: Vec<(&str, &[u32])> = t.failed.iter().map(|(name, counts)| (*name, counts.as_slice())).collect();
    failed.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().map(|&n| u64::from(n)).sum::<u64>()));
    failed.retain(|(_, counts)| counts.iter().any(|&n| n > 0));

    let (title, most) = ("Requests by outcome", |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max));
    let bad = |i: usize| failed.iter().map(|(_, counts)| rate(nth(counts, i), t)).sum::<f64>();
    let good = |i: usize| rate(nth(&t.succeeded, i), t);
    let highest = most(&mut (0..t.steps).map(|i| good(i) + bad(i)));
    let highest_bad = most(&mut (0..t.steps).map(bad));

    let ink = |i: usize| FAILURES[i.min(FAILURES.len() - 1)];
    let mut keys: Vec<Key> = vec![Key::Area(Ink::Blue, 0.25, "succeeded".into())];
    keys.extend(failed.iter().enumerate().map(|(i, (name, _))| Key::Area(ink(i), 0.75, (*name).into())));
    if failed.is_empty() {
        keys.push(Key::Note("nothing failed".into()));
    } else {
        keys.push(Key::Note("stacked in this order, from the ground up".into()));
    }
    let mut panels = vec![Panel { y: amounts("requests per second", highest, 5.0), height: 220.0 }];
    if !failed.is_empty() {
        panels.push(Panel { y: amounts("failures alone, per second", highest_bad, 4.0), height: 130.0 });
    }
    let sheet = frame::Sheet {
        id: ID,
        title,
        x: time(end(outcome)),
        time: Some(Story::of(outcome)),
        right: frame::RIGHT,
        keys,
        panels,
    };

    let at: Vec<f64> = middles(t).collect();
    let stack = |plane: &Plane<'_>, ground: Vec<f64>| {
        let mut low = ground;
        for (i, (_, counts)) in failed.iter().enumerate() {
            let high: Vec<f64> = (0..t.steps).map(|s| low[s] + rate(nth(counts, s), t)).collect();
            let band: Vec<(f64, f64, f64)> = (0..t.steps).map(|s| (at[s], low[s], high[s])).collect();
            plane.band(&band, ink(i).fill(0.75));
            // An edge only where there is something under it, so that nothing lines the ground.
            let edge: Vec<(f64, f64, bool)> = (0..t.steps).map(|s| (at[s], high[s], nth(counts, s) > 0)).collect();
            for run in edge.split(|(_, _, some)| !some).filter(|run| run.len() > 1) {
                plane.line(run.iter().map(|&(x, y, _)| (x, y)), ink(i).line(1.2, DASHES[i.min(5)]));
            }
            low = high;
        }
    };
    let svg = frame::draw(&sheet, |planes| {
        let succeeded: Vec<f64> = (0..t.steps).map(good).collect();
        let band: Vec<(f64, f64, f64)> = (0..t.steps).map(|s| (at[s], 0.0, succeeded[s])).collect();
        planes[0].band(&band, Ink::Blue.fill(0.25));
        planes[0].line(at.iter().copied().zip(succeeded.iter().copied()), Ink::Blue.line(1.2, Dash::Solid));
        stack(&planes[0], succeeded);
        if let Some(alone) = planes.get(1) {
            stack(alone, vec![0.0; t.steps]);
        }
    });

    let header = ["t_s", "arrived", "succeeded"].into_iter().map(String::from);
    let mut csv = Sheet::new(header.chain(t.failed.iter().map(|(name, _)| format!("failed_{name}"))));
    for i in 0..t.steps {
        let row = [csv::number(i as f64 * t.step.as_secs_f64()), nth(&t.arrived, i).to_string()];
        let row = row.into_iter().chain([nth(&t.succeeded, i).to_string()]);
        csv.row(row.chain(t.failed.iter().map(|(_, counts)| nth(counts, i).to_string())));
    }
    let caption = format!(
        "Requests by the step of {} in which they ended, as a rate, stacked on one another. The upper panel is the \
         whole; the lower one shows the failures alone, on a scale of their own, because beside the successes they would not \
         be seen. Counts per step are in the data.",
        span(t.step)
    );
    Plot { id: ID, title, caption, svg, csv }
}

/// Requests under way at the end of each step.
pub(super) fn in_flight(outcome: &Outcome) -> Plot {
    let t = &outcome.timeline;
    let title = "Requests in flight";
    let highest = t.in_flight.iter().copied().max().unwrap_or(0);
    let step = t.step.as_secs_f64();
    let points: Vec<(f64, f64)> =
        (0..t.steps).map(|i| ((i + 1) as f64 * step, f64::from(nth(&t.in_flight, i)))).collect();
    let sheet = frame::Sheet {
        id: IN_FLIGHT,
        title,
        x: time(end(outcome)),
        time: Some(Story::of(outcome)),
        right: frame::RIGHT,
        keys: Vec::new(),
        panels: vec![Panel { y: amounts("requests in flight", f64::from(highest), 5.0), height: 180.0 }],
    };
    let svg = frame::draw(&sheet, |planes| {
        let band: Vec<(f64, f64, f64)> = points.iter().map(|&(x, y)| (x, 0.0, y)).collect();
        planes[0].band(&band, Ink::Blue.fill(0.15));
        planes[0].line(points.iter().copied(), Ink::Blue.line(1.6, Dash::Solid));
    });
    let mut csv = Sheet::new(["t_s", "in_flight"]);
    points.iter().for_each(|(x, y)| csv.row([csv::number(*x), csv::number(*y)]));
    let caption =
        "Requests that had arrived and not yet ended, at the end of each step. By Little's law its average is \
                   the arrival rate times the mean latency; a line that climbs and does not come back is a system \
                   that takes in more than it can finish."
            .into();
    Plot { id: IN_FLIGHT, title, caption, svg, csv }
}
