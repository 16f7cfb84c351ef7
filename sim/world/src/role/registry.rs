//! Registry servers on nodes with disks, and the registrations and resolvers that talk to them over the network.
//!
//! Every instance registers with every server; a caller follows one server and turns to the next when it is silent.
//! Without a registry in the scenario callers know the truth at once, as the theory of queues assumes.

use super::durable::{Durable, Go};
use crate::age;
use crate::alarm::Alarm;
use crate::instance::Life;
use crate::invariant::Probe;
use crate::sabotage::Sabotage;
use crate::wire::{self, Msg, Synced};
use crate::world::World;
use base::{Core, Draw, Duration, InstanceId, NodeId, Outbox, ServiceId};
use kernel::Transport;
use registry::{Effect, Input, Record, Registrant, Registry, View, registrant, resolver};
use std::sync::Arc;

/// A registry server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) node: NodeId,
    pub(crate) core: Registry,
    /// Its machine died: nobody was told.
    pub(crate) silent: bool,
    durable: Durable<Effect>,
    alarm: Alarm,
}

/// An instance's registration at one server.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) core: Registrant,
    alarm: Alarm,
}

/// What a registry message takes on the wire; a view adds a line per endpoint.
const MESSAGE_BYTES: u32 = 300;
const ENDPOINT_BYTES: usize = 200;

/// How often the operating system probes a silent connection: Go's default, which Consul's clients use
/// (golang/go `src/net/dial.go`, `defaultTCPKeepAliveIdle`).
const KEEPALIVE: Duration = Duration::secs(15);

/// A log longer than this, and than twice what a snapshot takes, is compacted.
const COMPACT_BYTES: usize = 64 * 1024;

impl World {
    /// Builds server `index` on `node`, with what its disk holds.
    pub(crate) fn boot_server(&mut self, index: u32, node: NodeId) -> Server {
        let spec = self.spec.registry.as_ref().expect("servers belong to a registry");
        let config = spec.server.clone();
        let life = self.kernel.nodes().life(node);
        let rng = self.seed.nth(&format!("registry-{}", index + 1), u64::from(life));
        let now = self.kernel.local(node);
        let core = if life == 0 {
            let age = self.age(self.kernel.nodes().name(node));
            Registry::new(config, now, rng).running_for(now, age)
        } else {
            let disk = self.kernel.disk_mut(node);
            disk.recover();
            let records = disk.read_all().filter_map(|bytes| Record::decode(bytes).ok()).map(|(record, _)| record);
            Registry::recover(config, now, rng, u64::from(life), records)
        };
        let core = core.dated(age::date(self.seed));
        Server { node, core, silent: false, durable: Durable::default(), alarm: Alarm::default() }
    }

    pub(crate) fn server_handles(&mut self, index: u32, input: Input) {
        let dated = self.spec.registry.as_ref().is_some_and(|spec| spec.server.dated_leases);
        let server = &mut self.servers[index as usize];
        let now = self.kernel.local(server.node);
        let mut out = Outbox::new();
        if dated {
            server.core.handle(now, Input::Date(self.kernel.wall(server.node)), &mut out);
        }
        server.core.handle(now, input, &mut out);
        let mut appended = false;
        let mut effects = Vec::new();
        for effect in out.drain() {
            match effect {
                Effect::Persist(record) => {
                    let mut bytes = Vec::new();
                    record.encode(&mut bytes);
                    // A full disk refuses the record; the server goes on with what it knows, as a cache would, and
                    // what it could not write is lost when it restarts.
                    appended |= self.kernel.disk_mut(server.node).append(&bytes).is_ok();
                }
                Effect::Note(event) => {
                    let node = server.node;
                    if let registry::Event::Expired { .. } = event {
                        self.checks.reached(Probe::LeaseExpired);
                    }
                    let at = self.kernel.now();
                    self.kernel.trace_mut().note(at, Some(node), "registry", || event.to_string());
                }
                effect => effects.push(effect),
            }
        }
        let go = self.servers[index as usize].durable.offer(effects, appended);
        self.server_goes(index, go);
    }

    pub(crate) fn server_synced(&mut self, index: u32) {
        let go = self.servers[index as usize].durable.synced();
        self.server_goes(index, go);
        // What changed meanwhile is pushed in one piece, behind the next fsync where it rests on that.
        let core = &mut self.servers[index as usize].core;
        if core.owes_pushes() {
            core.hold_pushes(false);
            self.server_handles(index, Input::Wake);
        }
        self.compact(index);
    }

    fn server_goes(&mut self, index: u32, go: Go<Effect>) {
        let server = &mut self.servers[index as usize];
        let node = server.node;
        if go.sync {
            self.kernel.sync_disk(node, Msg::Synced(Synced::Server(index)));
        }
        for effect in go.send {
            let key = self.post.stamp(node);
            let (to, transport, bytes) = match &effect {
                Effect::Granted { to, .. }
                | Effect::Renewed { to, .. }
                | Effect::LeaseUnknown { to, .. }
                | Effect::Deregistered { to, .. }
                | Effect::DrainingSet { to, .. }
                | Effect::Watching { to, .. } => (*to, Transport::Exchange, MESSAGE_BYTES),
                Effect::Fetched { to, view, .. } => (*to, Transport::Exchange, view_bytes(view.as_deref())),
                Effect::Push { to, view, .. } => (*to, Transport::Stream, view_bytes(Some(view))),
                Effect::Persist(_) | Effect::Note(_) => unreachable!("carried out where they were asked for"),
            };
            if self.sabotage == Some(Sabotage::LosePushes) && matches!(effect, Effect::Push { .. }) {
                continue;
            }
            self.kernel.send(node, to, bytes, transport, key, Msg::FromRegistry(Box::new(effect)));
        }
        server.core.hold_pushes(server.durable.is_syncing());
        let deadline = server.core.deadline();
        server.alarm.follow(&mut self.kernel, node, deadline, wire::Core::Server(index));
    }

    /// Replaces a long log by the shortest one that recovers to the same catalogue.
    fn compact(&mut self, index: u32) {
        let server = &self.servers[index as usize];
        let disk = self.kernel.disk_mut(server.node);
        if disk.bytes() < COMPACT_BYTES.max(server.core.listed() * 200) {
            return;
        }
        let encode = |record: Record| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            bytes
        };
        let records: Vec<Vec<u8>> = server.core.snapshot().map(encode).collect();
        if disk.replace(records).is_ok() {
            let go = self.servers[index as usize].durable.offer(Vec::new(), true);
            self.server_goes(index, go);
        }
    }

    pub(crate) fn server_wakes(&mut self, index: u32) {
        self.servers[index as usize].alarm.fired();
        self.server_handles(index, Input::Wake);
    }

    /// A server came up again.
    pub(crate) fn server_up(&mut self, index: u32) {
        let node = self.servers[index as usize].node;
        let was_silent = self.servers[index as usize].silent;
        self.servers[index as usize] = self.boot_server(index, node);
        self.server_handles(index, Input::Wake);
        if was_silent {
            // Watchers still believe in their connections. The next keepalive probe of each meets a machine that knows
            // nothing of it, and is answered with a reset. The probes have gone unanswered since the machine went away,
            // each watcher's in its own rhythm.
            let (server, followers) = (self.servers[index as usize].node, self.followers(index));
            let life = u64::from(self.kernel.nodes().life(server));
            for caller in followers {
                let name =
                    format!("{}/keepalive/{}", self.callers[caller as usize].name, self.kernel.nodes().name(server));
                let wait = self.seed.nth(&name, life).below_u64(KEEPALIVE.as_nanos());
                self.kernel.world_at(self.kernel.now() + Duration::ns(wait + 1), Msg::KeepAlive(index, caller));
            }
        }
    }

    /// Whoever watches a server learns that the connection is broken.
    pub(crate) fn reset_watchers(&mut self, index: u32) {
        for caller in self.followers(index) {
            self.reset_watcher(index, caller);
        }
    }

    /// A watcher learns that its connection to a server is broken, if it still follows that one.
    pub(crate) fn reset_watcher(&mut self, index: u32, caller: u32) {
        if self.follows(index, caller) {
            let (node, caller) = (self.servers[index as usize].node, &self.callers[caller as usize]);
            self.kernel.reset(node, caller.node, Msg::ToRegistry(Box::new(Input::Wake)));
        }
    }

    fn follows(&self, index: u32, caller: u32) -> bool {
        let (node, caller) = (self.servers[index as usize].node, &self.callers[caller as usize]);
        let resolver = caller.resolver.as_ref();
        resolver.is_some_and(|resolver| caller.upstreams.iter().any(|u| resolver.source(u.service) == Some(node)))
    }

    /// The callers whose views are those of a server.
    fn followers(&self, index: u32) -> Vec<u32> {
        (0..self.callers.len() as u32).filter(|&caller| self.follows(index, caller)).collect()
    }

    /// What a server lists as open for a service; `None` when the server is down.
    pub(crate) fn listed_by(&self, server: usize, service: ServiceId) -> Option<Vec<InstanceId>> {
        let server = &self.servers[server];
        if self.kernel.nodes().is_dead(server.node) {
            return None;
        }
        let of_service = self.instances_of(service);
        let open = |id: &InstanceId| server.core.instance(*id).is_some_and(|(_, endpoint)| !endpoint.draining);
        Some(of_service.filter(open).collect())
    }

    // The instance's side.

    /// Registers an instance with every server.
    pub(crate) fn register(&mut self, id: InstanceId) {
        let Some(spec) = &self.spec.registry else {
            self.tell_the_truth(self.instances[id.index()].service());
            return;
        };
        let instance = &self.instances[id.index()];
        let node = instance.node;
        let endpoint = registry::Endpoint {
            instance: id,
            node,
            zone: self.kernel.nodes().zone(node),
            version: instance.version(),
            weight: self.records[id.index()].weight,
            draining: false,
        };
        let life = self.kernel.nodes().life(node);
        let (service, config, name) = (instance.service(), spec.registrant, &self.records[id.index()].name);
        self.registrations[id.index()] = (0..spec.servers)
            .map(|server| {
                let rng = self.seed.nth(&format!("{name}/registration/{server}"), u64::from(life));
                Registration { core: Registrant::new(config, service, endpoint, rng), alarm: Alarm::default() }
            })
            .collect();
        let age = self.age(name);
        for server in 0..spec.servers {
            self.registrant_handles(id, server as u8, registrant::Input::Start { age });
        }
    }

    /// Takes an instance out of every server's catalogue in good order.
    pub(crate) fn deregister(&mut self, id: InstanceId) {
        if self.spec.registry.is_none() {
            self.tell_the_truth(self.instances[id.index()].service());
        }
        for server in 0..self.registrations[id.index()].len() {
            self.registrant_handles(id, server as u8, registrant::Input::Stop);
        }
    }

    pub(crate) fn registrant_handles(&mut self, id: InstanceId, server: u8, input: registrant::Input) {
        let node = self.instances[id.index()].node;
        let now = self.kernel.local(node);
        let Some(registration) = self.registrations[id.index()].get_mut(usize::from(server)) else { return };
        let mut out = Outbox::new();
        registration.core.handle(now, input, &mut out);
        let to = self.servers[usize::from(server)].node;
        for effect in out.drain() {
            let input = match effect {
                registrant::Effect::SendRegister { service, endpoint, ttl, .. } => {
                    Input::Register { from: node, service, endpoint, ttl }
                }
                registrant::Effect::SendRenew { instance, lease, .. } => Input::Renew { from: node, instance, lease },
                registrant::Effect::SendDraining { instance, lease, .. } => {
                    Input::SetDraining { from: node, instance, lease, draining: true }
                }
                registrant::Effect::SendDeregister { instance, lease, .. } => {
                    Input::Deregister { from: node, instance, lease }
                }
                registrant::Effect::Note(event) => {
                    let at = self.kernel.now();
                    self.kernel.trace_mut().note(at, Some(node), "registration", || event.to_string());
                    continue;
                }
            };
            let key = self.post.stamp(node);
            let msg = Msg::ToRegistry(Box::new(input));
            self.kernel.send(node, to, MESSAGE_BYTES, Transport::Exchange, key, msg);
        }
        let registration = &mut self.registrations[id.index()][usize::from(server)];
        let deadline = registration.core.deadline();
        registration.alarm.follow(&mut self.kernel, node, deadline, wire::Core::Registrant(id, server));
    }

    pub(crate) fn registrant_wakes(&mut self, id: InstanceId, server: u8) {
        if let Some(registration) = self.registrations[id.index()].get_mut(usize::from(server)) {
            registration.alarm.fired();
            self.registrant_handles(id, server, registrant::Input::Wake);
        }
    }

    // The caller's side.

    pub(crate) fn resolver_handles(&mut self, caller: u32, input: resolver::Input) {
        let state = &mut self.callers[caller as usize];
        let node = state.node;
        let Some(resolver) = &mut state.resolver else { return };
        let now = self.kernel.local(node);
        let mut out = Outbox::new();
        resolver.handle(now, input, &mut out);
        let deadline = resolver.deadline();
        let servers = self.servers.len() as u32;
        for effect in out.drain() {
            let (to, input) = match effect {
                resolver::Effect::SendWatch { service, after, attempt } => {
                    (self.servers[(attempt % servers) as usize].node, Input::Watch { watcher: node, service, after })
                }
                resolver::Effect::SendFetch { service, after, attempt } => {
                    (self.servers[(attempt % servers) as usize].node, Input::Fetch { from: node, service, after })
                }
                resolver::Effect::SendUnwatch { to, service } => (to, Input::Unwatch { watcher: node, service }),
                resolver::Effect::Updated { service, view } => {
                    let at = self.kernel.now();
                    self.kernel.trace_mut().note(at, Some(node), "view", || {
                        format!("{service} at {}: {} open", view.revision, view.open().count())
                    });
                    if let Some(upstream) = state.upstream(service) {
                        state.upstreams[upstream].set_view(now, view);
                    }
                    continue;
                }
                resolver::Effect::Note(event) => {
                    let at = self.kernel.now();
                    self.kernel.trace_mut().note(at, Some(node), "resolver", || event.to_string());
                    continue;
                }
            };
            let key = self.post.stamp(node);
            let msg = Msg::ToRegistry(Box::new(input));
            self.kernel.send(node, to, MESSAGE_BYTES, Transport::Exchange, key, msg);
        }
        state.alarm.follow(&mut self.kernel, node, deadline, wire::Core::Resolver(caller));
        self.serve_lines(caller);
    }

    pub(crate) fn resolver_wakes(&mut self, caller: u32) {
        self.callers[caller as usize].alarm.fired();
        self.resolver_handles(caller, resolver::Input::Wake);
    }

    /// A server's message arrives at a node: for a registration or for the resolver there.
    pub(crate) fn registry_answers(&mut self, node: NodeId, from: NodeId, effect: Effect) {
        let server = self.servers.iter().position(|s| s.node == from).unwrap_or(0) as u8;
        let registrant_input = match &effect {
            Effect::Granted { instance, lease, ttl, .. } => {
                Some((*instance, registrant::Input::Granted { lease: *lease, ttl: *ttl }))
            }
            Effect::Renewed { instance, lease, .. } => Some((*instance, registrant::Input::Renewed { lease: *lease })),
            Effect::LeaseUnknown { instance, lease, .. } => {
                Some((*instance, registrant::Input::LeaseUnknown { lease: *lease }))
            }
            Effect::Deregistered { instance, lease, .. } => {
                Some((*instance, registrant::Input::Deregistered { lease: *lease }))
            }
            Effect::DrainingSet { instance, lease, .. } => {
                Some((*instance, registrant::Input::DrainingSet { lease: *lease }))
            }
            _ => None,
        };
        if let Some((instance, input)) = registrant_input {
            self.registrant_handles(instance, server, input);
            return;
        }
        let Some(caller) = self.caller_at(node) else { return };
        let input = match effect {
            Effect::Push { view, .. } => resolver::Input::Push { from, view },
            Effect::Watching { service, .. } => resolver::Input::Watching { from, service },
            Effect::Fetched { service, view, .. } => resolver::Input::Fetched { from, service, view },
            _ => return,
        };
        self.resolver_handles(caller, input);
    }

    /// Without a registry: every caller of a service sees its instances as they are.
    pub(crate) fn tell_the_truth(&mut self, service: ServiceId) {
        if self.spec.registry.is_some() && !self.services[service.index()].is_gateway {
            return;
        }
        self.truth_told += 1;
        let nodes = self.kernel.nodes();
        let open = self.instances_of(service).filter(|id| {
            let instance = &self.instances[id.index()];
            instance.life == Life::Serving && !nodes.is_dead(instance.node)
        });
        let endpoints = open.map(|id| {
            let instance = &self.instances[id.index()];
            registry::Endpoint {
                instance: id,
                node: instance.node,
                zone: nodes.zone(instance.node),
                version: instance.version(),
                weight: self.records[id.index()].weight,
                draining: false,
            }
        });
        let view = Arc::new(View::new(service, base::Revision(self.truth_told), endpoints.collect()));
        for caller in &mut self.callers {
            let local = self.kernel.local(caller.node);
            if let Some(upstream) = caller.upstream(service) {
                caller.upstreams[upstream].set_view(local, view.clone());
            }
        }
        (0..self.callers.len() as u32).for_each(|caller| self.serve_lines(caller));
    }
}

fn view_bytes(view: Option<&View>) -> u32 {
    MESSAGE_BYTES + (view.map_or(0, |v| v.endpoints.len()) * ENDPOINT_BYTES) as u32
}
