//! Client-side weighted round robin: weights that the client makes of the hosts' own load reports.
//!
//! A host's weight is what it answers per second over how busy that keeps it: weight = qps / (utilization + eps / qps ·
//! penalty). A host of twice the capacity is half as busy with the same requests, so it weighs twice as much, whoever
//! sent them. Two systems do this (grpc/proposal A58 and `weighted_round_robin` of gRPC C++; Envoy's
//! `client_side_weighted_round_robin` with `source/extensions/load_balancing_policies/common/orca_weight_manager.cc`),
//! and differ in two points:
//!
//! - gRPC picks by static stride, and a host without a weight counts as the mean of the others.
//! - Envoy picks by earliest deadline first, and a host without a weight counts as the median of the others, or one.
//!
//! In both a weight counts only after the host has reported for the blackout period, so that a cold host is not judged
//! by its first answers, and no longer than the expiration period after its last report. Weights take effect once a
//! period; the moments are multiples of it from the client's start on (from the first hosts on, where nothing is known
//! of that), kept exactly although nothing wakes up for them: whatever happens first after such a moment makes up for
//! it before it does anything else.

use super::catalogue::{Needs, StrategyInfo};
use super::edf::Schedule;
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::round_robin::RoundRobin;
use super::static_stride::StaticStride;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use crate::{Report, Response};
use base::{Draw, Duration, Instant};

pub(super) static GRPC: StrategyInfo = StrategyInfo {
    name: "grpc_weighted_round_robin",
    summary: "in turn by weights made of load reports, as gRPC",
    explanation: "Weight is requests per second over utilization, from the hosts' own reports; errors count as utilization. Learns \
                  capacities without being told. Until a host has reported for the blackout period it counts as the mean of the \
                  others; hosts that all are new are taken in turn. Reacts in seconds, not in requests.",
    source: "gRPC weighted_round_robin (grpc/proposal A58; weighted_round_robin.cc)",
    weighted: false,
    parameters: PARAMETERS,
    needs: Needs { reports: true, ..Needs::NOTHING },
    make: |values, rng| {
        let turns = Turns::Stride(StaticStride::new(rng));
        State::ClientWeighted(ClientWeighted::new(turns, values))
    },
};

pub(super) static ENVOY: StrategyInfo = StrategyInfo {
    name: "envoy_weighted_round_robin",
    summary: "in turn by weights made of load reports, as Envoy",
    explanation: "The same weights as grpc_weighted_round_robin, as whole numbers, in Envoy's earliest-deadline-first schedule; a \
                  host without a weight counts as the median of the others.",
    source: "Envoy client_side_weighted_round_robin (orca_weight_manager.cc)",
    weighted: false,
    parameters: PARAMETERS,
    needs: Needs { reports: true, ..Needs::NOTHING },
    make: |values, rng| {
        // Half the range, as a round robin's counter.
        let seed = rng.next_u64() >> 1;
        let turns = Turns::Deadline { seed, schedule: Schedule::default(), equal: RoundRobin::starting_at(seed) };
        State::ClientWeighted(ClientWeighted::new(turns, values))
    },
};

const fn span(name: &'static str, least: Duration, default: Duration, summary: &'static str) -> Parameter {
    Parameter {
        name,
        kind: Kind::Span { min: least, max: Duration::secs(86_400) },
        default: Value::Span(default),
        summary,
    }
}

const PARAMETERS: &[Parameter] = &[
    span(
        "blackout",
        Duration::ZERO,
        Duration::secs(10),
        "for how long a host must have reported before its weight counts",
    ),
    span("expiration", Duration::ms(1), Duration::secs(180), "how long after its last report a weight counts"),
    span("update_period", Duration::ms(100), Duration::secs(1), "how often weights take effect"),
    Parameter {
        name: "error_utilization_penalty",
        kind: Kind::Number { min: 0.0, max: 1_000.0 },
        default: Value::Number(1.0),
        summary: "how much the share of errors adds to utilization",
    },
];

#[derive(Debug)]
pub(crate) struct ClientWeighted {
    blackout: Duration,
    expiration: Duration,
    period: Duration,
    penalty: f64,
    /// When weights take effect next.
    next: Option<Instant>,
    known: PerHost<Known>,
    turns: Turns,
    weights: Vec<f64>,
    /// Room to sort them in.
    sorted: Vec<f64>,
}

#[derive(Debug)]
enum Turns {
    /// gRPC.
    Stride(StaticStride),
    /// Envoy.
    Deadline { seed: u64, schedule: Schedule, equal: RoundRobin },
}

/// What a host's reports say.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    weight: f64,
    non_empty_since: Option<Instant>,
    last_report: Instant,
}

impl Known {
    fn learn(&mut self, now: Instant, report: &Report, penalty: f64) {
        if report.qps <= 0.0 || report.utilization <= 0.0 {
            return;
        }
        let errors = if report.eps > 0.0 { report.eps / report.qps * penalty } else { 0.0 };
        self.weight = report.qps / (report.utilization + errors);
        self.non_empty_since.get_or_insert(now);
        self.last_report = now;
    }

    /// The weight, where it counts.
    fn weight(&mut self, now: Instant, blackout: Duration, expiration: Duration) -> Option<f64> {
        let since = self.non_empty_since?;
        if now.saturating_since(self.last_report) >= expiration {
            self.non_empty_since = None;
            return None;
        }
        let dark = !blackout.is_zero() && now.saturating_since(since) < blackout;
        (!dark).then_some(self.weight)
    }
}

impl ClientWeighted {
    fn new(turns: Turns, values: &super::parameter::Values) -> Self {
        ClientWeighted {
            blackout: values.span("blackout"),
            expiration: values.span("expiration"),
            period: values.span("update_period"),
            penalty: values.number("error_utilization_penalty"),
            next: None,
            known: PerHost::default(),
            turns,
            weights: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// Makes up for the updates that were due until now.
    #[inline]
    fn catch_up(&mut self, now: Instant) {
        while let Some(next) = self.next
            && next <= now
        {
            // Nothing happened since, so several that were missed are one; only what expired meanwhile matters.
            let missed = now.saturating_since(next).as_nanos() / self.period.as_nanos();
            let at = next + self.period * missed;
            self.next = Some(at + self.period);
            self.update(at);
        }
    }

    fn update(&mut self, now: Instant) {
        let (blackout, expiration) = (self.blackout, self.expiration);
        self.weights.clear();
        self.weights.extend(self.known.iter_mut().map(|known| known.weight(now, blackout, expiration).unwrap_or(0.0)));
        let weights = &mut self.weights;
        match &mut self.turns {
            Turns::Stride(stride) => stride.set_weights(weights.iter().map(|&weight| weight as f32)),
            Turns::Deadline { seed, schedule, equal } => {
                weights.iter_mut().for_each(|weight| *weight = f64::from(*weight as u32));
                let median = median(weights, &mut self.sorted);
                weights.iter_mut().filter(|weight| **weight == 0.0).for_each(|weight| *weight = median);
                equal.set_hosts(weights.len());
                let all_equal = weights.windows(2).all(|pair| pair[0] == pair[1]);
                let n = if all_equal { 0 } else { weights.len() };
                schedule.begin_after(*seed as u32, n, |index| weights[index]);
            }
        }
    }
}

/// The median of what is not zero; one when all is.
fn median(weights: &[f64], known: &mut Vec<f64>) -> f64 {
    known.clear();
    known.extend(weights.iter().copied().filter(|&weight| weight > 0.0));
    known.sort_unstable_by(f64::total_cmp);
    match known.len() {
        0 => 1.0,
        n if n % 2 == 1 => known[n / 2],
        n => ((known[n / 2 - 1] + known[n / 2]) / 2.0).trunc(),
    }
}

impl Choose for ClientWeighted {
    const FOLLOWS: bool = true;

    fn running_for(&mut self, now: Instant, age: Duration) {
        self.next = Some(now + age.to_next(self.period));
    }

    fn start_at(&mut self, start: u64) -> bool {
        match &mut self.turns {
            Turns::Stride(stride) => *stride = StaticStride::starting_at(start as u32),
            Turns::Deadline { seed, equal, .. } => (*seed, *equal) = (start, RoundRobin::starting_at(start)),
        }
        true
    }

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        self.catch_up(now);
        self.next.get_or_insert(now + self.period);
        self.known.refresh(hosts, |_| Known::default());
        self.update(now);
    }

    #[inline]
    fn pick(&mut self, Pick { now, hosts, .. }: Pick<'_>) -> Option<usize> {
        self.catch_up(now);
        let weights = &self.weights;
        Some(match &mut self.turns {
            Turns::Stride(stride) => stride.next(),
            Turns::Deadline { schedule, equal, .. } => {
                schedule.pick(|index| weights[index]).unwrap_or_else(|| equal.next(hosts.len()))
            }
        })
    }

    fn finished(&mut self, now: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        self.catch_up(now);
        if let Some(report) = &response.report {
            self.known[index].learn(now, report, self.penalty);
        }
    }

    fn bytes(&self) -> usize {
        let turns = match &self.turns {
            Turns::Stride(stride) => stride.bytes(),
            Turns::Deadline { schedule, .. } => schedule.bytes(),
        };
        self.known.bytes() + turns + size_of_val(&self.weights[..]) + size_of_val(&self.sorted[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::ms(ms)
    }

    fn report(utilization: f64, qps: f64, eps: f64) -> Report {
        Report { utilization, qps, eps, ..Report::default() }
    }

    #[test]
    fn a_weight_is_throughput_over_utilization_and_errors() {
        let weight = |report: &Report, penalty| {
            let mut known = Known::default();
            known.learn(at(0), report, penalty);
            known.weight
        };
        // The numbers of gRPC's and Envoy's tests: 100 a second at 0.5, and with 10 errors a second at a penalty of 1.
        assert_eq!(weight(&report(0.5, 100.0, 0.0), 1.0), 200.0);
        assert_eq!(weight(&report(0.5, 100.0, 10.0), 1.0), 100.0 / 0.6);
        assert_eq!(weight(&report(0.5, 100.0, 10.0), 0.0), 200.0);
        assert_eq!(weight(&report(0.0, 100.0, 0.0), 1.0), 0.0);
        assert_eq!(weight(&report(0.5, 0.0, 0.0), 1.0), 0.0);
    }

    #[test]
    fn a_weight_counts_after_the_blackout_and_until_it_expires() {
        let (blackout, expiration) = (Duration::secs(10), Duration::secs(180));
        let mut known = Known::default();
        assert_eq!(known.weight(at(0), blackout, expiration), None);
        known.learn(at(1_000), &report(0.5, 100.0, 0.0), 1.0);
        known.learn(at(5_000), &report(0.5, 50.0, 0.0), 1.0);
        assert_eq!(known.weight(at(10_999), blackout, expiration), None);
        assert_eq!(known.weight(at(11_000), blackout, expiration), Some(100.0));
        assert_eq!(known.weight(at(184_999), blackout, expiration), Some(100.0));
        assert_eq!(known.weight(at(185_000), blackout, expiration), None);
        known.learn(at(186_000), &report(0.5, 50.0, 0.0), 1.0);
        assert_eq!(known.weight(at(187_000), blackout, expiration), None, "after a silence the blackout begins anew");
        assert_eq!(known.weight(at(187_000), Duration::ZERO, expiration), Some(100.0));
    }

    #[test]
    fn hosts_without_a_weight_count_as_the_median() {
        let median = |weights: &[f64]| median(weights, &mut Vec::new());
        assert_eq!(median(&[0.0, 0.0]), 1.0);
        assert_eq!(median(&[0.0, 9.0, 0.0]), 9.0);
        assert_eq!(median(&[5.0, 0.0, 1.0, 42.0]), 5.0);
        assert_eq!(median(&[1.0, 4.0]), 2.0, "whole numbers");
    }
}
