//! Whole worlds: a stack with registry, gateway and calls, left alone and disturbed.

use crate::common::{canary, ideal, poisson, rolling, service, stack};
use base::{Dist, Duration, Instant, Ratio, Seed};
use kernel::node::Failing;
use kernel::{Crash, Fault, FaultKind, Path, Selector, fault};
use world::outcome::CheckKind;
use world::spec::{Arrivals, InstanceTemplate, ServiceSpec};
use world::{Options, Outcome, Spec, Verdict, run};

fn outcome(spec: &Spec, seed: u64) -> Outcome {
    run(spec, Seed(seed), &Options::default()).outcome
}

fn tested(outcome: &Outcome, name: &str) -> u64 {
    outcome.checks.iter().find(|c| c.name == name).map_or(0, |c| c.tested)
}

fn fault(name: &str, at_s: u64, lasts_s: u64, kind: FaultKind) -> Fault {
    Fault { name: name.into(), at: Instant::from_secs(at_s), lasts: Some(Duration::secs(lasts_s)), kind }
}

#[test]
fn a_quiet_queue_serves_everybody() {
    let spec = ideal(vec![service("api", 4)], poisson(2_000.0), Duration::secs(1), Duration::secs(5));
    let outcome = outcome(&spec, 1);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    assert_eq!(outcome.requests.failed, 0, "{:?}", outcome.requests);
    assert!(outcome.requests.sent > 9_000, "{:?}", outcome.requests);
    assert!(tested(&outcome, "littles_law") == 1 && tested(&outcome, "every_request_ends_once") > 11_000);
}

#[test]
fn a_stack_left_alone_answers_everybody() {
    let outcome = outcome(&stack(), 1);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    assert_eq!(outcome.requests.failed, 0, "{:?}", outcome.requests);
    assert!(tested(&outcome, "views_converge") > 10, "{:?}", outcome.checks);
}

#[test]
fn a_buggy_canary_is_rolled_back_and_a_good_one_completes() {
    let mut spec = stack();
    spec.rollouts = vec![canary()];
    let bad = outcome(&spec, 1);
    assert_eq!(bad.rollouts[0].phase, "rolled_back", "{:#?}", bad.rollouts);
    assert_eq!(bad.verdict, Verdict::Passed, "{:?}", bad.failure);
    assert!(tested(&bad, "rollback_restores") > 3 && tested(&bad, "rollout_within_budget") > 3);
    spec.services[1].versions[1].error_rate = Ratio::ZERO;
    spec.phases.storm = Duration::secs(120);
    let good = outcome(&spec, 1);
    assert_eq!(good.rollouts[0].phase, "completed", "{:#?}", good.rollouts);
    assert_eq!(good.verdict, Verdict::Passed, "{:?}", good.failure);
    assert_eq!(good.requests.failed, 0, "{:?}", good.requests);
}

#[test]
fn a_rolling_update_replaces_every_instance_without_an_error() {
    let mut spec = stack();
    spec.rollouts = vec![rolling()];
    spec.services[1].versions[1].error_rate = Ratio::ZERO;
    let outcome = outcome(&spec, 3);
    assert_eq!(outcome.rollouts[0].phase, "completed", "{:#?}", outcome.rollouts);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    assert_eq!(outcome.requests.failed, 0, "{:?}", outcome.requests);
    assert_eq!(outcome.services[1].instances.len(), 18, "nine old and nine new");
}

#[test]
fn instances_are_averaged_over_what_is_measured_and_while_they_exist() {
    // One request every 2.5 ms that takes 2: the last is still under way when the 100 ms are over, and is waited for.
    let api = ServiceSpec { service_time: Dist::Constant(Duration::ms(2)), ..service("api", 1) };
    let mut load = poisson(400.0);
    load.arrivals = Arrivals::Constant { rate: 400.0 };
    let short = outcome(&ideal(vec![api], load, Duration::secs(1), Duration::ms(100)), 1);
    let server = &short.services[0].instances[0];
    assert!((server.utilisation - 0.8).abs() < 0.021 && (server.in_system - 0.8).abs() < 0.021, "{server:?}");

    let mut spec = stack();
    spec.rollouts = vec![rolling()];
    spec.services[1].versions[1].error_rate = Ratio::ZERO;
    let replaced = outcome(&spec, 3);
    let busy = |version: &str| {
        let of: Vec<f64> =
            replaced.services[1].instances.iter().filter(|i| i.version == version).map(|i| i.utilisation).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    let (old, new) = (busy("1.0.0"), busy("1.1.0"));
    // Seconds of grace with nothing to do are part of it; the minute and a half after them is not.
    assert!(old / new > 0.6 && old / new < 1.25, "who left was as busy while it was there: {old}, {new}");
}

/// Every kind of fault at once, on a stack with a canary.
fn storm() -> Spec {
    let tag = |name: &str| Selector::Tag(name.into());
    let one_of = |name: &str| Selector::OneOf(Box::new(tag(name)));
    let path = |from, to| Path { from, to, one_way: false };
    let mut spec = stack();
    spec.rollouts = vec![canary()];
    spec.faults = vec![
        fault("crash", 12, 10, fault::Crash { whom: one_of("backend"), how: Crash::Process }.into()),
        fault("power", 20, 15, fault::Crash { whom: one_of("frontend"), how: Crash::Machine }.into()),
        fault("pause", 15, 4, fault::Pause { whom: one_of("backend") }.into()),
        fault("slow", 15, 20, fault::Slow { whom: one_of("backend"), factor: 5.0 }.into()),
        fault("cut", 25, 8, fault::Partition { path: path(tag("registry"), tag("gateway")) }.into()),
        fault(
            "zone",
            40,
            10,
            fault::Partition {
                path: path(Selector::Zone(base::ZoneId(2)), Selector::Not(Box::new(Selector::Zone(base::ZoneId(2))))),
            }
            .into(),
        ),
        fault("registry", 30, 5, fault::Crash { whom: tag("registry"), how: Crash::Machine }.into()),
        fault("controller", 22, 5, fault::Crash { whom: tag("controller"), how: Crash::Process }.into()),
        fault("locks", 28, 3, fault::Crash { whom: tag("coordination"), how: Crash::Machine }.into()),
        fault("gateway", 52, 3, fault::Crash { whom: one_of("gateway"), how: Crash::Process }.into()),
        fault(
            "loss",
            10,
            40,
            fault::Loss { path: path(Selector::All, Selector::All), share: Ratio::percent(1) }.into(),
        ),
        fault("swizzle", 55, 5, fault::Swizzle { whom: tag("backend") }.into()),
        fault("clock", 35, 1, fault::ClockStep { whom: tag("registry"), by_ns: 2_000_000_000 }.into()),
        fault("drift", 10, 45, fault::ClockDrift { whom: one_of("backend"), ppb: 50_000 }.into()),
    ];
    spec
}

#[test]
fn a_storm_breaks_no_promise_and_calm_restores_everything() {
    for seed in 1..=20 {
        let outcome = outcome(&storm(), seed);
        let broken: Vec<_> = outcome.checks.iter().filter(|c| c.violations > 0).collect();
        assert!(broken.is_empty(), "seed {seed}: {broken:#?}\n{:#?}", outcome.rollouts);
        assert!(outcome.checks.iter().filter(|c| c.kind != CheckKind::Sometimes).all(|c| c.tested > 0));
        assert!(outcome.requests.failed > 0, "a storm that nobody feels tests nothing");
    }
}

#[test]
fn equal_seeds_make_equal_runs_and_another_seed_another() {
    let (first, again, other) = (outcome(&storm(), 7), outcome(&storm(), 7), outcome(&storm(), 8));
    assert_eq!(first, again);
    assert_ne!(first.run.fingerprint, other.run.fingerprint);
}

#[test]
fn recording_changes_nothing() {
    use kernel::trace::{Level, Window};
    let level = Level::Entries { window: Window::ALL, cap: 1_000_000, without: &[] };
    let recorded = run(&storm(), Seed(7), &Options { trace: level, ..Options::default() });
    assert_eq!(recorded.outcome, outcome(&storm(), 7));
    assert!(recorded.trace.entries().len() > 10_000);
}

#[test]
fn taking_a_fault_away_leaves_every_arrival_and_every_service_time() {
    let probe = |spec: &Spec| {
        run(spec, Seed(7), &Options { record_arrivals: true, ..Options::default() }).arrivals.expect("asked for")
    };
    let whole = probe(&storm());
    for index in 0..storm().faults.len() {
        let mut less = storm();
        let gone = less.faults.remove(index);
        assert_eq!(probe(&less), whole, "without {}", gone.name);
    }
}

#[test]
fn an_instance_that_fails_fast_answers_with_errors_and_the_rest_is_as_it_was() {
    let of = |share: Ratio| {
        let mut spec = ideal(
            vec![ServiceSpec { balancer: balancer::Strategy::ROUND_ROBIN, ..service("api", 4) }],
            poisson(400.0),
            Duration::secs(1),
            Duration::secs(20),
        );
        let failing = Failing { share, after: Duration::us(100) };
        spec.faults =
            vec![fault("black hole", 5, 10, fault::Errors { whom: Selector::Name("api-2".into()), failing }.into())];
        spec
    };
    let all = outcome(&of(Ratio::ONE), 1);
    assert_eq!(all.verdict, Verdict::Passed, "{:?}", all.failure);
    let failed = |outcome: &Outcome| outcome.requests.failed as f64;
    // A quarter of the requests of half of the time.
    let expected = 400.0 * 10.0 / 4.0;
    assert!((failed(&all) / expected - 1.0).abs() < 0.1, "{:?}", all.requests);
    assert!(all.requests.errors.iter().all(|(name, _)| *name == "server_error"), "{:?}", all.requests);
    let half = outcome(&of(Ratio::percent(50)), 1);
    assert!((failed(&half) / failed(&all) - 0.5).abs() < 0.1, "{:?}", half.requests);
    assert_eq!(half.requests.sent, all.requests.sent);
    assert_eq!(failed(&outcome(&of(Ratio::ZERO), 1)), 0.0);
}

/// Requests in the measured part by instance, from one caller of five instances with these weights.
fn by_weight(strategy: balancer::Strategy, weights: &[u32], registry: bool) -> Vec<u64> {
    let api = ServiceSpec {
        balancer: strategy,
        template: InstanceTemplate { weights: weights.to_vec(), ..InstanceTemplate::default() },
        ..service("api", 5)
    };
    let mut load = poisson(1_000.0);
    load.arrivals = Arrivals::Constant { rate: 1_000.0 };
    let mut spec = ideal(vec![api], load, Duration::secs(10), Duration::secs(16));
    spec.registry = stack().registry.filter(|_| registry);
    let outcome = outcome(&spec, 1);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    outcome.services[0].instances.iter().map(|i| i.requests).collect()
}

/// The strategies whose shares are fixed beforehand; others let what they measure decide.
const GO_BY_WEIGHT_OR_EVENLY: [&str; 9] = [
    "round_robin",
    "random",
    "least_request",
    "p2c",
    "full_scan",
    "smooth_weighted_round_robin",
    "edf",
    "static_stride",
    "weighted_random",
];

#[test]
fn instances_get_requests_in_proportion_to_their_weights() {
    // Five instances weigh 3, 1, 3, 1, 3 in turn: 11 in all.
    for registry in [false, true] {
        for info in
            balancer::strategy::catalogue::all().iter().filter(|info| GO_BY_WEIGHT_OR_EVENLY.contains(&info.name))
        {
            let counts = by_weight(balancer::Strategy::of(info), &[3, 1], registry);
            let total = counts.iter().sum::<u64>() as f64;
            assert!(total > 15_000.0, "{}: {counts:?}", info.name);
            for (count, weight) in counts.iter().zip([3.0, 1.0, 3.0, 1.0, 3.0]) {
                let p = if info.weighted { weight / 11.0 } else { 0.2 };
                let slack = match balancer::Strategy::of(info) {
                    // A cycle that is cut off holds at most all of a host's turns.
                    _ if info.weighted && balancer::Strategy::of(info) != balancer::Strategy::WEIGHTED_RANDOM => weight,
                    _ => 4.0 * (total * p * (1.0 - p)).sqrt(),
                };
                assert!((*count as f64 - total * p).abs() <= slack, "{}, registry {registry}: {counts:?}", info.name);
            }
        }
    }
}

#[test]
fn whole_cycles_give_each_instance_exactly_its_weight() {
    let weights = [3, 1, 1, 1, 2];
    let deterministic =
        [balancer::Strategy::SMOOTH_WEIGHTED, balancer::Strategy::EARLIEST_DEADLINE, balancer::Strategy::STATIC_STRIDE];
    for strategy in deterministic {
        let counts = by_weight(strategy, &weights, false);
        let total: u64 = counts.iter().sum();
        assert_eq!(total % 8, 0, "the load is chosen such that the measured part holds whole cycles");
        assert_eq!(counts, weights.map(|weight| total / 8 * u64::from(weight)), "{strategy}");
    }
}

#[test]
fn instances_are_measured_from_the_end_of_warm_up_to_the_request() {
    // Warm-up ends inside a step of the timeline, and between two arrivals.
    let mut spec = ideal(vec![service("api", 4)], poisson(1_000.0), Duration::ms(1_357), Duration::secs(4));
    spec.loads[0].arrivals = Arrivals::Constant { rate: 1_000.0 };
    let outcome = outcome(&spec, 1);
    let taken: u64 = outcome.services[0].instances.iter().map(|i| i.requests).sum();
    assert_eq!((taken, outcome.requests.sent), (4_000, 4_000));
}

#[test]
fn slow_instances_take_longer_and_the_rest_is_as_it_was() {
    let of = |speeds: &[f64]| {
        let api = ServiceSpec {
            balancer: balancer::Strategy::ROUND_ROBIN,
            service_time: Dist::Constant(Duration::ms(2)),
            template: InstanceTemplate { speeds: speeds.to_vec(), ..InstanceTemplate::default() },
            ..service("api", 3)
        };
        let mut load = poisson(100.0);
        load.arrivals = Arrivals::Constant { rate: 100.0 };
        let spec = ideal(vec![api], load, Duration::secs(1), Duration::secs(6));
        outcome(&spec, 1).services[0].instances.iter().map(|i| i.utilisation).collect::<Vec<f64>>()
    };
    let (same, mixed) = (of(&[]), of(&[1.0, 0.5]));
    assert_eq!(same, of(&[1.0]));
    assert_eq!([same[0], same[2]], [mixed[0], mixed[2]], "the third begins the list again");
    assert!((mixed[1] / same[1] - 2.0).abs() < 1e-2, "{mixed:?} {same:?}");
}

#[test]
fn shared_processors_serve_everybody_at_once_and_lose_everybody_at_once() {
    // 400 requests a second of 2 ms each, at even distances: one processor is busy for four fifths of the time.
    let of = |processors, concurrency| {
        let api =
            ServiceSpec { service_time: Dist::Constant(Duration::ms(2)), processors, concurrency, ..service("api", 1) };
        let mut load = poisson(100.0);
        load.arrivals = Arrivals::Constant { rate: 400.0 };
        ideal(vec![api], load, Duration::secs(1), Duration::secs(9))
    };
    let (queue, shared) = (outcome(&of(None, 1), 1), outcome(&of(Some(1.0), 100), 1));
    assert_eq!(queue.latency, shared.latency, "nobody meets anybody");
    assert_eq!(queue.services[0].instances[0].utilisation, shared.services[0].instances[0].utilisation);
    // Half a processor is less than that.
    let over = outcome(&of(Some(0.5), 10), 1);
    assert!(over.services[0].instances[0].utilisation > 0.99, "{}", over.services[0].instances[0].utilisation);
    assert!(over.services[0].instances[0].in_system > 100.0);
    // A crash of the process loses all that shared its processor, and the next life begins with an idle one.
    let mut spec = of(Some(0.81), 100);
    spec.faults =
        vec![fault("crash", 4, 1, fault::Crash { whom: Selector::Name("api-1".into()), how: Crash::Process }.into())];
    let crashed = outcome(&spec, 1);
    assert_eq!(crashed.verdict, Verdict::Passed, "{:?}", crashed.failure);
    let lost = crashed.requests.sent - crashed.requests.succeeded;
    assert!(lost > 0 && lost < 1_000, "{:?}", crashed.requests);
}

#[test]
fn what_requests_are_routed_by_changes_nothing_for_balancers_that_do_not_hash() {
    let mut spec = ideal(vec![service("api", 4)], poisson(500.0), Duration::secs(1), Duration::secs(4));
    let unique = outcome(&spec, 1);
    spec.loads[0].keys = world::spec::RoutingKeys::Popular(base::Zipf::new(100, 1.1));
    assert_eq!(unique.run.fingerprint, outcome(&spec, 1).run.fingerprint);
}

/// What is odd about the last of ten instances.
#[derive(Clone, Copy)]
enum Odd {
    /// Nothing.
    Like,
    /// It is ten times as slow.
    Slow,
    /// It answers everything with an error, in a twentieth of the time.
    Failing,
}

/// The share of all requests that the odd one of ten instances gets, of which a tenth is busy on average with requests
/// of `work` milliseconds.
fn share_of_the_odd_one(strategy: &str, odd: Odd, work: u64) -> f64 {
    let mut api = service("api", 10);
    api.service_time = Dist::Exponential { mean: Duration::ms(work) };
    api.balancer = balancer::Strategy::from_name(strategy).expect("a strategy");
    api.concurrency = 4;
    api.template.speeds = vec![1.0; 9];
    api.template.speeds.push(if matches!(odd, Odd::Slow) { 0.1 } else { 1.0 });
    let mut spec = ideal(vec![api], poisson(1_000.0 / work as f64), Duration::secs(2), Duration::secs(10 * work));
    if matches!(odd, Odd::Failing) {
        let failing = Failing { share: Ratio::ONE, after: Duration::us(50) };
        spec.faults =
            vec![fault("black hole", 1, 20, fault::Errors { whom: Selector::Name("api-10".into()), failing }.into())];
    }
    let outcome = outcome(&spec, 3);
    let taken: Vec<u64> = outcome.services[0].instances.iter().map(|i| i.requests).collect();
    taken[9] as f64 / taken.iter().sum::<u64>() as f64
}

#[test]
fn strategies_that_measure_leave_a_slow_instance() {
    assert!((share_of_the_odd_one("round_robin", Odd::Slow, 1) - 0.1).abs() < 0.01);
    let measuring =
        ["peak_ewma", "finagle_peak_ewma", "penalty_peak_ewma", "dubbo_adaptive", "c3"].map(|name| (name, 1));
    // Whole milliseconds are what it knows: where they are one, it is chance who is estimated at nothing.
    for (strategy, work) in measuring.into_iter().chain([("dubbo_shortest_response", 10)]) {
        let share = |odd| share_of_the_odd_one(strategy, odd, work);
        let (slow, like_the_rest) = (share(Odd::Slow), share(Odd::Like));
        assert!(slow < 0.06, "{strategy} sends {slow} to the slow one");
        assert!((0.03..0.3).contains(&like_the_rest), "{strategy} sends {like_the_rest} to one like the others");
    }
}

#[test]
fn an_instance_that_fails_fast_attracts_traffic_unless_failures_are_penalised() {
    // Of two distinct draws out of ten, a given one is among them every fifth time, so a fifth is all that two choices
    // can send.
    for (strategy, least, most) in
        [("peak_ewma", 0.18, 0.21), ("finagle_peak_ewma", 0.18, 0.21), ("penalty_peak_ewma", 0.0, 0.01)]
    {
        let share = share_of_the_odd_one(strategy, Odd::Failing, 1);
        assert!((least..=most).contains(&share), "{strategy} sends {share} to the one that fails");
    }
}

#[test]
fn weights_made_of_load_reports_follow_the_instances_speeds() {
    for strategy in ["grpc_weighted_round_robin", "envoy_weighted_round_robin"] {
        let mut api = service("api", 4);
        api.balancer = balancer::Strategy::from_name(strategy).expect("a strategy");
        api.template.speeds = vec![1.0, 1.0, 0.5, 0.25];
        // 2,750 a second is what they can do; utilization is measured best at half of it. Weights count after ten
        // seconds.
        let spec = ideal(vec![api], poisson(1_400.0), Duration::secs(20), Duration::secs(40));
        let outcome = outcome(&spec, 5);
        let taken: Vec<f64> = outcome.services[0].instances.iter().map(|i| i.requests as f64).collect();
        let total: f64 = taken.iter().sum();
        for (taken, speed) in taken.iter().zip([1.0, 1.0, 0.5, 0.25]) {
            let (share, expected) = (taken / total, speed / 2.75);
            assert!((share / expected - 1.0).abs() < 0.1, "{strategy}: {share} for a speed of {speed}");
        }
    }
}

#[test]
fn probes_find_the_fast_and_cost_what_they_cost() {
    let with = |strategy: &str| {
        let mut api = service("api", 20);
        api.balancer = balancer::Strategy::from_name(strategy).expect("a strategy");
        api.template.speeds = vec![1.0, 1.0, 1.0, 0.25];
        let mut spec = ideal(vec![api], poisson(11_000.0), Duration::secs(2), Duration::secs(10));
        spec.loads[0].sources = 10;
        spec.within_zone = kernel::Link::new(Dist::Constant(Duration::us(50)));
        outcome(&spec, 4)
    };
    let (random, p2c, prequal) = (with("random"), with("p2c"), with("prequal"));
    assert_eq!(p2c.services[0].balancing.probes, 0);
    let asked: u64 = prequal.services[0].instances.iter().map(|i| i.requests).sum();
    let probes = prequal.services[0].balancing.probes as f64 / (asked as f64 * 12.0 / 10.0);
    assert!((probes - 3.0).abs() < 0.1, "{probes} probes a request");
    // Ten callers that each know a tenth of what is going on, against one that asks.
    assert!(prequal.latency.p99 < p2c.latency.p99 / 2, "{} against {}", prequal.latency.p99, p2c.latency.p99);
    assert!(p2c.latency.p99 < random.latency.p99);
}

#[test]
fn the_steps_of_a_run_add_up_to_its_totals() {
    let mut spec = ideal(vec![service("api", 3)], poisson(1_800.0), Duration::secs(10), Duration::secs(90));
    spec.timeline_steps = 400;
    let outcome = outcome(&spec, 9);
    let t = &outcome.timeline;
    // Means of the steps, weighed by how many ended in each, are the mean of all; each is rounded down to a nanosecond.
    let measured = 40..t.steps;
    let ended = |i: usize| f64::from(t.succeeded[i]);
    let sum: f64 = measured.clone().map(|i| t.mean[i].as_millis_f64() * ended(i)).sum();
    let mean = sum / measured.clone().map(ended).sum::<f64>();
    assert!((mean / outcome.latency.mean.as_millis_f64() - 1.0).abs() < 0.001, "{mean} ms");
    for instance in &outcome.services[0].instances {
        assert_eq!((instance.in_system_per_step.len(), instance.created_in_step), (t.steps, 0));
        let seen: u32 = instance.in_system_per_step[measured.clone()].iter().sum();
        let seen = f64::from(seen) / measured.len() as f64;
        assert!((seen - instance.in_system).abs() < 0.25, "{seen} at ends of steps, {} over time", instance.in_system);
        let most = instance.in_system_per_step[measured.clone()].iter().max();
        assert!(most.is_some_and(|&n| n <= instance.in_system_max_measured));
        assert!(instance.in_system_max_measured <= instance.in_system_max);
    }
    let at_instances =
        |i: usize| -> u32 { outcome.services[0].instances.iter().map(|n| n.in_system_per_step[i]).sum() };
    assert!(
        (0..t.steps).all(|i| at_instances(i) == t.in_flight[i]),
        "without a network all that is under way is there"
    );
}

#[test]
fn what_was_worst_in_warm_up_is_not_the_worst_of_what_is_measured() {
    let mut spec = ideal(vec![service("api", 1)], poisson(500.0), Duration::secs(20), Duration::secs(60));
    spec.faults = vec![Fault {
        name: "pause".into(),
        kind: fault::Pause { whom: Selector::Tag("api".into()) }.into(),
        at: Instant::from_secs(5),
        lasts: Some(Duration::secs(2)),
    }];
    let outcome = outcome(&spec, 1);
    let instance = &outcome.services[0].instances[0];
    assert!(instance.in_system_max > 500, "{} piled up while it paused", instance.in_system_max);
    assert!(instance.in_system_max_measured < 100, "{}", instance.in_system_max_measured);
}
