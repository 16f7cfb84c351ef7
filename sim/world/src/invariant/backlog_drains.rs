//! When the run ends, no request is queued, at work or on its way.
//!
//! Tested only where a scenario asks for it: an overload on purpose leaves a backlog, and breaks no promise.

use super::list::{After, Invariant};
use crate::metrics::End;
use crate::world::World;

/// The run is over.
pub(crate) fn judge(world: &mut World, _: After) {
    if !world.spec.expect.checks.iter().any(|(_, name)| name == Invariant::BacklogDrains.name()) {
        return;
    }
    let Some(open) = &world.open else { return };
    let left = world.open_requests().filter(|(id, _)| open.end_of(*id) == End::Unfinished).count();
    world.checks.test(Invariant::BacklogDrains, &world.kernel, left == 0, || {
        format!("{left} requests are still queued, at work or on their way")
    });
}
