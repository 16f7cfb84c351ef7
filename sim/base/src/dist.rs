//! How long things take: the distributions of service times, network delays and pauses.
//!
//! Every sampler uses only additions, multiplications, comparisons and `libm`, so a draw is the same on every
//! machine. Exponential and normal draws come from a ziggurat of 256 layers (Marsaglia and Tsang, "The Ziggurat Method
//! for Generating Random Variables", 2000), which needs one draw and one multiplication 98.8 % of the time; the
//! exponential sits in the path of every simulated request.

use crate::math;
use crate::{Draw, Duration};
use std::sync::LazyLock;

/// A distribution of spans of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(Duration),
    /// Any span between two, both included, equally likely.
    Uniform {
        /// The shortest.
        low: Duration,
        /// The longest.
        high: Duration,
    },
    /// Memoryless, with a mean.
    Exponential {
        /// Mean, and standard deviation.
        mean: Duration,
    },
    /// `exp` of a normal distribution: the usual shape of service times. Built by [`Dist::lognormal`].
    LogNormal {
        /// Mean of the logarithm of the span in nanoseconds.
        mu: f64,
        /// Standard deviation of that logarithm.
        sigma: f64,
    },
    /// Mostly one span, sometimes another: a cache with its misses.
    Bimodal {
        /// The usual span.
        fast: Duration,
        /// The other one.
        slow: Duration,
        /// How often it is the other one.
        slow_share: crate::Ratio,
    },
    /// A heavy tail: P(longer than x) = (scale / x)^shape for x ≥ scale.
    Pareto {
        /// The shortest span.
        scale: Duration,
        /// The tail index; the mean is infinite at 1 and below, the variance at 2 and below.
        shape: f64,
        /// Longer draws are cut to this, because nothing real takes for ever.
        cap: Duration,
    },
    /// What was measured: quantiles with straight lines between them. Built by [`Dist::empirical`].
    Empirical(Vec<Quantile>),
}

/// A point of a measured distribution: a share `p` of all spans is at most `span`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The share, `0.0 ..= 1.0`.
    pub p: f64,
    /// The span.
    pub span: Duration,
}

impl Dist {
    /// The lognormal with this median and 99th percentile. Panics unless `0 < p50 <= p99`.
    pub fn lognormal(p50: Duration, p99: Duration) -> Self {
        assert!(!p50.is_zero() && p50 <= p99, "a lognormal needs 0 < p50 <= p99, got {p50} and {p99}");
        let mu = math::ln(p50.as_nanos() as f64);
        let sigma = (math::ln(p99.as_nanos() as f64) - mu) / math::normal_quantile(0.99);
        Dist::LogNormal { mu, sigma }
    }

    /// The distribution through `quantiles`, which must rise in both share and span and begin at share 0 and end at
    /// share 1. Panics otherwise.
    pub fn empirical(quantiles: Vec<Quantile>) -> Self {
        assert!(quantiles.len() >= 2, "a measured distribution needs at least its minimum and its maximum");
        assert!(quantiles[0].p == 0.0, "the first quantile is the minimum, at share 0");
        assert!(quantiles[quantiles.len() - 1].p == 1.0, "the last quantile is the maximum, at share 1");
        assert!(quantiles.windows(2).all(|w| w[0].p < w[1].p && w[0].span <= w[1].span), "quantiles must rise");
        Dist::Empirical(quantiles)
    }

    /// One draw.
    #[inline]
    pub fn sample(&self, draw: &mut impl Draw) -> Duration {
        match self {
            Dist::Constant(span) => *span,
            Dist::Exponential { mean } => Duration::ns((unit_exponential(draw) * mean.as_nanos() as f64 + 0.5) as u64),
            Dist::Uniform { low, high } => {
                let width = high.as_nanos() - low.as_nanos();
                *low + Duration::ns(if width == u64::MAX { draw.next_u64() } else { draw.below_u64(width + 1) })
            }
            Dist::LogNormal { mu, sigma } => Duration::ns(math::exp(mu + sigma * unit_normal(draw)).round() as u64),
            Dist::Bimodal { fast, slow, slow_share } => *if slow_share.happens(draw) { slow } else { fast },
            Dist::Pareto { scale, shape, cap } => {
                let above = 1.0 - draw.unit();
                let span = Duration::ns((scale.as_nanos() as f64 / math::pow(above, 1.0 / shape)).round() as u64);
                span.min(*cap)
            }
            Dist::Empirical(quantiles) => {
                let p = draw.unit();
                let above = quantiles.partition_point(|q| q.p <= p).clamp(1, quantiles.len() - 1);
                let (a, b) = (quantiles[above - 1], quantiles[above]);
                let width = (b.span.as_nanos() - a.span.as_nanos()) as f64;
                a.span + Duration::ns((width * ((p - a.p) / (b.p - a.p))).round() as u64)
            }
        }
    }

    /// The mean, in closed form. A Pareto's is that of the cut tail, so it is finite.
    pub fn mean(&self) -> Duration {
        let seconds = |ns: f64| Duration::from_secs_f64(ns / 1e9);
        match self {
            Dist::Constant(span) => *span,
            Dist::Uniform { low, high } => *low + (*high - *low) / 2,
            Dist::Exponential { mean } => *mean,
            Dist::LogNormal { mu, sigma } => seconds(math::exp(mu + sigma * sigma / 2.0)),
            Dist::Bimodal { fast, slow, slow_share } => {
                let share = slow_share.as_f64();
                seconds(fast.as_nanos() as f64 * (1.0 - share) + slow.as_nanos() as f64 * share)
            }
            Dist::Pareto { scale, shape, cap } => {
                let (s, a, c) = (scale.as_nanos() as f64, *shape, cap.as_nanos() as f64);
                // ∫ P(X > x) dx from 0 to the cap.
                seconds(if a == 1.0 { s + s * math::ln(c / s) } else { s + (s - c * math::pow(s / c, a)) / (a - 1.0) })
            }
            Dist::Empirical(quantiles) => seconds(
                quantiles
                    .windows(2)
                    .map(|w| (w[1].p - w[0].p) * (w[0].span.as_nanos() as f64 + w[1].span.as_nanos() as f64) / 2.0)
                    .sum(),
            ),
        }
    }

    /// The span, when every draw gives the same one.
    pub fn constant(&self) -> Option<Duration> {
        match self {
            Dist::Constant(span) => Some(*span),
            _ => None,
        }
    }
}

/// A draw from the exponential distribution with mean one.
#[inline]
pub fn unit_exponential(draw: &mut impl Draw) -> f64 {
    let table = &*EXPONENTIAL;
    let bits = draw.next_u64();
    // Eight bits choose the layer; 53 others, disjoint from them, choose the place in it.
    let layer = (bits & 0xff) as usize;
    let x = crate::rng::unit(bits) * table.x[layer];
    if x < table.x[layer + 1] {
        return x;
    }
    exponential_edge(draw, layer, x)
}

/// The 1.2 % of draws that do not fall under the curve at once.
#[cold]
fn exponential_edge(draw: &mut impl Draw, layer: usize, x: f64) -> f64 {
    let table = &*EXPONENTIAL;
    if layer == 0 {
        // The tail of a memoryless distribution is the distribution itself, moved.
        return EXPONENTIAL_TAIL - math::ln(1.0 - draw.unit());
    }
    if table.y[layer] + (table.y[layer + 1] - table.y[layer]) * draw.unit() < math::exp(-x) {
        return x;
    }
    unit_exponential(draw)
}

/// A draw from the standard normal distribution.
#[inline]
pub fn unit_normal(draw: &mut impl Draw) -> f64 {
    let table = &*NORMAL;
    loop {
        let bits = draw.next_u64();
        let layer = (bits & 0xff) as usize;
        let sign = if bits & 0x100 == 0 { 1.0 } else { -1.0 };
        let x = crate::rng::unit(bits) * table.x[layer];
        if x < table.x[layer + 1] {
            return sign * x;
        }
        if layer == 0 {
            // Marsaglia's tail: two exponentials, accepted when the second is long enough.
            loop {
                let a = -math::ln(1.0 - draw.unit()) / NORMAL_TAIL;
                let b = -math::ln(1.0 - draw.unit());
                if 2.0 * b > a * a {
                    return sign * (NORMAL_TAIL + a);
                }
            }
        }
        if table.y[layer] + (table.y[layer + 1] - table.y[layer]) * draw.unit() < math::exp(-x * x / 2.0) {
            return sign * x;
        }
    }
}

/// 256 layers of equal area under a falling curve: layer `i` is `x[i]` wide and reaches from `y[i]` up to `y[i + 1]`.
/// Layer 0 stands for the lowest strip and the tail together, so `x[0]` is wider than the curve is there.
struct Ziggurat {
    x: [f64; 257],
    y: [f64; 257],
}

/// Where the exponential's tail begins, for 256 layers.
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
/// Where the normal's tail begins, for 256 layers.
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;

impl Ziggurat {
    fn new(tail: f64, area: f64, curve: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Self {
        let mut x = [0.0; 257];
        x[0] = area / curve(tail);
        x[1] = tail;
        for i in 2..256 {
            x[i] = inverse(area / x[i - 1] + curve(x[i - 1]));
        }
        x[256] = 0.0;
        let mut y = [0.0; 257];
        for i in 1..257 {
            y[i] = curve(x[i]);
        }
        Ziggurat { x, y }
    }
}

static EXPONENTIAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let curve = |x: f64| math::exp(-x);
    Ziggurat::new(EXPONENTIAL_TAIL, (EXPONENTIAL_TAIL + 1.0) * curve(EXPONENTIAL_TAIL), curve, |y| -math::ln(y))
});

static NORMAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let curve = |x: f64| math::exp(-x * x / 2.0);
    let tail_area = (std::f64::consts::PI / 2.0).sqrt() * math::erfc(NORMAL_TAIL / std::f64::consts::SQRT_2);
    Ziggurat::new(NORMAL_TAIL, NORMAL_TAIL * curve(NORMAL_TAIL) + tail_area, curve, |y| (-2.0 * math::ln(y)).sqrt())
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ratio, Seed};

    /// Mean and coefficient of variation squared of a million draws.
    fn moments(dist: &Dist) -> (f64, f64) {
        let mut rng = Seed(2026).stream("dist");
        let n = 1_000_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = dist.sample(&mut rng).as_millis_f64();
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        (mean, squares / f64::from(n) / (mean * mean) - 1.0)
    }

    #[test]
    fn every_distribution_has_the_mean_it_claims() {
        let ms = Duration::ms;
        let table = [
            Dist::Constant(ms(8)),
            Dist::Uniform { low: ms(2), high: ms(6) },
            Dist::Exponential { mean: ms(10) },
            Dist::lognormal(ms(8), ms(40)),
            Dist::Bimodal { fast: ms(1), slow: ms(101), slow_share: Ratio::percent(10) },
            Dist::Pareto { scale: ms(1), shape: 2.5, cap: Duration::secs(10) },
            Dist::empirical(vec![
                Quantile { p: 0.0, span: ms(1) },
                Quantile { p: 0.5, span: ms(2) },
                Quantile { p: 1.0, span: ms(10) },
            ]),
        ];
        for dist in table {
            let (mean, _) = moments(&dist);
            let claimed = dist.mean().as_millis_f64();
            assert!((mean / claimed - 1.0).abs() < 0.01, "{dist:?}: drew {mean} ms, claims {claimed} ms");
        }
    }

    #[test]
    fn the_exponential_is_memoryless_in_the_layers_and_in_the_tail() {
        let mut rng = Seed(5).stream("exponential");
        let n = 2_000_000u32;
        let mut beyond = [0u32; 10];
        for _ in 0..n {
            let x = unit_exponential(&mut rng);
            for (k, count) in beyond.iter_mut().enumerate() {
                *count += u32::from(x > k as f64);
            }
        }
        for (k, &count) in beyond.iter().enumerate() {
            let expected = f64::from(n) * math::exp(-(k as f64));
            let sigma = expected.sqrt();
            assert!(
                (f64::from(count) - expected).abs() < 4.0 * sigma + 1.0,
                "beyond {k}: {count}, expected {expected}"
            );
        }
    }

    #[test]
    fn the_normal_has_its_quantiles_on_both_sides() {
        let mut rng = Seed(6).stream("normal");
        let n = 2_000_000u32;
        for z in [-3.8, -2.0, -1.0, 0.0, 0.5, 1.5, 3.7] {
            let below = (0..n).filter(|_| unit_normal(&mut rng) < z).count() as f64;
            let expected = f64::from(n) * 0.5 * math::erfc(-z / std::f64::consts::SQRT_2);
            let sigma = (expected * (1.0 - expected / f64::from(n))).sqrt();
            assert!((below - expected).abs() < 4.0 * sigma, "below {z}: {below}, expected {expected}");
        }
    }

    #[test]
    fn a_lognormal_by_percentiles_has_those_percentiles() {
        let dist = Dist::lognormal(Duration::ms(8), Duration::ms(40));
        let mut rng = Seed(9).stream("lognormal");
        let mut drawn: Vec<Duration> = (0..400_000).map(|_| dist.sample(&mut rng)).collect();
        drawn.sort_unstable();
        let at = |p: f64| drawn[(drawn.len() as f64 * p) as usize].as_millis_f64();
        assert!((at(0.50) / 8.0 - 1.0).abs() < 0.01, "p50 = {}", at(0.50));
        assert!((at(0.99) / 40.0 - 1.0).abs() < 0.02, "p99 = {}", at(0.99));
    }

    #[test]
    fn the_exponential_has_variation_one() {
        let (_, variation) = moments(&Dist::Exponential { mean: Duration::ms(10) });
        assert!((variation - 1.0).abs() < 0.02, "{variation}");
    }
}
