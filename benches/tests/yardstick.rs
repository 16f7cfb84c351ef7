//! The yardstick measures what the world measures: both agree with theory where there is one, and with each other.

#[path = "../worlds/full_stack.rs"]
mod full_stack;
#[path = "../worlds/study.rs"]
mod study;

use base::{Duration, Seed};
use benches::{Model, heap_loop};
use world::{Options, Outcome, Spec, Verdict};

const SEEDS: u64 = 10;

/// Many servers, long enough for a mean to within one or two per cent.
fn model(hop: Duration) -> Model {
    let model = Model::bench(1_000, 450_000);
    let warmup = Duration::ms(100);
    Model { hop, warmup, lasts: warmup + model.lasts, ..model }
}

fn run(spec: &Spec, seed: u64) -> Outcome {
    let outcome = world::run(spec, Seed(seed), &Options::default()).outcome;
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    assert_eq!(outcome.requests.failed, 0, "{:?}", outcome.requests);
    outcome
}

/// The mean of the supermarket model with two choices and infinitely many servers, in service times:
/// Σ λ^(2^i − 2) for i ≥ 1 (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001, theorem 2).
fn two_choices(load: f64) -> f64 {
    let exponents = std::iter::successors(Some(0u32), |k| Some(2 * k + 2)).take_while(|&k| k < 10_000);
    exponents.map(|k| load.powf(f64::from(k))).sum()
}

#[test]
fn the_theory_is_the_published_number() {
    assert!((two_choices(0.9) - 2.614).abs() < 0.001, "{}", two_choices(0.9));
}

#[test]
fn without_hops_the_loop_and_the_world_are_the_supermarket_model() {
    let model = model(Duration::ZERO);
    let theory = two_choices(model.load);
    let by_loop = heap_loop::run(&model, 1).mean_ms;
    let by_world = run(&study::world(&model), 1).latency.mean.as_millis_f64();
    for mean in [by_loop, by_world] {
        assert!((mean / theory - 1.0).abs() < 0.02, "{mean} ms, and theory says {theory} ms");
    }
}

#[test]
fn with_hops_the_loop_and_the_world_agree() {
    let model = model(Duration::us(250));
    let loops: Vec<heap_loop::Summary> = (1..=SEEDS).map(|seed| heap_loop::run(&model, seed)).collect();
    let worlds: Vec<Outcome> = (1..=SEEDS).map(|seed| run(&study::world(&model), seed)).collect();
    let agree = |what: &str, loops: Vec<f64>, worlds: Vec<f64>| {
        let (a, b) = (mean_and_variance(&loops), mean_and_variance(&worlds));
        // Welch's interval for the difference; Student's quantile for 99 % at the nine degrees of freedom there are at
        // least.
        let half = 3.25 * ((a.1 + b.1) / SEEDS as f64).sqrt();
        assert!((a.0 - b.0).abs() < half, "{what}: the loop {loops:?}, the world {worlds:?}");
        // An interval that everything fits in would show nothing.
        assert!(half < 0.02 * a.0, "{what}: ± {half} at {}", a.0);
    };
    let by_loop = |f: fn(&heap_loop::Summary) -> f64| loops.iter().map(f).collect();
    let by_world = |f: fn(&Outcome) -> f64| worlds.iter().map(f).collect();
    agree("mean", by_loop(|s| s.mean_ms), by_world(|o| o.latency.mean.as_millis_f64()));
    agree("requests", by_loop(|s| s.measured as f64), by_world(|o| o.latency.count as f64));
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0))
}

#[test]
fn the_full_stack_serves_the_same_load_through_all_its_parts() {
    let model = Model { warmup: Duration::ms(500), lasts: Duration::secs(2), ..Model::bench(100, 1) };
    let outcome = run(&full_stack::world(&model), 1);
    let arrivals = model.rate() * 1.5;
    assert!((outcome.requests.sent as f64 / arrivals - 1.0).abs() < 0.02, "{:?}", outcome.requests);
    let tested = |name| outcome.checks.iter().find(|c| c.name == name).map_or(0, |c| c.tested);
    assert!(tested("no_route_to_the_dead") > outcome.requests.sent, "{:?}", outcome.checks);
    // Four hops, and service that cannot be better balanced than by two choices that know everything.
    let least = 4.0 * 0.25 + two_choices(model.load) * 0.98;
    assert!(outcome.latency.mean.as_millis_f64() > least, "{:?}", outcome.latency);
    let calls: Vec<(&str, u64)> = outcome.services.iter().map(|s| (s.name.as_str(), s.requests.sent)).collect();
    assert!(calls.iter().all(|&(_, n)| n as f64 > 0.99 * arrivals), "{calls:?}");
}
