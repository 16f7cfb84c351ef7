//! The rules around a strategy, each by its published numbers: `testdata/eligibility/*.txt`.

use balancer::Host;
use balancer::eligibility::locality::{Plan, Rule, Turns, effective_weight};
use balancer::eligibility::outlier::success_rate_threshold;
use balancer::eligibility::priority::{self, Availability, Level};
use balancer::eligibility::ring::{Ring, Stretch};
use balancer::eligibility::{SlowStart, ZoneAware, subsetting};
use base::{Draw, Duration, InstanceId, ZoneId};

fn golden(file: &str, answer: impl FnMut(&str) -> String) {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), &format!("testdata/eligibility/{file}"), answer);
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(word: &str) -> T {
    word.parse().unwrap_or_else(|e| panic!("{word}: {e:?}"))
}

/// The value of `key=value` in a line, when it is there.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// The words that are no `key=value`, after the first.
fn bare(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().skip(1).filter(|word| !word.contains('='))
}

fn join<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

fn lines(block: &str, answer: impl FnMut(&str) -> String) -> String {
    block.lines().map(answer).collect::<Vec<_>>().join("\n")
}

/// `levels 4:2 5:0:5` is two levels, hosts:healthy:degraded:excluded each.
#[test]
fn priorities_get_the_shares_of_envoys_docs_and_tests() {
    golden("priority.txt", |block| {
        lines(block, |line| {
            let levels: Vec<Level> = bare(line)
                .map(|word| {
                    let mut parts = word.split(':').map(number::<u32>);
                    let mut next = || parts.next().unwrap_or(0);
                    Level { hosts: next(), healthy: next(), degraded: next(), excluded: next() }
                })
                .collect();
            let over = value(line, "over").map_or(140, number);
            let panic = value(line, "panic").map_or(50, number);
            let shares = priority::shares(&levels, over, panic);
            let mut answer = join(shares.iter().map(|s| s.healthy));
            if shares.iter().any(|s| s.degraded > 0) {
                answer += &format!(", degraded {}", join(shares.iter().map(|s| s.degraded)));
            }
            if shares.iter().any(|s| s.panic) {
                answer += &format!(", panic {}", join(shares.iter().map(|s| if s.panic { "yes" } else { "no" })));
            }
            answer
        })
    });
}

#[test]
fn a_hash_falls_to_a_level_by_its_remainder() {
    let shares = priority::shares(
        &[
            Level { hosts: 5, degraded: 1, ..Level::default() },
            Level { hosts: 5, degraded: 5, ..Level::default() },
            Level { hosts: 5, healthy: 1, ..Level::default() },
        ],
        140,
        50,
    );
    // Healthy 0, 0, 28, degraded 28, 44, 0: the healthy ones come first.
    let at = |hash| priority::choose(&shares, hash);
    assert_eq!((at(0), at(27)), ((2, Availability::Healthy), (2, Availability::Healthy)));
    assert_eq!((at(28), at(55)), ((0, Availability::Degraded), (0, Availability::Degraded)));
    assert_eq!((at(56), at(99), at(100)), ((1, Availability::Degraded), (1, Availability::Degraded), at(0)));
}

/// `turns 1:3/5 2` is a zone of weight 1 with three of five hosts, and one of weight 2 with all.
#[test]
fn weighted_localities_take_turns_as_in_envoys_tests() {
    golden("weighted.txt", |block| {
        lines(block, |line| {
            let over = value(line, "over").map_or(140, number);
            let weights: Vec<f64> = bare(line)
                .map(|word| {
                    let (weight, hosts) = word.split_once(':').unwrap_or((word, "1/1"));
                    let (eligible, all) = hosts.split_once('/').expect("eligible/all");
                    effective_weight(number(weight), number(eligible), number(all), over)
                })
                .collect();
            let mut turns = Turns::new(&weights, value(line, "seed").map_or(0, number));
            if let Some(n) = value(line, "count") {
                let mut counts = vec![0; weights.len()];
                (0..number::<u32>(n)).for_each(|_| counts[turns.take().expect("a zone")] += 1);
                return join(counts);
            }
            match turns.take() {
                None => "nobody".into(),
                Some(first) => join(std::iter::once(first).chain((0..5).filter_map(|_| turns.take()))),
            }
        })
    });
}

/// Draws that were written down.
struct Script(std::vec::IntoIter<u64>);

impl Draw for Script {
    fn next_u64(&mut self) -> u64 {
        self.0.next().expect("as many draws as were written")
    }
}

/// `plan own=a peers=2,2,1 hosts=1,0,3 [healthy=…] [min=6]`, counts by zone a, b, c; `route 3750 0` are draws.
#[test]
fn zone_aware_plans_are_those_of_envoys_tests() {
    let mut plan = Plan { zones: Vec::new(), rule: Rule::Disregard };
    golden("zone_aware.txt", |block| {
        lines(block, |line| {
            let name = |zone: &ZoneId| char::from(b'a' + zone.0 as u8);
            if let Some(draws) = line.strip_prefix("route") {
                let draws: Vec<u64> = draws.split_whitespace().map(number).collect();
                let place = plan.route(&mut Script(draws.into_iter()));
                return place.map_or("anywhere".into(), |place| name(&plan.zones[place]).to_string());
            }
            let counts = |key| value(line, key).map(|list| list.split(',').map(number).collect::<Vec<u32>>());
            let hosts = counts("hosts").expect("hosts");
            let healthy = counts("healthy").unwrap_or_else(|| hosts.clone());
            let config = ZoneAware { min_cluster_size: value(line, "min").map_or(6, number), ..ZoneAware::default() };
            let own = ZoneId(u32::from(value(line, "own").expect("own").as_bytes()[0] - b'a'));
            plan = Plan::new(&config, own, &counts("peers").expect("peers"), &hosts, &healthy);
            let zones: String = plan.zones.iter().map(name).collect();
            match &plan.rule {
                Rule::Disregard => "zones do not matter".into(),
                Rule::Direct => format!("{zones}: all stays"),
                Rule::Residual { local, capacity } => format!("{zones}: {local} stay, capacity {}", join(capacity)),
            }
        })
    });
}

/// `factor window=10s age=3s` and so on, in milliseconds without the unit.
#[test]
fn slow_start_rises_as_envoys_formula_says() {
    golden("slow_start.txt", |block| {
        lines(block, |line| {
            let ms = |key| Duration::ms(value(line, key).map(number).expect("milliseconds"));
            let mut rule = SlowStart::over(ms("window"));
            rule.aggression = value(line, "aggression").map_or(1.0, number);
            if let Some(min) = value(line, "min") {
                rule.min_weight = base::Ratio::percent(number(min));
            }
            format!("{:.6}", rule.factor(ms("age")))
        })
    });
}

/// `ring 10 offset=0.75 width=0.5`, and `client 1/3 aperture=12 hosts=100`.
#[test]
fn rings_are_those_of_finagles_tests() {
    golden("ring.txt", |block| {
        lines(block, |line| {
            let (hosts, stretch) = if line.starts_with("ring") {
                let of = |key| value(line, key).map(number::<f64>).expect("a number");
                let hosts = bare(line).next().map(number).expect("a size");
                (hosts, Stretch { offset: of("offset"), width: of("width") })
            } else {
                let of = |key| value(line, key).map(number::<u32>).expect("a number");
                let (index, clients) = bare(line).next().and_then(|w| w.split_once('/')).expect("client i/n");
                (of("hosts"), Stretch::new(number(index), number(clients), of("aperture"), of("hosts")))
            };
            let ring = Ring::new(hosts);
            let weighted = |index| match ring.weight(index, stretch) {
                w if (w - 1.0).abs() < 1e-9 => index.to_string(),
                w => format!("{index}*{w:.3}"),
            };
            join(ring.indices(stretch).map(weighted))
        })
    });
}

#[test]
fn a_success_rate_is_too_low_where_envoys_example_says() {
    // successRateEjectionThreshold's own example: mean 90, σ 20, 1.9 of them.
    let rates = [50.0, 100.0, 100.0, 100.0, 100.0];
    assert!((success_rate_threshold(rates.into_iter(), 1900) - 52.0).abs() < 1e-9);
}

#[test]
fn a_subset_is_the_smallest_hashes_and_changes_by_one_host_at_most() {
    let hosts: Vec<Host> = (0..50).map(|i| Host::new(InstanceId(i))).collect();
    for client in 0..100u64 {
        let subset = subsetting::subset(client, 10, &hosts);
        assert_eq!(subset.len(), 10);
        let hash = |i: u32| balancer::hashing::xxh64(hosts[i as usize].address().as_bytes(), client);
        let largest = subset.iter().map(|&i| hash(i)).max().unwrap();
        let smaller = (0..50).filter(|i| !subset.contains(i)).filter(|&i| hash(i) < largest).count();
        assert_eq!(smaller, 0);

        // Without the last host the others keep their places in the list.
        let fewer = subsetting::subset(client, 10, &hosts[..49]);
        let stayed = fewer.iter().filter(|i| subset.contains(i)).count();
        assert!(stayed >= 9, "{subset:?} became {fewer:?}");
    }
}

#[test]
fn many_random_subsets_cover_the_hosts_evenly() {
    // Each of 2,000 clients takes 10 of 50: 400 clients a host, with the deviation of a binomial.
    let hosts: Vec<Host> = (0..50).map(|i| Host::new(InstanceId(i))).collect();
    let mut clients = [0u32; 50];
    (0..2_000).for_each(|c| subsetting::subset(c, 10, &hosts).iter().for_each(|&i| clients[i as usize] += 1));
    let sigma = (2_000.0 * 0.2 * 0.8f64).sqrt();
    assert!(clients.iter().all(|&n| (f64::from(n) - 400.0).abs() < 4.0 * sigma), "{clients:?}");
}

#[test]
fn all_stretches_of_a_ring_together_load_every_host_equally() {
    for (clients, hosts, aperture) in [(1, 5, 12), (3, 10, 4), (7, 100, 12), (40, 30, 12), (13, 17, 5)] {
        let ring = Ring::new(hosts);
        let stretches: Vec<Stretch> =
            (0..clients).map(|i| Stretch::new(i, clients, aperture.min(hosts), hosts)).collect();
        let load = |host: u32| stretches.iter().map(|s| ring.weight(host, *s) / s.width).sum::<f64>();
        let mean = (0..hosts).map(load).sum::<f64>() / f64::from(hosts);
        for host in 0..hosts {
            assert!((load(host) - mean).abs() < 1e-6 * mean, "{clients} clients, {hosts} hosts: host {host}");
        }
    }
}
