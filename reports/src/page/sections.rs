//! What processes have to tell, on the page and as files beside it.

use super::escape;
use super::tables::{Column, Kind, Table as Html, section};
use crate::csv::{self, Sheet};
use crate::section::{is_text, key, raw, text};
use serde_json::Value;
use std::fmt::Write as _;
use world::outcome::{Cell, Outcome, Section, Table};

/// All sections for the page.
pub(crate) fn html(outcome: &Outcome) -> String {
    outcome.sections.iter().map(section_of).collect()
}

/// The page's name for a section, and what stands above it.
pub(crate) fn heading(section: &Section) -> (String, String) {
    let mut letters = section.title.chars();
    let capital = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    (format!("section-{}", section.title.replace(' ', "-")), escape(&format!("{capital}{}", letters.as_str())))
}

fn section_of(of: &Section) -> String {
    let mut body = String::new();
    for (nth, table) in of.tables.iter().enumerate() {
        let kind = |i| if is_text(table, i) { Kind::Words } else { Kind::Number };
        let columns: Vec<Column<'_>> =
            table.columns.iter().enumerate().map(|(i, name)| Column(name, kind(i))).collect();
        let mut html = Html::new(&columns);
        for row in &table.rows {
            html.row("", &row.iter().map(|cell| escape(&text(cell))).collect::<Vec<_>>());
        }
        body.push_str(&html.end(if nth == 0 { of.note } else { "" }));
        let file = escape(&file(of, table));
        let _ = writeln!(body, "<p class=\"files\">Data: <a href=\"data/{file}.csv\">CSV</a></p>");
    }
    let (id, heading) = heading(of);
    section(&id, &heading, &body)
}

/// How the names of all these files begin, so that those of an earlier run are found.
pub(super) const PREFIX: &str = "process-";

/// The name of a table's file, without extension.
fn file(section: &Section, table: &Table) -> String {
    format!("{PREFIX}{}-{}", section.title, table.title).replace(' ', "-")
}

/// Each table as a file: its name without extension, and its rows.
pub(crate) fn sheets(outcome: &Outcome) -> Vec<(String, Sheet)> {
    let mut sheets = Vec::new();
    for section in &outcome.sections {
        for table in &section.tables {
            let mut sheet = Sheet::new((0..table.columns.len()).map(|i| key(table, i)));
            for row in &table.rows {
                sheet.row(row.iter().map(|cell| match raw(cell) {
                    Value::String(text) => text,
                    Value::Number(x) if matches!(cell, Cell::Count(_)) => x.to_string(),
                    other => other.as_f64().map_or(String::new(), csv::number),
                }));
            }
            sheets.push((file(section, table), sheet));
        }
    }
    sheets
}
