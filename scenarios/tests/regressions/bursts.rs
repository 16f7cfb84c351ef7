//! Arrivals at rates that change: neither stretches without a request nor rates near nothing cost time.

use crate::common::outcome;
use base::Duration;

#[test]
fn bursts_a_day_apart_burst_once() {
    let outcome = outcome("bursts-never-burst", 1);
    // The first burst lies in warm-up, which is not measured: 100,000 a second for 10 ms.
    let arrived: u32 = outcome.timeline.arrived.iter().sum();
    assert!((900..1_100).contains(&arrived), "{arrived} requests in a burst of a thousand");
    assert_eq!(outcome.requests.sent, 0, "nothing arrives after it");
    assert_eq!(outcome.run.simulated, Duration::secs(16));
}

#[test]
fn a_rate_near_nothing_brings_nothing() {
    let outcome = outcome("bursts-of-almost-nothing", 1);
    assert_eq!(outcome.timeline.arrived.iter().sum::<u32>(), 0);
    assert_eq!(outcome.run.simulated, Duration::secs(16));
}
