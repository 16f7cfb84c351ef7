//! From samples to what can be said: estimates of every cell, rankings within every combination, and warnings.
//!
//! Console, page, JSON and CSV all read from here, so that they never disagree.

use crate::cell::Cell;
use crate::estimates::{self, Found};
use crate::measure::Measure;
use crate::plan::{Kind, Plan};
use crate::results::Results;
use crate::sample::Swamped;
use crate::stats::{self, Estimate, Pair, Ranked, Values};
use crate::warm_up::{WarmUp, slow_to_settle};
use crate::warning::Warning;
use std::collections::BTreeMap;

/// What the results of a study say.
#[derive(Clone, Debug)]
pub struct Analysis<'a> {
    /// The results.
    pub results: &'a Results,
    /// One minus the confidence of intervals.
    pub alpha: f64,
    /// The measures of tables and files, the compared ones first; each once.
    pub measures: Vec<Measure>,
    /// The points of the axes that are not compared, in the order of cells. Every cell is one by itself in a study that
    /// compares nothing.
    pub combinations: Vec<Combination>,
    /// What a reader must know before trusting a number.
    pub warnings: Vec<Warning>,
    /// What the check of the warm-up found.
    pub warm_up: WarmUp,
    /// Every measure of every cell.
    found: Vec<Found>,
}

/// The compared points under one combination of the points of all other axes.
#[derive(Clone, Debug)]
pub struct Combination {
    /// The other axes' points, as a person reads them: `load 90%, fleet 100`; empty when there are none.
    pub label: String,
    /// The cell of each compared point.
    pub cells: Vec<Option<usize>>,
    /// One per compared measure, the most important first.
    pub tables: Vec<Compared>,
}

/// The compared points by one measure under one combination.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The measure.
    pub measure: Measure,
    /// An estimate per compared point; none where no sample has the measure.
    pub estimates: Vec<Option<Estimate>>,
    /// How each two differ.
    pub pairs: Vec<Pair>,
    /// The points that have an estimate, the best first.
    pub ranking: Vec<Ranked>,
}

impl<'a> Analysis<'a> {
    /// Analyses the results. O(cells · bins), and quadratic in the number of compared points.
    pub fn of(results: &'a Results) -> Analysis<'a> {
        let alpha = 1.0 - results.plan.confidence;
        let measures = measures(&results.plan);
        let mut wanted = measures.clone();
        wanted.extend([Measure::Errors, Measure::MovedIdeal, Measure::AddedIdeal]);
        let cells = 0..results.plan.cells.len();
        let found: Vec<Found> = cells.map(|cell| estimates::of(results, cell, &wanted, alpha)).collect();
        let mut analysis = Analysis {
            results,
            alpha,
            measures,
            combinations: combinations(&results.plan, &found, alpha),
            warnings: Vec::new(),
            warm_up: WarmUp::of(results, alpha),
            found,
        };
        analysis.warnings = analysis.warnings();
        analysis
    }

    /// The plan of the study.
    pub fn plan(&self) -> &'a Plan {
        &self.results.plan
    }

    /// One measure of a cell over its seeds; none where no sample has it.
    pub fn estimate(&self, cell: usize, measure: &Measure) -> Option<Estimate> {
        self.found[cell].get(measure).map(|(estimate, _)| *estimate)
    }

    /// The compared points by name; empty in a study that compares nothing.
    pub fn points(&self) -> &'a [String] {
        match &self.plan().comparison {
            Some(comparison) => &self.plan().axes[comparison.axis].labels,
            None => &[],
        }
    }

    /// Whether too few independent requests decide an estimate for its interval to be trusted.
    pub fn is_weak(&self, estimate: &Estimate) -> bool {
        // A value that occurs again and again, on which both ends of the interval lie, is not in doubt.
        let is_atom = estimate.bounds.is_some_and(|(low, high)| low == high);
        estimate.effective.is_some_and(|n| n < Warning::FEW_REQUESTS) && estimate.n > 1 && !is_atom
    }

    /// The place of the combination that shows differences best: of the highest load that is stable for all of its
    /// cells, or of the last ones if there is none.
    pub fn hardest(&self) -> usize {
        let cells =
            |c: &Combination| c.cells.iter().flatten().map(|&cell| &self.plan().cells[cell]).collect::<Vec<_>>();
        let rank = |c: &Combination| {
            let cells: Vec<&Cell> = cells(c);
            let stable = cells.iter().filter(|cell| !cell.is_unstable());
            let load = stable.map(|cell| cell.utilization.unwrap_or(0.0)).fold(f64::NEG_INFINITY, f64::max);
            (cells.iter().all(|cell| !cell.is_unstable()), load)
        };
        let mut best = 0;
        for (place, combination) in self.combinations.iter().enumerate() {
            if rank(combination) >= rank(&self.combinations[best]) {
                best = place;
            }
        }
        best
    }

    fn warnings(&self) -> Vec<Warning> {
        let plan = self.plan();
        let mut warnings = Vec::new();
        let missing = plan.runs().saturating_sub(self.results.samples.len());
        if missing > 0 {
            warnings.push(Warning::Missing { runs: missing, of: plan.runs() });
        }
        if plan.seeds.len() < 2 {
            warnings.push(Warning::OneSeed);
        }
        let mut broken: BTreeMap<&str, usize> = BTreeMap::new();
        for sample in self.results.samples.values().filter(|s| matches!(s.verdict.as_str(), "safety" | "liveness")) {
            *broken.entry(&sample.verdict).or_default() += 1;
        }
        warnings.extend(broken.into_iter().map(|(verdict, runs)| Warning::Broken { verdict: verdict.into(), runs }));
        if let Some((cell, _)) = self.warm_up.late.first() {
            let (cells, of) = (self.warm_up.late.len(), self.warm_up.checked);
            warnings.push(Warning::WarmUpTooShort { cell: *cell, cells, of });
        }
        if let Some((utilization, seconds, warm_up)) = slow_to_settle(self.results) {
            warnings.push(Warning::SlowToSettle { utilization, seconds, warm_up });
        }
        warnings.extend(self.growing());
        warnings.extend(self.unfinished());
        warnings.extend(self.few_requests());
        warnings.extend(self.failures());
        warnings
    }

    /// Cells in which the queue of some instance grew for as long as it was measured.
    ///
    /// Of their samples: the growth from the first half of the measured part to the second, summed over seeds, is more
    /// than four times the standard deviation of a queue at a load of exactly 100 %, √(requests / 3).
    fn growing(&self) -> Option<Warning> {
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
            worst.filter(|_| grows).map(|swamped| (cell, swamped.instance.clone()))
        };
        let growing: Vec<(usize, String)> = (0..self.found.len()).filter_map(of).collect();
        let cells = growing.len();
        growing.into_iter().next().map(|(cell, instance)| Warning::GrowingQueue { cell, cells, instance })
    }

    /// Requests that had not ended would have taken longer than the age that stands for their latency.
    fn unfinished(&self) -> Option<Warning> {
        let of = |cell: usize| self.results.of(cell).map(|(_, sample)| sample.unfinished).sum::<u64>();
        let open: Vec<(usize, u64)> = (0..self.found.len()).map(|c| (c, of(c))).filter(|(_, n)| *n > 0).collect();
        let (cell, requests) = open.iter().max_by_key(|(_, n)| *n)?;
        Some(Warning::Unfinished { cell: *cell, cells: open.len(), requests: *requests })
    }

    /// Far percentiles of short runs.
    fn few_requests(&self) -> impl Iterator<Item = Warning> {
        self.measures.iter().filter_map(|measure| {
            let cells = (0..self.found.len()).filter_map(|cell| Some((cell, self.estimate(cell, measure)?)));
            let weak: Vec<(usize, Estimate)> = cells.filter(|(_, estimate)| self.is_weak(estimate)).collect();
            let effective = |(_, e): &(usize, Estimate)| e.effective.unwrap_or(f64::INFINITY);
            let worst = weak.iter().min_by(|a, b| effective(a).total_cmp(&effective(b)))?;
            let (cell, effective) = (worst.0, worst.1.effective.unwrap_or(0.0));
            Some(Warning::FewRequests { measure: measure.clone(), cell, cells: weak.len(), effective })
        })
    }

    /// Where many requests fail, latency flatters what fails fast.
    fn failures(&self) -> Option<Warning> {
        let fails = |cell: &usize| {
            self.estimate(*cell, &Measure::Errors).is_some_and(|errors| errors.mean > Warning::MANY_FAILURES)
        };
        let cells = (0..self.found.len()).filter(fails).count();
        (cells > 0).then_some(Warning::Failures { cells })
    }
}

/// What is compared, what is drawn and what is asked for besides, each once.
fn measures(plan: &Plan) -> Vec<Measure> {
    use Measure::*;
    let usual = match plan.kind {
        Kind::World => vec![Mean, P50, P99, P999, Goodput, Errors, Utilisation, Imbalance, WorstInFlight],
        Kind::Hashing => vec![Balance, RelStd, Moved, MovedIdeal, Entries, Bytes],
    };
    let asked = if plan.measures.is_empty() { &usual } else { &plan.measures };
    let compared = plan.comparison.iter().flat_map(|comparison| comparison.measures.iter());
    let drawn = plan.plots.iter().filter_map(|plot| plot.measure.as_ref());
    let mut all: Vec<Measure> = Vec::new();
    for measure in compared.chain(drawn).chain(asked) {
        if !all.contains(measure) {
            all.push(measure.clone());
        }
    }
    all
}

fn combinations(plan: &Plan, found: &[Found], alpha: f64) -> Vec<Combination> {
    let compared = plan.comparison.as_ref().map(|comparison| comparison.axis);
    let points = compared.map_or(1, |axis| plan.axes[axis].labels.len());
    let mut cells_at: BTreeMap<Vec<usize>, Vec<Option<usize>>> = BTreeMap::new();
    for (place, cell) in plan.cells.iter().enumerate() {
        let mut at = cell.at.clone();
        let point = compared.map_or(0, |axis| std::mem::take(&mut at[axis]));
        cells_at.entry(at).or_insert_with(|| vec![None; points])[point] = Some(place);
    }
    let of = |(at, cells): (Vec<usize>, Vec<Option<usize>>)| {
        let label = plan.label_of(|axis| (Some(axis) != compared).then(|| at[axis]));
        let measures = plan.comparison.iter().flat_map(|comparison| comparison.measures.iter());
        let tables = measures.map(|measure| compare(found, &cells, measure, alpha)).collect();
        Combination { label, cells, tables }
    };
    cells_at.into_iter().map(of).collect()
}

fn compare(found: &[Found], cells: &[Option<usize>], measure: &Measure, alpha: f64) -> Compared {
    let of = |cell: &Option<usize>| cell.and_then(|cell| found[cell].get(measure));
    let estimates: Vec<Option<Estimate>> = cells.iter().map(|cell| of(cell).map(|(estimate, _)| *estimate)).collect();
    let values: Vec<Values> =
        cells.iter().map(|cell| of(cell).map(|(_, values)| values.clone()).unwrap_or_default()).collect();
    let pairs = stats::pairs(&values, alpha);
    let means: Vec<Option<f64>> = estimates.iter().map(|estimate| estimate.map(|e| e.mean)).collect();
    let ranking = stats::rank(&means, &pairs, measure.higher_is_better());
    Compared { measure: measure.clone(), estimates, pairs, ranking }
}
