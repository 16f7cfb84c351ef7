//! Least request among a few: draw d hosts, take the one with the fewest requests outstanding.
//!
//! Two choices instead of one shorten the longest queue from ln n / ln ln n to ln ln n / ln 2 (Azar, Broder, Karlin and
//! Upfal, "Balanced Allocations", 1994; Mitzenmacher 1996 for queues), and because each client looks at two hosts only,
//! many clients with old news do not herd to the same idle one.
//!
//! Two ways of drawing are in production and differ where hosts are few. Envoy draws **with replacement**
//! (`source/extensions/load_balancing_policies/least_request/least_request_lb.cc`, `unweightedHostPickNChoices`): of
//! two hosts the busier still gets a quarter of the requests. Finagle draws a **distinct pair**
//! (`finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/p2c/P2CPick.scala`): the busier of two gets none. In
//! both the earlier draw wins a tie.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::shared::{self, KNOWLEDGE, REFRESH, Rule};
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
    parameters: &[
        Parameter {
            name: "choices",
            kind: Kind::Count { min: 1, max: 1_000 },
            default: Value::Count(2),
            summary: "how many hosts are drawn",
        },
        KNOWLEDGE,
        REFRESH,
    ],
    needs: Needs::NOTHING,
    make: |values, rng| {
        let choices = values.count("choices") as u32;
        let local = State::WithReplacement(WithReplacement { choices });
        shared::or_local(values, rng, Rule::WithReplacement { choices }, local)
    },
};

pub(super) static P2C: StrategyInfo = StrategyInfo {
    name: "p2c",
    summary: "the less busy of two different hosts",
    explanation: "Power of two choices with a distinct pair: like least_request, but the two hosts are never the \
                  same, so with two hosts the busier one gets nothing. With many hosts there is no difference. \
                  `choices` may be raised up to 16.",
    source: "Finagle p2c (P2CPick.scala); Mitzenmacher 1996",
    weighted: false,
    parameters: &[
        Parameter {
            name: "choices",
            kind: Kind::Count { min: 1, max: DISTINCT_MAX as u64 },
            default: Value::Count(2),
            summary: "how many hosts are drawn",
        },
        KNOWLEDGE,
        REFRESH,
    ],
    needs: Needs::NOTHING,
    make: |values, rng| {
        let choices = values.count("choices") as u32;
        shared::or_local(values, rng, Rule::Distinct { choices }, State::Distinct(Distinct { choices }))
    },
};

/// Envoy's N_CHOICES.
#[derive(Debug)]
pub(crate) struct WithReplacement {
    pub(super) choices: u32,
}

impl Choose for WithReplacement {
    const FOLLOWS: bool = false;

    #[inline]
    fn pick(&mut self, Pick { hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        Some(with_replacement(outstanding.len(), self.choices, rng, |index| outstanding[index]))
    }
}

/// Finagle's p2c, and the same with more than two.
#[derive(Debug)]
pub(crate) struct Distinct {
    pub(super) choices: u32,
}

impl Choose for Distinct {
    const FOLLOWS: bool = false;

    #[inline(always)]
    fn pick(&mut self, Pick { hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        Some(least_of_distinct(outstanding.len(), self.choices, rng, |index| outstanding[index]))
    }
}

/// Of `choices` draws among `n` hosts, the one with the smallest count, the earlier one of equals.
#[inline]
pub(super) fn with_replacement(n: usize, choices: u32, rng: &mut Rng, count: impl Fn(usize) -> u32) -> usize {
    let mut best = rng.below(n as u32) as usize;
    for _ in 1..choices {
        let other = rng.below(n as u32) as usize;
        if count(other) < count(best) {
            best = other;
        }
    }
    best
}

/// The least costly of `choices` distinct indexes below `n`, or of all when there are fewer; the earlier draw wins a
/// tie. What is alone is not asked for its cost, and nothing is asked twice. At most [`DISTINCT_MAX`] choices.
#[inline]
pub(super) fn least_of_distinct<C: PartialOrd>(
    n: usize,
    choices: u32,
    rng: &mut Rng,
    mut cost: impl FnMut(usize) -> C,
) -> usize {
    let a = rng.below(n as u32) as usize;
    if n == 1 || choices == 1 {
        return a;
    }
    if choices == 2 {
        let mut b = rng.below(n as u32 - 1) as usize;
        if b >= a {
            b += 1;
        }
        let (cost_a, cost_b) = (cost(a), cost(b));
        return if cost_a <= cost_b { a } else { b };
    }
    least_of_many(n, choices, a, rng, cost)
}

/// The same rule continued: draw among those not drawn yet, by rank, and step over the drawn ones.
fn least_of_many<C: PartialOrd>(
    n: usize,
    choices: u32,
    first: usize,
    rng: &mut Rng,
    mut cost: impl FnMut(usize) -> C,
) -> usize {
    let mut drawn = [0usize; DISTINCT_MAX]; // ascending
    drawn[0] = first;
    let (mut best, mut least) = (first, cost(first));
    for count in 1..n.min(choices as usize) {
        let mut other = rng.below((n - count) as u32) as usize;
        let mut place = 0;
        while place < count && other >= drawn[place] {
            other += 1;
            place += 1;
        }
        drawn.copy_within(place..count, place + 1);
        drawn[place] = other;
        let here = cost(other);
        if here < least {
            (best, least) = (other, here);
        }
    }
    best
}
