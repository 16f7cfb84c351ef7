//! Studies made by hand: a sweep over loads in which theory stands in for the simulator, a failure, and hashing. No
//! world is run.

use base::math::{exp, ln, normal_quantile, pow};
use base::{Draw, Duration, Rng, Seed};
use std::collections::BTreeMap;
use study::*;
use world::outcome::{Distribution, Phases};
use world::telemetry::Latency;

const STEPS: usize = 120;
const SERVICE_MS: f64 = 10.0;

fn normal(rng: &mut Rng) -> f64 {
    base::dist::unit_normal(rng)
}

/// A plan over all combinations of `axes`, without results.
pub(crate) fn plan(name: &str, axes: Vec<Axis>, seeds: u64) -> Plan {
    let mut at = vec![Vec::new()];
    for axis in &axes {
        at = at.into_iter().flat_map(|a| (0..axis.labels.len()).map(move |i| [a.clone(), vec![i]].concat())).collect();
    }
    let cells = at.into_iter().enumerate().map(|(i, at)| Cell {
        key: format!("{i:03}"),
        utilization: None,
        bounded: false,
        phases: Phases { warmup: Duration::secs(10), storm: Duration::secs(100), calm: Duration::secs(10) },
        service_ms: Some(SERVICE_MS),
        servers: 10,
        at,
    });
    Plan {
        name: name.into(),
        title: "Which strategy at which load".into(),
        question: "Two choices are said to be enough.\n\nAre they, at every load, and how far are they from the best?"
            .into(),
        kind: Kind::World,
        service: "api".into(),
        confidence: 0.95,
        seeds: (1..=seeds).map(Seed).collect(),
        cells: cells.collect(),
        axes,
        comparison: None,
        plots: Vec::new(),
        measures: Vec::new(),
    }
}

/// A plan without samples, from a file of its name.
pub(crate) fn unrun(plan: Plan) -> Results {
    let file = format!("scenarios/studies/{}.toml", plan.name);
    let origin = Origin {
        version: "0.1.0".into(),
        text: "title = \"Which strategy at which load\"\nseeds = 5\n".into(),
        commands: plan.cells.iter().map(|cell| format!("windtunnel compare {file} --cell {}", cell.key)).collect(),
        file,
    };
    Results { plan, origin, samples: BTreeMap::new(), picks: Vec::new() }
}

pub(crate) fn axis(name: &str, labels: &[&str]) -> Axis {
    let number = |label: &&str| match label.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok().map(|p| p / 100.0),
        None => label.parse().ok(),
    };
    Axis {
        name: name.into(),
        labels: labels.iter().map(|l| (*l).into()).collect(),
        numbers: labels.iter().map(number).collect(),
    }
}

/// Mean response at a load, in services.
type Mean = fn(f64) -> f64;

/// Strategies with what theory says of their mean response, in services.
pub(crate) const STRATEGIES: [(&str, Mean); 6] = [
    ("random", |r| world::theory::mm1(r).mean),
    ("round_robin", |r| world::theory::round_robin(10, r).mean),
    ("p2c", |r| world::theory::supermarket(2, r).mean),
    ("p2c, 3 choices", |r| world::theory::supermarket(3, r).mean),
    ("least_request", |r| world::theory::supermarket(2, r).mean * 1.002),
    ("full_scan", |r| world::theory::mmc(10, r).mean * 1.1),
];

/// Four loads, the last beyond what can be served, times the strategies of [`STRATEGIES`], under five seeds.
pub(crate) fn sweep() -> Results {
    let names: Vec<&str> = STRATEGIES.iter().map(|s| s.0).collect();
    sweep_of(&names, &["50%", "90%", "99%", "105%"], 5)
}

/// The same with so many strategies, seeds, and these loads. Strategies beyond those known are choices of more and
/// more.
pub(crate) fn sweep_of(names: &[&str], loads: &[&str], seeds: u64) -> Results {
    let mut plan = plan("load-sweep", vec![axis("load", loads), axis("strategy", names)], seeds);
    plan.axes[1].numbers = None;
    let numbers = plan.axes[0].numbers.clone().expect("loads are numbers");
    for cell in &mut plan.cells {
        cell.utilization = Some(numbers[cell.at[0]]);
    }
    plan.comparison = Some(Comparison { axis: 1, measures: vec![Measure::P99, Measure::Mean], against: None });
    let mut results = unrun(plan);
    for (c, cell) in results.plan.cells.iter().enumerate().filter(|(_, c)| !c.is_unstable()) {
        let rho = numbers[cell.at[0]];
        let mean = STRATEGIES.get(cell.at[1]).map_or_else(
            || world::theory::supermarket(3 + cell.at[1] as u32 / 3, rho).mean * (1.0 + cell.at[1] as f64 / 90.0),
            |(_, mean)| mean(rho),
        );
        for (s, seed) in results.plan.seeds.iter().enumerate() {
            // What is common to all strategies under a seed, and what is not.
            let common = normal(&mut seed.stream(&format!("common {}", cell.at[0])));
            let mut rng = seed.stream(&format!("own {c}"));
            let noise = exp(0.02 * common + 0.004 * normal(&mut rng));
            let mut sample = run(&mut rng, rho, mean * noise, cell.at[1]);
            if s > 0 {
                sample = sample.without_heat();
            }
            results.samples.insert((c, s), sample);
        }
    }
    results
}

/// A run at load `rho` with a mean response of `mean` services: an exponential law, ten instances.
fn run(rng: &mut Rng, rho: f64, mean: f64, strategy: usize) -> Sample {
    let mut sample = Sample { fingerprint: format!("{:016x}", rng.next_u64()), ..Sample::default() };
    sample.verdict = "passed".into();
    sample.count = 90_000;
    sample.latency = latencies(rng, mean * SERVICE_MS, sample.count / 10);
    let points = [(Measure::P50, 0.5), (Measure::P90, 0.9), (Measure::P99, 0.99), (Measure::P999, 0.999)];
    for (measure, p) in points {
        sample.set(measure, -ln(1.0 - p) * mean * SERVICE_MS * (1.0 + 0.003 * normal(rng)));
    }
    sample.set(Measure::Mean, mean * SERVICE_MS);
    sample.set(Measure::Max, ln(90_000.0) * mean * SERVICE_MS);
    sample.set(Measure::Goodput, rho * 1_000.0);
    sample.set(Measure::Errors, 0.0);
    sample.set(Measure::Utilisation, rho);
    sample.set(Measure::Queue, rho * mean);
    sample.set(Measure::Imbalance, 1.0 + 2.0 / (1.0 + strategy as f64));
    sample.set(Measure::Jain, 1.0 - 0.3 / (1.0 + strategy as f64));
    sample.set(Measure::WorstInFlight, (6.0 * mean).round());
    sample.taken = (0..10).map(|i| (format!("api-{i}"), 9_000 + i)).collect();
    let steps = |of: &mut dyn FnMut(usize) -> f64| (0..STEPS).map(|i| of(i).max(0.0)).collect::<Vec<f64>>();
    let whole = |v: Vec<f64>| v.into_iter().map(|x| x as u32).collect::<Vec<u32>>();
    let wide = |v: Vec<f64>| v.into_iter().map(|x| x as u64).collect::<Vec<u64>>();
    let filling = |i: usize| 1.0 - 0.9 * exp(-(i as f64) / 3.0);
    let arrived = whole(steps(&mut |_| rho * 1_000.0 + 12.0 * normal(rng)));
    sample.series = Series {
        step_ns: 1_000_000_000,
        succeeded: arrived.clone(),
        failed: vec![0; STEPS],
        mean_ns: wide(steps(&mut |i| mean * filling(i) * SERVICE_MS * 1e6 * (1.0 + 0.02 * normal(rng)))),
        p50_ns: wide(steps(&mut |i| 0.7 * mean * filling(i) * SERVICE_MS * 1e6)),
        p99_ns: wide(steps(&mut |i| 4.6 * mean * filling(i) * SERVICE_MS * 1e6 * (1.0 + 0.05 * normal(rng)))),
        queued: whole(steps(&mut |i| 10.0 * rho * mean * filling(i) * (1.0 + 0.08 * normal(rng)))),
        longest: whole(steps(&mut |i| 3.0 * rho * mean * filling(i) * (1.0 + 0.2 * normal(rng)))),
        arrived,
    };
    let uneven = 2.0 / (1.0 + strategy as f64);
    let row = |rng: &mut Rng, i: usize| -> Vec<u32> {
        (0..STEPS)
            .map(|t| {
                let wave = base::math::sin(t as f64 / 7.0 + i as f64 * 1.7) * uneven;
                (rho * mean * filling(t) * (1.0 + wave + 0.3 * normal(rng))).max(0.0).round() as u32
            })
            .collect()
    };
    let rows = (0..10).map(|i| row(rng, i)).collect();
    let names = (0..10).map(|i| format!("api-{i}")).collect();
    sample.heat = Some(Heat { step_ns: 1_000_000_000, names, rows });
    sample
}

/// Exponential latencies of a mean that is off `mean_ms` by a thousandth or so.
fn latencies(rng: &mut Rng, mean_ms: f64, count: u64) -> Latencies {
    let mut all = Latency::new();
    let off = 1.0 + 0.001 * normal(rng);
    for i in 0..count {
        let p = (i as f64 + 0.5) / count as f64;
        all.record(Duration::from_secs_f64(-ln(1.0 - p) * mean_ms * off / 1e3));
    }
    let steps = 110;
    let per_step: Vec<(u64, u64)> = (0..steps)
        .map(|_| {
            let n = count / steps;
            (n, (n as f64 * mean_ms * off * 1e6 * (1.0 + 0.02 * normal(rng))) as u64)
        })
        .collect();
    let distribution = Distribution {
        max: all.max().unwrap_or_default(),
        curve: vec![(0.0, all.min().unwrap_or_default())],
        profile: all.profile(),
        sum_ns: all.sum_nanos(),
        ..Distribution::default()
    };
    Latencies::of(&distribution, &per_step)
}

/// A fault in the middle: two strategies, one of which goes on sending to what is broken.
pub(crate) fn failure() -> Results {
    let mut plan = plan("black-hole", vec![axis("strategy", &["p2c", "peak_ewma", "round_robin"])], 5);
    plan.title = "One instance fails fast: who goes on sending to it?".into();
    plan.axes[0].numbers = None;
    plan.comparison = Some(Comparison { axis: 0, measures: vec![Measure::Errors, Measure::P99], against: Some(2) });
    plan.cells.iter_mut().for_each(|c| c.utilization = Some(0.7));
    let mut results = unrun(plan);
    for strategy in 0..3 {
        for seed in 0..5 {
            let mut rng = Seed(seed as u64 + 1).stream(&format!("failure {strategy}"));
            let mut sample = run(&mut rng, 0.7, 2.0, strategy);
            sample.faults =
                vec![Fault { name: "black-hole".into(), from_ns: 40_000_000_000, until_ns: 70_000_000_000 }];
            let share = [0.6, 0.95, 0.1][strategy];
            let mut failed = 0;
            for step in 40..70 {
                let n = (f64::from(sample.series.arrived[step]) * share * (1.0 + 0.05 * normal(&mut rng))) as u32;
                let n = n.min(sample.series.arrived[step]);
                sample.series.failed[step] = n;
                sample.series.succeeded[step] = sample.series.arrived[step] - n;
                failed += n;
            }
            sample.set(Measure::Errors, f64::from(failed) / 84_000.0);
            results.samples.insert((strategy, seed), if seed > 0 { sample.without_heat() } else { sample });
        }
    }
    results
}

/// Hashing structures over numbers of backends: ring, Maglev and jump, by their closed forms and a little noise.
pub(crate) fn hashing() -> Results {
    let axes =
        vec![axis("structure", &["ring, 160 points", "maglev", "jump"]), axis("backends", &["3", "10", "100", "1000"])];
    let mut plan = plan("ring-balance", axes, 3);
    plan.title = "How evenly, and what moves".into();
    plan.kind = Kind::Hashing;
    plan.service = String::new();
    plan.axes[0].numbers = None;
    plan.comparison = Some(Comparison { axis: 0, measures: vec![Measure::Balance, Measure::Moved], against: None });
    let mut results = unrun(plan);
    for (c, cell) in results.plan.cells.iter().enumerate() {
        let n = [3usize, 10, 100, 1_000][cell.at[1]];
        for s in 0..3 {
            let mut rng = Seed(s as u64 + 1).stream(&format!("hashing {c}"));
            let sd = [0.08, 0.002, 0.01][cell.at[0]];
            let keys: Vec<u64> = (0..n)
                .map(|i| {
                    let p = (i as f64 + 0.5) / n as f64;
                    (1_000.0 * (1.0 + sd * (normal_quantile(p) + 0.1 * normal(&mut rng)))).round() as u64
                })
                .collect();
            let ideal = 1.0 / n as f64;
            let moved = ideal * [1.0, 1.0 + pow(n as f64, 0.6) / 10.0, 1.0][cell.at[0]];
            let facts = Filling {
                keys_per_backend: &keys,
                moved: (cell.at[0] != 2).then_some((moved * (1.0 + 0.01 * normal(&mut rng)), ideal)),
                added: Some(moved),
                entries: [160 * n as u64, 65_537, 0][cell.at[0]],
                bytes: [160 * n as u64 * 12, 65_537 * 4, 24][cell.at[0]],
            };
            results.samples.insert((c, s), Sample::of_filling(&facts));
        }
    }
    results
}

/// A sweep whose names try to break out of wherever they are written.
pub(crate) fn hostile() -> Results {
    let bad = "</script><script>alert(\"1\")</script>&amp;'\u{1b}[31m, Ωß 天気";
    let mut results = sweep_of(&["random", bad], &["50%", "105%"], 2);
    results.plan.name = "hostile".into();
    results.plan.title = bad.into();
    results.plan.question = bad.into();
    results.origin.text = bad.into();
    results.origin.file = bad.into();
    results.plan.axes[1].name = bad.into();
    results
}
