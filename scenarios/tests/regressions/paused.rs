//! What reaches a process while it is paused waits for it, and a process that is paused does nothing.

use crate::common::{check, outcome, outcome_of};
use base::{Duration, Instant};

#[test]
fn a_rollout_asked_of_a_paused_controller_begins_when_it_goes_on() {
    let outcome = outcome("rollout-asked-of-a-paused-controller", 1);
    let rollout = &outcome.rollouts[0];
    assert_eq!(rollout.phase, "completed");
    let (began, _) = rollout.history.first().expect("it has a history");
    assert!((Instant::from_secs(7)..Instant::from_secs(8)).contains(began), "{began}");
    assert_eq!(check(&outcome, "rollout_settles").violations, 0);
}

#[test]
fn a_rollout_asked_of_a_controller_that_is_down_begins_when_it_comes_up() {
    let text = crate::common::text("rollout-asked-of-a-paused-controller").replace("\"pause\"", "\"crash\"");
    let outcome = outcome_of("crashed", &text, 1);
    assert_eq!(outcome.rollouts[0].phase, "completed");
}

/// The source freezes from 4 s to 7 s. Its users' requests arrive all the same, and are as late as the source makes
/// them.
const PAUSED_SOURCE: &str = "
phases = { warmup = \"1s\", storm = \"10s\", calm = \"5s\" }
policy = \"none\"
service.s = { instances = 4, concurrency = 64 }
load.l = { target = \"s\", rate = \"100/s\" }
fault = [{ kind = \"pause\", what = \"load\", at = \"4s\", lasts = \"3s\" }]
";

#[test]
fn requests_that_reach_a_paused_source_wait_for_it() {
    let outcome = outcome_of("paused-source", PAUSED_SOURCE, 1);
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent);
    assert!(outcome.requests.sent > 1_300, "{} sent", outcome.requests.sent);
    // About 300 of some 1,500 wait, for half of three seconds on average.
    assert!(outcome.latency.max > Duration::ms(2_900) && outcome.latency.max < Duration::ms(3_200));
    assert!(outcome.latency.p90 > Duration::secs(1), "p90 {}", outcome.latency.p90);
    // Nothing is sent from 4 s to 7 s: what was on its way arrives, and that is all.
    let step = outcome.timeline.step.as_secs_f64();
    let ended: u32 = (outcome.timeline.succeeded.iter().zip(0..))
        .filter(|&(_, i)| f64::from(i) * step >= 4.5 && f64::from(i + 1) * step <= 6.9)
        .map(|(n, _)| n)
        .sum();
    assert_eq!(ended, 0, "answers reach a paused source");
}

#[test]
fn users_of_a_source_that_is_down_come_back_with_it() {
    let text = PAUSED_SOURCE
        .replace("\"pause\"", "\"crash\"")
        .replace("rate = \"100/s\"", "shape = \"closed\", users = 20, think = \"50ms\"");
    let outcome = outcome_of("crashed-source", &text, 1);
    assert_eq!(check(&outcome, "every_request_ends_once").violations, 0);
    let per_step = &outcome.timeline.arrived;
    let step = outcome.timeline.step.as_secs_f64();
    let within = |from: f64, until: f64| -> u32 {
        let inside = |i: u32| f64::from(i) * step >= from && f64::from(i + 1) * step <= until;
        per_step.iter().zip(0..).filter(|&(_, i)| inside(i)).map(|(n, _)| n).sum()
    };
    assert_eq!(within(4.2, 6.9), 0, "nobody sends while the source is down");
    assert!(within(7.2, 12.0) > 500, "everybody is back: {}", within(7.2, 12.0));
}

/// An instance is told to stop while it is frozen: its lease stands until it goes on, and its requests are answered
/// then.
const PAUSED_INSTANCE: &str = "
phases = { warmup = \"1s\", storm = \"40s\", calm = \"120s\" }
registry = { kind = \"consul\", ttl = \"30s\" }
service.s = { instances = 3, grace = \"10s\", version = { \"1.1.0\" = {} } }
load.l = { target = \"s\", rate = \"50/s\" }
rollout = [{ service = \"s\", to = \"1.1.0\", at = \"6s\" }]
fault = [{ kind = \"pause\", what = \"s-1\", at = \"5s\", lasts = \"10s\" }]
";

#[test]
fn an_instance_that_is_stopped_in_its_pause_leaves_in_good_order() {
    let outcome = outcome_of("paused-instance", PAUSED_INSTANCE, 1);
    assert_eq!(outcome.rollouts[0].phase, "completed");
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "{:?}", outcome.requests);
    assert_eq!(check(&outcome, "no_route_to_the_dead").violations, 0);
}
