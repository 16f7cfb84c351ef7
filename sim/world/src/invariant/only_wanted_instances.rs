//! When calm ends, a service has exactly the instances that its last settled rollout wants, and those that are up
//! serve.
//!
//! A service whose last rollout is still under way is left out, since `rollout_settles` speaks of that one. Instances
//! on their way out do not count, nor do those whose machine is down.

use super::state::State;
use crate::catalogue::{After, Invariant};
use crate::data::instance::Life;
use crate::process::rollout::Controller;
use base::{Duration, InstanceId, ServiceId, VersionId};
use rollout::Phase;

/// Beyond its start-up, how long an instance may take to serve: messages and clocks that drift.
const MARGIN: Duration = Duration::secs(1);

/// Calm is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    let phases: Vec<Phase> = world.processes.all::<Controller>().map(Controller::phase).collect();
    for service in (0..world.data.services.len() as u32).map(ServiceId) {
        let (state, name) = (&world.fleet.services[service.index()], &world.data.services[service.index()].name);
        let last = state.last_begun.map(|index| phases[index as usize]);
        if last.is_some_and(|phase| !matches!(phase, Phase::Completed | Phase::RolledBack)) {
            continue;
        }
        let settled = state.settled;
        for version in (0..state.desired.len() as u32).map(VersionId) {
            let (present, wanted) =
                (world.data.present(service, version).len() as u32, if version == settled { state.wanted } else { 0 });
            world.sim.checks.test(Invariant::OnlyWantedInstances, &world.sim.kernel, present == wanted, || {
                let named = world.sim.spec.version_name(service, version);
                let left_at = if version == settled { ", at which it was left," } else { "," };
                format!("{name} has {present} instances of {named}{left_at} and {wanted} are wanted")
            });
        }
        let latest = world.sim.kernel.now();
        let slow = state.template.start_up + MARGIN;
        let idle = |id: &InstanceId| {
            let (instance, record) = (&world.data.instances[id.index()], &world.data.records[id.index()]);
            instance.life == Life::Starting
                && world.sim.kernel.nodes().is_running(instance.node)
                && latest.saturating_since(record.up_since) > slow
        };
        let stuck: Vec<InstanceId> = world.data.instances_of(service).filter(idle).collect();
        world.sim.checks.test(Invariant::OnlyWantedInstances, &world.sim.kernel, stuck.is_empty(), || {
            let names: Vec<&str> = stuck.iter().map(|id| world.data.records[id.index()].name.as_str()).collect();
            format!("{} is up for longer than its start-up, and does not serve", names.join(", "))
        });
    }
}
