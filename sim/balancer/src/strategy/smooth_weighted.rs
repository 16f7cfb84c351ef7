//! Smooth weighted round robin: in turn by weight, with the turns of a heavy host spread out between those of the others.
//!
//! As nginx (`src/http/ngx_http_upstream_round_robin.c`, `ngx_http_upstream_get_peer`): every pick gives each host its
//! weight in points, takes the first host with the most points, and charges it what was given to all. The points always
//! sum up to what they were, and after as many picks as the sum of weights each host has had exactly its weight in
//! turns. With weights 5, 1, 1 the order is a a b a c a a.
//!
//! There is no seed: every client begins at the heaviest host. nginx lowers the points a host is given after failures and
//! raises them again by one a pick; failures do not come to a balancer here, so that part is left out.

use super::catalogue::{Needs, StrategyInfo};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::Instant;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "smooth_weighted_round_robin",
    summary: "in turn by weight, spread out evenly",
    explanation: "Weights 5, 1, 1 give a a b a c a a, not five in a row: every pick gives each host its weight in \
                  points, takes the host with the most and charges it the sum. Exact over every whole cycle. \
                  There is no random start, so clients that begin together send their first requests to the \
                  same host, the heaviest one. Costs time in proportion to the number of hosts.",
    source: "nginx round robin (ngx_http_upstream_round_robin.c), without its lowering of weights after failures",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::SmoothWeighted(SmoothWeighted::default()),
};

#[derive(Debug, Default)]
pub(crate) struct SmoothWeighted {
    /// Points, by host.
    pub(super) current: PerHost<i64>,
    /// What one pick gives away.
    total: i64,
}

impl Choose for SmoothWeighted {
    /// Hosts that stay keep their points and new ones begin with none, as peers of an upstream zone do; a new weight
    /// counts from the next pick.
    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.current.refresh(hosts, |_| 0);
        self.total = (0..hosts.len()).map(|index| i64::from(hosts.weight(index))).sum();
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let mut best = 0;
        let mut most = i64::MIN;
        for (index, (current, host)) in self.current.iter_mut().zip(pick.hosts.all()).enumerate() {
            *current += i64::from(host.weight.max(1));
            if *current > most {
                most = *current;
                best = index;
            }
        }
        self.current[best] -= self.total;
        Some(best)
    }
}
