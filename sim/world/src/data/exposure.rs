//! Exposure: how long instances that are dead go on being sent requests, because views are late.

use super::Data;
use crate::catalogue::Probe;
use crate::sim::Sim;
use base::{InstanceId, NodeId};

impl Data {
    /// A request is sent while some instance is dead: is it to that one?
    #[cold]
    pub(crate) fn note_exposure(&mut self, sim: &mut Sim, id: InstanceId, node: NodeId) {
        if !sim.kernel.nodes().is_dead(node) {
            return;
        }
        let Some(index) = self.records[id.index()].died else { return };
        self.exposures[index].attempts += 1;
        self.exposures[index].last_sent = Some(sim.kernel.now());
        sim.checks.reached(Probe::StaleViewUsed);
    }
}
