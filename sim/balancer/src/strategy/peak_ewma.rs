//! Peak EWMA: the less costly of two, where cost is a careful estimate of latency times the requests that would be waited for.
//!
//! The estimate jumps up to a latency that is longer than it, and comes down slowly, the more of the way the more time has passed
//! since it was last looked at. Looking at it counts as a latency of nothing, so what is not used is forgotten, and a host that was
//! bad is tried again. Finagle invented it (`finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala`), tower
//! took it over (`tower/src/load/peak_ewma.rs`), linkerd2-proxy uses tower's. They differ for hosts of which nothing is known:
//!
//! - tower and linkerd begin with a default latency, which decays like any other.
//! - Finagle begins with none: an unknown host costs nothing while it is idle, and more than any known one while its first request
//!   is under way. So it is given one request, and no second before the first is answered.
//!
//! All of them draw a distinct pair, and the first drawn wins a tie. In all of them an error that comes fast is a latency like any
//! other, and a host that fails at once looks like the best; the penalised variant of linkerd2-proxy counts a failure as a latency
//! of seconds instead.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use crate::{Class, Response};
use base::{Draw, Duration, Instant, math};

pub(super) static PEAK_EWMA: StrategyInfo = StrategyInfo {
    name: "peak_ewma",
    summary: "the less costly of two, by latency times requests outstanding",
    explanation: "Cost is an estimate of latency that jumps up and comes down slowly, times the requests of this client at the host \
                  and one. Finds slow hosts without being told, and leaves them before their queues are long. A host that fails \
                  fast looks like the best one and attracts traffic: see penalty_peak_ewma.",
    source: "tower PeakEwma (tower/src/load/peak_ewma.rs) with linkerd2-proxy's defaults",
    weighted: false,
    parameters: &[DECAY, DEFAULT_RTT],
    needs: Needs::NOTHING,
    make: |values, _| {
        let default = values.span("default_rtt");
        State::PeakEwma(PeakEwma::new(values.span("decay"), Some(default), None))
    },
};

pub(super) static FINAGLE: StrategyInfo = StrategyInfo {
    name: "finagle_peak_ewma",
    summary: "peak_ewma as Finagle has it: an unknown host is given one request to learn from",
    explanation: "Like peak_ewma, without a default latency. An unknown host costs nothing while idle, and more than any known one \
                  while its first request is under way. With few requests most hosts stay unknown, and choices are random.",
    source: "Finagle p2cPeakEwma (PeakEwma.scala), decay 10 s",
    weighted: false,
    parameters: &[DECAY],
    needs: Needs::NOTHING,
    make: |values, _| State::PeakEwma(PeakEwma::new(values.span("decay"), None, None)),
};

pub(super) static PENALTY: StrategyInfo = StrategyInfo {
    name: "penalty_peak_ewma",
    summary: "peak_ewma that counts a failure as a latency of seconds",
    explanation: "Like peak_ewma, but an answer that is a failure, and no answer at all, count as `penalty` at least, and as long as \
                  the host asks to be left alone, up to `retry_after_max`. A host that fails fast loses its traffic instead of \
                  attracting it, and is tried again as the penalty decays.",
    source: "linkerd2-proxy PenaltyPeakEwma: 5 s, Retry-After up to 300 s",
    weighted: false,
    parameters: &[
        DECAY,
        DEFAULT_RTT,
        Parameter {
            name: "penalty",
            kind: Kind::Span { min: Duration::ZERO, max: Duration::secs(3_600) },
            default: Value::Span(Duration::secs(5)),
            summary: "what a failure counts as at least",
        },
        Parameter {
            name: "retry_after_max",
            kind: Kind::Span { min: Duration::ZERO, max: Duration::secs(86_400) },
            default: Value::Span(Duration::secs(300)),
            summary: "the longest request to be left alone that is listened to",
        },
    ],
    needs: Needs::NOTHING,
    make: |values, _| {
        let penalty = Penalty { least: values.span("penalty"), most: values.span("retry_after_max") };
        State::PeakEwma(PeakEwma::new(values.span("decay"), Some(values.span("default_rtt")), Some(penalty)))
    },
};

const DECAY: Parameter = Parameter {
    name: "decay",
    kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(3_600) },
    default: Value::Span(Duration::secs(10)),
    summary: "after so long 1/e of an estimate is left",
};

const DEFAULT_RTT: Parameter = Parameter {
    name: "default_rtt",
    kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(60) },
    default: Value::Span(Duration::ms(30)),
    summary: "what a host is believed to take before anything is known of it",
};

/// More than any latency: what Finagle adds to an unknown host that has requests under way, `Long.MaxValue >> 16`.
const UNKNOWN_AND_BUSY: f64 = (i64::MAX >> 16) as f64;

#[derive(Debug)]
pub(crate) struct PeakEwma {
    decay_ns: f64,
    /// None as in Finagle.
    default_ns: Option<f64>,
    penalty: Option<Penalty>,
    estimates: PerHost<Estimate>,
}

/// What a failure counts as.
#[derive(Clone, Copy, Debug)]
struct Penalty {
    least: Duration,
    most: Duration,
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
}

impl PeakEwma {
    fn new(decay: Duration, default: Option<Duration>, penalty: Option<Penalty>) -> Self {
        PeakEwma {
            decay_ns: decay.as_nanos() as f64,
            default_ns: default.map(|span| span.as_nanos() as f64),
            penalty,
            estimates: PerHost::default(),
        }
    }

    #[inline]
    fn cost(&mut self, now: Instant, index: usize, outstanding: u32) -> f64 {
        let rtt_ns = self.estimates[index].observe(now, 0.0, self.decay_ns);
        if rtt_ns == 0.0 && outstanding > 0 && self.default_ns.is_none() {
            return UNKNOWN_AND_BUSY + f64::from(outstanding);
        }
        rtt_ns * (f64::from(outstanding) + 1.0)
    }
}

impl Choose for PeakEwma {
    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        let new = Estimate { rtt_ns: self.default_ns.unwrap_or(0.0), at: now };
        self.estimates.refresh(hosts, |_| new);
    }

    #[inline]
    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        let n = outstanding.len() as u32;
        let a = rng.below(n) as usize;
        if n == 1 {
            return Some(a);
        }
        let mut b = rng.below(n - 1) as usize;
        if b >= a {
            b += 1;
        }
        let (cost_a, cost_b) = (self.cost(now, a, outstanding[a]), self.cost(now, b, outstanding[b]));
        Some(if cost_a <= cost_b { a } else { b })
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        let rtt = match (self.penalty, response.class) {
            (None, _) | (_, Class::Success) => response.rtt,
            (Some(penalty), Class::Overload { retry_after: Some(asked) }) => {
                response.rtt.max(penalty.least).max(asked.min(penalty.most))
            }
            (Some(penalty), _) => response.rtt.max(penalty.least),
        };
        self.estimates[index].observe(now, rtt.as_nanos() as f64, self.decay_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(decay: Duration, default: Option<Duration>, penalty: Option<Penalty>) -> PeakEwma {
        let mut ewma = PeakEwma::new(decay, default, penalty);
        let mut hosts = Hosts::default();
        hosts.update(&[crate::Host::new(base::InstanceId(0))]);
        ewma.refresh(Instant::ZERO, &hosts);
        ewma
    }

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::ms(ms)
    }

    const MS: f64 = 1e6;

    /// tower, `tower/src/load/peak_ewma.rs`, `default_decay`.
    #[test]
    fn tower_default_decay() {
        let mut ewma = one(Duration::secs(1), Some(Duration::ms(10)), None);
        assert_eq!(ewma.cost(at(0), 0, 0), 10.0 * MS);
        let load = ewma.cost(at(100), 0, 0);
        assert!(9.0 * MS < load && load < 10.0 * MS, "{load}");
        let load = ewma.cost(at(200), 0, 0);
        assert!(8.0 * MS < load && load < 9.0 * MS, "{load}");
    }

    /// tower, `compound_decay`: two requests that overlap, each taking 200 ms.
    #[test]
    fn tower_compound_decay() {
        let mut ewma = one(Duration::secs(1), Some(Duration::ms(20)), None);
        let hosts = Hosts::default();
        assert_eq!(ewma.cost(at(0), 0, 0), 20.0 * MS);
        assert!(ewma.cost(at(100), 0, 1) > 20.0 * MS);
        assert!(ewma.cost(at(200), 0, 2) > 40.0 * MS);
        let answered = Response::success(Duration::ms(200));
        ewma.finished(at(300), 0, 2, &answered, &hosts);
        assert_eq!(ewma.cost(at(300), 0, 1), 400.0 * MS);
        ewma.finished(at(400), 0, 1, &answered, &hosts);
        assert_eq!(ewma.cost(at(400), 0, 0), 200.0 * MS);
        assert!(ewma.cost(at(1_400), 0, 0) < 100.0 * MS);
        assert!(ewma.cost(at(11_400), 0, 0) < 0.1 * MS);
    }

    #[test]
    fn an_unknown_host_of_finagles_is_given_one_request() {
        let mut ewma = one(Duration::secs(10), None, None);
        assert_eq!(ewma.cost(at(0), 0, 0), 0.0);
        assert_eq!(ewma.cost(at(5), 0, 1), 140_737_488_355_328.0, "(2^63 - 1) >> 16, and one");
        ewma.finished(at(20), 0, 1, &Response::success(Duration::ms(20)), &Hosts::default());
        assert_eq!(ewma.cost(at(20), 0, 3), 80.0 * MS);
    }

    #[test]
    fn a_failure_counts_as_its_penalty() {
        let penalty = Penalty { least: Duration::secs(5), most: Duration::secs(300) };
        let table = [
            (Class::Success, 1),
            (Class::Failure, 5_000),
            (Class::NoAnswer, 5_000),
            (Class::Overload { retry_after: None }, 5_000),
            (Class::Overload { retry_after: Some(Duration::secs(2)) }, 5_000),
            (Class::Overload { retry_after: Some(Duration::secs(60)) }, 60_000),
            (Class::Overload { retry_after: Some(Duration::secs(600)) }, 300_000),
        ];
        for (class, expected_ms) in table {
            let mut ewma = one(Duration::secs(10), Some(Duration::ms(1)), Some(penalty));
            ewma.finished(at(0), 0, 1, &Response { rtt: Duration::ms(1), class, report: None }, &Hosts::default());
            assert_eq!(ewma.cost(at(0), 0, 0), f64::from(expected_ms) * MS, "{class:?}");
        }
    }
}
