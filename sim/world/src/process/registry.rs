//! Registry servers on nodes with disks.
//!
//! Every instance registers with every server; a caller follows one server and turns to the next when it is silent.
//! Nothing leaves a server before the record that it rests on is on disk.

use super::durable::{Durable, Release};
use super::host::{Carrier, Host};
use super::kind::{Kind, Placing};
use super::{Cx, Process};
use crate::age;
use crate::catalogue::Probe;
use crate::outcome::{Cell, Section, Series, Table};
use crate::role::{Naming, Role};
use crate::sabotage::Sabotage;
use crate::sim::Sim;
use crate::wire::{Letter, ProcessId};
use base::{InstanceId, Instant, NodeId, streams};
use kernel::{Crash, Transport};
use registry::{Config, Effect, Event, Input, Record, Registry, View};
use std::collections::BTreeMap;

/// The servers, each on its own node.
pub(crate) static ROLE: Role = Role {
    tag: "registry",
    sentence: "servers that know which instances are alive, and tell callers",
    nodes: "registry.servers, 1 by default, called registry-1 and so on; none without a [registry]",
    comes_with: "[registry]",
    naming: Naming::Numbered,
    first_zone: 0,
    count: |spec| spec.registry.as_ref().map_or(0, |registry| registry.servers),
};

pub(crate) static KIND: Kind = Kind { role: Some(&ROLE), place, ..Kind::NOWHERE };

fn place(placing: &mut Placing<'_>) {
    let spec = placing.spec();
    let Some(registry) = &spec.registry else { return };
    for number in 0..registry.servers {
        let server = registry.server.clone();
        placing.on_own_node(&ROLE, |node| vec![Box::new(RegistryServer::new(node, number, server))]);
    }
}

/// A registry server.
#[derive(Debug)]
pub(crate) struct RegistryServer {
    pub(crate) node: NodeId,
    /// Its number among the servers, zero-based.
    number: u32,
    config: Config,
    host: Option<Host<Registry>>,
    durable: Durable<(ProcessId, Effect)>,
    /// Whether a record was written for what is being handled.
    appended: bool,
    /// Who said what is being handled.
    asker: ProcessId,
    /// Which process watches on each node.
    watchers: BTreeMap<NodeId, ProcessId>,
    /// Since the run began, in all its lives.
    counts: Counts,
    /// How many instances it listed from when on, at most once per step of the timeline.
    listed: Vec<(Instant, u32)>,
}

/// What a server has done.
#[derive(Clone, Debug, Default)]
struct Counts {
    registered: u64,
    left: u64,
    expired: u64,
    pushes: u64,
    fetches: u64,
    sent_bytes: u64,
}

/// What a registry message takes on the wire; a view adds a line per endpoint.
pub(super) const MESSAGE_BYTES: u32 = 300;
const ENDPOINT_BYTES: usize = 200;

/// A log longer than this, and than twice what a snapshot takes, is compacted.
const COMPACT_BYTES: usize = 64 * 1024;

impl RegistryServer {
    fn new(node: NodeId, number: u32, config: Config) -> Self {
        RegistryServer {
            node,
            number,
            config,
            host: None,
            durable: Durable::default(),
            appended: false,
            asker: ProcessId::NOBODY,
            watchers: BTreeMap::new(),
            counts: Counts::default(),
            listed: Vec::new(),
        }
    }

    /// Its core, with what its disk holds.
    fn core(&self, cx: &mut Cx<'_>) -> Registry {
        let (config, life) = (self.config.clone(), cx.life());
        let (rng, now) = (cx.stream(&streams::REGISTRY_SERVER.of(&[&(self.number + 1)])), cx.local());
        let core = if life == 0 {
            Registry::new(config, now, rng).running_for(now, cx.age())
        } else {
            let disk = cx.disk();
            disk.recover();
            let records = disk.read_all().filter_map(|bytes| Record::decode(bytes).ok()).map(|(record, _)| record);
            Registry::recover(config, now, rng, u64::from(life), records)
        };
        core.dated(age::date(cx.site().sim.seed))
    }

    /// What it lists as open for a service, ascending; of all instances that there are.
    pub(crate) fn listed<'a>(&'a self, of: impl Iterator<Item = InstanceId> + 'a) -> Vec<InstanceId> {
        let Some(host) = &self.host else { return Vec::new() };
        let open = |id: &InstanceId| host.core.instance(*id).is_some_and(|(_, endpoint)| !endpoint.draining);
        of.filter(open).collect()
    }

    /// Gives the core an input, behind the date where leases are dated.
    fn hear(&mut self, cx: &mut Cx<'_>, input: Input) {
        let date = self.config.dated_leases.then(|| Input::Date(cx.wall()));
        self.handle_each(cx, date.into_iter().chain([input]));
    }

    fn release(&mut self, cx: &mut Cx<'_>, release: Release<(ProcessId, Effect)>) {
        if release.sync {
            cx.sync();
        }
        for (asker, effect) in release.send {
            let (to, transport, bytes) = match &effect {
                Effect::Granted { to, .. }
                | Effect::Renewed { to, .. }
                | Effect::LeaseUnknown { to, .. }
                | Effect::Deregistered { to, .. }
                | Effect::DrainingSet { to, .. }
                | Effect::Watching { to, .. } => ((*to, asker), Transport::Exchange, MESSAGE_BYTES),
                Effect::Fetched { to, view, .. } => ((*to, asker), Transport::Exchange, view_bytes(view.as_deref())),
                Effect::Push { to, view, .. } => {
                    let watcher = self.watchers.get(to).copied().unwrap_or(asker);
                    ((*to, watcher), Transport::Stream, view_bytes(Some(view)))
                }
                Effect::Persist(_) | Effect::Note(_) => unreachable!("carried out where they were asked for"),
            };
            if cx.has(Sabotage::LosePushes) && matches!(effect, Effect::Push { .. }) {
                continue;
            }
            match effect {
                Effect::Push { .. } => self.counts.pushes += 1,
                Effect::Fetched { .. } => self.counts.fetches += 1,
                _ => {}
            }
            self.counts.sent_bytes += u64::from(bytes);
            cx.send(to, bytes, transport, Letter::RegistryAnswer(effect));
        }
        if let Some(host) = &mut self.host {
            host.core.hold_pushes(self.durable.is_syncing());
        }
    }

    /// Keeps how many instances it lists now, where that has changed.
    fn record_listed(&mut self, cx: &Cx<'_>) {
        let listed = self.host.as_ref().map_or(0, |host| host.core.listed() as u32);
        let (now, step) = (cx.now(), cx.timeline_step());
        match self.listed.as_mut_slice() {
            [.., (_, last)] if *last == listed => {}
            // Several changes in one step are one, so that a large fleet's arrival is no long list.
            [.., (_, before), (at, last)] if *before != listed && now.saturating_since(*at) < step => *last = listed,
            _ => self.listed.push((now, listed)),
        }
    }

    /// Replaces a long log by the shortest one that recovers to the same catalogue.
    fn compact(&mut self, cx: &mut Cx<'_>) {
        let Some(host) = &self.host else { return };
        let disk = cx.disk();
        if disk.bytes() < COMPACT_BYTES.max(host.core.listed() * 200) {
            return;
        }
        let records: Vec<Vec<u8>> = host.core.snapshot().map(|record| encoded(&record)).collect();
        if disk.replace(records).is_ok() {
            let release = self.durable.submit(true);
            self.release(cx, release);
            self.follow(cx);
        }
    }
}

impl Process for RegistryServer {
    fn name(&self) -> &'static str {
        "registry server"
    }

    fn boot(&mut self, cx: &mut Cx<'_>) {
        self.asker = cx.me();
        self.host = Some(Host::new(self.core(cx)));
        self.hear(cx, Input::Wake);
    }

    fn letter(&mut self, cx: &mut Cx<'_>, from: ProcessId, letter: Letter) {
        let Letter::Registry(input) = letter else { return };
        self.asker = from;
        if let Input::Watch { watcher, .. } = &input {
            self.watchers.insert(*watcher, from);
        }
        self.hear(cx, input);
    }

    fn wake(&mut self, cx: &mut Cx<'_>, _: u16) {
        if let Some(host) = &mut self.host {
            host.fired();
            self.hear(cx, Input::Wake);
        }
    }

    fn synced(&mut self, cx: &mut Cx<'_>) {
        let release = self.durable.synced();
        self.release(cx, release);
        self.follow(cx);
        // What changed meanwhile is pushed in one piece, behind the next fsync where it rests on that.
        if let Some(host) = self.host.as_mut().filter(|host| host.core.owes_pushes()) {
            host.core.hold_pushes(false);
            self.hear(cx, Input::Wake);
        }
        self.compact(cx);
    }

    fn report(&self, sim: &Sim) -> Option<Section> {
        let name = sim.kernel.nodes().name(self.node);
        let Counts { registered, left, expired, pushes, fetches, sent_bytes } = self.counts;
        let listed = self.host.as_ref().map_or(0, |host| host.core.listed() as u64);
        let counts = [listed, registered, left, expired, pushes, fetches, sent_bytes / 1_000].map(Cell::Count);
        Some(Section {
            title: "registry",
            note: "What each server listed at the end, and what it did in the whole run. An instance that expired was \
                   silent for longer than its lease.",
            tables: vec![Table {
                title: "servers",
                columns: &["server", "listed", "registered", "left", "expired", "pushes", "polls", "sent kB"],
                rows: vec![[Cell::Text(name.to_string())].into_iter().chain(counts).collect()],
            }],
            series: vec![Series {
                measure: "instances listed",
                name: name.to_string(),
                points: self.listed.iter().map(|&(at, listed)| (at, f64::from(listed))).collect(),
            }],
        })
    }

    fn down(&mut self, cx: &mut Cx<'_>, _: Crash) {
        let (counts, listed) = (std::mem::take(&mut self.counts), std::mem::take(&mut self.listed));
        *self = RegistryServer { counts, listed, ..RegistryServer::new(self.node, self.number, self.config.clone()) };
        self.record_listed(cx);
    }
}

impl Carrier<Registry> for RegistryServer {
    fn host(&mut self) -> Option<&mut Host<Registry>> {
        self.host.as_mut()
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Option<Input> {
        match effect {
            // A full disk refuses the record; the server goes on with what it knows, as a cache would, and what it
            // could not write is lost when it restarts.
            Effect::Persist(record) => self.appended |= cx.disk().append(&encoded(&record)).is_ok(),
            Effect::Note(event) => {
                match event {
                    Event::Registered { .. } => self.counts.registered += 1,
                    Event::Deregistered { .. } => self.counts.left += 1,
                    Event::Expired { .. } => {
                        self.counts.expired += 1;
                        cx.reached(Probe::LeaseExpired);
                    }
                    _ => {}
                }
                cx.note("registry", || event.to_string());
            }
            effect => self.durable.want((self.asker, effect)),
        }
        None
    }

    fn carried_out(&mut self, cx: &mut Cx<'_>) {
        self.record_listed(cx);
        let release = self.durable.submit(std::mem::take(&mut self.appended));
        self.release(cx, release);
    }
}

fn encoded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    bytes
}

fn view_bytes(view: Option<&View>) -> u32 {
    MESSAGE_BYTES + (view.map_or(0, |v| v.endpoints.len()) * ENDPOINT_BYTES) as u32
}
