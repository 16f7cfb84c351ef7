//! The yardsticks of queueing theory: strategies that know more than a client can, against what theory says of them,
//! and the crossovers that follow from knowing less.
//!
//! Where there is a number, sixteen runs must contain it in an interval of 99.9 % that is narrower than 2 %. Where
//! there is only an order, it must hold under each seed: runs of one seed meet the same requests, with the same service
//! times.

use crate::common::{ideal, poisson, service};
use balancer::Strategy;
use balancer::strategy::parameter::Value;
use base::{Duration, Seed};
use world::spec::{ServiceSpec, Spec};
use world::theory::{self, shorter_of_two};
use world::{Options, Verdict, run};

/// Student's t for a two-sided interval that holds 999 times in a thousand, with 14 degrees of freedom.
const T_14: f64 = 4.140;
const RUNS: u64 = 16;

fn system(strategy: Strategy, instances: u32, rho: f64, warmup: Duration, measured: Duration) -> Spec {
    let api = ServiceSpec { balancer: strategy, ..service("api", instances) };
    ideal(vec![api], poisson(rho * f64::from(instances) * 1_000.0), warmup, measured)
}

/// The same through `callers` clients.
fn split(mut spec: Spec, callers: u32) -> Spec {
    spec.loads[0].sources = callers;
    spec
}

fn knowing(strategy: Strategy, knowledge: &'static str) -> Strategy {
    strategy.with("knowledge", Value::Word(knowledge)).expect("it counts requests")
}

/// By a board that is posted every `period` services.
fn stale(strategy: Strategy, period: f64) -> Strategy {
    let span = Duration::from_secs_f64(period / 1_000.0);
    knowing(strategy, "stale").with("refresh", Value::Span(span)).expect("a period")
}

/// The mean response of the first service under a seed, in milliseconds, and the share of its servers that was busy.
fn response_and_utilisation(spec: &Spec, seed: u64) -> (f64, f64) {
    let outcome = run(spec, Seed(seed), &Options::default()).outcome;
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    let servers = &outcome.services[0].instances;
    let busy = servers.iter().map(|server| server.utilisation).sum::<f64>() / servers.len() as f64;
    (outcome.latency.mean.as_millis_f64(), busy)
}

/// The mean response of a service with a load of `rho` over all runs, in milliseconds, and half the width of its
/// interval of 99.9 %.
///
/// At high load nearly all that runs differ by is how much work happened to arrive, and what should have arrived is
/// known: the utilisation is a control variate (Law and Kelton, "Simulation Modeling and Analysis", section 11.4).
fn mean_response(spec: &Spec, rho: f64) -> (f64, f64) {
    let n = RUNS as f64;
    let runs: Vec<(f64, f64)> = (1..=RUNS).map(|seed| response_and_utilisation(spec, seed)).collect();
    let response = runs.iter().map(|(response, _)| response).sum::<f64>() / n;
    let busy = runs.iter().map(|(_, busy)| busy).sum::<f64>() / n;
    let products = |of: fn(f64, f64) -> f64| runs.iter().map(|(r, b)| of(r - response, b - busy)).sum::<f64>();
    let squares = products(|_, b| b * b);
    let slope = products(|r, b| r * b) / squares;
    let residual = (products(|r, _| r * r) - slope * slope * squares) / (n - 2.0);
    let half_width = T_14 * (residual * (1.0 / n + (busy - rho) * (busy - rho) / squares)).sqrt();
    (response - slope * (busy - rho), half_width)
}

/// The mean response under a seed, in services.
fn mean(spec: &Spec, seed: u64) -> f64 {
    response_and_utilisation(spec, seed).0
}

/// Compares the mean at a load of `rho` with theory, which may itself be off by a share of `slack`: it is for
/// infinitely many servers. An error of a share of `narrow` must be outside of what passes.
fn holds(spec: &Spec, rho: f64, exact: f64, slack: f64, narrow: f64) {
    let (mean, half_width) = mean_response(spec, rho);
    let said = format!("{}: {mean:.4} ± {half_width:.4} ms, theory {exact:.4} ms", spec.services[0].balancer);
    assert!((mean - exact).abs() <= half_width + slack * exact, "{said}");
    assert!(half_width + slack * exact < narrow * exact, "too short to see an error of {narrow}: {said}");
}

#[test]
fn more_choices_are_the_supermarket_model() {
    for (choices, rho, measured) in
        [(3, 0.9, 160), (5, 0.9, 160), (10, 0.9, 160), (2, 0.7, 100), (3, 0.5, 50), (5, 0.5, 50), (10, 0.5, 50)]
    {
        let strategy = Strategy::P2C.count("choices", choices);
        let spec = system(strategy, 1_000, rho, Duration::ms(100), Duration::ms(measured));
        holds(&spec, rho, theory::supermarket(choices as u32, rho).mean, 0.003, 0.02);
    }
}

#[test]
fn many_callers_that_know_everything_are_one() {
    let spec = system(knowing(Strategy::FULL_SCAN, "shared"), 2, 0.7, Duration::secs(1), Duration::secs(150));
    holds(&split(spec, 5), 0.7, shorter_of_two(1.0, 0.7).mean, 0.0, 0.02);
    let spec = system(knowing(Strategy::LEAST_REQUEST, "shared"), 2, 0.5, Duration::secs(1), Duration::secs(100));
    holds(&split(spec, 3), 0.5, shorter_of_two(0.75, 0.5).mean, 0.0, 0.02);
    let spec = system(knowing(Strategy::P2C, "shared"), 1_000, 0.7, Duration::ms(60), Duration::ms(80));
    holds(&split(spec, 20), 0.7, theory::supermarket(2, 0.7).mean, 0.003, 0.02);
}

#[test]
fn idle_queues_have_their_two_means() {
    for (rho, measured) in [(0.5, 50), (0.7, 70), (0.8, 130), (0.9, 400)] {
        idle_queue_struck_off(rho, measured);
        idle_queue_kept(rho, measured);
    }
}

// At high load lists are nearly always empty and servers nearly always busy: everything takes long, also to be seen.
// Five hundred servers are a hundredth above the limit of many there.

#[test]
fn idle_queues_under_high_load_have_their_mean_when_struck_off() {
    idle_queue_struck_off(0.95, 1_200);
}

#[test]
fn idle_queues_under_high_load_have_their_mean_when_kept() {
    idle_queue_kept(0.95, 1_200);
}

fn idle_queue_struck_off(rho: f64, measured_ms: u64) {
    idle_queue(Strategy::JOIN_IDLE_QUEUE, rho, measured_ms, theory::join_idle_queue_struck_off(10.0, rho).mean);
}

fn idle_queue_kept(rho: f64, measured_ms: u64) {
    let kept = Strategy::JOIN_IDLE_QUEUE.with("withdraw", Value::Switch(false)).expect("a switch");
    idle_queue(kept, rho, measured_ms, theory::join_idle_queue_kept(10.0, rho).mean);
}

fn idle_queue(strategy: Strategy, rho: f64, measured_ms: u64, exact: f64) {
    let spec = system(strategy, 500, rho, Duration::ms(150), Duration::ms(measured_ms));
    let slack = if rho > 0.9 { 0.012 } else { 0.003 };
    holds(&split(spec, 50), rho, exact, slack, 0.02);
}

#[test]
fn a_line_before_servers_of_one_request_each_is_a_central_queue() {
    let one = Strategy::BOUNDED_SHORTEST_QUEUE.count("bound", 1);
    for (rho, measured) in [(0.7, 3), (0.8, 20)] {
        let spec = system(one, 10, rho, Duration::secs(1), Duration::secs(measured));
        holds(&spec, rho, theory::mmc(10, rho).mean, 0.0, 0.02);
    }
}

#[test]
fn knowing_more_is_never_worse() {
    let p2c = |choices| Strategy::P2C.count("choices", choices);
    let in_order = [
        Strategy::BOUNDED_SHORTEST_QUEUE.count("bound", 1),
        Strategy::FULL_SCAN,
        p2c(10),
        p2c(5),
        p2c(3),
        p2c(2),
        Strategy::RANDOM,
    ];
    for rho in [0.7, 0.9] {
        for seed in 1..=3 {
            let means = in_order.map(|s| mean(&system(s, 100, rho, Duration::ms(500), Duration::secs(2)), seed));
            assert!(means.is_sorted(), "{means:?} at {rho}");
        }
    }
}

#[test]
fn old_news_make_the_shortest_queue_the_worst_choice() {
    let ways = [Strategy::FULL_SCAN, Strategy::P2C, Strategy::P2C.count("choices", 3)];
    for seed in 1..=3 {
        let run = |strategy| {
            let spec = system(strategy, 100, 0.9, Duration::ms(500), Duration::ms(1_500));
            mean(&split(spec, 4), seed)
        };
        let at = |period: f64| ways.map(|strategy| run(stale(strategy, period)));
        let random = run(Strategy::RANDOM);
        let [shortest, two, three] = at(0.1);
        assert!(shortest < three && three < two, "fresh news: {shortest} {three} {two}");
        let [shortest, two, three] = at(1.0);
        assert!(three < two && two < shortest && shortest < random, "{three} {two} {shortest}");
        for period in [5.0, 10.0] {
            let [shortest, two, three] = at(period);
            assert!(two < three && three < random && random < shortest, "{two} {three} {random} {shortest}");
        }
    }
}

#[test]
fn round_robin_beats_two_choices_while_there_is_little_to_do() {
    for seed in 1..=5 {
        let run = |strategy, rho| mean(&system(strategy, 100, rho, Duration::ms(500), Duration::secs(4)), seed);
        let [turns, two] = [Strategy::ROUND_ROBIN, Strategy::P2C].map(|strategy| run(strategy, 0.5));
        assert!(turns < two, "{turns} {two}");
        let [turns, two] = [Strategy::ROUND_ROBIN, Strategy::P2C].map(|strategy| run(strategy, 0.7));
        assert!(turns > two, "{turns} {two}");
    }
}
