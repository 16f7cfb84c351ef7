//! HAProxy's and nginx' own strategies against what the real ones did: orders in `testdata/proxies.txt`, shares here.

use balancer::hashing::Haproxy;
use balancer::{Balancer, Host, Request, Response, Strategy};
use base::{Duration, InstanceId, Instant, Seed};

const NOW: Instant = Instant::ZERO;
const ANY: Request = Request { hash: 0 };
const FINE: Response = Response::success(Duration::ZERO);

fn over(strategy: Strategy, weights: &[u32]) -> Balancer {
    let mut balancer = Balancer::new(strategy, Seed(2026).stream("proxies"));
    let hosts: Vec<Host> = (0..).zip(weights).map(|(i, &weight)| Host { instance: InstanceId(i), weight }).collect();
    balancer.update(NOW, &hosts);
    balancer
}

fn named(name: &str) -> Strategy {
    Strategy::from_name(name).expect("a strategy")
}

/// Starts a request and says where it went.
fn start(balancer: &mut Balancer, tried: &[InstanceId]) -> usize {
    let index = balancer.pick_except(NOW, ANY, tried, 0).expect("there are hosts");
    balancer.started(index);
    index
}

fn finish(balancer: &mut Balancer, index: usize) {
    balancer.finished(NOW, index, InstanceId(index as u32), &FINE);
}

#[test]
fn requests_go_where_the_real_ones_sent_them() {
    let text = include_str!("../testdata/proxies.txt");
    let (mut balancer, mut session) = (over(Strategy::RANDOM, &[1]), "");
    let (mut sessions, mut picks) = (0, 0);
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(begins) = line.strip_prefix("new ") {
            let (name, weights) = begins.split_once(' ').expect("a strategy and its weights");
            let weights: Vec<u32> = weights.split(' ').map(|weight| weight.parse().expect("a weight")).collect();
            (balancer, session) = (over(named(name), &weights), begins);
            sessions += 1;
            continue;
        }
        for word in line.split(' ') {
            let host = |letter: &str| (letter.as_bytes()[0] - b'a') as usize;
            match word.strip_prefix('-') {
                Some(letter) => finish(&mut balancer, host(letter)),
                None => {
                    picks += 1;
                    assert_eq!(start(&mut balancer, &[]), host(word), "{session}: pick {picks}");
                }
            }
        }
    }
    assert_eq!((sessions, picks > 1_000), (21, true), "{picks} picks");
}

type Shares = (&'static str, u64, &'static [u32], &'static [u32], &'static [u32]);

/// Requests that real proxies gave to each host, one after the other, while some were held at hosts: strategy, draws
/// where that can be said, weights, requests held, counts. HAProxy 2.6.12 and nginx 1.22.1.
const SHARES: &[Shares] = &[
    ("haproxy_random", 1, &[1; 10], &[0; 10], &[2311, 1522, 1860, 1936, 2198, 2237, 1455, 1630, 2123, 2728]),
    // With replacement: the busy one is taken when it is drawn twice.
    ("haproxy_random", 2, &[1, 1], &[0, 1], &[3949, 2051]),
    ("haproxy_random", 2, &[1, 1, 1], &[1, 0, 0], &[1092, 3128, 3780]),
    // Two different hosts: the busy one of two is never taken.
    ("nginx_random_two", 0, &[1, 1], &[1, 0], &[0, 4000]),
    // While both are idle the second draw wins, which is the light one.
    ("nginx_random_two", 0, &[1, 9], &[0, 0], &[9660, 2340]),
    ("nginx_random_two", 0, &[1, 2, 3], &[0, 0, 0], &[1957, 3246, 2797]),
    ("nginx_random_two", 0, &[1, 2, 3], &[1, 1, 1], &[0, 1222, 6778]),
    ("weighted_random", 0, &[1, 2, 3], &[0, 0, 0], &[1320, 2748, 3932]),
];

/// How far two counts are from those of one distribution: chi² of two samples, with the degrees of freedom.
fn chi2(a: &[u32], b: &[u32]) -> (f64, usize) {
    let sum = |counts: &[u32]| f64::from(counts.iter().sum::<u32>());
    let ratio = (sum(b) / sum(a)).sqrt();
    let terms: Vec<f64> = a
        .iter()
        .zip(b)
        .filter(|(a, b)| **a + **b > 0)
        .map(|(&a, &b)| {
            let apart = f64::from(a) * ratio - f64::from(b) / ratio;
            apart * apart / f64::from(a + b)
        })
        .collect();
    (terms.iter().sum(), terms.len() - 1)
}

/// What chi² passes once in ten thousand times, by degrees of freedom up to nine.
const ONCE_IN_10_000: [f64; 10] = [1e-9, 15.14, 18.42, 21.11, 23.51, 25.75, 27.86, 29.88, 31.83, 33.72];

#[test]
fn hosts_get_the_shares_that_the_real_ones_gave_them() {
    for &(name, draws, weights, held, counts) in SHARES {
        let strategy = if draws > 0 { named(name).count("draws", draws) } else { named(name) };
        let mut balancer = over(strategy, weights);
        for (index, &n) in held.iter().enumerate() {
            (0..n).for_each(|_| balancer.started(index));
        }
        let mut ours = vec![0; weights.len()];
        (0..50_000).for_each(|_| ours[balancer.pick(NOW, ANY).unwrap()] += 1);
        let (chi2, free) = chi2(&ours, counts);
        assert!(chi2 < ONCE_IN_10_000[free], "{strategy} over {weights:?} holding {held:?}: {ours:?}, not {counts:?}");
    }
}

#[test]
fn haproxys_random_is_as_uneven_as_its_ring() {
    let part = |n: usize, weight: u32| {
        let ring = Haproxy::new(&vec![("server", weight); n]);
        let points: Vec<(u32, usize)> = ring.points().collect();
        let mut parts = vec![0.0; n];
        for (i, &(point, place)) in points.iter().enumerate() {
            let (before, after) = (points[(i + points.len() - 1) % points.len()].0, points[(i + 1) % points.len()].0);
            // Half the way to either neighbour.
            let span = f64::from(point.wrapping_sub(before)) / 2.0 + f64::from(after.wrapping_sub(point)) / 2.0;
            parts[place] += span / (1u64 << 32) as f64;
        }
        parts
    };
    let range = |parts: &[f64]| (parts.iter().copied().fold(1.0, f64::min), parts.iter().copied().fold(0.0, f64::max));
    let (least, most) = range(&part(10, 1));
    assert!((0.070..0.074).contains(&least) && (0.134..0.139).contains(&most), "{least} to {most}");
    let (least, most) = range(&part(10, 100));
    assert!(least > 0.09 && most < 0.11, "a weight of 100 makes them nearly even: {least} to {most}");
    // With one draw a host gets what is its own.
    let mut balancer = over(named("haproxy_random").count("draws", 1), &[1; 10]);
    let (mut counts, picks) = ([0; 10], 200_000);
    (0..picks).for_each(|_| counts[balancer.pick(NOW, ANY).unwrap()] += 1);
    for (count, part) in counts.into_iter().zip(part(10, 1)) {
        let sigma = (part * (1.0 - part) / f64::from(picks)).sqrt();
        assert!((f64::from(count) / f64::from(picks) - part).abs() < 4.0 * sigma, "{counts:?}");
    }
}

#[test]
fn a_retry_passes_over_the_hosts_it_was_sent_to() {
    for name in ["haproxy_leastconn", "haproxy_random", "haproxy_roundrobin", "nginx_least_conn", "nginx_random_two"] {
        let mut balancer = over(named(name), &[1, 3, 2]);
        for round in 0..300u32 {
            let first = start(&mut balancer, &[]);
            let tried = [InstanceId(first as u32)];
            let second = start(&mut balancer, &tried);
            assert_ne!(first, second, "{name}");
            let tried = [tried[0], InstanceId(second as u32)];
            let third = start(&mut balancer, &tried);
            assert_eq!(first + second + third, 3, "{name}: round {round}");
            // When it was sent to all of them, to any.
            let all = [0, 1, 2].map(InstanceId);
            let fourth = start(&mut balancer, &all);
            [first, second, third, fourth].into_iter().for_each(|index| finish(&mut balancer, index));
        }
    }
}

#[test]
fn a_round_of_haproxys_roundrobin_gives_each_its_weight_whoever_comes_and_leaves() {
    let weights = [5, 1, 0, 3, 2];
    let listed = |present: &[u32]| -> Vec<Host> {
        present.iter().map(|&i| Host { instance: InstanceId(i), weight: weights[i as usize] + i % 2 }).collect()
    };
    let mut balancer = Balancer::new(named("haproxy_roundrobin"), Seed(1).stream("proxies"));
    for present in [&[0, 1, 3][..], &[0, 3, 4], &[3], &[0, 1, 3, 4], &[1, 4], &[0, 1, 3, 4]] {
        let hosts = listed(present);
        balancer.update(NOW, &hosts);
        let sum: u32 = hosts.iter().map(|host| host.weight).sum();
        // Who has just come waits for its place; after two rounds everybody has found one.
        (0..32 * sum).for_each(|_| _ = balancer.pick(NOW, ANY).unwrap());
        let mut counts = vec![0; hosts.len()];
        (0..160 * sum).for_each(|_| counts[balancer.pick(NOW, ANY).unwrap()] += 1);
        for (count, host) in counts.iter().zip(&hosts) {
            assert!(u32::abs_diff(*count, 160 * host.weight) <= 16, "{present:?}: {counts:?}");
        }
    }
}

#[test]
fn haproxys_equals_take_turns_in_the_order_in_which_they_became_equal() {
    let mut balancer = over(named("haproxy_leastconn"), &[1; 3]);
    let begun: Vec<usize> = (0..3).map(|_| start(&mut balancer, &[])).collect();
    assert_eq!(begun, [0, 1, 2]);
    [1, 2, 0].into_iter().for_each(|index| finish(&mut balancer, index));
    // A host that comes goes behind those who wait, and one whose weight changes does too.
    let weighing = |weights: [u32; 4]| -> Vec<Host> {
        (0..).zip(weights).map(|(i, weight)| Host { instance: InstanceId(i), weight }).collect()
    };
    balancer.update(NOW, &weighing([1, 1, 1, 1]));
    balancer.update(NOW, &weighing([1, 2, 1, 1]));
    let next: Vec<usize> = (0..4).map(|_| start(&mut balancer, &[])).collect();
    assert_eq!(next, [2, 0, 3, 1]);
}
