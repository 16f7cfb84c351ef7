//! HAProxy's roundrobin: in turn by weight, on a line of positions that servers move along.
//!
//! As `src/lb_fwrr.c`. The group's position advances by one with every pick. A server that is picked gets as its next
//! position the present one + Σ weights / its own weight, whose remainder is kept and added up. Servers stand in three
//! trees:
//!
//! - *current*: those whose next position lies in the present round, by position, and at one position the heavier
//!   first;
//! - *init*: those not yet picked in this round, the heaviest first; they fill the positions that nobody of *current*
//!   is due at;
//! - *next*: those whose next position lies beyond, again the heaviest first; when *current* and *init* are empty, they
//!   become *init* and a round begins.
//!
//! Weights are multiplied by 16 to leave room for slow start (`BE_WEIGHT_SCALE`), which makes a round 16 times the sum
//! of weights long. What HAProxy does when a server comes, leaves or changes its weight is followed too.
//!
//! The trees are binary heaps of (key, order of insertion): a tree's duplicates are served first in, first out.
//! HAProxy's keys are of 32 bits, which is why it admits 4,095 servers; here they are of 64.

use super::catalogue::{Needs, StrategyInfo};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hashing::Haproxy;
use crate::hosts::Hosts;
use base::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const SCALE: u64 = Haproxy::POINTS_PER_WEIGHT as u64;
/// The greatest weight times its scale (`SRV_EWGHT_MAX`).
const MOST: u64 = Haproxy::WEIGHT_MAX as u64 * SCALE;
/// Keys between one position and the next (`SRV_UWGHT_RANGE`).
const KEYS_PER_POSITION: u64 = Haproxy::WEIGHT_MAX as u64;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "haproxy_roundrobin",
    summary: "in turn by weight, the turns of a heavy host spread out, as HAProxy roundrobin",
    explanation: "Each host is due again after Σ weights / weight picks; the heaviest go first, and equals in their order. \
                  Smooth over a round, in which every host has its weight in turns, though the order differs from nginx' and \
                  Envoy's. A host that comes back waits until its place in the round is reached, which in a large farm takes \
                  hundreds of requests. There is no random start. A pick takes O(log n).",
    source: "HAProxy roundrobin, its default until 3.2 (src/lb_fwrr.c)",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::HaproxyRoundrobin(HaproxyRoundrobin::default()),
};

#[derive(Debug, Default)]
pub(crate) struct HaproxyRoundrobin {
    servers: PerHost<Server>,
    trees: [Tree; 3],
    /// The present position, and the weight of the present and of the next round: `curr_pos`, `curr_weight`,
    /// `next_weight`.
    position: u64,
    round: u64,
    next_round: u64,
    /// How often a server was put into a tree.
    insertions: u64,
    /// Servers taken out because they were tried, until they are put in again.
    avoided: Vec<u32>,
}

/// Which tree a server stands in; an index of `trees`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Current,
    Init,
    Next,
}

/// A tree: the least key first, and of equal keys the first inserted.
type Tree = BinaryHeap<Reverse<Entry>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: u64,
    insertion: u64,
    index: u32,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    /// Weight times its scale; zero of one that has just come.
    weight: u64,
    stand: Stand,
    /// `npos`, `lpos` and `rweight`: the next position, the last one, and what is left of divisions so far.
    next: u64,
    last: u64,
    rest: u64,
    /// Its insertion into its tree.
    insertion: u64,
    key: u64,
}

impl Choose for HaproxyRoundrobin {
    const FOLLOWS: bool = false;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        const NEW: Server = Server { weight: 0, stand: Stand::Init, next: 0, last: 0, rest: 0, insertion: 0, key: 0 };
        let begins = hosts.before().is_empty();
        let before: u64 = self.servers.iter().map(|server| server.weight).sum();
        self.servers.refresh(hosts, |_| NEW);
        // Who left takes its weight along.
        let stayed: u64 = self.servers.iter().map(|server| server.weight).sum();
        self.next_round -= before - stayed;
        if begins {
            self.next_round = (0..hosts.len()).map(|index| effective(hosts, index)).sum();
            (self.position, self.round) = (self.next_round, self.next_round);
        }
        self.rebuild(hosts);
        for index in 0..hosts.len() {
            let (was, is) = (self.servers[index].weight, effective(hosts, index));
            self.servers[index].weight = is;
            match was {
                0 if begins => self.insert(index, Stand::Init),
                0 => self.come(index),
                _ if was != is => self.weigh(index, was),
                _ => {}
            }
        }
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        if self.round == 0 {
            (self.position, self.round) = (self.next_round, self.next_round);
        }
        let mut switched = false;
        let picked = loop {
            let Some(index) = self.take_first() else {
                if switched {
                    // All were tried: the first of them is taken for want of another.
                    break self.avoided.first().map(|&index| index as usize);
                }
                switched = true;
                self.switch();
                continue;
            };
            self.advance(index);
            if pick.tried.is_empty() || !pick.was_tried(index) {
                break Some(index);
            }
            self.avoided.push(index as u32);
        };
        if let Some(index) = picked {
            self.queue(index);
        }
        while let Some(index) = self.avoided.pop().map(|index| index as usize) {
            match picked {
                Some(other) if other == index => {}
                // Its place is lost with the round.
                _ if switched => self.insert(index, Stand::Init),
                _ => self.queue(index),
            }
        }
        picked
    }

    fn bytes(&self) -> usize {
        let room: usize = self.trees.iter().map(|tree| tree.capacity()).sum();
        self.servers.bytes() + room * size_of::<Reverse<Entry>>() + self.avoided.capacity() * size_of::<u32>()
    }
}

/// The weight of a host, scaled; what is above HAProxy's greatest counts as that.
fn effective(hosts: &Hosts, index: usize) -> u64 {
    u64::from(hosts.weight(index).min(Haproxy::WEIGHT_MAX)) * SCALE
}

impl HaproxyRoundrobin {
    fn tree(&mut self, stand: Stand) -> &mut Tree {
        &mut self.trees[stand as usize]
    }

    /// Fills the trees with those that stay as they are, whose indexes may be others than before. There is room for all
    /// in each.
    fn rebuild(&mut self, hosts: &Hosts) {
        let n = self.servers.len();
        for tree in &mut self.trees {
            tree.clear();
            tree.reserve(n);
        }
        self.avoided.reserve(n);
        for index in 0..n {
            let Server { weight, stand, key, insertion, .. } = self.servers[index];
            if weight == effective(hosts, index) {
                self.tree(stand).push(Reverse(Entry { key, insertion, index: index as u32 }));
            }
        }
    }

    /// Puts a server into a tree of those that go by weight, the heaviest first (`fwrr_queue_by_weight`).
    fn insert(&mut self, index: usize, stand: Stand) {
        let key = MOST - self.servers[index].weight;
        self.insert_by(index, stand, key);
    }

    fn insert_by(&mut self, index: usize, stand: Stand, key: u64) {
        let insertion = self.insertions;
        self.insertions += 1;
        let server = &mut self.servers[index];
        (server.stand, server.key, server.insertion) = (stand, key, insertion);
        self.tree(stand).push(Reverse(Entry { key, insertion, index: index as u32 }));
    }

    /// Puts a server where its next position says: into the present round or the next (`fwrr_queue_srv`).
    fn queue(&mut self, index: usize) {
        let Server { next, rest, weight, .. } = self.servers[index];
        if next >= 2 * self.round || next >= self.round + self.next_round {
            self.servers[index].next = next - self.round;
            self.insert(index, Stand::Next);
        } else {
            let key = KEYS_PER_POSITION * next + (MOST + rest - weight) / SCALE;
            self.insert_by(index, Stand::Current, key);
        }
    }

    /// Takes out who is due, or who fills the gap until somebody is (`fwrr_get_server_from_group`).
    #[inline]
    fn take_first(&mut self) -> Option<usize> {
        let first = |tree: &Tree| tree.peek().map(|entry| entry.0.index as usize);
        let due = first(&self.trees[Stand::Current as usize]);
        if let Some(index) = due.filter(|&index| self.servers[index].next <= self.position) {
            self.tree(Stand::Current).pop();
            return Some(index);
        }
        if let Some(index) = first(&self.trees[Stand::Init as usize]) {
            self.tree(Stand::Init).pop();
            (self.servers[index].next, self.servers[index].rest) = (0, 0);
            return Some(index);
        }
        self.tree(Stand::Current).pop();
        due
    }

    /// Gives a server its next position, and the group too (`fwrr_update_position`).
    fn advance(&mut self, index: usize) {
        let server = &mut self.servers[index];
        if server.next == 0 {
            server.next = self.position;
        }
        server.last = server.next;
        server.next += self.next_round / server.weight;
        server.rest += self.next_round % server.weight;
        if server.rest >= server.weight {
            server.rest -= server.weight;
            server.next += 1;
        }
        self.position += 1;
    }

    /// A round is over (`fwrr_switch_trees`). O(n).
    fn switch(&mut self) {
        self.trees.swap(Stand::Init as usize, Stand::Next as usize);
        for server in self.servers.iter_mut() {
            server.stand = match server.stand {
                Stand::Init => Stand::Next,
                Stand::Next => Stand::Init,
                Stand::Current => Stand::Current,
            };
        }
        (self.round, self.position) = (self.next_round, self.next_round);
    }

    /// A server has come (`fwrr_set_server_status_up`).
    fn come(&mut self, index: usize) {
        let weight = self.servers[index].weight;
        self.next_round += weight;
        let left = (self.next_round + self.round).saturating_sub(self.position);
        self.servers[index].next = self.position + left / weight;
        self.queue(index);
    }

    /// The weight of a server, which is in no tree now, is no longer `was` (`fwrr_update_server_weight`).
    fn weigh(&mut self, index: usize, was: u64) {
        self.next_round = self.next_round - was + self.servers[index].weight;
        let (stand, position, round) = (self.servers[index].stand, self.position, self.round);
        if stand == Stand::Init {
            return self.insert(index, Stand::Init);
        }
        let step = self.next_round / self.servers[index].weight;
        let server = &mut self.servers[index];
        let before = if stand == Stand::Next { server.next + round } else { server.next };
        server.rest = 0;
        server.next = before.min(server.last + step);
        if server.next < position + 2 {
            server.next = position + step;
        }
        self.queue(index);
    }
}
