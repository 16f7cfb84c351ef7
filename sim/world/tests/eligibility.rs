//! Who is eligible, in worlds: zones that fail, instances that come cold or answer badly, sessions that stay.

use crate::common::{ideal, poisson, service, stack};
use balancer::Strategy;
use balancer::eligibility::aperture::LoadBand;
use balancer::eligibility::{Aperture, Eligibility, Locality, Outliers, Priorities, SlowStart, ZoneAware};
use base::{Dist, Duration, Instant, Seed, Zipf, ZoneId};
use kernel::{Crash, Fault, Link, Selector, fault};
use world::spec::{Arrivals, RoutingKeys, ServiceSpec};
use world::{Options, Outcome, Spec, Verdict, run};

fn outcome(spec: &Spec) -> Outcome {
    run(spec, Seed(1), &Options::default()).outcome
}

fn crash(whom: Selector, at_s: u64, lasts_s: u64) -> Fault {
    let kind = fault::Crash { whom, how: Crash::Process }.into();
    Fault { name: "crash".into(), at: Instant::from_secs(at_s), lasts: Some(Duration::secs(lasts_s)), kind }
}

/// 20 s measured, one caller a zone and three instances in each of three zones; a zone away is 10 ms away. With a
/// registry that hears of a death ten seconds late.
fn zones(rules: Option<Eligibility>) -> Spec {
    let api = ServiceSpec { balancer: Strategy::ROUND_ROBIN, eligibility: rules, concurrency: 8, ..service("api", 9) };
    let mut load = poisson(600.0);
    (load.sources, load.arrivals) = (3, Arrivals::Constant { rate: 600.0 });
    let mut spec = ideal(vec![api], load, Duration::secs(5), Duration::secs(20));
    spec.zones = ["a", "b", "c"].map(String::from).to_vec();
    spec.within_zone = Link::new(Dist::Constant(Duration::us(100)));
    spec.between_zones = Link::new(Dist::Constant(Duration::ms(5)));
    spec.registry = stack().registry;
    spec
}

fn zone_aware() -> Eligibility {
    Eligibility { locality: Locality::ZoneAware(ZoneAware::default()), ..Eligibility::default() }
}

fn instances_of(zones: &[u32]) -> Selector {
    let zones = zones.iter().map(|&zone| Selector::Zone(ZoneId(zone))).collect();
    Selector::Both(vec![Selector::Tag("api".into()), Selector::Any(zones)])
}

#[test]
fn zone_aware_callers_stay_at_home() {
    let (spread, near) = (outcome(&zones(None)), outcome(&zones(Some(zone_aware()))));
    assert_eq!((spread.verdict, near.verdict), (Verdict::Passed, Verdict::Passed));
    // Two of three requests travel 10 ms there and back; and nobody's do.
    let mean = |outcome: &Outcome| outcome.services[0].latency.mean;
    assert!(mean(&spread) > Duration::ms(6) && mean(&near) < Duration::ms(2), "{} {}", mean(&spread), mean(&near));
    let counts: Vec<u64> = near.services[0].instances.iter().map(|i| i.requests).collect();
    assert!(counts.iter().all(|n| n.abs_diff(12_000 / 9) < 20), "{counts:?}");
}

#[test]
fn a_zone_outage_ends_at_the_detector_and_two_of_them_in_panic() {
    let failed = |rules: Eligibility, dead: &[u32]| {
        let mut spec = zones(Some(rules));
        spec.faults = vec![crash(instances_of(dead), 6, 8)];
        outcome(&spec).requests.failed
    };
    let detecting = |panic_threshold: u32| Eligibility {
        outliers: Some(Outliers { max_ejection_percent: 100, ..Outliers::default() }),
        panic_threshold,
        ..zone_aware()
    };
    // The caller in the dead zone sends all it has, 200 a second, to it, until the registry knows: four to ten seconds.
    let blind = failed(zone_aware(), &[0]);
    assert!((800..2_400).contains(&blind), "{blind}");
    // Five errors at each of three instances tell it sooner.
    let seen = failed(detecting(50), &[0]);
    assert!((15..60).contains(&seen), "{seen}");
    // With two zones gone a third of the instances is left, less than half: everybody gets requests again.
    let (panicking, calm) = (failed(detecting(50), &[0, 1]), failed(detecting(0), &[0, 1]));
    assert!(panicking > 10 * calm, "{panicking} with panic, {calm} without");
}

#[test]
fn zones_fail_over_by_priority() {
    let rules = Eligibility {
        priorities: Priorities::ByZone(vec![0, 1, 1]),
        outliers: Some(Outliers { max_ejection_percent: 100, ..Outliers::default() }),
        ..Eligibility::default()
    };
    let mut spec = zones(Some(rules));
    let of_zone = |outcome: &Outcome, zone: &str| -> u64 {
        outcome.services[0].instances.iter().filter(|i| i.zone == zone).map(|i| i.requests).sum()
    };
    let quiet = outcome(&spec);
    assert!(of_zone(&quiet, "a").abs_diff(12_000) < 10);
    assert_eq!(of_zone(&quiet, "b") + of_zone(&quiet, "c"), 0);
    spec.faults = vec![crash(instances_of(&[0]), 6, 15)];
    let failing = outcome(&spec);
    assert!(of_zone(&failing, "b") > 3_000 && of_zone(&failing, "c") > 3_000, "{:?}", failing.services[0].instances);
    assert!(failing.requests.failed < 200, "{:?}", failing.requests);
}

#[test]
fn an_instance_that_returns_is_taken_slowly() {
    let shares = |rules: Option<Eligibility>| {
        let api = ServiceSpec { balancer: Strategy::EARLIEST_DEADLINE, eligibility: rules, ..service("api", 4) };
        let mut load = poisson(400.0);
        load.arrivals = Arrivals::Constant { rate: 400.0 };
        // 100 steps of a second; back at 41 s.
        let mut spec = ideal(vec![api], load, Duration::secs(2), Duration::secs(98));
        spec.faults = vec![crash(Selector::Name("api-2".into()), 30, 10)];
        outcome(&spec).services[0].instances[1].requests_per_step.clone()
    };
    let (cold, slow) = (
        shares(None),
        shares(Some(Eligibility { slow_start: Some(SlowStart::over(Duration::secs(40))), ..Eligibility::default() })),
    );
    let sum = |steps: &[u32], from: usize| steps[from..from + 4].iter().sum::<u32>();
    assert_eq!((sum(&cold, 32), sum(&slow, 32)), (0, 0));
    // A quarter of 400 at once; with slow start a tenth of a weight among three, half of one, and a whole one.
    assert!(sum(&cold, 42).abs_diff(400) < 8, "{cold:?}");
    assert!(sum(&slow, 42).abs_diff(1_600 / 31) < 16, "{slow:?}");
    assert!(sum(&slow, 59).abs_diff(1_600 / 7) < 16, "{slow:?}");
    assert!(sum(&slow, 85).abs_diff(400) < 8, "{slow:?}");
}

/// Requests sent to one dead instance of eight, that refuses at once and so looks idle, until the registry drops it.
fn sent_to_the_dead(rules: Option<Eligibility>) -> u64 {
    let api = ServiceSpec { balancer: Strategy::FULL_SCAN, eligibility: rules, concurrency: 4, ..service("api", 8) };
    let mut spec = ideal(vec![api], poisson(1_000.0), Duration::secs(5), Duration::secs(20));
    spec.registry = stack().registry;
    spec.within_zone = Link::new(Dist::Constant(Duration::us(100)));
    spec.faults = vec![crash(Selector::Name("api-3".into()), 6, 12)];
    let outcome = outcome(&spec);
    outcome.exposure.iter().map(|e| e.attempts).sum()
}

#[test]
fn an_instance_that_fails_fast_is_ejected() {
    let black_hole = sent_to_the_dead(None);
    assert!(black_hole > 1_000, "{black_hole}: it ought to attract requests");
    let rules = Eligibility { outliers: Some(Outliers::default()), ..Eligibility::default() };
    let ejected = sent_to_the_dead(Some(rules));
    assert!((5..20).contains(&ejected), "{ejected}: five errors in a row and what was on its way");
}

#[test]
fn sessions_keep_their_instance_until_it_dies() {
    let spec = |faults: Vec<Fault>| {
        let rules = Eligibility { sticky: true, ..Eligibility::default() };
        let api = ServiceSpec { balancer: Strategy::RANDOM, eligibility: Some(rules), ..service("api", 20) };
        let mut load = poisson(300.0);
        load.keys = RoutingKeys::Popular(Zipf::new(3, 0.0));
        let mut spec = ideal(vec![api], load, Duration::ZERO, Duration::secs(50));
        spec.faults = faults;
        spec
    };
    let used = |outcome: &Outcome| {
        let used = outcome.services[0].instances.iter().filter(|i| i.requests > 0);
        used.map(|i| i.name.clone()).collect::<Vec<String>>()
    };
    let before = used(&outcome(&spec(Vec::new())));
    assert!((1..=3).contains(&before.len()), "{before:?}");
    let after = outcome(&spec(vec![crash(Selector::Name(before[0].clone()), 20, 2)]));
    let dead = after.services[0].instances.iter().find(|i| i.name == before[0]).expect("it is there");
    // It is back after three seconds, and nobody is: its sessions are at home elsewhere.
    assert!(dead.requests_per_step[..40].iter().sum::<u32>() > 1_000, "{:?}", dead.requests_per_step);
    assert_eq!(dead.requests_per_step[46..].iter().sum::<u32>(), 0);
    assert!(used(&after).len() > before.len() && used(&after).len() <= 6, "{:?}", used(&after));
}

#[test]
fn apertures_and_subsets_reach_few_and_all_together() {
    let with = |rules: Eligibility, sources: u32| {
        let api = ServiceSpec { eligibility: Some(rules), concurrency: 8, ..service("api", 12) };
        let mut load = poisson(1_200.0);
        load.sources = sources;
        let outcome = outcome(&ideal(vec![api], load, Duration::secs(1), Duration::secs(10)));
        assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
        outcome.services[0].instances.iter().map(|i| i.requests).collect::<Vec<u64>>()
    };
    let in_use = |counts: &[u64]| counts.iter().filter(|&&n| n > 0).count();
    let ring = Eligibility { aperture: Some(Aperture::Deterministic { min: 4 }), ..Eligibility::default() };
    assert_eq!(in_use(&with(Eligibility { subset_size: Some(3), ..Eligibility::default() }, 1)), 3);
    assert!(
        in_use(&with(Eligibility { aperture: Some(Aperture::ByLoad(LoadBand::default())), ..ring.clone() }, 1)) < 5
    );
    let together = with(ring, 6);
    let mean = together.iter().sum::<u64>() as f64 / 12.0;
    assert!(together.iter().all(|&n| (n as f64 - mean).abs() < 0.1 * mean), "{together:?}");
}
