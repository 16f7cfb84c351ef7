//! Random: each host equally likely, every time, whatever happened before.
//!
//! It needs no state and no news from anywhere, which makes it the yardstick: with Poisson arrivals every server is an
//! M/M/1 queue, and a strategy that knows something has to be better than that.

use super::catalogue::{Needs, StrategyInfo};
use super::{Choose, Pick, State};
use base::Draw;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "random",
    summary: "each host equally likely, every time",
    explanation: "Needs no state and no news. With Poisson arrivals each server is an M/M/1 queue of its own: at \
                  90 % load a request spends ten service times in the system. The yardstick for all others. \
                  (HAProxy's random draws places on a hash ring, whose parts are not equal: haproxy_random.)",
    source: "Envoy random (random_lb.cc)",
    weighted: false,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::Random(Random),
};

#[derive(Debug)]
pub(crate) struct Random;

impl Choose for Random {
    const FOLLOWS: bool = false;

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        Some(pick.rng.below(pick.hosts.len() as u32) as usize)
    }
}
