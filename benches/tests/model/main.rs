//! An independent model agrees with the simulator: one slow server of five, finite queues, timeouts, retries under a
//! budget.
//!
//! `plain` is that system as a loop which shares nothing with the simulator. Both are run under ten seeds; of errors,
//! goodput, 99th percentile and retries, the difference of the means must lie in a Welch interval of 99.9 %, which must
//! be narrow enough to tell something.

mod plain;
#[path = "../../worlds/study.rs"]
mod study;

use base::{Duration, Ratio, Seed};
use plain::{Choice, Seen};
use world::balancer::Strategy;
use world::spec::{Arrivals, Spec};
use world::traffic::{Backoff, ClassSet, Policy, RetryBudget, RetryPolicy};
use world::{Options, run};

const SEEDS: u64 = 10;

fn model(choice: Choice, rate: f64, previous_hosts: u32) -> plain::Model {
    plain::Model {
        choice,
        rate,
        slowdowns: [1.0, 1.0, 1.0, 1.0, 8.0],
        places: 4,
        queue: 8,
        service: 0.010,
        hop: 0.000_5,
        timeout: 0.300,
        per_try: 0.080,
        retries: 2,
        backoff: (0.025, 0.250),
        budget: (0.2, 3),
        previous_hosts,
        warmup: 2.0,
        measured: 40.0,
    }
}

/// The same system, as a scenario would describe it.
fn spec(model: &plain::Model) -> Spec {
    let span = Duration::from_secs_f64;
    let mut spec = study::world(&benches::Model {
        servers: 5,
        service: span(model.service),
        hop: span(model.hop),
        warmup: span(model.warmup),
        lasts: span(model.warmup + model.measured),
        ..benches::Model::bench(5, 1)
    });
    spec.loads[0].arrivals = Arrivals::Poisson { rate: model.rate };
    let service = &mut spec.services[0];
    service.concurrency = model.places as u32;
    service.queue_limit = Some(model.queue as u32);
    service.template.speeds = model.slowdowns.iter().map(|slowdown| 1.0 / slowdown).collect();
    service.balancer = match model.choice {
        Choice::Random => Strategy::RANDOM,
        Choice::RoundRobin => Strategy::ROUND_ROBIN,
        Choice::TwoDifferent => Strategy::P2C,
        Choice::TwoDraws => Strategy::LEAST_REQUEST,
    };
    let (base, max) = model.backoff;
    let (share, min_concurrency) = model.budget;
    service.policy = Policy {
        timeout: Some(span(model.timeout)),
        retry: Some(RetryPolicy {
            max_retries: model.retries,
            retry_on: ClassSet::FAILURES,
            backoff: Backoff::Envoy { base: span(base), max: span(max) },
            per_try_timeout: Some(span(model.per_try)),
            previous_hosts: model.previous_hosts,
        }),
        budget: RetryBudget::Active {
            share: Ratio::percent((share * 100.0).round() as u32),
            min_concurrency: min_concurrency as u32,
        },
        ..Policy::none()
    };
    spec
}

fn simulated(spec: &Spec, seed: u64) -> Seen {
    let outcome = run(spec, Seed(seed), &Options::default()).outcome;
    let requests = &outcome.requests;
    let measured = (spec.phases.storm + spec.phases.calm).as_secs_f64();
    Seen {
        errors: 1.0 - requests.succeeded as f64 / requests.sent as f64,
        goodput: requests.succeeded as f64 / measured,
        p99: outcome.latency.p99.as_secs_f64(),
        retries: requests.retries as f64 / requests.sent as f64,
    }
}

/// Mean and variance of the mean.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0) / n)
}

type Figure = fn(&Seen) -> f64;

fn agree(choice: Choice, rate: f64, previous_hosts: u32) {
    let model = model(choice, rate, previous_hosts);
    let spec = spec(&model);
    let ours: Vec<Seen> = (1..=SEEDS).map(|seed| simulated(&spec, seed)).collect();
    let theirs: Vec<Seen> = (1..=SEEDS).map(|seed| plain::run(model, seed)).collect();
    let figures: [(&str, Figure, f64); 4] = [
        // How wide the interval may be beyond a share of the figure.
        ("errors", |seen| seen.errors, 0.005),
        ("goodput", |seen| seen.goodput, 0.0),
        ("p99", |seen| seen.p99, 0.0),
        ("retries", |seen| seen.retries, 0.005),
    ];
    for (name, figure, slack) in figures {
        let (a, va) = moments(&ours.iter().map(figure).collect::<Vec<_>>());
        let (b, vb) = moments(&theirs.iter().map(figure).collect::<Vec<_>>());
        // Student's t at 99.9 % with 18 degrees of freedom; percentiles stand in buckets 0.8 % wide.
        let width = 3.922 * (va + vb).sqrt() + if name == "p99" { 0.008 * b } else { 0.0 };
        let said = format!("{choice:?} at {rate}/s, previous hosts {previous_hosts}: {name} {a:.5}, plain {b:.5}");
        assert!((a - b).abs() <= width, "{said}, more than {width:.5} apart");
        assert!(width <= 0.08 * b + slack, "{said}: ± {width:.5} tells nothing");
    }
}

/// Four fast servers of 400 requests a second, and a slow one of 50.
const LOADS: [f64; 2] = [900.0, 1_500.0];

#[test]
fn random() {
    LOADS.into_iter().for_each(|rate| [0, 5].into_iter().for_each(|hosts| agree(Choice::Random, rate, hosts)));
}

#[test]
fn round_robin() {
    LOADS.into_iter().for_each(|rate| [0, 5].into_iter().for_each(|hosts| agree(Choice::RoundRobin, rate, hosts)));
}

#[test]
fn two_different() {
    LOADS.into_iter().for_each(|rate| [0, 5].into_iter().for_each(|hosts| agree(Choice::TwoDifferent, rate, hosts)));
}

#[test]
fn two_draws() {
    LOADS.into_iter().for_each(|rate| [0, 5].into_iter().for_each(|hosts| agree(Choice::TwoDraws, rate, hosts)));
}

#[test]
fn avoiding_previous_hosts_helps_and_by_how_much_both_say() {
    let errors = |hosts| plain::run(model(Choice::Random, 900.0, hosts), 1).errors;
    assert!(errors(0) > 1.1 * errors(5), "{} {}", errors(0), errors(5));
}
