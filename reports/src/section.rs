//! The cells of what processes add to an outcome, as people and as programs read them. Console, page, JSON and CSV each
//! draw a section once, from these, without knowing any kind of process; series share one picture, `plot::processes`.

use crate::number::{count, decimal, percent, span};
use serde_json::{Value, json};
use world::outcome::{Cell, Table};

/// The cell as a person reads it.
pub(crate) fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(n) => count(*n),
        Cell::Number(x) => decimal(*x, 2),
        Cell::Span(time) => span(*time),
        Cell::Share(share) => percent(share.as_f64(), 1),
    }
}

/// The cell as a program reads it: spans in seconds, shares as parts of one.
pub(crate) fn raw(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Count(n) => json!(n),
        Cell::Number(x) => json!(x),
        Cell::Span(time) => json!(time.as_secs_f64()),
        Cell::Share(share) => json!(share.as_f64()),
    }
}

/// The name of a column for programs: `sent kB` is `sent_kb`, and a span is in seconds.
pub(crate) fn key(table: &Table, column: usize) -> String {
    let name = table.columns[column].to_lowercase().replace(' ', "_");
    let is_span = table.rows.iter().any(|row| matches!(row[column], Cell::Span(_)));
    if is_span { format!("{name}_s") } else { name }
}

/// Whether a column holds words.
pub(crate) fn is_text(table: &Table, column: usize) -> bool {
    table.rows.iter().all(|row| matches!(row[column], Cell::Text(_)))
}
