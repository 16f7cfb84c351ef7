//! Chance and shares as exact fractions: parts per billion, so that `0.1%` is the number it says.
//!
//! A float would compare differently after a sum; parts per billion add up exactly, print as they were written, and
//! decide a draw with one integer comparison.

use crate::Draw;
use std::fmt;

/// A share between nothing and everything, in parts per billion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

const WHOLE: u32 = 1_000_000_000;

impl Ratio {
    /// Never; none of it.
    pub const ZERO: Ratio = Ratio(0);
    /// Always; all of it.
    pub const ONE: Ratio = Ratio(WHOLE);

    /// `percent` hundredths. Panics above 100.
    pub const fn percent(percent: u32) -> Self {
        assert!(percent <= 100, "a ratio is at most 100 %");
        Ratio(percent * (WHOLE / 100))
    }

    /// `parts` billionths. Panics above one billion.
    pub const fn from_billionths(parts: u32) -> Self {
        assert!(parts <= WHOLE, "a ratio is at most one");
        Ratio(parts)
    }

    /// `part` out of `whole`, to the nearest billionth; zero when `whole` is zero. Panics when `part` exceeds `whole`.
    pub fn of(part: u64, whole: u64) -> Self {
        assert!(part <= whole, "{part} is more than the whole {whole}");
        if whole == 0 {
            return Ratio::ZERO;
        }
        let scaled = (u128::from(part) * u128::from(WHOLE) + u128::from(whole) / 2) / u128::from(whole);
        Ratio(scaled as u32)
    }

    /// The closest ratio to `x`, held to `0 ..= 1`; NaN becomes zero.
    pub fn from_f64(x: f64) -> Self {
        Ratio(((x.clamp(0.0, 1.0) * f64::from(WHOLE)).round()) as u32)
    }

    /// Billionths.
    pub const fn billionths(self) -> u32 {
        self.0
    }

    /// As a number in `0.0 ..= 1.0`, for people and plots.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// What is left to the whole.
    pub const fn complement(self) -> Self {
        Ratio(WHOLE - self.0)
    }

    /// This share of `n`, rounded down.
    pub fn floor_of(self, n: u64) -> u64 {
        (u128::from(n) * u128::from(self.0) / u128::from(WHOLE)) as u64
    }

    /// This share of `n`, rounded up.
    pub fn ceil_of(self, n: u64) -> u64 {
        (u128::from(n) * u128::from(self.0)).div_ceil(u128::from(WHOLE)) as u64
    }

    /// True with this chance. Draws exactly once, also for zero and one, so that changing a chance moves no later draw.
    #[inline]
    pub fn happens(self, draw: &mut impl Draw) -> bool {
        draw.below(WHOLE) < self.0
    }
}

impl fmt::Display for Ratio {
    /// In percent, with as many decimals as it has: `2%`, `99.95%`. A precision bounds them, for shares that were
    /// measured: `{:.2}` prints a third as `33.33%`, cut and not rounded, so that what missed a limit never prints as
    /// having met it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = 10u32.pow(7 - f.precision().map_or(7, |decimals| decimals.min(7)) as u32);
        let (whole, rest) = (self.0 / 10_000_000, self.0 % 10_000_000 / cut * cut);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{rest:07}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn a_ratio_prints_as_it_was_written() {
        assert_eq!(Ratio::percent(2).to_string(), "2%");
        assert_eq!(Ratio::from_f64(0.9995).to_string(), "99.95%");
        assert_eq!(Ratio::of(1, 3).to_string(), "33.3333333%");
        assert_eq!(Ratio::ONE.to_string(), "100%");
        assert_eq!(
            format!("{:.2} {:.2} {:.0}", Ratio::of(1, 3), Ratio::percent(2), Ratio::of(999, 1000)),
            "33.33% 2% 99%"
        );
    }

    #[test]
    fn shares_round_the_way_they_say() {
        let quarter = Ratio::percent(25);
        assert_eq!((quarter.floor_of(10), quarter.ceil_of(10)), (2, 3));
        assert_eq!((quarter.floor_of(8), quarter.ceil_of(8)), (2, 2));
        assert_eq!(Ratio::ONE.floor_of(u64::MAX), u64::MAX);
    }

    #[test]
    fn never_and_always_mean_it() {
        let mut rng = Seed(3).stream("ratio");
        assert!((0..1000).all(|_| !Ratio::ZERO.happens(&mut rng) && Ratio::ONE.happens(&mut rng)));
    }
}
