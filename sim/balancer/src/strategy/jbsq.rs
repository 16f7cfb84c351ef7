//! Join the bounded shortest queue: the least busy host, and nobody while every host has as many requests as it may
//! have.
//!
//! JBSQ(k) of Kogias, Prekas, Ghosn, Fietz and Bugnion, "R2P2: Making RPCs first-class datacenter citizens" (USENIX ATC
//! 2019, section 3.3): requests wait in one queue at the client while every host has k, in the order in which they
//! came, so that none is bound to a slow host before it has to be. With k = 1 and one client that is the central queue,
//! M/M/n; without a bound it is the shortest queue. k = 2 hides the way to the host and back, and costs little.
//!
//! The line itself is the driver's: a pick says `None` though there are hosts, and is made again when a request has
//! ended or the hosts have changed. Each client counts its own requests; several clients are several lines.

use super::catalogue::{Needs, StrategyInfo};
use super::full_scan::FullScan;
use super::parameter::{Kind, Parameter, Value};
use super::{Choose, Pick, State};
use crate::Response;
use crate::hosts::Hosts;
use base::Instant;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "jbsq",
    summary: "the least busy host, and a line before them while all have as much as they may have",
    explanation: "Join the bounded shortest queue. A host has at most `bound` of this client's requests; while all \
                  have that many, requests wait at the client, first come, first served, and none is bound to a \
                  slow host early. With a bound of one and one client this is one queue before all hosts, than \
                  which nothing is better. What waits in line meets no timeout but the whole request's.",
    source: "Kogias et al., R2P2 (USENIX ATC 2019), JBSQ(k); Ibanez et al., nanoPU (OSDI 2021) with k = 2",
    weighted: false,
    parameters: &[Parameter {
        name: "bound",
        kind: Kind::Count { min: 1, max: 1_000_000 },
        default: Value::Count(2),
        summary: "how many requests of one client a host may have",
    }],
    needs: Needs { line: true, ..Needs::NOTHING },
    make: |values, _| State::Jbsq(Jbsq { scan: FullScan::default(), bound: values.count("bound") as usize }),
};

#[derive(Debug)]
pub(crate) struct Jbsq {
    scan: FullScan,
    bound: usize,
}

impl Choose for Jbsq {
    const FOLLOWS: bool = true;

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        self.scan.refresh(now, hosts);
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        if self.scan.least() < self.bound { self.scan.pick(pick) } else { None }
    }

    #[inline]
    fn started(&mut self, index: usize, before: u32) {
        self.scan.started(index, before);
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, before: u32, response: &Response, hosts: &Hosts) {
        self.scan.finished(now, index, before, response, hosts);
    }

    fn bytes(&self) -> usize {
        self.scan.bytes()
    }
}
