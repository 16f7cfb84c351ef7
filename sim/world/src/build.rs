//! From a spec to a world in its first moment: nodes in order, processes, callers, the plan of faults, the first
//! arrivals.
//!
//! Nodes are created in a fixed order: registry servers, lock store, controller, gateways, instances, load sources.
//! What a node draws depends on its name, not on that order.

use crate::check::Checks;
use crate::data::load::Load;
use crate::data::metrics::{Metrics, ServiceMetrics};
use crate::data::service::{Behaviour, Service};
use crate::data::{Data, Occupant};
use crate::fleet::service::Service as Managed;
use crate::fleet::{Fleet, Notice};
use crate::options::Options;
use crate::process::kind::Placing;
use crate::process::kinds;
use crate::process::table::Processes;
use crate::role::{GATEWAY, LOAD};
use crate::sim::{Directory, Outboxes, Sim};
use crate::spec::{GatewaySpec, InstanceTemplate, RolloutSpec, ServiceSpec, Spec, Spread, Target};
use crate::wire::{MessageKeys, Msg};
use crate::world::World;
use base::{Dist, Duration, Instant, Ratio, Seed, ServiceId, VersionId, ZoneId, streams};
use kernel::Kernel;
use std::rc::Rc;
use telemetry::SuccessWindow;

/// A world in its first moment.
pub(crate) fn build(spec: &Spec, seed: Seed, options: &Options<'_>) -> World {
    let spec = Rc::new(spec.clone());
    let link = |from: ZoneId, to: ZoneId| {
        if from == to { spec.within_zone.clone() } else { spec.between_zones.clone() }
    };
    let kernel = Kernel::new(seed, spec.zones.len(), link, options.trace);
    let steps = spec.timeline_steps.max(1) as usize;
    let step = Duration::ns(spec.phases.total().as_nanos().div_ceil(steps as u64).max(1));
    let metrics = Metrics::new(Instant::ZERO + spec.phases.warmup, step, steps);
    let deadlines_travel = spec.services.iter().any(|s| s.policy.deadlines == traffic::Deadlines::Travel);
    let mut data = Data::new(metrics, deadlines_travel);
    data.arrivals = options.record_arrivals.then(Vec::new);
    let sim = Sim {
        seed,
        kernel,
        keys: MessageKeys::default(),
        checks: Checks::new(),
        sabotage: options.sabotage,
        directory: Directory::default(),
        outboxes: Outboxes::default(),
        spec,
    };
    let mut world = World { sim, data, fleet: Fleet::default(), processes: Processes::new(kinds::beside) };
    world.build_services();
    world.place_processes();
    world.build_instances();
    world.build_loads();
    world.start(step);
    world
}

impl World {
    fn build_services(&mut self) {
        let spec = self.sim.spec.clone();
        for service in &spec.services {
            let hot = self.service(service);
            self.data.services.push(hot);
            self.data.metrics_of.push(ServiceMetrics::new(service.versions.len()));
            self.fleet.services.push(Managed::new(service.template.clone(), service.versions.len(), service.instances));
        }
        if let Some(gateway) = &spec.gateway {
            let hot = self.gateway(gateway);
            self.data.services.push(hot);
            self.data.metrics_of.push(ServiceMetrics::new(1));
            self.fleet.services.push(Managed::new(InstanceTemplate::default(), 1, gateway.instances));
        }
    }

    fn service(&mut self, service: &ServiceSpec) -> Service {
        // Calls name a version and a balancer's group in a byte each.
        assert!(service.versions.len() <= 200, "{} has more than 200 versions", service.name);
        let behaviours = service.versions.iter().map(|v| Behaviour {
            service_time: v.service_time.clone().unwrap_or_else(|| service.service_time.clone()),
            slowdown: v.slowdown,
            error_rate: v.error_rate,
        });
        let mut downstream: Vec<ServiceId> = service.calls.iter().flatten().map(|call| call.service).collect();
        downstream.sort_unstable();
        downstream.dedup();
        let patient = service.policy.timeout.is_none()
            && service.policy.retry.is_none_or(|retry| retry.per_try_timeout.is_none());
        let needs = service.balancer.info().needs;
        Service {
            name: service.name.clone(),
            routes: false,
            is_registered: true,
            concurrency: service.concurrency,
            processors: service.processors,
            queue_limit: service.queue_limit.unwrap_or(u32::MAX),
            behaviours: behaviours.collect(),
            calls: service.calls.iter().map(|stage| stage.as_slice().into()).collect(),
            downstream,
            balancer: service.balancer,
            board: board(self.sim.seed, &service.name),
            reports: needs.reports,
            probes: needs.probes,
            deadlines: service.policy.deadlines == traffic::Deadlines::Travel,
            eligibility: service.eligibility.clone().map(std::sync::Arc::new),
            policy: service.policy,
            lane: if patient { None } else { self.sim.kernel.lane() },
            instances: Vec::new(),
        }
    }

    /// The gateway is a service that does no work of its own and calls whom its routes name.
    fn gateway(&mut self, gateway: &GatewaySpec) -> Service {
        let mut downstream: Vec<ServiceId> =
            gateway.routes.iter().flat_map(|r| &r.action.destinations).map(|d| d.service).collect();
        downstream.sort_unstable();
        downstream.dedup();
        let nothing = Dist::Constant(Duration::ZERO);
        Service {
            name: GATEWAY.tag.into(),
            routes: true,
            is_registered: false,
            concurrency: u32::MAX,
            processors: None,
            queue_limit: u32::MAX,
            behaviours: vec![Behaviour { service_time: nothing, slowdown: 1.0, error_rate: Ratio::ZERO }],
            calls: Vec::new(),
            downstream,
            balancer: match gateway.spread {
                Spread::Random => balancer::Strategy::RANDOM,
                Spread::InTurn => balancer::Strategy::ROUND_ROBIN,
            },
            board: board(self.sim.seed, GATEWAY.tag),
            reports: false,
            probes: false,
            deadlines: false,
            eligibility: None,
            policy: traffic::Policy { timeout: gateway.client_timeout, ..traffic::Policy::none() },
            lane: gateway.client_timeout.and_then(|_| self.sim.kernel.lane()),
            instances: Vec::new(),
        }
    }

    fn place_processes(&mut self) {
        let World { sim, data, processes, .. } = self;
        kinds::place(&mut Placing { sim, data, processes });
        self.sim.spec.clone().rollouts.iter().for_each(|rollout| self.watch_versions(rollout));
    }

    /// What a rollout is judged by is counted in windows.
    fn watch_versions(&mut self, rollout: &RolloutSpec) {
        let longest = rollout.analysis.map_or(Duration::secs(60), |a| a.interval);
        for version in &mut self.data.metrics_of[rollout.service.index()].versions {
            let width = Duration::ns((longest.as_nanos() / 10).max(1));
            version.window.get_or_insert_with(|| Box::new(SuccessWindow::new(longest, width)));
        }
    }

    fn build_instances(&mut self) {
        let spec = self.sim.spec.clone();
        for (index, service) in spec.services.iter().enumerate() {
            self.fleet.services[index].desired[0] = service.instances;
            for _ in 0..service.instances {
                // Started together, so that a world of ten thousand is told its truth once.
                self.site().create(ServiceId(index as u32), VersionId(0), None);
            }
        }
        for _ in 0..spec.gateway.as_ref().map_or(0, |g| g.instances) {
            self.site().create(ServiceId(spec.services.len() as u32), VersionId(0), None);
        }
    }

    fn build_loads(&mut self) {
        let spec = self.sim.spec.clone();
        let gateway = ServiceId(spec.services.len() as u32);
        let routes = spec.gateway.as_ref().map_or(&[][..], |g| &g.routes);
        for load in &spec.loads {
            let service = match load.target {
                Target::Service(service) => service,
                Target::Gateway { .. } => gateway,
            };
            let mut state = Load::new(load, self.sim.seed, service, routes);
            state.lane = self.sim.kernel.lane();
            state.ends = Instant::ZERO + spec.phases.total();
            for n in 0..load.sources.max(1) {
                let node = self.data.add_node(&mut self.sim, &LOAD, &load.name, n, Occupant::Source);
                let mut site = self.site();
                let peers = site.peers(node, n, load.sources.max(1));
                state.callers.push(site.add_caller(node, &[service], peers));
                site.tell(Notice::Created(node));
            }
            self.data.loads.push(state);
        }
    }

    fn start(&mut self, step: Duration) {
        let spec = self.sim.spec.clone();
        self.data.metrics_of[0].is_all = spec.services.len() == 1 && spec.gateway.is_none();
        let World { sim, data, fleet, processes } = self;
        processes.begin(sim, data, fleet);
        self.site().start_all();
        let kernel = &mut self.sim.kernel;
        for (index, load) in self.data.loads.iter_mut().enumerate() {
            for (at, arrival) in load.first(index as u32) {
                kernel.world_at(at, arrival);
            }
        }
        kernel.plan_faults(spec.faults.clone());
        kernel.world_at(self.data.metrics.measured_from, Msg::WarmedUp);
        kernel.world_at(Instant::ZERO + step, Msg::Step);
        kernel.world_at(Instant::ZERO + spec.phases.total(), Msg::LoadEnds);
    }
}

fn board(seed: Seed, service: &str) -> balancer::BulletinBoard {
    balancer::BulletinBoard::new(seed.stream(&streams::BOARD.of(&[&service])))
}
