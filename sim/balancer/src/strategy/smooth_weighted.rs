//! Smooth weighted round robin: in turn by weight, with the turns of a heavy host spread out between those of the
//! others.
//!
//! As nginx (`src/http/ngx_http_upstream_round_robin.c`, `ngx_http_upstream_get_peer`): every pick gives each host its
//! weight in points, takes the first host with the most points, and charges it what was given to all. The points always
//! sum up to what they were, and after as many picks as the sum of weights each host has had exactly its weight in
//! turns. With weights 5, 1, 1 the order is a a b a c a a.
//!
//! There is no seed: every client begins at the heaviest host. nginx lowers the points a host is given after failures
//! and raises them again by one a pick; failures do not come to a balancer here, so that part is left out.

use super::catalogue::{Needs, StrategyInfo};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hashing::common_divisor;
use crate::hosts::Hosts;
use base::Instant;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "smooth_weighted_round_robin",
    summary: "in turn by weight, spread out evenly",
    explanation: "Weights 5, 1, 1 give a a b a c a a, not five in a row: every pick gives each host its weight in \
                  points, takes the host with the most and charges it the sum. Exact over every whole cycle. \
                  There is no random start, so clients that begin together send their first requests to the \
                  same host, the heaviest one. A pick costs time in proportion to the number of hosts until one \
                  cycle has gone by without a change, and none to speak of from then on.",
    source: "nginx round robin (ngx_http_upstream_round_robin.c), without its lowering of weights after failures",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::SmoothWeighted(SmoothWeighted::default()),
};

/// Hosts whose points are raised and compared together, before it is looked which of them it is.
const BLOCK: usize = 64;

/// Picks of a cycle that are remembered at most: as many for each host, and at least so many.
const REMEMBERED_A_HOST: u64 = 16;
const REMEMBERED: u64 = 1024;

#[derive(Debug, Default)]
pub(crate) struct SmoothWeighted {
    /// Points, by host; while a cycle goes round, those at its beginning. Whole numbers, and exact below 2⁵³; as
    /// floating point because every processor can add and compare several of those at once.
    pub(super) current: PerHost<f64>,
    weights: Vec<f64>,
    /// What one pick gives away.
    total: f64,
    cycle: Cycle,
}

/// The picks of one cycle. They are the same in every one that begins with the same points, so that after the first of
/// them nothing has to be raised or compared.
#[derive(Debug, Default)]
struct Cycle {
    /// The sum of weights over their greatest common divisor: picks until the points are what they were. Zero when
    /// there are too many to be remembered.
    length: usize,
    /// The picks so far, of a cycle that began with the points `first`.
    picks: Vec<u32>,
    first: Vec<f64>,
    /// Which of them is next, once they are all there and have led back to where they began.
    next: Option<usize>,
}

impl Choose for SmoothWeighted {
    const FOLLOWS: bool = false;

    /// Hosts that stay keep their points and new ones begin with none, as peers of an upstream zone do; a new weight
    /// counts from the next pick.
    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.catch_up();
        self.current.refresh(hosts, |_| 0.0);
        self.weights.clear();
        self.weights.extend((0..hosts.len()).map(|index| f64::from(hosts.weight(index))));
        self.total = (0..hosts.len()).map(|index| u64::from(hosts.weight(index))).sum::<u64>() as f64;
        self.cycle.begin(hosts, self.total, &self.current);
    }

    #[inline]
    fn pick(&mut self, _: Pick<'_>) -> Option<usize> {
        if let Some(next) = &mut self.cycle.next {
            let pick = self.cycle.picks[*next];
            *next = if *next + 1 == self.cycle.length { 0 } else { *next + 1 };
            return Some(pick as usize);
        }
        let best = self.choose()?;
        if self.cycle.length > 0 {
            self.cycle.remember(best, &self.current);
        }
        Some(best)
    }

    fn bytes(&self) -> usize {
        let Cycle { picks, first, .. } = &self.cycle;
        self.current.bytes() + size_of_val(&self.weights[..]) + size_of_val(&picks[..]) + size_of_val(&first[..])
    }
}

impl SmoothWeighted {
    /// The rule itself.
    fn choose(&mut self) -> Option<usize> {
        let mut most = f64::NEG_INFINITY;
        let mut block = 0;
        let blocks = self.current.chunks_mut(BLOCK).zip(self.weights.chunks(BLOCK));
        for (number, (current, weights)) in blocks.enumerate() {
            let of_block = raise(current, weights);
            if of_block > most {
                most = of_block;
                block = number;
            }
        }
        let begin = block * BLOCK;
        let best = begin + self.current[begin..].iter().position(|current| *current == most)?;
        self.current[best] -= self.total;
        Some(best)
    }

    /// Gives and charges the points of the picks since the present cycle began.
    fn catch_up(&mut self) {
        let Some(made) = self.cycle.next.take() else { return };
        for (current, weight) in self.current.iter_mut().zip(&self.weights) {
            *current += made as f64 * weight;
        }
        for pick in &self.cycle.picks[..made] {
            self.current[*pick as usize] -= self.total;
        }
    }
}

impl Cycle {
    /// A new one begins, with points of `total` given away by each pick.
    fn begin(&mut self, hosts: &Hosts, total: f64, points: &[f64]) {
        let divisor = common_divisor((0..hosts.len()).map(|index| hosts.weight(index)));
        let length = total as u64 / u64::from(divisor);
        let is_short = length <= REMEMBERED.max(REMEMBERED_A_HOST * hosts.len() as u64);
        self.length = if is_short { length as usize } else { 0 };
        self.picks.clear();
        self.first.clear();
        if is_short {
            self.picks.reserve_exact(self.length);
            self.first.extend_from_slice(points);
        }
    }

    /// One more pick, that led to these `points`.
    fn remember(&mut self, pick: usize, points: &[f64]) {
        self.picks.push(pick as u32);
        if self.picks.len() < self.length {
            return;
        }
        if self.first == points {
            self.next = Some(0);
        } else {
            // The hosts that came or left have not yet found their places in the turn.
            self.picks.clear();
            self.first.copy_from_slice(points);
        }
    }
}

/// Adds `weights` to `current`, and gives the most that came of it.
#[inline]
fn raise(current: &mut [f64], weights: &[f64]) -> f64 {
    let greater = |a: f64, b: f64| if a > b { a } else { b };
    let (fours, rest) = current.as_chunks_mut::<4>();
    let (weights, weights_of_rest) = weights.as_chunks::<4>();
    // Side by side, so that no comparison waits for the one before.
    let mut most = [f64::NEG_INFINITY; 4];
    for (current, weights) in fours.iter_mut().zip(weights) {
        for ((current, weight), most) in current.iter_mut().zip(weights).zip(&mut most) {
            *current += weight;
            *most = greater(*current, *most);
        }
    }
    let mut most = most.into_iter().fold(f64::NEG_INFINITY, greater);
    for (current, weight) in rest.iter_mut().zip(weights_of_rest) {
        *current += weight;
        most = greater(*current, most);
    }
    most
}
