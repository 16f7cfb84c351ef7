//! When the run ends, no request is queued, at work or on its way.
//!
//! Tested only where a scenario asks for it: an overload on purpose leaves a backlog, and breaks no promise.

use super::{CheckKind, Info, index_of};
use crate::metrics::End;
use crate::unfinished::OpenCalls;
use crate::world::World;

pub(crate) const INFO: Info = Info {
    kind: CheckKind::Eventually,
    name: "backlog_drains",
    sentence: "when the run ends, no request is queued, at work or on its way; tested only where it is asked for",
};
const INDEX: usize = index_of(INFO.name);

/// The run is over.
pub(crate) fn settle(world: &mut World, open: &OpenCalls) {
    if !world.spec.expect.checks.iter().any(|(_, name)| name == INFO.name) {
        return;
    }
    let left = world.open_requests().filter(|(id, _)| open.end_of(*id) == End::Unfinished).count();
    world
        .checks
        .test(INDEX, &world.kernel, left == 0, || format!("{left} requests are still queued, at work or on their way"));
}
