//! The latencies of all seeds of a cell as one distribution, and how far it can be trusted.
//!
//! A percentile of one run is biased where few requests lie beyond it, and the mean over runs of biased percentiles
//! stays biased however many runs there are. So the runs' distributions are added up, and the percentile is taken of
//! the sum.
//!
//! Its interval is Woodruff's ("Confidence Intervals for Medians and Other Position Measures", 1952): the share of
//! requests beyond the percentile has a standard error, taken from how that share varies between seeds, and the two
//! shares at its ends are carried back through the pooled distribution. Requests within a run depend on one another as
//! they please; only runs must be independent. The interval is asymmetric where the distribution is, and cannot leave
//! what was measured. A jackknife over seeds of the percentile itself was tried and does worse: beside a gap of the
//! distribution, such as that before the slower of two service times, it holds the truth in 64 of 100 cases where this
//! one does in 95.
//!
//! Of n requests that queue behind one another fewer count: n over the *design effect*, which is how much more the
//! number of those beyond a percentile varies than it would if they were independent. It is taken between seeds at the
//! percentile itself, between seeds of the sums of latency, and between seeds of the same stretches of time (4, 8 and
//! 16 of a run), and the largest counts: the first alone is a variance of few numbers, and too small exactly where a
//! tail happened to be missed.

use crate::sample::Latencies;
use crate::stats::{Estimate, Values, student_critical, variance};
use base::math::exp;

/// A mean follows the slowest of the requests: as far as degrees of freedom go, it rests on one in fifteen of the
/// effective ones, as a percentile rests on those beyond it. Chosen by the same table of coverage as the constant of
/// [`Estimate::resting_on`].
const MEAN_RESTS_ON: f64 = 1.0 / 15.0;

/// Numbers of equal stretches of time that runs are cut into.
const STRETCHES: [usize; 3] = [4, 8, 16];

/// A span of latencies in nanoseconds, the number of requests in it, and the number before it. Both ends are equal for
/// a value that occurs again and again.
#[derive(Clone, Copy)]
struct Piece {
    from: f64,
    up_to: f64,
    count: f64,
    before: f64,
}

/// The distribution of one seed or of all, by rising latency.
struct Distribution {
    pieces: Vec<Piece>,
    count: f64,
}

/// The latencies of all seeds of a cell as one distribution.
pub struct Pool {
    places: Vec<usize>,
    seeds: Vec<Distribution>,
    all: Distribution,
    range: (f64, f64),
    /// Number of requests and sum of their latencies in nanoseconds, per seed.
    sums: Vec<(f64, f64)>,
    /// Design effects of the sums, between seeds and between stretches of time.
    of_sums: f64,
    of_stretches: f64,
    alpha: f64,
}

impl Distribution {
    fn of(mut pieces: Vec<Piece>) -> Distribution {
        pieces.sort_by(|a, b| (a.from, a.up_to).partial_cmp(&(b.from, b.up_to)).expect("finite spans"));
        let mut count = 0.0;
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match merged.last_mut() {
                Some(last) if (last.from, last.up_to) == (piece.from, piece.up_to) => last.count += piece.count,
                _ => merged.push(Piece { before: 0.0, ..piece }),
            }
        }
        for piece in &mut merged {
            piece.before = count;
            count += piece.count;
        }
        Distribution { pieces: merged, count }
    }

    /// Number of requests that took at most `x` nanoseconds.
    fn up_to(&self, x: f64) -> f64 {
        let after = self.pieces.partition_point(|p| p.up_to <= x);
        let Some(piece) = self.pieces.get(after) else { return self.count };
        if piece.from >= x {
            return piece.before;
        }
        piece.before + piece.count * (x - piece.from) / (piece.up_to - piece.from)
    }

    /// The latency in nanoseconds that a share `p` of the requests does not exceed.
    fn quantile(&self, p: f64) -> f64 {
        let wanted = (p * self.count).max(f64::MIN_POSITIVE);
        let at = self.pieces.partition_point(|piece| piece.before + piece.count < wanted);
        let Some(piece) = self.pieces.get(at).or(self.pieces.last()) else { return 0.0 };
        let part = ((wanted - piece.before) / piece.count).clamp(0.0, 1.0);
        piece.from + (piece.up_to - piece.from) * part
    }
}

/// The pieces of a seed, each bin cut at every value in `cuts`, which rise: so the bins of all seeds touch the same
/// values.
fn pieces(latencies: &Latencies, cuts: &[f64]) -> Vec<Piece> {
    let mut out = Vec::new();
    for (low, high, count) in latencies.bins() {
        let (low, high, count) = (low as f64, high as f64 + 1.0, count as f64);
        let mut from = low;
        let inside = cuts.iter().skip(cuts.partition_point(|x| *x <= low)).take_while(|x| **x < high);
        for up_to in inside.copied().chain([high]) {
            out.push(Piece { from, up_to, count: count * (up_to - from) / (high - low), before: 0.0 });
            from = up_to;
        }
    }
    let atom =
        |&(ns, count): &(u64, u64)| Piece { from: ns as f64, up_to: ns as f64, count: count as f64, before: 0.0 };
    out.extend(latencies.atoms.iter().map(atom));
    out
}

impl Pool {
    /// Pools the latencies of these runs, each with the place of its seed; none where nothing ended. `alpha` is one
    /// minus the confidence of intervals. O(b log b) for b used bins of all runs together.
    pub fn of<'a>(runs: impl Iterator<Item = (usize, &'a Latencies)>, alpha: f64) -> Option<Pool> {
        let runs: Vec<(usize, &Latencies)> = runs.filter(|(_, run)| run.count() > 0).collect();
        let (_, first) = runs.first()?;
        let mut range = (first.min_ns as f64, first.max_ns as f64);
        let mut cuts = Vec::new();
        for (_, run) in &runs {
            range = (range.0.min(run.min_ns as f64), range.1.max(run.max_ns as f64));
            cuts.extend(run.atoms.iter().map(|(ns, _)| *ns as f64));
        }
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        let each: Vec<Vec<Piece>> = runs.iter().map(|(_, run)| pieces(run, &cuts)).collect();
        let all = Distribution::of(each.iter().flatten().copied().collect());
        let sums: Vec<(f64, f64)> = runs.iter().map(|(_, run)| (run.count() as f64, run.sum_ns as f64)).collect();
        let (count, sum) = sums.iter().fold((0.0, 0.0), |(n, t), (a, b)| (n + a, t + b));
        let mean = sum / count;
        let spread = |p: &Piece| p.count * (((p.from + p.up_to) / 2.0 - mean) * ((p.from + p.up_to) / 2.0 - mean));
        // What the sum over a run would vary by if its requests were independent.
        let alone = all.pieces.iter().map(spread).sum::<f64>() / count * (count / sums.len() as f64);
        let between: Vec<f64> = sums.iter().map(|(n, total)| total - mean * n).collect();
        let in_units = |v: f64| if alone > 0.0 { v / alone } else { 0.0 };
        let of_stretches = STRETCHES.map(|n| stretches(&runs, n, mean)).into_iter().fold(0.0, f64::max);
        Some(Pool {
            places: runs.iter().map(|(place, _)| *place).collect(),
            seeds: each.into_iter().map(Distribution::of).collect(),
            all,
            range,
            of_sums: in_units(variance(&between)),
            of_stretches: in_units(of_stretches),
            sums,
            alpha,
        })
    }

    /// The shortest latency and the longest, in milliseconds.
    pub fn range(&self) -> (f64, f64) {
        (self.range.0 / 1e6, self.range.1 / 1e6)
    }

    /// The latency in milliseconds that a share `p` of all requests does not exceed, `0 < p < 1`, and what each seed
    /// contributes to it: numbers whose mean is the estimate and whose spread is that of its error.
    pub fn quantile(&self, p: f64) -> (Estimate, Values) {
        let n = self.seeds.len();
        let at = |p: f64| {
            let inside = p > 0.0 && p < 1.0;
            let end = if p <= 0.0 { self.range.0 } else { self.range.1 };
            if inside { self.all.quantile(p).clamp(self.range.0, self.range.1) / 1e6 } else { end / 1e6 }
        };
        let value = at(p);
        let beyond = |d: &Distribution| p * d.count - d.up_to(value * 1e6);
        let errors: Vec<f64> = self.seeds.iter().map(beyond).collect();
        let v = variance(&errors);
        let per_seed = self.all.count / n as f64;
        let own = v / (per_seed * p * (1.0 - p));
        let effective = self.all.count * p.min(1.0 - p) / own.max(self.of_sums).max(self.of_stretches).max(1.0);
        let estimate = Estimate::of(vec![value; n]).expect("a pool has a seed").resting_on(effective);
        if n < 2 {
            return (Estimate { sd: None, ..estimate }, vec![(self.places[0], value)].into());
        }
        let half = student_critical(self.alpha, estimate.df) * (v / n as f64).sqrt() / per_seed;
        let (low, high) = (at(p - half), at(p + half));
        // The distribution's slope between the two ends carries shares into latencies.
        let width = (p + half).min(1.0) - (p - half).max(0.0);
        let slope = if width > 0.0 { (high - low) / width } else { 0.0 };
        let mean = errors.iter().sum::<f64>() / n as f64;
        let by_seed = errors.iter().zip(&self.places).map(|(e, place)| (*place, value + (e - mean) / per_seed * slope));
        let values = Values { by_seed: by_seed.collect(), effective: Some(effective) };
        let sd = Some(variance(&values.by_seed.iter().map(|(_, x)| *x).collect::<Vec<_>>()).sqrt());
        (Estimate { sd, bounds: Some((low, high)), ..estimate }, values)
    }

    /// The mean latency in milliseconds of all requests, the sum over their number, and each seed's contribution.
    ///
    /// Weighted by requests, and not a mean of means: a run with more requests is one in which they queued longer, so
    /// runs that count alike would count slow requests too little. The interval is symmetric in the logarithm.
    pub fn mean(&self) -> (Estimate, Values) {
        let n = self.seeds.len();
        let (count, sum) = self.sums.iter().fold((0.0, 0.0), |(n, t), (a, b)| (n + a, t + b));
        let (mean, per_seed) = (sum / count, count / n as f64);
        let effective = count * MEAN_RESTS_ON / self.of_sums.max(self.of_stretches).max(1.0);
        let part = |((requests, total), place): (&(f64, f64), &usize)| {
            (*place, (mean + (total - mean * requests) / per_seed) / 1e6)
        };
        let values =
            Values { by_seed: self.sums.iter().zip(&self.places).map(part).collect(), effective: Some(effective) };
        let of_seeds: Vec<f64> = values.by_seed.iter().map(|(_, x)| *x).collect();
        let estimate = Estimate::of(of_seeds).expect("a pool has a seed");
        let estimate = Estimate { mean: mean / 1e6, ..estimate }.resting_on(effective);
        let half = estimate.half_width(self.alpha).filter(|_| mean > 0.0);
        let bounds = half.map(|half| {
            let factor = exp(half / estimate.mean);
            let (low, high) = (estimate.mean / factor, estimate.mean * factor);
            (low.max(self.range.0 / 1e6), high.min(self.range.1 / 1e6))
        });
        (Estimate { bounds, ..estimate }, values)
    }

    /// Shares at which a curve of the distribution has points: even steps in the middle, and nine points per decade of
    /// the tail that has requests to show.
    pub fn shares(&self) -> Vec<f64> {
        let mut shares: Vec<f64> = (1..20).map(|i| f64::from(i) * 0.05).collect();
        let mut decade = 0.01;
        while decade * self.all.count >= 1.0 && decade > 1e-9 {
            let beyond = (1..=9).rev().map(|k| decade * f64::from(k)).filter(|&tail| tail < 0.05);
            shares.extend(beyond.map(|tail| 1.0 - tail));
            decade /= 10.0;
        }
        shares
    }
}

/// The variance of a run's sum if its `n` stretches of equal length were independent: the variances between seeds of
/// each stretch, added up. A stretch is compared with the same stretch of other seeds, so that a fault in it, which all
/// seeds have, is no variance.
fn stretches(runs: &[(usize, &Latencies)], n: usize, mean: f64) -> f64 {
    let steps = runs.iter().map(|(_, run)| run.per_step.len()).min().unwrap_or(0);
    if steps < n {
        return 0.0;
    }
    (0..n)
        .map(|i| {
            let of = |run: &Latencies| {
                let part = &run.per_step[steps * i / n..steps * (i + 1) / n];
                part.iter().map(|(count, sum)| *sum as f64 - mean * *count as f64).sum::<f64>()
            };
            variance(&runs.iter().map(|(_, run)| of(run)).collect::<Vec<_>>())
        })
        .sum()
}
