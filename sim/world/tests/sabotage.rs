//! A test that cannot fail is a defect, and so is an invariant: for each there is a planted bug that it catches, and that no
//! run without the bug shows.

use crate::common::{canary, ideal, poisson, rolling, service, stack};
use base::{Duration, Instant, Ratio, Seed};
use kernel::{Crash, Fault, FaultKind, Selector};
use world::spec::Spec;
use world::{Options, Sabotage, Verdict, run};

/// A stack in which one backend dies for a while and a good canary is rolled out.
fn eventful() -> Spec {
    let mut spec = stack();
    spec.rollouts = vec![canary()];
    spec.services[1].versions[1].error_rate = Ratio::ZERO;
    spec.faults = vec![Fault {
        name: "crash".into(),
        at: Instant::from_secs(30),
        lasts: Some(Duration::secs(5)),
        kind: FaultKind::Crash(Selector::Name("backend-2".into()), Crash::Process),
    }];
    spec
}

/// The invariant `name` holds in `spec`, and catches `sabotage`, and the run says so.
fn catches(spec: &Spec, sabotage: Sabotage, name: &str, verdict: Verdict) {
    let violations = |sabotage: Option<Sabotage>| {
        let outcome = run(spec, Seed(5), &Options { sabotage, ..Options::default() }).outcome;
        let check = outcome.checks.iter().find(|c| c.name == name).expect("shown").clone();
        (check, outcome)
    };
    let (healthy, _) = violations(None);
    assert!(healthy.violations == 0 && healthy.tested > 0, "without the bug: {healthy:?}");
    let (caught, outcome) = violations(Some(sabotage));
    assert!(caught.violations > 0 && caught.first.is_some(), "{sabotage:?} went unnoticed: {caught:?}");
    assert!(outcome.verdict >= verdict, "{:?}", outcome.failure);
}

#[test]
fn a_request_that_ends_twice() {
    let spec = ideal(vec![service("api", 2)], poisson(500.0), Duration::ZERO, Duration::secs(2));
    catches(&spec, Sabotage::EndTwice, "every_request_ends_once", Verdict::Safety);
}

#[test]
fn a_request_that_never_ends() {
    let spec = ideal(vec![service("api", 2)], poisson(500.0), Duration::ZERO, Duration::secs(2));
    catches(&spec, Sabotage::NeverEnd, "every_request_ends_once", Verdict::Safety);
}

#[test]
fn a_choice_that_the_view_does_not_list() {
    let mut spec = eventful();
    // A single frontend whose neighbour in the table of instances is a backend.
    spec.services[0].instances = 1;
    catches(&spec, Sabotage::RouteToTheUnlisted, "no_route_to_the_dead", Verdict::Safety);
}

#[test]
fn an_instance_that_miscounts() {
    catches(&eventful(), Sabotage::LoseCount, "in_flight_is_conserved", Verdict::Safety);
}

#[test]
fn a_latency_that_is_a_microsecond_short() {
    catches(&eventful(), Sabotage::LateArrivals, "littles_law", Verdict::Safety);
}

#[test]
fn a_rollout_that_surges_too_far() {
    let mut spec = eventful();
    spec.rollouts = vec![rolling()];
    catches(&spec, Sabotage::SurgeTwice, "rollout_within_budget", Verdict::Safety);
}

#[test]
fn a_canary_that_gets_too_much() {
    catches(&eventful(), Sabotage::Overweight, "rollout_within_budget", Verdict::Safety);
}

#[test]
fn an_order_under_an_old_token() {
    catches(&eventful(), Sabotage::IgnoreTokens, "one_rollout_at_a_time", Verdict::Safety);
}

#[test]
fn pushes_that_vanish() {
    catches(&eventful(), Sabotage::LosePushes, "views_converge", Verdict::Liveness);
}

#[test]
fn a_lock_that_is_never_granted() {
    catches(&eventful(), Sabotage::LoseGrants, "rollout_settles", Verdict::Liveness);
}

#[test]
fn a_rollback_that_leaves_the_split() {
    let mut spec = stack();
    spec.rollouts = vec![canary()];
    catches(&spec, Sabotage::KeepSplit, "rollback_restores", Verdict::Liveness);
}
