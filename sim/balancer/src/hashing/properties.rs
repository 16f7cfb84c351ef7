//! What the algorithms promise about any hosts: who gets how much, and whose keys move.

use super::*;
use proptest::prelude::*;

const RING_ENVOY: Kind =
    Kind::Ring { least: *Ring::ENVOY_SIZE.start(), most: *Ring::ENVOY_SIZE.end(), function: HashFunction::Xxh64 };
const KARGER: Kind = Kind::Karger { points: 160, function: HashFunction::Murmur2 };
const MULTI_PROBE: Kind = Kind::MultiProbe { probes: MultiProbe::PROBES, function: HashFunction::Xxh64 };
const MAGLEV: Kind = Kind::Maglev { size: Maglev::TABLE_SIZE };
const DUBBO: Kind = Kind::Dubbo { replicas: DubboConsistentHash::REPLICAS };

const ALL: [Kind; 18] = [
    Kind::Modulo,
    Kind::NginxHash,
    Kind::NginxIpHash,
    Kind::HaproxyMap,
    RING_ENVOY,
    KARGER,
    Kind::Ketama,
    Kind::Nginx,
    Kind::Haproxy,
    DUBBO,
    MAGLEV,
    Kind::Jump,
    Kind::Binomial,
    Kind::Rendezvous,
    MULTI_PROBE,
    Kind::Anchor { capacity: 64 },
    Kind::Dx { capacity: 64 },
    Kind::Memento,
];

/// The hash of the key with this number.
fn key(number: u64) -> u64 {
    xxh64(&number.to_le_bytes(), 0)
}

fn named(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("10.0.{}.{}:8080", i / 256, i % 256)).collect()
}

fn even(names: &[String]) -> Vec<(&str, u32)> {
    names.iter().map(|name| (name.as_str(), 1)).collect()
}

/// Share of keys that belong to each host.
fn shares(kind: Kind, hosts: &[(&str, u32)], keys: u64) -> Vec<f64> {
    let structure = Structure::build(kind, hosts);
    let mut counts = vec![0_u64; hosts.len()];
    (0..keys).for_each(|number| counts[structure.lookup(key(number))] += 1);
    counts.into_iter().map(|count| count as f64 / keys as f64).collect()
}

/// Shares of keys that a removal moves: those the host had, and those it had not.
fn moved(kind: Kind, hosts: &[(&str, u32)], leaver: usize, keys: u64) -> (f64, f64) {
    let mut rest = hosts.to_vec();
    rest.remove(leaver);
    let before = Structure::build(kind, hosts);
    let mut after = before.clone();
    let in_place = after.leave(leaver, hosts[leaver]);
    if !in_place {
        after = Structure::build(kind, &rest);
    }
    let (mut needed, mut more) = (0_u64, 0_u64);
    for hash in (0..keys).map(key) {
        let (host, next) = (before.lookup(hash), after.lookup(hash));
        let next = if in_place { hosts[next].0 } else { rest[next].0 };
        assert_ne!(next, hosts[leaver].0, "{kind:?}: {hash} goes to who is gone");
        if host == leaver {
            needed += 1;
        } else if next != hosts[host].0 {
            more += 1;
        }
    }
    (needed as f64 / keys as f64, more as f64 / keys as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_lookup_is_in_range_and_the_same_each_time(
        weights in proptest::collection::vec(1_u32..20, 1..40),
        hashes in proptest::collection::vec(any::<u64>(), 100),
    ) {
        let names = named(weights.len());
        let hosts: Vec<_> = names.iter().map(String::as_str).zip(weights).collect();
        for kind in ALL {
            let (structure, again) = (Structure::build(kind, &hosts), Structure::build(kind, &hosts));
            for hash in hashes.iter().copied().chain([0, u64::MAX]) {
                prop_assert!(structure.lookup(hash) < hosts.len(), "{:?}: {}", kind, hash);
                prop_assert_eq!(structure.lookup(hash), again.lookup(hash), "{:?}: {}", kind, hash);
                for attempt in 0..4 {
                    let next = structure.lookup_attempt(hash, attempt);
                    prop_assert!(next.is_none_or(|host| host < hosts.len()), "{:?}: {}, {}", kind, hash, attempt);
                    prop_assert!(attempt > 0 || next.is_none_or(|host| host == structure.lookup(hash)), "{:?}", kind);
                }
            }
            prop_assert!(structure.bytes() >= structure.entries(), "{:?}", kind);
        }
    }

    #[test]
    fn whoever_promises_it_moves_only_the_keys_of_the_host_that_leaves(
        weights in proptest::collection::vec(1_u32..5, 2..30),
        leaver in any::<prop::sample::Index>(),
    ) {
        let names = named(weights.len());
        let leaver = leaver.index(weights.len());
        let hosts: Vec<_> = names.iter().map(String::as_str).zip(weights).collect();
        for kind in ALL {
            let (hosts, leaver) = match kind {
                Kind::Modulo | Kind::NginxHash | Kind::NginxIpHash | Kind::HaproxyMap | Kind::Ring { .. }
                | Kind::Maglev { .. } => continue,
                Kind::Ketama => (even(&names), leaver),
                Kind::Jump | Kind::Binomial => (hosts.clone(), hosts.len() - 1),
                _ => (hosts.clone(), leaver),
            };
            prop_assert_eq!(moved(kind, &hosts, leaver, 2000).1, 0.0, "{:?}", kind);
        }
    }

    #[test]
    fn a_heavier_host_only_wins_keys(
        weights in proptest::collection::vec(1_u32..5, 2..20),
        gainer in any::<prop::sample::Index>(),
    ) {
        let names = named(weights.len());
        let gainer = gainer.index(weights.len());
        let hosts: Vec<_> = names.iter().map(String::as_str).zip(weights).collect();
        let mut heavier = hosts.clone();
        heavier[gainer].1 += 3;
        for kind in [Kind::Rendezvous, KARGER, Kind::Nginx, Kind::Haproxy] {
            let (before, after) = (Structure::build(kind, &hosts), Structure::build(kind, &heavier));
            for (was, is) in (0..2000).map(|number| (before.lookup(key(number)), after.lookup(key(number)))) {
                prop_assert!(is == was || is == gainer, "{:?}", kind);
            }
        }
    }
}

/// A change of who is there, for the structures that are changed in place.
#[derive(Clone, Copy, Debug)]
enum Change {
    Leave(prop::sample::Index),
    Come,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn anchor_dx_and_memento_move_only_keys_of_who_leaves_and_to_who_comes(
        n in 1_usize..30,
        changes in proptest::collection::vec(
            prop_oneof![2 => any::<prop::sample::Index>().prop_map(Change::Leave), 1 => Just(Change::Come)], 1..40),
    ) {
        let names = named(n);
        let hosts = even(&names);
        let (mut anchor, mut dx, mut memento) = (Anchor::new(&hosts, 64), Dx::new(&hosts, 64), Memento::new(&hosts));
        // Who is there; all must agree on that, whatever they do with keys.
        let mut there: Vec<usize> = (0..n).collect();
        let keys: Vec<u64> = (0..500).map(key).collect();
        for change in changes {
            let before: Vec<_> =
                keys.iter().map(|hash| [anchor.lookup(*hash), dx.lookup(*hash), memento.lookup(*hash)]).collect();
            let (mut came, mut gone) = (None, None);
            match change {
                Change::Leave(index) if there.len() > 1 => {
                    let place = there.swap_remove(index.index(there.len()));
                    anchor.remove(place);
                    dx.remove(place);
                    memento.remove(place);
                    gone = Some(place);
                }
                Change::Come if there.len() < 64 => {
                    came = anchor.add();
                    prop_assert_eq!((dx.add(), Some(memento.add())), (came, came), "all fill the place left last");
                    there.extend(came);
                }
                _ => {}
            }
            prop_assert_eq!([anchor.taken(), dx.taken(), memento.taken()], [there.len(); 3]);
            for (hash, before) in keys.iter().zip(before) {
                let after = [anchor.lookup(*hash), dx.lookup(*hash), memento.lookup(*hash)];
                for (name, (was, is)) in ["anchor", "dx", "memento"].into_iter().zip(before.into_iter().zip(after)) {
                    prop_assert!(there.contains(&is), "{}: nobody is at {}", name, is);
                    prop_assert!(is == was || gone == Some(was) || came == Some(is), "{}: {} to {}", name, was, is);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_changed_in_place_moves_only_keys_of_who_leaves_and_to_who_comes(
        weights in proptest::collection::vec(1_u32..4, 1..20),
        changes in proptest::collection::vec(
            prop_oneof![2 => any::<prop::sample::Index>().prop_map(Change::Leave), 1 => Just(Change::Come)], 1..20),
    ) {
        let names = named(100);
        for kind in ALL {
            let hosts: Vec<(&str, u32)> = names.iter().map(String::as_str).zip(weights.iter().copied()).collect();
            let mut structure = Structure::build(kind, &hosts);
            if !structure.is_changed_in_place() {
                continue;
            }
            // Who is where, and whoever comes has a name that nobody had.
            let mut there: Vec<(usize, (&str, u32))> = hosts.iter().copied().enumerate().collect();
            let mut comers = names[hosts.len()..].iter().zip(weights.iter().copied().cycle());
            for change in &changes {
                let before: Vec<usize> = (0..300).map(|number| structure.lookup(key(number))).collect();
                let (mut came, mut gone) = (None, None);
                match change {
                    Change::Leave(index) if there.len() > 1 => {
                        let (place, host) = there.swap_remove(index.index(there.len()));
                        prop_assert!(structure.leave(place, host));
                        gone = Some(place);
                    }
                    Change::Come => {
                        let (name, weight) = comers.next().expect("there are enough names");
                        came = structure.come((name, weight));
                        there.extend(came.map(|place| (place, (name.as_str(), weight))));
                    }
                    Change::Leave(_) => {}
                }
                for (number, was) in (0..).zip(before) {
                    let is = structure.lookup(key(number));
                    prop_assert!(there.iter().any(|(place, _)| *place == is), "{:?}: nobody is at {}", kind, is);
                    let right = is == was || gone == Some(was) || came == Some(is);
                    prop_assert!(right, "{:?}: {} to {}", kind, was, is);
                }
            }
            // Whatever happened, it is the structure that would be built for those who are there, where names decide.
            if matches!(kind, Kind::Karger { .. } | Kind::MultiProbe { .. } | Kind::Nginx | Kind::Rendezvous) {
                let rest: Vec<(&str, u32)> = there.iter().map(|(_, host)| *host).collect();
                let anew = Structure::build(kind, &rest);
                prop_assert_eq!(structure.entries(), anew.entries());
                for hash in (0..300).map(key) {
                    prop_assert_eq!(structure.lookup(hash), there[anew.lookup(hash)].0, "{:?}", kind);
                }
            }
        }
    }
}

#[test]
fn anchor_dx_and_memento_spread_keys_evenly_after_many_have_left() {
    let names = named(60);
    let hosts = even(&names);
    let (mut anchor, mut dx, mut memento) = (Anchor::new(&hosts, 100), Dx::new(&hosts, 100), Memento::new(&hosts));
    // Every third, and then from the front: out of turn throughout.
    for place in (0..60).step_by(3).chain([1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 58, 59]) {
        if place != 57 {
            anchor.remove(place);
            dx.remove(place);
            memento.remove(place);
        }
    }
    let taken = anchor.taken();
    assert_eq!([taken, dx.taken(), memento.taken()], [29; 3]);
    let mut counts = vec![[0_u32; 3]; 60];
    for hash in (0..290_000).map(key) {
        counts[anchor.lookup(hash)][0] += 1;
        counts[memento.lookup(hash)][1] += 1;
        counts[dx.lookup(hash)][2] += 1;
    }
    for [anchor, memento, dx] in counts.into_iter().filter(|counts| counts[0] > 0) {
        // 10,000 each, give or take 98.
        assert!((9_550..10_450).contains(&anchor), "anchor: {anchor}");
        assert!((9_550..10_450).contains(&memento), "memento: {memento}");
        assert!((9_550..10_450).contains(&dx), "dx: {dx}");
    }
}

#[test]
fn keys_are_spread_by_weight() {
    let names = named(10);
    let hosts: Vec<_> = names.iter().map(String::as_str).zip([1, 2, 3, 4, 1, 2, 3, 4, 10, 10]).collect();
    // How far a share may be off: the noise of 100,000 keys where shares are exact, that of arcs where they are hashed.
    for (kind, tolerance) in [
        (Kind::Modulo, 0.06),
        (Kind::NginxHash, 0.06),
        (Kind::HaproxyMap, 0.06),
        (Kind::Rendezvous, 0.06),
        (MAGLEV, 0.06),
        (RING_ENVOY, 0.5),
        (KARGER, 0.25),
        (Kind::Ketama, 0.5),
        (Kind::Nginx, 0.25),
        (Kind::Haproxy, 0.5),
    ] {
        for (share, (host, weight)) in shares(kind, &hosts, 100_000).into_iter().zip(&hosts) {
            let ideal = f64::from(*weight) / 40.0;
            assert!((share / ideal - 1.0).abs() < tolerance, "{kind:?}: {host} of weight {weight} has {share}");
        }
    }
    let hosts = even(&names);
    for (kind, tolerance) in [(Kind::Jump, 0.06), (Kind::Binomial, 0.09), (DUBBO, 0.25), (Kind::NginxIpHash, 0.06)] {
        for share in shares(kind, &hosts, 100_000) {
            assert!((share / 0.1 - 1.0).abs() < tolerance, "{kind:?}: {share}");
        }
    }
}

#[test]
fn multi_probe_bounds_the_peak_and_leaves_the_light_ones_light() {
    // Appleton and O'Reilly: at most 1.05 times the average with 21 probes, for hosts without number; shares spread by
    // 0.156 of it.
    let names = named(500);
    let shares = shares(MULTI_PROBE, &even(&names), 3_000_000);
    let peak = shares.iter().copied().fold(0.0, f64::max) * 500.0;
    // These hosts come to 1.084 over 30 million keys (1.08 with independent probes instead of double hashing); here a
    // host has 6,000 of the keys, give or take 80, which lifts the highest of hundreds a little more.
    assert!((1.03..1.12).contains(&peak), "peak {peak}");
    let variance = shares.iter().map(|share| (share * 500.0 - 1.0) * (share * 500.0 - 1.0)).sum::<f64>() / 500.0;
    assert!((0.13..0.19).contains(&variance.sqrt()), "relative deviation {}", variance.sqrt());
}

#[test]
fn maglev_moves_more_than_it_must_the_fewer_entries_a_host_has() {
    // Shares of table entries moved by one removal, measured over 65,537 entries: 10.2 % of 10 hosts, 1.62 % of 100,
    // 0.716 % of 1,000, where 10, 1 and 0.1 % had to.
    for (n, expected) in [(3, 0.3336), (10, 0.1020), (100, 0.0162), (1000, 0.00716)] {
        let names = named(n);
        let hosts = even(&names);
        let mut sum = 0.0;
        for leaver in [0, n / 2, n - 1] {
            let (before, rest) =
                (Maglev::new(&hosts, Maglev::TABLE_SIZE), [&hosts[..leaver], &hosts[leaver + 1..]].concat());
            let after = Maglev::new(&rest, Maglev::TABLE_SIZE);
            let moved = before.table().zip(after.table()).filter(|(b, a)| hosts[*b].0 != rest[*a].0).count();
            sum += moved as f64 / f64::from(Maglev::TABLE_SIZE);
        }
        let moved = sum / 3.0;
        assert!((moved / expected - 1.0).abs() < 0.15, "n = {n}: {moved} moved, {expected} expected");
    }
}

#[test]
fn envoys_ring_moves_nearly_twice_what_it_must() {
    // By default a ring of ten hosts has 1030 points and one of nine 1026: 103 points a host become 114.
    let names = named(10);
    let hosts = even(&names);
    let (mut needed, mut more) = (0.0, 0.0);
    for leaver in 0..10 {
        let moved = moved(RING_ENVOY, &hosts, leaver, 20_000);
        needed += moved.0 / 10.0;
        more += moved.1 / 10.0;
    }
    assert!((needed - 0.1).abs() < 1e-9, "everybody left once, so a tenth on average had to move: {needed}");
    assert!((0.04..0.12).contains(&more), "and {more} on top");
}

#[test]
fn envoys_ring_is_uneven_when_hosts_are_many() {
    // At the default minimum of 1,024 points: the heaviest host has 1.3 times the average of 10, 2.2 times that of 100,
    // 8 times that of 1,000, which have two points each; exact positions of hosts matter, so only the order does here.
    let peak = |n: usize| {
        let names = named(n);
        shares(RING_ENVOY, &even(&names), 200_000).into_iter().fold(0.0, f64::max) * n as f64
    };
    let (ten, hundred, thousand) = (peak(10), peak(100), peak(1000));
    assert!((1.1..1.5).contains(&ten), "{ten}");
    assert!((1.6..3.0).contains(&hundred), "{hundred}");
    assert!((4.5..11.0).contains(&thousand), "{thousand}");
}

#[test]
fn modulo_moves_nearly_everything_and_jump_about_half() {
    let names = named(20);
    let hosts = even(&names);
    let (needed, more) = moved(Kind::Modulo, &hosts, 19, 20_000);
    assert!(needed + more > 0.9, "{}", needed + more);
    for kind in [Kind::Jump, Kind::Binomial] {
        let (needed, more) = moved(kind, &hosts, 10, 20_000);
        assert!((needed + more - 0.5).abs() < 0.03, "{kind:?}, {}: all from the leaver's place on", needed + more);
    }
}

#[test]
#[should_panic(expected = "hashing needs at least one host")]
fn no_host_is_refused() {
    Jump::new(&[]);
}

#[test]
#[should_panic(expected = "host b has weight zero; leave it out")]
fn a_weight_of_zero_is_refused() {
    Rendezvous::new(&[("a", 1), ("b", 0)]);
}
