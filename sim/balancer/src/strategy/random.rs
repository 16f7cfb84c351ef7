//! Random: each host equally likely, every time, whatever happened before.
//!
//! It needs no state and no news from anywhere, which makes it the yardstick: with Poisson arrivals every server is an
//! M/M/1 queue, and a strategy that knows something has to be better than that.

use crate::hosts::Hosts;
use base::{Draw, Rng};

#[derive(Debug)]
pub(crate) struct Random;

impl Random {
    #[inline]
    pub(crate) fn pick(&self, hosts: &Hosts, rng: &mut Rng) -> usize {
        rng.below(hosts.len() as u32) as usize
    }
}
