//! Registrant and resolver in conversation: golden tables under `testdata/registrant.txt` and `testdata/resolver.txt`.
//!
//! Each line is a moment and what is heard then; `until 60s` wakes the client at each of its deadlines. Random waits
//! come from fixed streams, so the tables hold them to the nanosecond.

use base::{
    Core, Duration, InstanceId, Instant, LeaseId, NodeId, Outbox, Revision, Seed, ServiceId, VersionId, ZoneId, golden,
};
use registry::{Backoff, Endpoint, Registrant, Resolver, View, registrant, resolver};
use std::fmt::Write as _;
use std::sync::Arc;

const BACKOFF: Backoff = Backoff { first: Duration::ms(200), limit: Duration::ms(800) };

fn moment(text: &str) -> Instant {
    Instant::ZERO + duration(text)
}

fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(ms) => Duration::ms(ms.parse().unwrap()),
        None => Duration::secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

fn endpoint(id: u32) -> Endpoint {
    let instance = InstanceId(id);
    Endpoint { instance, node: NodeId(id), zone: ZoneId(0), version: VersionId(0), weight: 1, draining: false }
}

fn number(text: &str) -> u64 {
    text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Wakes a client at each deadline up to `end`; each waking must move the deadline.
fn wake_until(end: Instant, mut deadline: impl FnMut(Option<Instant>) -> Option<Instant>) {
    let mut next = deadline(None);
    while let Some(at) = next.filter(|&at| at <= end) {
        next = deadline(Some(at));
        assert!(next.is_none_or(|next| next > at), "woken at {at} and wants to be woken at {next:?}");
    }
}

fn registrant_says(now: Instant, out: &mut Outbox<registrant::Effect>, text: &mut String) {
    use registrant::Effect;
    for effect in out.drain() {
        match effect {
            Effect::SendRegister { endpoint, attempt, .. } => {
                writeln!(text, "{now} register {} (attempt {attempt})", endpoint.instance)
            }
            Effect::SendRenew { lease, attempt, .. } => writeln!(text, "{now} renew {lease} (attempt {attempt})"),
            Effect::SendDraining { lease, attempt, .. } => writeln!(text, "{now} drain {lease} (attempt {attempt})"),
            Effect::SendDeregister { lease, attempt, .. } => {
                writeln!(text, "{now} deregister {lease} (attempt {attempt})")
            }
            Effect::Note(event) => writeln!(text, "{now} {event}"),
        }
        .unwrap();
    }
}

#[test]
fn a_registrant_registers_renews_and_leaves() {
    let config = registrant::Config {
        ttl: None,
        heartbeat: Duration::secs(10),
        request_timeout: Duration::secs(1),
        backoff: BACKOFF,
        drain: Duration::ZERO,
    };
    let new = |config| Registrant::new(config, ServiceId(0), endpoint(1), Seed(3).stream("registrant"));
    let mut client = new(config);
    golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/registrant.txt", |block| {
        let (mut out, mut text) = (Outbox::new(), String::new());
        for line in block.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if words[0] == "new" {
                let drain = words.get(1).map_or(Duration::ZERO, |w| duration(w.strip_prefix("drain=").unwrap()));
                client = new(registrant::Config { drain, ..config });
                continue;
            }
            if words[0] == "until" {
                wake_until(moment(words[1]), |now| {
                    if let Some(now) = now {
                        client.handle(now, registrant::Input::Wake, &mut out);
                        registrant_says(now, &mut out, &mut text);
                    }
                    client.deadline()
                });
                continue;
            }
            let now = moment(words[0]);
            let lease = LeaseId(words.get(2).filter(|w| !w.starts_with("age")).map_or(0, |w| number(w)));
            let input = match words[1] {
                "start" => registrant::Input::Start { age: age(&words) },
                "stop" => registrant::Input::Stop,
                "granted" => registrant::Input::Granted { lease, ttl: Duration::secs(30) },
                "renewed" => registrant::Input::Renewed { lease },
                "unknown" => registrant::Input::LeaseUnknown { lease },
                "draining" => registrant::Input::DrainingSet { lease },
                "deregistered" => registrant::Input::Deregistered { lease },
                other => panic!("no word `{other}`"),
            };
            client.handle(now, input, &mut out);
            registrant_says(now, &mut out, &mut text);
        }
        writeln!(text, "is {:?}", client.phase()).unwrap();
        text
    });
}

/// `age=12s` as the third word: for how long the process has been at it.
fn age(words: &[&str]) -> Duration {
    words.get(2).map_or(Duration::ZERO, |word| duration(word.strip_prefix("age=").unwrap()))
}

fn resolver_says(now: Instant, out: &mut Outbox<resolver::Effect>, text: &mut String) {
    use resolver::Effect;
    for effect in out.drain() {
        match effect {
            Effect::SendWatch { service, after, attempt } => {
                writeln!(text, "{now} watch {service} after {after} (attempt {attempt})")
            }
            Effect::SendFetch { service, after, attempt } => {
                writeln!(text, "{now} fetch {service} after {after} (attempt {attempt})")
            }
            Effect::SendUnwatch { to, service } => writeln!(text, "{now} unwatch {service} at {to}"),
            Effect::Updated { service, view } => {
                let ids: Vec<String> = view.endpoints.iter().map(|e| e.instance.to_string()).collect();
                writeln!(text, "{now} {service} is {} at {}", ids.join(" "), view.revision)
            }
            Effect::Note(event) => writeln!(text, "{now} {event}"),
        }
        .unwrap();
    }
}

#[test]
fn a_resolver_follows_one_server_at_a_time() {
    let new = |mode| {
        let config = resolver::Config { mode, request_timeout: Duration::secs(1), backoff: BACKOFF };
        Resolver::new(config, Seed(3).stream("resolver"))
    };
    let mut client = new(resolver::Mode::Poll { interval: Duration::secs(1) });
    golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/resolver.txt", |block| {
        let (mut out, mut text) = (Outbox::new(), String::new());
        for line in block.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if words[0] == "new" {
                client = new(match words[1].split_once('=').unwrap() {
                    ("watch", wait) => resolver::Mode::Watch { wait: duration(wait) },
                    ("poll", interval) => resolver::Mode::Poll { interval: duration(interval) },
                    other => panic!("no mode {other:?}"),
                });
                continue;
            }
            if words[0] == "until" {
                wake_until(moment(words[1]), |now| {
                    if let Some(now) = now {
                        client.handle(now, resolver::Input::Wake, &mut out);
                        resolver_says(now, &mut out, &mut text);
                    }
                    client.deadline()
                });
                continue;
            }
            let now = moment(words[0]);
            let service = ServiceId(0);
            let from = words.get(2).filter(|w| !w.starts_with("age"));
            let from = from.map_or(NodeId(0), |w| NodeId(number(w) as u32));
            // `r3 i1 i2` is a view, `none` is no view.
            let view = words.get(3).filter(|w| **w != "none").map(|revision| {
                let endpoints = words[4..].iter().map(|w| endpoint(number(w) as u32)).collect();
                Arc::new(View::new(service, Revision(number(revision)), endpoints))
            });
            let input = match words[1] {
                "subscribe" => resolver::Input::Subscribe { service, age: age(&words) },
                "unsubscribe" => resolver::Input::Unsubscribe(service),
                "push" => resolver::Input::Push { from, view: view.unwrap() },
                "watching" => resolver::Input::Watching { from, service },
                "fetched" => resolver::Input::Fetched { from, service, view },
                "disconnected" => resolver::Input::Disconnected(from),
                other => panic!("no word `{other}`"),
            };
            client.handle(now, input, &mut out);
            resolver_says(now, &mut out, &mut text);
        }
        let held = client.view(ServiceId(0)).map_or("nothing".to_string(), |v| v.revision.to_string());
        writeln!(text, "holds {held}").unwrap();
        text
    });
}
