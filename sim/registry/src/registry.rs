//! The server: takes registrations, ends leases, tells watchers.
//!
//! Every input first lets the time before it pass (ended leases go, then the input is heard), and every call ends by
//! telling watchers what is due. A server therefore gives the same answers whether it is woken at its deadline or only
//! by the next message, as long as both come at the same moment.

use crate::catalogue::Service;
use crate::config::Config;
use crate::expiry::Expiry;
use crate::grid::Grid;
use crate::preservation::Preservation;
use crate::protocol::{Effect, Event, Input};
use crate::record::Record;
use crate::view::{Endpoint, View};
use base::{Core, Draw, Duration, InstanceId, Instant, LeaseId, NodeId, Outbox, Revision, Rng, ServiceId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Bits of a revision that count changes within a term; the term sits above them, as the epoch does in ZooKeeper's
/// zxid.
const COUNTER_BITS: u32 = 32;

/// The term in which `revision` was made: how many times its store had been restarted.
pub const fn term(revision: Revision) -> u64 {
    revision.0 >> COUNTER_BITS
}

/// A revision that reads aloud: `r7` in the first term, `r2.7` for the seventh change after the second restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub Revision);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counter = self.0.0 & ((1 << COUNTER_BITS) - 1);
        match term(self.0) {
            0 => write!(f, "r{counter}"),
            term => write!(f, "r{term}.{counter}"),
        }
    }
}

/// `moment` on a clock that is `ahead` nanoseconds ahead, held to what an [`Instant`] can hold.
fn moved(moment: Instant, ahead: i128) -> Instant {
    let ns = (i128::from(moment.as_nanos()) + ahead).max(0);
    Instant::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// A registry server. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Registry {
    config: Config,
    rng: Rng,
    /// The revision of a service that never changed in this term.
    floor: Revision,
    revision: Revision,
    next_lease: LeaseId,
    leases: BTreeMap<LeaseId, Lease>,
    by_instance: BTreeMap<InstanceId, LeaseId>,
    services: BTreeMap<ServiceId, Service>,
    expiry: Expiry,
    preservation: Option<Preservation>,
    pushes: BTreeSet<(Instant, ServiceId)>,
    /// Nobody is told until this is over.
    pushes_held: bool,
    /// When the copy is renewed from which fetches are answered, where there is one.
    copies: Option<Grid>,
    /// The date minus `now`, in nanoseconds, where leases are dated.
    date_ahead: Option<i128>,
}

/// A right to be listed.
#[derive(Clone, Copy, Debug)]
struct Lease {
    owner: NodeId,
    service: ServiceId,
    instance: InstanceId,
    ttl: Duration,
    /// By the server's clock; a date where leases are dated.
    deadline: Instant,
}

/// Whether passes follow each other whatever there is to expire: who counts between them, or goes by the date, needs
/// each.
fn every_pass(config: &Config) -> bool {
    config.compensate_late_passes || config.self_preservation.is_some() || config.dated_leases
}

impl Registry {
    /// An empty store in its first term, started at `now` by a clock that shows its date. `rng` chooses whom
    /// self-preservation lets go; without it nothing is drawn. Panics when [`Config::check`] objects.
    pub fn new(config: Config, now: Instant, rng: Rng) -> Self {
        if let Err(error) = config.check() {
            panic!("{error}");
        }
        let every_pass = every_pass(&config);
        Registry {
            expiry: Expiry::new(config.expire_interval, every_pass, now, Duration::ZERO),
            preservation: config.self_preservation.map(|rules| Preservation::new(rules, now, Duration::ZERO, 0)),
            copies: copies(&config, Duration::ZERO),
            config,
            rng,
            floor: Revision(0),
            revision: Revision(0),
            next_lease: LeaseId(1),
            leases: BTreeMap::new(),
            by_instance: BTreeMap::new(),
            services: BTreeMap::new(),
            pushes: BTreeSet::new(),
            pushes_held: false,
            date_ahead: None,
        }
    }

    /// A store restarted at `now` with what its log still holds.
    ///
    /// Everybody listed gets a full ttl from now, as on a leader change in Consul and etcd; watchers are gone. The new
    /// term is the larger of `term` and the one after the log's last, and every service stands at its beginning:
    /// whoever asks is answered, and no revision is met twice even if the log lost its tail. Pass the node's count of
    /// restarts as `term`, and a server that lost its whole disk keeps that promise too. Panics when [`Config::check`]
    /// objects.
    pub fn recover(
        config: Config,
        now: Instant,
        rng: Rng,
        term: u64,
        records: impl IntoIterator<Item = Record>,
    ) -> Self {
        let mut store = Registry::new(config, now, rng);
        let mut held: BTreeMap<LeaseId, (Lease, Endpoint)> = BTreeMap::new();
        for record in records {
            store.revision = store.revision.max(record.revision());
            match record {
                Record::Started { next_lease, .. } => store.next_lease = store.next_lease.max(next_lease),
                Record::Registered { lease, owner, service, endpoint, ttl, .. } => {
                    store.next_lease = store.next_lease.max(LeaseId(lease.0 + 1));
                    let instance = endpoint.instance;
                    if let Some(old) = store.by_instance.insert(instance, lease) {
                        held.remove(&old);
                    }
                    held.insert(lease, (Lease { owner, service, instance, ttl, deadline: now }, endpoint));
                }
                Record::Draining { lease, draining, .. } => {
                    if let Some((_, endpoint)) = held.get_mut(&lease) {
                        endpoint.draining = draining;
                    }
                }
                Record::Deregistered { lease, .. } | Record::Expired { lease, .. } => {
                    if let Some((gone, _)) = held.remove(&lease) {
                        store.by_instance.remove(&gone.instance);
                    }
                }
            }
        }
        let term = term.max(self::term(store.revision) + 1);
        store.floor = Revision(term << COUNTER_BITS);
        store.revision = store.floor;
        for (id, (mut lease, endpoint)) in held {
            lease.deadline = now.saturating_add(lease.ttl);
            store.expiry.insert(now, lease.deadline, id);
            store.leases.insert(id, lease);
            store.service(lease.service).restore(endpoint);
        }
        let listed = store.leases.len() as u64;
        store.preservation =
            store.config.self_preservation.map(|rules| Preservation::new(rules, now, Duration::ZERO, listed));
        store
    }

    /// The same store, started `age` before `now`: its passes, its windows and its refreshes follow each other from
    /// there. To be called before the first input. It has heard nobody yet, so what it expects is what a new store
    /// does.
    pub fn running_for(mut self, now: Instant, age: Duration) -> Self {
        let every_pass = every_pass(&self.config);
        self.expiry = Expiry::new(self.config.expire_interval, every_pass, now, age);
        self.preservation = self.config.self_preservation.map(|rules| Preservation::new(rules, now, age, 0));
        self
    }

    /// The same store, at which it was `date` (after any day's midnight) when its clock stood at zero; what goes by the
    /// date ([`Config::response_cache`]) goes by that. To be called before the first input.
    pub fn dated(mut self, date: Duration) -> Self {
        self.copies = copies(&self.config, date);
        self
    }

    /// From now on tells watchers nothing, or tells them again, which the next call does with what is due. The changes
    /// of meanwhile become one, seen from a watcher: a driver whose disk is busy holds pushes back that would have to
    /// wait for it anyway, and a thousand registrations in the time of one fsync cost one view and not a thousand.
    pub fn hold_pushes(&mut self, hold: bool) {
        self.pushes_held = hold;
    }

    /// Whether watchers have something to be told, now or after [`Config::push_delay`].
    pub fn owes_pushes(&self) -> bool {
        !self.pushes.is_empty()
    }

    /// How many views were made in this term: what each of them costs grows with the instances in it.
    pub fn views_built(&self) -> u64 {
        self.services.values().map(Service::views_built).sum()
    }

    /// The revision of the last change.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// How many instances are listed.
    pub fn listed(&self) -> usize {
        self.leases.len()
    }

    /// How many watches stand; those that nobody renews are counted until the next change finds them.
    pub fn watchers(&self) -> usize {
        self.services.values().map(Service::watcher_count).sum()
    }

    /// What callers would see of `service` now; O(n) once after each change, hence `&mut`.
    pub fn view(&mut self, service: ServiceId) -> Arc<View> {
        self.service(service).view()
    }

    /// The lease and present endpoint of `instance`, if it is listed. O(log n).
    pub fn instance(&self, instance: InstanceId) -> Option<(LeaseId, &Endpoint)> {
        let &lease = self.by_instance.get(&instance)?;
        Some((lease, self.services[&self.leases[&lease].service].get(instance)?))
    }

    /// When the lease of `instance` ends if it stays silent, as a date where leases are dated; a pass may find out
    /// later.
    pub fn lease_deadline(&self, instance: InstanceId) -> Option<Instant> {
        Some(self.leases[self.by_instance.get(&instance)?].deadline)
    }

    /// The shortest log that recovers to the present catalogue: what a driver writes when it compacts. O(n).
    pub fn snapshot(&self) -> impl Iterator<Item = Record> {
        let start = Record::Started { revision: self.revision, next_lease: self.next_lease };
        std::iter::once(start).chain(self.leases.iter().map(|(&lease, held)| {
            let service = &self.services[&held.service];
            let endpoint = *service.get(held.instance).expect("a lease lists its instance");
            let (owner, ttl) = (held.owner, held.ttl);
            Record::Registered { revision: service.revision(), lease, owner, service: held.service, endpoint, ttl }
        }))
    }

    fn service(&mut self, id: ServiceId) -> &mut Service {
        let floor = self.floor;
        self.services.entry(id).or_insert_with(|| Service::new(id, floor))
    }

    fn lease_of(&self, instance: InstanceId, lease: LeaseId) -> Option<Lease> {
        self.leases.get(&lease).copied().filter(|held| held.instance == instance)
    }

    /// The number of the response cache's period, where there is a cache.
    fn period(&self, now: Instant) -> Option<u64> {
        self.copies.map(|copies| copies.passed(now))
    }

    fn register(
        &mut self,
        now: Instant,
        from: NodeId,
        service: ServiceId,
        endpoint: Endpoint,
        ttl: Option<Duration>,
        out: &mut Outbox<Effect>,
    ) {
        let instance = endpoint.instance;
        let ttl = ttl.unwrap_or(self.config.ttl);
        if let Some(&lease) = self.by_instance.get(&instance) {
            let held = self.leases[&lease];
            let same_terms = (held.owner, held.service, held.ttl) == (from, service, ttl);
            if same_terms && self.services[&service].get(instance) == Some(&endpoint) {
                self.extend(now, lease, false);
                out.push(Effect::Granted { to: from, instance, lease, ttl });
                return;
            }
            // Another process, place or version under the same name. Within its service the new endpoint simply takes
            // the old one's place, so that no caller sees a gap; another service must see it leave.
            if held.service == service {
                self.forget_lease(lease);
            } else {
                let revision = self.unlist(now, lease);
                out.push(Effect::Persist(Record::Deregistered { revision, lease }));
                out.push(Effect::Note(Event::Deregistered { service: held.service, instance, lease, revision }));
            }
        } else if let Some(preservation) = &mut self.preservation {
            preservation.registered();
        }
        let lease = self.next_lease;
        self.next_lease = LeaseId(lease.0 + 1);
        let deadline = self.lease_clock(now).saturating_add(self.config.lease_length(ttl, false));
        self.leases.insert(lease, Lease { owner: from, service, instance, ttl, deadline });
        self.by_instance.insert(instance, lease);
        self.expiry.insert(now, deadline, lease);
        let revision = self.change(now, service, instance, Some(endpoint));
        out.push(Effect::Persist(Record::Registered { revision, lease, owner: from, service, endpoint, ttl }));
        out.push(Effect::Note(Event::Registered { service, instance, lease, revision }));
        out.push(Effect::Granted { to: from, instance, lease, ttl });
    }

    fn set_draining(&mut self, now: Instant, lease: LeaseId, held: Lease, draining: bool, out: &mut Outbox<Effect>) {
        let Lease { service, instance, .. } = held;
        let endpoint = *self.services[&service].get(instance).expect("a lease lists its instance");
        if endpoint.draining == draining {
            return;
        }
        let revision = self.change(now, service, instance, Some(Endpoint { draining, ..endpoint }));
        out.push(Effect::Persist(Record::Draining { revision, lease, draining }));
        out.push(Effect::Note(Event::Drained { service, instance, draining, revision }));
    }

    fn extend(&mut self, now: Instant, lease: LeaseId, renewed: bool) {
        let clock = self.lease_clock(now);
        let held = self.leases.get_mut(&lease).expect("the caller found it");
        self.expiry.remove(held.deadline, lease);
        held.deadline = clock.saturating_add(self.config.lease_length(held.ttl, renewed));
        self.expiry.insert(now, held.deadline, lease);
    }

    fn forget_lease(&mut self, lease: LeaseId) -> Lease {
        let held = self.leases.remove(&lease).expect("the caller found it");
        self.expiry.remove(held.deadline, lease);
        self.by_instance.remove(&held.instance);
        held
    }

    fn unlist(&mut self, now: Instant, lease: LeaseId) -> Revision {
        let held = self.forget_lease(lease);
        self.change(now, held.service, held.instance, None)
    }

    /// Changes the catalogue by one endpoint, and lets watchers wait for `push_delay` at most.
    fn change(&mut self, now: Instant, id: ServiceId, instance: InstanceId, endpoint: Option<Endpoint>) -> Revision {
        self.revision = Revision(self.revision.0 + 1);
        let (revision, period, push_at) = (self.revision, self.period(now), now.saturating_add(self.config.push_delay));
        let service = self.service(id);
        if let Some(period) = period {
            service.freeze(period);
        }
        service.change(instance, endpoint, revision);
        if service.push_at.is_none() {
            service.push_at = Some(push_at);
            self.pushes.insert((push_at, id));
        }
        revision
    }

    /// What the clock by which leases end shows at `now`.
    fn lease_clock(&self, now: Instant) -> Instant {
        match self.date_ahead {
            Some(ahead) => moved(now, ahead),
            None => now,
        }
    }

    /// The wall clock shows `date` at `now`. A lease that stands keeps the date at which it ends; one that was
    /// recovered before any date was known gets its date now.
    fn learn_date(&mut self, now: Instant, date: Instant) {
        if !self.config.dated_leases {
            return;
        }
        let ahead = i128::from(date.as_nanos()) - i128::from(now.as_nanos());
        if self.date_ahead.replace(ahead).is_some() {
            return;
        }
        for (&lease, held) in &mut self.leases {
            self.expiry.remove(held.deadline, lease);
            held.deadline = moved(held.deadline, ahead);
            self.expiry.insert(now, held.deadline, lease);
        }
    }

    fn advance_to(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        let listed = self.leases.len() as u64;
        if let Some(preservation) = &mut self.preservation {
            preservation.advance(now, listed);
        }
        let Some(late) = self.expiry.begin_pass(now) else { return };
        let late = if self.config.compensate_late_passes { late } else { Duration::ZERO };
        let clock = self.lease_clock(now);
        let mut ended: Vec<LeaseId> = self.expiry.ended(clock.saturating_sub(late)).collect();
        if ended.is_empty() {
            return;
        }
        if let Some(preservation) = &self.preservation {
            let Some(limit) = preservation.evictions(listed, ended.len() as u64) else {
                let (renewals, threshold) = (preservation.renewals(), preservation.threshold());
                out.push(Effect::Note(Event::Preserved { expired: ended.len() as u64, renewals, threshold }));
                return;
            };
            let limit = limit as usize;
            // Fisher and Yates, stopped at the limit, as in `AbstractInstanceRegistry.evict`.
            for i in 0..limit {
                let j = i + self.rng.below((ended.len() - i) as u32) as usize;
                ended.swap(i, j);
            }
            ended.truncate(limit);
        }
        for lease in ended {
            let Lease { service, instance, .. } = self.leases[&lease];
            let revision = self.unlist(now, lease);
            if let Some(preservation) = &mut self.preservation {
                preservation.expired();
            }
            out.push(Effect::Persist(Record::Expired { revision, lease }));
            out.push(Effect::Note(Event::Expired { service, instance, lease, revision }));
        }
    }

    fn tell_watchers(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        while let Some(&(at, id)) = self.pushes.first()
            && at <= now
            && !self.pushes_held
        {
            self.pushes.pop_first();
            let service = self.services.get_mut(&id).expect("only a service that changed waits to be told");
            service.push_at = None;
            service.tell(now, self.config.watch_ttl, |to, view| out.push(Effect::Push { to, service: id, view }));
        }
    }
}

impl Core for Registry {
    type Input = Input;
    type Effect = Effect;

    const WAKE: Input = Input::Wake;

    /// Hears one input at `now`.
    fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        if let Input::Date(date) = input {
            self.learn_date(now, date);
        }
        self.advance_to(now, out);
        self.tell_watchers(now, out);
        match input {
            Input::Register { from, service, endpoint, ttl } => self.register(now, from, service, endpoint, ttl, out),
            Input::Renew { from, instance, lease } => match self.lease_of(instance, lease) {
                Some(_) => {
                    self.extend(now, lease, true);
                    if let Some(preservation) = &mut self.preservation {
                        preservation.renewed();
                    }
                    out.push(Effect::Renewed { to: from, instance, lease });
                }
                None => out.push(Effect::LeaseUnknown { to: from, instance, lease }),
            },
            Input::Deregister { from, instance, lease } => match self.lease_of(instance, lease) {
                Some(held) => {
                    let revision = self.unlist(now, lease);
                    if let Some(preservation) = &mut self.preservation {
                        preservation.deregistered();
                    }
                    out.push(Effect::Persist(Record::Deregistered { revision, lease }));
                    out.push(Effect::Note(Event::Deregistered { service: held.service, instance, lease, revision }));
                    out.push(Effect::Deregistered { to: from, instance, lease });
                }
                None => out.push(Effect::LeaseUnknown { to: from, instance, lease }),
            },
            Input::SetDraining { from, instance, lease, draining } => match self.lease_of(instance, lease) {
                Some(held) => {
                    self.set_draining(now, lease, held, draining, out);
                    out.push(Effect::DrainingSet { to: from, instance, lease, draining });
                }
                None => out.push(Effect::LeaseUnknown { to: from, instance, lease }),
            },
            Input::Watch { watcher, service, after } => {
                let entry = self.service(service);
                let revision = entry.revision();
                entry.watch(watcher, revision, now);
                if after == Revision(0) || after != revision {
                    let view = entry.view();
                    out.push(Effect::Push { to: watcher, service, view });
                } else {
                    out.push(Effect::Watching { to: watcher, service, revision });
                }
            }
            Input::Unwatch { watcher, service } => {
                if let Some(entry) = self.services.get_mut(&service) {
                    entry.unwatch(watcher);
                }
            }
            Input::Fetch { from, service, after } => {
                let period = self.period(now);
                let entry = self.service(service);
                let view = match period {
                    Some(period) => entry.frozen_view(period),
                    None => entry.view(),
                };
                let news = after == Revision(0) || after != view.revision;
                out.push(Effect::Fetched { to: from, service, view: news.then_some(view) });
            }
            Input::Date(_) | Input::Wake => {}
        }
        self.tell_watchers(now, out);
    }

    /// When it next wants [`Input::Wake`]; `None` while nothing can happen by itself. O(log n).
    fn deadline(&self) -> Option<Instant> {
        let push = self.pushes.first().map(|&(at, _)| at).filter(|_| !self.pushes_held);
        match (self.expiry.due(), push) {
            (Some(pass), Some(push)) => Some(pass.min(push)),
            (pass, push) => pass.or(push),
        }
    }
}

/// When the copies of a store are renewed, at which it was `date` when its clock stood at zero.
fn copies(config: &Config, date: Duration) -> Option<Grid> {
    (!config.response_cache.is_zero()).then(|| Grid::new(Instant::ZERO, date, config.response_cache))
}
