//! The life of requests: where they come from, where retries go, which version they meet, how they end and how long
//! somebody works for them.

use crate::common::{check, outcome, outcome_of, text};
use world::Verdict;
use world::outcome::{Outcome, Requests, ServiceOutcome};

fn failed(requests: &Requests, name: &str) -> u64 {
    requests.errors.iter().find(|(error, _)| *error == name).map_or(0, |(_, n)| *n)
}

fn service<'a>(outcome: &'a Outcome, name: &str) -> &'a ServiceOutcome {
    outcome.services.iter().find(|s| s.name == name).expect("the file declares it")
}

fn attempts(outcome: &Outcome, version: &str) -> u64 {
    let versions = &outcome.services[0].versions;
    versions.iter().find(|v| v.version == version).expect("the file declares it").attempts
}

#[test]
fn a_retry_may_go_where_the_first_attempt_went_unless_it_is_told_otherwise() {
    let slow = |policy: &str| {
        let text = format!(
            "phases = {{ warmup = \"5s\", storm = \"60s\", calm = \"5s\" }}\n\
             topology = {{ network = \"ideal\" }}\n\
             service.s = {{ instances = 2, concurrency = 100, speeds = [1, 0.01], service_time = \"5ms\", balancer = \"random\" }}\n\
             load.l = {{ target = \"s\", rate = \"100/s\" }}\n\
             policy = {{ timeout = \"1s\", per_try_timeout = \"50ms\", retries = 1, retry_on = [\"timeout\"], {policy} }}\n"
        );
        let outcome = outcome_of("retries", &text, 1);
        outcome.requests.failed as f64 / outcome.requests.sent as f64
    };
    // One of two instances never answers in time. Of the requests that come to it, half come to it again.
    let again = slow("previous_hosts = 0");
    assert!((again - 0.25).abs() < 0.02, "{again}");
    assert_eq!(
        slow("backoff = \"1ms\"").to_bits(),
        slow("backoff = \"1ms\", previous_hosts = 0").to_bits(),
        "the default"
    );
    // Each further pick finds the other one half of the time.
    let five = slow("previous_hosts = 5");
    assert!((five - 0.5f64.powi(7)).abs() < 0.004, "{five}");
}

#[test]
fn a_route_that_pins_a_version_is_followed() {
    let outcome = outcome("route-pins-a-version", 1);
    assert_eq!(outcome.requests.failed, 0, "every request goes to 1.0.0, which has no errors");
    assert_eq!(attempts(&outcome, "2.0.0"), 0);
    assert!(attempts(&outcome, "1.0.0") > 5_000);
}

#[test]
fn a_route_s_timeout_stands_in_place_of_the_service_s() {
    let outcome = outcome("route-with-a-timeout", 1);
    assert!(outcome.requests.sent > 500);
    assert_eq!(
        failed(&outcome.services[0].requests, "timeout"),
        outcome.services[0].requests.sent,
        "after 100 ms, not 5 s"
    );
}

#[test]
fn requests_that_never_end_are_in_every_denominator() {
    let overload = outcome("overload-counts-the-living", 1);
    let requests = &overload.requests;
    assert!(requests.unfinished > 5_000, "{requests:?}");
    assert_eq!(requests.sent, requests.succeeded + requests.failed + requests.unfinished);
    assert!(requests.success().as_f64() < 0.8, "{requests:?}");
    assert_eq!(overload.verdict, Verdict::Objective, "{:?}", overload.failure);
    assert_eq!(check(&overload, "every_request_ends_once").violations, 0, "a backlog is no broken promise");
    assert_eq!(overload.latency.count, requests.sent);
    let least = overload.latency.exact_below.expect("some had not ended");
    assert!(
        overload.latency.p99 >= least && least.as_secs_f64() >= 60.0,
        "they are at least as old as the drain is long"
    );
    assert_eq!(overload.services[0].requests, *requests, "and the service's callers saw the same");
}

#[test]
fn a_backlog_breaks_what_asks_for_none() {
    let text = text("overload-counts-the-living");
    let asked = text.replace("[expect]", "[expect]\neventually = [\"backlog_drains\"]").replace(">= 99%", ">= 1%");
    let overload = outcome_of("overload", &asked, 1);
    assert_eq!(overload.verdict, Verdict::Liveness, "{:?}", overload.failure);
    assert_eq!(overload.failure.expect("it failed").name, "backlog_drains");
    // With half of the load there is no backlog.
    let calm = outcome_of("calm", &asked.replace("100/s", "40/s"), 1);
    assert_eq!(calm.verdict, Verdict::Passed, "{:?}", calm.failure);
    assert_eq!((calm.requests.unfinished, calm.latency.exact_below), (0, None));
}

#[test]
fn deadlines_travel_where_they_are_told_to() {
    let stays = outcome("deadline-does-not-travel", 1);
    let worked_late = service(&stays, "back");
    assert_eq!(failed(&worked_late.requests, "timeout"), 0, "every call to the back end was carried through");
    let asked = text("deadline-does-not-travel").replace("retries = 0 }", "retries = 0, deadlines = \"travel\" }");
    let travels = outcome_of("travels", &asked, 1);
    let back = service(&travels, "back");
    assert_eq!(
        failed(&back.requests, "timeout"),
        back.requests.sent,
        "all are given up with the calls that caused them"
    );
    assert!(back.latency.max.as_millis_f64() <= 100.0, "{:?}", back.latency.max);
}

#[test]
fn work_whose_deadline_is_over_is_dropped_and_counted() {
    let run = |deadlines: &str| {
        let text = text("expired-work").replace("\"travel\"", deadlines);
        let outcome = outcome_of("expired", &text, 1);
        let dropped: u64 = outcome.services[0].instances.iter().map(|i| i.expired).sum();
        (outcome.requests.success().as_f64(), dropped)
    };
    // Twice the load that one server can do, and a patience of ten services. Working in order of arrival, it works for
    // those who have left. Dropping those, it always begins for somebody who waits, if mostly not for much longer.
    let (stays, none) = run("\"stay\"");
    let (travels, dropped) = run("\"travel\"");
    assert_eq!(none, 0);
    assert!(dropped > 1_000, "{dropped}");
    assert!(stays < 0.02 && travels > 0.2, "{stays} {travels}");
}
