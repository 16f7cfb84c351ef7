//! All three together over a network that loses, repeats, delays and reorders, with a server that restarts.
//!
//! The network is a sorted map and the whole world sixty lines: the cores do the work. A storm is followed by a calm,
//! in which everything must come right by itself.

use base::{Core, Draw, Duration, InstanceId, Instant, NodeId, Outbox, Ratio, Rng, Seed, ServiceId, VersionId, ZoneId};
use registry::{
    Backoff, Config, Effect, Endpoint, Event, Input, Record, Registrant, Registry, Resolver, registrant, resolver,
};
use std::collections::BTreeMap;

const SERVICE: ServiceId = ServiceId(0);
const SERVER: NodeId = NodeId(1000);
const BACKOFF: Backoff = Backoff { first: Duration::ms(100), limit: Duration::secs(1) };

/// What is under way, by addressee.
enum Message {
    Server(Input),
    Instance(usize, registrant::Input),
    Caller(usize, resolver::Input),
}

struct World {
    now: Instant,
    config: Config,
    server: Registry,
    log: Vec<Record>,
    restarts: u64,
    instances: Vec<Registrant>,
    callers: Vec<Resolver>,
    /// Messages under way, by arrival and then by order of sending.
    network: BTreeMap<(Instant, u64), Message>,
    sent: u64,
    rng: Rng,
    loss: Ratio,
    expired: Vec<(Instant, InstanceId)>,
}

impl World {
    fn new(seed: u64, config: Config, instances: u32, mode: resolver::Mode) -> Self {
        let seed = Seed(seed);
        let registering = registrant::Config {
            ttl: None,
            heartbeat: Duration::secs(1),
            request_timeout: Duration::ms(300),
            backoff: BACKOFF,
            drain: Duration::ms(700),
        };
        let resolving = resolver::Config { mode, request_timeout: Duration::ms(300), backoff: BACKOFF };
        let instance = |n: u32| {
            let (instance, zone) = (InstanceId(n), ZoneId(0));
            let endpoint =
                Endpoint { instance, node: NodeId(n), zone, version: VersionId(0), weight: 1, draining: false };
            Registrant::new(registering, SERVICE, endpoint, seed.nth("registrant", u64::from(n)))
        };
        World {
            now: Instant::ZERO,
            server: Registry::new(config.clone(), Instant::ZERO, seed.stream("registry")),
            config,
            log: Vec::new(),
            restarts: 0,
            instances: (0..instances).map(instance).collect(),
            callers: (0..3).map(|n| Resolver::new(resolving, seed.nth("resolver", n))).collect(),
            network: BTreeMap::new(),
            sent: 0,
            rng: seed.stream("network"),
            loss: Ratio::ZERO,
            expired: Vec::new(),
        }
    }

    /// Each copy takes 1 to 120 ms; one message in twenty arrives twice while the network loses anything.
    fn send(&mut self, mut message: impl FnMut() -> Message) {
        let copies = if self.loss > Ratio::ZERO && self.rng.below(20) == 0 { 2 } else { 1 };
        for _ in 0..copies {
            let arrives = self.now + Duration::ms(1 + u64::from(self.rng.below(120)));
            if !self.loss.happens(&mut self.rng) {
                self.sent += 1;
                self.network.insert((arrives, self.sent), message());
            }
        }
    }

    fn tell_server(&mut self, input: Input) {
        let mut out = Outbox::new();
        self.server.handle(self.now, input, &mut out);
        for effect in out.drain().collect::<Vec<_>>() {
            match effect {
                Effect::Persist(record) => self.log.push(record),
                Effect::Note(Event::Expired { instance, .. }) => self.expired.push((self.now, instance)),
                Effect::Note(_) => {}
                Effect::Granted { instance, lease, ttl, .. } => {
                    self.send(|| Message::Instance(instance.index(), registrant::Input::Granted { lease, ttl }))
                }
                Effect::Renewed { instance, lease, .. } => {
                    self.send(|| Message::Instance(instance.index(), registrant::Input::Renewed { lease }));
                }
                Effect::LeaseUnknown { instance, lease, .. } => {
                    self.send(|| Message::Instance(instance.index(), registrant::Input::LeaseUnknown { lease }));
                }
                Effect::Deregistered { instance, lease, .. } => {
                    self.send(|| Message::Instance(instance.index(), registrant::Input::Deregistered { lease }));
                }
                Effect::DrainingSet { instance, lease, .. } => {
                    self.send(|| Message::Instance(instance.index(), registrant::Input::DrainingSet { lease }));
                }
                Effect::Watching { to, service, .. } => {
                    self.send(|| Message::Caller(to.index() - 100, resolver::Input::Watching { from: SERVER, service }))
                }
                Effect::Push { to, view, .. } => self.send(|| {
                    Message::Caller(to.index() - 100, resolver::Input::Push { from: SERVER, view: view.clone() })
                }),
                Effect::Fetched { to, service, view } => self.send(|| {
                    let view = view.clone();
                    Message::Caller(to.index() - 100, resolver::Input::Fetched { from: SERVER, service, view })
                }),
            }
        }
    }

    fn tell_instance(&mut self, n: usize, input: registrant::Input) {
        let mut out = Outbox::new();
        // Whoever crashed hears nothing.
        let Some(instance) = self.instances.get_mut(n) else { return };
        instance.handle(self.now, input, &mut out);
        let from = NodeId(n as u32);
        for effect in out.drain() {
            use registrant::Effect as Wanted;
            let message = match effect {
                Wanted::SendRegister { service, endpoint, ttl, .. } => Input::Register { from, service, endpoint, ttl },
                Wanted::SendRenew { instance, lease, .. } => Input::Renew { from, instance, lease },
                Wanted::SendDraining { instance, lease, .. } => {
                    Input::SetDraining { from, instance, lease, draining: true }
                }
                Wanted::SendDeregister { instance, lease, .. } => Input::Deregister { from, instance, lease },
                Wanted::Note(_) => continue,
            };
            self.send(|| Message::Server(message.clone()));
        }
    }

    fn tell_caller(&mut self, n: usize, input: resolver::Input) {
        let mut out = Outbox::new();
        let before = self.callers[n].view(SERVICE).map(|view| view.revision);
        self.callers[n].handle(self.now, input, &mut out);
        let after = self.callers[n].view(SERVICE).map(|view| view.revision);
        assert!(before <= after, "caller {n} went back from {before:?} to {after:?}");
        let watcher = NodeId(100 + n as u32);
        for effect in out.drain() {
            use resolver::Effect as Wanted;
            let message = match effect {
                Wanted::SendWatch { service, after, .. } => Input::Watch { watcher, service, after },
                Wanted::SendFetch { service, after, .. } => Input::Fetch { from: watcher, service, after },
                Wanted::SendUnwatch { service, .. } => Input::Unwatch { watcher, service },
                Wanted::Updated { .. } | Wanted::Note(_) => continue,
            };
            self.send(|| Message::Server(message.clone()));
        }
    }

    fn run_until(&mut self, end: Instant) {
        let mut steps = 0;
        loop {
            let message = self.network.first_key_value().map(|(&(at, _), _)| at);
            let clients = self.instances.iter().filter_map(Registrant::deadline);
            let callers = self.callers.iter().filter_map(Resolver::deadline);
            let next = clients.chain(callers).chain(message).chain(self.server.deadline()).min();
            let Some(next) = next.filter(|&next| next <= end) else { break };
            // A client that wants to be woken again at the same moment for ever would stop time.
            assert!(steps < 1_000_000, "no progress at {}", self.now);
            steps += 1;
            self.now = self.now.max(next);
            if message == Some(next) {
                match self.network.pop_first().unwrap().1 {
                    Message::Server(input) => self.tell_server(input),
                    Message::Instance(n, input) => self.tell_instance(n, input),
                    Message::Caller(n, input) => self.tell_caller(n, input),
                }
                continue;
            }
            self.tell_server(Input::Wake);
            (0..self.instances.len()).for_each(|n| self.tell_instance(n, registrant::Input::Wake));
            (0..self.callers.len()).for_each(|n| self.tell_caller(n, resolver::Input::Wake));
        }
        self.now = end;
    }

    fn start(&mut self) {
        (0..self.instances.len()).for_each(|n| self.tell_instance(n, registrant::Input::Start { age: Duration::ZERO }));
        (0..self.callers.len())
            .for_each(|n| self.tell_caller(n, resolver::Input::Subscribe { service: SERVICE, age: Duration::ZERO }));
    }

    /// The server restarts and finds all but the last `lost` records; clients learn nothing of it.
    fn restart(&mut self, lost: usize) {
        self.log.truncate(self.log.len().saturating_sub(lost));
        self.restarts += 1;
        let rng = Seed(9).nth("registry", self.restarts);
        self.server = Registry::recover(self.config.clone(), self.now, rng, self.restarts, self.log.iter().copied());
    }

    fn assert_settled(&mut self, listed: &[u32], seed: u64) {
        let view = self.server.view(SERVICE);
        let ids: Vec<u32> = view.endpoints.iter().map(|e| e.instance.0).collect();
        assert_eq!(ids, listed, "seed {seed}");
        for (n, caller) in self.callers.iter().enumerate() {
            assert_eq!(caller.view(SERVICE).map(|v| &**v), Some(&*view), "caller {n}, seed {seed}");
        }
    }
}

const WATCH: resolver::Mode = resolver::Mode::Watch { wait: Duration::secs(3) };
const POLL: resolver::Mode = resolver::Mode::Poll { interval: Duration::secs(1) };

fn leases(expire_interval: Duration) -> Config {
    Config { ttl: Duration::secs(3), expire_interval, ..Config::consul_ttl() }
}

/// Nothing lost, nobody late: nobody is ever taken out.
#[test]
fn a_quiet_network_expires_nobody() {
    for seed in 0..20 {
        let mut world = World::new(seed, leases(Duration::ZERO), 6, WATCH);
        world.start();
        world.run_until(Instant::from_secs(60));
        assert_eq!(world.expired, [], "seed {seed}");
        world.assert_settled(&[0, 1, 2, 3, 4, 5], seed);
    }
}

/// After a storm of loss and restarts that may lose the end of the log, who runs is listed, who stopped or crashed is
/// not, and every caller knows; no caller ever goes back.
#[test]
fn after_a_storm_everybody_agrees() {
    let mut expiries = 0;
    for seed in 0..60 {
        let (mode, interval) = if seed % 2 == 0 { (WATCH, Duration::ZERO) } else { (POLL, Duration::ms(500)) };
        let mut world = World::new(seed, leases(interval), 6, mode);
        world.loss = Ratio::percent(40);
        world.start();
        for second in [5, 11, 18] {
            world.run_until(Instant::from_secs(second));
            world.restart((seed % 4) as usize);
        }
        // One leaves in good order while the storm rages, one falls silent for good.
        world.tell_instance(4, registrant::Input::Stop);
        world.instances.truncate(5);
        world.run_until(Instant::from_secs(25));
        world.loss = Ratio::ZERO;
        world.run_until(Instant::from_secs(45));
        world.assert_settled(&[0, 1, 2, 3], seed);
        expiries += world.expired.len();
    }
    assert!(expiries > 60, "the storm was a breeze: {expiries} expiries");
}

/// A crash is seen by every caller within ttl, pass, and delivery (or an answer under way, an interval and a poll); and
/// not before the ttl is over.
#[test]
fn a_dead_instance_is_gone_when_the_arithmetic_says() {
    for seed in 0..40 {
        let (mode, interval) = if seed % 2 == 0 { (WATCH, Duration::ZERO) } else { (POLL, Duration::ms(500)) };
        let mut world = World::new(seed, leases(interval), 3, mode);
        world.start();
        let crash = Instant::from_secs(10) + Duration::ms(37 * seed);
        world.run_until(crash);
        world.instances.truncate(2);
        // The last renewal was sent within a heartbeat and an answer before the crash, and takes 120 ms at most.
        let earliest = crash.saturating_sub(Duration::ms(1_240)) + Duration::secs(3);
        let latest = crash + Duration::ms(120) + Duration::secs(3) + interval;
        let told = if mode == WATCH { Duration::ms(120) } else { Duration::ms(120 + 1_000 + 240) };
        while world.expired.is_empty() {
            let next = world.now + Duration::ms(1);
            world.run_until(next);
            assert!(world.now <= latest, "seed {seed}: still listed at {}", world.now);
        }
        assert!(world.expired[0].0 >= earliest, "seed {seed}: {:?} before {earliest}", world.expired);
        world.run_until(world.now + told);
        world.assert_settled(&[0, 1], seed);
    }
}
