//! Round robin: one host after the other, from a random start.
//!
//! As Envoy's for equal weights (`source/extensions/load_balancing_policies/round_robin/round_robin_lb.h`): a counter
//! that begins at a random number, so that many clients do not march in step, and is taken modulo the number of hosts.
//! The counter goes on over an update, so an update does not send everybody back to the first host.

use super::catalogue::{Needs, StrategyInfo};
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::{Draw, Instant, Rng};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "round_robin",
    summary: "one host after the other, from a random start",
    explanation: "Every host gets the same number of requests, whatever they cost and however busy it is. One \
                  client alone spreads load evenly in time, which beats two choices at low load; many clients \
                  together look like random. A slow host keeps getting its full share until its queue overflows.",
    source: "Envoy round_robin with equal weights; default of gRPC, Spring Cloud LoadBalancer and Istio before 1.14",
    weighted: false,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, rng| State::RoundRobin(RoundRobin::new(rng)),
};

#[derive(Debug)]
pub(crate) struct RoundRobin {
    counter: u64,
    /// `counter` modulo the number of hosts, kept by comparison because a division costs more than all the rest.
    next: usize,
}

impl RoundRobin {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        // Half the range, so that the counter has 584 years at a request a nanosecond before it wraps.
        RoundRobin::starting_at(rng.next_u64() >> 1)
    }

    /// Begins with the host at `counter` modulo their number.
    pub(super) fn starting_at(counter: u64) -> Self {
        RoundRobin { counter, next: 0 }
    }

    pub(super) fn set_hosts(&mut self, n: usize) {
        self.next = match n {
            0 => 0,
            n => (self.counter % n as u64) as usize,
        };
    }

    #[inline]
    pub(super) fn next(&mut self, n: usize) -> usize {
        let index = self.next;
        self.counter += 1;
        self.next = if index + 1 == n { 0 } else { index + 1 };
        index
    }
}

impl Choose for RoundRobin {
    const FOLLOWS: bool = false;

    fn start_at(&mut self, start: u64) -> bool {
        *self = RoundRobin::starting_at(start);
        true
    }

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.set_hosts(hosts.len());
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        Some(self.next(pick.hosts.len()))
    }
}
