//! How busy something is kept: `90%` of the time, or `120%` for more than it can do.
//!
//! Unlike a [`Percent`](super::Percent) this is no share of a whole, so it may pass a hundred: what cannot be served
//! waits.

use super::{Misread, Percent, Scalar, Unit, fixed_point, range, scalar, split_unit};
use base::Rng;
use schemars::{Schema, json_schema};
use std::fmt;

/// Offered work as a multiple of what can be done: above nought, at most 10.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Utilization(pub f64);

/// A thousand percent, in billionths.
const MAX: u128 = 10_000_000_000;

impl Scalar for Utilization {
    const EXPECTED: &'static str = "a percentage such as \"90%\", or a range such as \"50% .. 90%\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        match fixed_point(number, 7) {
            Some(n @ 1..=MAX) if unit == "%" => Ok(Utilization(n as f64 / 1e9)),
            Some(n) if unit == "%" && n > MAX => {
                Err(Misread::new(format!("`{text}` is out of range"), "at most 1000%"))
            }
            Some(0) if unit == "%" => Err(Misread::new("a utilization of nothing", "above 0%")),
            // What a percentage says to everything else is right here too.
            _ => {
                Percent::from_text(text).and(Err(Misread::new(format!("`{text}` is not a percentage"), "such as 90%")))
            }
        }
    }

    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        Percent::from_number(number, written).and(Err(Misread::new("", "")))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*\+?[0-9_]+(\.[0-9_]+)?\s*%\s*$", "examples": ["90%"]})
    }
}

impl fmt::Display for Utilization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", (self.0 * 1e9).round() / 1e7)
    }
}

impl Unit for Utilization {
    fn between(low: Self, high: Self, rng: &mut Rng) -> Self {
        let billionths = |x: f64| (x * 1e9).round() as u64;
        let drawn = range::draw_rounded(billionths(low.0), billionths(high.0), rng) as f64 / 1e9;
        Utilization(drawn.clamp(low.0, high.0))
    }
}

scalar!(Utilization);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_utilization_reads_and_prints_and_may_pass_a_hundred() {
        let read = |text| Utilization::from_text(text).map(|u| u.0).map_err(|e| format!("{}; {}", e.message, e.label));
        assert_eq!(
            [read("90%"), read("99.95 %"), read("120%"), read("1000%")],
            [Ok(0.9), Ok(0.9995), Ok(1.2), Ok(10.0)]
        );
        assert_eq!(read("0%"), Err("a utilization of nothing; above 0%".to_string()));
        assert_eq!(read("1000.1%"), Err("`1000.1%` is out of range; at most 1000%".to_string()));
        assert_eq!(read("0.9"), Err("`0.9` has no unit; write 0.9%".to_string()));
        assert!(read("-5%").is_err() && read("busy").is_err() && read("5/s").is_err());
        for text in ["90%", "99.95%", "0.0000001%", "120%"] {
            assert_eq!(Utilization::from_text(text).map(|u| u.to_string()), Ok(text.to_string()));
        }
    }
}
