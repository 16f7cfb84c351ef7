//! How much fits into something: `1500kB`.
//!
//! Bytes, with factors of a thousand, or of 1,024 where the unit says so (`KiB`). `kb` is refused, because nobody knows
//! whether it means bits.

use super::{Misread, Scalar, fixed_point, scalar, split_unit};
use schemars::{Schema, json_schema};
use std::fmt;

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Units with a factor of a thousand and their power of ten.
const UNITS: [(&str, u32); 4] = [("B", 0), ("kB", 3), ("MB", 6), ("GB", 9)];
/// Units with a factor of 1,024 and how often it is taken.
const BINARY: [(&str, u32); 3] = [("KiB", 1), ("MiB", 2), ("GiB", 3)];
/// A thousand gigabytes.
const MOST: u128 = 1_000_000_000_000;

impl Scalar for Size {
    const EXPECTED: &'static str = "a number of bytes such as \"1500kB\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        let bytes = if let Some(&(_, power)) = UNITS.iter().find(|(name, _)| *name == unit) {
            fixed_point(number, power)
        } else if let Some(&(_, power)) = BINARY.iter().find(|(name, _)| *name == unit) {
            // Thousandths, so that 1.5KiB can be written.
            fixed_point(number, 3).map(|thousandths| thousandths * 1024u128.pow(power) / 1_000)
        } else {
            let message = match unit {
                "" => format!("`{text}` has no unit"),
                unit => format!("`{text}`: unknown unit `{unit}`"),
            };
            return Err(Misread::new(message, "one of B, kB, MB, GB, KiB, MiB, GiB"));
        };
        match bytes {
            Some(bytes @ 1..=MOST) => Ok(Size(bytes as u64)),
            Some(_) => Err(Misread::new(format!("`{text}` is out of range"), "from 1B to 1000GB")),
            None => Err(Misread::new(format!("`{text}` is not a number of bytes"), "such as 1500kB")),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*\+?[0-9_]+(\.[0-9_]+)?\s*([kMG]?B|[KMG]iB)\s*$",
            "examples": ["1500kB"]
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, power) =
            UNITS.iter().rev().find(|(_, power)| self.0.is_multiple_of(10u64.pow(*power))).unwrap_or(&UNITS[0]);
        write!(f, "{}{unit}", self.0 / 10u64.pow(*power))
    }
}

scalar!(Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        assert_eq!(Size::from_text("1500kB"), Ok(Size(1_500_000)));
        assert_eq!(Size::from_text("1.5 KiB"), Ok(Size(1_536)));
        assert_eq!(Size(1_500_000).to_string(), "1500kB");
        assert_eq!(Size(1_536).to_string(), "1536B");
        assert!(
            Size::from_text("0B").is_err() && Size::from_text("5kb").is_err() && Size::from_text("2000GB").is_err()
        );
    }
}
