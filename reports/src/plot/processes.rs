//! What processes reported over time: one panel per measure, one step line per process.

use super::frame::{self, Key, Panel};
use super::ink::LINES;
use super::scale::{amounts, time};
use super::story::Story;
use super::{Plot, end};
use crate::csv::{self, Sheet};
use world::outcome::{Outcome, Series};

pub(super) const ID: &str = "plot-processes";

/// The series of all processes; none where no process has any.
pub(super) fn over_time(outcome: &Outcome) -> Option<Plot> {
    let all: Vec<&Series> = outcome.sections.iter().flat_map(|section| &section.series).collect();
    let mut measures: Vec<(&str, Vec<&Series>)> = Vec::new();
    for series in &all {
        match measures.iter_mut().find(|(measure, _)| *measure == series.measure) {
            Some((_, of)) => of.push(series),
            None => measures.push((series.measure, vec![series])),
        }
    }
    let most = measures.iter().map(|(_, of)| of.len()).max()?;
    let style = |i: usize| LINES[i.min(LINES.len() - 1)];
    let longest = measures.iter().find(|(_, of)| of.len() == most).map_or(&[][..], |(_, of)| of.as_slice());
    let keys = longest.iter().take(LINES.len()).enumerate();
    let mut keys: Vec<Key> = keys.map(|(i, series)| Key::Line(style(i).0, style(i).1, series.name.clone())).collect();
    if most > LINES.len() {
        keys.push(Key::Note(format!("and {} more, like the last", most - LINES.len())));
    }
    let panels = measures.iter().map(|(measure, of)| {
        let highest = of.iter().flat_map(|series| &series.points).map(|(_, y)| *y).fold(0.0, f64::max);
        Panel { y: amounts(*measure, highest, 4.0), height: 150.0 }
    });
    let title = "Processes over time";
    let x = time(end(outcome));
    let until = x.high;
    let sheet = frame::Sheet {
        id: ID,
        title,
        x,
        time: Some(Story::of(outcome)),
        right: frame::RIGHT,
        keys,
        panels: panels.collect(),
    };
    let svg = frame::draw(&sheet, |planes| {
        for ((_, of), plane) in measures.iter().zip(planes) {
            for (i, series) in of.iter().enumerate() {
                plane.line(steps(series, until), style(i).0.line(1.6, style(i).1));
            }
        }
    });
    let mut csv = Sheet::new(["t_s", "measure", "process", "value"]);
    for series in all {
        for (at, value) in &series.points {
            let (at, value) = (csv::number(at.as_secs_f64()), csv::number(*value));
            csv.row([at.as_str(), series.measure, series.name.as_str(), value.as_str()]);
        }
    }
    let caption = "What each process reported of itself: a line keeps its value until the next change.".to_string();
    Some(Plot { id: ID, title, caption, svg, csv })
}

/// The corners of a step function up to a moment.
fn steps(series: &Series, until: f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (at, value) in &series.points {
        let x = at.as_secs_f64().min(until);
        if let Some(&(_, before)) = corners.last() {
            corners.push((x, before));
        }
        corners.push((x, *value));
    }
    if let Some(&(_, last)) = corners.last() {
        corners.push((until, last));
    }
    corners
}
