//! Statistics of replications: intervals, paired differences, corrections, rankings, and a check of the warm-up.
//!
//! A replication, one run under one seed, is the unit: runs are independent, requests within a run are not. What is one
//! number of a run is averaged over replications, with Student's interval. Latencies are pooled instead, because a
//! percentile of few requests is biased and a mean of biased numbers stays biased; see [`Pool`](crate::Pool), which
//! ends in the same estimates.
//!
//! All of it is plain arithmetic and [`base::math`], so that equal samples give equal bytes on every machine.

use base::math::pow;

/// The chance that Student's t with `df` degrees of freedom lies further from zero than `t`, on either side.
///
/// The regularised incomplete beta function I_x(df/2, 1/2) at x = df / (df + t²), by its continued fraction (Abramowitz
/// and Stegun, 26.5.8 and 26.7.1). Small chances keep their relative precision. Panics without a degree of freedom.
///
/// Degrees between whole numbers, which effective sample sizes lead to, are interpolated in 1/df.
pub fn student_tails(t: f64, df: impl Into<f64>) -> f64 {
    let df: f64 = df.into();
    assert!(df >= 1.0, "Student's t needs a degree of freedom");
    let low = df.min(1e9).floor();
    if low == df.min(1e9) {
        return whole_tails(t, low as u32);
    }
    let weight = (1.0 / low - 1.0 / df) / (1.0 / low - 1.0 / (low + 1.0));
    whole_tails(t, low as u32) * (1.0 - weight) + whole_tails(t, low as u32 + 1) * weight
}

fn whole_tails(t: f64, df: u32) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let (a, b) = (f64::from(df) / 2.0, 0.5);
    let square = t * t;
    let x = f64::from(df) / (f64::from(df) + square);
    let y = square / (f64::from(df) + square);
    // B(1/2, 1/2) = π and B(1, 1/2) = 2; from there B(a + 1, 1/2) = B(a, 1/2) · a / (a + 1/2).
    let (mut beta, mut k) = if df % 2 == 1 { (std::f64::consts::PI, 0.5) } else { (2.0, 1.0) };
    while k < a - 0.25 {
        beta *= k / (k + 0.5);
        k += 1.0;
    }
    let front = pow(x, a) * y.sqrt() / beta;
    if x < (a + 1.0) / (a + b + 2.0) {
        (front * beta_fraction(a, b, x) / a).min(1.0)
    } else {
        (1.0 - front * beta_fraction(b, a, y) / b).clamp(0.0, 1.0)
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..=10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// The distance from zero that Student's t with `df` degrees of freedom passes, on either side, with chance `alpha`,
/// `0 < alpha < 1`: the 1 − alpha/2 quantile. Exact to about 1e-12 of itself.
pub fn student_critical(alpha: f64, df: impl Into<f64>) -> f64 {
    let df: f64 = df.into();
    assert!(alpha > 0.0 && alpha < 1.0, "a level needs 0 < alpha < 1, got {alpha}");
    let (mut low, mut high) = (0.0, 1.0);
    while student_tails(high, df) > alpha {
        low = high;
        high *= 2.0;
    }
    // Halving until no number lies between: the tails fall strictly, so nothing can go astray.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if student_tails(middle, df) > alpha { low = middle } else { high = middle }
    }
}

/// An estimate from replications: a mean over them, or a value pooled from all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean, or the pooled value.
    pub mean: f64,
    /// The standard deviation of a sample, over n − 1, of the replications' influence; none for a single replication.
    pub sd: Option<f64>,
    /// Number of replications.
    pub n: usize,
    /// Degrees of freedom of its spread: n − 1, and fewer where few independent requests decide; at least 1.
    pub df: f64,
    /// The interval at the level of the study, where it is not mean ± half width; within the possible range.
    pub bounds: Option<(f64, f64)>,
    /// Number of independent requests that would decide as well as all those counted, where that is known.
    pub effective: Option<f64>,
}

impl Estimate {
    /// The estimate from these values; none when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Estimate> {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len();
        // Values that are all alike have no spread, whatever rounding makes of their sum.
        if values.windows(2).all(|w| w[0] == w[1]) {
            return values.first().map(|&mean| Estimate::new(mean, (n > 1).then_some(0.0), n));
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        Some(Estimate::new(mean, Some(variance(&values).sqrt()), n))
    }

    fn new(mean: f64, sd: Option<f64>, n: usize) -> Estimate {
        Estimate { mean, sd, n, df: n.saturating_sub(1).max(1) as f64, bounds: None, effective: None }
    }

    /// The same with the degrees of freedom that `effective` independent observations leave: 1 / (1/(n − 1) +
    /// 1/effective).
    ///
    /// A variance over n replications has n − 1 degrees where the replications are normal. Counts of rare things that
    /// come in clusters are not: their kurtosis is about two over the number of clusters, and by Welch and
    /// Satterthwaite's rule a variance of such numbers has as many degrees as this. The constant two lies between
    /// clusters of one size (1) and of exponential size (3), and was chosen by the coverage table that the tests of
    /// this repository make.
    #[must_use]
    pub fn resting_on(self, effective: f64) -> Estimate {
        let df = 1.0 / (1.0 / self.df + 1.0 / effective.max(1e-9));
        Estimate { df: df.max(1.0), effective: Some(effective), ..self }
    }

    /// The interval that misses the true value with chance `alpha`; none for a single replication.
    pub fn interval(&self, alpha: f64) -> Option<(f64, f64)> {
        self.bounds.or_else(|| self.half_width(alpha).map(|half| (self.mean - half, self.mean + half)))
    }

    /// The same with the interval cut to a range.
    #[must_use]
    pub fn within(self, low: f64, high: f64, alpha: f64) -> Estimate {
        let bounds = self.interval(alpha).filter(|(a, b)| *a < low || *b > high);
        Estimate { bounds: bounds.map(|(a, b)| (a.max(low), b.min(high))).or(self.bounds), ..self }
    }

    /// Half the width of the interval that misses the true mean with chance `alpha`; none for a single replication.
    pub fn half_width(&self, alpha: f64) -> Option<f64> {
        let sd = self.sd?;
        Some(student_critical(alpha, self.df) * sd / (self.n as f64).sqrt())
    }

    /// The chance to see a mean at least this far from zero when the true one is zero; none for a single replication.
    fn p_value(&self) -> Option<f64> {
        let error = self.sd? / (self.n as f64).sqrt();
        match (self.mean == 0.0, error == 0.0) {
            (true, _) => Some(1.0),
            (false, true) => Some(0.0),
            (false, false) => Some(student_tails(self.mean / error, self.df)),
        }
    }
}

/// The variance of a sample, over n − 1; zero for fewer than two values.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    if n > 1.0 { squares / (n - 1.0) } else { 0.0 }
}

/// The contributions of runs to their weighted mean: their plain mean is the weighted one, and their spread that of its
/// error. Unchanged where all weights are equal or their sum is zero.
pub fn weighted(by_seed: Vec<(usize, f64)>, weights: &[f64]) -> Vec<(usize, f64)> {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 || weights.windows(2).all(|w| w[0] == w[1]) {
        return by_seed;
    }
    let mean = by_seed.iter().zip(weights).map(|((_, x), w)| x * w).sum::<f64>() / total;
    let share = by_seed.len() as f64 / total;
    by_seed.iter().zip(weights).map(|((place, x), w)| (*place, mean + (x - mean) * w * share)).collect()
}

/// The numbers of one compared thing, by rising place of the seed, and on how many independent requests they rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// The place of the seed and its number.
    pub by_seed: Vec<(usize, f64)>,
    /// As [`Estimate::effective`].
    pub effective: Option<f64>,
}

impl From<Vec<(usize, f64)>> for Values {
    fn from(by_seed: Vec<(usize, f64)>) -> Values {
        Values { by_seed, effective: None }
    }
}

/// The difference of two compared things, over the seeds that both were run under.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The zero-based place of one of the two.
    pub first: usize,
    /// The place of the other, which is higher.
    pub second: usize,
    /// The mean over seeds of first − second, each difference taken under one seed.
    pub difference: Estimate,
    /// The chance to see such a difference when there is none; none for fewer than two seeds.
    pub p: Option<f64>,
    /// `p` after Holm's correction for all pairs.
    pub adjusted: Option<f64>,
    /// Half the width of the interval by itself, at the level asked for.
    pub alone: Option<f64>,
    /// Half the width of the interval that belongs to Holm's test of this pair. It excludes zero exactly where the test
    /// tells the two apart.
    pub corrected: Option<f64>,
    /// Half the width at the level divided by the number of pairs (Bonferroni): with the confidence asked for, all of
    /// these intervals together hold the true differences.
    pub simultaneous: Option<f64>,
    /// Whether the two can be told apart after the correction; the sign of the mean then says which is larger.
    pub decided: bool,
}

/// Compares each with each, in pairs of equal seeds, and corrects for their number.
///
/// `values` holds, for each compared thing, what was measured under which seed, by rising seed. `alpha` is one minus
/// the confidence. Pairs without a common seed are left out.
///
/// What is guaranteed, as far as the differences are about normal: (1) Holm's step-down procedure ("A Simple
/// Sequentially Rejective Multiple Test Procedure", 1979): the chance that any pair of truly equal means is told apart
/// is at most alpha, whatever the dependence between pairs. (2) The simultaneous intervals hold all true differences
/// together with confidence 1 − alpha; where one of them excludes zero, Holm decides too. (3) The corrected interval of
/// a pair is its test turned round: the k-th smallest of m chances is tested at alpha / (m − k + 1) and so is the
/// interval drawn, the undecided ones at the level at which the procedure stopped. They agree with the decisions, are
/// at most as wide as the simultaneous ones and never narrower than an interval by itself; for all together only (2) is
/// promised. Nothing is corrected across calls.
pub fn pairs<V: Clone + Into<Values>>(values: &[V], alpha: f64) -> Vec<Pair> {
    let values: Vec<Values> = values.iter().cloned().map(Into::into).collect();
    let mut pairs = Vec::new();
    for first in 0..values.len() {
        for second in first + 1..values.len() {
            let (a, b) = (&values[first], &values[second]);
            if let Some(difference) = Estimate::of(differences(&a.by_seed, &b.by_seed)) {
                let fewer = a.effective.into_iter().chain(b.effective).reduce(f64::min);
                let difference = fewer.map_or(difference, |fewer| difference.resting_on(fewer));
                let p = difference.p_value();
                pairs.push(Pair {
                    first,
                    second,
                    difference,
                    p,
                    adjusted: None,
                    alone: difference.half_width(alpha),
                    corrected: None,
                    simultaneous: None,
                    decided: false,
                });
            }
        }
    }
    holm(&mut pairs, alpha);
    pairs
}

/// What was measured under the same seed, subtracted.
fn differences<'a>(a: &'a [(usize, f64)], b: &'a [(usize, f64)]) -> impl Iterator<Item = f64> + 'a {
    a.iter().filter_map(|(seed, x)| {
        let at = b.binary_search_by_key(seed, |(s, _)| *s).ok()?;
        Some(x - b[at].1)
    })
}

fn holm(pairs: &mut [Pair], alpha: f64) {
    let mut order: Vec<usize> = (0..pairs.len()).filter(|&i| pairs[i].p.is_some()).collect();
    order.sort_by(|&a, &b| pairs[a].p.unwrap_or(1.0).total_cmp(&pairs[b].p.unwrap_or(1.0)));
    let tests = order.len();
    let (mut running, mut stopped) = (0.0_f64, None);
    for (k, &i) in order.iter().enumerate() {
        let left = (tests - k) as f64;
        let p = pairs[i].p.unwrap_or(1.0);
        running = running.max((p * left).min(1.0));
        if p * left > alpha && stopped.is_none() {
            stopped = Some(k);
        }
        let pair = &mut pairs[i];
        let steps = (tests - stopped.unwrap_or(k)) as f64;
        pair.adjusted = Some(running);
        pair.decided = stopped.is_none();
        pair.corrected = pair.difference.half_width(alpha / steps);
        pair.simultaneous = pair.difference.half_width(alpha / tests as f64);
    }
}

/// A place in a ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The zero-based place of the compared thing.
    pub item: usize,
    /// The best rank it may have, from 1: one more than the number of things that are certainly better.
    pub best: usize,
    /// The worst rank it may have: the number of things that are not certainly worse.
    pub worst: usize,
    /// The groups it belongs to. Two that share a letter cannot be told apart, two that share none can (a compact
    /// letter display; Piepho, "An Algorithm for a Letter-Based Representation of All-Pairwise Comparisons", 2004).
    pub groups: String,
}

/// Ranks by mean, the best first, with the range of ranks that each thing may have. Equal means keep their order.
///
/// `means` has a mean for each thing that is ranked; those without take no place. A thing stands certainly before
/// another only where `pairs` has decided between them, so a ranking never says more than the corrected intervals do.
pub fn rank(means: &[Option<f64>], pairs: &[Pair], higher_is_better: bool) -> Vec<Ranked> {
    let mut order: Vec<(usize, f64)> = means.iter().enumerate().filter_map(|(i, m)| Some((i, (*m)?))).collect();
    order.sort_by(|a, b| if higher_is_better { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
    let place: Vec<Option<usize>> = (0..means.len()).map(|i| order.iter().position(|(item, _)| *item == i)).collect();
    let n = order.len();
    let (mut better, mut worse) = (vec![0; n], vec![0; n]);
    let mut apart = Vec::new();
    for pair in pairs.iter().filter(|p| p.decided) {
        let (Some(a), Some(b)) = (place[pair.first], place[pair.second]) else { continue };
        let (first, second) = if (pair.difference.mean < 0.0) == higher_is_better { (b, a) } else { (a, b) };
        better[second] += 1;
        worse[first] += 1;
        apart.push((a.min(b), a.max(b)));
    }
    apart.sort_unstable();
    let groups = letters(n, &apart);
    order
        .iter()
        .enumerate()
        .map(|(i, &(item, _))| Ranked { item, best: 1 + better[i], worst: n - worse[i], groups: groups[i].clone() })
        .collect()
}

/// Letters of each of `n` places, such that two places share one unless they are `apart`: insert and absorb.
fn letters(n: usize, apart: &[(usize, usize)]) -> Vec<String> {
    let mut groups: Vec<Vec<usize>> = vec![(0..n).collect()];
    for &(a, b) in apart {
        let (both, mut kept): (Vec<_>, Vec<_>) = groups.into_iter().partition(|g| g.contains(&a) && g.contains(&b));
        for group in both {
            for out in [b, a] {
                let smaller: Vec<usize> = group.iter().copied().filter(|&x| x != out).collect();
                if !kept.iter().any(|g| smaller.iter().all(|x| g.contains(x))) {
                    kept.retain(|g| !g.iter().all(|x| smaller.contains(x)));
                    kept.push(smaller);
                }
            }
        }
        groups = kept;
    }
    groups.sort();
    let mut of = vec![String::new(); n];
    for (i, group) in groups.iter().enumerate() {
        let letter = char::from(b'a' + (i % 26) as u8);
        // Beyond 26 groups a letter gets marks behind it.
        let marks = "′".repeat(i / 26);
        group.iter().for_each(|&place| of[place].push_str(&format!("{letter}{marks}")));
    }
    of
}

/// Where a series settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// There are too few steps to say: fewer than ten batches of five.
    TooShort,
    /// This many steps are best left out.
    After(usize),
    /// Leaving out half of it is still not enough: it drifts.
    Never,
}

/// How much of the beginning of a series is best left out, by MSER-5: the cut that makes the standard error of the
/// mean of what is left smallest, over means of five steps each (White, "An Effective Truncation Heuristic for Bias
/// Reduction in Simulation Output", 1997). As there, a cut in the second half counts as not found.
pub fn mser5(series: &[f64]) -> Settled {
    const BATCH: usize = 5;
    let batches: Vec<f64> = series.chunks_exact(BATCH).map(|c| c.iter().sum::<f64>() / BATCH as f64).collect();
    let n = batches.len();
    if n < 10 {
        return Settled::TooShort;
    }
    let (mut best, mut cut) = (f64::INFINITY, 0);
    // From the end, so that every tail is summed once; the last few batches say nothing about spread.
    let (mut sum, mut squares) = (0.0, 0.0);
    let shift = batches[n - 1];
    for d in (0..n).rev() {
        let x = batches[d] - shift;
        (sum, squares) = (sum + x, squares + x * x);
        let left = (n - d) as f64;
        let statistic = (squares - sum * sum / left).max(0.0) / (left * left);
        if n - d >= BATCH && statistic <= best {
            (best, cut) = (statistic, d);
        }
    }
    if cut > n / 2 { Settled::Never } else { Settled::After(cut * BATCH) }
}
