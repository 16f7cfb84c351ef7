//! Which processes run where: on nodes of their own, beside instances and callers, or on none.

use super::locks::LockStore;
use super::registrant::Registrant;
use super::registry::RegistryServer;
use super::resolver::Resolver;
use super::rollout::Controller;
use super::truth::Truth;
use super::{Process, Processes};
use crate::data::{Data, Role};
use crate::sim::Sim;
use base::{NodeId, VersionId};
use rollout::Plan;

/// The servers of the registry, each on its own node.
pub(crate) fn registry(sim: &mut Sim, processes: &mut Processes, nodes: &[NodeId]) {
    let Some(spec) = &sim.spec.registry else { return };
    let add = |(number, &node): (usize, &NodeId)| {
        let me = processes.next();
        processes.add(node, vec![Box::new(RegistryServer::new(node, number as u32, me, spec.server.clone()))]);
        (node, me)
    };
    sim.directory.registry = nodes.iter().enumerate().map(add).collect();
}

/// The lock store on its node, and the controllers of all rollouts on theirs.
pub(crate) fn rollouts(sim: &Sim, processes: &mut Processes, locks: NodeId, controllers: NodeId) {
    let store = (locks, processes.next());
    processes.add(locks, vec![Box::new(LockStore::new(store.1))]);
    let controller = |(number, rollout): (usize, &crate::spec::RolloutSpec)| -> Box<dyn Process> {
        let service = &sim.spec.services[rollout.service.index()];
        // Which version it starts from is read when it gets the lock.
        let mut plan =
            Plan::new(rollout.service, VersionId(0), rollout.to, service.instances, rollout.strategy.clone());
        plan.analysis = rollout.analysis;
        plan.progress_deadline = rollout.progress_deadline;
        plan.auto_rollback = rollout.auto_rollback;
        plan.min_ready = rollout.min_ready;
        Box::new(Controller::new(controllers, number as u32, rollout.at, plan, store))
    };
    processes.add(controllers, sim.spec.rollouts.iter().enumerate().map(controller).collect());
}

/// What runs on no node.
pub(crate) fn outside(processes: &mut Processes) {
    processes.add_outside(Box::new(Truth::default()));
}

/// What runs beside an instance, or beside a caller of any other kind.
pub(crate) fn beside(sim: &Sim, data: &Data, node: NodeId) -> Vec<Box<dyn Process>> {
    if sim.spec.registry.is_none() {
        return Vec::new();
    }
    let mut processes: Vec<Box<dyn Process>> = Vec::new();
    if matches!(data.roles[node.index()], Role::Instance(_)) {
        for number in 0..sim.directory.registry.len() as u32 {
            processes.push(Box::new(Registrant::new(number)));
        }
    }
    if data.caller_at(node).is_some() {
        processes.push(Box::new(Resolver::default()));
    }
    processes
}
