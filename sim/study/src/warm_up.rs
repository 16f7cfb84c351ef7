//! Whether warm-up lasted long enough: what MSER-5 says of each cell, and what queueing theory says of its load.

use crate::cell::Cell;
use crate::plan::Kind;
use crate::results::Results;
use crate::sample::Sample;
use crate::stats::{Estimate, Settled, mser5};
use base::Duration;

/// What MSER-5 says of the chosen warm-up. Cells are zero-based places in [`Plan::cells`](crate::Plan::cells).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WarmUp {
    /// Number of cells whose series was looked at.
    pub checked: usize,
    /// Number of cells whose series was too short, or cut off by a fault too early.
    pub too_short: usize,
    /// Number of cells that settled after warm-up or not at all, but in which the first half of the measured part
    /// cannot be told from the second.
    pub harmless: usize,
    /// Cells that settled after warm-up or not at all, and in which the two halves can be told apart; with the seconds
    /// after which a cell settled, where it did.
    pub late: Vec<(usize, Option<f64>)>,
}

impl WarmUp {
    /// Checks every cell that has a sample; nothing of a study of hashing. `alpha` is one minus the confidence.
    pub fn of(results: &Results, alpha: f64) -> WarmUp {
        let plan = &results.plan;
        let mut found = WarmUp::default();
        if plan.kind == Kind::Hashing {
            return found;
        }
        for (cell, of) in plan.cells.iter().enumerate() {
            let samples: Vec<&Sample> = results.of(cell).map(|(_, sample)| sample).collect();
            let Some(first) = samples.first() else { continue };
            let step = first.series.step_ns as f64 / 1e9;
            let warm = (of.phases.warmup.as_secs_f64() / step).ceil() as usize;
            found.checked += 1;
            let after = match mser5(&mean_latency(&samples)) {
                Settled::TooShort => {
                    found.too_short += 1;
                    continue;
                }
                Settled::After(steps) if steps <= warm => continue,
                Settled::After(steps) => Some(steps as f64 * step),
                Settled::Never => None,
            };
            // At a fiftieth of the level, corrected for the number of cells: one study in a thousand is warned wrongly.
            let level = alpha / 50.0 / plan.cells.len() as f64;
            if moves(&samples, warm, level) {
                found.late.push((cell, after));
            } else {
                found.harmless += 1;
            }
        }
        found
    }
}

/// Whether the first half of the measured part of a cell differs from the second, seed by seed, at this level; with a
/// single seed, by more than a tenth. `warm` is the number of steps of warm-up.
fn moves(samples: &[&Sample], warm: usize, level: f64) -> bool {
    let halves = |sample: &Sample| {
        let series = mean_latency(&[sample]);
        let measured = &series[warm.min(series.len())..];
        let (first, second) = measured.split_at(measured.len() / 2);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        (mean(first), mean(second))
    };
    let halves: Vec<(f64, f64)> = samples.iter().map(|sample| halves(sample)).collect();
    let Some(difference) = Estimate::of(halves.iter().map(|(a, b)| a - b)) else { return false };
    let noise = difference.half_width(level).unwrap_or(halves[0].1 * 0.1);
    difference.mean.abs() > noise
}

/// The highest load at which a queue that stands alone takes longer to settle than warm-up lasts, with the seconds it
/// takes and the warm-up.
///
/// The time is (1 − √ρ)⁻² services, the relaxation time of M/M/1. A load of 1 or more never settles by itself.
pub(crate) fn slow_to_settle(results: &Results) -> Option<(f64, f64, Duration)> {
    let cells = results.plan.cells.iter().enumerate().filter(|(place, _)| results.of(*place).next().is_some());
    let time = |(_, cell): (usize, &Cell)| {
        let (rho, service) = (cell.utilization.filter(|rho| *rho < 1.0)?, cell.service_ms? / 1e3);
        let gap = 1.0 - rho.sqrt();
        Some((rho, service / (gap * gap), cell.phases.warmup))
    };
    let late = cells.filter_map(time).filter(|(_, seconds, warm_up)| *seconds > warm_up.as_secs_f64());
    late.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Mean latency in nanoseconds per step, averaged over seeds, up to the first fault. A step in which no request ended
/// repeats the step before.
fn mean_latency(samples: &[&Sample]) -> Vec<f64> {
    let until = samples.iter().map(|sample| before_faults(sample)).min().unwrap_or(0);
    let mut last = 0.0;
    (0..until)
        .map(|step| {
            let seen = samples.iter().map(|sample| sample.series.mean_ns[step]).filter(|&ns| ns > 0);
            let (sum, n) = seen.fold((0.0, 0u32), |(sum, n), ns| (sum + ns as f64, n + 1));
            if n > 0 {
                last = sum / f64::from(n);
            }
            last
        })
        .collect()
}

/// Number of steps before the first fault.
fn before_faults(sample: &Sample) -> usize {
    let step = sample.series.step_ns.max(1);
    let fault = sample.faults.iter().map(|fault| (fault.from_ns / step) as usize).min();
    fault.unwrap_or(usize::MAX).min(sample.series.mean_ns.len())
}
