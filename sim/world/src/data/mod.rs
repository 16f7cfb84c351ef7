//! The life of a request: calls, instances, callers, loads. Hot: monomorphic, in place, without allocation.

pub(crate) mod call;
pub(crate) mod caller;
pub(crate) mod date;
pub(crate) mod demand;
mod exposure;
pub(crate) mod instance;
pub(crate) mod load;
pub(crate) mod measure;
pub(crate) mod metrics;
pub(crate) mod pending;
pub(crate) mod probe;
pub(crate) mod report;
pub(crate) mod retry_state;
pub(crate) mod service;
pub(crate) mod sharing;
pub(crate) mod unfinished;

use crate::outcome::Exposure;
use crate::role::Role;
use crate::sim::Sim;
use crate::slab::Slab;
use crate::wire::{OfCalls, OfJobs};
use base::{InstanceId, Instant, Key, NodeId, ServiceId};
use call::Call;
use caller::Caller;
use instance::{Instance, Job, Place, Record};
use load::Load;
use metrics::{Metrics, ServiceMetrics};
use probe::Probes;
use registry::Endpoint;
use report::Reports;
use retry_state::RetryState;
use service::Service;
use sharing::Processors;
use unfinished::OpenCalls;

/// What a node is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occupant {
    /// An instance of a service; gateways are instances too.
    Instance(InstanceId),
    /// A source of load.
    Source,
    /// Nothing that requests touch: only processes run there.
    Processes,
}

/// Everything that requests touch.
#[derive(Debug)]
pub(crate) struct Data {
    /// By node.
    pub(crate) occupants: Vec<Occupant>,
    pub(crate) calls: Slab<Call, OfCalls>,
    pub(crate) retry_states: Vec<RetryState>,
    pub(crate) reports: Reports,
    pub(crate) probes: Probes,
    pub(crate) jobs: Slab<Job, OfJobs>,
    /// By slot of the job, until when its caller waits, on the instance's clock. Empty unless deadlines travel.
    pub(crate) deadlines: Vec<Instant>,
    /// Whether the callers of any service say how long they wait.
    pub(crate) deadlines_travel: bool,
    pub(crate) instances: Vec<Instance>,
    /// By instance, where requests share them; may be shorter than `instances`.
    pub(crate) processors: Vec<Option<Box<Processors>>>,
    /// Where each instance is and what it runs: all that sending a request to it asks.
    pub(crate) places: Vec<Place>,
    /// Requests each instance let in, and of those, answered.
    pub(crate) taken: Vec<u64>,
    pub(crate) finished: Vec<u64>,
    /// Closing instances that have answered the last of their requests in this event, to be removed at its end.
    pub(crate) idle: Vec<InstanceId>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) loads: Vec<Load>,
    pub(crate) services: Vec<Service>,
    pub(crate) metrics: Metrics,
    pub(crate) metrics_of: Vec<ServiceMetrics>,
    /// Instances that are down at present.
    pub(crate) dead: u32,
    /// Whether any caller's balancer goes by what a request is routed by.
    pub(crate) routes_by_key: bool,
    pub(crate) retries_inside: u64,
    pub(crate) records: Vec<Record>,
    /// By node, its place among the callers.
    pub(crate) callers_at: Vec<Option<u32>>,
    pub(crate) exposures: Vec<Exposure>,
    pub(crate) arrivals: Option<Vec<(Instant, Key)>>,
    /// What is open when everything has had its time.
    pub(crate) open: Option<OpenCalls>,
}

impl Data {
    /// Nothing yet.
    pub(crate) fn new(metrics: Metrics, deadlines_travel: bool) -> Self {
        Data {
            occupants: Vec::new(),
            calls: Slab::default(),
            retry_states: Vec::new(),
            reports: Reports::default(),
            probes: Probes::default(),
            jobs: Slab::default(),
            deadlines: Vec::new(),
            deadlines_travel,
            instances: Vec::new(),
            processors: Vec::new(),
            places: Vec::new(),
            taken: Vec::new(),
            finished: Vec::new(),
            idle: Vec::new(),
            callers: Vec::new(),
            loads: Vec::new(),
            services: Vec::new(),
            metrics,
            metrics_of: Vec::new(),
            dead: 0,
            routes_by_key: false,
            retries_inside: 0,
            records: Vec::new(),
            callers_at: Vec::new(),
            exposures: Vec::new(),
            arrivals: None,
            open: None,
        }
    }

    /// Makes the `n`-th node of a role, zero-based; `name` as in [`Role::node_name`].
    pub(crate) fn add_node(&mut self, sim: &mut Sim, role: &Role, name: &str, n: u32, occupant: Occupant) -> NodeId {
        let name = role.node_name(name, n);
        let zone = sim.spec.zone_in_turn(role.first_zone + n);
        let node = sim.kernel.add_node(name.clone(), zone, vec![role.tag.to_string()]);
        sim.keys.add(sim.seed, &name);
        self.occupants.push(occupant);
        node
    }

    /// Every instance of a service there ever was, in order of creation.
    pub(crate) fn instances_of(&self, service: ServiceId) -> impl Iterator<Item = InstanceId> + '_ {
        self.services[service.index()].instances.iter().copied()
    }

    /// The caller on a node.
    pub(crate) fn caller_at(&self, node: NodeId) -> Option<u32> {
        self.callers_at.get(node.index()).copied().flatten()
    }

    pub(crate) fn timeline_steps_closed(&self) -> usize {
        self.metrics.timeline.arrived.len()
    }

    /// How callers shall see an instance.
    pub(crate) fn endpoint(&self, sim: &Sim, id: InstanceId) -> Endpoint {
        let instance = &self.instances[id.index()];
        Endpoint {
            instance: id,
            node: instance.node,
            zone: sim.kernel.nodes().zone(instance.node),
            version: instance.version(),
            weight: self.records[id.index()].weight,
            draining: false,
        }
    }
}
