//! When calm ends, every rollout has completed, was rolled back, or has said that it failed or is overdue.
//!
//! A rollout that waits for a lock nobody will release, or for instances nobody will start, has not settled.

use super::{CheckKind, Info, index_of};
use crate::world::World;

pub(crate) const INFO: Info = Info {
    kind: CheckKind::Eventually,
    name: "rollout_settles",
    sentence: "when calm ends, every rollout has completed, was rolled back, or has said that it failed or is overdue",
};
const INDEX: usize = index_of(INFO.name);

/// Calm is over.
pub(crate) fn settle(world: &mut World) {
    for controller in &world.controllers {
        let phase = controller.phase();
        let service = &world.services[controller.service().index()].name;
        let settled = phase.is_terminal() || controller.is_overdue();
        world.checks.test(INDEX, &world.kernel, settled, || {
            format!("the rollout of {service} is still {phase} when calm ends")
        });
    }
}
