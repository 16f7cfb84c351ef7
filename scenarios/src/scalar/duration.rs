//! Spans of time: `250us`, `1.5s`, `3m`; and spans with a sign, for clocks that jump.

use super::{Misread, Scalar, Unit, fixed_point, range, scalar, split_unit};
use base::{Duration, Rng};
use schemars::{Schema, json_schema};
use std::fmt;

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A span of time forward or back, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignedSpan(pub i64);

/// Units, in nanoseconds: a factor and a power of ten, which is also how many decimals are exact.
const UNITS: [(&str, u128, u32); 6] =
    [("ns", 1, 0), ("us", 1, 3), ("ms", 1, 6), ("s", 1, 9), ("m", 6, 10), ("h", 36, 11)];

impl Scalar for Span {
    const EXPECTED: &'static str = "a duration such as \"250us\", \"30s\" or \"3m\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        if number.is_empty() {
            return Err(Misread::new(
                format!("`{text}` is not a duration"),
                "expected a number with a unit, such as 250us, 30s or 3m",
            ));
        }
        if unit.is_empty() {
            return Err(Misread::new(format!("`{text}` has no unit"), "one of ns, us, ms, s, m, h"));
        }
        let canonical = if unit == "µs" || unit == "μs" { "us" } else { unit };
        let Some(&(_, factor, power)) = UNITS.iter().find(|(name, ..)| *name == canonical) else {
            return Err(Misread::new(format!("`{text}`: unknown unit `{unit}`"), "one of ns, us, ms, s, m, h"));
        };
        if number.starts_with('-') {
            return Err(Misread::new(format!("`{text}` is negative"), "a span of time is zero or longer"));
        }
        let nanos = fixed_point(number, power).map(|n| n * factor);
        match nanos {
            Some(n) if n <= u128::from(MAX_NS) => Ok(Span(Duration::ns(n as u64))),
            Some(_) => Err(Misread::new(format!("`{text}` is too long"), "at most a hundred years")),
            None => Err(Misread::new(format!("`{number}` in `{text}` is not a number of whole nanoseconds"), "")),
        }
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*\+?[0-9_]+(\.[0-9_]+)?\s*(ns|us|µs|μs|ms|s|m|h)\s*$",
            "examples": ["250us", "30s", "3m"]})
    }
}

/// A hundred years: far enough from the end of the range that no sum of a scenario's times passes it.
const MAX_NS: u64 = 100 * 365 * 24 * 3_600_000_000_000;

impl fmt::Display for Span {
    /// Whole hours and minutes as such, the rest as [`Duration`] prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0.as_nanos();
        match ns {
            n if n > 0 && n.is_multiple_of(3_600_000_000_000) => write!(f, "{}h", n / 3_600_000_000_000),
            n if n > 0 && n.is_multiple_of(60_000_000_000) => write!(f, "{}m", n / 60_000_000_000),
            _ => self.0.fmt(f),
        }
    }
}

impl Unit for Span {
    fn between(low: Self, high: Self, rng: &mut Rng) -> Self {
        Span(Duration::ns(range::draw_rounded(low.0.as_nanos(), high.0.as_nanos(), rng)))
    }
}

impl Scalar for SignedSpan {
    const EXPECTED: &'static str = "a duration with a sign, such as \"+500ms\" or \"-2s\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let text = text.trim();
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let span = Span::from_text(rest.trim_start())?;
        Ok(SignedSpan(sign * span.0.as_nanos() as i64))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*[+-]?[0-9_]+(\.[0-9_]+)?\s*(ns|us|µs|μs|ms|s|m|h)\s*$",
            "examples": ["+500ms", "-2s"]})
    }
}

impl fmt::Display for SignedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0 < 0 { '-' } else { '+' }, Span(Duration::ns(self.0.unsigned_abs())))
    }
}

scalar!(Span, SignedSpan);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_written_and_refuse_what_is_not_one() {
        let read = |text| Span::from_text(text).map(|span| span.0).map_err(|e| format!("{}; {}", e.message, e.label));
        assert_eq!(read("250us"), Ok(Duration::us(250)));
        assert_eq!(read("250 µs"), Ok(Duration::us(250)));
        assert_eq!(read("1.5m"), Ok(Duration::secs(90)));
        assert_eq!(read("0.000000001s"), Ok(Duration::ns(1)));
        assert_eq!(read("1_000ms"), Ok(Duration::secs(1)));
        assert_eq!(read("1.5h"), Ok(Duration::mins(90)));
        assert_eq!(read("5 sec"), Err("`5 sec`: unknown unit `sec`; one of ns, us, ms, s, m, h".to_string()));
        assert_eq!(read("5"), Err("`5` has no unit; one of ns, us, ms, s, m, h".to_string()));
        assert_eq!(read("-5s"), Err("`-5s` is negative; a span of time is zero or longer".to_string()));
        assert!(read("1.5ns").is_err() && read("soon").is_err() && read("1.2.3s").is_err() && read("200000h").is_ok());
        assert_eq!(read("1000000h"), Err("`1000000h` is too long; at most a hundred years".to_string()));
    }

    #[test]
    fn durations_print_what_reads_back() {
        for text in ["0s", "17ns", "1.5ms", "90s", "3m", "2h", "100ms"] {
            let span = Span::from_text(text).expect(text);
            assert_eq!(Span::from_text(&span.to_string()), Ok(span));
        }
        assert_eq!(Span(Duration::secs(180)).to_string(), "3m");
        assert_eq!(SignedSpan::from_text("-2s").map(|s| s.to_string()), Ok("-2s".to_string()));
        assert_eq!(SignedSpan::from_text("500ms").map(|s| s.to_string()), Ok("+500ms".to_string()));
    }
}
