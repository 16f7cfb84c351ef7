//! Hashing: the same key, the same host, for as long as the hosts stay.
//!
//! A strategy of this kind puts one of the structures of [`hashing`](crate::hashing) over its hosts, known by their
//! addresses, and looks the request's hash up in it. What is common to all of them is here: when the structure is built
//! anew or changed in place and what that cost, where a retry goes, and what bounded loads do about a host that has too
//! much.
//!
//! A retry that must not go to the same host again asks with a number, as Envoy's reselections do
//! (`source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc`, `chooseHost`): a ring then counts so
//! many points on, and a table takes the next entry. A structure that has no next place hashes the hash again.

mod host_table;
mod infos;

use super::{Choose, Pick};
use crate::Rebuilds;
use crate::hashing::{BoundedLoad, Kind};
use crate::hosts::Hosts;
use base::Instant;

pub(super) use host_table::HostTable;

pub(super) use infos::{ALL, kind_of};

/// Where a retry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failover {
    /// To the host of the next point or entry.
    Next,
    /// To the host of another key, drawn from this one.
    Elsewhere,
    /// To the same host again.
    Same,
}

/// The state of every strategy that hashes.
#[derive(Debug)]
pub(crate) struct Hashed {
    kind: Kind,
    host_table: Option<HostTable>,
    failover: Failover,
    /// Percent of its share that a host may have; none when loads are not bounded.
    factor: Option<u32>,
    /// Envoy's rule for it; HAProxy's is its ring's own.
    bound: Option<BoundedLoad>,
    rebuilds: Rebuilds,
}

impl Hashed {
    fn new(kind: Kind, failover: &str, factor: u64) -> Self {
        let failover = match failover {
            "next" => Failover::Next,
            "elsewhere" => Failover::Elsewhere,
            _ => Failover::Same,
        };
        let factor = (factor > 0).then_some(factor as u32);
        Hashed { kind, host_table: None, failover, factor, bound: None, rebuilds: Rebuilds::default() }
    }

    #[inline]
    fn lookup(&self, host_table: &HostTable, hash: u64, attempt: u32) -> usize {
        match (attempt, self.failover) {
            (0, _) | (_, Failover::Same) => host_table.lookup(hash),
            (_, Failover::Next) => host_table.lookup_attempt(hash, attempt),
            (_, Failover::Elsewhere) => host_table.lookup(base::Key(hash).derive(attempt.into()).0),
        }
    }
}

impl Choose for Hashed {
    const FOLLOWS: bool = false;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        if !HostTable::refresh(&mut self.host_table, &mut self.rebuilds, self.kind, hosts) {
            return;
        }
        self.bound = None;
        if hosts.len() == 0 {
            return;
        }
        if let Some(factor) = self.factor.filter(|_| self.kind != Kind::Haproxy) {
            let shares: Vec<(&str, u32)> = (0..hosts.len()).map(|index| ("", hosts.weight(index))).collect();
            self.bound = Some(BoundedLoad::new(&shares, factor));
        }
    }

    #[inline]
    fn pick(&mut self, Pick { request, hosts, attempt, .. }: Pick<'_>) -> Option<usize> {
        let host_table = self.host_table.as_ref()?;
        let outstanding = hosts.outstanding();
        if let (Some(factor), 0) = (self.factor, attempt)
            && let Some(host) = host_table.lookup_bounded(request.hash, factor, outstanding)
        {
            return Some(host);
        }
        let host = self.lookup(host_table, request.hash, attempt);
        Some(match &mut self.bound {
            Some(bound) => bound.choose(request.hash, host, outstanding),
            None => host,
        })
    }

    fn rebuilds(&self) -> Rebuilds {
        self.rebuilds
    }

    fn bytes(&self) -> usize {
        self.host_table.as_ref().map_or(0, HostTable::bytes)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Balancer, Host, Request, Strategy, strategy::catalogue};
    use base::{InstanceId, Instant, Seed};
    use std::collections::BTreeSet;

    const NOW: Instant = Instant::ZERO;

    fn all() -> Vec<Strategy> {
        catalogue::all().iter().filter(|info| info.needs.keys).map(|info| Strategy::of(info)).collect()
    }

    fn over(strategy: Strategy, hosts: impl IntoIterator<Item = u32>) -> Balancer {
        let mut balancer = Balancer::new(strategy, Seed(1).stream("hashed"));
        update(&mut balancer, hosts);
        balancer
    }

    fn update(balancer: &mut Balancer, hosts: impl IntoIterator<Item = u32>) {
        let hosts: Vec<Host> = hosts.into_iter().map(|i| Host::new(InstanceId(i))).collect();
        balancer.update(NOW, &hosts);
    }

    fn owners(balancer: &mut Balancer) -> Vec<InstanceId> {
        let hashes = (0..3_000u64).map(|i| base::Key(i).derive(1).0);
        let indexes: Vec<usize> = hashes.map(|hash| balancer.pick(NOW, Request { hash }).unwrap()).collect();
        indexes.into_iter().map(|index| balancer.hosts()[index].instance).collect()
    }

    #[test]
    fn the_same_key_goes_to_the_same_host_whatever_happens_meanwhile() {
        assert_eq!(all().len(), 18);
        for strategy in all() {
            let mut balancer = over(strategy, 0..12);
            let before = owners(&mut balancer);
            (0..12).for_each(|index| (0..index).for_each(|_| balancer.started(index)));
            assert_eq!(owners(&mut balancer), before, "{strategy}");
            let everybody: BTreeSet<InstanceId> = before.into_iter().collect();
            assert_eq!(everybody.len(), 12, "{strategy} gives every host something");
        }
    }

    #[test]
    fn whoever_leaves_takes_only_its_own_keys_where_that_is_promised() {
        for strategy in all() {
            let mut balancer = over(strategy, 0..12);
            let before = owners(&mut balancer);
            update(&mut balancer, (0..12).filter(|&i| i != 5));
            let after = owners(&mut balancer);
            assert!(!after.contains(&InstanceId(5)), "{strategy}");
            let needless = before.iter().zip(&after).filter(|(b, a)| b != a && b.0 != 5).count();
            match strategy.name() {
                "ketama"
                | "nginx"
                | "haproxy"
                | "karger"
                | "dubbo_consistent_hash"
                | "rendezvous"
                | "multi_probe"
                | "anchor"
                | "dx"
                | "memento" => {
                    assert_eq!(needless, 0, "{strategy}");
                }
                // Some twice as many as must.
                "maglev" => assert!((1..200).contains(&needless), "{strategy} moved {needless} needlessly"),
                // The points of each host follow the number of hosts.
                "ring" => assert!((1..600).contains(&needless), "{strategy} moved {needless} needlessly"),
                _ => assert!(needless > 600, "{strategy} moved {needless} needlessly"),
            }
            update(&mut balancer, 0..12);
            assert_eq!(owners(&mut balancer), before, "{strategy} gives the keys back");
        }
    }

    #[test]
    fn structures_that_change_in_place_write_little() {
        for strategy in all() {
            let mut balancer = over(strategy, 0..100);
            let built = balancer.rebuilds();
            update(&mut balancer, 0..100);
            assert_eq!(balancer.rebuilds(), built, "{strategy}: nothing changed");
            update(&mut balancer, 1..100);
            let changed = balancer.rebuilds().entries - built.entries;
            assert_eq!(balancer.rebuilds().times, 2);
            match strategy.name() {
                "anchor" | "dx" | "memento" | "jump" | "binomial" => assert_eq!(changed, 1, "{strategy}"),
                // Its points.
                "haproxy" => assert_eq!(changed, 16),
                "karger" | "nginx" => assert_eq!(changed, 160),
                "multi_probe" | "rendezvous" => assert_eq!(changed, 1),
                _ => assert!(changed >= 99, "{strategy} wrote {changed}"),
            }
        }
    }

    #[test]
    fn weights_changed_in_place_are_the_weights_built_anew() {
        let weighing =
            |weights: [u32; 3]| (0..).zip(weights).map(|(i, weight)| Host { instance: InstanceId(i), weight });
        // What two weights more for one and one less for another write.
        for (name, expected) in [("karger", 3 * 160), ("nginx", 3 * 160), ("haproxy", 3 * 16), ("rendezvous", 2)] {
            let strategy = Strategy::from_name(name).unwrap();
            let mut balancer = Balancer::new(strategy, Seed(1).stream("hashed"));
            balancer.update(NOW, &weighing([1, 2, 1]).collect::<Vec<Host>>());
            let before = balancer.rebuilds();
            balancer.update(NOW, &weighing([3, 1, 1]).collect::<Vec<Host>>());
            let mut anew = Balancer::new(strategy, Seed(1).stream("hashed"));
            anew.update(NOW, &weighing([3, 1, 1]).collect::<Vec<Host>>());
            assert_eq!(owners(&mut balancer), owners(&mut anew), "{name}");
            assert_eq!(balancer.rebuilds().entries - before.entries, expected, "{name}");
        }
    }

    #[test]
    fn a_full_house_is_built_anew_with_more_room() {
        for name in ["anchor", "dx"] {
            let mut balancer = over(Strategy::from_name(name).unwrap().count("capacity", 4), 0..3);
            for n in 4..40 {
                update(&mut balancer, 0..n);
                let everybody: BTreeSet<InstanceId> = owners(&mut balancer).into_iter().collect();
                assert_eq!(everybody.len(), n as usize, "{name}");
            }
        }
    }

    #[test]
    fn a_retry_goes_where_the_strategy_says() {
        for strategy in all() {
            for failover in ["next", "elsewhere", "same"] {
                let value = crate::strategy::parameter::Value::Word(failover);
                let mut balancer = over(strategy.with("failover", value).unwrap(), 0..12);
                let mut elsewhere = 0;
                for hash in (0..200u64).map(|i| base::Key(i).derive(2).0) {
                    let first = balancer.pick(NOW, Request { hash }).unwrap();
                    let tried = [balancer.hosts()[first].instance];
                    elsewhere += usize::from(balancer.pick_except(NOW, Request { hash }, &tried, 5).unwrap() != first);
                }
                match failover {
                    "same" => assert_eq!(elsewhere, 0, "{strategy}"),
                    // Six tries in a row may come to the same one of twelve.
                    _ => assert!(elsewhere >= 195, "{strategy} failing over {failover}: {elsewhere} of 200"),
                }
            }
        }
    }

    #[test]
    fn no_host_is_given_more_than_its_bound() {
        for name in ["ring", "maglev"] {
            let mut balancer = over(Strategy::from_name(name).unwrap().count("balance_factor", 125), 0..8);
            // One hot key, and no answer to any request.
            for n in 0..400u64 {
                let index = balancer.pick(NOW, Request { hash: 77 }).unwrap();
                let slots = (n + 1) * 125;
                let bound = slots.div_ceil(100).div_ceil(8).max(1);
                // A host exactly at its slots still gets one, as in Envoy.
                assert!(u64::from(balancer.outstanding(index)) <= bound, "{name}: request {n}");
                balancer.started(index);
            }
            // At an eighth of 125 % each, 400 requests need six and a half hosts.
            let busy = (0..8).filter(|&index| balancer.outstanding(index) > 0).count();
            assert_eq!(busy, 7, "{name}: the overflow reaches as many as it needs");
        }
    }
}
