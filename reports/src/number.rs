//! Numbers the way a careful person would write them.
//!
//! Thousands are separated, a unit stands once per table, digits that carry no information are left out, and a share is
//! never rounded to everything or nothing when it is not.

use base::{Duration, Instant};

/// `1234567` as `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `one` or `many`, by `n`, behind the number: `1 event`, `412,907 events`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A decimal number with `decimals` places and separated thousands. What is not finite is a dash.
pub(crate) fn decimal(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let text = format!("{:.decimals$}", x.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(w, f)| (w, f));
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    let sign = if x < 0.0 && !zero { "−" } else { "" };
    let whole = count(whole.parse().unwrap_or(u64::MAX));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `part` of `whole` in percent: two decimals, and as many more as it takes not to claim all or nothing falsely.
/// A dash when there is no whole.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    match part {
        0 => return "0 %".into(),
        _ if part == whole => return "100 %".into(),
        _ => {}
    }
    let percent = part as f64 / whole as f64 * 100.0;
    (2..=8)
        .map(|decimals| format!("{percent:.decimals$}"))
        .find(|text| text.parse::<f64>().is_ok_and(|shown| shown > 0.0 && shown < 100.0))
        .map_or_else(|| (if percent < 50.0 { "> 0 %" } else { "< 100 %" }).into(), |text| format!("{text} %"))
}

/// A share between 0 and 1 in percent, with `decimals` places.
pub(crate) fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", decimal(share * 100.0, decimals))
}

/// A moment as seconds since the beginning, to the millisecond: `44.018s`.
pub(crate) fn at(moment: Instant) -> String {
    format!("{:.3}s", moment.as_secs_f64())
}

/// A span in the unit a person would choose, with at most three decimals: `250 us`, `1.5 s`, `180 s`.
pub(crate) fn span(span: Duration) -> String {
    let unit = match span.as_nanos() {
        0 => return "0 s".into(),
        n if n < 1_000 => Unit::Nano,
        n if n < 1_000_000 => Unit::Micro,
        n if n < 1_000_000_000 => Unit::Milli,
        _ => Unit::Second,
    };
    let text = decimal(unit.of(span), 3);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} {}", unit.name())
}

/// The one unit of a table or an axis of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nano,
    Micro,
    Milli,
    Second,
}

impl Unit {
    /// The unit in which the typical span of a table reads well: the middle one of those that are not zero.
    pub(crate) fn for_spans(spans: impl IntoIterator<Item = Duration>) -> Unit {
        let mut spans: Vec<u64> = spans.into_iter().map(Duration::as_nanos).filter(|&n| n > 0).collect();
        spans.sort_unstable();
        match spans.get(spans.len() / 2).copied() {
            Some(n) if n < 1_000 => Unit::Nano,
            Some(n) if n < 500_000 => Unit::Micro,
            Some(n) if n >= 10_000_000_000 => Unit::Second,
            _ => Unit::Milli,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Nano => "ns",
            Unit::Micro => "µs",
            Unit::Milli => "ms",
            Unit::Second => "s",
        }
    }

    /// `span` as a number of this unit.
    pub(crate) fn of(self, span: Duration) -> f64 {
        let per = match self {
            Unit::Nano => 1.0,
            Unit::Micro => 1e3,
            Unit::Milli => 1e6,
            Unit::Second => 1e9,
        };
        span.as_nanos() as f64 / per
    }

    /// A column of spans in this unit, with one number of decimals for all: three significant digits for the smallest.
    pub(crate) fn column(self, spans: &[Duration]) -> Vec<String> {
        let smallest = spans.iter().filter(|s| !s.is_zero()).map(|&s| self.of(s)).fold(f64::INFINITY, f64::min);
        let decimals = decimals_for(smallest);
        spans.iter().map(|&s| if s.is_zero() { "–".into() } else { decimal(self.of(s), decimals) }).collect()
    }

    /// One span in this unit, unit left to the reader's table head.
    pub(crate) fn cell(self, span: Duration) -> String {
        decimal(self.of(span), decimals_for(self.of(span)))
    }
}

/// Decimals that give a number of this size about three significant digits.
pub(crate) fn decimals_for(x: f64) -> usize {
    match x.abs() {
        x if x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 1.0 => 2,
        x if x >= 0.01 => 3,
        0.0 => 0,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_and_signs_are_real() {
        let read = [0, 7, 999, 1_000, 73_402, 1_234_567].map(count);
        assert_eq!(read, ["0", "7", "999", "1,000", "73,402", "1,234,567"]);
        assert_eq!(decimal(-1234.5, 1), "−1,234.5");
        assert_eq!(decimal(-0.001, 1), "0.0");
        assert_eq!(decimal(f64::NAN, 2), "–");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        assert_eq!(share(1, 3), "33.33 %");
        assert_eq!(share(999_999, 1_000_000), "99.9999 %");
        assert_eq!(share(1, 1_000_000), "0.0001 %");
        assert_eq!((share(0, 5), share(5, 5), share(0, 0)), ("0 %".into(), "100 %".into(), "–".into()));
        assert_eq!(share(u64::MAX - 1, u64::MAX), "< 100 %");
    }

    #[test]
    fn spans_and_columns_keep_one_unit() {
        assert_eq!(
            [0, 250_000, 1_500_000_000, 180_000_000_000].map(|n| span(Duration::ns(n))),
            ["0 s", "250 µs", "1.5 s", "180 s"]
        );
        let ms = Unit::Milli.column(&[Duration::ms(8), Duration::ms(1204), Duration::ZERO]);
        assert_eq!(ms, ["8.00", "1,204.00", "–"]);
        assert_eq!(Unit::for_spans([Duration::us(80), Duration::us(200), Duration::secs(9)]), Unit::Micro);
        assert_eq!(Unit::for_spans([]), Unit::Milli);
    }
}
