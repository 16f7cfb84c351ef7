//! Least request among all: join the shortest queue, and break ties fairly.
//!
//! Envoy's FULL_SCAN walks over all hosts and keeps one of the least busy by reservoir sampling, so that each of them
//! is equally likely (`source/extensions/load_balancing_policies/least_request/least_request_lb.cc`,
//! `unweightedHostPickFullScan`). The answer here has the same distribution and takes constant time. Hosts are kept
//! sorted by their count, and a count changes by one at a time, so a host moves to the neighbouring group by one swap
//! across the border between the two:
//!
//! ```text
//! count     0 0 0 0 1 1 2 2 2 5        start[1] = 4, start[2] = 6, start[3..=5] = 9
//! order     4 9 1 7 0 3 8 2 6 5        a pick is one draw among 4 9 1 7
//! ```

use super::catalogue::{Needs, StrategyInfo};
use super::shared::{self, KNOWLEDGE, REFRESH, Rule};
use super::{Choose, Pick, State};
use crate::Response;
use crate::hosts::Hosts;
use base::{Draw, Instant};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "full_scan",
    summary: "the least busy of all hosts, ties broken fairly",
    explanation: "Join the shortest queue. The best there is for one client that sees everything; many clients, each \
                  seeing only its own requests, gain less, and old information makes them herd to the same host. \
                  Costs constant time here whatever the number of hosts. With shared knowledge it is the JSQ of \
                  theory, at a cost that grows with the number of hosts. HAProxy and nginx break ties in turn, see \
                  haproxy_leastconn and nginx_least_conn.",
    source: "Envoy least_request, FULL_SCAN (least_request_lb.cc)",
    weighted: false,
    parameters: &[KNOWLEDGE, REFRESH],
    needs: Needs::NOTHING,
    make: |values, rng| shared::or_local(values, rng, Rule::FullScan, State::FullScan(FullScan::default())),
};

#[derive(Debug, Default)]
pub(crate) struct FullScan {
    /// Hosts by ascending count.
    order: Vec<u32>,
    /// Where each host is in `order`.
    place: Vec<u32>,
    /// `start[c]` is the first place of a host with at least `c` requests; `start[0] = 0`. The last entry is always
    /// the number of hosts: nobody has that many.
    start: Vec<u32>,
    /// The smallest count.
    least: usize,
}

impl Choose for FullScan {
    const FOLLOWS: bool = true;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        let outstanding = hosts.outstanding();
        let most = outstanding.iter().copied().max().unwrap_or(0) as usize;
        self.least = outstanding.iter().copied().min().unwrap_or(0) as usize;

        // A counting sort. While it runs, `start[c + 1]` is where the next host of count c goes; when it is done that
        // is where those of count c + 1 begin.
        self.start.clear();
        self.start.resize(most + 2, 0);
        for &count in outstanding {
            self.start[count as usize + 1] += 1;
        }
        let mut before = 0;
        for start in &mut self.start[1..] {
            let size = *start;
            *start = before;
            before += size;
        }
        self.order.resize(outstanding.len(), 0);
        self.place.resize(outstanding.len(), 0);
        for (index, &count) in outstanding.iter().enumerate() {
            let place = &mut self.start[count as usize + 1];
            self.order[*place as usize] = index as u32;
            self.place[index] = *place;
            *place += 1;
        }
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let least_busy = self.start[self.least + 1];
        Some(self.order[pick.rng.below(least_busy) as usize] as usize)
    }

    #[inline]
    fn started(&mut self, index: usize, before: u32) {
        let count = before as usize;
        if count + 2 == self.start.len() {
            self.start.push(self.order.len() as u32);
        }
        // The last of its group crosses the border: the group above begins one place earlier.
        let border = self.start[count + 1] - 1;
        self.swap(index, border);
        self.start[count + 1] = border;
        if count == self.least && border == 0 {
            self.least += 1;
        }
    }

    #[inline]
    fn finished(&mut self, _: Instant, index: usize, before: u32, _: &Response, _: &Hosts) {
        let count = before as usize;
        let border = self.start[count];
        self.swap(index, border);
        self.start[count] = border + 1;
        self.least = self.least.min(count - 1);
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.order[..]) + size_of_val(&self.place[..]) + size_of_val(&self.start[..])
    }
}

impl FullScan {
    /// How many requests the least busy host has.
    #[inline]
    pub(super) fn least(&self) -> usize {
        self.least
    }

    /// Puts the host at `index` into `place`, and who was there where the host was.
    #[inline]
    fn swap(&mut self, index: usize, place: u32) {
        let from = self.place[index];
        let other = self.order[place as usize];
        self.order[from as usize] = other;
        self.order[place as usize] = index as u32;
        self.place[other as usize] = from;
        self.place[index] = place;
    }
}
