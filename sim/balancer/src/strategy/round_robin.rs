//! Round robin: one host after the other, from a random start.
//!
//! As Envoy's for equal weights (`source/extensions/load_balancing_policies/round_robin/round_robin_lb.h`): a counter
//! that begins at a random number, so that many clients do not march in step, and is taken modulo the number of hosts.
//! The counter goes on over an update, so an update does not send everybody back to the first host.

use crate::hosts::Hosts;
use base::{Draw, Rng};

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

    pub(crate) fn refresh(&mut self, hosts: &Hosts) {
        self.next = match hosts.len() {
            0 => 0,
            n => (self.counter % n as u64) as usize,
        };
    }

    #[inline]
    pub(crate) fn pick(&mut self, hosts: &Hosts) -> usize {
        let index = self.next;
        self.counter += 1;
        self.next = if index + 1 == hosts.len() { 0 } else { index + 1 };
        index
    }
}
