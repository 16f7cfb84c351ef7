//! The estimates of a cell from all of its runs: pooled for latencies, averaged for everything else.
//!
//! | measures | over runs | because |
//! | --- | --- | --- |
//! | percentiles | of all requests together | a percentile of few requests is biased, and averaging keeps the bias |
//! | mean latency | of all requests together | a run with more requests is one in which they waited longer |
//! | shares of calls, numbers per call | weighted by calls | they are ratios of sums over runs |
//! | everything else | every run counts alike | they are averages over time, and runs are equally long |

use crate::measure::{Measure, Unit};
use crate::pool::Pool;
use crate::results::Results;
use crate::stats::{Estimate, Values, weighted};
use std::collections::BTreeMap;

/// The measures of a cell, each with what the seeds contribute to it: numbers with the mean of the estimate, by which
/// cells are compared seed by seed.
pub(crate) type Found = BTreeMap<Measure, (Estimate, Values)>;

/// The `wanted` measures of a cell, as far as its runs have them. `alpha` is one minus the confidence of intervals.
pub(crate) fn of(results: &Results, cell: usize, wanted: &[Measure], alpha: f64) -> Found {
    let pool = Pool::of(results.latencies(cell), alpha);
    let mut found = Found::new();
    for measure in wanted {
        let pooled = match (&pool, measure, measure.percentile()) {
            (Some(pool), _, Some(p)) => Some(pool.quantile(p)),
            (Some(pool), Measure::Mean, _) => Some(pool.mean()),
            _ => averaged(results, cell, measure, alpha),
        };
        if let Some(one) = pooled {
            found.insert(measure.clone(), one);
        }
    }
    found
}

/// The mean over runs, weighted by calls where the measure is per call.
fn averaged(results: &Results, cell: usize, measure: &Measure, alpha: f64) -> Option<(Estimate, Values)> {
    let by_seed = results.values(cell, measure);
    let calls = |place: usize| results.samples.get(&(cell, place)).map_or(0.0, |s| s.count as f64);
    let weights: Vec<f64> = match measure.is_per_call() {
        true => by_seed.iter().map(|(place, _)| calls(*place)).collect(),
        false => vec![1.0; by_seed.len()],
    };
    let by_seed = weighted(by_seed, &weights);
    let estimate = Estimate::of(by_seed.iter().map(|(_, x)| *x))?;
    // No measure is negative, and a share is at most all.
    let most = if measure.unit() == Unit::Share { 1.0 } else { f64::INFINITY };
    Some((estimate.within(0.0, most, alpha), by_seed.into()))
}
