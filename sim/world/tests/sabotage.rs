//! A test that cannot fail is a defect, and so is an invariant: for each there is a planted bug that it catches, and
//! that no run without the bug shows.

use crate::common::{canary, ideal, poisson, rolling, service, stack};
use base::{Duration, Instant, Ratio, Seed};
use kernel::{Crash, Fault, Selector, fault};
use world::outcome::CheckKind;
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
        kind: fault::Crash { whom: Selector::Name("backend-2".into()), how: Crash::Process }.into(),
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
fn a_queue_that_is_forgotten() {
    let mut spec = ideal(vec![service("api", 2)], poisson(1_800.0), Duration::ZERO, Duration::secs(2));
    spec.expect.checks.push((CheckKind::Eventually, "backlog_drains".into()));
    catches(&spec, Sabotage::ForgetTheQueue, "backlog_drains", Verdict::Liveness);
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
fn a_rollback_that_begins_with_a_promotion() {
    let mut spec = stack();
    spec.rollouts = vec![canary()];
    catches(&spec, Sabotage::RaiseTheRejected, "no_traffic_to_the_rejected", Verdict::Safety);
    let options = Options { sabotage: Some(Sabotage::RaiseTheRejected), ..Options::default() };
    let checks = run(&spec, Seed(5), &options).outcome.checks;
    let said = checks.iter().find(|check| check.name == "no_traffic_to_the_rejected").and_then(|c| c.first.as_ref());
    let said = format!("{said:?}");
    assert!(said.contains("to 1.1.0, whose rollback began at"), "versions have their names: {said}");
}

#[test]
fn an_instance_that_never_comes_back() {
    let spec = Spec { rollouts: Vec::new(), ..eventful() };
    catches(&spec, Sabotage::NeverComeBack, "only_wanted_instances", Verdict::Liveness);
}

#[test]
fn instances_that_an_earlier_rollout_left_behind() {
    // A lock that is lost in the middle of the first rollout lets the second one begin, if that one asks first.
    let mut spec = stack();
    let version = spec.services[1].versions[1].clone();
    spec.services[1].versions[1].error_rate = Ratio::ZERO;
    spec.services[1].versions.push(world::spec::VersionSpec { error_rate: Ratio::ZERO, ..version });
    let path = kernel::Path {
        from: Selector::Name("controller".into()),
        to: Selector::Name("coordination".into()),
        one_way: false,
    };
    spec.rollouts = vec![canary(), world::spec::RolloutSpec { to: base::VersionId(2), ..rolling() }];
    spec.phases.storm = Duration::secs(150);
    spec.faults = vec![Fault {
        name: "cut".into(),
        at: spec.rollouts[0].at + Duration::secs(10),
        lasts: Some(Duration::secs(30)),
        kind: fault::Partition { path }.into(),
    }];
    let took_over = |spec: &Spec| {
        let outcome = run(spec, Seed(5), &Options::default()).outcome;
        outcome.rollouts[0].history.iter().any(|(_, text)| text.contains("a later rollout took its place"))
    };
    let mut later = (0..25).map(|tick| {
        let mut spec = spec.clone();
        spec.rollouts[1].at = spec.rollouts[0].at + Duration::ms(20_000 + 200 * tick);
        spec
    });
    let spec = later.find(took_over).expect("they ask every five seconds");
    catches(&spec, Sabotage::OverlookTheRest, "only_wanted_instances", Verdict::Liveness);
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
