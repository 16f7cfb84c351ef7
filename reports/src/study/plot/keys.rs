//! How keys spread over backends, from the fullest to the emptiest.

use super::{Figure, Line, heading, id, lines, reproduce};
use crate::csv::{self, Sheet};
use crate::plot::frame::{self, Axis, Panel};
use crate::plot::ink::{Dash, Ink};
use crate::plot::label::{self, End, Look, Mark};
use crate::plot::scale::Heights;
use study::{Analysis, Combination, PlotSpec, Sample};

/// More structures than this are not drawn in one picture.
const LINES: usize = 16;
/// The first, the middle and the last combination are drawn.
const PICTURES: usize = 3;

pub(super) fn all(analysis: &Analysis<'_>, spec: &PlotSpec) -> Vec<Figure> {
    let all: Vec<&Combination> =
        analysis.combinations.iter().filter(|c| !lines(analysis, c, LINES).is_empty()).collect();
    let chosen: Vec<&Combination> = match all.len() {
        0..=PICTURES => all,
        n => [0, n / 2, n - 1].map(|i| all[i]).into(),
    };
    chosen.into_iter().filter_map(|c| draw(analysis, spec, c)).collect()
}

fn draw(analysis: &Analysis<'_>, spec: &PlotSpec, combination: &Combination) -> Option<Figure> {
    let drawn: Vec<(Line<'_>, Vec<f64>)> = lines(analysis, combination, LINES)
        .into_iter()
        .map(|line| {
            let loads = mean(&analysis.results.of(line.cell).map(|(_, s)| s).collect::<Vec<_>>());
            (line, loads)
        })
        .filter(|(_, loads)| loads.len() > 1)
        .collect();
    drawn.first()?;
    let heights =
        Heights::over("keys of a backend over the mean", drawn.iter().flat_map(|(_, loads)| loads.iter().copied()));
    let title = heading(spec, "Keys per backend", &combination.label);
    let name = id(&["keys-per-backend", &combination.label]);
    let ticks = [0, 25, 50, 75, 100].map(|p| (f64::from(p), format!("{p} %")));
    let height = label::height(drawn.len(), 300.0);
    let sheet = frame::Sheet {
        id: &name,
        title: &title,
        x: Axis {
            title: "backends, from the fullest to the emptiest".into(),
            low: 0.0,
            high: 100.0,
            ticks: ticks.into(),
            grid: true,
        },
        time: None,
        right: label::margin(drawn.iter().map(|(line, _)| line.name.as_str())),
        keys: Vec::new(),
        panels: vec![Panel { y: heights.axis.clone(), height }],
    };
    let svg = frame::draw(&sheet, |planes| {
        planes[0].line([(0.0, heights.height(1.0)), (100.0, heights.height(1.0))], Ink::Axis.line(1.0, Dash::Solid));
        for (line, loads) in &drawn {
            let n = (loads.len() - 1) as f64;
            let points = loads.iter().enumerate().map(|(i, &y)| (i as f64 / n * 100.0, heights.height(y)));
            planes[0].line(points, line.look.ink.line(1.8, line.look.dash));
        }
        let ends = drawn.iter().map(|(line, loads)| {
            let look = Look { mark: Mark::None, ..line.look };
            End { name: line.name.clone(), look, y: heights.height(loads[loads.len() - 1]), reaches: true }
        });
        planes[0].ends(&sheet.x, &heights.axis, height, ends.collect());
    });
    let mut csv = Sheet::new(["of", "share_of_backends", "keys_over_mean"]);
    for (line, loads) in &drawn {
        for (i, load) in loads.iter().enumerate() {
            let share = csv::number(i as f64 / (loads.len() - 1) as f64);
            csv.row([line.name.clone(), share, csv::number(*load)]);
        }
    }
    let caption = format!(
        "Backends in order of how many keys they hold, over the mean; a structure that shares evenly is a level line at 1. \
         Averaged over {}, place by place.",
        crate::number::counted(analysis.plan().seeds.len() as u64, "set of keys", "sets of keys")
    );
    let short = format!("Keys, {}", combination.label);
    Some(Figure { id: name, title, short, caption, svg, csv, reproduce: reproduce(analysis) })
}

/// The loads of all seeds, averaged place by place.
fn mean(samples: &[&Sample]) -> Vec<f64> {
    let places = samples.iter().map(|s| s.backends.len()).min().unwrap_or(0);
    (0..places).map(|i| samples.iter().map(|s| s.backends[i]).sum::<f64>() / samples.len() as f64).collect()
}
