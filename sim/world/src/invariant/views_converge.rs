//! When calm ends, every caller's view is what the registry lists, and the registry lists exactly the living.
//!
//! Compared are the sets of instances that may be chosen. A caller that is down at the end has no view to compare.

use super::state::State;
use crate::catalogue::{After, Invariant};
use crate::data::instance::{Life, Record};
use crate::process::registry::RegistryServer;
use base::{InstanceId, ServiceId};

/// Calm is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    for service in (0..world.data.services.len() as u32).map(ServiceId) {
        let living: Vec<InstanceId> = world
            .data
            .instances_of(service)
            .filter(|&id| {
                let instance = &world.data.instances[id.index()];
                instance.life == Life::Serving && !world.sim.kernel.nodes().is_dead(instance.node)
            })
            .collect();
        let name = world.data.services[service.index()].name.clone();
        if world.data.services[service.index()].is_registered {
            let up = |server: &&RegistryServer| !world.sim.kernel.nodes().is_dead(server.node);
            let servers: Vec<&RegistryServer> = world.processes.all().filter(up).collect();
            for server in servers {
                let listed = server.listed(world.data.instances_of(service));
                world.sim.checks.test(Invariant::ViewsConverge, &world.sim.kernel, listed == living, || {
                    let (listed, living) = (names(&world.data.records, &listed), names(&world.data.records, &living));
                    let server = world.sim.kernel.nodes().name(server.node);
                    format!("{server} lists {listed} for {name}, alive are {living}")
                });
            }
        }
        for caller in &world.data.callers {
            let Some(upstream) = caller.upstream(service) else { continue };
            if world.sim.kernel.nodes().is_dead(caller.node) {
                continue;
            }
            let view = caller.upstreams[upstream].view();
            let seen: Vec<InstanceId> = view.map(|v| v.open().map(|e| e.instance).collect()).unwrap_or_default();
            world.sim.checks.test(Invariant::ViewsConverge, &world.sim.kernel, seen == living, || {
                let (seen, living) = (names(&world.data.records, &seen), names(&world.data.records, &living));
                format!("{} sees {seen} for {name}, alive are {living}", caller.name)
            });
        }
    }
}

/// The instances' names, in order.
fn names(records: &[Record], ids: &[InstanceId]) -> String {
    let names: Vec<&str> = ids.iter().map(|id| records[id.index()].name.as_str()).collect();
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}
