//! Calls that wait in line at their caller: how they leave it, whatever happens meanwhile, each of them once.

use crate::chaos::{self, keeps_its_promises};
use crate::common::{canary, ideal, poisson, service, stack};
use balancer::Strategy;
use balancer::strategy::parameter::Value;
use base::{Dist, Duration, Instant, Ratio, Seed};
use kernel::{Crash, Fault, Selector, fault};
use traffic::{Limits, Policy, RetryPolicy};
use world::spec::{Arrivals, ServiceSpec};
use world::{Options, Outcome, Spec, Verdict, run};

fn one_each() -> Strategy {
    Strategy::BOUNDED_SHORTEST_QUEUE.count("bound", 1)
}

/// Two servers that can bear 2,000 requests a second.
fn at_rate(rate: f64, policy: Policy) -> Outcome {
    let api = ServiceSpec { balancer: one_each(), policy, ..service("api", 2) };
    let spec = ideal(vec![api], poisson(rate), Duration::secs(1), Duration::secs(10));
    let outcome = run(&spec, Seed(1), &Options::default()).outcome;
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    outcome
}

fn errors(outcome: &Outcome, name: &str) -> u64 {
    outcome.requests.errors.iter().find(|(error, _)| *error == name).map_or(0, |(_, n)| *n)
}

#[test]
fn whoever_waits_too_long_leaves_the_line() {
    let policy = Policy { timeout: Some(Duration::ms(20)), ..Policy::none() };
    let outcome = at_rate(1_900.0, policy);
    let timeouts = errors(&outcome, "timeout");
    assert_eq!(outcome.requests.failed, timeouts, "{:?}", outcome.requests);
    let share = timeouts as f64 / outcome.requests.sent as f64;
    assert!((0.005..0.1).contains(&share), "{share}");
    assert!(outcome.latency.max <= Duration::ms(20), "{:?}", outcome.latency);
}

#[test]
fn a_line_is_as_long_as_limits_allow() {
    let limits = Limits { max_pending: 10, ..Limits::UNLIMITED };
    let outcome = at_rate(4_000.0, Policy { limits, ..Policy::none() });
    assert_eq!(outcome.requests.failed, errors(&outcome, "overflow"), "{:?}", outcome.requests);
    let share = outcome.requests.succeeded as f64 / outcome.requests.sent as f64;
    assert!((0.47..0.53).contains(&share), "half of what arrives can be served: {share}");
    // Ten in line for two servers: those that are let in wait for about five services.
    let mean = outcome.latency.mean.as_millis_f64() / share;
    assert!((5.0..6.0).contains(&mean), "{mean} ms");
}

#[test]
fn the_line_is_served_in_the_order_of_arrival() {
    // One server that always takes a millisecond: M/D/1, whatever part of the queue is where.
    let with = |strategy| {
        let service_time = Dist::Constant(Duration::ms(1));
        let api = ServiceSpec { balancer: strategy, service_time, ..service("api", 1) };
        let spec = ideal(vec![api], poisson(900.0), Duration::secs(1), Duration::secs(20));
        run(&spec, Seed(4), &Options::default()).outcome.latency
    };
    assert_eq!(with(one_each()), with(Strategy::FULL_SCAN));
}

/// All instances die at once and come back.
fn outage(policy: Policy) -> Outcome {
    let api = ServiceSpec { balancer: one_each(), policy, ..service("api", 3) };
    let mut spec = ideal(vec![api], poisson(2_700.0), Duration::secs(1), Duration::secs(10));
    spec.faults = vec![Fault {
        name: "outage".into(),
        at: Instant::from_secs(4),
        lasts: Some(Duration::secs(2)),
        kind: fault::Crash { whom: Selector::Tag("api".into()), how: Crash::Process }.into(),
    }];
    let outcome = run(&spec, Seed(1), &Options::default()).outcome;
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    outcome
}

#[test]
fn nobody_waits_for_instances_that_are_gone() {
    let outcome = outage(Policy::none());
    // Two seconds down and one of starting up, at 2,700 a second.
    let unavailable = errors(&outcome, "unavailable");
    assert!((7_500..8_700).contains(&unavailable), "{:?}", outcome.requests);
    assert_eq!(errors(&outcome, "reset"), 3, "one under way at each: {:?}", outcome.requests);
    assert_eq!(outcome.requests.failed, unavailable + 3, "{:?}", outcome.requests);
}

#[test]
fn retries_wait_in_line_like_everybody() {
    let retry = RetryPolicy { per_try_timeout: Some(Duration::ms(3)), ..Policy::envoy().retry.unwrap() };
    let policy = Policy { retry: Some(retry), timeout: Some(Duration::ms(500)), ..Policy::none() };
    let outcome = outage(policy);
    assert!(outcome.requests.retries > 500, "{:?}", outcome.requests);
    assert!(errors(&outcome, "timeout") > 10 && outcome.requests.succeeded > 15_000, "{:?}", outcome.requests);
    assert!(outcome.latency.max <= Duration::ms(500), "{:?}", outcome.latency);
}

/// A stack whose services are so busy that callers' lines are rarely empty.
fn busy(mut spec: Spec) -> Spec {
    for service in &mut spec.services {
        service.balancer = one_each();
        service.service_time = Dist::Exponential { mean: Duration::ms(40) };
    }
    spec
}

#[test]
fn each_version_has_its_line() {
    let mut spec = busy(stack());
    spec.rollouts = vec![canary()];
    spec.services[1].versions[1].error_rate = Ratio::ZERO;
    spec.phases.storm = Duration::secs(90);
    spec.loads[0].arrivals = Arrivals::Poisson { rate: 110.0 };
    for seed in 1..=3 {
        let outcome = keeps_its_promises(&spec, seed);
        assert!(outcome.requests.failed < outcome.requests.sent / 20, "{:?}", outcome.requests);
        assert_eq!(outcome.rollouts[0].phase, "completed", "{:#?}", outcome.rollouts);
        let served: Vec<u64> = outcome.services[1].versions.iter().map(|v| v.attempts).collect();
        assert!(served.iter().all(|&n| n > 500), "{served:?}");
    }
}

#[test]
fn whatever_happens_every_call_in_line_ends_once() {
    for seed in 1..=25 {
        keeps_its_promises(&busy(chaos::spec(seed)), seed);
    }
}

#[test]
fn whatever_happens_shared_knowledge_is_kept() {
    let knowing = |strategy: Strategy, word| strategy.with("knowledge", Value::Word(word)).expect("it counts requests");
    let ways = [
        Strategy::JOIN_IDLE_QUEUE,
        Strategy::JOIN_IDLE_QUEUE.with("withdraw", Value::Switch(false)).expect("a switch"),
        knowing(Strategy::FULL_SCAN, "shared"),
        knowing(Strategy::P2C, "stale"),
    ];
    for seed in 1..=12 {
        let mut spec = chaos::spec(seed);
        for service in &mut spec.services {
            service.balancer = ways[seed as usize % ways.len()];
        }
        keeps_its_promises(&spec, seed);
    }
}
