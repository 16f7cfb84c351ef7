//! Dubbo's adaptive: the lower of two loads, made of the server's CPU, the client's latency, its requests and its
//! successes.
//!
//! As `AdaptiveLoadBalance`, `AdaptiveMetrics` and `AdaptiveLoadBalanceFilter` (apache/dubbo
//! `dubbo-cluster/.../loadbalance/AdaptiveLoadBalance.java`, `dubbo-rpc/dubbo-rpc-api/.../AdaptiveMetrics.java`,
//! `.../filter/AdaptiveLoadBalanceFilter.java`), quirks included:
//!
//! - load = cpu · (√latency + 1) · (in flight + 1) / (good / (asked + 1) · weight + 1). Latency is that of the call as
//!   the client saw it, in milliseconds, smoothed with β = 0.5 at every report **and** at every look. The first look
//!   after a report, and any other in the millisecond of that report, counts a latency of twice the timeout, as a
//!   penalty; every later one counts half the latency of before, or less for every timeout that has passed since the
//!   last look.
//! - A host that was not picked for twice the timeout has no load at all, and is tried again.
//! - Counts of requests are for ever, so an error early on is forgotten slowly. An error that the service itself
//!   answers counts as good and brings a report, because an exception travels inside a result; bad is what the
//!   framework gives up: no connection, no answer in time, a refusal.
//! - Of two hosts the pair is always the same; otherwise it is drawn, distinct. Equal loads are drawn by weight.
//!
//! CPU load comes with responses, in percent: there the load average of the last minute by processors, here what the
//! instance says of its utilization. A host that has not reported yet has none, and so no load. The time of a report is
//! the server's clock there, and here that of its arrival, on a clock that nobody has set. All else is the client's own
//! date, and steps with it: while that is behind by more than a timeout, looks change no estimate, and no host is tried
//! again because it was last picked before the step. A weight of one here is a hundred there, which is what Dubbo gives
//! hosts of which nothing is said.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use crate::{Class, Response};
use base::{Draw, Duration, Instant};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "dubbo_adaptive",
    summary: "the lower of two loads: CPU, latency, requests and successes together",
    explanation: "Draws two different hosts and compares cpu · (√latency + 1) · (in flight + 1) / (success rate · weight + 1). CPU \
                  comes with the responses, everything else is the client's own. A host that was not picked for twice the timeout \
                  is picked whatever it had. Errors that the service answers count as successes; refusals and lost answers weigh in \
                  slowly, because everything is counted from the beginning of time.",
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

/// `DEFAULT_WEIGHT`: what a weight of one is there.
const WEIGHT_OF_ONE: f64 = 100.0;

#[derive(Debug)]
pub(crate) struct DubboAdaptive {
    timeout_ms: i64,
    /// What steps have added to the client's date.
    ahead_ns: i64,
    metrics: PerHost<Metrics>,
}

/// Times are in whole milliseconds, as there.
#[derive(Clone, Copy, Debug)]
struct Metrics {
    reported_at: i64,
    looked_at: i64,
    picked_at: i64,
    cpu: f64,
    latency: u64,
    ewma: f64,
    asked: u64,
    good: u64,
    bad: u64,
}

const BETA: f64 = 0.5;

/// The date of what has not happened yet.
const NEVER: i64 = i64::MIN;

/// A date in whole milliseconds, of a clock that steps have set ahead by `ahead_ns`.
fn date(now: Instant, ahead_ns: i64) -> i64 {
    if ahead_ns == 0 {
        return (now.as_nanos() / 1_000_000) as i64;
    }
    (i128::from(now.as_nanos()) + i128::from(ahead_ns)).div_euclid(1_000_000) as i64
}

impl Metrics {
    fn new(today: i64) -> Self {
        Metrics {
            reported_at: NEVER,
            looked_at: NEVER,
            picked_at: today,
            cpu: 0.0,
            latency: 0,
            ewma: 0.0,
            asked: 0,
            good: 0,
            bad: 0,
        }
    }

    /// `getLoad`.
    fn load(&mut self, now: i64, weight: u32, timeout: i64) -> f64 {
        if now - self.picked_at > timeout * 2 {
            return 0.0;
        }
        if self.looked_at != NEVER {
            // Not above zero when the clock was put back by more than a timeout.
            let multiple = (now - self.looked_at) / timeout + 1;
            if multiple > 0 {
                self.latency = match self.reported_at == self.looked_at {
                    true => timeout as u64 * 2,
                    // A shift by 64 is none, as in Java.
                    false => self.latency.wrapping_shr(multiple as u32),
                };
                self.ewma = BETA * self.ewma + (1.0 - BETA) * self.latency as f64;
                self.looked_at = now;
            }
        }
        let in_flight = (self.asked - self.good - self.bad) as f64;
        let success = self.good as f64 / (self.asked + 1) as f64;
        let weight = f64::from(weight) * WEIGHT_OF_ONE;
        self.cpu * (self.ewma.sqrt() + 1.0) * (in_flight + 1.0) / (success * weight + 1.0)
    }

    /// `setProviderMetrics`.
    fn report(&mut self, now: i64, cpu: f64, latency: u64) {
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
        DubboAdaptive { timeout_ms: (timeout.as_nanos() / 1_000_000) as i64, ahead_ns: 0, metrics: PerHost::default() }
    }
}

impl Choose for DubboAdaptive {
    const FOLLOWS: bool = true;

    fn stepped(&mut self, by_ns: i64) {
        self.ahead_ns = self.ahead_ns.saturating_add(by_ns);
    }

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        let today = date(now, self.ahead_ns);
        self.metrics.refresh(hosts, |_| Metrics::new(today));
    }

    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let n = hosts.len() as u32;
        let now = date(now, self.ahead_ns);
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
        if !matches!(response.class, Class::Success | Class::Failure) {
            metrics.bad += 1;
            return;
        }
        metrics.good += 1;
        if let Some(report) = &response.report {
            // A negative latency is no number there, and what is no number is nothing.
            let latency = response.elapsed_ms(now).max(0) as u64;
            metrics.report(date(now, 0), report.utilization * 100.0, latency);
        }
    }

    fn bytes(&self) -> usize {
        self.metrics.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, Report};
    use base::InstanceId;

    #[test]
    fn load_is_made_as_there() {
        let mut metrics = Metrics::new(0);
        assert_eq!(metrics.load(10, 1, 1_000), 0.0, "nothing is known");
        metrics.asked = 4;
        metrics.good = 3;
        metrics.report(100, 50.0, 32);
        assert_eq!(metrics.ewma, 16.0);
        // The first look after a report counts a latency of twice the timeout: 8 + 1000.
        let load = metrics.load(100, 1, 1_000);
        assert_eq!(metrics.ewma, 1_008.0);
        assert_eq!(load, 50.0 * (1_008f64.sqrt() + 1.0) * 2.0 / (3.0 / 5.0 * 100.0 + 1.0));
        metrics.load(110, 1, 1_000);
        assert_eq!(
            metrics.ewma,
            504.0 + 1_000.0,
            "the look before was in the millisecond of the report, so this one is punished again"
        );
        // Now it was not, and half the latency counts; after a timeout a quarter.
        metrics.load(120, 1, 1_000);
        assert_eq!(metrics.ewma, 752.0 + 500.0);
        metrics.load(1_150, 1, 1_000);
        assert_eq!(metrics.ewma, 626.0 + 125.0);
    }

    #[test]
    fn a_long_time_without_a_look_halves_as_often_as_timeouts_passed_and_64_of_them_not_at_all() {
        for (timeouts, left) in [(0, 256.0), (1, 128.0), (8, 1.0), (9, 0.0), (62, 0.0), (63, 512.0), (64, 256.0)] {
            let mut metrics = Metrics::new(0);
            (metrics.looked_at, metrics.reported_at, metrics.latency) = (10, 5, 512);
            let now = 10 + 1_000 * timeouts;
            metrics.picked_at = now;
            metrics.load(now, 1, 1_000);
            assert_eq!(metrics.ewma, left / 2.0, "after {timeouts} timeouts");
        }
    }

    #[test]
    fn latency_is_the_clients_and_an_error_the_service_answers_is_good() {
        let report = Report { utilization: 0.5, service_time: Duration::ms(1), ..Report::default() };
        let after = |class, report| {
            let mut adaptive = DubboAdaptive::new(Duration::secs(1));
            let mut hosts = Hosts::default();
            hosts.update(&[Host::new(InstanceId(0))]);
            adaptive.refresh(Instant::ZERO, &hosts);
            adaptive.started(0, 0);
            let now = Instant::ZERO + Duration::ms(20);
            adaptive.finished(now, 0, 1, &Response { class, report, ..Response::success(Duration::ms(20)) }, &hosts);
            let Metrics { cpu, latency, good, bad, .. } = adaptive.metrics[0];
            (cpu, latency, good, bad)
        };
        assert_eq!(after(Class::Success, Some(report)), (50.0, 20, 1, 0));
        assert_eq!(after(Class::Failure, Some(report)), (50.0, 20, 1, 0));
        assert_eq!(after(Class::Overload { retry_after: None }, None), (0.0, 0, 0, 1));
        assert_eq!(after(Class::NoAnswer, None), (0.0, 0, 0, 1));
    }

    #[test]
    fn a_clock_put_back_by_more_than_a_timeout_changes_no_estimate() {
        let mut metrics = Metrics::new(0);
        metrics.report(50_000, 90.0, 512);
        metrics.picked_at = 50_000;
        metrics.load(48_999, 1, 1_000);
        assert_eq!((metrics.ewma, metrics.looked_at), (256.0, 50_000));
        metrics.load(49_001, 1, 1_000);
        assert_eq!((metrics.ewma, metrics.looked_at), (1_128.0, 49_001), "by less than one");
    }

    #[test]
    fn a_clients_date_steps_and_the_servers_does_not() {
        let mut adaptive = DubboAdaptive::new(Duration::secs(1));
        let mut hosts = Hosts::default();
        hosts.update(&[Host::new(InstanceId(0))]);
        adaptive.refresh(Instant::ZERO, &hosts);
        let report = Some(Report { utilization: 0.5, ..Report::default() });
        let report_at = |adaptive: &mut DubboAdaptive, second, stepped_ns| {
            adaptive.started(0, 0);
            let answer = Response { report, stepped_ns, ..Response::success(Duration::ms(64)) };
            adaptive.finished(Instant::from_secs(second), 0, 1, &answer, &hosts);
            let Metrics { reported_at, latency, ewma, .. } = adaptive.metrics[0];
            (reported_at, latency, ewma)
        };
        assert_eq!(report_at(&mut adaptive, 60, 0), (60_000, 64, 32.0));
        adaptive.stepped(-30_000_000_000);
        // A negative latency is none, and the report is no older than the one before.
        assert_eq!(report_at(&mut adaptive, 61, -30_000_000_000), (61_000, 0, 16.0));
        assert_eq!(report_at(&mut adaptive, 62, 0), (62_000, 64, 40.0));
        // Looked at 28 seconds before it was reported, by the client's date; and then the date is what it was.
        let mut rng = base::Seed(1).stream("looks");
        hosts.update(&[Host::new(InstanceId(0)), Host::new(InstanceId(1))]);
        adaptive.refresh(Instant::from_secs(62), &hosts);
        for (second, ewma) in [(64, 40.0), (90, 40.0), (92, 1_020.0)] {
            let (now, request) = (Instant::from_secs(second), crate::Request::default());
            adaptive.metrics[0].picked_at = date(now, adaptive.ahead_ns);
            adaptive.pick(Pick { now, request, hosts: &hosts, attempt: 0, tried: &[], rng: &mut rng });
            assert_eq!(adaptive.metrics[0].ewma, ewma, "at {second} s");
        }
    }

    #[test]
    fn a_host_not_picked_for_two_timeouts_is_free() {
        let mut metrics = Metrics::new(0);
        metrics.asked = 1;
        metrics.report(100, 90.0, 500);
        assert!(metrics.load(2_000, 1, 1_000) > 0.0);
        assert_eq!(metrics.load(2_001, 1, 1_000), 0.0);
    }
}
