//! What holds for every strategy, every set of hosts and every order of events; and the shares that theory gives.

use balancer::strategy::parameter::Value;
use balancer::{Balancer, Class, Host, Report, Request, Response, Strategy, strategy};
use base::{Draw, Duration, InstanceId, Instant, Seed};
use proptest::prelude::{Just, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Generator;
use std::collections::BTreeMap;

const NOW: Instant = Instant::ZERO;
const ANY: Request = Request { hash: 0 };
const FINE: Response = Response::success(Duration::ZERO);

fn hosts(n: u32) -> Vec<Host> {
    (0..n).map(|i| Host::new(InstanceId(i * 3 + 1))).collect()
}

fn with(strategy: Strategy, n: u32, seed: u64) -> Balancer {
    let mut balancer = Balancer::new(strategy, Seed(seed).stream("properties"));
    balancer.update(NOW, &hosts(n));
    balancer
}

/// How often each host is picked when `outstanding` never changes.
fn shares(strategy: Strategy, outstanding: &[u32], picks: u32) -> Vec<f64> {
    let mut balancer = with(strategy, outstanding.len() as u32, 2026);
    for (index, &n) in outstanding.iter().enumerate() {
        (0..n).for_each(|_| balancer.started(index));
    }
    let mut counts = vec![0u32; outstanding.len()];
    for _ in 0..picks {
        counts[balancer.pick(NOW, ANY).unwrap()] += 1;
    }
    counts.iter().map(|&c| f64::from(c) / f64::from(picks)).collect()
}

/// Passes when every share is within four standard deviations of what is expected of `picks` independent picks.
fn assert_shares(strategy: Strategy, outstanding: &[u32], expected: &[f64]) {
    let picks = 200_000;
    let shares = shares(strategy, outstanding, picks);
    for (share, p) in shares.iter().zip(expected) {
        let sigma = (p * (1.0 - p) / f64::from(picks)).sqrt();
        assert!((share - p).abs() <= 4.0 * sigma, "{strategy} over {outstanding:?}: {shares:?}, expected {expected:?}");
    }
}

#[test]
fn the_busier_of_two_gets_a_quarter_with_replacement_and_nothing_from_a_distinct_pair() {
    assert_shares(Strategy::LEAST_REQUEST, &[0, 1], &[0.75, 0.25]);
    assert_shares(Strategy::LEAST_REQUEST, &[9, 1], &[0.25, 0.75]);
    assert_shares(Strategy::P2C, &[0, 1], &[1.0, 0.0]);
    assert_shares(Strategy::P2C, &[9, 1], &[0.0, 1.0]);
}

#[test]
fn one_busy_host_of_three_gets_a_ninth_with_replacement() {
    assert_shares(Strategy::LEAST_REQUEST, &[0, 0, 1], &[4.0 / 9.0, 4.0 / 9.0, 1.0 / 9.0]);
    assert_shares(Strategy::P2C, &[0, 0, 1], &[0.5, 0.5, 0.0]);
}

#[test]
fn the_best_host_is_among_the_choices_as_often_as_counting_says() {
    // With replacement: 1 − ((n − 1) / n)^d. Distinct: d / n. (envoyproxy/envoy issue 20420)
    let loads = [0, 1, 1, 1, 1];
    for choices in 1..=4u32 {
        let missed = (0..choices).fold(1.0, |p, _| p * 4.0 / 5.0);
        let rest = missed / 4.0;
        let strategy = Strategy::LEAST_REQUEST.count("choices", choices.into());
        assert_shares(strategy, &loads, &[1.0 - missed, rest, rest, rest, rest]);

        let found = f64::from(choices) / 5.0;
        let rest = (1.0 - found) / 4.0;
        let strategy = Strategy::P2C.count("choices", choices.into());
        assert_shares(strategy, &loads, &[found, rest, rest, rest, rest]);
    }
}

#[test]
fn equal_hosts_get_equal_shares() {
    // None of them gets anything from a strategy that bounds what a host may have. HAProxy's leastconn stays with the
    // first until something starts there, and the parts of its random are those of a ring: `proxies.rs` has both.
    let others = ["haproxy_leastconn", "haproxy_random"];
    let is_asked = |info: &strategy::StrategyInfo| !info.needs.keys && !info.needs.line && !others.contains(&info.name);
    for info in strategy::catalogue::all().iter().filter(|info| is_asked(info)) {
        assert_shares(Strategy::of(info), &[2; 6], &[1.0 / 6.0; 6]);
    }
}

/// Hosts of these weights, and the picks of a new balancer among them.
fn weighted(strategy: Strategy, weights: &[u32], seed: u64) -> Balancer {
    let mut balancer = Balancer::new(strategy, Seed(seed).stream("properties"));
    let hosts: Vec<Host> =
        (0..).zip(weights).map(|(i, &weight)| Host { instance: InstanceId(i * 3 + 1), weight }).collect();
    balancer.update(NOW, &hosts);
    balancer
}

fn picked(balancer: &mut Balancer, picks: u32) -> Vec<u32> {
    let mut counts = vec![0; balancer.hosts().len()];
    (0..picks).for_each(|_| counts[balancer.pick(NOW, ANY).unwrap()] += 1);
    counts
}

#[test]
fn weighted_random_goes_by_weight() {
    let (weights, picks) = ([1, 2, 3, 94], 200_000);
    let counts = picked(&mut weighted(Strategy::WEIGHTED_RANDOM, &weights, 2026), picks);
    for (&count, weight) in counts.iter().zip(weights) {
        let p = f64::from(weight) / 100.0;
        let sigma = (p * (1.0 - p) * f64::from(picks)).sqrt();
        assert!((f64::from(count) - p * f64::from(picks)).abs() <= 4.0 * sigma, "{counts:?}");
    }
}

#[test]
fn strategies_go_by_weight_when_they_say_so() {
    // While all are idle HAProxy's leastconn takes hosts in turn and nginx' random two prefers the light: `proxies.rs`.
    let others = ["haproxy_leastconn", "nginx_random_two"];
    let is_asked = |info: &strategy::StrategyInfo| !info.needs.keys && !others.contains(&info.name);
    for info in strategy::catalogue::all().iter().filter(|info| is_asked(info)) {
        let counts = picked(&mut weighted(Strategy::of(info), &[1, 9], 5), 10_000);
        assert_eq!(counts[1] > 8_500, info.weighted, "{}: {counts:?}", info.name);
        assert_eq!(counts[1] < 5_500, !info.weighted, "{}: {counts:?}", info.name);
    }
}

#[test]
fn first_picks_are_fair_under_edf_and_favour_the_heavy_under_the_others() {
    // Weights 1 and 3. A static stride that starts at the light host, one time in two, skips it two times in three.
    let clients = 4_000;
    for (strategy, p) in [
        (Strategy::EARLIEST_DEADLINE, 1.0 / 4.0),
        (Strategy::WEIGHTED_RANDOM, 1.0 / 4.0),
        (Strategy::STATIC_STRIDE, 1.0 / 6.0),
        (Strategy::SMOOTH_WEIGHTED, 0.0),
    ] {
        let light =
            (0..clients).filter(|&seed| weighted(strategy, &[1, 3], seed).pick(NOW, ANY) == Some(0)).count() as f64;
        let expected = p * clients as f64;
        assert!((light - expected).abs() <= 4.0 * (expected * (1.0 - p)).sqrt(), "{strategy}: {light}, not {expected}");
    }
}

#[test]
fn edf_with_equal_weights_is_round_robin_from_the_same_start() {
    for n in 1..20 {
        let mut edf = weighted(Strategy::EARLIEST_DEADLINE, &vec![7; n], n as u64);
        let mut turns = weighted(Strategy::ROUND_ROBIN, &vec![1; n], n as u64);
        (0..50).for_each(|_| assert_eq!(edf.pick(NOW, ANY), turns.pick(NOW, ANY)));
    }
}

#[test]
fn full_scan_breaks_ties_fairly() {
    let picks = 70_000u32;
    let shares = shares(Strategy::FULL_SCAN, &[1, 0, 5, 0, 0, 2, 0, 0, 0, 0], picks);
    let expected = f64::from(picks) / 7.0;
    let mut chi2 = 0.0;
    for (index, share) in shares.iter().enumerate() {
        let count = share * f64::from(picks);
        if [0, 2, 5].contains(&index) {
            assert!(count == 0.0, "a busier host was picked: {shares:?}");
        } else {
            chi2 += (count - expected) * (count - expected) / expected;
        }
    }
    // Six degrees of freedom pass 22.5 once in a thousand seeds; this seed is fixed.
    assert!(chi2 < 22.5, "chi² = {chi2}: {shares:?}");
}

#[test]
fn the_earlier_draw_wins_a_tie() {
    // A stream of the same name tells which host is drawn first.
    for distinct in [false, true] {
        let mut draw = Seed(5).stream("properties");
        let mut balancer = with(if distinct { Strategy::P2C } else { Strategy::LEAST_REQUEST }, 7, 5);
        for _ in 0..100 {
            let first = draw.below(7) as usize;
            draw.below(if distinct { 6 } else { 7 });
            assert_eq!(balancer.pick(NOW, ANY), Some(first), "distinct: {distinct}");
        }
    }
}

#[test]
fn round_robin_starts_anywhere() {
    let first = |seed| with(Strategy::ROUND_ROBIN, 10, seed).pick(NOW, ANY).unwrap();
    let mut seen = [false; 10];
    (0..200).for_each(|seed| seen[first(seed)] = true);
    assert_eq!(seen, [true; 10]);
}

#[test]
fn what_a_balancer_takes_is_known_before_it_is_built() {
    for info in strategy::catalogue::all() {
        for (n, most) in [(1, 1), (40, 3), (3_000, 1), (3_000, 5)] {
            let hosts: Vec<Host> = (0..n).map(|i| Host { instance: InstanceId(i), weight: i % most + 1 }).collect();
            let mut balancer = Balancer::new(Strategy::of(info), Seed(1).stream("properties"));
            balancer.update(NOW, &hosts);
            for i in 0..20_000 {
                if let Some(index) = balancer.pick(NOW, Request { hash: i }) {
                    balancer.started(index);
                    balancer.finished(NOW, index, InstanceId(index as u32), &FINE);
                }
            }
            balancer.update(NOW, &hosts);
            let (said, is) = (Strategy::of(info).bytes_over(&hosts), balancer.bytes() as u64);
            let what = format!("{} over {n} hosts of 1 to {most}", info.name);
            assert!(is <= said, "{what}: {said} bytes said, {is} taken");
            assert!(said <= 6 * is + 16_384, "{what}: {said} bytes said, {is} taken");
        }
    }
}

#[test]
fn names_lead_back_to_their_strategies() {
    for info in strategy::catalogue::all() {
        assert_eq!(Strategy::from_name(info.name), Some(Strategy::of(info)));
        assert_eq!(Strategy::of(info).to_string(), info.name, "defaults are not printed");
        for parameter in info.parameters {
            assert!(parameter.kind.admits(parameter.default), "{}: {parameter:?}", info.name);
        }
    }
    assert_eq!(Strategy::from_name("two_choices"), None);
}

#[test]
fn impossible_parameters_are_refused_with_a_sentence() {
    let refused = |strategy: Strategy, name, n| strategy.with(name, Value::Count(n)).unwrap_err().to_string();
    let most = Strategy::P2C.count("choices", 16);
    assert_eq!(most.to_string(), "p2c choices=16");
    assert_eq!(
        refused(Strategy::LEAST_REQUEST, "choices", 0),
        "`choices` cannot be 0: it is a whole number from 1 to 1000"
    );
    assert_eq!(refused(Strategy::P2C, "choices", 17), "`choices` cannot be 17: it is a whole number from 1 to 16");
    assert_eq!(refused(Strategy::RANDOM, "choices", 2), "`choices` has no meaning for `random`");
}

#[test]
#[should_panic(expected = "i4 finished a request it never started")]
fn a_finish_without_a_start_is_a_bug() {
    with(Strategy::RANDOM, 3, 1).finished(NOW, 1, InstanceId(4), &FINE);
}

#[test]
#[should_panic(expected = "i4 is listed twice")]
fn an_instance_listed_twice_is_a_bug() {
    let twice = [Host::new(InstanceId(4)), Host::new(InstanceId(4))];
    with(Strategy::RANDOM, 3, 1).update(NOW, &twice);
}

fn any_strategy() -> impl Generator<Value = Strategy> {
    prop_oneof![
        Just(Strategy::ROUND_ROBIN),
        Just(Strategy::RANDOM),
        Just(Strategy::FULL_SCAN),
        Just(Strategy::SMOOTH_WEIGHTED),
        Just(Strategy::EARLIEST_DEADLINE),
        Just(Strategy::STATIC_STRIDE),
        Just(Strategy::WEIGHTED_RANDOM),
        hashing(),
        // And all the rest by name.
        proptest::sample::select(by_name()),
        (1..=6u64, any::<bool>()).prop_map(|(choices, distinct)| {
            let strategy = if distinct { Strategy::P2C } else { Strategy::LEAST_REQUEST };
            strategy.count("choices", choices)
        }),
        (1..=4u64).prop_map(|bound| Strategy::BOUNDED_SHORTEST_QUEUE.count("bound", bound)),
        (1..=3u64, any::<bool>()).prop_map(|(dispatchers, withdraw)| {
            let strategy = Strategy::JOIN_IDLE_QUEUE.count("desks", dispatchers);
            strategy.with("withdraw", Value::Switch(withdraw)).expect("a switch")
        }),
        (0..3usize, any::<bool>()).prop_map(|(rule, stale)| {
            let strategy = [Strategy::FULL_SCAN, Strategy::P2C, Strategy::LEAST_REQUEST][rule];
            let knowledge = if stale { "stale" } else { "shared" };
            strategy.with("knowledge", Value::Word(knowledge)).expect("a word it knows")
        }),
    ]
}

fn says(strategy: Strategy, wanted: Value) -> bool {
    strategy.values().iter().any(|(_, value)| value == wanted)
}

/// The first of its parameters that is a whole number.
fn choices_of(strategy: Strategy) -> usize {
    strategy
        .values()
        .iter()
        .find_map(|(_, value)| match value {
            Value::Count(n) => Some(n as usize),
            _ => None,
        })
        .expect("it draws")
}

/// Those that need no more than their name.
fn by_name() -> Vec<Strategy> {
    strategy::catalogue::all().iter().filter(|info| !info.needs.keys).map(|info| Strategy::of(info)).collect()
}

/// Any that goes by keys, where retries go anywhere.
fn hashing() -> impl Generator<Value = Strategy> {
    let names: Vec<&str> =
        strategy::catalogue::all().iter().filter(|info| info.needs.keys).map(|info| info.name).collect();
    let names = proptest::sample::select(names);
    (names, proptest::sample::select(vec!["next", "elsewhere", "same"])).prop_map(|(name, failover)| {
        let strategy = Strategy::from_name(name).expect("a strategy").with("failover", Value::Word(failover));
        match strategy.expect("all of them have it") {
            maglev if name == "maglev" => maglev.count("table_size", 251),
            other => other,
        }
    })
}

/// Something that happens to a balancer.
#[derive(Clone, Debug)]
enum Step {
    /// These hosts are pickable now, each with a weight.
    Update(BTreeMap<u32, u32>),
    /// A pick that is sent.
    Send,
    /// A retry that avoids some hosts.
    Retry(Vec<u32>),
    /// One of the requests in flight ends, and so.
    Finish(usize, Response),
    /// The clock moves so many milliseconds; it may have been put back.
    Clock(i64),
    /// The date is set ahead by so many nanoseconds, or back.
    Date(i64),
}

fn any_response() -> impl Generator<Value = Response> {
    let class = prop_oneof![
        4 => Just(Class::Success),
        1 => Just(Class::Failure),
        1 => Just(Class::NoAnswer),
        1 => Just(Class::Overload { retry_after: None }),
        1 => (0..1_000u64).prop_map(|s| Class::Overload { retry_after: Some(Duration::secs(s)) }),
    ];
    let report = (0..100u32, 0..100u32, 0..1_000u64, 0.0..2.0f64, 0.0..1e4f64, 0.0..1.0f64);
    let report = report.prop_map(|(working, waiting, ms, utilization, qps, failing)| Report {
        in_flight: working + waiting,
        waiting,
        service_time: Duration::ms(ms),
        utilization,
        qps,
        eps: qps * failing,
    });
    (0..100_000u64, any_date(), class, proptest::option::of(report))
        .prop_map(|(us, stepped_ns, class, report)| Response { rtt: Duration::us(us), stepped_ns, class, report })
}

/// By how much a date was set ahead: mostly not at all.
fn any_date() -> impl Generator<Value = i64> {
    prop_oneof![8 => Just(0i64), 1 => -3_600_000_000_000..3_600_000_000_000i64, 1 => any::<i64>()]
}

fn any_steps() -> impl Generator<Value = Vec<Step>> {
    let hosts = || proptest::collection::btree_set(0..12u32, 0..10);
    let weighted_hosts = proptest::collection::btree_map(0..12u32, 0..5u32, 0..10);
    let step = prop_oneof![
        1 => weighted_hosts.prop_map(Step::Update),
        6 => Just(Step::Send),
        1 => hosts().prop_map(|h| Step::Retry(h.into_iter().collect())),
        5 => (any::<usize>(), any_response()).prop_map(|(which, response)| Step::Finish(which, response)),
        2 => prop_oneof![4 => 0..20i64, 1 => 0..40_000i64, 1 => -2_000..0i64].prop_map(Step::Clock),
        1 => any_date().prop_map(Step::Date),
    ];
    proptest::collection::vec(step, 1..120)
}

proptest! {
    /// Against a map from instance to count: picks are inside, counts are exact over every coming and going, and what
    /// each strategy promises about its choice holds.
    #[test]
    fn counts_and_promises_hold_through_any_history(strategy in any_strategy(), steps in any_steps(), seed: u64) {
        let mut balancer = Balancer::new(strategy, Seed(seed).stream("history"));
        let mut twin = Balancer::new(strategy, Seed(seed).stream("history"));
        let mut model: BTreeMap<InstanceId, u32> = BTreeMap::new();
        let mut flying: Vec<(usize, InstanceId)> = Vec::new();
        let mut now = NOW + Duration::secs(1_000);
        for step in steps {
            match step {
                Step::Update(instances) => {
                    let hosts = instances.iter().rev().map(|(&i, &weight)| Host { instance: InstanceId(i), weight });
                    let hosts: Vec<Host> = hosts.collect();
                    balancer.update(now, &hosts);
                    twin.update(now, &hosts);
                    prop_assert!(balancer.hosts().iter().map(|h| (h.instance.0, h.weight)).eq(instances));
                }
                Step::Send | Step::Retry(_) => {
                    let tried: Vec<InstanceId> = match &step {
                        Step::Retry(instances) => instances.iter().map(|&i| InstanceId(i)).collect(),
                        _ => Vec::new(),
                    };
                    let picked = balancer.pick_except(now, ANY, &tried, 5);
                    prop_assert_eq!(picked, twin.pick_except(now, ANY, &tried, 5));
                    let bound = if strategy.info().needs.line { choices_of(strategy) as u32 } else { u32::MAX };
                    let is_full = (0..balancer.hosts().len()).all(|i| balancer.outstanding(i) >= bound);
                    prop_assert_eq!(picked.is_none(), is_full, "nobody is picked when, and only when, nobody may be");
                    let Some(index) = picked else { continue };
                    prop_assert!(index < balancer.hosts().len());

                    let load = balancer.outstanding(index);
                    let loads = (0..balancer.hosts().len()).map(|i| balancer.outstanding(i));
                    match strategy.name() {
                        _ if says(strategy, Value::Word("stale")) => {}
                        "jbsq" => prop_assert!(load < bound && load == loads.min().unwrap()),
                        // Nobody else is there to whom an idle host would report. A retry may have to avoid the only
                        // one.
                        "jiq" if says(strategy, Value::Switch(true)) && tried.is_empty() => {
                            prop_assert!(load == 0 || loads.min().unwrap() > 0);
                        }
                        "full_scan" => prop_assert_eq!(load, loads.min().unwrap()),
                        "p2c" => {
                            // At least choices − 1 others were drawn and are no less busy.
                            let no_less_busy = loads.filter(|&other| other >= load).count();
                            prop_assert!(no_less_busy >= balancer.hosts().len().min(choices_of(strategy)));
                        }
                        _ => {}
                    }
                    let instance = balancer.hosts()[index].instance;
                    balancer.started(index);
                    twin.started(index);
                    *model.entry(instance).or_default() += 1;
                    flying.push((index, instance));
                }
                Step::Finish(which, response) => {
                    if flying.is_empty() {
                        continue;
                    }
                    let (hint, instance) = flying.swap_remove(which % flying.len());
                    balancer.finished(now, hint, instance, &response);
                    twin.finished(now, hint, instance, &response);
                    *model.get_mut(&instance).unwrap() -= 1;
                }
                Step::Clock(ms) if ms < 0 => now = now.saturating_sub(Duration::ms(ms.unsigned_abs())),
                Step::Clock(ms) => now += Duration::ms(ms.unsigned_abs()),
                Step::Date(by_ns) => {
                    balancer.stepped(by_ns);
                    twin.stepped(by_ns);
                }
            }
            for (index, host) in balancer.hosts().iter().enumerate() {
                let expected = model.get(&host.instance).copied().unwrap_or(0);
                prop_assert_eq!(balancer.outstanding(index), expected, "{} after {:?}", host.instance, flying);
            }
            prop_assert_eq!(balancer.in_flight(), flying.len() as u64);
        }
    }

    /// However many picks, no host is more than one turn ahead of another.
    #[test]
    fn round_robin_counts_differ_by_at_most_one(n in 1..50u32, picks in 0..500u32, seed: u64) {
        let mut balancer = with(Strategy::ROUND_ROBIN, n, seed);
        let mut counts = vec![0u32; n as usize];
        for _ in 0..picks {
            counts[balancer.pick(NOW, ANY).unwrap()] += 1;
        }
        prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
    }

    /// A retry goes to an untried host whenever round robin reaches one within its five further picks.
    #[test]
    fn a_retry_avoids_the_tried(n in 2..6u32, seed: u64, tried in 0..6u32) {
        let mut balancer = with(Strategy::ROUND_ROBIN, n, seed);
        let tried: Vec<InstanceId> = hosts(n).iter().take(tried.min(n - 1) as usize).map(|h| h.instance).collect();
        let index = balancer.pick_except(NOW, ANY, &tried, 5).unwrap();
        prop_assert!(!tried.contains(&balancer.hosts()[index].instance));
    }

    /// Over every whole cycle each host has exactly its weight in turns, wherever the cycle begins.
    #[test]
    fn smooth_weighted_cycles_are_exact(weights in proptest::collection::vec(1..20u32, 1..20), begin in 0..100u32) {
        let mut balancer = weighted(Strategy::SMOOTH_WEIGHTED, &weights, 1);
        picked(&mut balancer, begin);
        prop_assert_eq!(picked(&mut balancer, weights.iter().sum()), weights);
    }

    /// Whoever comes, leaves or changes weight, and however many cycles lie between, it is the rule: points to all, the
    /// first of those with the most has it.
    #[test]
    fn smooth_weighted_is_the_rule_through_every_change(
        rounds in proptest::collection::vec(
            (proptest::collection::btree_map(0..8u32, 1..7u32, 1..8), 0..90u32), 1..6),
    ) {
        let mut balancer = Balancer::new(Strategy::SMOOTH_WEIGHTED, Seed(1).stream("properties"));
        let mut points: BTreeMap<u32, i64> = BTreeMap::new();
        for (weights, picks) in rounds {
            let hosts: Vec<Host> =
                weights.iter().map(|(i, weight)| Host { instance: InstanceId(*i), weight: *weight }).collect();
            balancer.update(NOW, &hosts);
            points = weights.keys().map(|i| (*i, points.get(i).copied().unwrap_or(0))).collect();
            for _ in 0..picks {
                points.iter_mut().for_each(|(i, points)| *points += i64::from(weights[i]));
                let most = *points.values().max().expect("there are hosts");
                let (instance, points) = points.iter_mut().find(|(_, points)| **points == most).expect("one has it");
                *points -= weights.values().map(|weight| i64::from(*weight)).sum::<i64>();
                let index = balancer.pick(NOW, ANY).expect("there are hosts");
                prop_assert_eq!(balancer.hosts()[index].instance, InstanceId(*instance));
            }
        }
    }

    /// A host has its weight in turns over a whole cycle, give or take the one that falls on an end of it.
    #[test]
    fn edf_cycles_are_exact_but_for_their_ends(
        weights in proptest::collection::vec(1..20u32, 1..20), begin in 0..100u32, seed: u64
    ) {
        let mut balancer = weighted(Strategy::EARLIEST_DEADLINE, &weights, seed);
        picked(&mut balancer, begin);
        let counts = picked(&mut balancer, weights.iter().sum());
        for (count, weight) in counts.iter().zip(&weights) {
            prop_assert!(count.abs_diff(*weight) <= 1, "{:?} for {:?}", counts, weights);
        }
    }

    /// 65535 rounds give each host its scaled weight in turns; with weights whose maximum divides 65535, as many rounds
    /// as the maximum do.
    #[test]
    fn static_stride_cycles_are_exact(max in proptest::sample::select(vec![1u32, 3, 5, 15, 17]), seed: u64, salt: u64) {
        let mut draw = Seed(salt).stream("weights");
        let mut weights: Vec<u32> = (0..1 + draw.below(9)).map(|_| 1 + draw.below(max)).collect();
        weights.push(max);
        let mean = f64::from(weights.iter().sum::<u32>()) / weights.len() as f64;
        proptest::prelude::prop_assume!(f64::from(max) <= 10.0 * mean);
        let mut balancer = weighted(Strategy::STATIC_STRIDE, &weights, seed);
        prop_assert_eq!(picked(&mut balancer, weights.iter().sum()), weights);
    }
}
