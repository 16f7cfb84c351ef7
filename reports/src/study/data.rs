//! A study as data: one JSON object for programs, CSV tables for everything else.
//!
//! Numbers are complete: every value of every run, every estimate with its interval, every place of every ranking,
//! every pair with all three intervals. Cells that were not run stand there too, with the reason.

use super::words;
use crate::csv::{self, Sheet};
use base::Seed;
use serde_json::{Map, Value, json};
use study::stats::{Estimate, Pair};
use study::{Analysis, Combination, Compared, Kind, Measure, PickTime, Results};

/// The results as one JSON object. Equal results give equal text; no key depends on the machine or the time of day.
pub fn json(results: &Results) -> Value {
    object(&Analysis::of(results))
}

pub(crate) fn object(analysis: &Analysis<'_>) -> Value {
    let plan = analysis.plan();
    let axes: Vec<Value> = plan.axes.iter().map(|a| json!({"name": a.name, "points": a.labels})).collect();
    let seeds: Vec<String> = plan.seeds.iter().map(ToString::to_string).collect();
    let tables = analysis.combinations.iter().flat_map(|c| c.tables.iter().map(move |table| (c, table)));
    let rankings = tables.map(|(c, table)| ranking(analysis, c, table));
    let mut object = json!({
        "study": plan.name,
        "title": plan.title,
        "question": plan.question,
        "version": analysis.results.origin.version,
        "kind": match plan.kind { Kind::World => "world", Kind::Hashing => "hashing" },
        "confidence": plan.confidence,
        "seeds": seeds,
        "axes": axes,
        "warnings": words::warnings(analysis),
        "rankings": rankings.collect::<Vec<_>>(),
        "cells": (0..plan.cells.len()).map(|i| cell(analysis, i)).collect::<Vec<_>>(),
        "reproduce": reproduce(analysis),
    });
    let picks = &analysis.results.picks;
    if !picks.is_empty() {
        let pick = |one: &PickTime| json!({"what": one.what, "hosts": one.hosts, "pick_ns": one.nanoseconds});
        object["picks"] = picks.iter().map(pick).collect();
    }
    object
}

/// The command that makes the whole report again, from the first run to the last byte.
///
/// It names a folder of its own, the same wherever this report lies: in this one's folder the samples would be found
/// and nothing would be run, and a report that named its folder would not be the same in another.
pub(crate) fn reproduce(analysis: &Analysis<'_>) -> String {
    let plan = analysis.plan();
    let picks = if analysis.results.picks.is_empty() { "" } else { " --time-picks" };
    let folder = quoted(&format!("{}-again", plan.name));
    format!(
        "windtunnel compare {} --seeds {}{picks} --out {folder}",
        quoted(&analysis.results.origin.file),
        ranges(&plan.seeds)
    )
}

/// Seeds as `--seeds` takes them: `1..4,9..10`.
fn ranges(seeds: &[Seed]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seed.0) => *last = seed.0,
            _ => ranges.push((seed.0, seed.0)),
        }
    }
    let written = ranges.iter().map(|(first, last)| match last.checked_add(1) {
        Some(end) => format!("{first}..{end}"),
        None => format!("{first}..={last}"),
    });
    written.collect::<Vec<String>>().join(",")
}

/// A word for a shell: as it is where that is safe, in quotes otherwise.
fn quoted(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=,%+".contains(c);
    if !word.is_empty() && word.chars().all(safe) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn cell(analysis: &Analysis<'_>, index: usize) -> Value {
    let plan = analysis.plan();
    let cell = &plan.cells[index];
    let at: Map<String, Value> =
        plan.axes.iter().zip(&cell.at).map(|(axis, &p)| (axis.name.clone(), json!(axis.labels[p]))).collect();
    let estimates: Map<String, Value> = analysis
        .measures
        .iter()
        .filter_map(|m| Some((m.name(), estimate(analysis, &analysis.estimate(index, m)?))))
        .collect();
    let runs: Vec<Value> = analysis
        .results
        .of(index)
        .map(|(seed, s)| {
            let mut run = json!({"seed": plan.seeds[seed].to_string(), "count": s.count, "measures": s.measures});
            if !s.fingerprint.is_empty() {
                run["fingerprint"] = json!(s.fingerprint);
                run["verdict"] = json!(s.verdict);
                if let Some(failure) = &s.failure {
                    run["failure"] = json!({
                        "name": failure.name, "at_s": failure.at_ns as f64 / 1e9, "message": failure.message,
                    });
                }
            }
            run
        })
        .collect();
    json!({
        "key": cell.key,
        "at": at,
        "unstable": cell.unstable(),
        "utilization": cell.utilization,
        "estimates": estimates,
        "runs": runs,
        "reproduce": analysis.results.origin.command(index),
    })
}

fn estimate(analysis: &Analysis<'_>, e: &Estimate) -> Value {
    let interval = e.interval(analysis.alpha);
    json!({
        "mean": e.mean, "low": interval.map(|(low, _)| low), "high": interval.map(|(_, high)| high),
        "half_width": interval.map(|(low, high)| (high - low) / 2.0), "sd": e.sd, "n": e.n,
        "effective": e.effective, "weak": analysis.is_weak(e),
    })
}

fn ranking(analysis: &Analysis<'_>, combination: &Combination, table: &Compared) -> Value {
    let points = analysis.points();
    let ranked: Vec<Value> = table
        .ranking
        .iter()
        .map(|r| {
            let e = table.estimates[r.item].as_ref().map(|e| estimate(analysis, e));
            json!({"point": points[r.item], "best": r.best, "worst": r.worst, "groups": r.groups, "estimate": e})
        })
        .collect();
    let pair = |p: &Pair| {
        json!({
            "first": points[p.first], "second": points[p.second], "difference": p.difference.mean, "n": p.difference.n,
            "p": p.p, "p_adjusted": p.adjusted, "half_width": p.alone, "half_width_corrected": p.corrected,
            "half_width_simultaneous": p.simultaneous, "told_apart": p.decided,
        })
    };
    json!({
        "at": combination.label,
        "measure": table.measure.name(),
        "ranking": ranked,
        "pairs": table.pairs.iter().map(pair).collect::<Vec<_>>(),
    })
}

/// The tables of the folder `data`, by name.
pub(crate) fn sheets(analysis: &Analysis<'_>) -> Vec<(&'static str, Sheet)> {
    let mut all = vec![("samples", samples(analysis)), ("estimates", estimates(analysis))];
    if analysis.plan().comparison.is_some() {
        all.push(("ranking", rankings(analysis)));
        all.push(("pairs", pairs(analysis)));
    }
    if !analysis.results.picks.is_empty() {
        all.push(("picks", picks(analysis)));
    }
    all
}

/// What a pick took.
fn picks(analysis: &Analysis<'_>) -> Sheet {
    let mut sheet = Sheet::new(["what", "hosts", "pick_ns"].map(String::from));
    for one in &analysis.results.picks {
        sheet.row([one.what.clone(), one.hosts.to_string(), format!("{}", one.nanoseconds)]);
    }
    sheet
}

fn axes<'a>(analysis: &Analysis<'a>) -> impl Iterator<Item = String> + use<'a> {
    analysis.plan().axes.iter().map(|a| a.name.clone())
}

fn labels(analysis: &Analysis<'_>, at: &[usize]) -> Vec<String> {
    analysis.plan().axes.iter().zip(at).map(|(axis, &point)| axis.labels[point].clone()).collect()
}

/// Every number of every run.
fn samples(analysis: &Analysis<'_>) -> Sheet {
    let plan = analysis.plan();
    let mut measures: Vec<Measure> = Measure::names().filter_map(Measure::parse).collect();
    measures.retain(|m| analysis.results.samples.values().any(|s| s.measure(m).is_some()));
    measures.extend(analysis.measures.iter().filter(|m| matches!(m, Measure::ShareOf(_))).cloned());
    let head = ["cell".to_string()].into_iter().chain(axes(analysis)).chain(["seed".into(), "fingerprint".into()]);
    let mut sheet = Sheet::new(head.chain(measures.iter().map(column)));
    for ((cell, seed), sample) in &analysis.results.samples {
        let cell = &plan.cells[*cell];
        let row = [cell.key.clone()].into_iter().chain(labels(analysis, &cell.at));
        let row = row.chain([plan.seeds[*seed].to_string(), sample.fingerprint.clone()]);
        sheet.row(row.chain(measures.iter().map(|m| sample.measure(m).map_or_else(String::new, |x| format!("{x}")))));
    }
    sheet
}

/// A measure's name with its unit, as a column is called.
pub(crate) fn column(measure: &Measure) -> String {
    let name = measure.name();
    match measure.unit().name() {
        "ms" => format!("{name}_ms"),
        "per second" => format!("{name}_per_s"),
        _ => name,
    }
}

/// Mean, spread and interval of every measure in every cell.
fn estimates(analysis: &Analysis<'_>) -> Sheet {
    let head = ["cell".to_string()].into_iter().chain(axes(analysis));
    let mut sheet =
        Sheet::new(head.chain(["measure", "n", "mean", "sd", "low", "high", "effective", "note"].map(String::from)));
    for (i, cell) in analysis.plan().cells.iter().enumerate() {
        let start = || [cell.key.clone()].into_iter().chain(labels(analysis, &cell.at));
        if let Some(rho) = cell.unstable() {
            let note = format!("unstable: load {}, not run", csv::number(rho));
            sheet.row(start().chain(["", "0", "", "", "", "", "", &note].map(String::from)));
            continue;
        }
        for measure in &analysis.measures {
            let Some(e) = analysis.estimate(i, measure) else { continue };
            let number = |x: Option<f64>| x.map_or_else(String::new, csv::number);
            let [mean, sd, effective] = [Some(e.mean), e.sd, e.effective].map(number);
            let [low, high] = csv::bounds(e.interval(analysis.alpha));
            let note = if analysis.is_weak(&e) { "few effective requests" } else { "" };
            let numbers = [e.n.to_string(), mean, sd, low, high, effective];
            sheet.row(start().chain([column(measure)]).chain(numbers).chain([note.to_string()]));
        }
    }
    sheet
}

fn rankings(analysis: &Analysis<'_>) -> Sheet {
    let head = ["at", "measure", "point", "place_best", "place_worst", "groups", "mean", "low", "high", "n"];
    let mut sheet = Sheet::new(head);
    for (combination, table) in tables(analysis) {
        for r in &table.ranking {
            let Some(e) = table.estimates[r.item] else { continue };
            let [low, high] = csv::bounds(e.interval(analysis.alpha));
            sheet.row([
                combination.label.clone(),
                column(&table.measure),
                analysis.points()[r.item].clone(),
                r.best.to_string(),
                r.worst.to_string(),
                r.groups.clone(),
                csv::number(e.mean),
                low,
                high,
                e.n.to_string(),
            ]);
        }
    }
    sheet
}

fn pairs(analysis: &Analysis<'_>) -> Sheet {
    let mut sheet = Sheet::new([
        "at",
        "measure",
        "first",
        "second",
        "difference",
        "n",
        "half_width",
        "half_width_corrected",
        "half_width_simultaneous",
        "p",
        "p_adjusted",
        "told_apart",
    ]);
    let number = |x: Option<f64>| x.map_or_else(String::new, csv::number);
    for (combination, table) in tables(analysis) {
        for p in &table.pairs {
            sheet.row([
                combination.label.clone(),
                column(&table.measure),
                analysis.points()[p.first].clone(),
                analysis.points()[p.second].clone(),
                csv::number(p.difference.mean),
                p.difference.n.to_string(),
                number(p.alone),
                number(p.corrected),
                number(p.simultaneous),
                p.p.map_or_else(String::new, |p| format!("{p:.3e}")),
                p.adjusted.map_or_else(String::new, |p| format!("{p:.3e}")),
                if p.decided { "yes" } else { "cannot tell" }.into(),
            ]);
        }
    }
    sheet
}

fn tables<'a>(analysis: &'a Analysis<'_>) -> impl Iterator<Item = (&'a Combination, &'a Compared)> {
    analysis.combinations.iter().flat_map(|c| c.tables.iter().map(move |t| (c, t)))
}
