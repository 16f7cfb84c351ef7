//! What a server promises, held against a model that is too simple to be wrong, and against its own log.

use base::{
    Core, Duration, InstanceId, Instant, LeaseId, NodeId, Outbox, Revision, Seed, ServiceId, VersionId, ZoneId,
};
use proptest::prelude::*;
use registry::{Config, Effect, Endpoint, Event, Input, Record, Registry, View};
use std::collections::BTreeMap;
use std::sync::Arc;

const SERVICES: u32 = 2;

#[derive(Clone, Debug)]
enum Step {
    Register { instance: u32, service: u32, version: u32, ttl_ms: u64 },
    Renew { instance: u32, stale: bool },
    Deregister { instance: u32, stale: bool },
    Drain { instance: u32, draining: bool },
    Watch { watcher: u32, service: u32, up_to_date: bool },
    Unwatch { watcher: u32, service: u32 },
    Fetch { service: u32, up_to_date: bool },
    Pass { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (instance, service) = (0..5u32, 0..SERVICES);
    prop_oneof![
        4 => (instance.clone(), service.clone(), 0..2u32, 1..3000u64)
            .prop_map(|(instance, service, version, ttl_ms)| Step::Register { instance, service, version, ttl_ms }),
        4 => (instance.clone(), any::<bool>()).prop_map(|(instance, stale)| Step::Renew { instance, stale }),
        1 => (instance.clone(), any::<bool>()).prop_map(|(instance, stale)| Step::Deregister { instance, stale }),
        2 => (instance, any::<bool>()).prop_map(|(instance, draining)| Step::Drain { instance, draining }),
        2 => (0..3u32, service.clone(), any::<bool>())
            .prop_map(|(watcher, service, up_to_date)| Step::Watch { watcher, service, up_to_date }),
        1 => (0..3u32, service.clone()).prop_map(|(watcher, service)| Step::Unwatch { watcher, service }),
        2 => (service, any::<bool>()).prop_map(|(service, up_to_date)| Step::Fetch { service, up_to_date }),
        6 => (0..1500u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    let ms = |choices: &'static [u64]| prop::sample::select(choices).prop_map(Duration::ms);
    (ms(&[0, 1, 100, 700]), ms(&[0, 50, 400])).prop_map(|(expire_interval, push_delay)| Config {
        expire_interval,
        push_delay,
        ..Config::consul_ttl()
    })
}

/// Who is listed, by the rules and nothing else.
#[derive(Clone, Debug)]
struct Listed {
    lease: LeaseId,
    service: ServiceId,
    endpoint: Endpoint,
    ttl: Duration,
    deadline: Instant,
}

struct Bench {
    config: Config,
    server: Registry,
    now: Instant,
    model: BTreeMap<InstanceId, Listed>,
    /// What each watcher was told last.
    told: BTreeMap<(NodeId, ServiceId), Option<Arc<View>>>,
    log: Vec<Record>,
    revision: Revision,
    out: Outbox<Effect>,
}

impl Bench {
    fn new(config: Config) -> Self {
        Bench {
            server: Registry::new(config.clone(), Instant::ZERO, Seed(1).stream("registry")),
            config,
            now: Instant::ZERO,
            model: BTreeMap::new(),
            told: BTreeMap::new(),
            log: Vec::new(),
            revision: Revision(0),
            out: Outbox::new(),
        }
    }

    /// Hands over one input, checks what must hold of every effect, and returns the effects.
    fn tell(&mut self, input: Input) -> Vec<Effect> {
        self.server.handle(self.now, input, &mut self.out);
        let effects: Vec<Effect> = self.out.drain().collect();
        for effect in &effects {
            match effect {
                Effect::Note(Event::Expired { instance, .. }) => {
                    let gone = self.model.remove(instance).expect("only the listed expire");
                    assert!(gone.deadline <= self.now, "{instance} expired at {} before {}", self.now, gone.deadline);
                    let limit = gone.deadline + self.config.expire_interval;
                    assert!(self.now <= limit, "{instance} expired at {} after {limit}", self.now);
                }
                Effect::Persist(record) => {
                    assert!(record.revision() > self.revision, "{record:?} does not come after {}", self.revision);
                    self.revision = record.revision();
                    self.log.push(*record);
                }
                Effect::Push { to, service, view } => {
                    let slot = self.told.get_mut(&(*to, *service)).expect("only watchers are told");
                    let moved_on = slot.as_ref().is_none_or(|before| before.revision < view.revision);
                    assert!(moved_on, "{to} was told of {} twice or backwards", view.revision);
                    *slot = Some(Arc::clone(view));
                }
                _ => {}
            }
        }
        effects
    }

    fn take(&mut self, step: &Step) {
        let answer = |effects: &[Effect], wanted: fn(&Effect) -> bool| effects.iter().any(wanted);
        match *step {
            Step::Register { instance, service, version, ttl_ms } => {
                let (from, instance, service) = (NodeId(instance), InstanceId(instance), ServiceId(service));
                let (zone, version) = (ZoneId(0), VersionId(version));
                let endpoint = Endpoint { instance, node: from, zone, version, weight: 1, draining: false };
                let ttl = Duration::ms(ttl_ms);
                let effects = self.tell(Input::Register { from, service, endpoint, ttl: Some(ttl) });
                let lease = effects.iter().find_map(|e| match e {
                    Effect::Granted { lease, .. } => Some(*lease),
                    _ => None,
                });
                let lease = lease.expect("every registration is granted");
                self.model.insert(instance, Listed { lease, service, endpoint, ttl, deadline: self.now + ttl });
            }
            Step::Renew { instance, stale } => {
                let (instance, lease) = self.lease(instance, stale);
                let effects = self.tell(Input::Renew { from: NodeId(0), instance, lease });
                match self.model.get_mut(&instance).filter(|held| held.lease == lease) {
                    Some(held) => {
                        assert!(answer(&effects, |e| matches!(e, Effect::Renewed { .. })), "{effects:?}");
                        held.deadline = self.now + held.ttl;
                    }
                    None => assert!(answer(&effects, |e| matches!(e, Effect::LeaseUnknown { .. })), "{effects:?}"),
                }
            }
            Step::Deregister { instance, stale } => {
                let (instance, lease) = self.lease(instance, stale);
                let effects = self.tell(Input::Deregister { from: NodeId(0), instance, lease });
                match self.model.remove(&instance) {
                    Some(held) if held.lease == lease => {
                        assert!(answer(&effects, |e| matches!(e, Effect::Deregistered { .. })), "{effects:?}");
                    }
                    other => {
                        assert!(answer(&effects, |e| matches!(e, Effect::LeaseUnknown { .. })), "{effects:?}");
                        self.model.extend(other.map(|held| (instance, held)));
                    }
                }
            }
            Step::Drain { instance, draining } => {
                let (instance, lease) = self.lease(instance, false);
                self.tell(Input::SetDraining { from: NodeId(0), instance, lease, draining });
                if let Some(held) = self.model.get_mut(&instance) {
                    held.endpoint.draining = draining;
                }
            }
            Step::Watch { watcher, service, up_to_date } => {
                let (watcher, service) = (NodeId(watcher), ServiceId(service));
                self.tell(Input::Wake);
                let held = self.told.get(&(watcher, service)).cloned().flatten().filter(|_| up_to_date);
                // Who holds revision zero asks as one who holds nothing.
                let held = held.filter(|view| view.revision != Revision(0));
                let after = held.as_ref().map_or(Revision(0), |view| view.revision);
                self.told.insert((watcher, service), held);
                let effects = self.tell(Input::Watch { watcher, service, after });
                assert_eq!(effects.len(), 1, "a watch is answered, once: {effects:?}");
                assert_eq!(self.told[&(watcher, service)].as_deref(), Some(&*self.server.view(service)));
            }
            Step::Unwatch { watcher, service } => {
                self.tell(Input::Unwatch { watcher: NodeId(watcher), service: ServiceId(service) });
                self.told.remove(&(NodeId(watcher), ServiceId(service)));
            }
            Step::Fetch { service, up_to_date } => {
                let service = ServiceId(service);
                self.tell(Input::Wake);
                let present = self.server.view(service);
                let after = if up_to_date { present.revision } else { Revision(0) };
                let effects = self.tell(Input::Fetch { from: NodeId(9), service, after });
                let view = (after == Revision(0) || !up_to_date).then_some(present);
                assert_eq!(effects, [Effect::Fetched { to: NodeId(9), service, view }]);
            }
            Step::Pass { ms } => self.pass(Duration::ms(ms)),
        }
    }

    /// The lease of an instance, or one it does not have.
    fn lease(&self, instance: u32, stale: bool) -> (InstanceId, LeaseId) {
        let instance = InstanceId(instance);
        let lease = self.model.get(&instance).map_or(LeaseId(0), |held| held.lease);
        (instance, if stale { LeaseId(lease.0.wrapping_sub(1)) } else { lease })
    }

    /// Lets time pass, waking the server when it wants to be woken.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.server.deadline().filter(|&at| at <= end) {
            assert!(at >= self.now, "wants to be woken at {at}, now is {}", self.now);
            self.now = at;
            self.tell(Input::Wake);
            assert!(self.server.deadline().is_none_or(|next| next > at), "woken in vain at {at}");
        }
        self.now = end;
    }

    /// The catalogue is the model's: nobody missing, nobody too much, nobody long dead.
    fn compare(&mut self) {
        for service in (0..SERVICES).map(ServiceId) {
            let listed: Vec<Endpoint> =
                self.model.values().filter(|held| held.service == service).map(|held| held.endpoint).collect();
            assert_eq!(self.server.view(service).endpoints, listed, "{service} at {}", self.now);
        }
        for (instance, held) in &self.model {
            assert_eq!(self.server.instance(*instance), Some((held.lease, &held.endpoint)));
            let limit = held.deadline + self.config.expire_interval;
            assert!(self.now <= limit, "{instance} is listed at {}, its lease ended at {}", self.now, held.deadline);
        }
        assert_eq!(self.server.listed(), self.model.len());
        assert_eq!(self.server.revision(), self.revision);
    }

    /// A restart from `records` knows the same instances, gives each a full ttl, and begins after every revision so
    /// far.
    fn restart_from(&mut self, records: Vec<Record>) {
        let mut bytes = Vec::new();
        records.iter().for_each(|record| record.encode(&mut bytes));
        let (records, damage) = Record::decode_log(&bytes);
        assert_eq!(damage, None);
        let mut again = Registry::recover(self.config.clone(), self.now, Seed(1).stream("registry"), 0, records);
        assert_eq!(again.listed(), self.model.len());
        assert!(again.revision() > self.revision);
        for (&instance, held) in &self.model {
            assert_eq!(again.instance(instance), Some((held.lease, &held.endpoint)));
            assert_eq!(again.lease_deadline(instance), Some(self.now + held.ttl));
        }
        for service in (0..SERVICES).map(ServiceId) {
            let (before, after) = (self.server.view(service), again.view(service));
            assert_eq!(after.endpoints, before.endpoints);
            assert!(after.revision > before.revision, "{} then {}", before.revision, after.revision);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// After every step the catalogue is what the rules say, leases end neither early nor more than a pass late,
    /// revisions only grow, and whoever renews in time stays.
    #[test]
    fn the_catalogue_is_what_the_rules_say(config in config(), steps in prop::collection::vec(step(), 1..80)) {
        let mut bench = Bench::new(config);
        for step in &steps {
            bench.take(step);
            bench.compare();
        }
    }

    /// When changes stop, every watcher holds the present view within the push delay.
    #[test]
    fn watchers_converge(config in config(), steps in prop::collection::vec(step(), 1..80)) {
        let mut bench = Bench::new(config);
        for step in &steps {
            bench.take(step);
        }
        // Silence until everybody has expired, which is the last change there can be.
        bench.pass(Duration::secs(10));
        for ((watcher, service), told) in bench.told.clone() {
            let present = bench.server.view(service);
            prop_assert_eq!(told.as_deref(), Some(&*present), "{} of {}", watcher, service);
        }
        prop_assert_eq!((bench.server.deadline(), bench.server.listed()), (None, 0));
    }

    /// The log, through bytes and back, and its compaction, recover to the catalogue they were written by.
    #[test]
    fn a_restart_knows_what_was_known(config in config(), steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new(config);
        for step in &steps {
            bench.take(step);
        }
        // What ended but was not looked for yet is listed on both sides.
        bench.restart_from(bench.log.clone());
        bench.restart_from(bench.server.snapshot().collect());
    }

    /// Being woken at each deadline and then hearing a message is the same as hearing the message at that moment.
    #[test]
    fn a_message_lets_time_pass_as_a_wake_does(config in config(), steps in prop::collection::vec(step(), 1..60)) {
        let run = |wake: bool| {
            let mut server = Registry::new(config.clone(), Instant::ZERO, Seed(1).stream("registry"));
            let (mut out, mut now, mut effects) = (Outbox::new(), Instant::ZERO, Vec::new());
            for step in &steps {
                let input = match *step {
                    Step::Register { instance, service, version, ttl_ms } => {
                        let (from, instance, zone) = (NodeId(instance), InstanceId(instance), ZoneId(0));
                        let version = VersionId(version);
                        let endpoint = Endpoint { instance, node: from, zone, version, weight: 1, draining: false };
                        let ttl = Some(Duration::ms(ttl_ms));
                        Input::Register { from, service: ServiceId(service), endpoint, ttl }
                    }
                    Step::Watch { watcher, service, .. } => {
                        Input::Watch { watcher: NodeId(watcher), service: ServiceId(service), after: Revision(0) }
                    }
                    Step::Pass { ms } => {
                        now += Duration::ms(ms);
                        continue;
                    }
                    _ => continue,
                };
                if wake {
                    server.handle(now, Input::Wake, &mut out);
                }
                server.handle(now, input, &mut out);
                effects.extend(out.drain());
            }
            effects
        };
        prop_assert_eq!(run(true), run(false));
    }

    /// No bytes make the reader of logs fail in any other way than by saying so.
    #[test]
    fn any_bytes_are_a_log_or_damaged(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (records, damage) = Record::decode_log(&bytes);
        let mut again = Vec::new();
        records.iter().for_each(|record| record.encode(&mut again));
        let read = damage.map_or(bytes.len(), |(at, _)| at);
        prop_assert_eq!(&again[..], &bytes[..read]);
    }
}
