//! Comma-separated values as RFC 4180 has them: a header row with units in the names, quotes where a field needs them.
//!
//! Lines end in a bare line feed, which every reader takes and which keeps files comparable with `diff`. Numbers are
//! written without thousands separators and with a point, so that no reader needs to be told a locale.

use std::fmt::Write as _;

/// A table on its way to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    columns: usize,
    text: String,
}

impl Sheet {
    /// An empty table under this header. A column's unit is the end of its name: `t_s`, `p99_ms`, `requests_per_s`.
    pub fn new<S: AsRef<str>>(header: impl IntoIterator<Item = S>) -> Self {
        let mut sheet = Sheet { columns: 0, text: String::new() };
        sheet.columns = sheet.line(header);
        sheet
    }

    /// Adds a row. Panics when it has another number of fields than the header: that is a bug in whoever built it.
    pub fn row<S: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = S>) {
        let fields = self.line(fields);
        assert!(fields == self.columns, "a row of {fields} fields under a header of {}", self.columns);
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file's text, without a copy.
    pub fn into_text(self) -> String {
        self.text
    }

    fn line<S: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = S>) -> usize {
        let mut n = 0;
        for field in fields {
            if n > 0 {
                self.text.push(',');
            }
            quote(field.as_ref(), &mut self.text);
            n += 1;
        }
        self.text.push('\n');
        n
    }
}

/// The two ends of an interval, empty where there is none.
pub(crate) fn bounds(interval: Option<(f64, f64)>) -> [String; 2] {
    interval.map_or_else(Default::default, |(low, high)| [number(low), number(high)])
}

/// A field, in quotes when it holds a comma, a quote or a line break, or begins or ends with a space.
fn quote(field: &str, out: &mut String) {
    let risky = |c| matches!(c, ',' | '"' | '\n' | '\r');
    if field.contains(risky) || field.starts_with(' ') || field.ends_with(' ') {
        out.push('"');
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(field);
    }
}

/// A number for a field: up to six decimals, no trailing zeros; empty when it is not finite.
pub(crate) fn number(x: f64) -> String {
    if !x.is_finite() {
        return String::new();
    }
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write!(text, "{x:.6}");
    let kept = text.trim_end_matches('0').trim_end_matches('.').len();
    text.truncate(kept);
    if text == "-0" { "0".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_exactly_when_they_must_be() {
        let mut sheet = Sheet::new(["t_s", "name"]);
        sheet.row(["0.5", "plain"]);
        sheet.row(["1", "a,b"]);
        sheet.row(["1.5", "say \"hi\""]);
        sheet.row(["2", "two\nlines"]);
        sheet.row(["2.5", ""]);
        assert_eq!(sheet.text(), "t_s,name\n0.5,plain\n1,\"a,b\"\n1.5,\"say \"\"hi\"\"\"\n2,\"two\nlines\"\n2.5,\n");
    }

    #[test]
    #[should_panic(expected = "a row of 1 fields under a header of 2")]
    fn a_short_row_is_a_bug() {
        Sheet::new(["a", "b"]).row(["1"]);
    }

    #[test]
    fn numbers_lose_their_trailing_zeros_only() {
        let read = [0.0, -0.0, 100.0, 0.25, 1.0 / 3.0, f64::NAN].map(number);
        assert_eq!(read, ["0", "0", "100", "0.25", "0.333333", ""]);
    }
}
