//! The lock store in conversation: `testdata/locks.txt`.
//!
//! ```text
//! store consul | etcd                     a new store at 0s
//! 3s create n1 [nonce=2] [ttl=20s]        opens a session for n1
//! 3s renew s1 | destroy s1
//! 3s try s1 a | queue s1 a | release s1 a
//! until 60s                               wakes the store at each deadline
//! current a 3                             whether token 3 is the one with which `a` is held
//! ```

use base::{Core, Duration, FencingToken, Instant, NodeId, Outbox, SessionId, golden};
use coordination::{Config, Effect, Input, LockKey, Locks, Waiting};
use std::fmt::Write as _;

fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(ms) => Duration::ms(ms.parse().unwrap()),
        None => Duration::secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

fn number(text: &str) -> u64 {
    text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

fn tell(locks: &mut Locks, now: Instant, input: Input, text: &mut String) {
    let mut out = Outbox::new();
    locks.handle(now, input, &mut out);
    for effect in out.drain() {
        match effect {
            Effect::SessionCreated { to, session, ttl, .. } => writeln!(text, "→ {to}: {session} lives for {ttl}"),
            Effect::SessionRenewed { to, session, .. } => writeln!(text, "→ {to}: {session} renewed"),
            Effect::SessionUnknown { to, session } => writeln!(text, "→ {to}: {session} unknown"),
            Effect::SessionDestroyed { to, session } => writeln!(text, "→ {to}: {session} destroyed"),
            Effect::Granted { to, session, key, token } => writeln!(text, "→ {to}: {session} holds {key} with {token}"),
            Effect::Refused { to, session, key, holder, retry_after } => {
                write!(text, "→ {to}: {session} does not get {key}").unwrap();
                holder.iter().for_each(|holder| write!(text, ", held by {holder}").unwrap());
                retry_after.iter().for_each(|at| write!(text, ", delayed until {at}").unwrap());
                writeln!(text)
            }
            Effect::Queued { to, session, key, ahead } => {
                writeln!(text, "→ {to}: {session} waits for {key} behind {ahead}")
            }
            Effect::Released { to, session, key } => writeln!(text, "→ {to}: {session} is off {key}"),
            Effect::Note(event) => writeln!(text, "{now} {event}"),
        }
        .unwrap();
    }
}

#[test]
fn locks() {
    let mut locks = Locks::new(Config::consul());
    golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/locks.txt", |block| {
        let mut text = String::new();
        for line in block.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let setting = |name: &str| words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
            match words[0] {
                "store" => {
                    locks = Locks::new(match words[1] {
                        "consul" => Config::consul(),
                        "etcd" => Config::etcd(),
                        other => panic!("no preset `{other}`"),
                    });
                }
                "until" => {
                    while let Some(at) = locks.deadline().filter(|&at| at <= Instant::ZERO + duration(words[1])) {
                        tell(&mut locks, at, Input::Wake, &mut text);
                        assert!(locks.deadline().is_none_or(|next| next > at), "woken in vain at {at}");
                    }
                }
                "deadline" => {
                    let next = locks.deadline().map_or("never".to_string(), |at| at.to_string());
                    writeln!(text, "{next}").unwrap();
                }
                "current" => {
                    let current = locks.is_current(&LockKey::new(words[1]), FencingToken(number(words[2])));
                    writeln!(text, "{current}").unwrap();
                }
                moment => {
                    let now = Instant::ZERO + duration(moment);
                    // Node n7 owns whatever session it speaks of: answers go to it.
                    let session = SessionId(number(words[2]));
                    let from = NodeId(session.0 as u32);
                    let key = words.get(3).map(|name| LockKey::new(name));
                    let acquire = |waiting| Input::Acquire { from, session, key: key.clone().unwrap(), waiting };
                    let input = match words[1] {
                        "create" => {
                            let nonce = setting("nonce").map_or(0, number);
                            Input::CreateSession { from, nonce, ttl: setting("ttl").map(duration) }
                        }
                        "renew" => Input::RenewSession { from, session, number: 0 },
                        "destroy" => Input::DestroySession { from, session },
                        "try" => acquire(Waiting::Refuse),
                        "queue" => acquire(Waiting::Queue),
                        "release" => Input::Release { from, session, key: key.unwrap() },
                        "wake" => Input::Wake,
                        other => panic!("no word `{other}`"),
                    };
                    tell(&mut locks, now, input, &mut text);
                }
            }
        }
        text
    });
}
