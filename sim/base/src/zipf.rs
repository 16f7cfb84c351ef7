//! Popularity: how often the first, second, third most wanted thing is asked for.
//!
//! Zipf's law gives the k-th of n things a share in proportion to 1 / k^s. Web pages, cache keys and customers follow
//! it with s between 0.6 and 1.2 (Breslau and others, "Web Caching and Zipf-like Distributions", 1999), which is why
//! hashing by key does not spread load evenly even where it spreads keys evenly.
//!
//! Draws are exact and take constant time whatever n is: rejection-inversion (Hörmann and Derflinger,
//! "Rejection-Inversion to Generate Variates from Monotone Discrete Distributions", 1996), which draws from a
//! continuous curve above the steps and rejects less than one draw in six.

use crate::Draw;
use crate::math;

/// Zipf's law over a number of things.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    count: u32,
    exponent: f64,
    /// The area under the curve up to the first step, and up to the end.
    first: f64,
    last: f64,
    /// So close behind a step that nothing is rejected there.
    safe: f64,
}

impl Zipf {
    /// `count` things whose shares fall with `exponent`; at zero all are equal. Panics when there is nothing, or the
    /// exponent is negative or no number.
    pub fn new(count: u32, exponent: f64) -> Self {
        assert!(count > 0, "nothing to ask for");
        assert!(exponent >= 0.0 && exponent.is_finite(), "shares fall with {exponent}");
        let mut zipf = Zipf { count, exponent, first: 0.0, last: 0.0, safe: 0.0 };
        zipf.first = zipf.area(1.5) - 1.0;
        zipf.last = zipf.area(f64::from(count) + 0.5);
        zipf.safe = 2.0 - zipf.at_area(zipf.area(2.5) - zipf.height(2.0));
        zipf
    }

    /// A rank, 1 for the most wanted. Two draws on average at most.
    pub fn sample(&self, draw: &mut impl Draw) -> u32 {
        loop {
            let area = self.last + draw.unit() * (self.first - self.last);
            let x = self.at_area(area);
            let rank = ((x + 0.5) as u32).clamp(1, self.count);
            let k = f64::from(rank);
            if k - x <= self.safe || area >= self.area(k + 0.5) - self.height(k) {
                return rank;
            }
        }
    }

    /// The share of the thing of this rank. O(n).
    pub fn share(&self, rank: u32) -> f64 {
        // From the smallest up, so that little is lost.
        let all: f64 = (1..=self.count).rev().map(|k| self.height(f64::from(k))).sum();
        self.height(f64::from(rank)) / all
    }

    /// x^−s.
    fn height(&self, x: f64) -> f64 {
        math::exp(-self.exponent * math::ln(x))
    }

    /// The area under the curve from 1 to x: (x^(1−s) − 1) / (1 − s), or ln x where s is 1; written such that nothing
    /// is lost near there.
    fn area(&self, x: f64) -> f64 {
        let log = math::ln(x);
        let t = (1.0 - self.exponent) * log;
        log * if t.abs() > 1e-8 { math::exp_m1(t) / t } else { 1.0 + t / 2.0 }
    }

    /// Where the area reaches `y`.
    fn at_area(&self, y: f64) -> f64 {
        // Rounding may push the argument of the logarithm below zero at the first step.
        let t = (y * (1.0 - self.exponent)).max(-1.0);
        math::exp(y * if t.abs() > 1e-8 { math::ln_1p(t) / t } else { 1.0 - t / 2.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    /// χ² of what `zipf` draws against `law`, and over how many cells; ranks that expect few share one.
    fn chi_squared(zipf: Zipf, law: Zipf, draws: u32, seed: u64) -> (f64, f64) {
        let mut rng = Seed(seed).stream("zipf");
        let mut counts = vec![0u32; zipf.count as usize + 1];
        (0..draws).for_each(|_| counts[zipf.sample(&mut rng) as usize] += 1);
        let (mut chi2, mut cells) = (0.0, 0.0);
        let (mut expected, mut seen) = (0.0, 0.0);
        for rank in 1..=zipf.count {
            expected += law.share(rank) * f64::from(draws);
            seen += f64::from(counts[rank as usize]);
            if expected >= 20.0 {
                chi2 += (seen - expected) * (seen - expected) / expected;
                cells += 1.0;
                (expected, seen) = (0.0, 0.0);
            }
        }
        (chi2, cells)
    }

    #[test]
    fn ranks_follow_their_law() {
        for (count, exponent) in
            [(1, 1.0), (2, 0.5), (10, 0.0), (100, 0.7), (100, 1.0), (1_000, 1.000_001), (1_000, 1.2), (500, 3.0)]
        {
            let (chi2, cells) = chi_squared(Zipf::new(count, exponent), Zipf::new(count, exponent), 200_000, 7);
            // Four standard deviations of a χ² with as many degrees of freedom, which a fixed seed either passes or
            // not.
            assert!(chi2 < cells + 4.0 * (2.0 * cells).sqrt(), "{count}, {exponent}: χ² {chi2} over {cells}");
        }
    }

    #[test]
    fn a_law_of_another_exponent_is_told_apart() {
        let (chi2, cells) = chi_squared(Zipf::new(100, 1.05), Zipf::new(100, 1.0), 200_000, 7);
        assert!(chi2 > cells + 20.0 * (2.0 * cells).sqrt(), "χ² {chi2} over {cells}");
    }

    #[test]
    fn the_largest_count_is_no_trouble() {
        let zipf = Zipf::new(u32::MAX, 0.9);
        let mut rng = Seed(1).stream("zipf");
        assert!((0..10_000).map(|_| zipf.sample(&mut rng)).any(|rank| rank > 1 << 31));
    }
}
