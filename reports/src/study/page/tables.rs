//! The tables of a study's page: the answer in short, the rankings, and every cell.

use crate::number::{count, percent};
use crate::page::escape;
use crate::page::tables::{Column as Head, Kind, Table, section};
use crate::study::console::Column;
use crate::study::plot::sentence;
use crate::study::words::{self, unstable_cells, why_nothing};
use std::fmt::Write as _;
use study::stats::Estimate;
use study::{Analysis, Combination, Compared, Kind as StudyKind, Measure};

/// Up to so many rankings are open when the page opens.
const OPEN: usize = 6;
/// Up to so many points are named in a row of the answer in short; the ranking below has all.
const NAMED: usize = 5;

/// One row for each combination: the best, and what cannot be told from it.
pub(super) fn in_short(analysis: &Analysis<'_>) -> String {
    let Some(comparison) = &analysis.plan().comparison else { return String::new() };
    let Some(measure) = comparison.measures.first() else { return String::new() };
    let axis = &analysis.plan().axes[comparison.axis].name;
    let head = format!("best by {}", measure.title());
    let columns = [
        ("where", Kind::Words),
        (&head, Kind::Word),
        ("", Kind::Number),
        ("cannot be told from it", Kind::Words),
        ("worst", Kind::Word),
        ("", Kind::Number),
    ];
    let mut table = Table::new(&columns.map(|(name, kind)| Head(name, kind)));
    for combination in &analysis.combinations {
        let label = if combination.label.is_empty() { "everywhere".into() } else { escape(&combination.label) };
        let Some(compared) = combination.tables.first() else { continue };
        let (Some(best), Some(worst)) = (compared.ranking.first(), compared.ranking.last()) else {
            table.row("", &[label, escape(&why_nothing(analysis.plan(), combination)), none(), none(), none(), none()]);
            continue;
        };
        let name = |item: usize| escape(&analysis.points()[item]);
        let column = Column::new(measure, &compared.estimates, analysis.alpha);
        let near: Vec<String> = compared.ranking[1..]
            .iter()
            .filter(|r| !told_apart(compared, r.item, best.item))
            .map(|r| name(r.item))
            .collect();
        let near = match near.len() {
            0 if compared.ranking.len() > 1 => "–".into(),
            n if n > NAMED => format!("{} and {} more", near[..NAMED].join(", "), n - NAMED),
            _ => near.join(", "),
        };
        let last = if compared.ranking.len() > 1 {
            [name(worst.item), column.cells[worst.item].clone()]
        } else {
            [none(), none()]
        };
        let [worst_name, worst_value] = last;
        let best_name = format!("<b>{}</b>", name(best.item));
        table.row("", &[label, best_name, column.cells[best.item].clone(), near, worst_name, worst_value]);
    }
    let unit = Column::new(measure, &[], analysis.alpha).head;
    let note = format!("{}, over all seeds, and how far its interval reaches.", escape(&unit));
    section("in-short", &format!("In short: which {}", escape(axis)), &table.end(&note))
}

/// What a pick took: a row for each strategy or structure, a column for each number of hosts.
pub(super) fn picks(analysis: &Analysis<'_>) -> String {
    let picks = &analysis.results.picks;
    if picks.is_empty() {
        return String::new();
    }
    let mut sizes: Vec<u32> = picks.iter().map(|one| one.hosts).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let heads: Vec<String> = sizes.iter().map(|hosts| format!("{} hosts", count(u64::from(*hosts)))).collect();
    let columns = heads.iter().map(|head| Head(head, Kind::Number));
    let mut table = Table::new(&[Head("", Kind::Words)].into_iter().chain(columns).collect::<Vec<_>>());
    let mut names: Vec<&str> = Vec::new();
    for one in picks {
        if names.contains(&one.what.as_str()) {
            continue;
        }
        names.push(&one.what);
        let of = |hosts: &u32| picks.iter().find(|other| other.what == one.what && other.hosts == *hosts);
        let cells = sizes.iter().map(|hosts| of(hosts).map_or_else(none, |time| format!("{:.0}", time.nanoseconds)));
        table.row("", &[escape(&one.what)].into_iter().chain(cells).collect::<Vec<_>>());
    }
    let note = "Nanoseconds, the median of nine batches, taken after the runs with nothing else at work. Of a strategy with \
                counting the request in and out again, 64 requests under way; of a structure, of a lookup. These alone depend on \
                the machine.";
    section("picks", "Time of a pick", &table.end(note))
}

fn none() -> String {
    String::new()
}

fn told_apart(table: &Compared, a: usize, b: usize) -> bool {
    table.pairs.iter().any(|p| p.decided && (p.first, p.second) == (a.min(b), a.max(b)))
}

/// A table for each combination, by the first measure, with the others beside it.
pub(super) fn rankings(analysis: &Analysis<'_>) -> String {
    let Some(comparison) = &analysis.plan().comparison else { return String::new() };
    let mut body = String::from(
        "<p>A place is a range where the seeds cannot tell. Two that share a letter cannot be told apart, two that share \
         none can.</p>\n",
    );
    let hardest = analysis.hardest();
    for (i, combination) in analysis.combinations.iter().enumerate() {
        let table = ranking(analysis, combination, comparison.against);
        if combination.label.is_empty() {
            body.push_str(&table);
            continue;
        }
        let open = if analysis.combinations.len() <= OPEN || i == hardest { " open" } else { "" };
        let _ = write!(body, "<details{open}><summary>{}</summary>\n{table}</details>\n", escape(&combination.label));
    }
    section("rankings", "Rankings", &body)
}

fn ranking(analysis: &Analysis<'_>, combination: &Combination, against: Option<usize>) -> String {
    let Some(first) = combination.tables.first().filter(|t| !t.ranking.is_empty()) else {
        return format!("<p>{}</p>\n", escape(&sentence(&why_nothing(analysis.plan(), combination))));
    };
    let points = analysis.points();
    let mut columns: Vec<Column> =
        combination.tables.iter().map(|t| Column::new(&t.measure, &t.estimates, analysis.alpha)).collect();
    if let Some(against) = against {
        columns.insert(1, Column::against(first, against, &points[against]));
    }
    let mut heads: Vec<(String, Kind)> = vec![("place".into(), Kind::Word), (String::new(), Kind::Word)];
    heads.extend(columns.iter().map(|c| (escape(&c.head), Kind::Number)));
    heads.push(("groups".into(), Kind::Word));
    let mut table = Table::new(&heads.iter().map(|(name, kind)| Head(name, *kind)).collect::<Vec<_>>());
    for r in &first.ranking {
        let place = if r.best == r.worst { r.best.to_string() } else { format!("{}–{}", r.best, r.worst) };
        let mut row = vec![place, format!("<b>{}</b>", escape(&points[r.item]))];
        row.extend(columns.iter().map(|c| c.cells[r.item].clone()));
        row.push(escape(&r.groups));
        table.row("", &row);
    }
    for (point, cell) in combination.cells.iter().enumerate().filter(|(p, _)| first.estimates[*p].is_none()) {
        let rho = cell.and_then(|c| analysis.plan().cells[c].unstable());
        let why = rho.map_or("no result".into(), |rho| format!("unstable: load {}, not run", percent(rho, 0)));
        let said = format!("{} <span class=\"doubt\">{why}</span>", escape(&points[point]));
        table.wide("", 1, &said);
    }
    table.end("")
}

/// Every cell with every measure.
pub(super) fn cells(analysis: &Analysis<'_>) -> String {
    let plan = analysis.plan();
    let all: Vec<usize> = (0..plan.cells.len()).collect();
    let estimates = |m: &Measure| -> Vec<Option<Estimate>> { all.iter().map(|&c| analysis.estimate(c, m)).collect() };
    let columns: Vec<Column> = analysis
        .measures
        .iter()
        .map(|m| (m, estimates(m)))
        .filter(|(_, found)| found.iter().any(Option::is_some))
        .map(|(m, found)| Column::new(m, &found, analysis.alpha))
        .collect();
    let mut heads: Vec<(String, Kind)> = plan.axes.iter().map(|a| (escape(&a.name), Kind::Word)).collect();
    heads.extend(columns.iter().map(|c| (escape(&c.head), Kind::Number)));
    heads.push(("runs".into(), Kind::Number));
    let mut table = Table::new(&heads.iter().map(|(name, kind)| Head(name, *kind)).collect::<Vec<_>>());
    for (i, cell) in plan.cells.iter().enumerate() {
        let mut row: Vec<String> = plan.axes.iter().zip(&cell.at).map(|(a, &p)| escape(&a.labels[p])).collect();
        if let Some(rho) = cell.unstable() {
            let why = format!("<span class=\"doubt\">unstable: load {}</span>", percent(rho, 0));
            row.push(why);
            row.resize(heads.len() - 1, String::new());
            row.push("0".into());
        } else {
            row.extend(columns.iter().map(|c| c.cells[i].clone()));
            row.push(count(analysis.results.of(i).count() as u64));
        }
        table.row("", &row);
    }
    let mut commands = String::new();
    let known = (0..plan.cells.len()).map(|i| (i, analysis.results.origin.command(i)));
    for (i, command) in known.filter(|(_, command)| !command.is_empty()) {
        let _ = writeln!(
            commands,
            "<dt>{}</dt><dd><code>{}</code></dd>",
            escape(&analysis.plan().label(i)),
            escape(command)
        );
    }
    let again = if commands.is_empty() {
        String::new()
    } else {
        let from = if plan.kind == StudyKind::World { ", from within the folder of this page" } else { "" };
        format!("<details><summary>Each cell again{from}</summary>\n<dl class=\"keys\">{commands}</dl></details>\n")
    };
    let open = if plan.cells.len() <= 40 { " open" } else { "" };
    let what: Vec<String> = analysis.measures.iter().map(|m| format!("{m}: {}", m.title())).collect();
    let note = format!("Over all seeds, and how far the interval reaches. {}.", escape(&what.join("; ")));
    let body = format!(
        "<details{open}><summary>{} cells</summary>\n{}</details>\n{again}",
        plan.cells.len(),
        table.end(&note)
    );
    section("cells", "All cells", &body)
}

/// What was not run, and why.
pub(super) fn unstable(analysis: &Analysis<'_>) -> String {
    let named = words::unstable(analysis);
    if named.is_empty() {
        return String::new();
    }
    let cells = unstable_cells(analysis.plan());
    let items: String = named.iter().map(|n| format!("<li>{}</li>", escape(n))).collect();
    let body = format!(
        "<p>{} not run: at a load of 100 % or more work arrives faster than it can be done, and nothing bounds it: no limit of \
         a queue, no timeout, no closed users. Queues grow for as long as one looks, and every number would be a statement \
         about how long that was.</p>\n<ul>{items}</ul>\n",
        crate::number::counted(cells as u64, "cell was", "cells were")
    );
    section("unstable", "Not run", &body)
}
