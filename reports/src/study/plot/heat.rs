//! What is at every instance over time: a heat map for each line, one above the other on one axis and one scale.
//!
//! Even columns are even balancing; a row that stays dark is an instance in trouble; stripes that all rows share are
//! the load; a pattern that travels is herding.

use super::{Figure, Line, heading, id, left_out, lines, reproduce, shown};
use crate::csv::{self, Sheet};
use crate::number::count;
use crate::plot::frame::{self, Axis, Key, Panel, Plane, RIGHT};
use crate::plot::ink::{HEATS, Ink};
use crate::plot::scale::time;
use crate::plot::story::{Mark, Story};
use base::math::ln;
use study::{Analysis, Combination, Heat, PlotSpec, Sample};

/// More maps than this are not drawn.
const MAPS: usize = 8;
/// More rows than this are gathered, several instances to a row.
const ROWS: usize = 24;
/// More columns than this are gathered.
const COLUMNS: usize = 120;

/// One picture, of the hardest combination.
pub(super) fn all(analysis: &Analysis<'_>, spec: &PlotSpec) -> Vec<Figure> {
    shown(analysis, 1).into_iter().filter_map(|c| draw(analysis, spec, c)).collect()
}

/// A map, gathered.
struct Map<'a> {
    line: Line<'a>,
    heat: &'a Heat,
    /// Seconds of a column.
    column: f64,
    /// Instances of a row.
    per: usize,
    rows: Vec<Vec<f64>>,
}

fn draw(analysis: &Analysis<'_>, spec: &PlotSpec, combination: &Combination) -> Option<Figure> {
    let maps: Vec<Map<'_>> =
        lines(analysis, combination, MAPS).into_iter().filter_map(|line| map(analysis, line)).collect();
    let first_cell = maps.first()?.line.cell;
    let first: &Sample = analysis.results.of(first_cell).next()?.1;
    let highest = maps.iter().flat_map(|m| m.rows.iter().flatten()).copied().fold(0.0, f64::max).max(1.0);
    let level = |x: f64| match x {
        x if x <= 0.0 => None,
        x => Some(((ln(1.0 + x) / ln(1.0 + highest) * f64::from(HEATS)).ceil() as u8).clamp(1, HEATS) - 1),
    };
    let title = heading(spec, "Requests at each instance over time", &combination.label);
    let name = id(&["instances", &combination.label]);
    let end = maps.iter().map(|m| m.column * m.rows.iter().map(Vec::len).max().unwrap_or(0) as f64).fold(0.0, f64::max);
    let panels = maps.iter().map(|m| {
        let n = m.rows.len();
        let last = m.heat.names.len().to_string();
        let ticks = if n > 1 { vec![(n as f64 - 0.5, "1".into()), (0.5, last)] } else { vec![(0.5, "1".into())] };
        let y = Axis { title: m.line.name.clone(), low: 0.0, high: n as f64, ticks, grid: false };
        Panel { y, height: (n as f64 * 9.0).clamp(40.0, 130.0) }
    });
    let sheet = frame::Sheet {
        id: &name,
        title: &title,
        x: time(end),
        time: Some(story(analysis, first_cell, first)),
        right: RIGHT,
        keys: vec![
            Key::Ramp("0".into(), format!("{} requests at an instance (logarithmic)", count(highest.round() as u64))),
            Key::Note("blank: none".into()),
        ],
        panels: panels.collect(),
    };
    let svg = frame::draw(&sheet, |planes| {
        for (map, plane) in maps.iter().zip(planes) {
            paint(map, plane, sheet.x.high, &level);
        }
    });
    let mut csv = Sheet::new(["of", "instance", "t_s", "requests"]);
    for map in &maps {
        for (name, row) in map.heat.names.iter().zip(&map.heat.rows) {
            for (i, n) in row.iter().enumerate() {
                let t = (i + 1) as f64 * map.heat.step_ns as f64 / 1e9;
                csv.row([map.line.name.as_str(), name, &csv::number(t), &n.to_string()]);
            }
        }
    }
    let per = maps.iter().map(|m| m.per).max().unwrap_or(1);
    let gathered =
        if per > 1 { format!(" A row is the mean of up to {per} neighbouring instances.") } else { String::new() };
    let caption = format!(
        "One row an instance, in order of creation; the darker, the more requests wait or are served there at the end of a \
         step (in the dark: the brighter), on one scale for all. The run under seed {}.{gathered}{}",
        analysis.plan().seeds.first().map_or_else(String::new, ToString::to_string),
        left_out(combination, maps.len())
    );
    Some(Figure {
        id: name,
        title,
        short: "Instances over time".into(),
        caption,
        svg,
        csv,
        reproduce: reproduce(analysis),
    })
}

fn map<'a>(analysis: &Analysis<'a>, line: Line<'a>) -> Option<Map<'a>> {
    let heat = analysis.results.of(line.cell).find_map(|(_, s)| s.heat.as_ref()).filter(|h| !h.rows.is_empty())?;
    let per = heat.rows.len().div_ceil(ROWS).max(1);
    let columns = heat.rows.iter().map(Vec::len).max().unwrap_or(0);
    let join = columns.div_ceil(COLUMNS).max(1);
    let cell = |rows: &[Vec<u32>], from: usize| {
        let all = rows.iter().flat_map(|r| r.iter().skip(from).take(join));
        let (sum, n) = all.fold((0.0, 0u32), |(s, n), &x| (s + f64::from(x), n + 1));
        if n == 0 { 0.0 } else { sum / f64::from(n) }
    };
    let rows =
        heat.rows.chunks(per).map(|rows| (0..columns).step_by(join).map(|from| cell(rows, from)).collect()).collect();
    Some(Map { line, heat, column: heat.step_ns as f64 / 1e9 * join as f64, per, rows })
}

fn paint(map: &Map<'_>, plane: &Plane<'_>, right: f64, level: &impl Fn(f64) -> Option<u8>) {
    let n = map.rows.len();
    // Level by level, so that all cells of one colour become one path; neighbours of one level are one box.
    for step in 0..HEATS {
        for (y, row) in map.rows.iter().enumerate() {
            let top = (n - y) as f64;
            let mut x = 0;
            while x < row.len() {
                let same = row[x..].iter().take_while(|v| level(**v) == Some(step)).count();
                if same > 0 {
                    let (a, b) = (x as f64 * map.column, (x + same) as f64 * map.column);
                    plane.rectangle((a, top), (b.min(right), top - 1.0), Ink::Heat(step).fill(1.0));
                }
                x += same.max(1);
            }
        }
    }
}

/// The phases and faults of a run.
pub(super) fn story(analysis: &Analysis<'_>, cell: usize, sample: &Sample) -> Story {
    let at = |ns: u64| ns as f64 / 1e9;
    let mark =
        |f: &study::Fault| Mark { from: at(f.from_ns), until: at(f.until_ns), name: f.name.clone(), broken: false };
    Story::with(analysis.plan().cells[cell].phases, sample.faults.iter().map(mark).collect())
}
