//! The server in conversation: golden tables under `testdata/server-*.txt`.
//!
//! ```text
//! server consul_ttl                       a new server at 0s; or etcd, eureka; settings may follow, such as
//!                                         push=500ms, age=40s (it was started then) and date=10s (what its
//!                                         clock's zero is)
//! 3s register i1 svc0 v2                  i1 lives on n1 in z1; also ttl=, draining, from=
//! 3s renew i1                             with its present lease, or with lease=7
//! 3s drain i1 | open i1 | deregister i1
//! 3s watch n50 svc0 after=r1 | unwatch n50 svc0 | fetch n50 svc0 after=r0
//! hold | release                           what watchers are to be told, as a driver with a busy disk does
//! views                                    how many were made
//! until 60s                               wakes the server at each deadline
//! renewals i1..i6 until 900s [every=10s]  every 30 s if not said, from now on; wakes between
//! restart at 70s [term=3] [lose=1] [from snapshot]
//! ```

use base::{
    Core, Duration, InstanceId, Instant, LeaseId, NodeId, Outbox, Revision, Seed, ServiceId, VersionId, ZoneId, golden,
};
use registry::{Config, Effect, Endpoint, Input, Record, Registry, SelfPreservation, Stamp, View};
use std::fmt::Write as _;

struct Talk {
    config: Config,
    server: Registry,
    now: Instant,
    log: Vec<Record>,
    out: Outbox<Effect>,
    text: String,
}

fn duration(text: &str) -> Duration {
    let (digits, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or_else(|| panic!("unit? {text}")));
    let n = digits.parse().unwrap();
    match unit {
        "ns" => Duration::ns(n),
        "ms" => Duration::ms(n),
        "s" => Duration::secs(n),
        other => panic!("no unit `{other}`"),
    }
}

fn number(prefix: &str, text: &str) -> u32 {
    text.strip_prefix(prefix).unwrap_or_else(|| panic!("`{text}` is no {prefix}")).parse().unwrap()
}

fn revision(text: &str) -> Revision {
    match text.strip_prefix('r').unwrap().split_once('.') {
        None => Revision(text[1..].parse().unwrap()),
        Some((term, counter)) => Revision((term.parse::<u64>().unwrap() << 32) + counter.parse::<u64>().unwrap()),
    }
}

fn show(view: &View) -> String {
    let mut text = format!("{} at {}:", view.service, Stamp(view.revision));
    for e in &view.endpoints {
        write!(text, " {}{}", e.instance, if e.draining { "(draining)" } else { "" }).unwrap();
    }
    if view.endpoints.is_empty() { text + " nobody" } else { text }
}

impl Talk {
    fn new() -> Self {
        let config = Config::consul_ttl();
        let server = Registry::new(config.clone(), Instant::ZERO, Seed(1).stream("registry"));
        Talk { config, server, now: Instant::ZERO, log: Vec::new(), out: Outbox::new(), text: String::new() }
    }

    fn answer(&mut self, block: &str) -> String {
        for line in block.lines() {
            self.line(line);
        }
        std::mem::take(&mut self.text)
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let setting = |name: &str| words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
        match words[0] {
            "server" => {
                self.config = match words[1] {
                    "consul_ttl" => Config::consul_ttl(),
                    "etcd" => Config::etcd(),
                    "eureka" => Config::eureka(),
                    other => panic!("no preset `{other}`"),
                };
                let set = |field: &mut Duration, name| *field = setting(name).map_or(*field, duration);
                set(&mut self.config.ttl, "ttl");
                set(&mut self.config.expire_interval, "scan");
                set(&mut self.config.push_delay, "push");
                set(&mut self.config.watch_ttl, "watch");
                self.config.compensate_late_passes |= words.contains(&"compensating");
                if let Some(expected) = setting("expected") {
                    let expected_at_start = expected.parse().unwrap();
                    self.config.self_preservation =
                        Some(SelfPreservation { expected_at_start, ..SelfPreservation::eureka() });
                }
                if setting("version") == Some("1.9.16") {
                    self.config.self_preservation = Some(SelfPreservation::eureka_1_9_16());
                }
                let age = setting("age").map_or(Duration::ZERO, duration);
                let date = setting("date").map_or(Duration::ZERO, duration);
                let server = Registry::new(self.config.clone(), Instant::ZERO, Seed(1).stream("registry"));
                self.server = server.running_for(Instant::ZERO, age).dated(date);
                self.log.clear();
            }
            "until" => self.until(Instant::ZERO + duration(words[1])),
            "hold" | "release" => self.server.hold_pushes(words[0] == "hold"),
            "views" => writeln!(self.text, "{} views", self.server.views_built()).unwrap(),
            "deadline" => {
                let next = self.server.deadline().map_or("never".to_string(), |at| at.to_string());
                writeln!(self.text, "{next}").unwrap();
            }
            "renewals" => {
                let (first, last) = words[1].split_once("..").unwrap();
                let end = Instant::ZERO + duration(words[3]);
                let mut next = self.now;
                while next <= end {
                    self.until(next);
                    for id in number("i", first)..=number("i", last) {
                        self.renew(InstanceId(id), None);
                    }
                    next += setting("every").map_or(Duration::secs(30), duration);
                }
                self.until(end);
            }
            "restart" => {
                self.now = Instant::ZERO + duration(words[2]);
                let mut records = self.log.clone();
                if words.ends_with(&["from", "snapshot"]) {
                    records = self.server.snapshot().collect();
                }
                let lost: usize = setting("lose").map_or(0, |n| n.parse().unwrap());
                records.truncate(records.len() - lost.min(records.len()));
                let term = setting("term").map_or(1, |n| n.parse().unwrap());
                self.server =
                    Registry::recover(self.config.clone(), self.now, Seed(1).stream("registry"), term, records.clone());
                self.log = records;
                let listed = self.server.listed();
                writeln!(self.text, "{} listed at {}", listed, Stamp(self.server.revision())).unwrap();
            }
            moment => {
                self.now = Instant::ZERO + duration(moment);
                let (verb, whom) = (words[1], words.get(2).copied().unwrap_or(""));
                let after = setting("after").map_or(Revision(0), revision);
                let input = match verb {
                    "register" => {
                        let id = number("i", whom);
                        let node = NodeId(setting("from").map_or(id, |n| number("n", n)));
                        let version = words.get(4).filter(|w| w.starts_with('v')).map_or(0, |w| number("v", w));
                        let endpoint = Endpoint {
                            instance: InstanceId(id),
                            node,
                            zone: ZoneId(1),
                            version: VersionId(version),
                            weight: 1,
                            draining: words.contains(&"draining"),
                        };
                        let service = ServiceId(number("svc", words[3]));
                        Input::Register { from: node, service, endpoint, ttl: setting("ttl").map(duration) }
                    }
                    "renew" => {
                        let lease = setting("lease").map(|n| LeaseId(n.parse().unwrap()));
                        return self.renew(InstanceId(number("i", whom)), lease);
                    }
                    "deregister" => {
                        let (instance, lease) = self.held(whom, setting("lease"));
                        Input::Deregister { from: NodeId(instance.0), instance, lease }
                    }
                    "drain" | "open" => {
                        let (instance, lease) = self.held(whom, setting("lease"));
                        Input::SetDraining { from: NodeId(instance.0), instance, lease, draining: verb == "drain" }
                    }
                    "watch" => {
                        let service = ServiceId(number("svc", words[3]));
                        Input::Watch { watcher: NodeId(number("n", whom)), service, after }
                    }
                    "unwatch" => {
                        let service = ServiceId(number("svc", words[3]));
                        Input::Unwatch { watcher: NodeId(number("n", whom)), service }
                    }
                    "fetch" => {
                        let service = ServiceId(number("svc", words[3]));
                        Input::Fetch { from: NodeId(number("n", whom)), service, after }
                    }
                    "wake" => Input::Wake,
                    other => panic!("no verb `{other}`"),
                };
                self.tell(input, false);
            }
        }
    }

    fn held(&self, whom: &str, lease: Option<&str>) -> (InstanceId, LeaseId) {
        let instance = InstanceId(number("i", whom));
        let present = self.server.instance(instance).map_or(LeaseId(0), |(lease, _)| lease);
        (instance, lease.map_or(present, |n| LeaseId(n.parse().unwrap())))
    }

    fn renew(&mut self, instance: InstanceId, lease: Option<LeaseId>) {
        let quiet = lease.is_none();
        let present = self.server.instance(instance).map_or(LeaseId(0), |(lease, _)| lease);
        let lease = lease.unwrap_or(present);
        self.tell(Input::Renew { from: NodeId(instance.0), instance, lease }, quiet);
    }

    /// Wakes the server at each of its deadlines up to `end`.
    fn until(&mut self, end: Instant) {
        while let Some(at) = self.server.deadline().filter(|&at| at <= end) {
            assert!(at >= self.now, "a deadline at {at}, which is past at {}", self.now);
            let before = (self.server.deadline(), self.server.listed());
            self.now = at;
            self.tell(Input::Wake, true);
            assert_ne!((self.server.deadline(), self.server.listed()), before, "woken in vain at {at}");
        }
        self.now = end;
    }

    /// Hands over one input and writes down what comes of it; when `quiet`, without answers to renewals, with the time.
    fn tell(&mut self, input: Input, quiet: bool) {
        self.server.handle(self.now, input, &mut self.out);
        let (text, now) = (&mut self.text, self.now);
        for effect in self.out.drain() {
            if quiet && matches!(effect, Effect::Renewed { .. }) {
                continue;
            }
            if quiet && !matches!(effect, Effect::Persist(_)) {
                write!(text, "{now} ").unwrap();
            }
            match effect {
                Effect::Persist(record) => {
                    self.log.push(record);
                    continue;
                }
                Effect::Note(event) => write!(text, "{event}"),
                Effect::Granted { to, instance, lease, ttl } => {
                    write!(text, "→ {to}: {instance} has {lease} for {ttl}")
                }
                Effect::Renewed { to, instance, lease } => write!(text, "→ {to}: {instance} renewed {lease}"),
                Effect::LeaseUnknown { to, instance, lease } => write!(text, "→ {to}: {instance} has no {lease}"),
                Effect::Deregistered { to, instance, .. } => write!(text, "→ {to}: {instance} is out"),
                Effect::DrainingSet { to, instance, draining, .. } => {
                    write!(text, "→ {to}: {instance} {}", if draining { "drains" } else { "is open" })
                }
                Effect::Watching { to, service, revision } => {
                    write!(text, "→ {to}: watching {service} at {}", Stamp(revision))
                }
                Effect::Push { to, view, .. } => write!(text, "→ {to}: {}", show(&view)),
                Effect::Fetched { to, view: Some(view), .. } => write!(text, "→ {to}: {}", show(&view)),
                Effect::Fetched { to, service, view: None } => write!(text, "→ {to}: nothing new of {service}"),
            }
            .unwrap();
            text.push('\n');
        }
    }
}

fn check(path: &str) {
    let mut talk = Talk::new();
    golden::check(env!("CARGO_MANIFEST_DIR"), path, |block| talk.answer(block));
}

#[test]
fn leases() {
    check("testdata/server-leases.txt");
}

#[test]
fn watches_and_polls() {
    check("testdata/server-watches.txt");
}

#[test]
fn restarts() {
    check("testdata/server-restarts.txt");
}

#[test]
fn eureka() {
    check("testdata/server-eureka.txt");
}
