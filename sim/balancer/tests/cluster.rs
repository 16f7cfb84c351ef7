//! Clusters: rules and strategies together, over time and over every kind of change.

use balancer::eligibility::aperture::LoadBand;
use balancer::eligibility::subset::{Criteria, Fallback};
use balancer::eligibility::{
    Aperture, Candidate, Cluster, Eligibility, Health, Locality, Outliers, Peers, Priorities, SlowStart, Subset,
    ZoneAware,
};
use balancer::strategy::catalogue;
use balancer::strategy::parameter::Value;
use balancer::{Balancer, BulletinBoard, Class, Host, Request, Response, Strategy};
use base::{Duration, InstanceId, Instant, Seed, VersionId, ZoneId};
use proptest::prelude::{Just, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Generator;
use std::collections::BTreeMap;

const NOW: Instant = Instant::ZERO;
const ANY: Request = Request { hash: 0 };
const FINE: Response = Response::success(Duration::ms(1));
const ERROR: Response = Response { class: Class::Failure, ..FINE };

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// `n` healthy hosts, in `zones` zones in turn.
fn candidates(n: u32, zones: u32) -> Vec<Candidate> {
    (0..n).map(|i| Candidate { zone: ZoneId(i % zones), ..Candidate::new(Host::new(InstanceId(i))) }).collect()
}

fn cluster(strategy: Strategy, rules: Eligibility, peers: Peers) -> Cluster {
    Cluster::new(strategy, Some(rules.into()), peers, Seed(2026).stream("cluster"))
}

fn peers(by_zone: &[u32], zone: u32) -> Peers {
    Peers { index: 0, by_zone: by_zone.into(), zone: ZoneId(zone) }
}

/// How many of `n` picks each host gets; nothing is sent.
fn picked(cluster: &mut Cluster, now: Instant, n: u32) -> Vec<u32> {
    let mut counts = vec![0; cluster.hosts().len()];
    (0..n).for_each(|_| counts[cluster.pick(now, ANY).expect("somebody")] += 1);
    counts
}

/// Passes when `count` of `n` is within four standard deviations of the share `p`.
fn assert_share(count: u32, n: u32, p: f64) {
    let sigma = (p * (1.0 - p) * f64::from(n)).sqrt();
    assert!((f64::from(count) - p * f64::from(n)).abs() <= 4.0 * sigma, "{count} of {n}, expected {p}");
}

/// Sends one request and has it answered at once; who got it.
fn send(cluster: &mut Cluster, now: Instant, answer: impl Fn(InstanceId) -> Response) -> Option<InstanceId> {
    let index = cluster.pick(now, ANY)?;
    let instance = cluster.hosts()[index].instance;
    cluster.started(index);
    cluster.finished(now, index, instance, &answer(instance));
    Some(instance)
}

#[test]
fn a_date_that_is_set_is_heard_behind_the_rules() {
    let strategy = Strategy::from_name("dubbo_shortest_response").expect("a strategy");
    let mut cluster = cluster(strategy, Eligibility::default(), Peers::alone());
    cluster.update(at(60), candidates(2, 1));
    for (index, ms) in [(0, 10), (1, 20)] {
        cluster.started(index);
        cluster.finished(at(60), index, InstanceId(index as u32), &Response::success(Duration::ms(ms)));
    }
    assert_eq!(picked(&mut cluster, at(60), 100), [100, 0]);
    // Its window is over, by the date, and the next pick forgets what was in it.
    cluster.stepped(31_000_000_000);
    assert_eq!(picked(&mut cluster, at(60), 1), [1, 0]);
    assert!(picked(&mut cluster, at(60), 100).iter().all(|&count| count > 20));
}

#[test]
fn without_rules_a_cluster_is_its_balancer() {
    for info in catalogue::all() {
        let mut alone = Cluster::new(Strategy::of(info), None, Peers::alone(), Seed(7).stream("same"));
        let mut balancer = Balancer::new(Strategy::of(info), Seed(7).stream("same"));
        let candidates = candidates(9, 3);
        let hosts: Vec<Host> = candidates.iter().map(|c| c.host).collect();
        alone.update(NOW, candidates.iter().copied());
        balancer.update(NOW, &hosts);
        for hash in 0..200 {
            let request = Request { hash };
            let picked = alone.pick(NOW, request);
            assert_eq!(picked, balancer.pick(NOW, request), "{}", info.name);
            let Some(index) = picked else { continue };
            alone.started(index);
            balancer.started(index);
        }
    }
}

#[test]
fn load_fails_over_to_the_next_priority_as_the_first_loses_hosts() {
    let rules = Eligibility { priorities: Priorities::ByZone(vec![0, 1]), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, Peers::alone());
    let mut hosts = candidates(8, 2);
    cluster.update(NOW, hosts.iter().copied());
    assert_eq!(picked(&mut cluster, NOW, 100).iter().skip(1).step_by(2).sum::<u32>(), 0);
    // Two of four are well: 70 %.
    (hosts[0].health, hosts[2].health) = (Health::Unhealthy, Health::Unhealthy);
    cluster.update(NOW, hosts.iter().copied());
    let counts = picked(&mut cluster, NOW, 20_000);
    assert_eq!(counts[0] + counts[2], 0);
    assert_share(counts[4] + counts[6], 20_000, 0.7);
}

#[test]
fn too_few_healthy_hosts_are_not_trusted_alone() {
    let mut cluster = cluster(Strategy::ROUND_ROBIN, Eligibility::default(), Peers::alone());
    let mut hosts = candidates(10, 1);
    hosts[..5].iter_mut().for_each(|c| c.health = Health::Unhealthy);
    cluster.update(NOW, hosts.iter().copied());
    assert_eq!(picked(&mut cluster, NOW, 100)[..5], [0; 5]);
    hosts[5].health = Health::Unhealthy;
    cluster.update(NOW, hosts.iter().copied());
    assert_eq!(picked(&mut cluster, NOW, 100), [10; 10]);
}

#[test]
fn degraded_hosts_get_what_healthy_ones_cannot_take() {
    let mut cluster = cluster(Strategy::ROUND_ROBIN, Eligibility::default(), Peers::alone());
    let mut hosts = candidates(20, 1);
    hosts[5..18].iter_mut().for_each(|c| c.health = Health::Degraded);
    hosts[18..].iter_mut().for_each(|c| c.health = Health::Unhealthy);
    cluster.update(NOW, hosts.iter().copied());
    let counts = picked(&mut cluster, NOW, 20_000);
    assert_share(counts[..5].iter().sum(), 20_000, 0.35);
    assert_eq!(counts[18..], [0, 0]);
}

#[test]
fn requests_stay_in_their_zone_as_far_as_it_has_its_share() {
    let rules = Eligibility { locality: Locality::ZoneAware(ZoneAware::default()), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, peers(&[1, 1, 1], 0));
    let mut hosts = candidates(9, 3);
    cluster.update(NOW, hosts.iter().copied());
    assert_eq!(picked(&mut cluster, NOW, 90), [30, 0, 0, 30, 0, 0, 30, 0, 0]);
    // The own zone has 2 of 8 where it has a third of the peers: 75.02 % stay, the rest is shared equally.
    hosts.remove(0);
    cluster.update(NOW, hosts.iter().copied());
    let counts = picked(&mut cluster, NOW, 20_000);
    let own: u32 = cluster.hosts().iter().zip(&counts).filter(|(h, _)| h.instance.0 % 3 == 0).map(|(_, n)| *n).sum();
    assert_share(own, 20_000, 0.7502);
}

#[test]
fn weighted_localities_get_their_weight() {
    let rules = Eligibility { locality: Locality::Weighted(vec![1, 2, 0]), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::P2C, rules, Peers::alone());
    cluster.update(NOW, candidates(12, 3));
    let counts = picked(&mut cluster, NOW, 3_000);
    let of = |zone: usize| counts.iter().skip(zone).step_by(3).sum::<u32>();
    assert!(of(0).abs_diff(1_000) <= 1 && of(1).abs_diff(2_000) <= 1 && of(2) == 0, "{counts:?}");
}

#[test]
fn a_client_keeps_to_its_subset_of_the_hosts() {
    let rules = Eligibility { subset_size: Some(5), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, Peers::alone());
    cluster.update(NOW, candidates(50, 1));
    let counts = picked(&mut cluster, NOW, 100);
    assert_eq!(counts.iter().filter(|&&n| n == 20).count(), 5);
    assert_eq!((0..50).filter(|&i| cluster.is_eligible(i)).count(), 5);
}

#[test]
fn a_subset_by_metadata_falls_back_as_it_is_told() {
    let of_version = |v| Criteria { version: Some(VersionId(v)), zone: None };
    let mut hosts = candidates(6, 1);
    hosts[4].version = VersionId(1);
    hosts[5].version = VersionId(1);
    let answer = |subset: Subset, hosts: &[Candidate]| {
        let rules = Eligibility { subset: Some(subset), panic_threshold: 0, ..Eligibility::default() };
        let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, Peers::alone());
        cluster.update(NOW, hosts.iter().copied());
        (0..12).filter_map(|_| cluster.pick(NOW, ANY)).fold([0; 6], |mut counts, i| {
            counts[i] += 1;
            counts
        })
    };
    let subset = |version, fallback| Subset { criteria: of_version(version), fallback };
    assert_eq!(answer(subset(1, Fallback::NoFallback), &hosts), [0, 0, 0, 0, 6, 6]);
    assert_eq!(answer(subset(2, Fallback::NoFallback), &hosts), [0; 6]);
    assert_eq!(answer(subset(2, Fallback::AnyEndpoint), &hosts), [2; 6]);
    assert_eq!(answer(subset(2, Fallback::DefaultSubset(of_version(0))), &hosts), [3, 3, 3, 3, 0, 0]);
    assert_eq!(answer(subset(2, Fallback::DefaultSubset(of_version(3))), &hosts), [0; 6]);
    // Hosts that are ill are hosts: no fallback.
    (hosts[4].health, hosts[5].health) = (Health::Unhealthy, Health::Unhealthy);
    assert_eq!(answer(subset(1, Fallback::AnyEndpoint), &hosts), [0; 6]);
}

#[test]
fn a_new_host_gets_its_share_only_when_it_is_warm() {
    let following: Vec<Strategy> =
        catalogue::all().iter().map(|i| Strategy::of(i)).filter(|s| SlowStart::is_followed_by(*s)).collect();
    assert_eq!(following.len(), 2, "Envoy's weighted round robin and its weighted least request");
    for strategy in following {
        let rules = Eligibility { slow_start: Some(SlowStart::over(Duration::secs(60))), ..Eligibility::default() };
        let mut cluster = cluster(strategy, rules, Peers::alone());
        cluster.update(NOW, candidates(4, 1));
        cluster.update(at(100), candidates(5, 1));
        // A tenth of a weight among four: 1/41; half a weight: 1/9; a whole one: 1/5.
        for (now, share) in [(at(101), 1.0 / 41.0), (at(130), 1.0 / 9.0), (at(200), 1.0 / 5.0)] {
            let counts = picked(&mut cluster, now, 4_100);
            // The host's own turn was entered with the weight of a moment before.
            assert!((f64::from(counts[4]) - share * 4_100.0).abs() < 12.0, "{strategy}: {counts:?} at {now}");
        }
    }
}

#[test]
fn an_outlier_is_ejected_longer_each_time() {
    let rules = Eligibility { outliers: Some(Outliers::default()), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, Peers::alone());
    cluster.update(NOW, candidates(3, 1));
    let bad = |instance| if instance == InstanceId(1) { ERROR } else { FINE };
    let mut ejected = Vec::new();
    let mut was = false;
    for second in 0..200 {
        (0..30).for_each(|_| {
            send(&mut cluster, at(second), bad);
        });
        if cluster.is_ejected(1) != was {
            was = !was;
            ejected.push(second);
        }
    }
    // Five errors at once; then 30 s, 60 s and 90 s, each ending at a beat of ten seconds, and five more errors at
    // once.
    assert_eq!(ejected, [0], "it is ejected again within the second it comes back");
    let mut quiet = cluster;
    let back: Vec<u64> = (200..500)
        .filter(|&second| {
            let before = quiet.is_ejected(1);
            quiet.pick(at(second), ANY);
            before && !quiet.is_ejected(1)
        })
        .collect();
    // Ejected at 0, 30, 90 and 180: the fourth lasts 120 s.
    assert_eq!(back, [300]);
}

#[test]
fn only_so_many_are_ejected_and_one_always_may_be() {
    let ejections = |always: bool, percent: u32, n: u32| {
        let outliers = Outliers { always_eject_one: always, max_ejection_percent: percent, ..Outliers::default() };
        let rules = Eligibility { outliers: Some(outliers), panic_threshold: 0, ..Eligibility::default() };
        let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, Peers::alone());
        cluster.update(NOW, candidates(n, 1));
        (0..20 * n).for_each(|_| {
            send(&mut cluster, NOW, |_| ERROR);
        });
        (0..n as usize).filter(|&i| cluster.is_ejected(i)).count()
    };
    assert_eq!([ejections(true, 10, 5), ejections(false, 10, 5)], [1, 0]);
    assert_eq!([ejections(true, 10, 10), ejections(true, 10, 19), ejections(true, 10, 20)], [1, 1, 2]);
    assert_eq!(ejections(true, 100, 5), 5);
}

#[test]
fn a_host_with_a_low_success_rate_is_ejected_at_the_beat() {
    let outliers = Outliers { consecutive_errors: 0, ..Outliers::default() };
    let rules = Eligibility { outliers: Some(outliers), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::ROUND_ROBIN, rules, Peers::alone());
    cluster.update(NOW, candidates(6, 1));
    // Host 2 fails every other of its hundred requests.
    let mut nth = 0;
    for _ in 0..600 {
        let index = cluster.pick(at(1), ANY).unwrap();
        cluster.started(index);
        nth += u32::from(index == 2);
        let answer = if index == 2 && nth % 2 == 0 { ERROR } else { FINE };
        cluster.finished(at(1), index, InstanceId(index as u32), &answer);
    }
    cluster.pick(Instant::from_millis(9_999), ANY);
    assert!(!cluster.is_ejected(2));
    cluster.pick(at(10), ANY);
    assert_eq!((0..6).map(|i| cluster.is_ejected(i)).collect::<Vec<_>>(), [false, false, true, false, false, false]);
}

#[test]
fn an_ejection_by_hand_ends_when_it_should() {
    let mut cluster = cluster(Strategy::ROUND_ROBIN, Eligibility::default(), Peers::alone());
    cluster.update(NOW, candidates(4, 1));
    assert!(cluster.eject(NOW, InstanceId(2), at(5)));
    assert!(!cluster.eject(NOW, InstanceId(2), at(9)), "it is ejected already");
    assert!(!cluster.eject(NOW, InstanceId(3), at(9)), "a tenth of four is none, and one already is");
    assert!(!cluster.eject(NOW, InstanceId(9), at(9)), "nobody has that name");
    assert_eq!(picked(&mut cluster, Instant::from_millis(4_999), 30), [10, 10, 0, 10]);
    assert_eq!(picked(&mut cluster, at(5), 40), [10; 4]);
    assert!(cluster.eject(at(5), InstanceId(0), Instant::MAX) && cluster.uneject(at(6), InstanceId(0)));
    assert!(!cluster.uneject(at(6), InstanceId(0)));
    assert_eq!(picked(&mut cluster, at(6), 40), [10; 4]);
}

#[test]
fn a_session_keeps_its_instance_while_that_is_well() {
    let rules = Eligibility { sticky: true, ..Eligibility::default() };
    let mut cluster = cluster(Strategy::RANDOM, rules, Peers::alone());
    let mut hosts = candidates(5, 1);
    cluster.update(NOW, hosts.iter().copied());
    let at_first: Vec<usize> = (0..100).map(|hash| cluster.pick(NOW, Request { hash }).unwrap()).collect();
    let again: Vec<usize> = (0..100).map(|hash| cluster.pick(NOW, Request { hash }).unwrap()).collect();
    assert_eq!(at_first, again);
    hosts[2].health = Health::Unhealthy;
    cluster.update(NOW, hosts.iter().copied());
    for (hash, before) in (0..).zip(&at_first) {
        let now = cluster.pick(NOW, Request { hash }).unwrap();
        assert_eq!(now == *before, *before != 2);
    }
    // Those that moved stay where they are now when it is back.
    hosts[2].health = Health::Healthy;
    cluster.update(NOW, hosts.iter().copied());
    assert!((0..100).all(|hash| cluster.pick(NOW, Request { hash }) != Some(2)));
    // A retry elsewhere takes the session along.
    let moved = cluster.pick_except(NOW, Request { hash: 0 }, &[InstanceId(at_first[0] as u32)], 5).unwrap();
    assert_eq!(cluster.pick(NOW, Request { hash: 0 }), Some(moved));
}

#[test]
fn an_aperture_opens_with_the_load_and_closes_behind_it() {
    let rules = Eligibility { aperture: Some(Aperture::ByLoad(LoadBand::default())), ..Eligibility::default() };
    let mut cluster = cluster(Strategy::P2C, rules, Peers::alone());
    cluster.update(NOW, candidates(20, 1));
    // One request at a time is within the band of one host.
    for _ in 0..100 {
        send(&mut cluster, NOW, |_| FINE);
    }
    assert_eq!(cluster.in_use().len(), 1);
    // Ten at a time for two minutes.
    let mut flying: Vec<usize> = Vec::new();
    for tick in 0..1_200u64 {
        let now = Instant::from_millis(tick * 100);
        if flying.len() == 10 {
            let index = flying.remove(0);
            cluster.finished(now, index, InstanceId(index as u32), &FINE);
        }
        let index = cluster.pick(now, ANY).unwrap();
        cluster.started(index);
        flying.push(index);
    }
    // Loads of 9 and 10 by turns: at least 9 / 1.125 and at most 10 / 0.875 hosts.
    let wide = cluster.in_use().len();
    assert!((8..=12).contains(&wide), "{wide}");
    for index in flying {
        cluster.finished(at(121), index, InstanceId(index as u32), &FINE);
    }
    for second in 130..400 {
        send(&mut cluster, at(second), |_| FINE);
    }
    assert_eq!(cluster.in_use().len(), 1);
}

#[test]
fn deterministic_apertures_load_all_hosts_equally_together() {
    let rules = Eligibility { aperture: Some(Aperture::Deterministic { min: 4 }), ..Eligibility::default() };
    let (clients, hosts, each) = (6, 15, 3_000);
    let mut all = vec![0u32; hosts];
    for client in 0..clients {
        let peers = Peers { index: client, ..peers(&[clients], 0) };
        let rng = Seed(5).nth("client", u64::from(client));
        let mut cluster = Cluster::new(Strategy::P2C, Some(rules.clone().into()), peers, rng);
        cluster.update(NOW, candidates(hosts as u32, 1));
        // Requests stay: the less loaded of two gets the next, as far as it belongs to this client.
        for _ in 0..each {
            let index = cluster.pick(NOW, ANY).unwrap();
            cluster.started(index);
            all[index] += 1;
        }
        assert_eq!(cluster.in_use().len(), if client % 2 == 0 { 5 } else { 6 }, "client {client}");
    }
    let mean = f64::from(clients * each) / hosts as f64;
    assert!(all.iter().all(|&n| (f64::from(n) - mean).abs() < 0.05 * mean), "{all:?}, mean {mean}");
}

fn any_strategy() -> impl Generator<Value = Strategy> {
    let shared = [Strategy::FULL_SCAN, Strategy::P2C].map(|s| s.with("knowledge", Value::Word("shared")).unwrap());
    let all = catalogue::all().iter().map(|info| Strategy::of(info)).chain(shared);
    proptest::sample::select(all.collect::<Vec<Strategy>>())
}

fn any_rules() -> impl Generator<Value = Eligibility> {
    let priorities =
        prop_oneof![Just(Priorities::Same), Just(Priorities::OwnZoneFirst), Just(Priorities::ByZone(vec![1, 0, 2])),];
    let locality = prop_oneof![
        Just(Locality::Disregard),
        Just(Locality::Weighted(vec![1, 3])),
        Just(Locality::ZoneAware(ZoneAware { min_cluster_size: 3, ..ZoneAware::default() })),
    ];
    let aperture = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Aperture::ByLoad(LoadBand::default()))),
        1 => Just(Some(Aperture::Deterministic { min: 3 })),
    ];
    let subset = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Subset {
            criteria: Criteria { version: Some(VersionId(0)), zone: None },
            fallback: Fallback::AnyEndpoint,
        })),
    ];
    let rest = (
        proptest::option::of(1..5u32),
        proptest::option::of(Just(SlowStart::over(Duration::secs(20)))),
        proptest::option::of((1..4u32, any::<bool>())),
        any::<bool>(),
        proptest::sample::select(vec![0u32, 50, 80]),
    );
    (priorities, locality, aperture, subset, rest).prop_map(
        |(priorities, locality, aperture, subset, (subset_size, slow_start, outliers, sticky, panic_threshold))| {
            Eligibility {
                priorities,
                locality,
                aperture,
                subset,
                subset_size,
                slow_start,
                sticky,
                panic_threshold,
                outliers: outliers.map(|(errors, all)| Outliers {
                    consecutive_errors: errors,
                    max_ejection_percent: if all { 100 } else { 20 },
                    ..Outliers::default()
                }),
                ..Eligibility::default()
            }
        },
    )
}

/// Something that happens to a cluster.
#[derive(Clone, Debug)]
enum Step {
    /// These are the candidates: by instance, weight, zone, version and health.
    Update(BTreeMap<u32, (u32, u32, u32, Health)>),
    Send {
        session: u64,
        avoid: Option<u32>,
    },
    Finish {
        which: usize,
        well: bool,
    },
    Eject {
        instance: u32,
        seconds: u64,
    },
    Wait(u64),
}

fn any_steps() -> impl Generator<Value = Vec<Step>> {
    let health = proptest::sample::select(vec![
        Health::Healthy,
        Health::Healthy,
        Health::Degraded,
        Health::Unhealthy,
        Health::Excluded,
    ]);
    let hosts = proptest::collection::btree_map(0..12u32, (0..5u32, 0..3u32, 0..2u32, health), 0..12);
    let step = prop_oneof![
        2 => hosts.prop_map(Step::Update),
        8 => (0..20u64, proptest::option::of(0..12u32)).prop_map(|(session, avoid)| Step::Send { session, avoid }),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(which, well)| Step::Finish { which, well }),
        1 => (0..12u32, 0..30u64).prop_map(|(instance, seconds)| Step::Eject { instance, seconds }),
        1 => (0..40u64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    /// Nobody is picked who is not eligible, counts are exact over every coming and going, and a twin does the same.
    #[test]
    fn picks_are_eligible_through_any_history(
        strategy in any_strategy(), rules in any_rules(), steps in any_steps(), seed: u64
    ) {
        let make = || {
            let peers = Peers { index: 1, ..peers(&[2, 1, 1], 0) };
            let mut cluster = Cluster::new(strategy, Some(rules.clone().into()), peers, Seed(seed).stream("history"));
            let board = BulletinBoard::new(Seed(seed).stream("board"));
            cluster.join(&board.dispatcher());
            (cluster, board)
        };
        // Strategies that go by a board find on it what the cluster has in flight, counted once for all groups.
        let is_shared = strategy.name() == "jiq" || strategy.to_string().ends_with("knowledge=shared");
        let ((mut cluster, board), (mut twin, _)) = (make(), make());
        let mut now = NOW;
        let mut model: BTreeMap<InstanceId, u32> = BTreeMap::new();
        let mut flying: Vec<(usize, InstanceId)> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(seconds) => now = now.saturating_add(Duration::secs(seconds)),
                Step::Update(hosts) => {
                    let candidates: Vec<Candidate> = hosts.iter().rev().map(|(&i, &(weight, zone, version, health))| {
                        let host = Host { weight, ..Host::new(InstanceId(i)) };
                        Candidate { host, zone: ZoneId(zone), version: VersionId(version), health }
                    }).collect();
                    cluster.update(now, candidates.iter().copied());
                    twin.update(now, candidates.iter().copied());
                    prop_assert_eq!(cluster.shares().iter().map(|s| s.healthy + s.degraded).sum::<u32>(), 100);
                }
                Step::Eject { instance, seconds } => {
                    let until = now.saturating_add(Duration::secs(seconds));
                    let ejected = cluster.eject(now, InstanceId(instance), until);
                    prop_assert_eq!(ejected, twin.eject(now, InstanceId(instance), until));
                }
                Step::Send { session, avoid } => {
                    let tried: Vec<InstanceId> = avoid.into_iter().map(InstanceId).collect();
                    let request = Request { hash: session };
                    let picked = cluster.pick_except(now, request, &tried, 5);
                    prop_assert_eq!(picked, twin.pick_except(now, request, &tried, 5));
                    let Some(index) = picked else { continue };
                    prop_assert!(cluster.is_eligible(index), "picked {} of {:?}", index, cluster.hosts());
                    let instance = cluster.hosts()[index].instance;
                    cluster.started(index);
                    twin.started(index);
                    *model.entry(instance).or_default() += 1;
                    flying.push((index, instance));
                }
                Step::Finish { which, well } => {
                    if flying.is_empty() {
                        continue;
                    }
                    let (hint, instance) = flying.swap_remove(which % flying.len());
                    let answer = if well { FINE } else { ERROR };
                    cluster.finished(now, hint, instance, &answer);
                    twin.finished(now, hint, instance, &answer);
                    *model.get_mut(&instance).unwrap() -= 1;
                }
            }
            for (index, host) in cluster.hosts().iter().enumerate() {
                let expected = model.get(&host.instance).copied().unwrap_or(0);
                prop_assert_eq!(cluster.outstanding(index), expected);
                if is_shared && rules.aperture.is_none() {
                    prop_assert_eq!(board.in_flight(host.instance), expected);
                }
            }
            prop_assert_eq!(cluster.in_flight(), flying.len() as u64);
        }
    }
}
