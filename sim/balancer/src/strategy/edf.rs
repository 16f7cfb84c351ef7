//! Weighted round robin by earliest deadline first: a host of weight w is due again 1/w after its turn.
//!
//! As Envoy's round robin where weights differ (`source/common/upstream/edf_scheduler.h`, and `EdfLoadBalancerBase` in
//! `source/extensions/load_balancing_policies/common/load_balancer_impl.cc`), down to the order in which doubles are
//! added:
//!
//! - Whoever is due first is picked, and among hosts due at once the one that was entered first. The schedule's time is
//!   then that deadline, and the host is entered again at that time + 1/w with the weight it has **now**: a weight that
//!   changes in place counts from the host's next turn.
//! - A schedule begins as if it had made a number of picks already, the same number at every rebuild. Without that the
//!   first picks of every schedule went to the heavy hosts, and a client that rebuilds often never reached the light
//!   ones (envoyproxy/envoy pull request 29953).
//! - Where all weights are equal there is no schedule but an index that counts up from the same seed, and goes on over
//!   updates.
//!
//! Slow start ([`crate::eligibility::slow_start`]) scales the weights with which hosts are entered, and makes a
//! schedule of equal weights too while a host warms up.
//!
//! The schedule is rebuilt when hosts come or go, O(n log n) at worst, and when weights cease to be equal; other
//! changes of weight are made in place, as Envoy makes those of slow start and of load reports. (Those that come by
//! discovery it made in place too at first; newer ones rebuild.)

use super::catalogue::{Needs, StrategyInfo};
use super::round_robin::RoundRobin;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::{Draw, Instant, Rng};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The number of picks a schedule may begin after, exclusive: a tenth of what 32 bits hold.
const PICKS_END: u32 = 429_496_729;
/// Added to weights while the start is computed, so that weights which are multiples of each other do not make
/// deadlines that ought to be equal but differ in the last bit. It can be seen in the picks.
const EPSILON: f64 = 1e-13;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "edf",
    summary: "in turn by weight, the earliest deadline first, from a random start",
    explanation: "A host of weight w is due again 1/w after its turn; whoever is due first gets the request. The \
                  start is that of a schedule some random number of picks old, so that a client which rebuilds \
                  it often does not favour the heavy hosts. A weight that changes counts from the host's next \
                  turn. Equal weights make it round_robin.",
    source: "Envoy round_robin with unequal weights (edf_scheduler.h, createWithPicks)",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, rng| State::Edf(Edf::new(rng)),
};

#[derive(Debug)]
pub(crate) struct Edf {
    seed: u64,
    schedule: Schedule,
    /// Used while `schedule` has no entry.
    index: RoundRobin,
}

impl Edf {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        // Half the range, as a round robin's counter.
        Edf::seeded(rng.next_u64() >> 1)
    }

    pub(super) fn seeded(seed: u64) -> Self {
        Edf { seed, schedule: Schedule::default(), index: RoundRobin::starting_at(seed) }
    }
}

impl Choose for Edf {
    const FOLLOWS: bool = false;

    fn start_at(&mut self, start: u64) -> bool {
        *self = Edf::seeded(start);
        true
    }

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        self.index.set_hosts(hosts.len());
        if !self.schedule.is_empty() && hosts.same_instances() {
            return;
        }
        // One host has no schedule either: its weights are equal.
        let n = if hosts.need_schedule(now) { hosts.len() } else { 0 };
        self.schedule.begin_after(self.seed as u32, n, |index| hosts.weight_at(index, now));
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let scheduled = self.schedule.pick(|index| pick.hosts.weight_at(index, pick.now));
        Some(scheduled.unwrap_or_else(|| self.index.next(pick.hosts.len())))
    }

    fn bytes(&self) -> usize {
        self.schedule.bytes()
    }
}

/// Envoy's `EdfScheduler`, over indexes.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    queue: BinaryHeap<Entry>,
    /// The deadline of the latest pick.
    now: f64,
    /// How many entries were ever made.
    order: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    deadline: f64,
    order: u64,
    index: u32,
}

impl Schedule {
    /// The memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.queue.len() * size_of::<Entry>()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Forgets everything and enters indexes `0..n` as if `picks` picks had been made (`createWithPicks`). Each entry
    /// is put where it must be after at least the floor of its share of the picks, and what is left, less than one for
    /// each entry, is picked.
    pub(crate) fn begin_after(&mut self, picks: u32, n: usize, weight: impl Fn(usize) -> f64) {
        let picks = picks % PICKS_END;
        let sum = (0..n).fold(0.0, |sum, index| sum + (weight(index) + EPSILON));
        let mut entries = std::mem::take(&mut self.queue).into_vec();
        entries.clear();
        self.now = 0.0;
        let mut made = 0;
        for index in 0..n {
            let weight = weight(index) + EPSILON;
            let mut floor = (weight * f64::from(picks) / sum) as u32;
            // Doubles may make the floor of a product greater than the product.
            if floor > 0 && f64::from(floor) / weight >= f64::from(picks) / sum {
                floor -= 1;
            }
            self.now = self.now.max(f64::from(floor) / weight);
            let deadline = f64::from(floor + 1) / weight;
            entries.push(Entry { deadline, order: index as u64, index: index as u32 });
            made += floor;
        }
        self.queue = BinaryHeap::from(entries);
        self.order = n as u64;
        for _ in made..if n == 0 { 0 } else { picks } {
            self.pick(&weight);
        }
    }

    /// The index that is due first, entered again with the weight it has now; `None` without entries.
    #[inline]
    pub(crate) fn pick(&mut self, weight: impl Fn(usize) -> f64) -> Option<usize> {
        let mut first = self.queue.peek_mut()?;
        let index = first.index as usize;
        self.now = first.deadline;
        *first = Entry { deadline: self.now + 1.0 / weight(index), order: self.order, index: first.index };
        self.order += 1;
        Some(index)
    }

    /// Enters `index` behind those that are due at the same time.
    #[cfg(test)]
    pub(super) fn add(&mut self, index: u32, weight: f64) {
        self.queue.push(Entry { deadline: self.now + 1.0 / weight, order: self.order, index });
        self.order += 1;
    }

    /// Deadlines and indexes in the order in which they are due.
    #[cfg(test)]
    pub(super) fn due(&self) -> Vec<(f64, u32)> {
        let mut entries: Vec<Entry> = self.queue.iter().copied().collect();
        entries.sort_by(|a, b| b.cmp(a));
        entries.into_iter().map(|e| (e.deadline, e.index)).collect()
    }
}

/// The greatest entry is the one that is due first. No two have the same order.
impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline.total_cmp(&self.deadline).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}
