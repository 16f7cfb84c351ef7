//! Small aligned tables for a terminal: columns are as wide as their widest cell, three spaces apart.
//!
//! Widths are counted in characters. Wide scripts will stand a little off; that is the price of carrying no table of
//! the world's characters, and no number ever suffers from it.

use super::{Paint, Tone};

/// How wide the left margin with its labels is.
const MARGIN: usize = 13;

/// `name` filled up to the width of the left margin.
pub(crate) fn label(name: &str) -> String {
    format!("{name:<MARGIN$}")
}

/// One cell.
pub(crate) struct Cell {
    tone: Tone,
    text: String,
}

impl Cell {
    pub(crate) fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Cell { tone, text: text.into() }
    }

    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Cell::toned(Tone::Plain, text)
    }

    pub(crate) fn quiet(text: impl Into<String>) -> Self {
        Cell::toned(Tone::Quiet, text)
    }

    pub(crate) fn strong(text: impl Into<String>) -> Self {
        Cell::toned(Tone::Strong, text)
    }
}

/// Rows under an optional head. A row may be shorter than the table.
pub(crate) struct Table {
    /// `l` or `r` for each column.
    align: String,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without a head. `align` has a letter for each column: `l` or `r`.
    pub(crate) fn bare(align: impl Into<String>) -> Self {
        Table { align: align.into(), rows: Vec::new() }
    }

    /// A table with a head.
    pub(crate) fn new(align: impl Into<String>, head: impl IntoIterator<Item = String>) -> Self {
        let mut table = Table::bare(align);
        table.row(head.into_iter().map(Cell::quiet));
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The rows as text, coloured after they are aligned. No line ends in a space.
    pub(crate) fn lines(&self, paint: Paint) -> Vec<String> {
        let width_of = |text: &str| text.chars().filter(|c| *c != '\x1b').count();
        let widths: Vec<usize> = (0..self.align.len())
            .map(|i| self.rows.iter().filter_map(|row| row.get(i)).map(|c| width_of(&c.text)).max().unwrap_or(0))
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                // A gap is written before the next text, so nothing trails.
                let mut gap = 0;
                for (i, cell) in row.iter().enumerate().filter(|(i, _)| widths[*i] > 0) {
                    let pad = widths[i] - width_of(&cell.text);
                    let right = self.align.as_bytes()[i] == b'r';
                    let before = gap + if right { pad } else { 0 };
                    if cell.text.is_empty() {
                        gap = before + if right { 0 } else { pad } + 3;
                        continue;
                    }
                    line.push_str(&" ".repeat(before));
                    line.push_str(&paint.tone(cell.tone, &cell.text));
                    gap = if right { 3 } else { pad + 3 };
                }
                line
            })
            .collect()
    }
}

/// `text` broken at spaces into lines of at most `width` characters; a longer word stands alone.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("one line is always there");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.into());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_nothing_trails() {
        let mut table = Table::new("lrl", ["name".into(), "n".into(), String::new()]);
        table.row([Cell::plain("a"), Cell::plain("1,000"), Cell::plain("x")]);
        table.row([Cell::plain("longer"), Cell::plain("7"), Cell::plain("")]);
        assert_eq!(table.lines(Paint(false)), ["name         n", "a        1,000   x", "longer       7"]);
    }

    #[test]
    fn prose_breaks_at_the_width_and_not_one_before() {
        assert_eq!(wrap("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrap("ab cd ef", 4), ["ab", "cd", "ef"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
