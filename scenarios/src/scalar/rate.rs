//! How often something comes, with the unit it is counted in: `800/s`, `2k/s`, `600/min`.
//!
//! A rate is kept per second. A bare number is refused, because nobody can see per what it is meant.

use super::{Misread, Scalar, Unit, range, scalar, split_unit};
use base::Rng;
use schemars::{Schema, json_schema};
use std::fmt;

/// Requests per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// The most requests per second: one a nanosecond.
const MAX: f64 = 1e9;

impl Scalar for Rate {
    const EXPECTED: &'static str = "a rate such as \"800/s\", \"2k/s\" or \"600/min\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        let value: Option<f64> = number.replace('_', "").parse().ok();
        let Some(value) = value.filter(|v: &f64| v.is_finite()) else {
            return Err(Misread::new(
                format!("`{text}` is not a rate"),
                "expected a number with a unit, such as 800/s, 2k/s or 600/min",
            ));
        };
        let unit: String = unit.chars().filter(|c| !c.is_whitespace()).collect();
        let (factor, per) = match unit.split_once('/') {
            Some((factor, per)) => (factor, per),
            None => {
                return Err(Misread::new(
                    format!("`{text}` does not say per what"),
                    format!("such as {number}/s, {number}/min or {number}/h"),
                ));
            }
        };
        let factor = match factor {
            "" => 1.0,
            "k" => 1e3,
            "M" => 1e6,
            other => {
                return Err(Misread::new(
                    format!("`{text}`: unknown factor `{other}`"),
                    "k for thousands, M for millions",
                ));
            }
        };
        let seconds = match per {
            "s" => 1.0,
            "min" | "m" => 60.0,
            "h" => 3600.0,
            other => {
                return Err(Misread::new(format!("`{text}`: unknown unit `{other}`"), "one of /s, /min, /h"));
            }
        };
        let rate = value * factor / seconds;
        if !(0.0..=MAX).contains(&rate) {
            return Err(Misread::new(format!("`{text}` is out of range"), "from 0/s to 1000M/s"));
        }
        Ok(Rate(rate))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*\+?[0-9_]+(\.[0-9_]+)?\s*[kM]?\s*/\s*(s|m|min|h)\s*$",
            "examples": ["800/s", "2k/s", "600/min"]})
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl Unit for Rate {
    fn between(low: Self, high: Self, rng: &mut Rng) -> Self {
        // In millionths, so that a drawn rate has few digits; the ends stay what they are.
        let millionths = |rate: f64| (rate * 1e6).round() as u64;
        let drawn = range::draw_rounded(millionths(low.0), millionths(high.0), rng) as f64 / 1e6;
        Rate(drawn.clamp(low.0, high.0))
    }
}

scalar!(Rate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_as_written() {
        let read = |text| Rate::from_text(text).map(|r| r.0).map_err(|e| format!("{}; {}", e.message, e.label));
        assert_eq!(read("800/s"), Ok(800.0));
        assert_eq!(read("2k/s"), Ok(2000.0));
        assert_eq!(read("600 / min"), Ok(10.0));
        assert_eq!(read("0.5/s"), Ok(0.5));
        assert_eq!(read("800"), Err("`800` does not say per what; such as 800/s, 800/min or 800/h".to_string()));
        assert_eq!(read("8/d"), Err("`8/d`: unknown unit `d`; one of /s, /min, /h".to_string()));
        assert_eq!(read("8G/s"), Err("`8G/s`: unknown factor `G`; k for thousands, M for millions".to_string()));
        assert!(read("-1/s").is_err() && read("fast").is_err() && read("1e9/s").is_err() && read("2000M/s").is_err());
    }

    #[test]
    fn a_rate_that_is_no_decimal_prints_what_reads_back() {
        let third = Rate::from_text("20/min").expect("a rate");
        assert_eq!(Rate::from_text(&third.to_string()), Ok(third));
    }
}
