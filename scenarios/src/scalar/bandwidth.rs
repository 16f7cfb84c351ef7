//! What a line carries in a second, as it is written on the line's label: `100Mbit/s`.
//!
//! Bits, not bytes, and factors of a thousand. `MB/s` is refused, because half of its readers would mean eight times as
//! much.

use super::{Misread, Scalar, fixed_point, scalar, split_unit};
use schemars::{Schema, json_schema};
use std::fmt;

/// Bits per second, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bandwidth(pub u64);

/// Units and their power of ten.
const UNITS: [(&str, u32); 4] = [("bit/s", 0), ("kbit/s", 3), ("Mbit/s", 6), ("Gbit/s", 9)];

impl Scalar for Bandwidth {
    const EXPECTED: &'static str = "a bandwidth such as \"100Mbit/s\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        let Some(&(_, power)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let message = match unit {
                "" => format!("`{text}` has no unit"),
                unit => format!("`{text}`: unknown unit `{unit}`"),
            };
            return Err(Misread::new(message, "one of bit/s, kbit/s, Mbit/s, Gbit/s"));
        };
        match fixed_point(number, power) {
            Some(bits @ 1..=1_000_000_000_000_000) => Ok(Bandwidth(bits as u64)),
            Some(_) => Err(Misread::new(format!("`{text}` is out of range"), "from 1bit/s to 1000000Gbit/s")),
            None => Err(Misread::new(format!("`{text}` is not a bandwidth"), "such as 100Mbit/s")),
        }
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*\+?[0-9_]+(\.[0-9_]+)?\s*[kMG]?bit/s\s*$", "examples": ["100Mbit/s"]})
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, power) =
            UNITS.iter().rev().find(|(_, power)| self.0.is_multiple_of(10u64.pow(*power))).unwrap_or(&UNITS[0]);
        write!(f, "{}{unit}", self.0 / 10u64.pow(*power))
    }
}

scalar!(Bandwidth);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bandwidths_read_and_print() {
        assert_eq!(Bandwidth::from_text("100Mbit/s"), Ok(Bandwidth(100_000_000)));
        assert_eq!(Bandwidth::from_text("1.5 kbit/s"), Ok(Bandwidth(1500)));
        assert_eq!(Bandwidth(1500).to_string(), "1500bit/s");
        assert_eq!(Bandwidth(2_000_000_000).to_string(), "2Gbit/s");
        assert!(Bandwidth::from_text("0bit/s").is_err() && Bandwidth::from_text("5MB/s").is_err());
    }
}
