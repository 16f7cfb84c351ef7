//! The orchestrator: creates instances, starts and stops them, and deals with the death and return of nodes.
//!
//! ```text
//!   create ─▶ Starting ──start-up──▶ Serving ──stop──▶ Draining ──grace──▶ Gone
//!                ▲                      │     └─stop──▶ Closing ──idle or grace──▶ Gone
//!                └── node comes up ─────┘ node goes down: everything under way is lost
//! ```
//!
//! Stopping takes an instance out of the registry first and lets it serve for a grace period, because callers learn
//! late; that is the race between endpoint removal and SIGTERM that every rolling update runs
//! (kubernetes/kubernetes#43576). An instance that refuses while it drains ends as soon as it is idle. At the end of
//! its grace either is killed, and its callers' connections are reset, as a kubelet does after
//! `terminationGracePeriodSeconds`.

use crate::caller::{Balance, Caller, Upstream};
use crate::instance::{Baseline, Instance, Life, Place, Record};
use crate::invariant::Probe;
use crate::outcome::Exposure;
use crate::role::registry::Registration;
use crate::sabotage::Sabotage;
use crate::sharing::Processors;
use crate::spec::{Draining, ServiceSpec};
use crate::wire::Msg;
use crate::world::{Role, World};
use balancer::around::Peers;
use base::{Duration, InstanceId, Instant, NodeId, ServiceId, VersionId};
use kernel::Crash;
use registry::{Resolver, resolver};

impl World {
    /// Every instance of a service there ever was, in order of creation.
    pub(crate) fn instances_of(&self, service: ServiceId) -> impl Iterator<Item = InstanceId> + '_ {
        self.services[service.index()].instances.iter().copied()
    }

    /// The instances of one version that are there to stay: starting or serving.
    pub(crate) fn present(&self, service: ServiceId, version: VersionId) -> Vec<InstanceId> {
        let stays = |id: &InstanceId| {
            let instance = &self.instances[id.index()];
            instance.version() == version && matches!(instance.life, Life::Starting | Life::Serving)
        };
        self.instances_of(service).filter(stays).collect()
    }

    /// How many instances of one version have served for at least `min_ready`, without a break until now.
    pub(crate) fn available(&self, service: ServiceId, version: VersionId, min_ready: Duration) -> usize {
        self.present(service, version).into_iter().filter(|&id| self.is_available(id, min_ready)).count()
    }

    fn is_available(&self, id: InstanceId, min_ready: Duration) -> bool {
        let instance = &self.instances[id.index()];
        instance.life == Life::Serving
            && self.kernel.nodes().is_running(instance.node)
            && self.kernel.now().saturating_since(self.records[id.index()].serving_since) >= min_ready
    }

    /// Creates an instance; it begins to serve after `start_up`, or when somebody else says so.
    pub(crate) fn create(&mut self, service: ServiceId, version: VersionId, start_up: Option<Duration>) -> InstanceId {
        let state = &mut self.services[service.index()];
        let id = InstanceId(self.instances.len() as u32);
        state.created += 1;
        let name = format!("{}-{}", state.name, state.created);
        let zone = self.spec.zone_in_turn(state.created - 1);
        let (concurrency, queue_limit) = (state.concurrency, state.queue_limit);
        let weight = state.weight_in_turn(state.created - 1);
        let speed = state.speed_in_turn(state.created - 1);
        state.instances.push(id);
        let tag = state.name.clone();
        let node = self.kernel.add_node(name.clone(), zone, vec![tag]);
        if speed != 1.0 {
            self.kernel.set_slowdown(node, 1.0 / speed);
        }
        self.post.enroll(self.seed, &name);
        let role = if state.is_gateway { Role::Gateway(id) } else { Role::Instance(id) };
        self.roles.push(role);
        self.instances.push(Instance::new(service, version, node, concurrency, queue_limit));
        if let Some(count) = self.services[service.index()].processors {
            self.processors.resize_with(id.index(), || None);
            self.processors.push(Some(Box::new(Processors::new(count))));
        }
        self.places.push(Place { node, version: version.0 as u16 });
        self.taken.push(0);
        self.finished.push(0);
        self.records.push(Record {
            name,
            weight,
            caller: None,
            serving_since: Instant::ZERO,
            up_since: self.kernel.now(),
            lost: 0,
            expired: 0,
            died: None,
            steps_before: self.timeline_steps_closed(),
            per_step: Vec::new(),
            in_system_per_step: Vec::new(),
            taken_before_step: 0,
            baseline: Baseline { at: self.kernel.now(), ..Baseline::default() },
            averages: None,
            areas: (0, 0),
        });
        self.instances[id.index()].sum_areas(self.kernel.now(), &mut self.records, id);
        self.registrations.push(Vec::<Registration>::new());
        if !self.services[service.index()].downstream.is_empty() {
            let nth = self.services[service.index()].created - 1;
            let peers = self.peers(node, nth, self.instances_wanted(service));
            let caller = self.add_caller(node, &self.services[service.index()].downstream.clone(), peers);
            self.records[id.index()].caller = Some(caller);
        }
        if let Some(start_up) = start_up {
            self.kernel.work_after(node, start_up, Msg::Started(id));
        }
        id
    }

    /// Everything that was built serves from the first moment. Where callers know the truth they are told it once.
    pub(crate) fn start_all(&mut self) {
        for id in (0..self.instances.len() as u32).map(InstanceId) {
            self.instances[id.index()].life = Life::Serving;
            if self.spec.registry.is_some() && matches!(self.roles_of(id), Role::Instance(_)) {
                self.register(id);
            }
        }
        for caller in 0..self.callers.len() as u32 {
            self.follow_services(caller);
        }
        for service in (0..self.services.len() as u32).map(ServiceId) {
            self.tell_the_truth(service);
        }
    }

    fn roles_of(&self, id: InstanceId) -> Role {
        self.roles[self.instances[id.index()].node.index()]
    }

    /// How many instances of a service there are at the start.
    fn instances_wanted(&self, service: ServiceId) -> u32 {
        match self.spec.services.get(service.index()) {
            Some(service) => service.instances,
            None => self.spec.gateway.as_ref().map_or(1, |gateway| gateway.instances),
        }
    }

    /// The `nth` caller of its kind among `count` that were there at the start, spread over the zones in turn. Later
    /// ones take the places of those.
    pub(crate) fn peers(&self, node: NodeId, nth: u32, count: u32) -> Peers {
        // In turn, so the first zones have one more where it does not come out even.
        let zones = self.spec.zones.len() as u32;
        let by_zone: Vec<u32> = (0..zones).map(|zone| count / zones + u32::from(zone < count % zones)).collect();
        Peers { index: nth % count.max(1), by_zone: by_zone.into(), zone: self.kernel.nodes().zone(node) }
    }

    /// Makes a node a caller of `services`.
    pub(crate) fn add_caller(&mut self, node: NodeId, services: &[ServiceId], peers: Peers) -> u32 {
        let index = self.callers.len() as u32;
        self.callers_at.resize(self.callers_at.len().max(node.index() + 1), None);
        self.callers_at[node.index()] = Some(index);
        let name = self.kernel.nodes().name(node).to_string();
        let upstreams = self.fresh_upstreams(node, services, &peers);
        let resolver = self.fresh_resolver(node);
        let (alarm, steps) = Default::default();
        self.callers.push(Caller { node, name, upstreams, resolver, alarm, steps, peers });
        self.read_splits(index);
        index
    }

    fn fresh_upstreams(&mut self, node: NodeId, services: &[ServiceId], peers: &Peers) -> Vec<Upstream> {
        let life = self.kernel.nodes().life(node);
        let name = self.kernel.nodes().name(node).to_string();
        let (now, age) = (self.kernel.now(), self.age(&name));
        let mut upstreams = Vec::new();
        for &service in services {
            let state = &self.services[service.index()];
            let key = format!("caller/{name}/{life}/{}", state.name);
            let balance = Balance {
                strategy: state.balancer,
                rules: state.eligibility.clone(),
                peers: peers.clone(),
                desk: state.board.desk(),
            };
            let mut upstream = Upstream::new(service, state.policy, balance, self.seed, key);
            upstream.lane = state.lane;
            let caller = self.caller_at(node).and_then(|caller| self.callers.get(caller as usize));
            upstream.stepped(caller.map_or(0, |caller| caller.steps.total()));
            if now == Instant::ZERO {
                upstream.running_for(self.kernel.local(node), age);
            }
            self.routes_by_key |= upstream.is_keyed;
            upstreams.push(upstream);
        }
        upstreams
    }

    /// A caller boots: it reads its configuration from the orchestrator, and so starts with the present order.
    fn read_splits(&mut self, caller: u32) {
        let caller = &mut self.callers[caller as usize];
        let local = self.kernel.local(caller.node);
        for upstream in &mut caller.upstreams {
            let state = &self.services[upstream.service.index()];
            upstream.set_shares(local, state.split, state.split_number);
        }
    }

    fn fresh_resolver(&self, node: NodeId) -> Option<Resolver> {
        let spec = self.spec.registry.as_ref()?;
        let life = self.kernel.nodes().life(node);
        let rng = self.seed.nth(&format!("resolver/{}", self.kernel.nodes().name(node)), u64::from(life));
        Some(Resolver::new(spec.resolver, rng))
    }

    /// A caller begins to follow the services it calls.
    pub(crate) fn follow_services(&mut self, caller: u32) {
        let services: Vec<ServiceId> = self.callers[caller as usize].upstreams.iter().map(|u| u.service).collect();
        for service in services {
            if self.spec.registry.is_some() && !self.services[service.index()].is_gateway {
                let age = self.age(&self.callers[caller as usize].name);
                self.resolver_handles(caller, resolver::Input::Subscribe { service, age });
            }
        }
    }

    /// An instance has started up.
    pub(crate) fn started(&mut self, id: InstanceId) {
        let instance = &mut self.instances[id.index()];
        if instance.life != Life::Starting {
            return;
        }
        instance.life = Life::Serving;
        let service = instance.service();
        let record = &mut self.records[id.index()];
        record.serving_since = self.kernel.now();
        let caller = record.caller;
        if let Some(caller) = caller {
            self.follow_services(caller);
            self.tell_the_caller(caller);
        }
        if self.services[service.index()].is_gateway {
            self.tell_the_truth(service);
        } else {
            self.register(id);
        }
    }

    /// A caller that has just started learns the truth about what no registry tells it.
    fn tell_the_caller(&mut self, caller: u32) {
        let services: Vec<ServiceId> = self.callers[caller as usize].upstreams.iter().map(|u| u.service).collect();
        services.into_iter().for_each(|service| self.tell_the_truth(service));
    }

    /// Brings the number of instances of a version to `replicas`; answers how many available ones were stopped.
    pub(crate) fn set_desired(&mut self, service: ServiceId, version: VersionId, replicas: u32) -> u32 {
        let state = &mut self.services[service.index()];
        if state.desired.len() <= version.index() {
            state.desired.resize(version.index() + 1, 0);
        }
        state.desired[version.index()] = replicas;
        let start_up = state.start_up;
        let mut present = self.present(service, version);
        for _ in present.len() as u32..replicas {
            self.create(service, version, Some(start_up));
        }
        // Those that do not serve go first, then the youngest.
        present.sort_by_key(|&id| (self.is_available(id, Duration::ZERO), std::cmp::Reverse(id)));
        let surplus = present.len().saturating_sub(replicas as usize);
        let mut stopped_available = 0;
        for &id in &present[..surplus] {
            stopped_available += u32::from(self.is_available(id, Duration::ZERO));
            self.stop(id);
        }
        stopped_available
    }

    /// Tells an instance to stop.
    fn stop(&mut self, id: InstanceId) {
        let instance = &mut self.instances[id.index()];
        let (node, service) = (instance.node, instance.service());
        let serving = instance.life == Life::Serving;
        let refuses = self.services[service.index()].draining == Draining::Refuses;
        instance.life = if refuses { Life::Closing } else { Life::Draining };
        if self.kernel.nodes().is_dead(node) || !serving {
            // Nobody is there to drain; what is left of it is cleared away.
            self.leave(id);
            return;
        }
        // The signal reaches a process that runs; one that is paused hears it when it goes on.
        let is_running = self.kernel.nodes().is_running(node);
        if is_running || self.spec.registry.is_none() {
            self.deregister(id);
        } else {
            self.kernel.hand(node, Msg::Stop(id));
        }
        if refuses && is_running && self.instances[id.index()].in_system() == 0 {
            self.leave(id);
            return;
        }
        let grace = self.services[service.index()].grace;
        self.kernel.timer_after(node, grace, None, Msg::GraceOver(id));
    }

    /// The grace of an instance that was told to stop is over: it is killed.
    pub(crate) fn grace_over(&mut self, id: InstanceId) {
        if matches!(self.instances[id.index()].life, Life::Draining | Life::Closing) {
            self.leave(id);
        }
    }

    /// An instance leaves for good.
    pub(crate) fn leave(&mut self, id: InstanceId) {
        let node = self.instances[id.index()].node;
        self.lose_jobs(id, true);
        self.instances[id.index()].life = Life::Gone;
        self.end_averages(id);
        self.kernel.remove_node(node);
        self.forget_calls(node);
        let service = self.instances[id.index()].service();
        if self.spec.registry.is_none() {
            self.tell_the_truth(service);
        }
    }

    // The death and return of nodes.

    pub(crate) fn node_down(&mut self, node: NodeId, crash: Crash) {
        let reset = crash == Crash::Process;
        let now = self.kernel.now();
        self.kernel.trace_mut().note(now, Some(node), "down", || format!("{crash:?}"));
        match self.roles[node.index()] {
            Role::Instance(id) | Role::Gateway(id) => {
                self.lose_jobs(id, reset);
                if matches!(self.roles[node.index()], Role::Instance(_)) {
                    self.checks.reached(Probe::InstanceDied);
                }
                let instance = &mut self.instances[id.index()];
                if matches!(instance.life, Life::Draining | Life::Closing) {
                    // It was on its way out; nobody restarts it.
                    self.leave(id);
                    return;
                }
                if instance.life == Life::Serving {
                    self.dead += 1;
                    self.records[id.index()].died = Some(self.exposures.len());
                    let instance = self.records[id.index()].name.clone();
                    self.exposures.push(Exposure { instance, died: now, last_sent: None, attempts: 0 });
                }
                self.instances[id.index()].life = Life::Starting;
                let service = self.instances[id.index()].service();
                self.tell_the_truth(service);
            }
            Role::Server(index) if reset => self.reset_watchers(index),
            Role::Server(index) => self.servers[index as usize].silent = true,
            Role::Load | Role::Controller | Role::Locks => {}
        }
        self.forget_calls(node);
    }

    /// A caller's memory is gone: what it waited for, and what it knew.
    fn forget_calls(&mut self, node: NodeId) {
        self.abandon_calls(node);
        let Some(caller) = self.caller_at(node) else { return };
        let services: Vec<ServiceId> = self.callers[caller as usize].upstreams.iter().map(|u| u.service).collect();
        let peers = self.callers[caller as usize].peers.clone();
        let upstreams = self.fresh_upstreams(node, &services, &peers);
        let resolver = self.fresh_resolver(node);
        let state = &mut self.callers[caller as usize];
        (state.upstreams, state.resolver, state.alarm) = (upstreams, resolver, Default::default());
    }

    pub(crate) fn node_up(&mut self, node: NodeId) {
        let now = self.kernel.now();
        self.kernel.trace_mut().note(now, Some(node), "up", String::new);
        if let Some(caller) = self.caller_at(node) {
            self.read_splits(caller);
        }
        match self.roles[node.index()] {
            Role::Instance(id) | Role::Gateway(id) => {
                if self.sabotage == Some(Sabotage::NeverComeBack) {
                    return;
                }
                self.records[id.index()].up_since = now;
                let service = self.instances[id.index()].service();
                let start_up = self.services[service.index()].start_up;
                self.kernel.work_after(node, start_up, Msg::Started(id));
            }
            Role::Load => {
                if let Some(caller) = self.caller_at(node) {
                    self.follow_services(caller);
                    self.tell_the_caller(caller);
                    self.users_come_back(caller);
                }
            }
            Role::Server(index) => self.server_up(index),
            Role::Controller => self.controllers_up(node),
            Role::Locks => self.locks_up(),
        }
    }

    /// A request is sent while some instance is dead: is it to that one?
    #[cold]
    pub(crate) fn note_exposure(&mut self, id: InstanceId, node: NodeId) {
        if !self.kernel.nodes().is_dead(node) {
            return;
        }
        let Some(index) = self.records[id.index()].died else { return };
        self.exposures[index].attempts += 1;
        self.exposures[index].last_sent = Some(self.kernel.now());
        self.checks.reached(Probe::StaleViewUsed);
    }

    /// The caller on a node.
    pub(crate) fn caller_at(&self, node: NodeId) -> Option<u32> {
        self.callers_at.get(node.index()).copied().flatten()
    }
}

/// The services that a service's instances call, each once.
pub(crate) fn downstream_of(spec: &ServiceSpec) -> Vec<ServiceId> {
    let mut services: Vec<ServiceId> = spec.calls.iter().flatten().map(|call| call.service).collect();
    services.sort_unstable();
    services.dedup();
    services
}
