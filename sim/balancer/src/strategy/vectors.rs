//! The weighted strategies against the numbers in the tests of the systems they follow.

use super::edf::{Edf, Schedule};
use super::smooth_weighted::SmoothWeighted;
use super::static_stride::StaticStride;
use super::{Choose, Pick};
use crate::Request;
use crate::hosts::{Host, Hosts};
use base::{InstanceId, Instant, Seed};

/// `hosts` become the ones numbered by the first of each pair, with the weight that is the second.
fn set(hosts: &mut Hosts, pairs: &[(u32, u32)]) {
    let new: Vec<Host> = pairs.iter().map(|&(i, weight)| Host { instance: InstanceId(i), weight }).collect();
    hosts.update(&new);
}

fn weighing(weights: &[u32]) -> Hosts {
    let mut hosts = Hosts::default();
    let pairs: Vec<(u32, u32)> = (0..).zip(weights.iter().copied()).collect();
    set(&mut hosts, &pairs);
    hosts
}

/// A pick by a strategy that needs neither time nor chance.
fn pick(strategy: &mut impl Choose, hosts: &Hosts) -> usize {
    let rng = &mut Seed(0).stream("unused");
    strategy
        .pick(Pick { now: Instant::ZERO, request: Request::default(), hosts, attempt: 0, tried: &[], rng })
        .expect("there are hosts")
}

fn counts(n: usize, picks: usize, mut pick: impl FnMut() -> usize) -> Vec<u32> {
    let mut counts = vec![0; n];
    (0..picks).for_each(|_| counts[pick()] += 1);
    counts
}

/// nginx, the message of the commit "Upstream: smooth weighted round-robin balancing"
/// (phusion/nginx 27e94984486058d73157038f7950a0a36ecc6e35): the sequence, and the points after each pick.
#[test]
fn nginx_five_one_one() {
    let hosts = weighing(&[5, 1, 1]);
    let mut smooth = SmoothWeighted::default();
    smooth.refresh(Instant::ZERO, &hosts);
    let published = [
        ('a', [-2, 1, 1]),
        ('a', [-4, 2, 2]),
        ('b', [1, -4, 3]),
        ('a', [-1, -3, 4]),
        ('c', [4, -2, -2]),
        ('a', [2, -1, -1]),
        ('a', [0, 0, 0]),
    ];
    for (host, points) in published {
        assert_eq!(char::from(b"abc"[pick(&mut smooth, &hosts)]), host);
        assert!(smooth.current.iter().eq(points.map(f64::from).iter()), "{:?}", smooth.current);
    }
}

// Envoy, test/common/upstream/edf_scheduler_test.cc.

/// `Unweighted`.
#[test]
fn envoy_edf_unweighted() {
    let mut schedule = Schedule::default();
    schedule.begin_after(0, 128, |_| 1.0);
    for _ in 0..128 {
        for index in 0..128 {
            assert_eq!(schedule.pick(|_| 1.0), Some(index));
        }
    }
}

/// `Weighted`: 128 entries of weights 1 to 128, as many picks as the sum of weights.
#[test]
fn envoy_edf_weighted() {
    let weight = |index: usize| (index + 1) as f64;
    let mut schedule = added(128, weight);
    let counts = counts(128, 128 * 129 / 2, || schedule.pick(weight).unwrap());
    assert!(counts.iter().copied().eq(1..=128), "{counts:?}");
}

/// Entries added one after the other to an empty schedule: deadlines are 1/w, without the epsilon.
fn added(n: usize, weight: impl Fn(usize) -> f64) -> Schedule {
    let mut schedule = Schedule::default();
    (0..n).for_each(|index| schedule.add(index as u32, weight(index)));
    schedule
}

fn assert_same(picks: u32, begun: &Schedule, played: &Schedule) {
    for (begun, played) in begun.due().iter().zip(played.due()) {
        assert!((begun.0 - played.0).abs() <= 1e-5, "after {picks} picks: {begun:?} is not {played:?}");
        assert_eq!(begun.1, played.1, "after {picks} picks");
    }
}

/// `SchedulerWithZeroPicksEqualToEmptyWithAddedEntries`.
#[test]
fn envoy_edf_with_zero_picks_is_empty_with_added_entries() {
    let weight = |index: usize| (index + 1) as f64;
    let mut begun = Schedule::default();
    begun.begin_after(0, 128, weight);
    assert_same(0, &begun, &added(128, weight));
}

/// `SchedulerWithSomePicksEqualToEmptyWithAddedEntries`: weights from 0.01 to 100.5.
#[test]
fn envoy_edf_with_some_picks_is_empty_after_those_picks() {
    let weight = |index: usize| (100.5 - 0.01) / 128.0 * index as f64 + 0.01;
    for picks in [5, 140, 501, 123_456, 894_571] {
        let mut played = added(128, weight);
        (0..picks).for_each(|_| assert!(played.pick(weight).is_some()));
        let mut begun = Schedule::default();
        begun.begin_after(picks, 128, weight);
        assert_same(picks, &begun, &played);
    }
}

/// `SchedulerWithSomePicksEmptyEntries`.
#[test]
fn envoy_edf_without_entries_picks_nothing() {
    let mut schedule = Schedule::default();
    schedule.begin_after(123, 0, |_| 1.0);
    assert_eq!(schedule.pick(|_| 1.0), None);
}

/// `SchedulerWithRandomPicksFirstPickDistribution`: over random starts the first pick goes by weight, within a percent.
#[test]
fn envoy_edf_first_picks_go_by_weight() {
    use base::Draw;
    let mut rng = Seed(1).stream("starts");
    for weights in [&[25.0, 75.0][..], &[1.0, 99.0], &[50.0, 50.0], &[1.0, 20.0, 79.0]] {
        let mut schedule = Schedule::default();
        let iterations = 40_000;
        let counts = counts(weights.len(), iterations, || {
            schedule.begin_after(rng.next_u64() as u32, weights.len(), |i| weights[i]);
            schedule.pick(|i| weights[i]).unwrap()
        });
        for (count, weight) in counts.iter().zip(weights) {
            let observed = 100.0 * f64::from(*count) / iterations as f64;
            assert!((observed - weight).abs() <= 1.0, "{counts:?} of {iterations} for {weights:?}");
        }
    }
}

// Envoy, test/extensions/load_balancing_policies/round_robin/round_robin_lb_test.cc.

fn assert_picks(edf: &mut Edf, hosts: &Hosts, expected: &[usize]) {
    let picks: Vec<usize> = expected.iter().map(|_| pick(edf, hosts)).collect();
    assert_eq!(picks, expected);
}

/// `Seed`: equal weights, the generator says one.
#[test]
fn envoy_round_robin_seed() {
    let hosts = weighing(&[1, 1, 1]);
    let mut edf = Edf::seeded(1);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[1, 2, 0, 1]);
}

/// `Normal`, without its peeks: the index goes on when a host is added.
#[test]
fn envoy_round_robin_normal() {
    let mut hosts = weighing(&[1, 1]);
    let mut edf = Edf::seeded(0);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[0, 1, 0, 1, 0]);
    set(&mut hosts, &[(0, 1), (1, 1), (2, 1)]);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[2, 0, 1, 2]);
}

/// `Weighted`: weights changed in place, a host added, hosts replaced.
#[test]
fn envoy_round_robin_weighted() {
    let mut hosts = weighing(&[1, 2]);
    let mut edf = Edf::seeded(0);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[1, 0, 1, 1, 0, 1]);
    set(&mut hosts, &[(0, 2), (1, 1)]);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[1, 0, 0, 1, 0, 0, 1, 0]);
    set(&mut hosts, &[(0, 2), (1, 1), (2, 3)]);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[2, 0, 2, 1, 0, 2, 2, 0, 2, 1, 0, 2]);
    set(&mut hosts, &[(0, 1), (3, 4)]);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[1, 1, 1, 0, 1, 1, 1, 1, 0, 1]);
}

/// `WeightedSeed`: the generator says one.
#[test]
fn envoy_round_robin_weighted_seed() {
    let hosts = weighing(&[1, 2]);
    let mut edf = Edf::seeded(1);
    edf.refresh(Instant::ZERO, &hosts);
    assert_picks(&mut edf, &hosts, &[0, 1, 1, 0, 1, 1]);
}

/// `WeightedInitializationPicksAllHosts`: the first pick under ten seeds in a row.
#[test]
fn envoy_round_robin_weighted_initialization_picks_all_hosts() {
    let hosts = weighing(&[6, 3, 1]);
    let mut seed = 0;
    let counts = counts(3, 10, || {
        let mut edf = Edf::seeded(seed);
        seed += 1;
        edf.refresh(Instant::ZERO, &hosts);
        pick(&mut edf, &hosts)
    });
    assert_eq!(counts, [6, 3, 1]);
}

// gRPC, test/core/load_balancing/static_stride_scheduler_test.cc.

fn stride(weights: &[f32]) -> StaticStride {
    let mut stride = StaticStride::starting_at(0);
    stride.set_weights(weights.iter().copied());
    stride
}

/// `PicksAreWeightedExactly`, `ZeroWeightUsesMean`, `MaxIsClampedForHighRatio` and `MinIsClampedForHighRatio`.
#[test]
fn grpc_static_stride_counts() {
    let mut clamped = [1.0; 20];
    clamped[0] = 81.0;
    let mut fifty_and_ones = [1; 20];
    fifty_and_ones[0] = 50;
    let table: [(&[f32], usize, &[u32]); 4] = [
        (&[1.0, 2.0, 3.0], 6, &[1, 2, 3]),
        (&[3.0, 0.0, 1.0], 6, &[3, 2, 1]),
        (&clamped, 69, &fifty_and_ones),
        (&[100.0, 1e-10], 201, &[200, 1]),
    ];
    for (weights, picks, expected) in table {
        let mut stride = stride(weights);
        assert_eq!(counts(weights.len(), picks, || stride.next()), expected, "{weights:?}");
    }
}

/// `AllWeightsEqualIsRoundRobin`.
#[test]
fn grpc_static_stride_with_equal_weights_is_round_robin() {
    let mut stride = stride(&[300.0, 300.0, 0.0]);
    let first: Vec<usize> = (0..3).map(|_| stride.next()).collect();
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 1, 2]);
    (0..1000).for_each(|i| assert_eq!(stride.next(), first[i % 3]));
}

/// `RebuildGiveSamePicks`: a new schedule before each pick, over one sequence.
#[test]
fn grpc_static_stride_rebuilt_gives_the_same_picks() {
    let mut kept = stride(&[1.0, 2.0, 3.0]);
    let mut rebuilt = StaticStride::starting_at(0);
    for _ in 0..100 {
        rebuilt.set_weights([1.0, 2.0, 3.0].into_iter());
        assert_eq!(rebuilt.next(), kept.next());
    }
}

/// `LargestIsPickedEveryGeneration`: 65535 times in 65535 · 2 picks, two being the mean.
#[test]
fn grpc_static_stride_picks_the_largest_in_every_round() {
    let mut stride = stride(&[1.0, 2.0, 3.0]);
    assert_eq!(counts(3, 65_535 * 2, || stride.next())[2], 65_535);
}
