//! The weather under two simulators: the same description must come to the same facts, whoever drives the cores.
//!
//! Each test states a scenario once. The kernel runs it through the world; madsim runs it as processes. A difference is
//! printed as `fact: under madsim | under the kernel`.

#![cfg(madsim)]

mod kernel;

use base::{Duration, InstanceId, Instant, Ratio};
use kernel::{
    HEARTBEAT, TTL, calm, clog, crash, cut_off_zone_c, pause, rolling, translated, weather, weather_as_filed,
};
use parity::{Facts, Plant, Setup};
use world::Spec;

/// Seeds of either side. They draw different numbers from the same seed, so each pair is two samples, not one.
const SEEDS: std::ops::Range<u64> = 1..5;

/// What a run may take longer than its lease says: a few sends and receives, of a millisecond or two each under madsim.
const TOLERANCE: Duration = Duration::ms(20);

fn buggy() -> Spec {
    weather(Ratio::percent(2))
}

fn good() -> Spec {
    weather(Ratio::ZERO)
}

/// A calm world in which these things go wrong.
fn with(seconds: u64, faults: Vec<world::kernel::Fault>) -> Spec {
    Spec { faults, ..calm(seconds) }
}

/// Runs a spec on both sides for all seeds and demands agreement; returns the facts, madsim's and the kernel's.
fn agreed(spec: &Spec) -> Vec<(Facts, Facts)> {
    SEEDS.map(|seed| agree(spec, &translated(spec), seed)).collect()
}

fn agree(spec: &Spec, setup: &Setup, seed: u64) -> (Facts, Facts) {
    let (theirs, ours) = (parity::run(setup, seed).facts, kernel::run(spec, seed, None));
    let differences = theirs.differences(&ours);
    assert!(differences.is_empty(), "seed {seed}: madsim | kernel\n  {}", differences.join("\n  "));
    assert!(theirs.converged, "seed {seed}: they agree, but not on what was wanted\n{theirs}");
    (theirs, ours)
}

fn with_plant(spec: &Spec, plant: Plant) -> Setup {
    Setup { plant: Some(plant), ..translated(spec) }
}

/// How a run with a mistake in this driver differs from the kernel's.
fn planted(spec: &Spec, plant: Plant) -> Vec<String> {
    parity::run(&with_plant(spec, plant), 1).facts.differences(&kernel::run(spec, 1, None))
}

fn life(facts: &Facts, instance: u32) -> Vec<&str> {
    facts.lifelines[&InstanceId(instance)].iter().map(|(_, word)| word.as_str()).collect()
}

fn versions(facts: &Facts) -> Vec<(&str, usize)> {
    facts.per_version().into_iter().collect()
}

#[test]
fn a_canary_with_a_bug_is_rolled_back() {
    for (facts, _) in agreed(&buggy()) {
        assert_eq!(
            facts.history,
            [
                "started from 1.0.0 to 1.1.0",
                "new version has 0% of the traffic",
                "step 0: weight 20%",
                "1.1.0 scaled to 2",
                "new version has 20% of the traffic",
                "step 1: hold 80s",
                "check failed, 1 of 3",
                "check failed, 2 of 3",
                "check failed, 3 of 3",
                "aborted: too many checks failed",
                "new version has 0% of the traffic",
                "1.1.0 scaled to 0",
                "rolled back",
            ],
            "{facts}"
        );
        assert_eq!(facts.phase.as_deref(), Some("rolled_back"));
        assert_eq!(versions(&facts), [("1.0.0", 6)]);
        assert!(facts.lock_free, "{facts}");
        // The crash took the second instance out, the cut those of zone c; the canary's two came and went.
        assert_eq!(life(&facts, 1), ["registered", "expired", "registered"]);
        assert_eq!(life(&facts, 2), ["registered", "expired", "registered"]);
        assert_eq!(life(&facts, 6), ["registered", "deregistered"]);
    }
}

#[test]
fn its_good_twin_completes() {
    for (facts, _) in agreed(&good()) {
        assert_eq!(facts.phase.as_deref(), Some("completed"));
        assert_eq!(versions(&facts), [("1.1.0", 6)]);
        assert_eq!(facts.weights, [0, 20, 50, 100].map(Ratio::percent));
        assert!(facts.lock_free, "{facts}");
    }
}

#[test]
fn the_weather_as_it_is_filed_ends_the_same_for_every_seed() {
    for seed in SEEDS {
        let spec = weather_as_filed(seed);
        let (theirs, ours) = (parity::run(&translated(&spec), seed).facts, kernel::run(&spec, seed, None));
        let differences = theirs.ending().differences(&ours.ending());
        assert!(differences.is_empty(), "seed {seed}: madsim | kernel\n  {}", differences.join("\n  "));
        assert_eq!(theirs.phase.as_deref(), Some("rolled_back"), "seed {seed}\n{theirs}");
        assert_eq!(versions(&theirs), [("1.0.0", 12)], "seed {seed}");
        assert!(theirs.converged && theirs.lock_free, "seed {seed}\n{theirs}");
    }
}

#[test]
fn a_rolling_update_replaces_everybody() {
    for (facts, _) in agreed(&rolling()) {
        assert_eq!(facts.phase.as_deref(), Some("completed"));
        assert_eq!(versions(&facts), [("1.1.0", 6)]);
        assert_eq!(facts.weights, [], "nobody splits the traffic of a rolling update");
    }
}

#[test]
fn a_controller_that_dies_goes_on_under_the_next_token() {
    let mut spec = good();
    spec.phases.storm = Duration::secs(320);
    spec.faults = vec![crash("controller", 45, 10)];
    for (facts, _) in agreed(&spec) {
        assert!(facts.history.contains(&"resumed under token2".to_string()), "{facts}");
        assert_eq!(facts.phase.as_deref(), Some("completed"));
        assert_eq!(versions(&facts), [("1.1.0", 6)]);
        assert!(facts.lock_free, "{facts}");
    }
}

#[test]
fn a_controller_that_freezes_loses_the_lock_and_goes_on() {
    let mut spec = good();
    spec.phases.storm = Duration::secs(320);
    spec.faults = vec![pause("controller", 45, 60)];
    for (facts, _) in agreed(&spec) {
        assert!(facts.history.contains(&"frozen: the lock is lost".to_string()), "{facts}");
        assert_eq!(facts.phase.as_deref(), Some("completed"));
    }
}

#[test]
fn the_dead_expire_within_their_ttl() {
    let died = Instant::from_secs(20);
    for (theirs, ours) in agreed(&with(60, vec![crash("backend-2", 20, 20)])) {
        for facts in [theirs, ours] {
            let expired = facts.moment(InstanceId(1), "expired").expect("it was dead for twice its ttl");
            // The last renewal was sent up to a heartbeat before the end.
            let (earliest, latest) = (died + (TTL - HEARTBEAT), died + TTL + TOLERANCE);
            assert!((earliest..=latest).contains(&expired), "died at {died}, expired at {expired}");
            assert_eq!(life(&facts, 1), ["registered", "expired", "registered"]);
        }
    }
}

#[test]
fn who_is_back_before_the_lease_ends_was_never_gone() {
    // Three seconds down and two to start up, while at least seven are left on the lease.
    for (facts, _) in agreed(&with(40, vec![crash("backend-2", 20, 3)])) {
        assert_eq!(life(&facts, 1), ["registered"]);
    }
    for (facts, _) in agreed(&with(40, vec![crash("backend-2", 20, 10)])) {
        assert_eq!(life(&facts, 1), ["registered", "expired", "registered"]);
    }
}

#[test]
fn who_freezes_for_longer_than_a_ttl_registers_anew() {
    for (facts, _) in agreed(&with(60, vec![pause("backend-4", 20, 15)])) {
        assert_eq!(life(&facts, 3), ["registered", "expired", "registered"]);
    }
    for (facts, _) in agreed(&with(60, vec![pause("backend-4", 20, 4)])) {
        assert_eq!(life(&facts, 3), ["registered"]);
    }
}

#[test]
fn a_clogged_instance_expires_and_returns_when_it_is_let_go() {
    for (facts, _) in agreed(&with(60, vec![clog("backend-1", 20, 15)])) {
        assert_eq!(life(&facts, 0), ["registered", "expired", "registered"]);
    }
}

#[test]
fn a_clogged_caller_learns_later_what_it_missed() {
    let faults = vec![clog("load-callers-2", 15, 30), crash("backend-3", 20, 15)];
    for (facts, _) in agreed(&with(80, faults)) {
        assert_eq!(life(&facts, 2), ["registered", "expired", "registered"]);
    }
}

#[test]
fn a_zone_that_is_cut_off_expires_and_returns() {
    for (facts, _) in agreed(&with(80, vec![cut_off_zone_c(20, 25)])) {
        for instance in 0..6 {
            let expired = life(&facts, instance).contains(&"expired");
            assert_eq!(expired, instance % 3 == 2, "{facts}");
        }
    }
}

#[test]
fn a_registry_that_dies_forgets_nobody_and_goes_on_telling() {
    let faults = vec![crash("registry-1", 15, 8), crash("backend-5", 60, 20)];
    for (facts, _) in agreed(&with(120, faults)) {
        assert_eq!(life(&facts, 0), ["registered"], "its disk kept the lease");
        assert_eq!(life(&facts, 4), ["registered", "expired", "registered"]);
    }
}

#[test]
fn a_caller_that_dies_sees_the_present_when_it_is_back() {
    let faults = vec![crash("load-callers-1", 15, 30), crash("backend-6", 20, 60)];
    for (facts, _) in agreed(&with(60, faults)) {
        assert_eq!(life(&facts, 5), ["registered", "expired"]);
        assert_eq!(facts.listed.len(), 5);
    }
}

#[test]
fn pushes_that_are_dropped_are_a_difference() {
    let spec = with(60, vec![crash("backend-2", 20, 60)]);
    assert_eq!(planted(&spec, Plant::DropPushes), ["converged: false | true"]);
    // Callers that hear nothing of a canary call none of it, so the checks find nothing to judge, and the bug goes
    // live.
    let differences = planted(&buggy(), Plant::DropPushes);
    assert!(differences.contains(&"phase: completed | rolled_back".to_string()), "{differences:#?}");
}

#[test]
fn a_mistake_on_the_kernels_side_is_a_difference_too() {
    let spec = with(60, vec![crash("backend-2", 20, 60)]);
    let theirs = parity::run(&translated(&spec), 1).facts;
    let ours = kernel::run(&spec, 1, Some(world::Sabotage::LosePushes));
    assert_eq!(theirs.differences(&ours), ["converged: true | false"]);
}

#[test]
fn a_lock_that_is_kept_is_a_difference() {
    assert_eq!(planted(&buggy(), Plant::KeepLock), ["lock free: false | true"]);
}

#[test]
fn leaving_without_a_word_is_a_difference() {
    let canary = |i| format!("life of  i{i}: registered expired | registered deregistered");
    assert_eq!(planted(&buggy(), Plant::LeaveSilently), [canary(6), canary(7)]);
}

#[test]
fn renewals_that_are_dropped_are_a_difference() {
    let differences = planted(&calm(40), Plant::DropRenewals);
    assert!(differences.len() >= 6, "{differences:?}");
    assert!(
        differences.iter().any(|line| line.ends_with(" | registered") && line.contains("expired")),
        "{differences:?}"
    );
}

#[test]
#[should_panic(expected = "seed 1: madsim | kernel\n  lock free: false | true")]
fn agreement_is_demanded() {
    let spec = buggy();
    agree(&spec, &with_plant(&spec, Plant::KeepLock), 1);
}

#[test]
#[should_panic(expected = "madsim has no")]
fn what_madsim_has_not_is_not_translated() {
    let everything = world::kernel::Selector::All;
    let slow =
        kernel::fault("everything", 1, 1, world::kernel::fault::DiskSlow { whom: everything, factor: 2.0 }.into());
    let _ = translated(&with(10, vec![slow]));
}

#[test]
fn equal_seeds_make_equal_runs_under_madsim_too() {
    let setup = translated(&buggy());
    let (first, again, other) = (parity::run(&setup, 1), parity::run(&setup, 1), parity::run(&setup, 2));
    assert_eq!((first.calls, &first.log), (again.calls, &again.log));
    assert_ne!(first.log, other.log);
    // Both callers were busy all the time: three hundred calls a second for 220 s, less those nobody answered at once.
    assert!((60_000..=66_000).contains(&first.calls), "{} calls", first.calls);
}
