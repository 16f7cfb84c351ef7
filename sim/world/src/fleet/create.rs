//! Instances come into being, start up, and serve.

use super::{Notice, Site};
use crate::data::Occupant;
use crate::data::instance::{Baseline, Instance, Life, Place, Record};
use crate::data::sharing::Processors;
use crate::wire::Msg;
use base::{Duration, InstanceId, Instant, NodeId, ServiceId, VersionId};

impl Site<'_> {
    /// Creates an instance; it begins to serve after `start_up`, or when somebody else says so.
    pub(crate) fn create(&mut self, service: ServiceId, version: VersionId, start_up: Option<Duration>) -> InstanceId {
        let (sim, data) = (&mut *self.sim, &mut *self.data);
        let (state, managed) = (&mut data.services[service.index()], &mut self.fleet.services[service.index()]);
        let (id, nth) = (InstanceId(data.instances.len() as u32), managed.created);
        managed.created += 1;
        state.instances.push(id);
        let name = format!("{}-{}", state.name, nth + 1);
        let node = sim.kernel.add_node(name.clone(), sim.spec.zone_in_turn(nth), vec![state.name.clone()]);
        let (weight, speed) = (managed.template.weight(nth), managed.template.speed(nth));
        if speed != 1.0 {
            sim.kernel.set_slowdown(node, 1.0 / speed);
        }
        sim.keys.add(sim.seed, &name);
        data.occupants.push(Occupant::Instance(id));
        data.instances.push(Instance::new(service, version, node, state.concurrency, state.queue_limit));
        if let Some(count) = state.processors {
            data.processors.resize_with(id.index(), || None);
            data.processors.push(Some(Box::new(Processors::new(count))));
        }
        data.places.push(Place { node, version: version.0 as u16 });
        data.taken.push(0);
        data.finished.push(0);
        data.records.push(Record {
            name,
            weight,
            caller: None,
            serving_since: Instant::ZERO,
            up_since: sim.kernel.now(),
            lost: 0,
            expired: 0,
            died: None,
            steps_before: data.metrics.timeline.arrived.len(),
            per_step: Vec::new(),
            in_system_per_step: Vec::new(),
            taken_before_step: 0,
            baseline: Baseline { at: sim.kernel.now(), ..Baseline::default() },
            averages: None,
            areas: (0, 0),
        });
        data.instances[id.index()].sum_areas(sim.kernel.now(), &mut data.records, id);
        self.make_caller(id, node, nth);
        if let Some(start_up) = start_up {
            self.sim.kernel.work_after(node, start_up, Msg::Started(id));
        }
        self.tell(Notice::Created(node));
        id
    }

    /// An instance that needs other services is a caller of them.
    fn make_caller(&mut self, id: InstanceId, node: NodeId, nth: u32) {
        let service = self.data.instances[id.index()].service();
        let downstream = self.data.services[service.index()].downstream.clone();
        if !downstream.is_empty() {
            let peers = self.peers(node, nth, self.wanted_at_start(service));
            let caller = self.add_caller(node, &downstream, peers);
            self.data.records[id.index()].caller = Some(caller);
        }
    }

    /// How many instances of a service there are at the start.
    fn wanted_at_start(&self, service: ServiceId) -> u32 {
        match self.sim.spec.services.get(service.index()) {
            Some(service) => service.instances,
            None => self.sim.spec.gateway.as_ref().map_or(1, |gateway| gateway.instances),
        }
    }

    /// Everything that was built serves from the first moment. Where callers know the truth they are told it once.
    pub(crate) fn start_all(&mut self) {
        for id in 0..self.data.instances.len() {
            self.data.instances[id].life = Life::Serving;
            self.tell(Notice::Serving(self.data.instances[id].node));
        }
        for caller in 0..self.data.callers.len() {
            self.tell(Notice::Calling(self.data.callers[caller].node));
        }
        for service in 0..self.data.services.len() as u32 {
            self.tell(Notice::Changed(ServiceId(service)));
        }
    }

    /// An instance has started up, for the first time or after its machine came back.
    pub(crate) fn started(&mut self, id: InstanceId) {
        if self.data.records[id.index()].died.take().is_some() {
            self.data.dead -= 1;
        }
        let instance = &mut self.data.instances[id.index()];
        if instance.life != Life::Starting {
            return;
        }
        instance.life = Life::Serving;
        let (node, service) = (instance.node, instance.service());
        self.data.records[id.index()].serving_since = self.sim.kernel.now();
        if self.data.records[id.index()].caller.is_some() {
            self.begin_calling(node);
        }
        self.tell(Notice::Serving(node));
        self.tell(Notice::Changed(service));
    }

    /// The caller on a node begins to call. It learns the truth about what no registry tells it.
    pub(super) fn begin_calling(&mut self, node: NodeId) {
        self.tell(Notice::Calling(node));
        let Some(caller) = self.data.caller_at(node) else { return };
        let services: Vec<ServiceId> =
            self.data.callers[caller as usize].upstreams.iter().map(|upstream| upstream.service).collect();
        services.into_iter().for_each(|service| self.tell(Notice::Changed(service)));
    }
}
