//! What a kind of process adds to the outcome, in a form that every report draws without knowing the kind.

use base::{Duration, Instant, Ratio};

/// What processes of a kind have to tell: tables, series over time, and a sentence on how to read them.
///
/// Sections with equal titles are one: their tables with equal titles have equal columns, and their rows follow each
/// other, as do their series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// A word or two, such as `registry`; unique among the kinds of processes.
    pub title: &'static str,
    /// How to read it, in a sentence or two.
    pub note: &'static str,
    /// Its tables.
    pub tables: Vec<Table>,
    /// What changed over time.
    pub series: Vec<Series>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// A word or two, such as `servers`; unique in its section.
    pub title: &'static str,
    /// The heads of the columns, the unit last where there is one: `sent kB`. The first names the row.
    pub columns: &'static [&'static str],
    /// Rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// How many.
    Count(u64),
    /// A number.
    Number(f64),
    /// A span of time.
    Span(Duration),
    /// A share of a whole.
    Share(Ratio),
}

/// Something that changed over time: a step function.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What is measured, with its unit: `instances listed`. Series of one measure share a plot.
    pub measure: &'static str,
    /// Whose it is, such as `registry-1`.
    pub name: String,
    /// From when on it has which value, in order of time.
    pub points: Vec<(Instant, f64)>,
}

impl Section {
    /// Adds what another process of the kind has to tell.
    pub(crate) fn merge(&mut self, other: Section) {
        for table in other.tables {
            match self.tables.iter_mut().find(|known| known.title == table.title) {
                Some(known) => known.rows.extend(table.rows),
                None => self.tables.push(table),
            }
        }
        self.series.extend(other.series);
    }
}
