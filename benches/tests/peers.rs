//! What is compared does the same: every contender chooses among the hosts it was given, leaves none out, and is after
//! a departure and a return what it was before; and those that follow one rule agree to the last bit.

#[path = "../peers/mod.rs"]
mod peers;

use peers::{Contender, Fleet, Key, SIZES, Visitor, visit_all};
use std::collections::BTreeMap;

/// Families that choose by the key alone.
const BY_KEY: [&str; 9] =
    ["ring", "nginx_ring", "multi_probe", "maglev", "jump", "binomial", "anchor", "rendezvous", "weighted_rendezvous"];

/// The choices of all contenders for the same keys, by family and name.
struct Choices {
    fleet: &'static Fleet,
    keys: &'static [Key],
    made: BTreeMap<(&'static str, &'static str), Vec<usize>>,
}

impl Choices {
    fn of(size: usize, keys: usize) -> Self {
        let mut choices = Choices { fleet: Fleet::of(size), keys: Key::many(keys), made: BTreeMap::new() };
        visit_all(&mut choices);
        choices
    }

    fn by(&self, family: &'static str, name: &'static str) -> &[usize] {
        &self.made[&(family, name)]
    }
}

impl Visitor for Choices {
    fn visit<C: Contender>(&mut self) {
        let (size, who) = (self.fleet.len(), (C::FAMILY, C::NAME));
        if size > C::LARGEST.0 {
            return;
        }
        let mut contender = C::build(self.fleet);
        let choose = |contender: &mut C| self.keys.iter().map(|key| contender.lookup(key)).collect::<Vec<_>>();
        let choices = choose(&mut contender);
        assert!(choices.iter().all(|host| *host < size), "{who:?} with {size} hosts gives one that is not there");

        contender.leave_and_return(self.fleet, size / 2);
        let again = choose(&mut contender);
        assert!(again.iter().all(|host| *host < size), "{who:?} with {size} hosts gives one that is not there");
        if BY_KEY.contains(&who.0) {
            assert!(choices == again, "{who:?} with {size} hosts is not what it was before one left and returned");
        }
        assert!(self.made.insert(who, choices).is_none(), "{who:?} is there twice");
    }
}

#[test]
fn every_contender_uses_every_host() {
    for size in [3, 10, 100] {
        for (who, choices) in Choices::of(size, 3_000).made {
            let mut counts = vec![0_u32; size];
            choices.iter().for_each(|host| counts[*host] += 1);
            let idle = counts.iter().filter(|count| **count == 0).count();
            // Probes leave some hosts light, and a hundredth of three thousand keys is thirty, give or take.
            assert!(idle * 20 <= size, "{who:?} leaves {idle} of {size} hosts without a key");
        }
    }
}

#[test]
fn those_that_follow_one_rule_agree() {
    for size in [3, 10, 100, 1_000] {
        let choices = Choices::of(size, 2_000);
        assert_eq!(choices.by("nginx_ring", "ours"), choices.by("nginx_ring", "pingora-ketama"), "{size} hosts");
        assert_eq!(choices.by("jump", "ours"), choices.by("jump", "jumphash"), "{size} hosts");
        assert_eq!(choices.by("smooth_weighted", "ours"), choices.by("smooth_weighted", "weighted-rs"), "{size} hosts");
    }
}

#[test]
fn each_family_has_ours_and_a_peer_at_every_size_it_is_measured_at() {
    struct Entry {
        name: &'static str,
        largest: (usize, &'static str),
        built: bool,
    }
    struct Families(BTreeMap<&'static str, Vec<Entry>>);
    impl Visitor for Families {
        fn visit<C: Contender>(&mut self) {
            let entry = Entry { name: C::NAME, largest: C::LARGEST, built: C::BUILT };
            self.0.entry(C::FAMILY).or_default().push(entry);
        }
    }
    let mut families = Families(BTreeMap::new());
    visit_all(&mut families);
    for (family, contenders) in families.0 {
        let first = &contenders[0];
        assert_eq!(first.name, "ours", "{family}: the others are measured against the first");
        for Entry { name, largest: (most, why), built } in &contenders {
            let is_cut = *most < SIZES[SIZES.len() - 1];
            assert_eq!(is_cut, !why.is_empty(), "{family}/{name} stops at {most} hosts, because {why:?}");
            let has_yardstick = *most <= first.largest.0 && *built == first.built;
            assert!(has_yardstick, "{family}/{name} has nothing to be measured against");
        }
        assert!(contenders.iter().any(|c| !c.name.starts_with("ours")), "{family} has no peer");
    }
}
