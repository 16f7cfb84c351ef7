//! What processes have to tell, on the console.

use super::plain;
use super::table::{Cell as Field, Table as Block};
use crate::section::{is_text, text};
use world::outcome::Outcome;

/// Each table with its section's title, for the console.
pub(crate) fn blocks(outcome: &Outcome) -> Vec<(&'static str, Block)> {
    let tables = outcome.sections.iter().flat_map(|section| section.tables.iter().map(|table| (section.title, table)));
    let blocks = tables.map(|(title, table)| {
        let align: String = (0..table.columns.len()).map(|i| if is_text(table, i) { 'l' } else { 'r' }).collect();
        let mut block = Block::new(align, table.columns.iter().map(|name| name.to_string()));
        for row in &table.rows {
            let field = |(i, cell)| match i {
                0 => Field::strong(plain(&text(cell))),
                _ => Field::plain(plain(&text(cell))),
            };
            block.row(row.iter().enumerate().map(field));
        }
        (title, block)
    });
    blocks.collect()
}
