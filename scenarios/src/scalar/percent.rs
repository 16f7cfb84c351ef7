//! Shares and chances, always with their sign: `2%`, `99.95%`.
//!
//! A share is kept as an exact ratio of integers, so that `0.1%` of a thousand is one and stays one on every machine. A
//! bare `0.02` is refused: it could be two percent or two hundredths of one.

use super::{Misread, Scalar, Unit, fixed_point, range, scalar, split_unit};
use base::{Ratio, Rng};
use schemars::{Schema, json_schema};
use std::fmt;

/// A share between nothing and everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub Ratio);

impl Scalar for Percent {
    const EXPECTED: &'static str = "a percentage such as \"2%\" or \"99.95%\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        if number.is_empty() {
            return Err(Misread::new(format!("`{text}` is not a percentage"), "such as 2% or 99.95%"));
        }
        if unit != "%" {
            let message = match unit {
                "" => format!("`{text}` has no unit"),
                unit => format!("`{text}`: unknown unit `{unit}`"),
            };
            return Err(Misread::new(message, format!("write {number}%")));
        }
        match fixed_point(number, 7) {
            Some(n) if n <= 1_000_000_000 => Ok(Percent(Ratio::from_billionths(n as u32))),
            Some(_) => Err(Misread::new(format!("`{text}` is more than everything"), "at most 100%")),
            None => {
                Err(Misread::new(format!("`{text}` is not a percentage"), "from 0% to 100%, with up to 7 decimals"))
            }
        }
    }

    fn from_number(_: f64, written: &str) -> Result<Self, Misread> {
        Err(Misread::new(format!("`{written}` has no unit"), "write a percentage in quotes, such as \"2%\""))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*\+?[0-9_]+(\.[0-9_]+)?\s*%\s*$", "examples": ["2%", "99.95%"]})
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Unit for Percent {
    fn between(low: Self, high: Self, rng: &mut Rng) -> Self {
        let drawn = range::draw_rounded(low.0.billionths().into(), high.0.billionths().into(), rng);
        Percent(Ratio::from_billionths(drawn as u32))
    }
}

scalar!(Percent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact_and_have_their_sign() {
        let read = |text| Percent::from_text(text).map(|p| p.0).map_err(|e| format!("{}; {}", e.message, e.label));
        assert_eq!(read("2%"), Ok(Ratio::percent(2)));
        assert_eq!(read("99.95 %"), Ok(Ratio::from_f64(0.9995)));
        assert_eq!(read("100%"), Ok(Ratio::ONE));
        assert_eq!(read("100.1%"), Err("`100.1%` is more than everything; at most 100%".to_string()));
        assert_eq!(read("0.02"), Err("`0.02` has no unit; write 0.02%".to_string()));
        assert!(read("-1%").is_err() && read("%").is_err() && read("0.00000001%").is_err());
    }
}
