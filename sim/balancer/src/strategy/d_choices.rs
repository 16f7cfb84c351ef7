//! Least request among a few: draw d hosts, take the one with the fewest requests outstanding.
//!
//! Two choices instead of one shorten the longest queue from ln n / ln ln n to ln ln n / ln 2 (Azar, Broder, Karlin and
//! Upfal, "Balanced Allocations", 1994; Mitzenmacher 1996 for queues), and because each client looks at two hosts only,
//! many clients with old news do not herd to the same idle one.
//!
//! Two ways of drawing are in production and differ where hosts are few. Envoy draws **with replacement**
//! (`source/extensions/load_balancing_policies/least_request/least_request_lb.cc`, `unweightedHostPickNChoices`): of two
//! hosts the busier still gets a quarter of the requests. Finagle draws a **distinct pair**
//! (`finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/p2c/P2CPick.scala`): the busier of two gets none. In
//! both the earlier draw wins a tie.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::{Choose, Pick, State};
use base::{Draw, Rng};

/// Room for the drawn hosts on the stack.
pub(super) const DISTINCT_MAX: usize = 16;

pub(super) static LEAST_REQUEST: StrategyInfo = StrategyInfo {
    name: "least_request",
    summary: "the less busy of two hosts, drawn with replacement",
    explanation: "Draws `choices` hosts (2), one of which may come twice, and takes the one with the fewest of this \
                  client's requests outstanding; the earlier draw wins a tie. Avoids slow hosts because requests \
                  pile up there. With two hosts the busier one still gets a quarter of the requests. Beware of \
                  hosts that fail fast: they look idle and attract traffic.",
    source: "Envoy least_request, N_CHOICES (least_request_lb.cc); default of Istio since 1.14",
    weighted: false,
    parameters: &[Parameter {
        name: "choices",
        kind: Kind::Count { min: 1, max: 1_000 },
        default: Value::Count(2),
        summary: "how many hosts are drawn",
    }],
    needs: Needs::NOTHING,
    make: |values, _| State::WithReplacement(WithReplacement { choices: values.count("choices") as u32 }),
};

pub(super) static P2C: StrategyInfo = StrategyInfo {
    name: "p2c",
    summary: "the less busy of two different hosts",
    explanation: "Power of two choices with a distinct pair: like least_request, but the two hosts are never the \
                  same, so with two hosts the busier one gets nothing. With many hosts there is no difference. \
                  `choices` may be raised up to 16.",
    source: "Finagle p2c (P2CPick.scala); Mitzenmacher 1996",
    weighted: false,
    parameters: &[Parameter {
        name: "choices",
        kind: Kind::Count { min: 1, max: DISTINCT_MAX as u64 },
        default: Value::Count(2),
        summary: "how many hosts are drawn",
    }],
    needs: Needs::NOTHING,
    make: |values, _| State::Distinct(Distinct { choices: values.count("choices") as u32 }),
};

/// Envoy's N_CHOICES.
#[derive(Debug)]
pub(crate) struct WithReplacement {
    pub(super) choices: u32,
}

impl Choose for WithReplacement {
    #[inline]
    fn pick(&mut self, Pick { hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        let n = outstanding.len() as u32;
        let mut best = rng.below(n) as usize;
        for _ in 1..self.choices {
            let other = rng.below(n) as usize;
            if outstanding[other] < outstanding[best] {
                best = other;
            }
        }
        Some(best)
    }
}

/// Finagle's p2c, and the same with more than two.
#[derive(Debug)]
pub(crate) struct Distinct {
    pub(super) choices: u32,
}

impl Choose for Distinct {
    #[inline]
    fn pick(&mut self, Pick { hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        let n = outstanding.len() as u32;
        let a = rng.below(n) as usize;
        if self.choices == 2 && n > 1 {
            let mut b = rng.below(n - 1) as usize;
            if b >= a {
                b += 1;
            }
            return Some(if outstanding[a] <= outstanding[b] { a } else { b });
        }
        Some(self.pick_of_many(outstanding, a, rng))
    }
}

impl Distinct {
    /// The same rule continued: draw among those not drawn yet, by rank, and step over the drawn ones.
    fn pick_of_many(&self, outstanding: &[u32], first: usize, rng: &mut Rng) -> usize {
        let n = outstanding.len();
        let mut drawn = [0usize; DISTINCT_MAX]; // ascending
        drawn[0] = first;
        let mut best = first;
        for count in 1..n.min(self.choices as usize) {
            let mut other = rng.below((n - count) as u32) as usize;
            let mut place = 0;
            while place < count && other >= drawn[place] {
                other += 1;
                place += 1;
            }
            drawn.copy_within(place..count, place + 1);
            drawn[place] = other;
            if outstanding[other] < outstanding[best] {
                best = other;
            }
        }
        best
    }
}
