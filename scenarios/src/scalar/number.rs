//! Plain numbers: how many, how many times, and parts per million.

use super::{Misread, Percent, Scalar, Unit, range, scalar, split_unit};
use base::Rng;
use schemars::{Schema, json_schema};
use serde::Serializer;
use std::fmt;

/// How many: a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u32);

/// How many times: a number above zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Factor(pub f64);

/// How many instances, or which share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// So many.
    Count(u32),
    /// This share of them.
    Share(Percent),
}

/// Parts per million, forward or back: how fast a clock runs away.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ppm(pub f64);

impl Scalar for Count {
    const EXPECTED: &'static str = "a whole number such as 3";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let wrong = || Misread::new(format!("`{text}` is not a whole number"), "such as 3");
        text.trim().parse().map(Count).map_err(|_| wrong())
    }

    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
            return Ok(Count(number as u32));
        }
        Err(Misread::new(format!("`{written}` is not a whole number from 0 to {}", u32::MAX), ""))
    }

    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }

    fn schema() -> Schema {
        json_schema!({"type": "integer", "minimum": 0, "maximum": u32::MAX})
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Unit for Count {
    const RANGE: &'static str = "3 .. 5";

    fn between(low: Self, high: Self, rng: &mut Rng) -> Self {
        use base::Draw;
        Count(low.0 + rng.below_u64(u64::from(high.0 - low.0) + 1) as u32)
    }
}

impl Scalar for Factor {
    const EXPECTED: &'static str = "a number such as 2.5";

    fn from_text(text: &str) -> Result<Self, Misread> {
        match text.trim().replace('_', "").parse::<f64>() {
            Ok(number) => Factor::from_number(number, text),
            Err(_) => Err(Misread::new(format!("`{text}` is not a number"), "such as 2.5")),
        }
    }

    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        if number > 0.0 && number <= 1e6 {
            return Ok(Factor(number));
        }
        Err(Misread::new(format!("`{written}` is out of range"), "above 0, at most 1000000; 1 changes nothing"))
    }

    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }

    fn schema() -> Schema {
        json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": 1e6})
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Unit for Factor {
    const RANGE: &'static str = "2 .. 5";

    fn between(low: Self, high: Self, rng: &mut Rng) -> Self {
        let millionths = |x: f64| (x * 1e6).round() as u64;
        let drawn = range::draw_rounded(millionths(low.0), millionths(high.0), rng) as f64 / 1e6;
        Factor(drawn.clamp(low.0, high.0))
    }
}

impl Scalar for Instances {
    const EXPECTED: &'static str = "a number of instances such as 2, or a share of them such as \"25%\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        Percent::from_text(text).map(Instances::Share)
    }

    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        Count::from_number(number, written).map(|count| Instances::Count(count.0))
    }

    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Instances::Count(n) => serializer.serialize_u32(*n),
            Instances::Share(share) => serializer.collect_str(share),
        }
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [Count::schema(), Percent::schema()]})
    }
}

impl fmt::Display for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instances::Count(n) => n.fmt(f),
            Instances::Share(share) => share.fmt(f),
        }
    }
}

impl Scalar for Ppm {
    const EXPECTED: &'static str = "parts per million such as \"200ppm\" or \"-50ppm\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let (number, unit) = split_unit(text);
        match number.parse::<f64>() {
            _ if unit != "ppm" => {
                Err(Misread::new(format!("`{text}` is not in parts per million"), "such as 200ppm or -50ppm"))
            }
            Ok(ppm) if ppm.abs() <= 1e6 => Ok(Ppm(ppm)),
            _ => Err(Misread::new(format!("`{text}` is out of range"), "from -1000000ppm to 1000000ppm")),
        }
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*[+-]?[0-9]+(\.[0-9]+)?\s*ppm\s*$"})
    }
}

impl fmt::Display for Ppm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ppm", self.0)
    }
}

scalar!(Count, Factor, Instances, Ppm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_know_their_bounds() {
        assert_eq!(Count::from_number(3.0, "3"), Ok(Count(3)));
        assert!(Count::from_number(-1.0, "-1").is_err() && Count::from_number(2.5, "2.5").is_err());
        assert!(Count::from_number(4_294_967_296.0, "4294967296").is_err());
        assert_eq!(Factor::from_text("2.5"), Ok(Factor(2.5)));
        assert!(
            Factor::from_text("0").is_err() && Factor::from_text("nan").is_err() && Factor::from_text("inf").is_err()
        );
        assert_eq!(Ppm::from_text("-50ppm"), Ok(Ppm(-50.0)));
        assert!(Ppm::from_text("50").is_err() && Ppm::from_text("2000000ppm").is_err());
    }
}
