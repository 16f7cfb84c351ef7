//! Load of every instance over time, as a heat map: one row an instance, darker where it took in more.
//!
//! Lines for two hundred instances would be a tangle; rows stay readable, and what matters stands out by itself: a dead
//! instance is a gap, a favourite is a dark row, a newcomer begins in the middle.

use super::frame::{self, Axis, Key, Panel};
use super::ink::{Dash, HEATS, Ink};
use super::scale::time;
use super::story::Story;
use super::{Plot, end, grouped, nth};
use crate::csv::{self, Sheet};
use crate::number::{decimal, decimals_for};
use world::outcome::{InstanceOutcome, Outcome};

pub(super) const ID: &str = "plot-instance-load";

/// More rows than this are gathered, several instances to a row.
const ROWS: usize = 240;
/// Up to so many rows each carries the name of its instance.
const NAMED: usize = 48;
/// More cells than this are not drawn; steps are gathered until they fit.
const CELLS: usize = 24_000;

/// A row of the map: neighbouring instances of one service, usually just one.
struct Row<'a> {
    service: usize,
    instances: Vec<&'a InstanceOutcome>,
}

/// Requests each instance took in, over time.
pub(super) fn load(outcome: &Outcome) -> Plot {
    let t = &outcome.timeline;
    let title = "Load per instance";
    let rows = rows(outcome);
    let per = t.steps.div_ceil((CELLS / rows.len().max(1)).clamp(60, 240)).max(1);
    let column = t.step.as_secs_f64() * per as f64;

    // Mean rate per instance of each cell.
    let rates: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let mut sums = vec![0u64; t.steps.div_ceil(per)];
            for instance in &row.instances {
                let counts = grouped(&instance.requests_per_step, t.steps, per);
                sums.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
            }
            let of = t.step.as_secs_f64() * row.instances.len() as f64;
            // The last column may gather fewer steps than the others.
            let steps = |g: usize| ((g + 1) * per).min(t.steps) - g * per;
            let rate = |(g, n): (usize, u64)| n as f64 / (of * steps(g) as f64).max(f64::MIN_POSITIVE);
            sums.into_iter().enumerate().map(rate).collect()
        })
        .collect();
    let highest = rates.iter().flatten().copied().fold(0.0, f64::max);
    let level = |rate: f64| match rate {
        r if r <= 0.0 => None,
        r => Some(((r / highest * f64::from(HEATS)).ceil() as u8).clamp(1, HEATS) - 1),
    };

    let n = rows.len().max(1);
    let row_height = (620.0 / n as f64).clamp(2.5, 18.0);
    let sheet = frame::Sheet {
        id: ID,
        title,
        x: time(end(outcome)),
        time: Some(Story::of(outcome)),
        right: frame::RIGHT,
        keys: vec![
            Key::Ramp("0".into(), format!("{} requests/s an instance", decimal(highest, decimals_for(highest)))),
            Key::Note("blank: none".into()),
        ],
        panels: vec![Panel { y: names(outcome, &rows), height: (row_height * n as f64).max(24.0) }],
    };
    let svg = frame::draw(&sheet, |planes| {
        let plane = &planes[0];
        // Level by level, so that all cells of one colour become one path.
        for step in 0..HEATS {
            for (y, row) in rates.iter().enumerate() {
                let top = (n - y) as f64;
                let gap = if row_height > 8.0 { 0.06 } else { 0.0 };
                let mut x = 0;
                while x < row.len() {
                    let same = row[x..].iter().take_while(|r| level(**r) == Some(step)).count();
                    if same > 0 {
                        let right = ((x + same) as f64 * column).min(sheet.x.high);
                        let (a, b) = ((x as f64 * column, top - gap), (right, top - 1.0 + gap));
                        plane.rectangle(a, b, Ink::Heat(step).fill(1.0));
                    }
                    x += same.max(1);
                }
            }
        }
        between_services(plane, &rows, n, sheet.x.high);
    });

    let per_row = rows.first().map_or(1, |row| row.instances.len());
    let mut caption = String::from(
        "One row an instance, by service and in order of creation; the darker, the more requests it took in (in the dark: \
         the brighter). A blank stretch is an instance that took in nothing: not yet made, cut off, dead or removed. \
         Even columns mean even balancing.",
    );
    if per_row > 1 {
        caption.push_str(&format!(" Here a row is the mean of up to {per_row} neighbouring instances."));
    }
    Plot { id: ID, title, caption, svg, csv: data(outcome) }
}

fn rows(outcome: &Outcome) -> Vec<Row<'_>> {
    let all: usize = outcome.services.iter().map(|s| s.instances.len()).sum();
    let per = all.div_ceil(ROWS).max(1);
    let services = outcome.services.iter().enumerate();
    services
        .flat_map(|(service, s)| s.instances.chunks(per).map(move |c| Row { service, instances: c.iter().collect() }))
        .collect()
}

/// The y axis: each instance by name where there is room, else each service beside its rows.
fn names(outcome: &Outcome, rows: &[Row<'_>]) -> Axis {
    let n = rows.len().max(1);
    let middle = |row: usize| (n - row) as f64 - 0.5;
    let cut = |name: &str, most: usize| -> String {
        if name.chars().count() > most { name.chars().take(most - 1).chain(['…']).collect() } else { name.into() }
    };
    let ticks = if rows.len() <= NAMED {
        let name = |row: &Row<'_>| {
            let instance = row.instances[0];
            // The version is told apart only where there is more than one.
            let several = outcome.services[row.service].versions.len() > 1;
            let version = if several { format!("  {}", cut(&instance.version, 10)) } else { String::new() };
            format!("{}{version}", cut(&instance.name, 20))
        };
        rows.iter().enumerate().map(|(i, row)| (middle(i), name(row))).collect()
    } else {
        let services = outcome.services.iter().enumerate();
        services
            .filter_map(|(i, service)| {
                let of_it: Vec<usize> = (0..rows.len()).filter(|&r| rows[r].service == i).collect();
                let (first, last) = (*of_it.first()?, *of_it.last()?);
                Some(((middle(first) + middle(last)) / 2.0, cut(&service.name, 20)))
            })
            .collect()
    };
    Axis { title: String::new(), low: 0.0, high: n as f64, ticks, grid: false }
}

/// A line between services, a broken one between versions.
fn between_services(plane: &frame::Plane<'_>, rows: &[Row<'_>], n: usize, right: f64) {
    for i in 1..rows.len() {
        let y = (n - i) as f64;
        if rows[i].service != rows[i - 1].service {
            plane.line([(0.0, y), (right, y)], Ink::Text.line(1.2, Dash::Solid));
        } else if rows[i].instances[0].version != rows[i - 1].instances[0].version {
            plane.line([(0.0, y), (right, y)], Ink::Quiet.line(1.0, Dash::Dashed));
        }
    }
}

fn data(outcome: &Outcome) -> Sheet {
    let t = &outcome.timeline;
    let mut csv = Sheet::new(["t_s", "service", "instance", "version", "zone", "requests"]);
    for service in &outcome.services {
        for instance in &service.instances {
            for i in 0..t.steps {
                csv.row([
                    csv::number(i as f64 * t.step.as_secs_f64()).as_str(),
                    &service.name,
                    &instance.name,
                    &instance.version,
                    &instance.zone,
                    &nth(&instance.requests_per_step, i).to_string(),
                ]);
            }
        }
    }
    csv
}
