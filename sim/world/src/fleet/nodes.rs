//! The death and return of machines, as the fleet has to do with them.

use super::{Notice, Site};
use crate::catalogue::Probe;
use crate::data::Occupant;
use crate::data::instance::Life;
use crate::outcome::Exposure;
use crate::sabotage::Sabotage;
use crate::wire::Msg;
use base::{InstanceId, NodeId};
use kernel::Crash;

impl Site<'_> {
    /// A node went down.
    pub(crate) fn node_down(&mut self, node: NodeId, crash: Crash) {
        let now = self.sim.kernel.now();
        self.sim.kernel.trace_mut().note(now, Some(node), "down", || format!("{crash:?}"));
        if let Occupant::Instance(id) = self.data.occupants[node.index()]
            && self.instance_down(id, crash)
        {
            return;
        }
        self.guests.down(self.sim, self.data, self.fleet, node, crash);
        self.forget_calls(node);
    }

    /// The machine of an instance went down; true when that was the end of it.
    fn instance_down(&mut self, id: InstanceId, crash: Crash) -> bool {
        self.data.lose_jobs(self.sim, id, crash == Crash::Process);
        let service = self.data.instances[id.index()].service();
        if self.data.services[service.index()].is_registered {
            self.sim.checks.reached(Probe::InstanceDied);
        }
        let instance = &mut self.data.instances[id.index()];
        if matches!(instance.life, Life::Draining | Life::Closing) {
            // It was on its way out; nobody restarts it.
            self.leave(id);
            return true;
        }
        if instance.life == Life::Serving {
            self.data.dead += 1;
            self.data.records[id.index()].died = Some(self.data.exposures.len());
            let (instance, died) = (self.data.records[id.index()].name.clone(), self.sim.kernel.now());
            self.data.exposures.push(Exposure { instance, died, last_sent: None, attempts: 0 });
        }
        let instance = &mut self.data.instances[id.index()];
        instance.life = Life::Starting;
        self.tell(Notice::Changed(service));
        false
    }

    /// A node came up again.
    pub(crate) fn node_up(&mut self, node: NodeId) {
        let now = self.sim.kernel.now();
        self.sim.kernel.trace_mut().note(now, Some(node), "up", String::new);
        if let Some(caller) = self.data.caller_at(node) {
            self.read_splits(caller);
        }
        self.guests.boot(self.sim, self.data, self.fleet, node);
        match self.data.occupants[node.index()] {
            Occupant::Instance(id) => {
                if self.sim.sabotage == Some(Sabotage::NeverComeBack) {
                    return;
                }
                self.data.records[id.index()].up_since = now;
                let service = self.data.instances[id.index()].service();
                let start_up = self.fleet.services[service.index()].template.start_up;
                self.sim.kernel.work_after(node, start_up, Msg::Started(id));
            }
            Occupant::Source => {
                self.begin_calling(node);
                if let Some(caller) = self.data.caller_at(node) {
                    self.data.users_come_back(self.sim, caller);
                }
            }
            Occupant::Processes => {}
        }
    }
}
