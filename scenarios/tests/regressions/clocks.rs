//! What waits goes by a clock that never steps, work goes by no clock, and only what reads a date sees the wall clock.

use crate::common::{check, outcome, outcome_of, text};
use base::Duration;
use world::Outcome;

/// Asks for a record of the leases that end.
const LEASES: &str = "expect = { sometimes = [\"lease_expired\"] }\n";

fn leases_lost(outcome: &Outcome) -> u64 {
    check(outcome, "lease_expired").tested
}

#[test]
fn a_step_of_the_wall_clock_loses_no_lease() {
    for by in ["-60s", "+60s", "-300h", "+300h"] {
        let text = text("clock-step-back").replace("-60s", by) + LEASES;
        let outcome = outcome_of("clock-step", &text, 1);
        assert_eq!(leases_lost(&outcome), 0, "{by}");
        assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "{by}: {:?}", outcome.requests);
    }
}

#[test]
fn work_does_not_stretch_with_the_clock() {
    let outcome = outcome("drift-clamps-a-timer", 1);
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "{:?}", outcome.requests);
    assert!(outcome.latency.max < Duration::secs(1), "{}", outcome.latency.max);
}

/// A clock that all but stands still from 4 s to 7 s sends no heartbeat. It is behind by three seconds afterwards, and
/// no more: with a ttl of ten seconds nothing is lost; with one of three the lease ends, and is back as soon as the
/// clock goes on.
#[test]
fn a_timer_that_was_set_under_a_drift_goes_on_when_the_drift_ends() {
    let run = |ttl: &str, heartbeat: &str| {
        let text = text("drift-clamps-a-timer").replace("instances = 1, concurrency = 4", "instances = 2")
            + &format!("registry = {{ kind = \"consul\", ttl = \"{ttl}\", heartbeat = \"{heartbeat}\" }}\n")
            + LEASES;
        outcome_of("drift", &text, 1)
    };
    assert_eq!(leases_lost(&run("10s", "5s")), 0);
    let lost = run("3s", "1s");
    assert_eq!(leases_lost(&lost), 1);
    assert_eq!(check(&lost, "views_converge").violations, 0);
}

/// A dead instance leaves a server with dated leases when its date has come: with the clock set back an hour, an hour
/// later.
#[test]
fn a_dated_lease_outlives_its_instance_by_as_much_as_the_clock_is_set_back() {
    let until_last_sent = |fault: &str| {
        let text = format!(
            "phases = {{ warmup = \"10s\", storm = \"900s\", calm = \"60s\" }}\npolicy = \"none\"\n\
             registry = {{ kind = \"eureka\", self_preservation = false }}\n\
             service.s = {{ instances = 3, service_time = \"1ms\" }}\nload.l = {{ target = \"s\", rate = \"20/s\" }}\n\
             fault = [{{ kind = \"crash\", what = \"s-1\", at = \"60s\", lasts = \"forever\" }}{fault}]\n"
        );
        let outcome = outcome_of("dated", &text, 1);
        let exposure = &outcome.exposure[0];
        exposure.last_sent.expect("it was sent something after its death") - exposure.died
    };
    // 180 s for a renewed lease, 60 s for the look, 30 s for the server's copy and 30 s for the poll.
    let usual = until_last_sent("");
    assert!((Duration::secs(150)..Duration::secs(301)).contains(&usual), "{usual}");
    let back = until_last_sent(", { kind = \"clock-step\", what = \"registry\", at = \"61s\", by = \"-1h\" }");
    assert!(back > Duration::secs(890), "{back}");
    let ahead = until_last_sent(", { kind = \"clock-step\", what = \"registry\", at = \"61s\", by = \"+1h\" }");
    assert!(ahead < Duration::secs(121), "{ahead}");
}
