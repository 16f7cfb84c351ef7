//! nginx' least_conn: the fewest connections for the weight, and smooth weighted round robin among equals.
//!
//! As `src/http/modules/ngx_http_upstream_least_conn_module.c`, `ngx_http_upstream_get_least_conn_peer`: counts are
//! compared as connections / weight, exactly, by multiplying crosswise. If several peers have the least, they alone
//! take part in one turn of the smooth weighted round robin: each is given its weight in points, the first with the
//! most points is taken, and it is charged what was given. Peers that are not among the least keep their points.
//!
//! What nginx does about peers that fail (`max_fails`, and weights lowered after failures) is left out, as failures do
//! not come to a balancer here.

use super::catalogue::{Needs, StrategyInfo};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::Instant;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "nginx_least_conn",
    summary: "the fewest requests for its weight, equals in turn by weight, as nginx least_conn",
    explanation: "Compares requests / weight, so that idle hosts are equal whatever they weigh, and goes round among the least \
                  by smooth weighted round robin; full_scan draws among them. Nothing is drawn: clients that start together \
                  all begin at the heaviest host. A pick takes time in proportion to the number of hosts.",
    source: "nginx least_conn (ngx_http_upstream_least_conn_module.c), without what it does after failures",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::NginxLeastConn(NginxLeastConn::default()),
};

#[derive(Debug, Default)]
pub(crate) struct NginxLeastConn {
    /// Points, by host.
    current: PerHost<i64>,
}

impl Choose for NginxLeastConn {
    const FOLLOWS: bool = false;

    /// Hosts that stay keep their points and new ones begin with none, as peers of an upstream zone do.
    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.current.refresh(hosts, |_| 0);
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let hosts = pick.hosts;
        let everybody = pick.all_were_tried();
        let may = |index: usize| everybody || pick.tried.is_empty() || !pick.was_tried(index);
        let load = |of: usize, by: usize| u64::from(hosts.outstanding()[of]) * u64::from(hosts.weight(by));
        let (mut best, mut many) = (None, false);
        for index in (0..hosts.len()).filter(|&index| may(index)) {
            match best {
                Some(other) if load(index, other) > load(other, index) => {}
                Some(other) if load(index, other) == load(other, index) => many = true,
                _ => (best, many) = (Some(index), false),
            }
        }
        let best = best?;
        if !many {
            return Some(best);
        }
        let is_least = |index: usize| may(index) && load(index, best) == load(best, index);
        turn(&mut self.current, hosts, is_least)
    }

    fn bytes(&self) -> usize {
        self.current.bytes()
    }
}

/// One turn of nginx' smooth weighted round robin among the hosts that take part; none without any. O(n).
#[inline]
pub(super) fn turn(current: &mut [i64], hosts: &Hosts, takes_part: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut best, mut total): (Option<usize>, i64) = (None, 0);
    for index in (0..hosts.len()).filter(|&index| takes_part(index)) {
        let weight = i64::from(hosts.weight(index));
        current[index] += weight;
        total += weight;
        if best.is_none_or(|best| current[index] > current[best]) {
            best = Some(index);
        }
    }
    current[best?] -= total;
    best
}
