//! Every request ends exactly once, in exactly one outcome, and none is lost.
//!
//! Counted where requests end, and settled when the run is over: nothing ended twice, and what has not ended has
//! somebody who works on it, or a timeout that will end it. A request that waits for ever (a caller without a timeout,
//! and a machine that died without a word) is a violation, because a user would say so. One that still waits in a queue
//! is unfinished, which `backlog_drains` is about.

use super::state::State;
use crate::catalogue::{After, Invariant};
use crate::data::call::name_of;

/// The run is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    let Some(open) = &world.data.open else { return };
    let (lost, oldest) = world.data.lost_requests(open);
    world.sim.checks.test(Invariant::EveryRequestEndsOnce, &world.sim.kernel, lost == 0, || {
        let (key, started) = oldest.expect("one of them is the oldest");
        format!("{lost} requests never end; the oldest, {}, began at {started}", name_of(key))
    });
    let (open, there) = (world.data.metrics.in_flight(), world.data.open_requests().count() as u64);
    world.sim.checks.test(Invariant::EveryRequestEndsOnce, &world.sim.kernel, open == there, || {
        format!("{open} requests are counted as under way, and there are {there}")
    });
    let (arrived, ended) = (world.data.metrics.arrived, world.data.metrics.ended);
    world.sim.checks.test(Invariant::EveryRequestEndsOnce, &world.sim.kernel, arrived == ended + open, || {
        format!("{arrived} requests arrived, {ended} ended and {open} are under way")
    });
}
