//! Registries: when their periods fall, and whom they believe to be dead.

use crate::common::{outcome, outcome_of, text};
use base::Duration;
use world::Outcome;

/// For how long each instance that died was still sent requests, in the order in which they died.
fn exposures(outcome: &Outcome) -> Vec<Duration> {
    outcome.exposure.iter().map(|e| e.last_sent.map_or(Duration::ZERO, |last| last.saturating_since(e.died))).collect()
}

#[test]
fn periods_do_not_all_begin_at_nought() {
    let text = text("eureka-in-phase").replace("\"200/s\"", "\"20/s\"");
    let seconds = |seed| exposures(&outcome_of("eureka-in-phase", &text, seed))[0].as_secs_f64();
    let all: Vec<f64> = (0..30).map(seconds).collect();
    assert!(all.iter().all(|s| (149.0..=301.0).contains(s)), "{all:?}");
    // With all periods in phase every seed lay between 210 and 270.
    let outside = all.iter().filter(|s| !(210.0..=270.0).contains(*s)).count();
    assert!(outside >= 5, "{all:?}");
}

#[test]
fn a_second_death_is_judged_by_the_smaller_fleet() {
    // What happens after the second death is of no matter here.
    let now = text("eureka-second-death").replace("40m", "16m");
    let before = now.replace("kind = \"eureka\"", "kind = \"eureka\"\nversion = \"1.9.16\"");
    let second = |text: &str, seed| exposures(&outcome_of("eureka-second-death", text, seed))[1];
    let limit = Duration::secs(301);
    let seeds = 0..30;
    assert!(seeds.clone().all(|seed| second(&now, seed) <= limit));
    // The refresh falls somewhere into a quarter of an hour; where it falls late, the older rule waits for it.
    let late = seeds.filter(|&seed| second(&before, seed) > limit).count();
    assert!(late > 0, "up to 1.9.16 some second death waits for the refresh");
}

#[test]
fn fast_heartbeats_defeat_self_preservation() {
    let of_six = exposures(&outcome("eureka-fast-heartbeats", 1));
    assert_eq!(of_six.len(), 6);
    // Three go in one pass and three in the next, at most 15 % of the list in each.
    assert!(of_six.iter().all(|span| *span <= Duration::secs(420)), "{of_six:?}");
    // A server that is told what its clients do keeps them all.
    let told =
        text("eureka-fast-heartbeats").replace("heartbeat =", "expected_renewal_interval = \"10s\"\nheartbeat =");
    let of_six = exposures(&outcome_of("eureka-fast-heartbeats", &told, 1));
    assert!(of_six.iter().all(|span| *span >= Duration::secs(700)), "{of_six:?}");
}
