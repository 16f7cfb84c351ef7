//! A value, or a range from which the seed draws one: `"800/s"` or `"400/s .. 800/s"`.
//!
//! A drawn value is rounded to about a ten-thousandth of the range's width, so that it can be read aloud and written
//! back into a file. Whole numbers are drawn evenly, both ends included.

use super::{Misread, Scalar, scalar};
use base::{Draw, Rng};
use schemars::Schema;
use std::fmt;

/// A value that can be drawn from a range.
pub trait Unit: Scalar + Copy + PartialEq + PartialOrd {
    /// A range to show whoever wrote what is no value; empty where the value's own example says enough.
    const RANGE: &'static str = "";

    /// A value between two, both included.
    fn between(low: Self, high: Self, rng: &mut Rng) -> Self;
}

/// One value, or a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ranged<T> {
    /// This one.
    Exactly(T),
    /// One between these two, drawn from the seed.
    Between(T, T),
}

impl<T: Unit> Ranged<T> {
    /// The smallest it can be.
    pub fn low(&self) -> T {
        match *self {
            Ranged::Exactly(value) | Ranged::Between(value, _) => value,
        }
    }

    /// The largest it can be.
    pub fn high(&self) -> T {
        match *self {
            Ranged::Exactly(value) | Ranged::Between(_, value) => value,
        }
    }
}

impl<T: Unit> Scalar for Ranged<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_text(text: &str) -> Result<Self, Misread> {
        let Some((low, high)) = text.split_once("..") else {
            let with_range = |why: Misread| match why.label.starts_with("such as") && !T::RANGE.is_empty() {
                true => Misread { label: format!("{}, or a range such as \"{}\"", why.label, T::RANGE), ..why },
                false => why,
            };
            return T::from_text(text).map(Ranged::Exactly).map_err(with_range);
        };
        let (low, high) = (T::from_text(low.trim())?, T::from_text(high.trim())?);
        if low == high {
            return Ok(Ranged::Exactly(low));
        }
        if low < high {
            return Ok(Ranged::Between(low, high));
        }
        Err(Misread::new(format!("the range `{text}` falls"), format!("write `{high} .. {low}`")))
    }

    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        T::from_number(number, written).map(Ranged::Exactly)
    }

    fn put<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Ranged::Exactly(value) => value.put(serializer),
            Ranged::Between(..) => serializer.collect_str(self),
        }
    }

    fn schema() -> Schema {
        let one = T::schema();
        let range = schemars::json_schema!({"type": "string", "pattern": r"\.\.",
            "description": "a range, from which the seed draws: \"low .. high\""});
        schemars::json_schema!({"anyOf": [one, range]})
    }
}

impl<T: Unit> fmt::Display for Ranged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ranged::Exactly(value) => value.fmt(f),
            Ranged::Between(low, high) => write!(f, "{low} .. {high}"),
        }
    }
}

impl<T> From<T> for Ranged<T> {
    fn from(value: T) -> Self {
        Ranged::Exactly(value)
    }
}

scalar!(Ranged<T: Unit>);

/// A whole number from `low` to `high`, in steps of the power of ten that is about a ten-thousandth of the width.
pub(crate) fn draw_rounded(low: u64, high: u64, rng: &mut Rng) -> u64 {
    let width = high - low;
    let step = match width / 10_000 {
        0 => 1,
        n => 10u64.pow(n.ilog10()),
    };
    low + step * rng.below_u64(width / step + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::{Count, Percent, Rate, Span};
    use base::Seed;

    fn drawn<T: Unit>(text: &str, seed: u64) -> String {
        let Ok(Ranged::Between(low, high)) = Ranged::<T>::from_text(text) else { panic!("{text} is a range") };
        T::between(low, high, &mut Seed(seed).stream("test")).to_string()
    }

    #[test]
    fn a_drawn_value_lies_in_its_range_and_reads_back() {
        for seed in 0..200 {
            let rate = Rate::from_text(&drawn::<Rate>("400/s .. 800/s", seed)).expect("reads back");
            assert!((400.0..=800.0).contains(&rate.0));
            let span = Span::from_text(&drawn::<Span>("40s .. 60s", seed)).expect("reads back");
            assert!((40.0..=60.0).contains(&span.0.as_secs_f64()));
            assert!(span.0.as_nanos().is_multiple_of(1_000_000), "{span} is rounded");
            let share = Percent::from_text(&drawn::<Percent>("1% .. 5%", seed)).expect("reads back");
            assert!((0.01..=0.05).contains(&share.0.as_f64()));
        }
        let counts: std::collections::BTreeSet<String> = (0..50).map(|s| drawn::<Count>("3 .. 5", s)).collect();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), ["3", "4", "5"]);
    }

    #[test]
    fn a_range_rises() {
        let falls = Ranged::<Span>::from_text("60s .. 40s").expect_err("it falls");
        assert_eq!(falls.label, "write `40s .. 1m`");
        assert_eq!(Ranged::<Span>::from_text("40s .. 40s"), Ok(Ranged::Exactly(Span(base::Duration::secs(40)))));
        assert!(Ranged::<Span>::from_text("..").is_err() && Ranged::<Span>::from_text("1s .. 2s .. 3s").is_err());
    }
}
