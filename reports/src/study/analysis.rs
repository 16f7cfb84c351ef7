//! From samples to what can be said: estimates of every cell, rankings within every combination, and warnings.
//!
//! Console, page, JSON and CSV all read from here, so that they never disagree.

use super::estimates::{self, Found};
use super::stats::{self, Estimate, Pair, Ranked, Settled, Values};
use super::{Cell, Kind, Measure, Plan, Results, Sample, Swamped};
use crate::number::{count, counted, percent};
use base::Duration;
use std::collections::BTreeMap;

/// Below so many effective requests an interval is not trusted: the table of coverage has shares of 92 % and more above
/// it.
const FEW: f64 = 5.0;

/// What was found.
pub(crate) struct Analysis<'a> {
    pub(crate) results: &'a Results,
    /// One minus the confidence.
    pub(crate) alpha: f64,
    /// Everything that is in tables and files, what is compared first.
    pub(crate) measures: Vec<Measure>,
    /// The points of the axes that are not compared, in order of cells; a single one without a point for a study that
    /// compares nothing.
    pub(crate) combinations: Vec<Combination>,
    /// What a reader must know before trusting a number.
    pub(crate) warnings: Vec<String>,
    /// What the check of the warm-up found.
    pub(crate) warm_up: WarmUp,
    /// Every measure of every cell.
    found: Vec<Found>,
}

/// The compared things under one combination of everything else.
pub(crate) struct Combination {
    /// The other axes' points, as a person reads them: `load 90%, fleet 100`; empty when there are none.
    pub(crate) label: String,
    /// The cell of each compared point.
    pub(crate) cells: Vec<Option<usize>>,
    /// One for each compared measure.
    pub(crate) tables: Vec<Compared>,
}

/// One measure under one combination.
pub(crate) struct Compared {
    pub(crate) measure: Measure,
    pub(crate) estimates: Vec<Option<Estimate>>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) ranking: Vec<Ranked>,
}

/// What MSER-5 says of the chosen warm-up.
#[derive(Default)]
pub(crate) struct WarmUp {
    /// Cells whose series were looked at.
    pub(crate) checked: usize,
    /// Cells whose series was too short, or cut off by a fault too early.
    pub(crate) too_short: usize,
    /// Cells that settled later than warm-up ended, or not at all, but in which the first half of what is measured
    /// cannot be told from the second.
    pub(crate) harmless: usize,
    /// Those in which it can, with the seconds it took where they settled.
    pub(crate) late: Vec<(usize, Option<f64>)>,
}

impl<'a> Analysis<'a> {
    pub(crate) fn of(results: &'a Results) -> Analysis<'a> {
        let alpha = 1.0 - results.plan.confidence;
        let mut analysis = Analysis {
            results,
            alpha,
            measures: measures(&results.plan),
            combinations: Vec::new(),
            warnings: Vec::new(),
            warm_up: WarmUp::default(),
            found: Vec::new(),
        };
        let mut wanted = analysis.measures.clone();
        wanted.extend([Measure::Errors, Measure::MovedIdeal, Measure::AddedIdeal]);
        let cells = 0..results.plan.cells.len();
        analysis.found = cells.map(|cell| estimates::of(results, cell, &wanted, alpha)).collect();
        analysis.combinations = combinations(&analysis);
        analysis.warm_up = analysis.warm_up();
        analysis.warnings = analysis.warnings();
        analysis
    }

    pub(crate) fn plan(&self) -> &'a Plan {
        &self.results.plan
    }

    /// One measure of a cell over its seeds.
    pub(crate) fn estimate(&self, cell: usize, measure: &Measure) -> Option<Estimate> {
        self.found[cell].get(measure).map(|(estimate, _)| *estimate)
    }

    /// The compared points by name; a single nameless one in a study that compares nothing.
    pub(crate) fn points(&self) -> &'a [String] {
        match &self.plan().comparison {
            Some(c) => &self.plan().axes[c.axis].labels,
            None => &[],
        }
    }

    /// The cells that were not run because their load is too high.
    pub(crate) fn unstable(&self) -> impl Iterator<Item = (usize, &'a Cell, f64)> {
        self.plan().cells.iter().enumerate().filter_map(|(i, c)| Some((i, c, c.unstable?)))
    }

    /// How many runs the plan asks for.
    pub(crate) fn runs(&self) -> usize {
        let plan = self.plan();
        plan.cells.iter().filter(|c| c.unstable.is_none()).count() * plan.seeds.len()
    }

    fn warm_up(&self) -> WarmUp {
        let mut found = WarmUp::default();
        if self.plan().kind == Kind::Hashing {
            return found;
        }
        for cell in 0..self.plan().cells.len() {
            let samples: Vec<&Sample> = self.results.of(cell).map(|(_, s)| s).collect();
            let Some(first) = samples.first() else { continue };
            let series = mean_latency(&samples);
            let step = first.series.step_ns as f64 / 1e9;
            let warm = (self.plan().cells[cell].phases.warmup.as_secs_f64() / step).ceil() as usize;
            found.checked += 1;
            match stats::mser5(&series) {
                Settled::TooShort => found.too_short += 1,
                Settled::After(steps) if steps <= warm => {}
                late => {
                    if self.moves(cell, &samples, warm) {
                        let after = match late {
                            Settled::After(steps) => Some(steps as f64 * step),
                            _ => None,
                        };
                        found.late.push((cell, after));
                    } else {
                        found.harmless += 1;
                    }
                }
            }
        }
        found
    }

    /// Whether the first half of what is measured of a cell differs from the second, seed by seed, at a fiftieth of the
    /// level, corrected for the number of cells: one study in a thousand is warned wrongly. With a single seed: by more
    /// than a tenth.
    fn moves(&self, cell: usize, samples: &[&Sample], warm: usize) -> bool {
        let halves = |s: &Sample| {
            let series = mean_latency(&[s]);
            let measured = &series[warm.min(series.len())..];
            let (first, second) = measured.split_at(measured.len() / 2);
            let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
            (mean(first), mean(second))
        };
        let halves: Vec<(f64, f64)> = samples.iter().map(|s| halves(s)).collect();
        let Some(difference) = Estimate::of(halves.iter().map(|(a, b)| a - b)) else { return false };
        let cells = self.plan().cells.len().max(cell + 1) as f64;
        let noise = difference.half_width(self.alpha / 50.0 / cells).unwrap_or(halves[0].1 * 0.1);
        difference.mean.abs() > noise
    }

    /// The load at which a queue that stands alone takes longer to settle than warm-up lasts, the highest, with the
    /// seconds it takes and the warm-up: (1 − √ρ)⁻² services, the relaxation time of M/M/1. A load of 1 or more never
    /// settles by itself.
    pub(crate) fn slow_to_settle(&self) -> Option<(f64, f64, Duration)> {
        let run = (0..self.plan().cells.len()).filter(|&c| self.results.of(c).next().is_some());
        let cells = run.map(|c| &self.plan().cells[c]);
        let time = |cell: &Cell| {
            let (rho, service) = (cell.utilization.filter(|rho| *rho < 1.0)?, cell.service_ms? / 1e3);
            let gap = 1.0 - rho.sqrt();
            Some((rho, service / (gap * gap), cell.phases.warmup))
        };
        let late = cells.filter_map(time).filter(|(_, seconds, warmup)| *seconds > warmup.as_secs_f64());
        late.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn warnings(&self) -> Vec<String> {
        let plan = self.plan();
        let mut said = Vec::new();
        let missing = self.runs().saturating_sub(self.results.samples.len());
        if missing > 0 {
            said.push(format!(
                "{} of {} missing: the study was cut short, or other shards have them",
                counted(missing as u64, "run", "runs"),
                count(self.runs() as u64)
            ));
        }
        if plan.seeds.len() < 2 {
            said.push("one seed is one sample: there are no intervals, and nothing can be told apart".into());
        }
        let mut broken: BTreeMap<&str, usize> = BTreeMap::new();
        for sample in self.results.samples.values().filter(|s| matches!(s.verdict.as_str(), "safety" | "liveness")) {
            *broken.entry(&sample.verdict).or_default() += 1;
        }
        for (verdict, runs) in broken {
            said.push(format!(
                "{} ended in `{verdict}`: something was broken there, and its numbers are those of a broken run",
                counted(runs as u64, "run", "runs")
            ));
        }
        if let Some((cell, _)) = self.warm_up.late.first() {
            said.push(format!(
                "the warm-up of {} looks too short in {} of {} cells ({}{}): latency was still moving when measuring began",
                crate::number::span(plan.cells[*cell].phases.warmup),
                self.warm_up.late.len(),
                count(self.warm_up.checked as u64),
                self.cell_label(*cell),
                if self.warm_up.late.len() > 1 { " and others" } else { "" }
            ));
        }
        if let Some((rho, seconds, warmup)) = self.slow_to_settle() {
            said.push(format!(
                "at a load of {} a queue that stands alone settles with a time constant of {} s, (1 − √ρ)⁻² services, and the \
                 warm-up is {}: means there are too low where work is not shared among instances",
                percent(rho, 0),
                crate::number::decimal(seconds, usize::from(seconds < 10.0)),
                crate::number::span(warmup),
            ));
        }
        self.swamped(&mut said);
        self.unfinished(&mut said);
        self.few_requests(&mut said);
        self.failures(&mut said);
        said
    }

    /// Whether too few independent requests decide a measure of a cell for its interval to be trusted.
    pub(crate) fn is_weak(&self, estimate: &Estimate) -> bool {
        // A value that occurs again and again, on which both ends of the interval lie, is not in doubt.
        let is_atom = estimate.bounds.is_some_and(|(low, high)| low == high);
        estimate.effective.is_some_and(|n| n < FEW) && estimate.n > 1 && !is_atom
    }

    /// Far percentiles of short runs.
    fn few_requests(&self, said: &mut Vec<String>) {
        for measure in &self.measures {
            let cells = (0..self.plan().cells.len()).filter_map(|c| Some((c, self.estimate(c, measure)?)));
            let weak: Vec<(usize, Estimate)> = cells.filter(|(_, e)| self.is_weak(e)).collect();
            let least = |(_, e): &(usize, Estimate)| e.effective.unwrap_or(f64::INFINITY);
            let Some((cell, worst)) = weak.iter().min_by(|a, b| least(a).total_cmp(&least(b))) else { continue };
            let effective = worst.effective.unwrap_or(0.0);
            let decide = match measure.percentile() {
                Some(p) if p > 0.5 => "beyond it",
                Some(_) => "on either side of it",
                None => "that decide it",
            };
            said.push(format!(
                "in {} {measure} rests on fewer than {} independent requests {decide} (about {} in {}; requests that queue \
                 behind one another count as fewer): its interval may miss, run longer or under more seeds",
                counted(weak.len() as u64, "cell", "cells"),
                count(FEW as u64),
                crate::number::decimal(effective, 1),
                self.cell_label(*cell),
            ));
        }
    }

    /// Cells in which the queue of some instance grew as long as one looked, by their samples: the growth from the
    /// first half of what is measured to the second, over seeds, is more than four times what a queue at a load of
    /// exactly 100 % would wander by, which is √(requests / 3).
    pub(crate) fn growing(&self) -> Vec<(usize, String)> {
        let of = |cell: usize| {
            let (mut growth, mut taken, mut worst) = (0.0, 0.0, None::<&Swamped>);
            for (_, sample) in self.results.of(cell) {
                let by = |s: &&Swamped| s.second - s.first;
                let Some(most) = sample.swamped.iter().max_by(|a, b| by(a).total_cmp(&by(b))) else { continue };
                growth += by(&most);
                taken += most.taken as f64;
                worst = worst.filter(|w| by(w) >= by(&most)).or(Some(most));
            }
            let grows = growth > 4.0 * (taken / 3.0).sqrt();
            worst.filter(|_| grows).map(|s| (cell, s.instance.clone()))
        };
        (0..self.plan().cells.len()).filter_map(of).collect()
    }

    fn swamped(&self, said: &mut Vec<String>) {
        let growing = self.growing();
        let Some((cell, instance)) = growing.first() else { return };
        said.push(format!(
            "in {} the queue of an instance grew for as long as it was measured ({instance} in {}{}): the numbers there say how \
             long that was, not how the system is",
            counted(growing.len() as u64, "cell", "cells"),
            self.cell_label(*cell),
            if growing.len() > 1 { ", and others" } else { "" }
        ));
    }

    /// What has not ended would have taken longer than it did.
    fn unfinished(&self, said: &mut Vec<String>) {
        let of = |cell: usize| self.results.of(cell).map(|(_, s)| s.unfinished).sum::<u64>();
        let open: Vec<(usize, u64)> =
            (0..self.plan().cells.len()).map(|c| (c, of(c))).filter(|(_, n)| *n > 0).collect();
        let Some((cell, most)) = open.iter().max_by_key(|(_, n)| *n) else { return };
        said.push(format!(
            "in {} requests had not ended when the run had (most, {} of all seeds, in {}): they count as errors, and in \
             latency with their age, so means and far percentiles are lower bounds",
            counted(open.len() as u64, "cell", "cells"),
            count(*most),
            self.cell_label(*cell)
        ));
    }

    /// Where many fail, latency flatters those who fail fast.
    fn failures(&self, said: &mut Vec<String>) {
        let failing = (0..self.plan().cells.len())
            .filter(|&c| self.estimate(c, &Measure::Errors).is_some_and(|e| e.mean > 0.01))
            .count();
        if failing > 0 {
            said.push(format!(
                "in {} more than 1 % of the requests failed; failures count in latency with the time they took",
                counted(failing as u64, "cell", "cells")
            ));
        }
    }

    /// A cell as a person reads it: `load 90%, strategy p2c`.
    pub(crate) fn cell_label(&self, cell: usize) -> String {
        let plan = self.plan();
        let at = plan.cells[cell].at.iter();
        join(plan.axes.iter().zip(at).map(|(axis, &point)| (axis.name.as_str(), axis.labels[point].as_str())))
    }

    /// Why a combination has no result.
    pub(crate) fn why_nothing(&self, combination: &Combination) -> String {
        let cells = combination.cells.iter().flatten();
        match cells.filter_map(|&c| self.plan().cells[c].unstable).reduce(f64::max) {
            Some(rho) => format!("unstable, not run: the load is {}", percent(rho, 0)),
            None => "no result".into(),
        }
    }

    /// The unstable cells by name, whole combinations in one.
    pub(crate) fn unstable_in_words(&self) -> Vec<String> {
        let mut named = Vec::new();
        for combination in &self.combinations {
            let all = combination.cells.iter().flatten().copied();
            let here: Vec<usize> = all.filter(|&c| self.plan().cells[c].unstable.is_some()).collect();
            if here.len() > 1 && here.len() == combination.cells.len() {
                named.push(format!("all at {}", combination.label));
            } else {
                named.extend(here.iter().map(|&c| self.cell_label(c)));
            }
        }
        named
    }

    /// The combination in which differences are largest to see: that of the highest load that is stable for all, the
    /// last one otherwise.
    pub(crate) fn hardest(&self) -> usize {
        let load = |c: &Combination| {
            let cells = c.cells.iter().flatten().map(|&i| &self.plan().cells[i]);
            let run = cells.filter(|c| c.unstable.is_none());
            run.map(|c| c.utilization.unwrap_or(0.0)).fold(f64::NEG_INFINITY, f64::max)
        };
        let all_run = |c: &Combination| c.cells.iter().flatten().all(|&i| self.plan().cells[i].unstable.is_none());
        let rank = |c: &Combination| (all_run(c), load(c));
        let mut best = 0;
        for (i, c) in self.combinations.iter().enumerate() {
            if rank(c) >= rank(&self.combinations[best]) {
                best = i;
            }
        }
        best
    }
}

/// `load 90%, fleet 100`.
fn join<'a>(points: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    points.map(|(axis, point)| format!("{axis} {point}")).collect::<Vec<_>>().join(", ")
}

/// What is compared, what is drawn and what is asked for besides, each once.
fn measures(plan: &Plan) -> Vec<Measure> {
    use Measure::*;
    let usual = match plan.kind {
        Kind::World => vec![Mean, P50, P99, P999, Goodput, Errors, Utilisation, Imbalance, WorstInFlight],
        Kind::Hashing => vec![Balance, RelStd, Moved, MovedIdeal, Entries, Bytes],
    };
    let asked = if plan.measures.is_empty() { &usual } else { &plan.measures };
    let compared = plan.comparison.iter().flat_map(|c| c.measures.iter());
    let drawn = plan.plots.iter().filter_map(|p| p.measure.as_ref());
    let mut all: Vec<Measure> = Vec::new();
    for measure in compared.chain(drawn).chain(asked) {
        if !all.contains(measure) {
            all.push(measure.clone());
        }
    }
    all
}

fn combinations(analysis: &Analysis<'_>) -> Vec<Combination> {
    let plan = analysis.plan();
    let compared = plan.comparison.as_ref().map(|c| c.axis);
    let points = compared.map_or(1, |axis| plan.axes[axis].labels.len());
    let mut found: BTreeMap<Vec<usize>, Vec<Option<usize>>> = BTreeMap::new();
    for (i, cell) in plan.cells.iter().enumerate() {
        let mut at = cell.at.clone();
        let point = compared.map_or(0, |axis| std::mem::take(&mut at[axis]));
        found.entry(at).or_insert_with(|| vec![None; points])[point] = Some(i);
    }
    if compared.is_none() {
        // Nothing is ranked: every cell is a combination of its own.
        found.retain(|_, cells| cells[0].is_some());
    }
    found
        .into_iter()
        .map(|(at, cells)| {
            let others = plan.axes.iter().enumerate().filter(|(i, _)| Some(*i) != compared);
            let label = join(others.map(|(i, axis)| (axis.name.as_str(), axis.labels[at[i]].as_str())));
            let measures = plan.comparison.iter().flat_map(|c| c.measures.iter());
            let tables = measures.map(|m| compare(analysis, &cells, m)).collect();
            Combination { label, cells, tables }
        })
        .collect()
}

fn compare(analysis: &Analysis<'_>, cells: &[Option<usize>], measure: &Measure) -> Compared {
    let found = |cell: &Option<usize>| cell.and_then(|cell| analysis.found[cell].get(measure));
    let estimates: Vec<Option<Estimate>> = cells.iter().map(|cell| found(cell).map(|(e, _)| *e)).collect();
    let values: Vec<Values> =
        cells.iter().map(|cell| found(cell).map(|(_, values)| values.clone()).unwrap_or_default()).collect();
    let pairs = stats::pairs(&values, analysis.alpha);
    let means: Vec<Option<f64>> = estimates.iter().map(|e| e.map(|e| e.mean)).collect();
    let ranking = stats::rank(&means, &pairs, measure.higher_is_better());
    Compared { measure: measure.clone(), estimates, pairs, ranking }
}

/// Mean latency in each step, averaged over seeds, up to the first fault. A step in which nothing ended repeats the
/// last.
fn mean_latency(samples: &[&Sample]) -> Vec<f64> {
    let until = samples.iter().map(|s| before_faults(s)).min().unwrap_or(0);
    let mut last = 0.0;
    (0..until)
        .map(|step| {
            let seen = samples.iter().map(|s| s.series.mean_ns[step]).filter(|&ns| ns > 0);
            let (sum, n) = seen.fold((0.0, 0u32), |(sum, n), ns| (sum + ns as f64, n + 1));
            if n > 0 {
                last = sum / f64::from(n);
            }
            last
        })
        .collect()
}

fn before_faults(sample: &Sample) -> usize {
    let step = sample.series.step_ns.max(1);
    let fault = sample.faults.iter().map(|f| (f.from_ns / step) as usize).min();
    fault.unwrap_or(usize::MAX).min(sample.series.mean_ns.len())
}
