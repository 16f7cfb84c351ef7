//! From a spec to a world in its first moment: nodes in order, roles, callers, the plan of faults, the first arrivals.
//!
//! Nodes are created in a fixed order: registry servers, lock store, controller, gateways, instances, load sources.
//! What a node draws depends on its name, not on that order.

use crate::caller::Caller;
use crate::check::Checks;
use crate::life::downstream_of;
use crate::load::Load;
use crate::metrics::{Metrics, ServiceMetrics};
use crate::role::controller::Controller;
use crate::role::locks::LockStore;
use crate::roles::RoleKind;
use crate::slab::Slab;
use crate::spec::{Draining, Spec, Spread, Target};
use crate::wire::{Msg, Post};
use crate::world::{Behaviour, Options, Role, Service, World};
use base::{Dist, Duration, FencingToken, Instant, NodeId, Ratio, Seed, ServiceId, VersionId, ZoneId};
use kernel::Kernel;
use std::rc::Rc;
use telemetry::SuccessWindow;
use version::History;

impl World {
    pub(crate) fn build(spec: &Spec, seed: Seed, options: &Options) -> World {
        let spec = Rc::new(spec.clone());
        let link = |from: ZoneId, to: ZoneId| {
            if from == to { spec.within_zone.clone() } else { spec.between_zones.clone() }
        };
        let kernel = Kernel::new(seed, spec.zones.len(), link, options.trace);
        let steps = spec.timeline_steps.max(1) as usize;
        let step = Duration::ns(spec.phases.total().as_nanos().div_ceil(steps as u64).max(1));
        let measured_from = Instant::ZERO + spec.phases.warmup;
        let mut world = World {
            seed,
            kernel,
            roles: Vec::new(),
            calls: Slab::default(),
            again: Vec::new(),
            reports: Default::default(),
            probes: Default::default(),
            jobs: Slab::default(),
            deadlines: Vec::new(),
            deadlines_travel: spec.services.iter().any(|s| s.policy.deadlines == traffic::Deadlines::Travel),
            instances: Vec::new(),
            processors: Vec::new(),
            places: Vec::new(),
            taken: Vec::new(),
            finished: Vec::new(),
            callers: Vec::<Caller>::new(),
            loads: Vec::new(),
            services: Vec::new(),
            metrics: Metrics::new(measured_from, step, steps),
            metrics_of: Vec::new(),
            checks: Checks::new(),
            sabotage: options.sabotage,
            dead: 0,
            routes_by_key: false,
            retries_inside: 0,
            records: Vec::new(),
            registrations: Vec::new(),
            callers_at: Vec::new(),
            servers: Vec::new(),
            locks: None,
            controllers: Vec::new(),
            post: Post::default(),
            truth_told: 0,
            exposures: Vec::new(),
            arrivals: options.record_arrivals.then(Vec::new),
            open: None,
            spec: spec.clone(),
        };
        world.build_services();
        world.build_control();
        world.build_instances();
        world.build_loads();
        world.start(step);
        world
    }

    fn build_services(&mut self) {
        let spec = self.spec.clone();
        for service in &spec.services {
            // Calls name a version and a balancer's group in a byte each.
            assert!(service.versions.len() <= 200, "{} has more than 200 versions", service.name);
            let behaviours = service
                .versions
                .iter()
                .map(|v| Behaviour {
                    service_time: v.service_time.clone().unwrap_or_else(|| service.service_time.clone()),
                    slowdown: v.slowdown,
                    error_rate: v.error_rate,
                })
                .collect();
            let patient = service.policy.timeout.is_none()
                && service.policy.retry.is_none_or(|retry| retry.per_try_timeout.is_none());
            self.services.push(Service {
                name: service.name.clone(),
                is_gateway: false,
                concurrency: service.concurrency,
                processors: service.processors,
                queue_limit: service.queue_limit.unwrap_or(u32::MAX),
                start_up: service.start_up,
                grace: service.grace,
                draining: service.draining,
                behaviours,
                calls: service.calls.iter().map(|stage| stage.as_slice().into()).collect(),
                downstream: downstream_of(service),
                balancer: service.balancer,
                board: board(self.seed, &service.name),
                reports: service.balancer.info().needs.reports,
                probes: service.balancer.info().needs.probes,
                deadlines: service.policy.deadlines == traffic::Deadlines::Travel,
                eligibility: service.eligibility.clone().map(std::sync::Arc::new),
                weights: service.weights.clone(),
                speeds: service.speeds.clone(),
                policy: service.policy,
                lane: if patient { None } else { self.kernel.lane() },
                instances: Vec::new(),
                created: 0,
                desired: vec![0; service.versions.len()],
                split: None,
                split_number: 0,
                newest_token: FencingToken(0),
                history: History::new(VersionId(0), Instant::ZERO),
                settled: VersionId(0),
                wanted: service.instances,
                last_begun: None,
                rejected: Vec::new(),
            });
            self.metrics_of.push(ServiceMetrics::new(service.versions.len()));
        }
        if let Some(gateway) = &spec.gateway {
            let mut downstream: Vec<ServiceId> =
                gateway.routes.iter().flat_map(|r| &r.action.destinations).map(|d| d.service).collect();
            downstream.sort_unstable();
            downstream.dedup();
            self.services.push(Service {
                name: RoleKind::Gateway.tag().into(),
                is_gateway: true,
                concurrency: u32::MAX,
                processors: None,
                queue_limit: u32::MAX,
                start_up: Duration::ZERO,
                grace: Duration::ZERO,
                draining: Draining::Serves,
                behaviours: vec![Behaviour {
                    service_time: Dist::Constant(Duration::ZERO),
                    slowdown: 1.0,
                    error_rate: Ratio::ZERO,
                }],
                calls: Vec::new(),
                downstream,
                balancer: match gateway.spread {
                    Spread::Random => balancer::Strategy::RANDOM,
                    Spread::InTurn => balancer::Strategy::ROUND_ROBIN,
                },
                board: board(self.seed, RoleKind::Gateway.tag()),
                reports: false,
                probes: false,
                deadlines: false,
                eligibility: None,
                weights: Vec::new(),
                speeds: Vec::new(),
                policy: traffic::Policy { timeout: gateway.client_timeout, ..traffic::Policy::none() },
                lane: gateway.client_timeout.and_then(|_| self.kernel.lane()),
                instances: Vec::new(),
                created: 0,
                desired: vec![0],
                split: None,
                split_number: 0,
                newest_token: FencingToken(0),
                history: History::new(VersionId(0), Instant::ZERO),
                settled: VersionId(0),
                wanted: gateway.instances,
                last_begun: None,
                rejected: Vec::new(),
            });
            self.metrics_of.push(ServiceMetrics::new(1));
        }
    }

    /// Makes the `n`-th node of a role; of a load's, `load` is the load's name.
    fn node(&mut self, kind: RoleKind, load: &str, n: u32, role: Role) -> NodeId {
        let name = kind.node_name(load, n);
        let zone = self.spec.zone_in_turn(kind.place(n));
        let node = self.kernel.add_node(name.clone(), zone, vec![kind.tag().to_string()]);
        self.post.enroll(self.seed, &name);
        self.roles.push(role);
        node
    }

    fn build_control(&mut self) {
        let spec = self.spec.clone();
        for index in 0..spec.registry.as_ref().map_or(0, |r| r.servers) {
            let node = self.node(RoleKind::Registry, "", index, Role::Server(index));
            let server = self.boot_server(index, node);
            self.servers.push(server);
        }
        if spec.rollouts.is_empty() {
            return;
        }
        let locks = self.node(RoleKind::Coordination, "", 0, Role::Locks);
        self.locks = Some(LockStore::new(locks));
        let controller = self.node(RoleKind::Controller, "", 0, Role::Controller);
        for (index, rollout) in spec.rollouts.iter().enumerate() {
            let service = &spec.services[rollout.service.index()];
            // Which version it starts from is read when it gets the lock.
            let from = VersionId(0);
            let mut plan =
                rollout::Plan::new(rollout.service, from, rollout.to, service.instances, rollout.strategy.clone());
            plan.analysis = rollout.analysis;
            plan.progress_deadline = rollout.progress_deadline;
            plan.auto_rollback = rollout.auto_rollback;
            plan.min_ready = rollout.min_ready;
            self.controllers.push(Controller::new(controller, index as u32, plan));
            let longest = rollout.analysis.map_or(Duration::secs(60), |a| a.interval);
            for version in &mut self.metrics_of[rollout.service.index()].versions {
                let width = Duration::ns((longest.as_nanos() / 10).max(1));
                version.window.get_or_insert_with(|| Box::new(SuccessWindow::new(longest, width)));
            }
            self.kernel.world_at(rollout.at, Msg::RolloutAsked(index as u32));
        }
    }

    fn build_instances(&mut self) {
        let spec = self.spec.clone();
        let gateway = ServiceId(spec.services.len() as u32);
        let counts = spec.services.iter().map(|s| s.instances);
        for (service, count) in counts.enumerate() {
            let id = ServiceId(service as u32);
            self.services[service].desired[0] = count;
            for _ in 0..count {
                // Started together, so that a world of ten thousand is told its truth once.
                self.create(id, VersionId(0), None);
            }
        }
        for _ in 0..spec.gateway.as_ref().map_or(0, |g| g.instances) {
            self.create(gateway, VersionId(0), None);
        }
    }

    fn build_loads(&mut self) {
        let spec = self.spec.clone();
        let gateway = ServiceId(spec.services.len() as u32);
        let routes = spec.gateway.as_ref().map_or(&[][..], |g| &g.routes);
        for load in &spec.loads {
            let service = match load.target {
                Target::Service(service) => service,
                Target::Gateway { .. } => gateway,
            };
            let mut state = Load::new(load, self.seed, service, routes);
            state.lane = self.kernel.lane();
            state.ends = Instant::ZERO + spec.phases.total();
            for n in 0..load.sources.max(1) {
                let node = self.node(RoleKind::Load, &load.name, n, Role::Load);
                let peers = self.peers(node, n, load.sources.max(1));
                state.callers.push(self.add_caller(node, &[service], peers));
            }
            self.loads.push(state);
        }
    }

    fn start(&mut self, step: Duration) {
        let spec = self.spec.clone();
        self.metrics_of[0].is_all = spec.services.len() == 1 && spec.gateway.is_none();
        for index in 0..self.servers.len() as u32 {
            self.server_handles(index, registry::Input::Wake);
        }
        self.start_all();
        for load in 0..self.loads.len() {
            for (at, arrival) in self.loads[load].first(load as u32) {
                self.kernel.world_at(at, arrival);
            }
        }
        self.kernel.plan_faults(spec.faults.clone());
        self.kernel.world_at(self.metrics.measured_from, Msg::WarmedUp);
        self.kernel.world_at(Instant::ZERO + step, Msg::Step);
        self.kernel.world_at(Instant::ZERO + spec.phases.total(), Msg::LoadEnds);
    }
}

fn board(seed: Seed, service: &str) -> balancer::Board {
    balancer::Board::new(seed.stream(&format!("service/{service}/board")))
}
