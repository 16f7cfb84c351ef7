//! The hosts of one balancer, as parallel arrays: who, and how many requests are outstanding there.
//!
//! A pick touches only the array of counts, four bytes a host, so ten thousand hosts stay in the first-level cache.
//! Hosts are ordered by instance, which makes an update a merge of two sorted lists and a lookup a binary search.
//!
//! A host that leaves with requests outstanding is remembered until the last of them is over. If it comes back before
//! (a health check that flaps, a registry that lost it for a moment) its count is what it would have been, and no
//! finish of an old request is mistaken for one of a new.

use crate::eligibility::SlowStart;
use base::{InstanceId, Instant};
use std::ops::Range;

/// A host a balancer may pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The instance behind it.
    pub instance: InstanceId,
    /// Its weight relative to the other hosts, for strategies that go by weight; see
    /// [`StrategyInfo::weighted`](crate::StrategyInfo::weighted). At least one; zero says that the weight is not known,
    /// which is the mean of the others to static stride and one to everybody else.
    pub weight: u32,
}

impl Host {
    /// `instance` with weight one.
    pub const fn new(instance: InstanceId) -> Self {
        Host { instance, weight: 1 }
    }

    /// Its address, such as `10.0.1.44:8080` for instance 300: what algorithms hash that know hosts by their address.
    pub fn address(&self) -> String {
        let [_, b, c, d] = self.instance.0.to_be_bytes();
        format!("10.{b}.{c}.{d}:8080")
    }
}

/// The arrays; three words a host.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    hosts: Vec<Host>,
    outstanding: Vec<u32>,
    /// Hosts that left while requests were outstanding there, and how many still are; ordered by instance.
    departed: Vec<(InstanceId, u32)>,
    /// What `outstanding` and `departed` were before the latest update; kept for the room they have.
    outstanding_before: Vec<u32>,
    departed_before: Vec<(InstanceId, u32)>,
    hosts_before: Vec<Host>,
    /// How many hosts are the same instances before and after the latest update, from the front and from the back.
    kept: (usize, usize),
    warming: Option<Warming>,
}

/// How hosts warm up, and since when each does.
#[derive(Debug)]
struct Warming {
    rule: SlowStart,
    /// By host; none for one that does not.
    since: Vec<Option<Instant>>,
}

impl Hosts {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.outstanding.len()
    }

    pub(crate) fn all(&self) -> &[Host] {
        &self.hosts
    }

    #[inline]
    pub(crate) fn outstanding(&self) -> &[u32] {
        &self.outstanding
    }

    #[inline]
    pub(crate) fn instance(&self, index: usize) -> InstanceId {
        self.hosts[index].instance
    }

    /// The weight of the host at `index`, one when it is not known.
    #[inline]
    pub(crate) fn weight(&self, index: usize) -> u32 {
        self.hosts[index].weight.max(1)
    }

    /// From now on hosts warm up by `rule`, as far as [`Hosts::adopt`] says since when.
    pub(crate) fn warm_up(&mut self, rule: SlowStart) {
        self.warming = Some(Warming { rule, since: Vec::new() });
    }

    /// The weight of the host at `index`, scaled while it warms up.
    #[inline]
    pub(crate) fn weight_at(&self, index: usize, now: Instant) -> f64 {
        f64::from(self.weight(index)) * self.warmth(index, now)
    }

    /// What a weight of the host at `index` is multiplied by while it warms up; one for all others.
    #[inline]
    pub(crate) fn warmth(&self, index: usize, now: Instant) -> f64 {
        self.warming.as_ref().map_or(1.0, |warming| warming.factor(index, now))
    }

    /// Whether the hosts are not all alike, so that a schedule of weights is needed: weights differ, or a host warms
    /// up.
    pub(crate) fn need_schedule(&self, now: Instant) -> bool {
        self.len() > 1 && (!self.weights_are_equal() || self.are_warming_up(now))
    }

    /// Whether any host warms up.
    fn are_warming_up(&self, now: Instant) -> bool {
        self.warming.as_ref().is_some_and(|Warming { rule, since }| {
            since.iter().flatten().any(|since| rule.lasts(now.saturating_since(*since)))
        })
    }

    /// Where `instance` is, when it is a host.
    pub(crate) fn index_of(&self, instance: InstanceId) -> Option<usize> {
        self.hosts.binary_search_by_key(&instance, |h| h.instance).ok()
    }

    /// The hosts from before the latest update.
    pub(crate) fn before(&self) -> &[Host] {
        &self.hosts_before
    }

    /// Whether the latest update left the same instances, whatever it did to their weights.
    pub(crate) fn same_instances(&self) -> bool {
        self.hosts.len() == self.hosts_before.len() && self.kept.0 == self.hosts.len()
    }

    /// What lies between the instances that the latest update left as they were at either end: of the hosts before, and
    /// of those now. Most updates change one host of many.
    pub(crate) fn between_kept(&self) -> (Range<usize>, Range<usize>) {
        let (front, back) = self.kept;
        (front..self.hosts_before.len() - back, front..self.hosts.len() - back)
    }

    fn compare_with_before(&mut self) {
        let same = |(now, before): &(&Host, &Host)| now.instance == before.instance;
        let front = self.hosts.iter().zip(&self.hosts_before).take_while(same).count();
        let rest = self.hosts[front..].iter().rev().zip(self.hosts_before[front..].iter().rev());
        self.kept = (front, rest.take_while(same).count());
    }

    pub(crate) fn weights_are_equal(&self) -> bool {
        (1..self.len()).all(|i| self.weight(i) == self.weight(0))
    }

    /// The memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let warming = self.warming.as_ref().map_or(0, |warming| size_of_val(&warming.since[..]));
        let now = size_of_val(&self.hosts[..]) + size_of_val(&self.outstanding[..]) + size_of_val(&self.departed[..]);
        let before = size_of_val(&self.hosts_before[..])
            + size_of_val(&self.outstanding_before[..])
            + size_of_val(&self.departed_before[..]);
        now + before + warming
    }

    pub(crate) fn in_flight(&self) -> u64 {
        let present: u64 = self.outstanding.iter().map(|&n| u64::from(n)).sum();
        let departed: u64 = self.departed.iter().map(|&(_, n)| u64::from(n)).sum();
        present + departed
    }

    /// Takes `hosts` as the present ones and carries every count over.
    pub(crate) fn update(&mut self, hosts: &[Host]) {
        std::mem::swap(&mut self.hosts, &mut self.hosts_before);
        std::mem::swap(&mut self.outstanding, &mut self.outstanding_before);
        std::mem::swap(&mut self.departed, &mut self.departed_before);
        self.hosts.clear();
        self.outstanding.clear();
        self.departed.clear();

        self.hosts.extend_from_slice(hosts);
        if !self.hosts.is_sorted_by(|a, b| a.instance < b.instance) {
            self.hosts.sort_unstable_by_key(|h| h.instance);
            for pair in self.hosts.windows(2) {
                assert!(pair[0].instance < pair[1].instance, "{} is listed twice", pair[0].instance);
            }
        }
        self.compare_with_before();

        // Everything that had a count, present or departed, in the order of instances: a merge of two lists that have
        // no instance in common, merged again with the new hosts. Who is the same at either end keeps what it has.
        let (was, is) = self.between_kept();
        self.outstanding.extend_from_slice(&self.outstanding_before[..was.start]);
        let present_before = self.hosts_before[was.clone()].iter().map(|h| h.instance);
        let mut present = present_before.zip(self.outstanding_before[was.clone()].iter().copied());
        let mut gone = self.departed_before.iter().copied();
        let (mut next_present, mut next_gone) = (present.next(), gone.next());
        let mut next_count = || match (next_present, next_gone) {
            (Some(p), Some(g)) if g.0 < p.0 => {
                next_gone = gone.next();
                Some(g)
            }
            (Some(p), _) => {
                next_present = present.next();
                Some(p)
            }
            (None, g) => {
                next_gone = gone.next();
                g
            }
        };

        let mut counted = next_count();
        for host in &self.hosts[is] {
            while let Some((instance, n)) = counted
                && instance < host.instance
            {
                if n > 0 {
                    self.departed.push((instance, n));
                }
                counted = next_count();
            }
            match counted {
                Some((instance, n)) if instance == host.instance => {
                    self.outstanding.push(n);
                    counted = next_count();
                }
                _ => self.outstanding.push(0),
            }
        }
        while let Some((instance, n)) = counted {
            if n > 0 {
                self.departed.push((instance, n));
            }
            counted = next_count();
        }
        self.outstanding.extend_from_slice(&self.outstanding_before[was.end..]);
    }

    /// Takes `hosts`, in the order of instances, as the present ones, with counts that somebody else keeps, and since
    /// when each is healthy.
    pub(crate) fn adopt(&mut self, hosts: &[Host], outstanding: &[u32], since: impl Iterator<Item = Option<Instant>>) {
        std::mem::swap(&mut self.hosts, &mut self.hosts_before);
        self.hosts.clear();
        self.hosts.extend_from_slice(hosts);
        self.compare_with_before();
        self.outstanding.clear();
        self.outstanding.extend_from_slice(outstanding);
        if let Some(warming) = &mut self.warming {
            warming.since.clear();
            warming.since.extend(since);
        }
    }

    /// Counts a start at `index` and returns the count from before.
    #[inline]
    pub(crate) fn start(&mut self, index: usize) -> u32 {
        let before = self.outstanding[index];
        self.outstanding[index] = before + 1;
        before
    }

    /// Counts a finish at `instance`. The index and the count from before, unless the host has left.
    #[inline]
    pub(crate) fn finish(&mut self, hint: usize, instance: InstanceId) -> Option<(usize, u32)> {
        let index = match self.hosts.get(hint) {
            Some(host) if host.instance == instance => hint,
            _ => self.find(instance)?,
        };
        let before = self.outstanding[index];
        assert!(before > 0, "{instance} finished a request it never started");
        self.outstanding[index] = before - 1;
        Some((index, before))
    }

    /// Where `instance` is now; a departed one is counted down here and has no index.
    #[cold]
    fn find(&mut self, instance: InstanceId) -> Option<usize> {
        if let Some(index) = self.index_of(instance) {
            return Some(index);
        }
        let Ok(index) = self.departed.binary_search_by_key(&instance, |&(i, _)| i) else {
            panic!("{instance} finished a request it never started");
        };
        self.departed[index].1 -= 1;
        if self.departed[index].1 == 0 {
            self.departed.remove(index);
        }
        None
    }
}

impl Warming {
    fn factor(&self, index: usize, now: Instant) -> f64 {
        match self.since.get(index) {
            Some(Some(since)) => self.rule.factor(now.saturating_since(*since)),
            _ => 1.0,
        }
    }
}
