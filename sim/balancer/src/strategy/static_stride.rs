//! Static stride: rounds over all hosts in which a host of weight w has a turn w times in 65535.
//!
//! As gRPC's C++ `weighted_round_robin` (`src/core/load_balancing/weighted_round_robin/static_stride_scheduler.cc`, and
//! grpc/proposal A58): a sequence number counts up from a random start; divided by the number of hosts it gives a round
//! and, as remainder, a host. Weights are scaled so that the heaviest is 65535, which has a turn in every round;
//! whether another has one follows from weight times round modulo 65535, shifted from host to host so that neighbours
//! are not skipped together. The sequence goes on over updates, so that a new schedule with the same weights picks what
//! the old one would have.
//!
//! A random start is not a fair first pick: where a light host is skipped, a heavy one behind it gains. Of two hosts
//! with weights 1 and 3 the light one is picked first by one client in six, not in four.
//!
//! Before scaling, weights above ten times the mean are cut to that, those below a hundredth of it are raised to that,
//! and zero, which means that no weight is known, becomes the mean. gRPC for Go scales alike but does not cut.

use super::catalogue::{Needs, StrategyInfo};
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::{Draw, Instant, Rng};

/// The scaled weight of the heaviest host, and the number of rounds after which a schedule repeats.
const MAX: u16 = u16::MAX;
/// The most that a weight counts, in means: so many hosts are looked at for a pick on average at most.
const MAX_RATIO: f64 = 10.0;
/// The least that a weight counts, in means.
const MIN_RATIO: f64 = 0.01;
/// By how much hosts are shifted against each other.
const OFFSET: u64 = MAX as u64 / 2;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "static_stride",
    summary: "rounds over all hosts that skip the lighter ones, from a random start",
    explanation: "The heaviest host has a turn in every round, one of half its weight in every other. All it \
                  remembers is a number that counts up, so many threads can share it without a lock. Weights above \
                  ten times the mean count as ten times, those below a hundredth of it as a hundredth. The start \
                  is random, and yet the first pick of a client favours heavy hosts: beside one three times as \
                  heavy a host is first for one client in six.",
    source: "gRPC weighted_round_robin in C++ (static_stride_scheduler.cc); grpc/proposal A58",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, rng| State::StaticStride(StaticStride::new(rng)),
};

#[derive(Debug)]
pub(crate) struct StaticStride {
    weights: Vec<u16>,
    sequence: u32,
    /// `sequence` divided by the number of hosts: remainder and quotient, kept by comparison.
    index: usize,
    round: u64,
}

impl StaticStride {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        StaticStride::starting_at((rng.next_u64() >> 32) as u32)
    }

    pub(super) fn starting_at(sequence: u32) -> Self {
        StaticStride { weights: Vec::new(), sequence, index: 0, round: 0 }
    }

    /// Scales `weights`. A `float` is what gRPC keeps them in, and what its factor is rounded to.
    pub(super) fn set_weights(&mut self, weights: impl Iterator<Item = f32> + Clone) {
        self.weights.clear();
        let (mut sum, mut known, mut max) = (0.0, 0_u32, 0.0_f32);
        for weight in weights.clone() {
            sum += f64::from(weight);
            known += u32::from(weight != 0.0);
            max = if weight > max { weight } else { max };
        }
        let mean = sum / f64::from(known);
        if f64::from(max) / mean > MAX_RATIO {
            max = (MAX_RATIO * mean) as f32;
        }
        if max > 0.0 {
            let factor = f64::from(f32::from(MAX) / max);
            let scaled_mean = rounded(factor * mean);
            let least = rounded(f64::from(scaled_mean) * MIN_RATIO).max(1);
            self.weights.extend(weights.map(|weight| {
                let scaled = rounded(f64::from(if weight < max { weight } else { max }) * factor).max(least);
                if weight == 0.0 { scaled_mean } else { scaled }
            }));
        } else {
            // No weight is known: a plain round robin.
            self.weights.extend(weights.map(|_| MAX));
        }
        let n = self.weights.len().max(1);
        self.index = self.sequence as usize % n;
        self.round = (self.sequence as usize / n) as u64;
    }

    #[inline]
    pub(super) fn next(&mut self) -> usize {
        loop {
            let (index, round) = (self.index, self.round);
            self.sequence = self.sequence.wrapping_add(1);
            self.index += 1;
            if self.sequence == 0 {
                (self.index, self.round) = (0, 0);
            } else if self.index == self.weights.len() {
                (self.index, self.round) = (0, round + 1);
            }
            let weight = self.weights[index];
            let place = (u64::from(weight) * round + index as u64 * OFFSET) % u64::from(MAX);
            if place >= u64::from(MAX - weight) {
                return index;
            }
        }
    }
}

/// `x`, which is not negative and below 65535.5, to the nearest whole number, the greater of two that are as near. In a
/// few instructions, where `f64::round` is a call on processors without one of their own for it.
#[inline]
fn rounded(x: f64) -> u16 {
    let below = x as u32;
    (below + u32::from(x - f64::from(below) >= 0.5)) as u16
}

impl Choose for StaticStride {
    const FOLLOWS: bool = false;

    /// The sequence has 32 bits; of a greater number the lower ones count.
    fn start_at(&mut self, start: u64) -> bool {
        *self = StaticStride::starting_at(start as u32);
        true
    }

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.set_weights(hosts.all().iter().map(|h| h.weight as f32));
    }

    #[inline]
    fn pick(&mut self, _: Pick<'_>) -> Option<usize> {
        Some(self.next())
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.weights[..])
    }
}
