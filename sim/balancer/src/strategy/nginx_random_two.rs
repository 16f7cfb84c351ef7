//! nginx' random two: two different hosts drawn by weight, and the less busy of them.
//!
//! As `src/http/modules/ngx_http_upstream_random_module.c`, `ngx_http_upstream_get_random2_peer`: a host is drawn by
//! weight until there are two different ones; the one with fewer connections for its weight is taken, and **the
//! second** if both have as many. While hosts are idle the second draw decides alone, so that of two hosts the light
//! one gets what the heavy one should: with weights 1 and 9 it gets nine requests in ten. Draws that give the first
//! host again are counted, and after twenty of them the request goes by the upstream's smooth weighted round robin.

use super::catalogue::{Needs, StrategyInfo};
use super::nginx_least_conn::turn;
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::{Draw, Instant};

/// Draws in vain after which a request goes by round robin.
const TRIES_MAX: u32 = 20;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "nginx_random_two",
    summary: "the less busy of two different hosts, drawn by weight, as nginx random two",
    explanation: "Draws by weight until there are two different hosts and compares requests / weight; when equal, the second \
                  draw wins. With equal weights that is p2c but for who wins a tie. Weights work only while hosts are busy: \
                  of two idle hosts with weights 1 and 9 the light one is the second draw, and picked, nine times in ten. \
                  After twenty draws in vain it goes by smooth weighted round robin. nginx' plain random is weighted_random.",
    source: "nginx random two least_conn (ngx_http_upstream_random_module.c), without what it does after failures",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::NginxRandomTwo(NginxRandomTwo::default()),
};

#[derive(Debug, Default)]
pub(crate) struct NginxRandomTwo {
    /// The sum of weights before each host.
    ranges: Vec<u64>,
    total: u64,
    /// Points of the round robin, by host.
    current: PerHost<i64>,
}

impl Choose for NginxRandomTwo {
    const FOLLOWS: bool = false;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.total = 0;
        self.ranges.clear();
        self.ranges.extend((0..hosts.len()).map(|index| {
            let before = self.total;
            self.total += u64::from(hosts.weight(index));
            before
        }));
        self.current.refresh(hosts, |_| 0);
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let hosts = pick.hosts;
        let load = |of: usize, by: usize| u64::from(hosts.outstanding()[of]) * u64::from(hosts.weight(by));
        let mut first = None;
        let mut in_vain = if hosts.len() < 2 { TRIES_MAX + 1 } else { 0 };
        while in_vain <= TRIES_MAX {
            let x = pick.rng.below_u64(self.total);
            let drawn = self.ranges.partition_point(|&before| before <= x) - 1;
            if first == Some(drawn) || pick.was_tried(drawn) {
                in_vain += 1;
                continue;
            }
            match first {
                Some(first) if load(drawn, first) > load(first, drawn) => return Some(first),
                Some(_) => return Some(drawn),
                None => first = Some(drawn),
            }
        }
        let everybody = pick.all_were_tried();
        turn(&mut self.current, hosts, |index| everybody || !pick.was_tried(index))
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.ranges[..]) + self.current.bytes()
    }
}
