//! When calm ends, every rollout has completed, was rolled back, or has said that it failed or is overdue.
//!
//! A rollout that waits for a lock nobody will release, or for instances nobody will start, has not settled.

use super::state::State;
use crate::catalogue::{After, Invariant};
use crate::process::rollout::Controller;

/// Calm is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    for controller in world.processes.all::<Controller>() {
        let phase = controller.phase();
        let service = &world.data.services[controller.service().index()].name;
        let settled = phase.is_terminal() || controller.is_overdue();
        world.sim.checks.test(Invariant::RolloutSettles, &world.sim.kernel, settled, || {
            format!("the rollout of {service} is still {phase} when calm ends")
        });
    }
}
