//! What a kind of process declares beside its code: the nodes it has of its own, and beside whom it runs.

use super::Process;
use super::table::Processes;
use crate::data::{Data, Occupant};
use crate::role::Role;
use crate::sim::Sim;
use crate::spec::Spec;
use crate::wire::ProcessId;
use base::NodeId;
use std::rc::Rc;

/// A kind of process, declared.
pub(crate) struct Kind {
    /// The role of its own nodes, for kinds that have any.
    pub(crate) role: Option<&'static Role>,
    /// Puts it where it runs by itself: on nodes of its own, or on none.
    pub(crate) place: fn(&mut Placing<'_>),
    /// What of it runs beside an instance or a caller.
    pub(crate) beside: fn(&Beside<'_>) -> Vec<Box<dyn Process>>,
}

impl Kind {
    /// A kind that runs nowhere: what a declaration starts from.
    pub(crate) const NOWHERE: Kind = Kind { role: None, place: |_| {}, beside: |_| Vec::new() };
}

/// Where processes are placed before a run begins.
pub(crate) struct Placing<'a> {
    pub(crate) sim: &'a mut Sim,
    pub(crate) data: &'a mut Data,
    pub(crate) processes: &'a mut Processes,
}

impl Placing<'_> {
    /// What there is to be.
    pub(crate) fn spec(&self) -> Rc<Spec> {
        self.sim.spec.clone()
    }

    /// Makes the next node of a role, and puts on it what `processes` makes for it. The directory then lists them under
    /// the role, in this order.
    pub(crate) fn on_own_node(&mut self, role: &'static Role, processes: impl FnOnce(NodeId) -> Vec<Box<dyn Process>>) {
        let nth = self.sim.directory.nodes(role);
        let node = self.data.add_node(self.sim, role, "", nth, Occupant::Processes);
        let added = self.processes.add(node, processes(node));
        self.sim.directory.add(role, node, added.map(ProcessId));
    }

    /// Puts a process on no node.
    pub(crate) fn on_no_node(&mut self, process: Box<dyn Process>) {
        self.processes.add_outside(process);
    }
}

/// A node on which an instance or another caller has just been made.
pub(crate) struct Beside<'a> {
    pub(crate) sim: &'a Sim,
    pub(crate) data: &'a Data,
    pub(crate) node: NodeId,
}
