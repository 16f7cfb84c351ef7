//! After a rollback the earlier version has all its instances and all the traffic, and the other has none.
//!
//! Judged when calm ends, for every rollout that says it was rolled back.

use super::list::{After, Invariant};
use crate::world::World;
use base::Ratio;
use rollout::Phase;

/// Calm is over.
pub(crate) fn judge(world: &mut World, _: After) {
    for i in 0..world.controllers.len() {
        let controller = &world.controllers[i];
        if controller.phase() != Phase::RolledBack {
            continue;
        }
        let plan = controller.plan();
        let (service, from, to, wanted) = (plan.service, plan.from, plan.to, plan.replicas);
        let name = world.services[service.index()].name.clone();
        // A later rollout of the same service may have moved on from what this one restored.
        if world.controllers[i + 1..].iter().any(|later| later.service() == service && later.has_acted()) {
            continue;
        }
        let (old, new) = (world.present(service, from).len() as u32, world.present(service, to).len() as u32);
        world.checks.test(Invariant::RollbackRestores, &world.kernel, (old, new) == (wanted, 0), || {
            format!("after its rollback {name} has {old} instances of {from} and {new} of {to}, not {wanted} and 0")
        });
        for caller in &world.callers {
            let Some(upstream) = caller.upstream(service) else { continue };
            if world.kernel.nodes().is_dead(caller.node) {
                continue;
            }
            let share = match caller.upstreams[upstream].shares() {
                Some(shares) => shares.iter().find(|(v, _)| *v == to).map_or(Ratio::ZERO, |(_, share)| *share),
                None => Ratio::ZERO,
            };
            world.checks.test(Invariant::RollbackRestores, &world.kernel, share == Ratio::ZERO, || {
                format!("after the rollback {} still sends {share} of {name} to {to}", caller.name)
            });
        }
    }
}
