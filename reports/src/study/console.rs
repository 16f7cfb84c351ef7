//! What a person reads after a study: a ranking for every combination, what could not be run, and what to beware of.
//!
//! Tables fit the terminal by going on below: measures for which there is no room beside the first ones follow in
//! tables of their own, row by row in the same order. Nothing is left out, and no row is broken. Where nothing can be
//! told apart the ranking says so in words.

use super::words::{self, unstable_cells, why_nothing};
use crate::console::table::{Cell, Table, wrap};
use crate::console::{Paint, Tone, plain};
use crate::number::{counted, decimal, decimals_for, percent};
use base::math::pow;
use study::stats::Estimate;
use study::{Analysis, Combination, Compared, Kind, Measure, Results};

/// More lines of rankings than this are shortened to the best and the worst of each combination.
const LINES: usize = 120;

/// A study, as text that ends in a line break. `width` is the terminal's; at least 60 columns are used.
pub fn console(results: &Results, colour: bool, width: usize) -> String {
    let analysis = Analysis::of(results);
    let mut page = Page { text: String::new(), paint: Paint(colour), width: width.max(60), analysis: &analysis };
    page.header();
    page.rankings();
    page.unstable();
    page.picks();
    page.warnings();
    page.text
}

struct Page<'a> {
    text: String,
    paint: Paint,
    width: usize,
    analysis: &'a Analysis<'a>,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Prose at a margin of `margin` columns, its first line behind `first`.
    fn prose(&mut self, first: &str, margin: usize, tone: Tone, text: &str) {
        for (i, line) in wrap(&plain(text), self.width - margin).iter().enumerate() {
            let head = if i == 0 { format!("{first:margin$}") } else { " ".repeat(margin) };
            let line = format!("{head}{}", self.paint.tone(tone, line));
            self.line(&line);
        }
    }

    fn header(&mut self) {
        let plan = self.analysis.plan();
        let what = match plan.kind {
            Kind::World => ("run", "runs"),
            Kind::Hashing => ("filling", "fillings"),
        };
        let line = format!(
            "  {}   {}, {}, {}",
            self.paint.tone(Tone::Strong, &plain(&plan.name)),
            counted(plan.cells.len() as u64, "cell", "cells"),
            counted(plan.seeds.len() as u64, "seed", "seeds"),
            counted(self.analysis.plan().runs() as u64, what.0, what.1),
        );
        self.line(&line);
        if !plan.title.is_empty() {
            self.prose("", 2, Tone::Plain, &plan.title);
        }
        if plan.seeds.len() > 1 {
            let level = percent(plan.confidence, 0);
            let told =
                if plan.comparison.is_some() { ", told apart after Holm’s correction for all pairs" } else { "" };
            self.prose("", 2, Tone::Quiet, &format!("over all seeds, with {level} intervals{told}"));
        }
    }

    /// What a pick took, where that was asked for.
    fn picks(&mut self) {
        let picks = &self.analysis.results.picks;
        if picks.is_empty() {
            return;
        }
        let width = picks.iter().map(|one| one.what.chars().count()).max().unwrap_or(0);
        self.line("");
        self.line("  time of a pick on this machine, ns");
        for one in picks {
            let hosts = counted(u64::from(one.hosts), "host", "hosts");
            self.line(&format!("    {:<width$}   {hosts:>13}   {:>9.0}", one.what, one.nanoseconds));
        }
    }

    fn rankings(&mut self) {
        if self.analysis.plan().comparison.is_none() {
            return self.every_cell();
        }
        let lines: usize = self.analysis.combinations.iter().map(|c| c.cells.len() + 3).sum();
        for combination in &self.analysis.combinations {
            self.line("");
            if !combination.label.is_empty() {
                let heading = self.paint.tone(Tone::Strong, &plain(&combination.label));
                self.line(&format!("  {heading}"));
            }
            if lines > LINES { self.in_short(combination) } else { self.ranking(combination) }
        }
        self.line("");
        self.prose(
            "",
            2,
            Tone::Quiet,
            "A place is a range where the seeds cannot tell; two that share a letter cannot be told apart.",
        );
    }

    /// All points of a combination, in the order of the first measure.
    fn ranking(&mut self, combination: &Combination) {
        let points = self.analysis.points();
        let Some(first) = combination.tables.first() else { return };
        if first.ranking.is_empty() {
            return self.prose("", 4, Tone::Doubt, &why_nothing(self.analysis.plan(), combination));
        }
        let alpha = self.analysis.alpha;
        let mut columns: Vec<Column> =
            combination.tables.iter().map(|t| Column::new(&t.measure, &t.estimates, alpha)).collect();
        if let Some(against) = self.analysis.plan().comparison.as_ref().and_then(|c| c.against) {
            columns.insert(1, Column::against(first, against, &plain(&points[against])));
        }
        let name = points.iter().map(|p| plain(p).chars().count()).max().unwrap_or(0);
        let beside = fitting(&columns, self.width.saturating_sub(4 + 7 + 3 + name + 3 + 6));
        let (columns, below) = columns.split_at(beside);
        let head = ["place".to_string(), String::new()].into_iter().chain(columns.iter().map(|c| c.head.clone()));
        let mut table = Table::new(format!("ll{}l", "r".repeat(columns.len())), head);
        for place in &first.ranking {
            let range = if place.best == place.worst {
                place.best.to_string()
            } else {
                format!("{}–{}", place.best, place.worst)
            };
            let mut row = vec![Cell::plain(range), Cell::strong(plain(&points[place.item]))];
            row.extend(columns.iter().map(|c| Cell::plain(c.cells[place.item].clone())));
            row.push(Cell::quiet(place.groups.clone()));
            table.row(row);
        }
        for (point, cell) in combination.cells.iter().enumerate() {
            if first.estimates[point].is_some() {
                continue;
            }
            let rho = cell.and_then(|c| self.analysis.plan().cells[c].unstable());
            let why = rho.map_or("no result".into(), |rho| format!("unstable, load {}", percent(rho, 0)));
            table.row([Cell::quiet("–"), Cell::plain(plain(&points[point])), Cell::toned(Tone::Doubt, why)]);
        }
        for line in table.lines(self.paint) {
            self.line(&format!("    {line}"));
        }
        let rows: Vec<(String, usize)> = first.ranking.iter().map(|r| (plain(&points[r.item]), r.item)).collect();
        self.tables(&rows, below);
        if first.ranking.len() > 1 && first.pairs.iter().all(|p| !p.decided) {
            self.prose("", 4, Tone::Doubt, "cannot tell any two of them apart");
        }
    }

    /// The best, what cannot be told from it, and the worst.
    fn in_short(&mut self, combination: &Combination) {
        let points = self.analysis.points();
        let Some(table) = combination.tables.first() else { return };
        let (Some(best), Some(worst)) = (table.ranking.first(), table.ranking.last()) else {
            return self.prose("", 4, Tone::Doubt, "no result");
        };
        let column = Column::new(&table.measure, &table.estimates, self.analysis.alpha);
        let said = |item: usize| format!("{} {}", plain(&points[item]), column.cells[item]);
        let apart = |item: usize| {
            table
                .pairs
                .iter()
                .any(|p| p.decided && [(item, best.item), (best.item, item)].contains(&(p.first, p.second)))
        };
        let near: Vec<String> =
            table.ranking[1..].iter().filter(|r| !apart(r.item)).map(|r| plain(&points[r.item])).collect();
        self.prose("    best ", 10, Tone::Plain, &format!("{}   ({})", said(best.item), column.head));
        if !near.is_empty() {
            self.prose("    like it, cannot tell: ", 26, Tone::Plain, &near.join(", "));
        }
        if worst.item != best.item {
            self.prose("    worst ", 10, Tone::Plain, &said(worst.item));
        }
    }

    /// A study that compares nothing: its cells in order.
    fn every_cell(&mut self) {
        self.line("");
        let analysis = self.analysis;
        let cells = analysis.plan().cells.len();
        let columns: Vec<Column> = analysis
            .measures
            .iter()
            .map(|m| {
                let estimates: Vec<_> = (0..cells).map(|c| analysis.estimate(c, m)).collect();
                Column::new(m, &estimates, analysis.alpha)
            })
            .filter(|c| c.cells.iter().any(|cell| cell != NONE))
            .collect();
        let labels: Vec<String> = (0..cells).map(|c| plain(&analysis.plan().label(c))).collect();
        let rows: Vec<(String, usize)> = labels.into_iter().zip(0..).collect();
        if columns.is_empty() {
            rows.iter().for_each(|(label, _)| self.line(&format!("    {label}")));
        }
        self.tables(&rows, &columns);
    }

    /// Columns of these rows, each by its label and its place in a column: as many tables as it takes, one below the
    /// other.
    fn tables(&mut self, rows: &[(String, usize)], mut columns: &[Column]) {
        let name = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        while !columns.is_empty() {
            let (these, below) = columns.split_at(fitting(columns, self.width.saturating_sub(4 + name)));
            columns = below;
            let head = [String::new()].into_iter().chain(these.iter().map(|c| c.head.clone()));
            let mut table = Table::new(format!("l{}", "r".repeat(these.len())), head);
            for (label, cell) in rows {
                let numbers = these.iter().map(|c| Cell::plain(c.cells[*cell].clone()));
                table.row([Cell::strong(label.clone())].into_iter().chain(numbers));
            }
            for line in table.lines(self.paint) {
                self.line(&format!("    {line}"));
            }
        }
    }

    fn unstable(&mut self) {
        let cells = unstable_cells(self.analysis.plan());
        if cells == 0 {
            return;
        }
        self.line("");
        let named = words::unstable(self.analysis);
        let some = named.iter().take(6).cloned().collect::<Vec<_>>().join("; ");
        let rest = if named.len() > 6 { format!("; and {} more", named.len() - 6) } else { String::new() };
        let n = counted(cells as u64, "cell was", "cells were");
        let text = format!(
            "{n} not run, because at a load of 100 % or more, with nothing to bound them, queues grow without end: {some}{rest}"
        );
        self.prose("  – ", 4, Tone::Doubt, &text);
    }

    fn warnings(&mut self) {
        if self.analysis.warnings.is_empty() {
            return;
        }
        self.line("");
        for warning in words::warnings(self.analysis) {
            self.prose("  ! ", 4, Tone::Doubt, &warning);
        }
    }
}

/// How many of these columns fit beside each other into `room`; the first always does.
fn fitting(columns: &[Column], mut room: usize) -> usize {
    let mut fits = |column: &&Column| match room.checked_sub(column.width() + 3) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    columns.iter().take_while(|column| fits(column)).count().max(1).min(columns.len())
}

/// What stands where there is no number.
pub(crate) const NONE: &str = "–";

/// One measure of many cells, with one number of decimals for all whose interval it can show.
pub(crate) struct Column {
    /// Such as `p99, ms`.
    pub(crate) head: String,
    /// Such as `12.4 ± 0.3`.
    pub(crate) cells: Vec<String>,
}

impl Column {
    pub(crate) fn new(measure: &Measure, estimates: &[Option<Estimate>], alpha: f64) -> Column {
        let unit = measure.unit();
        let head = if unit.name().is_empty() { measure.name() } else { format!("{measure}, {}", unit.name()) };
        let means = estimates.iter().flatten().map(|e| unit.shown(e.mean));
        let smallest = means.clone().map(f64::abs).filter(|x| *x > 0.0).fold(f64::INFINITY, f64::min);
        let reach = |e: &Estimate| {
            let (low, high) = e.interval(alpha)?;
            Some((unit.shown(e.mean - low).max(0.0), unit.shown(high - e.mean).max(0.0)))
        };
        let halves = estimates.iter().flatten().filter_map(reach).map(|(down, up)| (down + up) / 2.0);
        let mut halves: Vec<f64> = halves.filter(|h| *h > 0.0).collect();
        halves.sort_by(f64::total_cmp);
        let whole = means.clone().all(|x| x.fract() == 0.0) && halves.is_empty();
        let decimals = if whole || !smallest.is_finite() { 0 } else { digits(smallest, halves.get(halves.len() / 2)) };
        let cell = |e: &Estimate| {
            let mean = unit.shown(e.mean);
            let Some((down, up)) = reach(e).filter(|(down, up)| down + up > 0.0) else {
                // Without an interval it is one run's number, or a value that occurs again and again, printed as it is.
                return if e.bounds.is_some() { exact(mean, decimals) } else { decimal(mean, decimals) };
            };
            let half = (down + up) / 2.0;
            // An interval far narrower than its neighbours' would read as ± 0.
            let vanishes = half * pow(10.0, decimals as f64) < 0.5;
            let decimals = if vanishes { digits(mean.abs().max(half), Some(&half)).max(decimals) } else { decimals };
            if down.max(up) > LOPSIDED * down.min(up) {
                return format!("{} −{} +{}", decimal(mean, decimals), decimal(down, decimals), decimal(up, decimals));
            }
            format!("{} ± {}", decimal(mean, decimals), decimal(down.max(up), decimals))
        };
        let cells = estimates.iter().map(|e| e.as_ref().map_or_else(|| NONE.into(), cell)).collect();
        Column { head, cells }
    }

    /// The difference of each to one of them, by the corrected intervals.
    pub(crate) fn against(table: &Compared, against: usize, name: &str) -> Column {
        let unit = table.measure.unit();
        let cells: Vec<String> = (0..table.estimates.len())
            .map(|item| {
                let pair = table.pairs.iter().find(|p| (p.first, p.second) == (item.min(against), item.max(against)));
                let Some((pair, half)) = pair.and_then(|p| Some((p, p.corrected?))) else { return NONE.into() };
                let sign = if pair.first == item { 1.0 } else { -1.0 };
                let (difference, half) = (sign * unit.shown(pair.difference.mean), unit.shown(half));
                let decimals = digits(difference.abs().max(half), Some(&half).filter(|h| **h > 0.0));
                let plus = if difference > 0.0 { "+" } else { "" };
                let said = format!("{plus}{} ± {}", decimal(difference, decimals), decimal(half, decimals));
                if pair.decided { said } else { format!("cannot tell, {said}") }
            })
            .collect();
        Column { head: format!("against {name}"), cells }
    }

    fn width(&self) -> usize {
        self.cells.iter().chain([&self.head]).map(|c| c.chars().count()).max().unwrap_or(0)
    }
}

/// An interval that reaches this many times further to one side is written with both sides.
const LOPSIDED: f64 = 1.25;

/// A number with all its decimals, up to six, and at least so many.
fn exact(x: f64, least: usize) -> String {
    let is_whole = |d: &usize| {
        let shifted = x * pow(10.0, *d as f64);
        (shifted - shifted.round()).abs() < 1e-6 * shifted.abs().max(1.0)
    };
    decimal(x, (least..=6).find(is_whole).unwrap_or(6.max(least)))
}

/// Decimals that show about three digits of a number, and one at least of how uncertain it is.
fn digits(number: f64, half: Option<&f64>) -> usize {
    let usual = decimals_for(number);
    let needed = half.map_or(0, |half| (0..=6).find(|&d| half * pow(10.0, f64::from(d)) >= 0.95).unwrap_or(6));
    (needed as usize).clamp(usual, usual + 3)
}
