//! After a rollback the earlier version has all its instances and all the traffic, and the other has none.
//!
//! Judged when calm ends, for every rollout that says it was rolled back.

use super::state::State;
use crate::catalogue::{After, Invariant};
use crate::process::rollout::Controller;
use base::Ratio;
use rollout::Phase;

/// Calm is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    let controllers: Vec<&Controller> = world.processes.all().collect();
    for (i, controller) in controllers.iter().enumerate() {
        if controller.phase() != Phase::RolledBack {
            continue;
        }
        let plan = controller.plan();
        let (service, from, to, wanted) = (plan.service, plan.from, plan.to, plan.replicas);
        let name = world.data.services[service.index()].name.clone();
        // A later rollout of the same service may have moved on from what this one restored.
        if controllers[i + 1..].iter().any(|later| later.service() == service && later.has_acted()) {
            continue;
        }
        let (old, new) = (world.data.present(service, from).len() as u32, world.data.present(service, to).len() as u32);
        world.sim.checks.test(Invariant::RollbackRestores, &world.sim.kernel, (old, new) == (wanted, 0), || {
            format!("after its rollback {name} has {old} instances of {from} and {new} of {to}, not {wanted} and 0")
        });
        for caller in &world.data.callers {
            let Some(upstream) = caller.upstream(service) else { continue };
            if world.sim.kernel.nodes().is_dead(caller.node) {
                continue;
            }
            let share = match caller.upstreams[upstream].shares() {
                Some(shares) => shares.iter().find(|(v, _)| *v == to).map_or(Ratio::ZERO, |(_, share)| *share),
                None => Ratio::ZERO,
            };
            world.sim.checks.test(Invariant::RollbackRestores, &world.sim.kernel, share == Ratio::ZERO, || {
                format!("after the rollback {} still sends {share} of {name} to {to}", caller.name)
            });
        }
    }
}
