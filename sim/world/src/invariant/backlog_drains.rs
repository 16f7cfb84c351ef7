//! When the run ends, no request is queued, at work or on its way.
//!
//! Tested only where a scenario asks for it: an overload on purpose leaves a backlog, and breaks no promise.

use super::state::State;
use crate::catalogue::{After, Invariant};
use crate::data::metrics::End;

/// The run is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    if !world.sim.spec.expect.checks.iter().any(|(_, name)| name == Invariant::BacklogDrains.name()) {
        return;
    }
    let Some(open) = &world.data.open else { return };
    let left = world.data.open_requests().filter(|(id, _)| open.end_of(*id) == End::Unfinished).count();
    world.sim.checks.test(Invariant::BacklogDrains, &world.sim.kernel, left == 0, || {
        format!("{left} requests are still queued, at work or on their way")
    });
}
