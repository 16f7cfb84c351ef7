//! Smooth weighted round robin: in turn by weight, with the turns of a heavy host spread out between those of the others.
//!
//! As nginx (`src/http/ngx_http_upstream_round_robin.c`, `ngx_http_upstream_get_peer`): every pick gives each host its
//! weight in points, takes the first host with the most points, and charges it what was given to all. The points always
//! sum up to what they were, and after as many picks as the sum of weights each host has had exactly its weight in
//! turns. With weights 5, 1, 1 the order is a a b a c a a.
//!
//! There is no seed: every client begins at the heaviest host. nginx lowers the points a host is given after failures and
//! raises them again by one a pick; failures do not come to a balancer here, so that part is left out.

use crate::hosts::Hosts;
use std::mem::swap;

#[derive(Debug, Default)]
pub(crate) struct SmoothWeighted {
    /// Points, by host.
    pub(super) current: Vec<i64>,
    /// What they were before the latest update; kept for the room it has.
    current_before: Vec<i64>,
    /// What one pick gives away.
    total: i64,
}

impl SmoothWeighted {
    /// Hosts that stay keep their points and new ones begin with none, as peers of an upstream zone do; a new weight
    /// counts from the next pick.
    pub(crate) fn refresh(&mut self, hosts: &Hosts) {
        swap(&mut self.current, &mut self.current_before);
        self.current.clear();
        self.total = 0;
        let mut before = hosts.before().iter().zip(&self.current_before).peekable();
        for (index, host) in hosts.all().iter().enumerate() {
            while before.next_if(|(other, _)| other.instance < host.instance).is_some() {}
            let stayed = before.next_if(|(other, _)| other.instance == host.instance);
            self.current.push(stayed.map_or(0, |(_, &points)| points));
            self.total += i64::from(hosts.weight(index));
        }
    }

    #[inline]
    pub(crate) fn pick(&mut self, hosts: &Hosts) -> usize {
        let mut best = 0;
        let mut most = i64::MIN;
        for (index, (current, host)) in self.current.iter_mut().zip(hosts.all()).enumerate() {
            *current += i64::from(host.weight.max(1));
            if *current > most {
                most = *current;
                best = index;
            }
        }
        self.current[best] -= self.total;
        best
    }
}
