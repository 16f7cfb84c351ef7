//! HAProxy's leastconn: the server with the fewest connections for its weight, and of equals the one that has waited
//! longest.
//!
//! Servers stand in a tree by `(n + 1) · 4096 / eweight`, where n is the number of requests under way there and eweight
//! is 16 times the weight; an idle server stands at zero, whatever its weight (`src/lb_fwlc.c`, `fwlc_queue_srv`). A
//! server whose count changes is taken out and put in again, behind those with the same key, so that equals take turns
//! in the order in which they came to their present count. This is the rule of HAProxy 2.2 to 3.1. From 3.2 on, servers
//! of one key stand in several lists of which one is drawn at random, so that threads need not wait for each other, and
//! equals no longer take turns exactly.
//!
//! HAProxy's tree allocates nothing because its nodes lie in the servers. Here it is a binary heap of indexes, which
//! knows where each host is.

use super::catalogue::{Needs, StrategyInfo};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::Response;
use crate::hashing::Haproxy;
use crate::hosts::Hosts;
use base::Instant;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "haproxy_leastconn",
    summary: "the fewest requests for its weight, equals in the order in which they came to be equal, as HAProxy leastconn",
    explanation: "Compares (requests + 1) / weight, but takes an idle host first whatever it weighs. Among equals it takes the \
                  one that has had its count longest, so that idle hosts are used in turn; full_scan draws among them. Nothing \
                  is drawn: clients that start together all begin at the first host. A pick takes no time to speak of, a \
                  request that starts or ends O(log n).",
    source: "HAProxy leastconn, 2.2 to 3.1 (src/lb_fwlc.c)",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::HaproxyLeastconn(HaproxyLeastconn::default()),
};

#[derive(Debug, Default)]
pub(crate) struct HaproxyLeastconn {
    servers: PerHost<Server>,
    /// Hosts as a binary heap by the order of their servers: the first is next.
    heap: Vec<u32>,
    /// Where each host is in `heap`.
    places: Vec<u32>,
    /// The turn of the next server that is put in.
    next_turn: u64,
}

/// A server's place in the order, which is that of the fields: no two have the same turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    key: u64,
    turn: u64,
    weight: u32,
}

impl Choose for HaproxyLeastconn {
    const FOLLOWS: bool = true;

    /// Hosts that stay as they are keep their places; new ones, and those of a new weight, are put in behind their
    /// equals.
    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        const NEW: Server = Server { key: u64::MAX, turn: 0, weight: 0 };
        self.servers.refresh(hosts, |_| NEW);
        for (index, &served) in hosts.outstanding().iter().enumerate() {
            let weight = hosts.weight(index).min(Haproxy::WEIGHT_MAX);
            let (server, key) = (&mut self.servers[index], key(served, weight));
            if (server.key, server.weight) != (key, weight) {
                *server = Server { key, weight, turn: self.next_turn };
                self.next_turn += 1;
            }
        }
        // A sorted list is a heap.
        self.heap.clear();
        self.heap.extend(0..hosts.len() as u32);
        self.heap.sort_unstable_by_key(|&index| self.servers[index as usize]);
        self.places.resize(hosts.len(), 0);
        for (place, &index) in self.heap.iter().enumerate() {
            self.places[index as usize] = place as u32;
        }
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let first = *self.heap.first()? as usize;
        if pick.tried.is_empty() || !pick.was_tried(first) {
            return Some(first);
        }
        // The next in the tree that is not the one to avoid (`fwlc_get_next_server`).
        let others = (0..self.servers.len()).filter(|&index| !pick.was_tried(index));
        Some(others.min_by_key(|&index| self.servers[index]).unwrap_or(first))
    }

    #[inline]
    fn started(&mut self, index: usize, before: u32) {
        self.put_again(index, before + 1);
    }

    #[inline]
    fn finished(&mut self, _: Instant, index: usize, before: u32, _: &Response, _: &Hosts) {
        self.put_again(index, before - 1);
    }

    fn bytes(&self) -> usize {
        self.servers.bytes() + size_of_val(&self.heap[..]) + size_of_val(&self.places[..])
    }
}

/// The key of a server that has `served` requests under way. Whole numbers: servers are equal that differ by less than
/// one.
fn key(served: u32, weight: u32) -> u64 {
    let effective = u64::from(weight * Haproxy::POINTS_PER_WEIGHT);
    let most = u64::from(Haproxy::WEIGHT_MAX * Haproxy::POINTS_PER_WEIGHT);
    if served == 0 { 0 } else { (u64::from(served) + 1) * most / effective }
}

impl HaproxyLeastconn {
    /// The count of the host at `index` has become `served`: it goes behind those with the same key.
    fn put_again(&mut self, index: usize, served: u32) {
        let server = &mut self.servers[index];
        let before = *server;
        *server = Server { key: key(served, before.weight), turn: self.next_turn, ..before };
        self.next_turn += 1;
        let place = self.places[index] as usize;
        if self.servers[index] < before { self.rise(place) } else { self.sink(place) }
    }

    fn server(&self, place: usize) -> Server {
        self.servers[self.heap[place] as usize]
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.places[self.heap[a] as usize] = a as u32;
        self.places[self.heap[b] as usize] = b as u32;
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.server(parent) < self.server(place) {
                break;
            }
            self.swap(parent, place);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = 2 * place + 1..(2 * place + 3).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.server(child)) else { break };
            if self.server(place) < self.server(least) {
                break;
            }
            self.swap(place, least);
            place = least;
        }
    }
}
