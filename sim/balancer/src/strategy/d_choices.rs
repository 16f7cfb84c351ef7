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

use crate::hosts::Hosts;
use base::{Draw, Rng};

/// Room for the drawn hosts on the stack.
pub(super) const DISTINCT_MAX: usize = 16;

/// Envoy's N_CHOICES.
#[derive(Debug)]
pub(crate) struct WithReplacement {
    pub(super) choices: u32,
}

impl WithReplacement {
    #[inline]
    pub(crate) fn pick(&self, hosts: &Hosts, rng: &mut Rng) -> usize {
        let outstanding = hosts.outstanding();
        let n = outstanding.len() as u32;
        let mut best = rng.below(n) as usize;
        for _ in 1..self.choices {
            let other = rng.below(n) as usize;
            if outstanding[other] < outstanding[best] {
                best = other;
            }
        }
        best
    }
}

/// Finagle's p2c, and the same with more than two.
#[derive(Debug)]
pub(crate) struct Distinct {
    pub(super) choices: u32,
}

impl Distinct {
    #[inline]
    pub(crate) fn pick(&self, hosts: &Hosts, rng: &mut Rng) -> usize {
        let outstanding = hosts.outstanding();
        let n = outstanding.len() as u32;
        let a = rng.below(n) as usize;
        if self.choices == 2 && n > 1 {
            let mut b = rng.below(n - 1) as usize;
            if b >= a {
                b += 1;
            }
            return if outstanding[a] <= outstanding[b] { a } else { b };
        }
        self.pick_of_many(outstanding, a, rng)
    }

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
