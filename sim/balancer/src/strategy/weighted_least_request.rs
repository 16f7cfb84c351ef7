//! Weighted least request: in turn by weight, where every request outstanding makes a host lighter.
//!
//! As Envoy's least request where weights differ
//! (`source/extensions/load_balancing_policies/least_request/least_request_lb.h`, `hostWeight`): the
//! earliest-deadline-first schedule of its round robin, with weight / (active + 1)^bias in place of the weight. A
//! host's deadline is set when it was picked, from the requests it had then, so a burst is spread by what was known at
//! the time of its turn. With a bias of zero it is the weighted round robin. Where all weights are equal, Envoy draws a
//! number of hosts and takes the least busy, and so does this. Slow start scales the weight last, and makes a schedule
//! of equal weights too while a host warms up.

use super::catalogue::{Needs, StrategyInfo};
use super::d_choices::WithReplacement;
use super::edf::Schedule;
use super::parameter::{Kind, Parameter, Value};
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::{Draw, Instant, math};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "weighted_least_request",
    summary: "in turn by weight, and by how few requests a host has",
    explanation: "Where weights differ: a schedule by weight / (active + 1)^active_request_bias. Respects weights, and backs off from \
                  hosts that are busy, the more the greater the bias; 0 makes it edf. Where they are equal, the least busy of \
                  `choices` hosts drawn with replacement.",
    source: "Envoy least_request with unequal weights (least_request_lb.h)",
    weighted: true,
    parameters: &[
        Parameter {
            name: "active_request_bias",
            kind: Kind::Number { min: 0.0, max: 100.0 },
            default: Value::Number(1.0),
            summary: "how much requests outstanding weigh against a host",
        },
        Parameter {
            name: "choices",
            kind: Kind::Count { min: 1, max: 1_000 },
            default: Value::Count(2),
            summary: "how many hosts are drawn where weights are equal",
        },
    ],
    needs: Needs::NOTHING,
    make: |values, rng| {
        State::WeightedLeastRequest(WeightedLeastRequest {
            bias: values.number("active_request_bias"),
            seed: rng.next_u64(),
            schedule: Schedule::default(),
            equal: WithReplacement { choices: values.count("choices") as u32 },
        })
    },
};

#[derive(Debug)]
pub(crate) struct WeightedLeastRequest {
    bias: f64,
    seed: u64,
    schedule: Schedule,
    /// Used while `schedule` has no entry.
    equal: WithReplacement,
}

#[inline]
fn weight(hosts: &Hosts, bias: f64, index: usize, now: Instant) -> f64 {
    let weight = f64::from(hosts.weight(index));
    let active = f64::from(hosts.outstanding()[index]) + 1.0;
    let biased = if bias == 1.0 {
        weight / active
    } else if bias == 0.0 {
        weight
    } else {
        weight / math::pow(active, bias)
    };
    biased * hosts.warmth(index, now)
}

impl Choose for WeightedLeastRequest {
    const FOLLOWS: bool = false;

    fn start_at(&mut self, start: u64) -> bool {
        self.seed = start;
        true
    }

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        if !self.schedule.is_empty() && hosts.same_instances() {
            return;
        }
        let n = if hosts.need_schedule(now) { hosts.len() } else { 0 };
        self.schedule.begin_after(self.seed as u32, n, |index| weight(hosts, self.bias, index, now));
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let (hosts, bias, now) = (pick.hosts, self.bias, pick.now);
        match self.schedule.pick(|index| weight(hosts, bias, index, now)) {
            Some(index) => Some(index),
            None => self.equal.pick(pick),
        }
    }

    fn bytes(&self) -> usize {
        self.schedule.bytes()
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::parameter::Value;
    use crate::{Balancer, Host, Request, Strategy};
    use base::{InstanceId, Instant, Seed};

    fn counts(bias: f64, weights: &[u32], outstanding: &[u32]) -> Vec<u32> {
        let strategy = Strategy::from_name("weighted_least_request").unwrap();
        let strategy = strategy.with("active_request_bias", Value::Number(bias)).unwrap();
        let mut balancer = Balancer::new(strategy, Seed(1).stream("weighted"));
        let hosts: Vec<Host> =
            weights.iter().zip(0..).map(|(&weight, i)| Host { weight, ..Host::new(InstanceId(i)) }).collect();
        balancer.update(Instant::ZERO, &hosts);
        for (index, &n) in outstanding.iter().enumerate() {
            (0..n).for_each(|_| balancer.started(index));
        }
        // What the schedule began with is forgotten by now.
        let mut pick = || balancer.pick(Instant::ZERO, Request::default()).unwrap();
        (0..10).for_each(|_| {
            pick();
        });
        let mut counts = vec![0; weights.len()];
        (0..6_000).for_each(|_| counts[pick()] += 1);
        counts
    }

    #[test]
    fn requests_outstanding_make_a_host_lighter() {
        let near = |counts: Vec<u32>, expected: [u32; 2]| {
            assert!(counts.iter().zip(expected).all(|(c, e)| c.abs_diff(e) <= 6), "{counts:?}, not {expected:?}");
        };
        near(counts(1.0, &[1, 2], &[0, 0]), [2_000, 4_000]);
        near(counts(1.0, &[1, 2], &[0, 3]), [4_000, 2_000]);
        near(counts(0.0, &[1, 2], &[0, 3]), [2_000, 4_000]);
        // 1 against 2 / 2²: three to two is 6000 · 2/3.
        near(counts(2.0, &[1, 2], &[0, 1]), [4_000, 2_000]);
    }
}
