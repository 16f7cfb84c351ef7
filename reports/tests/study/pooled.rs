//! What several runs say together: latencies of all their requests, shares within what is possible, and repeated values
//! exact.

use crate::fixture::{axis, plan, unrun};
use base::{Duration, Rng, Seed, dist};
use reports::study::{console, json};
use serde_json::Value;
use study::{Comparison, Latencies, Measure, Results, Sample};
use world::outcome::Distribution;
use world::telemetry::Latency;

/// A run of these latencies in microseconds, ended one after the other.
fn sample(us: &[u64]) -> Sample {
    let mut all = Latency::new();
    us.iter().for_each(|us| all.record(Duration::us(*us)));
    let distribution = Distribution {
        max: all.max().unwrap_or_default(),
        curve: vec![(0.0, all.min().unwrap_or_default())],
        profile: all.profile(),
        sum_ns: all.sum_nanos(),
        ..Distribution::default()
    };
    let steps = us.chunks(us.len().div_ceil(40).max(1));
    let per_step: Vec<(u64, u64)> =
        steps.map(|step| (step.len() as u64, step.iter().map(|us| us * 1_000).sum())).collect();
    let mut sample = Sample { count: us.len() as u64, verdict: "passed".into(), ..Sample::default() };
    sample.latency = Latencies::of(&distribution, &per_step);
    sample
}

/// A study of one strategy, or of two, with these runs of each.
fn results(runs: Vec<Vec<Sample>>) -> Results {
    let names = ["one", "other"];
    let mut plan = plan("pooled", vec![axis("strategy", &names[..runs.len()])], runs[0].len() as u64);
    plan.axes[0].numbers = None;
    let measures = vec![Measure::P50, Measure::P90, Measure::P99, Measure::Mean, Measure::Errors];
    plan.comparison = Some(Comparison { axis: 0, measures, against: None });
    let mut results = unrun(plan);
    for (cell, runs) in runs.into_iter().enumerate() {
        results.samples.extend(runs.into_iter().enumerate().map(|(seed, sample)| ((cell, seed), sample)));
    }
    results
}

fn estimate(said: &Value, cell: usize, measure: &str) -> [f64; 3] {
    let e = &said["cells"][cell]["estimates"][measure];
    ["mean", "low", "high"].map(|key| e[key].as_f64().unwrap_or_else(|| panic!("{measure}: {e}")))
}

fn exponential(rng: &mut Rng, n: usize, mean_us: f64) -> Vec<u64> {
    (0..n).map(|_| (dist::unit_exponential(rng) * mean_us) as u64).collect()
}

#[test]
fn percentiles_are_those_of_all_requests_however_unevenly_seeds_share_them() {
    let mut rng = Seed(7).stream("pooled");
    let runs: Vec<Vec<u64>> =
        [5_000, 20_000, 900, 12_000].into_iter().map(|n| exponential(&mut rng, n, n as f64)).collect();
    let mut all: Vec<u64> = runs.iter().flatten().copied().collect();
    all.sort_unstable();
    let said = json(&results(vec![runs.iter().map(|run| sample(run)).collect()]));
    for (measure, p) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let exact = all[(p * all.len() as f64) as usize] as f64 / 1e3;
        let [value, low, high] = estimate(&said, 0, measure);
        assert!((value / exact - 1.0).abs() < 2e-3, "{measure}: {value} is not {exact}");
        assert!(low >= 0.0 && low <= value && value <= high && high <= *all.last().unwrap() as f64 / 1e3);
    }
    let mean = all.iter().sum::<u64>() as f64 / all.len() as f64 / 1e3;
    let [value, low, high] = estimate(&said, 0, "mean");
    assert!((value / mean - 1.0).abs() < 1e-9, "exact sums: {value} is not {mean}");
    // As far above as below, in ratios, but not past the longest.
    let longest = *all.last().unwrap() as f64 / 1e3;
    assert!(low > 0.0 && (high - (value * value / low).min(longest)).abs() < 1e-6 * high, "{low} {value} {high}");
}

#[test]
fn a_value_that_occurs_again_and_again_is_printed_as_it_is() {
    let mut rng = Seed(7).stream("atom");
    let mut run = || {
        let mut us = exponential(&mut rng, 8_000, 9_000.0);
        // Who waits longer than 60.25 ms gives up, and one in five does at once.
        us.iter_mut().for_each(|us| *us = (*us).min(60_250));
        us.extend(vec![60_250; 2_000]);
        sample(&us)
    };
    let results = results(vec![(0..5).map(|_| run()).collect()]);
    let said = json(&results);
    for measure in ["p90", "p99"] {
        assert_eq!(estimate(&said, 0, measure), [60.25; 3], "{measure}");
        assert_eq!(said["cells"][0]["estimates"][measure]["weak"], false);
    }
    let text = console(&results, false, 120);
    assert!(text.contains(" 60.25 ") && !text.contains("60.25 ±"), "{text}");
}

#[test]
fn intervals_stay_within_what_is_possible() {
    let runs = [(0, 0.0), (1, 0.9), (2, 0.0), (3, 0.01)].map(|(i, errors)| {
        let mut sample = sample(&[5 + i, 900 + 50 * i, 20 + i, 1_000_000 - 9_000 * i]);
        sample.set(Measure::Errors, errors);
        sample
    });
    let said = json(&results(vec![runs.to_vec()]));
    let [_, low, high] = estimate(&said, 0, "errors");
    assert_eq!(low, 0.0);
    assert!(high <= 1.0, "{high}");
    for measure in ["p50", "p99", "mean"] {
        let [value, low, high] = estimate(&said, 0, measure);
        assert!(low >= 0.005 && low <= value && value <= high && high <= 1_000.0, "{measure}: {low} {value} {high}");
        // Sixteen requests have a middle, and neither a tail nor a mean.
        assert_eq!(
            said["cells"][0]["estimates"][measure]["weak"],
            measure != "p50",
            "{measure} of four requests a run"
        );
    }
}

#[test]
fn shares_of_calls_are_weighted_by_calls() {
    let runs = [(1_000, 0.1), (3_000, 0.5)].map(|(n, errors)| {
        let mut sample = sample(&vec![1_000; n]);
        sample.set(Measure::Errors, errors);
        sample
    });
    let said = json(&results(vec![runs.to_vec()]));
    assert!((estimate(&said, 0, "errors")[0] - 0.4).abs() < 1e-12, "1,600 of 4,000");
}

#[test]
fn differences_are_those_of_the_pooled_values_seed_by_seed() {
    let mut rng = Seed(7).stream("pairs");
    // What is common to both under a seed is much larger than their difference.
    let both: Vec<(Sample, Sample)> = (0..8)
        .map(|i| {
            let us = exponential(&mut rng, 4_000, 5_000.0 + 500.0 * f64::from(i));
            let slower: Vec<u64> = us.iter().map(|us| us * 106 / 100).collect();
            (sample(&us), sample(&slower))
        })
        .collect();
    let (one, other): (Vec<Sample>, Vec<Sample>) = both.into_iter().unzip();
    let said = json(&results(vec![one, other]));
    for (rank, measure) in ["p50", "p90", "p99", "mean"].into_iter().enumerate() {
        let pair = &said["rankings"][rank]["pairs"][0];
        let [a, b] = [estimate(&said, 0, measure), estimate(&said, 1, measure)];
        let difference = pair["difference"].as_f64().expect("a number");
        assert!((difference - (a[0] - b[0])).abs() < 1e-9 * b[0], "{measure}: {difference}");
        assert_eq!(pair["told_apart"], true, "{measure}: the intervals overlap, the differences do not: {pair}");
        assert!(a[2] > b[1], "{measure}: {a:?} {b:?}");
    }
}

#[test]
fn latencies_that_no_run_has_are_refused() {
    let mut bad = sample(&[5, 6, 7]);
    bad.latency.bins.push((u32::MAX, 1));
    assert!(Sample::from_json(&bad.to_json()).unwrap_err().contains("latencies that no run has"));
    bad.latency.bins = vec![(1_000_000, 1)];
    assert!(Sample::from_json(&bad.to_json()).is_err());
}
