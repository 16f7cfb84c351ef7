//! The ranking as a picture, and the differences behind it: one row for each compared thing, with its interval.

use super::{Figure, heading, id, measure_title, over_seeds, reproduce, shown};
use crate::csv::{self, Sheet};
use crate::number::percent;
use crate::plot::frame::{self, Axis, Key, Panel, SMALL, width};
use crate::plot::ink::{Dash, Ink};
use crate::plot::label::Look;
use crate::plot::scale::{Differences, Heights};
use crate::study::data::column;
use plotters::style::text_anchor::HPos;
use study::stats::{Estimate, Pair};
use study::{Analysis, Combination, Compared, Kind, PlotKind, PlotSpec};

/// The height of a row.
const ROW: f64 = 22.0;

/// For every combination while they are few: the ranking, and the differences to the baseline or to the best.
pub(super) fn all(analysis: &Analysis<'_>) -> Vec<Figure> {
    let mut figures = Vec::new();
    if analysis.plan().comparison.is_none() {
        return figures;
    }
    for combination in shown(analysis, 2) {
        let Some(table) = combination.tables.first().filter(|t| t.ranking.len() > 1) else { continue };
        figures.push(ranking(analysis, combination, table));
        figures.extend(differences(analysis, combination, table));
    }
    figures
}

/// The rows' names as an axis, the first at the top.
fn rows<'a>(names: impl Iterator<Item = &'a str>) -> Axis {
    let names: Vec<String> = names
        .map(|n| if n.chars().count() > 40 { n.chars().take(39).chain(['…']).collect() } else { n.into() })
        .collect();
    let n = names.len();
    let ticks = names.into_iter().enumerate().map(|(i, name)| ((n - i) as f64 - 0.5, name)).collect();
    Axis { title: String::new(), low: 0.0, high: n as f64, ticks, grid: false }
}

fn none() -> PlotSpec {
    PlotSpec { kind: PlotKind::ByAxis, title: String::new(), x: None, series: None, measure: None, theory: Vec::new() }
}

fn ranking(analysis: &Analysis<'_>, combination: &Combination, table: &Compared) -> Figure {
    let names = analysis.points();
    let unit = table.measure.unit();
    let found: Vec<_> = table.ranking.iter().filter_map(|r| Some((r, table.estimates[r.item]?))).collect();
    let interval = |e: &Estimate| e.interval(analysis.alpha).unwrap_or((e.mean, e.mean));
    let bounds = found.iter().flat_map(|(_, e)| [e.mean, interval(e).0, interval(e).1]).map(|x| unit.shown(x));
    let heights = Heights::snug(&measure_title(&table.measure), bounds);
    let at = |x: f64| heights.height(unit.shown(x));
    let place = |best: usize, worst: usize| if best == worst { format!("{best}") } else { format!("{best}–{worst}") };
    let said: Vec<String> = found.iter().map(|(r, _)| format!("{}  {}", place(r.best, r.worst), r.groups)).collect();
    let title = heading(&none(), &format!("Ranking by {}", table.measure.title()), &combination.label);
    let name = id(&["ranking", &table.measure.name(), &combination.label]);
    let sheet = frame::Sheet {
        id: &name,
        title: &title,
        x: heights.axis.clone(),
        time: None,
        right: 24.0 + said.iter().map(|s| width(s, SMALL)).fold(0.0, f64::max),
        keys: vec![Key::Note("at the right: place and groups".into())],
        panels: vec![Panel {
            y: rows(found.iter().map(|(r, _)| names[r.item].as_str())),
            height: ROW * found.len() as f64,
        }],
    };
    let svg = frame::draw(&sheet, |planes| {
        for (i, ((r, e), said)) in found.iter().zip(&said).enumerate() {
            let y = (found.len() - i) as f64 - 0.5;
            let look = Look::of(r.item);
            let (low, high) = (at(interval(e).0), at(interval(e).1));
            planes[0].line([(sheet.x.low, y), (sheet.x.high, y)], Ink::Grid.line(0.8, Dash::Solid));
            planes[0].rectangle((low, y - 0.16), (high, y + 0.16), look.ink.fill(0.35));
            planes[0].mark((at(e.mean), y), look, 4.0);
            planes[0].label((sheet.x.high, y), (12.0, 0.0), said, Ink::Text, HPos::Left);
        }
    });
    let mut csv =
        Sheet::new(["point", "place_best", "place_worst", "groups", &column(&table.measure), "low", "high", "n"]);
    for (r, e) in &found {
        let [low, high] = csv::bounds(e.interval(analysis.alpha));
        csv.row([
            names[r.item].clone(),
            r.best.to_string(),
            r.worst.to_string(),
            r.groups.clone(),
            csv::number(e.mean),
            low,
            high,
            e.n.to_string(),
        ]);
    }
    let same = same(analysis);
    let caption = format!(
        "{}, the best at the top: {}, drawn as bars. A place is a range where the seeds cannot tell; two that share a letter \
         cannot be told apart, two that share none can. Bars that overlap may still be told apart, because under one seed all \
         meet the same {same} and only differences count.",
        super::sentence(&table.measure.title()),
        over_seeds(analysis)
    );
    Figure { id: name, title, short: "Ranking".into(), caption, svg, csv, reproduce: reproduce(analysis) }
}

/// What is the same for all under one seed.
fn same(analysis: &Analysis<'_>) -> &'static str {
    match analysis.plan().kind {
        Kind::World => "requests",
        Kind::Hashing => "keys",
    }
}

/// A difference as seen from one of the two.
struct Difference<'a> {
    item: usize,
    pair: &'a Pair,
    mean: f64,
    /// `better`, `worse` or `cannot tell`.
    verdict: &'static str,
}

/// The differences of all ranked points to `against`, the best point first.
fn differences_to(table: &Compared, against: usize) -> Vec<Difference<'_>> {
    let of = |item: usize| {
        let pair = table.pairs.iter().find(|p| (p.first, p.second) == (item.min(against), item.max(against)))?;
        pair.corrected?;
        let sign = if pair.first == item { 1.0 } else { -1.0 };
        let mean = sign * pair.difference.mean;
        let verdict = match (pair.decided, (mean < 0.0) != table.measure.higher_is_better()) {
            (false, _) => "cannot tell",
            (true, true) => "better",
            (true, false) => "worse",
        };
        Some(Difference { item, pair, mean, verdict })
    };
    table.ranking.iter().filter_map(|ranked| of(ranked.item)).collect()
}

/// The numbers behind a picture of differences to the point `against`.
fn data_of_differences(found: &[Difference<'_>], names: &[String], against: usize) -> Sheet {
    let mut csv = Sheet::new([
        "point",
        "against",
        "difference",
        "half_width_corrected",
        "half_width_simultaneous",
        "p",
        "p_adjusted",
        "n",
        "verdict",
    ]);
    for d in found {
        let number = |x: Option<f64>| x.map_or_else(String::new, csv::number);
        let chance = |p: Option<f64>| p.map_or_else(String::new, |p| format!("{p:.3e}"));
        csv.row([
            names[d.item].clone(),
            names[against].clone(),
            csv::number(d.mean),
            number(d.pair.corrected),
            number(d.pair.simultaneous),
            chance(d.pair.p),
            chance(d.pair.adjusted),
            d.pair.difference.n.to_string(),
            d.verdict.into(),
        ]);
    }
    csv
}

fn differences(analysis: &Analysis<'_>, combination: &Combination, table: &Compared) -> Option<Figure> {
    let names = analysis.points();
    let asked = analysis.plan().comparison.as_ref()?.against.filter(|&a| table.estimates[a].is_some());
    let against = asked.unwrap_or(table.ranking.first()?.item);
    let found = differences_to(table, against);
    if found.is_empty() {
        return None;
    }
    let unit = table.measure.unit();
    let reach = |d: &Difference<'_>| d.pair.simultaneous.unwrap_or(0.0);
    let (low, high) = found.iter().fold((0.0_f64, 0.0_f64), |(l, h), d| {
        (l.min(unit.shown(d.mean - reach(d))), h.max(unit.shown(d.mean + reach(d))))
    });
    let title =
        heading(&none(), &format!("Differences to {}, {}", names[against], table.measure.title()), &combination.label);
    let name = id(&["differences", &table.measure.name(), &combination.label]);
    // Half of the rows should show their interval, whatever the worst is like.
    let mut sizes: Vec<f64> = found.iter().filter_map(|d| Some(unit.shown(d.pair.corrected?))).collect();
    sizes.sort_by(f64::total_cmp);
    let across = Differences::over(
        &format!("difference in {}", measure_title(&table.measure)),
        low,
        high,
        sizes.get(sizes.len() / 2).copied().unwrap_or(0.0) * 4.0,
    );
    let sheet = frame::Sheet {
        id: &name,
        title: &title,
        x: across.axis.clone(),
        time: None,
        right: 24.0 + width("cannot tell", SMALL),
        keys: Vec::new(),
        panels: vec![Panel { y: rows(found.iter().map(|d| names[d.item].as_str())), height: ROW * found.len() as f64 }],
    };
    let svg = frame::draw(&sheet, |planes| {
        planes[0].line([(0.0, 0.0), (0.0, found.len() as f64)], Ink::Text.line(1.2, Dash::Solid));
        for (i, d) in found.iter().enumerate() {
            let y = (found.len() - i) as f64 - 0.5;
            let ink = match d.verdict {
                "better" => Ink::Blue,
                "worse" => Ink::Vermilion,
                _ => Ink::Grey,
            };
            let (corrected, all) = (d.pair.corrected.unwrap_or(0.0), reach(d));
            let x = |v: f64| across.place(unit.shown(v));
            planes[0].line([(x(d.mean - all), y), (x(d.mean + all), y)], ink.line(1.2, Dash::Solid));
            planes[0].rectangle((x(d.mean - corrected), y - 0.17), (x(d.mean + corrected), y + 0.17), ink.fill(0.45));
            planes[0].dot((x(d.mean), y), 3.4, ink.fill(1.0));
            planes[0].label((sheet.x.high, y), (12.0, 0.0), d.verdict, Ink::Text, HPos::Left);
        }
    });
    let csv = data_of_differences(&found, names, against);
    let same = same(analysis);
    let level = percent(analysis.plan().confidence, 0);
    let caption = format!(
        "Paired differences to {}, seed by seed: under one seed both met the same {same}. The bar is the interval of Holm’s \
         test after correction for all {} pairs of this ranking; where it leaves out zero, the two are told apart. The thin \
         line is the interval that holds, together with all others, at {level} (Bonferroni).",
        names[against],
        table.pairs.len()
    );
    Some(Figure { id: name, title, short: "Differences".into(), caption, svg, csv, reproduce: reproduce(analysis) })
}
