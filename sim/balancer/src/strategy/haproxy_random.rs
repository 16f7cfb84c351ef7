//! HAProxy's random: places drawn on its hash ring, and the less busy of their servers.
//!
//! `balance random` draws a 32-bit number and asks the ring of `hash-type consistent` whose it is, `draws` times
//! (`src/backend.c`, `get_server_rnd`). A server is therefore as likely as its part of the ring is long, and with the
//! 16 points of weight one the parts differ: ten servers of HAProxy 2.6 get 7 to 14 % each. Draws are independent, so
//! that a server may be drawn twice; of two servers the one with fewer requests for its weight wins, and the later draw
//! wins a tie.

use super::catalogue::{Needs, StrategyInfo};
use super::hashed::HostTable;
use super::parameter::{Kind as Takes, Parameter, Value};
use super::{Choose, Pick, State};
use crate::Rebuilds;
use crate::hashing::{Haproxy, Kind};
use crate::hosts::Hosts;
use base::{Draw, Instant};

/// How many servers further along the ring a draw goes to avoid those that were tried. More than two are never tried,
/// and the points of three servers soon follow each other.
const STEPS_MAX: u32 = 32;

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "haproxy_random",
    summary: "the less busy of two hosts, drawn by their parts of a hash ring, as HAProxy random",
    explanation: "Each draw is a place on the ring of `haproxy`, so that a host is as likely as its part of the ring: with \
                  weights of one, which are 16 points each, ten hosts get 7 to 14 %. Give all hosts a weight of 100 to make \
                  them nearly even. `draws` hosts (2) are drawn with replacement; the one with the fewest requests for its \
                  weight wins, the later draw when equal. With draws = 1 nothing but the ring decides.",
    source: "HAProxy random(draws) (src/backend.c, get_server_rnd); its default where a file names no balance, since 3.3",
    weighted: true,
    parameters: &[Parameter {
        name: "draws",
        kind: Takes::Count { min: 1, max: 1_000 },
        default: Value::Count(2),
        summary: "how many hosts are drawn",
    }],
    needs: Needs::NOTHING,
    make: |values, _| {
        let draws = values.count("draws") as u32;
        State::HaproxyRandom(HaproxyRandom { draws, host_table: None, rebuilds: Rebuilds::default() })
    },
};

/// The structure it draws from, if `name` is its own.
pub(super) fn ring_of(name: &str) -> Option<Kind> {
    (name == INFO.name).then_some(Kind::Haproxy)
}

#[derive(Debug)]
pub(crate) struct HaproxyRandom {
    draws: u32,
    host_table: Option<HostTable>,
    rebuilds: Rebuilds,
}

impl Choose for HaproxyRandom {
    const FOLLOWS: bool = false;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        HostTable::refresh(&mut self.host_table, &mut self.rebuilds, Kind::Haproxy, hosts);
    }

    #[inline]
    fn pick(&mut self, pick: Pick<'_>) -> Option<usize> {
        let (host_table, hosts) = (self.host_table.as_ref()?, pick.hosts);
        // Compared as served / weight, without the division.
        let load = |of: usize, by: usize| {
            u64::from(hosts.outstanding()[of]) * u64::from(hosts.weight(by).min(Haproxy::WEIGHT_MAX))
        };
        let mut best = None;
        for _ in 0..self.draws {
            let drawn = owner(host_table, pick.rng.next_u64() as u32, &pick);
            best = match best {
                Some(best) if load(drawn, best) > load(best, drawn) => Some(best),
                _ => Some(drawn),
            };
        }
        best
    }

    fn rebuilds(&self) -> Rebuilds {
        self.rebuilds
    }

    fn bytes(&self) -> usize {
        self.host_table.as_ref().map_or(0, HostTable::bytes)
    }
}

/// The host at `place` of the ring, or behind it the next that was not tried (`chash_get_server_hash`, `avoid`).
#[inline]
fn owner(host_table: &HostTable, place: u32, pick: &Pick<'_>) -> usize {
    let owner = host_table.lookup(place.into());
    if pick.tried.is_empty() {
        return owner;
    }
    let mut further = (0..STEPS_MAX).map(|step| host_table.lookup_attempt(place.into(), step));
    further.find(|&host| !pick.was_tried(host)).unwrap_or(owner)
}
