//! Values drawn so that a few thousand of them meet what a value can be: every order of magnitude alike, round ones and
//! odd ones, and the ends of the range more often than chance would.

use crate::At;
use crate::scalar::{Bandwidth, Count, Factor, OrForever, Percent, Ranged, Rate, SignedSpan, Size, Span, Unit};
use crate::section::Distribution;
use crate::section::distribution::{DistributionKind, DistributionTable};
use crate::section::kind::Kind;
use base::{Draw, Duration, Ratio, Rng};
use std::ops::RangeInclusive;

/// The longest span of a distribution.
const DAY: u64 = 24 * 3_600_000_000_000;

/// A stream of chance, and how often it gives the ends of a range.
#[derive(Debug)]
pub struct Dice {
    rng: Rng,
    extremes: Ratio,
}

impl Dice {
    /// Draws from `rng`; an end of a range in place of something within it with the chance `extremes`.
    pub fn new(rng: Rng, extremes: Ratio) -> Self {
        Dice { rng, extremes }
    }

    /// True `of` times out of `all`.
    pub fn happens(&mut self, of: u32, all: u32) -> bool {
        self.rng.below(all) < of
    }

    /// True when an extreme is due.
    pub fn extreme(&mut self) -> bool {
        self.extremes.happens(&mut self.rng)
    }

    /// One of some, each equally likely.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.rng.below(of.len() as u32) as usize]
    }

    /// A whole number, both ends included, each equally likely.
    pub fn even(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        match (high - low).checked_add(1) {
            Some(width) => low + self.rng.below_u64(width),
            None => self.rng.next_u64(),
        }
    }

    /// A whole number of any order of magnitude within the range, or one of its ends.
    pub fn magnitude(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        if self.extreme() {
            return *self.one(&[low, high]);
        }
        // An even number of bits, then an even number of so many bits.
        let bits = self.even(u64::from(low.max(1).ilog2())..=u64::from(high.max(1).ilog2()));
        let from = 1u64 << bits;
        let drawn = self.even(from..=from.saturating_mul(2).saturating_sub(1).max(from));
        // Half of them as people write them: with one or two digits that are not zero.
        let rounded = match self.happens(1, 2) {
            true => drawn,
            false => drawn / 10u64.pow(drawn.ilog10().saturating_sub(1)) * 10u64.pow(drawn.ilog10().saturating_sub(1)),
        };
        if low == 0 && self.happens(1, 50) { 0 } else { rounded.clamp(low, high) }
    }

    /// How many.
    pub fn count(&mut self, range: RangeInclusive<u32>) -> Count {
        let (low, high) = range.into_inner();
        Count(self.magnitude(low.into()..=high.into()) as u32)
    }

    /// How long, in nanoseconds from and to.
    pub fn span(&mut self, range: RangeInclusive<u64>) -> Span {
        Span(Duration::ns(self.magnitude(range)))
    }

    /// How many times, of any order of magnitude.
    pub fn factor(&mut self, low: f64, high: f64) -> Factor {
        if self.extreme() {
            return Factor(*self.one(&[low, high]));
        }
        // In millionths of the low end, so that small and large factors have the same digits.
        let scale = if low < 1e-3 { low } else { 1e-3 };
        let drawn = self.magnitude((low / scale) as u64..=(high / scale) as u64) as f64 * scale;
        Factor(drawn.clamp(low, high))
    }

    /// How many times longer something takes: up to fifty times, or up to a million where an extreme is due.
    pub(crate) fn slowdown(&mut self) -> Ranged<Factor> {
        let most = if self.extreme() { 1e6 } else { 50.0 };
        self.ranged(|dice| dice.factor(1e-3, most))
    }

    /// Any number between two, evenly, or one of them.
    pub fn number(&mut self, low: f64, high: f64) -> f64 {
        if self.extreme() {
            return *self.one(&[low, high]);
        }
        (low + (high - low) * self.rng.unit()).clamp(low, high)
    }

    /// A share of a whole: small ones, whole percentages, any number of billionths.
    pub fn share(&mut self) -> Percent {
        if self.extreme() {
            return Percent(*self.one(&[Ratio::ZERO, Ratio::ONE, Ratio::from_billionths(1)]));
        }
        Percent(match self.even(0..=2) {
            0 => Ratio::percent(self.even(1..=100) as u32),
            1 => Ratio::from_billionths(self.magnitude(1..=1_000_000_000) as u32),
            _ => Ratio::from_billionths(self.even(0..=1_000_000_000) as u32),
        })
    }

    /// Requests per second.
    pub fn rate(&mut self, low: f64, high: f64) -> Rate {
        // A rate has at least a millionth per second here, and is written in millionths.
        let millionths = |rate: f64| (rate * 1e6) as u64;
        Rate((self.magnitude(millionths(low).max(1)..=millionths(high).max(1)) as f64 / 1e6).min(high))
    }

    /// Bits per second: from what carries a packet in minutes to what nothing fills.
    pub fn bandwidth(&mut self) -> Bandwidth {
        match self.extreme() {
            true => Bandwidth(*self.one(&[1, 1_000_000_000_000_000])),
            false => Bandwidth(self.magnitude(10_000..=100_000_000_000)),
        }
    }

    /// Bytes of a buffer.
    pub fn size(&mut self) -> Size {
        Size(self.magnitude(1..=1_000_000_000_000))
    }

    /// A step of a clock, back or forward.
    pub fn step(&mut self) -> SignedSpan {
        // A hundred years are the most that can be written.
        let most = if self.extreme() { 100 * 365 * DAY } else { 100_000_000_000 };
        let step = self.magnitude(0..=most) as i64;
        SignedSpan(if self.happens(1, 2) { -step } else { step })
    }

    /// Parts per million by which a clock runs fast or slow.
    pub fn drift(&mut self) -> crate::scalar::Ppm {
        if self.extreme() {
            return crate::scalar::Ppm(*self.one(&[-1e6, 1e6, -999_999.0, 0.001]));
        }
        let drift = self.magnitude(0..=900_000) as f64;
        crate::scalar::Ppm(if self.happens(1, 2) { -drift } else { drift })
    }

    /// Something or nothing: with the chance of `of` out of `all`.
    pub fn maybe<T>(&mut self, of: u32, all: u32, draw: impl FnOnce(&mut Dice) -> T) -> Option<At<T>> {
        self.happens(of, all).then(|| At::new(draw(self)))
    }

    /// A value, or now and then a range around what is drawn twice.
    pub fn ranged<T: Unit>(&mut self, mut draw: impl FnMut(&mut Dice) -> T) -> Ranged<T> {
        let one = draw(self);
        if !self.happens(1, 6) {
            return Ranged::Exactly(one);
        }
        let other = draw(self);
        if one < other {
            Ranged::Between(one, other)
        } else if other < one {
            Ranged::Between(other, one)
        } else {
            Ranged::Exactly(one)
        }
    }

    /// A distribution of every kind there is, whose draws lie around `usual` nanoseconds; of length zero, or of a day,
    /// where an extreme is due.
    pub fn distribution(&mut self, usual: u64) -> Distribution {
        let usual = usual.clamp(1, DAY / 10);
        if self.extreme() {
            return Distribution::Constant(Span(Duration::ns(*self.one(&[0, 1, usual]))));
        }
        let kind = *self.one(DistributionKind::ALL);
        let near = |dice: &mut Dice| dice.magnitude((usual / 8).max(1)..=usual.saturating_mul(8).min(DAY));
        let at = |ns: u64| Some(At::new(Span(Duration::ns(ns))));
        let mut table = DistributionTable { distribution: Some(At::new(kind)), ..DistributionTable::default() };
        match kind {
            DistributionKind::Constant => {
                let value = near(self);
                if self.happens(1, 2) {
                    return Distribution::Constant(Span(Duration::ns(value)));
                }
                table.value = at(value);
            }
            DistributionKind::Uniform => {
                let (a, b) = (near(self), near(self));
                let low = if self.extreme() { 0 } else { a.min(b) };
                (table.low, table.high) = (at(low), at(a.max(b)));
            }
            DistributionKind::Exponential => table.mean = at(near(self)),
            DistributionKind::Lognormal => {
                let p50 = near(self);
                let most = if self.extreme() { 1000 } else { 20 };
                let times = self.magnitude(1..=most);
                (table.p50, table.p99) = (at(p50), at(p50.saturating_mul(times).min(DAY)));
            }
            DistributionKind::Bimodal => {
                let fast = near(self);
                let slow = near(self);
                table.slow_share = Some(At::new(self.share()));
                (table.fast, table.slow) = (at(if self.extreme() { 0 } else { fast }), at(slow));
            }
            DistributionKind::Pareto => {
                let scale = near(self);
                table.scale = at(scale);
                table.shape = Some(At::new(self.factor(0.5, 10.0)));
                if self.happens(1, 2) {
                    table.cap = at(scale.saturating_mul(self.magnitude(1..=100)).min(DAY));
                }
            }
            DistributionKind::Empirical => {
                let mut spans: Vec<u64> = (0..self.even(2..=6)).map(|_| near(self)).collect();
                spans.sort_unstable();
                let last = spans.len() as u32 - 1;
                let share = |n: u32| if n == last { Ratio::ONE } else { Ratio::percent(n * 100 / last) };
                let points = spans.iter().zip(0..);
                let points = points.map(|(ns, n)| At::new((Percent(share(n)), Span(Duration::ns(*ns)))));
                table.quantiles = Some(At::new(points.collect()));
            }
        }
        Distribution::Table(Box::new(table))
    }

    /// A length, or for ever.
    pub(crate) fn or_forever(&mut self, most: u64) -> OrForever<Ranged<Span>> {
        if most == 0 || self.happens(1, 12) {
            return OrForever(None);
        }
        OrForever(Some(self.ranged(|dice| dice.span(1..=most))))
    }
}
