//! Peak EWMA: the less costly of two, where cost is a careful estimate of latency times the requests that would be
//! waited for.
//!
//! The estimate jumps up to a latency that is longer than it, and comes down slowly, the more of the way the more time
//! has passed since it was last looked at. Looking at it counts as a latency of nothing, so what is not used is
//! forgotten, and a host that was bad is tried again. Finagle invented it
//! (`finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala`), tower took it over
//! (`tower/src/load/peak_ewma.rs`), linkerd2-proxy uses tower's. They differ for hosts of which nothing is known:
//!
//! - tower and linkerd begin with a default latency, which decays like any other.
//! - Finagle begins with none: an unknown host costs nothing while it is idle, and more than any known one while its
//!   first request is under way. So it is given one request, and no second before the first is answered.
//!
//! Both draw a distinct pair, and the first drawn wins a tie (`finagle .../p2c/P2CPick.scala`,
//! `tower/src/balance/p2c/service.rs`, `linkerd/pool/p2c/src/lib.rs`). In both an error that comes fast is a latency
//! like any other, and a host that fails at once looks like the best; `penalty_peak_ewma` is the remedy.

use super::catalogue::{Needs, StrategyInfo};
use super::d_choices::{DISTINCT_MAX, least_of_distinct};
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::Response;
use crate::hosts::Hosts;
use base::{Duration, Instant, math};

pub(super) static PEAK_EWMA: StrategyInfo = StrategyInfo {
    name: "peak_ewma",
    summary: "the less costly of two, by latency times requests outstanding",
    explanation: "Cost is an estimate of latency that jumps up and comes down slowly, times the requests of this client at the host \
                  and one. Finds slow hosts without being told, and leaves them before their queues are long. A host that fails \
                  fast looks like the best one and attracts traffic: see penalty_peak_ewma.",
    source: "tower PeakEwma (tower/src/load/peak_ewma.rs) with linkerd2-proxy's defaults",
    weighted: false,
    parameters: &[DECAY, DEFAULT_RTT, CHOICES],
    needs: Needs::NOTHING,
    make: |values, _| {
        let default = values.span("default_rtt");
        State::PeakEwma(PeakEwma::new(values.span("decay"), Some(default), values.count("choices") as u32))
    },
};

pub(super) static FINAGLE: StrategyInfo = StrategyInfo {
    name: "finagle_peak_ewma",
    summary: "peak_ewma as Finagle has it: an unknown host is given one request to learn from",
    explanation: "Like peak_ewma, without a default latency. An unknown host costs nothing while idle, and more than any known one \
                  while its first request is under way. With few requests most hosts stay unknown, and choices are random.",
    source: "Finagle p2cPeakEwma (PeakEwma.scala), decay 10 s",
    weighted: false,
    parameters: &[DECAY, CHOICES],
    needs: Needs::NOTHING,
    make: |values, _| State::PeakEwma(PeakEwma::new(values.span("decay"), None, values.count("choices") as u32)),
};

pub(super) const DECAY: Parameter = Parameter {
    name: "decay",
    kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(3_600) },
    default: Value::Span(Duration::secs(10)),
    summary: "after so long 1/e of an estimate is left",
};

pub(super) const DEFAULT_RTT: Parameter = Parameter {
    name: "default_rtt",
    kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(60) },
    default: Value::Span(Duration::ms(30)),
    summary: "what a host is believed to take before anything is known of it",
};

pub(super) const CHOICES: Parameter = Parameter {
    name: "choices",
    kind: Kind::Count { min: 1, max: DISTINCT_MAX as u64 },
    default: Value::Count(2),
    summary: "how many hosts are drawn",
};

/// More than any latency: what Finagle adds to an unknown host that has requests under way, `Long.MaxValue >> 16`.
const UNKNOWN_AND_BUSY: f64 = (i64::MAX >> 16) as f64;

#[derive(Debug)]
pub(crate) struct PeakEwma {
    decay_ns: f64,
    /// None as in Finagle.
    default_ns: Option<f64>,
    choices: u32,
    estimates: PerHost<Estimate>,
}

/// A latency that goes up at once and comes down slowly.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    rtt_ns: f64,
    at: Instant,
}

impl Estimate {
    #[inline]
    fn observe(&mut self, now: Instant, rtt_ns: f64, decay_ns: f64) -> f64 {
        if self.rtt_ns < rtt_ns {
            self.rtt_ns = rtt_ns;
        } else {
            let elapsed = now.saturating_since(self.at).as_nanos() as f64;
            let kept = if elapsed == 0.0 { 1.0 } else { math::exp(-elapsed / decay_ns) };
            self.rtt_ns = self.rtt_ns * kept + rtt_ns * (1.0 - kept);
        }
        self.at = now;
        self.rtt_ns
    }

    /// What one more request would cost; looking decays.
    #[inline]
    fn cost(&mut self, now: Instant, outstanding: u32, decay_ns: f64, has_default: bool) -> f64 {
        let rtt_ns = self.observe(now, 0.0, decay_ns);
        if rtt_ns == 0.0 && outstanding > 0 && !has_default {
            return UNKNOWN_AND_BUSY + f64::from(outstanding);
        }
        rtt_ns * (f64::from(outstanding) + 1.0)
    }
}

impl PeakEwma {
    fn new(decay: Duration, default: Option<Duration>, choices: u32) -> Self {
        PeakEwma {
            decay_ns: decay.as_nanos() as f64,
            default_ns: default.map(|span| span.as_nanos() as f64),
            choices,
            estimates: PerHost::default(),
        }
    }
}

impl Choose for PeakEwma {
    const FOLLOWS: bool = true;

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        let new = Estimate { rtt_ns: self.default_ns.unwrap_or(0.0), at: now };
        self.estimates.refresh(hosts, |_| new);
    }

    #[inline]
    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        let (decay_ns, has_default) = (self.decay_ns, self.default_ns.is_some());
        let estimates = &mut self.estimates;
        Some(least_of_distinct(outstanding.len(), self.choices, rng, |index| {
            estimates[index].cost(now, outstanding[index], decay_ns, has_default)
        }))
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        self.estimates[index].observe(now, response.rtt.as_nanos() as f64, self.decay_ns);
    }

    fn bytes(&self) -> usize {
        self.estimates.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, Request};
    use base::{InstanceId, Seed};
    use std::collections::BTreeMap;

    fn one(decay: Duration, default: Option<Duration>) -> PeakEwma {
        let mut ewma = PeakEwma::new(decay, default, 2);
        let mut hosts = Hosts::default();
        hosts.update(&[Host::new(InstanceId(0))]);
        ewma.refresh(Instant::ZERO, &hosts);
        ewma
    }

    fn cost(ewma: &mut PeakEwma, ms: u64, outstanding: u32) -> f64 {
        ewma.estimates[0].cost(at(ms), outstanding, ewma.decay_ns, ewma.default_ns.is_some())
    }

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::ms(ms)
    }

    const MS: f64 = 1e6;

    /// tower, `tower/src/load/peak_ewma.rs`, `default_decay`.
    #[test]
    fn tower_default_decay() {
        let mut ewma = one(Duration::secs(1), Some(Duration::ms(10)));
        assert_eq!(cost(&mut ewma, 0, 0), 10.0 * MS);
        let load = cost(&mut ewma, 100, 0);
        assert!(9.0 * MS < load && load < 10.0 * MS, "{load}");
        let load = cost(&mut ewma, 200, 0);
        assert!(8.0 * MS < load && load < 9.0 * MS, "{load}");
    }

    /// tower, `compound_decay`: two requests that overlap, each taking 200 ms.
    #[test]
    fn tower_compound_decay() {
        let mut ewma = one(Duration::secs(1), Some(Duration::ms(20)));
        let hosts = Hosts::default();
        assert_eq!(cost(&mut ewma, 0, 0), 20.0 * MS);
        assert!(cost(&mut ewma, 100, 1) > 20.0 * MS);
        assert!(cost(&mut ewma, 200, 2) > 40.0 * MS);
        let answered = Response::success(Duration::ms(200));
        ewma.finished(at(300), 0, 2, &answered, &hosts);
        assert_eq!(cost(&mut ewma, 300, 1), 400.0 * MS);
        ewma.finished(at(400), 0, 1, &answered, &hosts);
        assert_eq!(cost(&mut ewma, 400, 0), 200.0 * MS);
        assert!(cost(&mut ewma, 1_400, 0) < 100.0 * MS);
        assert!(cost(&mut ewma, 11_400, 0) < 0.1 * MS);
    }

    #[test]
    fn an_unknown_host_of_finagles_is_given_one_request() {
        let mut ewma = one(Duration::secs(10), None);
        assert_eq!(cost(&mut ewma, 0, 0), 0.0);
        assert_eq!(cost(&mut ewma, 5, 1), 140_737_488_355_328.0, "(2^63 - 1) >> 16, and one");
        ewma.finished(at(20), 0, 1, &Response::success(Duration::ms(20)), &Hosts::default());
        assert_eq!(cost(&mut ewma, 20, 3), 80.0 * MS);
    }

    #[test]
    fn time_that_jumps_back_forgets_nothing() {
        let mut ewma = one(Duration::secs(1), Some(Duration::ms(20)));
        ewma.finished(at(5_000), 0, 1, &Response::success(Duration::ms(100)), &Hosts::default());
        assert_eq!(cost(&mut ewma, 2_000, 0), 100.0 * MS);
        assert!(cost(&mut ewma, 3_000, 0) < 40.0 * MS);
    }

    /// The world of finagle's `P2CPeakEwmaTest`: one request a nanosecond while they last, decay 150 ns; how many each
    /// host got whose answers take so many nanoseconds.
    fn finagle_run(latencies: &[u64]) -> Vec<i64> {
        let mut ewma = PeakEwma::new(Duration::ns(150), None, 2);
        let mut hosts = Hosts::default();
        hosts.update(&(0..latencies.len() as u32).map(|i| Host::new(InstanceId(i))).collect::<Vec<_>>());
        ewma.refresh(Instant::ZERO, &hosts);
        let rng = &mut Seed(12_345).stream("finagle");
        let mut schedule: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut load = vec![0; latencies.len()];
        for step in 0..FINAGLE_REQUESTS {
            let now = Instant::ZERO + Duration::ns(step);
            let index = ewma
                .pick(Pick { now, request: Request::default(), attempt: 0, tried: &[], hosts: &hosts, rng })
                .unwrap();
            hosts.start(index);
            load[index] += 1;
            schedule.entry(step + latencies[index]).or_default().push(index);
            for index in schedule.remove(&step).unwrap_or_default() {
                let (_, before) = hosts.finish(index, InstanceId(index as u32)).unwrap();
                let response = Response::success(Duration::ns(latencies[index]));
                ewma.finished(now, index, before, &response, &hosts);
            }
        }
        load
    }

    const FINAGLE_HOSTS: usize = 100;
    const FINAGLE_REQUESTS: u64 = 100_000;

    /// `assertEven`: mean loads, as counted there half of all requests, are within 50 of the first.
    fn assert_even(loads: &[i64]) {
        assert!(loads.iter().all(|load| (load - loads[0]).abs() < 100), "{loads:?}");
    }

    /// finagle `P2CPeakEwmaTest`, "Balances evenly across identical nodes".
    #[test]
    fn finagle_balances_evenly_across_identical_nodes() {
        assert_even(&finagle_run(&[5; FINAGLE_HOSTS]));
    }

    /// "Probe a node without latency history at most once".
    #[test]
    fn finagle_probes_a_node_without_latency_history_at_most_once() {
        let mut latencies = [1; FINAGLE_HOSTS + 1];
        latencies[FINAGLE_HOSTS] = FINAGLE_REQUESTS * 2;
        let loads = finagle_run(&latencies);
        assert_even(&loads[..FINAGLE_HOSTS]);
        assert_eq!(loads[FINAGLE_HOSTS], 1);
    }

    /// "Balances proportionally across nodes with varying latencies": the slow one gets half of what others get, at
    /// least.
    #[test]
    fn finagle_balances_proportionally_across_nodes_with_varying_latencies() {
        let mut latencies = [5; FINAGLE_HOSTS + 1];
        latencies[FINAGLE_HOSTS] = 10;
        let loads = finagle_run(&latencies);
        assert_even(&loads[..FINAGLE_HOSTS]);
        assert!(loads[0] - 2 * loads[FINAGLE_HOSTS] < 100, "{} and {}", loads[0], loads[FINAGLE_HOSTS]);
        assert!(loads[FINAGLE_HOSTS] < loads[0], "and less than they");
    }
}
