//! Instances are told to stop, drain, and leave for good.

use super::{Notice, Site};
use crate::data::instance::Life;
use crate::spec::Draining;
use crate::wire::Msg;
use base::InstanceId;

impl Site<'_> {
    /// Tells an instance to stop.
    pub(super) fn stop(&mut self, id: InstanceId) {
        let instance = &mut self.data.instances[id.index()];
        let (node, service) = (instance.node, instance.service());
        let serving = instance.life == Life::Serving;
        let template = &self.fleet.services[service.index()].template;
        let (refuses, grace) = (template.draining == Draining::Refuses, template.grace);
        instance.life = if refuses { Life::Closing } else { Life::Draining };
        if self.sim.kernel.nodes().is_dead(node) || !serving {
            // Nobody is there to drain; what is left of it is cleared away.
            self.leave(id);
            return;
        }
        // The signal reaches a process that runs; one that is paused hears it when it goes on.
        let is_running = self.sim.kernel.nodes().is_running(node);
        if is_running || self.sim.spec.registry.is_none() {
            self.hear_stop(id);
        } else {
            self.sim.kernel.hand(node, Msg::Stop(id));
        }
        if refuses && is_running && self.data.instances[id.index()].in_system() == 0 {
            self.leave(id);
            return;
        }
        self.sim.kernel.timer_after(node, grace, None, Msg::GraceOver(id));
    }

    /// The process of an instance hears that it is to stop.
    pub(crate) fn hear_stop(&mut self, id: InstanceId) {
        let (node, service) = (self.data.instances[id.index()].node, self.data.instances[id.index()].service());
        self.tell(Notice::Changed(service));
        self.tell(Notice::Stopping(node));
    }

    /// The grace of an instance that was told to stop is over: it is killed.
    pub(crate) fn grace_over(&mut self, id: InstanceId) {
        if matches!(self.data.instances[id.index()].life, Life::Draining | Life::Closing) {
            self.leave(id);
        }
    }

    /// Closing instances that have answered the last of their requests leave.
    #[cold]
    pub(crate) fn idle_leave(&mut self) {
        while !self.data.idle.is_empty() {
            for id in std::mem::take(&mut self.data.idle) {
                let instance = &self.data.instances[id.index()];
                if instance.life == Life::Closing && instance.in_system() == 0 {
                    self.leave(id);
                }
            }
        }
    }

    /// An instance leaves for good.
    pub(super) fn leave(&mut self, id: InstanceId) {
        let node = self.data.instances[id.index()].node;
        self.data.lose_jobs(self.sim, id, true);
        self.data.instances[id.index()].life = Life::Gone;
        self.data.end_averages(self.sim, id);
        self.sim.kernel.remove_node(node);
        self.forget_calls(node);
        self.tell(Notice::Left(node));
        let service = self.data.instances[id.index()].service();
        self.tell(Notice::Changed(service));
    }
}
