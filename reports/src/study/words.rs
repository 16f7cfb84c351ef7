//! What an analysis found, in words: its warnings, and what was not run.

use crate::number::{count, counted, decimal, percent, span};
use study::{Analysis, Combination, Plan, Warning};

/// The warnings of a study as sentences that begin with a small letter and end without a full stop.
pub(crate) fn warnings(analysis: &Analysis<'_>) -> Vec<String> {
    analysis.warnings.iter().map(|warning| said(warning, analysis.plan())).collect()
}

fn said(warning: &Warning, plan: &Plan) -> String {
    let in_cells = |cells: &usize| counted(*cells as u64, "cell", "cells");
    match warning {
        Warning::Missing { runs, of } => format!(
            "{} of {} missing: the study was cut short, or other shards have them",
            counted(*runs as u64, "run", "runs"),
            count(*of as u64)
        ),
        Warning::OneSeed => "one seed is one sample: there are no intervals, and nothing can be told apart".into(),
        Warning::Broken { verdict, runs } => format!(
            "{} ended in `{verdict}`: something was broken there, and its numbers are those of a broken run",
            counted(*runs as u64, "run", "runs")
        ),
        Warning::WarmUpTooShort { cell, cells, of } => format!(
            "the warm-up of {} looks too short in {cells} of {} cells ({}{}): latency was still moving when measuring \
             began",
            span(plan.cells[*cell].phases.warmup),
            count(*of as u64),
            plan.label(*cell),
            if *cells > 1 { " and others" } else { "" }
        ),
        Warning::SlowToSettle { utilization, seconds, warm_up } => format!(
            "at a load of {} a queue that stands alone settles with a time constant of {} s, (1 − √ρ)⁻² services, and \
             the warm-up is {}: means there are too low where work is not shared among instances",
            percent(*utilization, 0),
            decimal(*seconds, usize::from(*seconds < 10.0)),
            span(*warm_up),
        ),
        Warning::GrowingQueue { cell, cells, instance } => format!(
            "in {} the queue of an instance grew for as long as it was measured ({instance} in {}{}): the numbers \
             there say how long that was, not how the system is",
            in_cells(cells),
            plan.label(*cell),
            if *cells > 1 { ", and others" } else { "" }
        ),
        Warning::Unfinished { cell, cells, requests } => format!(
            "in {} requests had not ended when the run had (most, {} of all seeds, in {}): they count as errors, and \
             in latency with their age, so means and far percentiles are lower bounds",
            in_cells(cells),
            count(*requests),
            plan.label(*cell)
        ),
        Warning::FewRequests { measure, cell, cells, effective } => {
            let decide = match measure.percentile() {
                Some(p) if p > 0.5 => "beyond it",
                Some(_) => "on either side of it",
                None => "that decide it",
            };
            format!(
                "in {} {measure} rests on fewer than {} independent requests {decide} (about {} in {}; requests that \
                 queue behind one another count as fewer): its interval may miss, run longer or under more seeds",
                in_cells(cells),
                count(Warning::FEW_REQUESTS as u64),
                decimal(*effective, 1),
                plan.label(*cell),
            )
        }
        Warning::Failures { cells } => format!(
            "in {} more than 1 % of the requests failed; failures count in latency with the time they took",
            in_cells(cells)
        ),
    }
}

/// Why a combination has no result.
pub(crate) fn why_nothing(plan: &Plan, combination: &Combination) -> String {
    let cells = combination.cells.iter().flatten();
    match cells.filter_map(|&cell| plan.cells[cell].unstable()).reduce(f64::max) {
        Some(rho) => format!("unstable, not run: the load is {}", percent(rho, 0)),
        None => "no result".into(),
    }
}

/// Number of cells that were not run because they are unstable.
pub(crate) fn unstable_cells(plan: &Plan) -> usize {
    plan.cells.iter().filter(|cell| cell.is_unstable()).count()
}

/// The unstable cells by name; combinations in which all are as one.
pub(crate) fn unstable(analysis: &Analysis<'_>) -> Vec<String> {
    let plan = analysis.plan();
    let mut named = Vec::new();
    for combination in &analysis.combinations {
        let all = combination.cells.iter().flatten().copied();
        let here: Vec<usize> = all.filter(|&cell| plan.cells[cell].is_unstable()).collect();
        if here.len() > 1 && here.len() == combination.cells.len() {
            named.push(format!("all at {}", combination.label));
        } else {
            named.extend(here.iter().map(|&cell| plan.label(cell)));
        }
    }
    named
}
