//! Peak EWMA with a penalty: a failure counts as a latency of seconds, however fast it came.
//!
//! linkerd2-proxy's answer to hosts that attract traffic by failing fast, selected by its policy `PenaltyPeakEwma`
//! (linkerd/linkerd2-proxy `linkerd/load-biaser/src/lib.rs`, `linkerd/ewma/src/lib.rs`,
//! `linkerd/proxy/balance/src/lib.rs`):
//!
//! - Cost is the estimate, decayed until now, times the requests of this client at the host and one; the least of two
//!   counts.
//! - A good answer is an observation of its latency. A failure is one of `penalty`; one that says when to come back, of
//!   that time if it is longer, up to `retry_after_max`. How long the failure really took plays no part.
//! - What ends without an answer, a refused or broken connection or a request given up, has nothing to be judged by and
//!   counts as the time it took. Against hosts that refuse connections at once this is no remedy.
//!
//! The estimate is linkerd's own and not tower's: looking at it does not change it, an observation is compared with
//! what the estimate has decayed to, and one that comes in the same moment as the one before is heard only if it is
//! higher. So the weight of an observation is by the time since the one before, where tower's is by the time since the
//! last look.

use super::catalogue::{Needs, StrategyInfo};
use super::d_choices::least_of_distinct;
use super::parameter::{Kind, Parameter, Value};
use super::peak_ewma::{CHOICES, DECAY, DEFAULT_RTT};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use crate::{Class, Response};
use base::{Duration, Instant, math};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "penalty_peak_ewma",
    summary: "peak_ewma that counts a failure as a latency of seconds",
    explanation: "Like peak_ewma, but an answer that is a failure counts as `penalty`, or as long as the host asks to be left \
                  alone if that is longer, up to `retry_after_max`. A host that fails fast loses its traffic instead of \
                  attracting it, and is tried again as the penalty decays. A connection that is refused or breaks is no answer \
                  and counts as the time it took.",
    source: "linkerd2-proxy PenaltyPeakEwma (linkerd/load-biaser/src/lib.rs): 5 s, Retry-After up to 300 s",
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
        CHOICES,
    ],
    needs: Needs::NOTHING,
    make: |values, _| {
        State::PenaltyPeakEwma(PenaltyPeakEwma {
            decay_s: values.span("decay").as_secs_f64(),
            default_s: values.span("default_rtt").as_secs_f64(),
            penalty: values.span("penalty"),
            retry_after_max: values.span("retry_after_max"),
            choices: values.count("choices") as u32,
            estimates: PerHost::default(),
        })
    },
};

#[derive(Debug)]
pub(crate) struct PenaltyPeakEwma {
    decay_s: f64,
    default_s: f64,
    penalty: Duration,
    retry_after_max: Duration,
    choices: u32,
    estimates: PerHost<Estimate>,
}

/// A latency in seconds, as it was when something was last observed.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    value: f64,
    at: Instant,
}

impl Estimate {
    /// The share of the value that is left now.
    #[inline]
    fn kept(&self, now: Instant, decay_s: f64) -> f64 {
        let elapsed = now.saturating_since(self.at);
        if elapsed.is_zero() { 1.0 } else { math::exp(-elapsed.as_secs_f64() / decay_s) }
    }

    /// `get_at`.
    #[inline]
    fn look(&self, now: Instant, decay_s: f64) -> f64 {
        self.value * self.kept(now, decay_s)
    }

    /// `add_peak`.
    #[inline]
    fn observe(&mut self, now: Instant, value: f64, decay_s: f64) {
        let kept = self.kept(now, decay_s);
        if self.value * kept < value {
            *self = Estimate { value, at: now };
        } else if now > self.at {
            let alpha = 1.0 - kept;
            *self = Estimate { value: self.value * (1.0 - alpha) + value * alpha, at: now };
        }
    }
}

impl PenaltyPeakEwma {
    /// What an end counts as.
    fn effective(&self, response: &Response) -> Duration {
        match response.class {
            Class::Success | Class::NoAnswer => response.rtt,
            Class::Failure | Class::Overload { retry_after: None } => self.penalty,
            Class::Overload { retry_after: Some(asked) } => self.penalty.max(asked.min(self.retry_after_max)),
        }
    }
}

impl Choose for PenaltyPeakEwma {
    const FOLLOWS: bool = true;

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        let new = Estimate { value: self.default_s, at: now };
        self.estimates.refresh(hosts, |_| new);
    }

    #[inline]
    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        Some(least_of_distinct(outstanding.len(), self.choices, rng, |index| {
            self.estimates[index].look(now, self.decay_s) * (f64::from(outstanding[index]) + 1.0)
        }))
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        let value = self.effective(response).as_secs_f64();
        self.estimates[index].observe(now, value, self.decay_s);
    }

    fn bytes(&self) -> usize {
        self.estimates.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXP_NEG1: f64 = 0.367_879_441_171_442_33;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::ms(ms)
    }

    fn estimate(value: f64) -> Estimate {
        Estimate { value, at: at(0) }
    }

    // linkerd2-proxy, linkerd/ewma/src/lib.rs, all with a decay of ten seconds.

    /// `test_new_with_value` and `test_decay`.
    #[test]
    fn linkerd_decay() {
        let mut ewma = estimate(1.0);
        ewma.observe(at(10_000), 0.0, 10.0);
        assert_eq!(ewma.value, EXP_NEG1);
    }

    /// `test_add_peak`.
    #[test]
    fn linkerd_add_peak() {
        let mut ewma = estimate(1.0);
        ewma.observe(at(500), 2.0, 10.0);
        assert_eq!(ewma.value, 2.0);
    }

    /// `test_add_peak_replaces_decayed_value`: of ten, 0.82 is left after 25 s.
    #[test]
    fn linkerd_add_peak_replaces_decayed_value() {
        let mut ewma = estimate(10.0);
        ewma.observe(at(25_000), 1.0, 10.0);
        assert_eq!(ewma.value, 1.0);
    }

    /// `test_get_at_decay`, `test_get_at_non_mutation`, `test_get_at_past_timestamp`.
    #[test]
    fn linkerd_looking_changes_nothing() {
        let ewma = Estimate { value: 1.0, at: at(1_000) };
        assert_eq!(ewma.look(at(11_000), 10.0), EXP_NEG1);
        assert_eq!(ewma.look(at(6_000), 10.0), math::exp(-0.5));
        assert_eq!(ewma.look(at(500), 10.0), 1.0, "before it was observed");
    }

    /// linkerd/load-biaser/src/lib.rs, `test_pending_increases_load`, to the last bit.
    #[test]
    fn linkerd_pending_increases_load() {
        let mut ewma = estimate(0.1);
        ewma.observe(at(1), 0.05, 10.0);
        let loads = [1.0, 2.0, 3.0].map(|pending| ewma.look(at(1), 10.0) * pending);
        assert_eq!(loads, [0.099_995_000_249_991_68, 0.199_990_000_499_983_36, 0.299_985_000_749_975_04]);
    }

    /// `test_429_injects_penalty`, `test_200_does_not_inject_penalty`,
    /// `test_retry_after_hint_load_grows_monotonically`, and the transport errors of `LoadBiaserFuture::poll`.
    #[test]
    fn a_failure_counts_as_its_penalty_however_long_it_took() {
        let mut values = *crate::Strategy::of(&INFO).values();
        values.set(1, Value::Span(Duration::ms(1)));
        let State::PenaltyPeakEwma(ewma) = (INFO.make)(&values, &mut base::Seed(0).stream("unused")) else {
            panic!("another strategy's state")
        };
        let asked = |s| Class::Overload { retry_after: Some(Duration::secs(s)) };
        for (class, expected_ms) in [
            (Class::Success, 20_000),
            (Class::NoAnswer, 20_000),
            (Class::Failure, 5_000),
            (Class::Overload { retry_after: None }, 5_000),
            (asked(0), 5_000),
            (asked(2), 5_000),
            (asked(60), 60_000),
            (asked(600), 300_000),
        ] {
            let response = Response { class, ..Response::success(Duration::secs(20)) };
            assert_eq!(ewma.effective(&response), Duration::ms(expected_ms), "{class:?}");
        }
    }

    #[test]
    fn of_two_observations_at_once_the_higher_is_heard() {
        let mut ewma = estimate(1.0);
        ewma.observe(at(100), 2.0, 10.0);
        ewma.observe(at(100), 0.5, 10.0);
        assert_eq!(ewma.value, 2.0);
    }
}
