//! When calm ends, every caller's view is what the registry lists, and the registry lists exactly the living.
//!
//! Compared are the sets of instances that may be chosen. A caller that is down at the end has no view to compare.

use super::list::{After, Invariant};
use crate::instance::{Life, Record};
use crate::world::World;
use base::{InstanceId, ServiceId};

/// Calm is over.
pub(crate) fn judge(world: &mut World, _: After) {
    for service in (0..world.services.len() as u32).map(ServiceId) {
        let living: Vec<InstanceId> = world
            .instances_of(service)
            .filter(|&id| {
                let instance = &world.instances[id.index()];
                instance.life == Life::Serving && !world.kernel.nodes().is_dead(instance.node)
            })
            .collect();
        let name = world.services[service.index()].name.clone();
        if !world.services[service.index()].is_gateway {
            for server in 0..world.servers.len() {
                let Some(listed) = world.listed_by(server, service) else { continue };
                world.checks.test(Invariant::ViewsConverge, &world.kernel, listed == living, || {
                    let (listed, living) = (names(&world.records, &listed), names(&world.records, &living));
                    format!("registry-{} lists {listed} for {name}, alive are {living}", server + 1)
                });
            }
        }
        for caller in &world.callers {
            let Some(upstream) = caller.upstream(service) else { continue };
            if world.kernel.nodes().is_dead(caller.node) {
                continue;
            }
            let view = caller.upstreams[upstream].view();
            let seen: Vec<InstanceId> = view.map(|v| v.open().map(|e| e.instance).collect()).unwrap_or_default();
            world.checks.test(Invariant::ViewsConverge, &world.kernel, seen == living, || {
                let (seen, living) = (names(&world.records, &seen), names(&world.records, &living));
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
