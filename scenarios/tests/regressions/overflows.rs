//! Sums and products that 64 bits do not hold, and numbers that are as large as a file can say.

use crate::common::{outcome, outcome_of};

#[test]
fn request_seconds_are_summed_without_a_bound() {
    let outcome = outcome("areas-overflow", 1);
    let instance = &outcome.services[0].instances[0];
    // 8,000 a second for 2,400 s, and nobody leaves: half of 19.2 million on average.
    assert!((instance.in_system / 9.6e6 - 1.0).abs() < 0.01, "{}", instance.in_system);
    assert!((instance.utilisation - 1.0).abs() < 1e-3, "{}", instance.utilisation);
}

#[test]
fn a_budget_of_any_size_allows_its_retries() {
    let outcome = outcome("budget-overflows", 1);
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "nothing fails here");
    // With errors to retry, the reserve pays for all of them: half of the first attempts fail, and of the second.
    let text = crate::common::text("budget-overflows")
        .replace("instances = 2,", "instances = 2, version = { \"1.0.0\" = { error_rate = \"50%\" } },");
    let failing = outcome_of("failing", &text, 1);
    let share = failing.requests.succeeded as f64 / failing.requests.sent as f64;
    assert!((share - 0.75).abs() < 0.04, "{share}");
}

/// Every number of a scenario that a run multiplies, as large as it may be written.
#[test]
fn the_largest_numbers_of_a_file_run() {
    for (name, lines) in [
        ("delays", "fault = [{ kind = \"delay\", what = \"load -> s\", at = \"2s\", lasts = \"1s\", by = \"24h\" }]"),
        ("slow", "fault = [{ kind = \"slow\", what = \"s\", at = \"2s\", lasts = \"1s\", factor = 1e6 }]"),
        ("narrow", "topology = { network = { bandwidth = \"1bit/s\" } }"),
        (
            "throttle",
            "fault = [{ kind = \"throttle\", what = \"s | load\", at = \"2s\", lasts = \"forever\", bandwidth = \"1bit/s\" }]",
        ),
        ("latency", "topology = { network = { latency = \"24h\" } }"),
        (
            "backoff",
            "policy = { timeout = \"none\", retries = 4294967295, backoff = { kind = \"aws_decorrelated\", base = \"876000h\", max = \"876000h\" } }",
        ),
        (
            "envoy",
            "policy = { timeout = \"876000h\", per_try_timeout = \"876000h\", retries = 2, backoff = { kind = \"envoy\", base = \"876000h\", max = \"876000h\" } }",
        ),
        (
            "drift",
            "fault = [{ kind = \"clock-drift\", what = \"everything\", at = \"2s\", lasts = \"1s\", by = \"-1000000ppm\" }]",
        ),
        ("step", "fault = [{ kind = \"clock-step\", what = \"everything\", at = \"2s\", by = \"-876000h\" }]"),
        (
            "eureka",
            "registry = { kind = \"eureka\", ttl = \"876000h\", heartbeat = \"30s\" }\nfault = [{ kind = \"clock-step\", what = \"registry\", at = \"2s\", by = \"876000h\" }]",
        ),
    ] {
        let text = format!(
            "phases = {{ warmup = \"1s\", storm = \"5s\", calm = \"5s\" }}\n{lines}\n\
             service.s = {{ instances = 2, version = {{ \"1.0.0\" = {{ error_rate = \"50%\" }} }} }}\n\
             load.l = {{ target = \"s\", rate = \"20/s\" }}\n"
        );
        let outcome = outcome_of(name, &text, 1);
        assert!(outcome.run.events > 0, "{name}");
    }
}
