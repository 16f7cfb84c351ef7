//! Dubbo's adaptive: the lower of two loads, made of the server's CPU, the client's latency, its requests and its successes.
//!
//! As `AdaptiveLoadBalance` and `AdaptiveMetrics` (apache/dubbo `dubbo-cluster/.../loadbalance/AdaptiveLoadBalance.java`,
//! `dubbo-rpc/dubbo-rpc-api/.../AdaptiveMetrics.java`), quirks included:
//!
//! - load = cpu · (√latency + 1) · (in flight + 1) / (good / (asked + 1) · weight + 1), latency in milliseconds, smoothed with
//!   β = 0.5 at every report **and** at every look. A look without a report since the last one counts half the latency (or less,
//!   after a timeout), and the first look after a report counts twice the timeout, as a penalty.
//! - A host that was not picked for twice the timeout has no load at all, and is tried again.
//! - Counts of requests are for ever, so an error early on is forgotten slowly.
//! - Of two hosts the pair is always the same; otherwise it is drawn, distinct. Equal loads are drawn by weight.
//!
//! CPU load comes with responses, in percent. A host that has not reported yet has none, and so no load.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::Response;
use crate::hosts::Hosts;
use base::{Draw, Duration, Instant};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "dubbo_adaptive",
    summary: "the lower of two loads: CPU, latency, requests and successes together",
    explanation: "Draws two different hosts and compares cpu · (√latency + 1) · (in flight + 1) / (success rate · weight + 1). CPU \
                  comes with the responses, everything else is the client's own. A host that was not picked for twice the timeout \
                  is picked whatever it had. Failures weigh in slowly, because successes are counted from the beginning of time.",
    source: "Dubbo adaptive (AdaptiveLoadBalance.java, AdaptiveMetrics.java)",
    weighted: true,
    parameters: &[Parameter {
        name: "timeout",
        kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(3_600) },
        default: Value::Span(Duration::secs(1)),
        summary: "the timeout of a call, by which penalties are measured",
    }],
    needs: Needs { reports: true, ..Needs::NOTHING },
    make: |values, _| State::DubboAdaptive(DubboAdaptive::new(values.span("timeout"))),
};

#[derive(Debug)]
pub(crate) struct DubboAdaptive {
    timeout_ms: u64,
    metrics: PerHost<Metrics>,
}

/// Times are in whole milliseconds, as there.
#[derive(Clone, Copy, Debug)]
struct Metrics {
    reported_at: u64,
    looked_at: u64,
    picked_at: u64,
    cpu: f64,
    latency: u64,
    ewma: f64,
    asked: u64,
    good: u64,
    bad: u64,
}

const BETA: f64 = 0.5;

fn millis(now: Instant) -> u64 {
    now.as_nanos() / 1_000_000
}

impl Metrics {
    fn new(now: Instant) -> Self {
        Metrics {
            reported_at: 0,
            looked_at: 0,
            picked_at: millis(now),
            cpu: 0.0,
            latency: 0,
            ewma: 0.0,
            asked: 0,
            good: 0,
            bad: 0,
        }
    }

    fn load(&mut self, now: u64, weight: u32, timeout: u64) -> f64 {
        if now.saturating_sub(self.picked_at) > timeout * 2 {
            return 0.0;
        }
        if self.looked_at > 0 {
            let multiple = now.saturating_sub(self.looked_at) / timeout + 1;
            self.latency = match self.reported_at == self.looked_at {
                true => timeout * 2,
                false => self.latency.checked_shr(multiple as u32).unwrap_or(0),
            };
            self.ewma = BETA * self.ewma + (1.0 - BETA) * self.latency as f64;
            self.looked_at = now;
        }
        let in_flight = (self.asked - self.good - self.bad) as f64;
        let success = self.good as f64 / (self.asked + 1) as f64;
        self.cpu * (self.ewma.sqrt() + 1.0) * (in_flight + 1.0) / (success * f64::from(weight) + 1.0)
    }

    fn report(&mut self, now: u64, cpu: f64, latency: u64) {
        // One that was overtaken says nothing new.
        if self.reported_at > now {
            return;
        }
        (self.reported_at, self.looked_at) = (now, now);
        (self.cpu, self.latency) = (cpu, latency);
        self.ewma = BETA * self.ewma + (1.0 - BETA) * latency as f64;
    }
}

impl DubboAdaptive {
    fn new(timeout: Duration) -> Self {
        DubboAdaptive { timeout_ms: timeout.as_nanos() / 1_000_000, metrics: PerHost::default() }
    }
}

impl Choose for DubboAdaptive {
    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        self.metrics.refresh(hosts, |_| Metrics::new(now));
    }

    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let n = hosts.len() as u32;
        let now = millis(now);
        let choice = match n {
            1 => 0,
            _ => {
                let (a, b) = if n == 2 {
                    (0, 1)
                } else {
                    let a = rng.below(n) as usize;
                    let b = rng.below(n - 1) as usize;
                    (a, if b >= a { b + 1 } else { b })
                };
                let weights = (hosts.weight(a), hosts.weight(b));
                let load_a = self.metrics[a].load(now, weights.0, self.timeout_ms);
                let load_b = self.metrics[b].load(now, weights.1, self.timeout_ms);
                match load_a.total_cmp(&load_b) {
                    std::cmp::Ordering::Less => a,
                    std::cmp::Ordering::Greater => b,
                    std::cmp::Ordering::Equal => {
                        let total = u64::from(weights.0) + u64::from(weights.1);
                        if rng.below_u64(total) < u64::from(weights.0) { a } else { b }
                    }
                }
            }
        };
        self.metrics[choice].picked_at = now;
        Some(choice)
    }

    #[inline]
    fn started(&mut self, index: usize, _: u32) {
        self.metrics[index].asked += 1;
    }

    fn finished(&mut self, now: Instant, index: usize, before: u32, response: &Response, _: &Hosts) {
        let metrics = &mut self.metrics[index];
        // Requests begun before the host left and came back were counted by nobody here.
        if metrics.asked - metrics.good - metrics.bad == 0 {
            metrics.asked += u64::from(before);
        }
        match response.class.is_success() {
            true => metrics.good += 1,
            false => metrics.bad += 1,
        }
        if let Some(report) = &response.report {
            metrics.report(millis(now), report.utilization * 100.0, report.service_time.as_nanos() / 1_000_000);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_made_as_there() {
        let mut metrics = Metrics::new(Instant::ZERO);
        assert_eq!(metrics.load(10, 100, 1_000), 0.0, "nothing is known");
        metrics.asked = 4;
        metrics.good = 3;
        metrics.report(100, 50.0, 32);
        assert_eq!(metrics.ewma, 16.0);
        // The first look after a report counts a latency of twice the timeout: 8 + 1000.
        let load = metrics.load(100, 100, 1_000);
        assert_eq!(metrics.ewma, 1_008.0);
        assert_eq!(load, 50.0 * (1_008f64.sqrt() + 1.0) * 2.0 / (3.0 / 5.0 * 100.0 + 1.0));
        metrics.load(110, 100, 1_000);
        assert_eq!(
            metrics.ewma,
            504.0 + 1_000.0,
            "the look was in the millisecond of the report, so it is punished again"
        );
        // Now it was not, and half the latency counts; after a timeout a quarter.
        metrics.load(120, 100, 1_000);
        assert_eq!(metrics.ewma, 752.0 + 500.0);
        metrics.load(1_150, 100, 1_000);
        assert_eq!(metrics.ewma, 626.0 + 125.0);
    }

    #[test]
    fn a_host_not_picked_for_two_timeouts_is_free() {
        let mut metrics = Metrics::new(Instant::ZERO);
        metrics.asked = 1;
        metrics.report(100, 90.0, 500);
        assert!(metrics.load(2_000, 100, 1_000) > 0.0);
        assert_eq!(metrics.load(2_001, 100, 1_000), 0.0);
    }
}
