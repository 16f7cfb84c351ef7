//! What a lock store promises, after any sequence of requests: one holder a key, growing tokens, a delay after the end
//! of a session and none after a release, service in order of arrival.

use base::{Core, Duration, FencingToken, Instant, NodeId, Outbox, SessionId};
use coordination::{Cause, Config, Effect, Event, Input, LockKey, Locks, Waiting};
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEYS: [&str; 2] = ["a", "b"];

#[derive(Clone, Debug)]
enum Step {
    Create {
        node: u32,
        ttl_ms: u64,
    },
    Renew {
        session: u64,
    },
    Destroy {
        session: u64,
    },
    Acquire {
        session: u64,
        key: usize,
        waiting: Waiting,
    },
    Release {
        session: u64,
        key: usize,
    },
    /// Time passes; a sleeping store is not woken at its deadlines.
    Pass {
        ms: u64,
        asleep: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let session = || 1..8u64;
    let waiting = prop_oneof![Just(Waiting::Refuse), Just(Waiting::Queue)];
    prop_oneof![
        2 => (0..4u32, 1..3000u64).prop_map(|(node, ttl_ms)| Step::Create { node, ttl_ms }),
        2 => session().prop_map(|session| Step::Renew { session }),
        1 => session().prop_map(|session| Step::Destroy { session }),
        6 => (session(), 0..2usize, waiting).prop_map(|(session, key, waiting)| Step::Acquire { session, key, waiting }),
        3 => (session(), 0..2usize).prop_map(|(session, key)| Step::Release { session, key }),
        4 => (0..1500u64, prop::bool::weighted(0.2)).prop_map(|(ms, asleep)| Step::Pass { ms, asleep }),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    (prop::sample::select(&[0u64, 1, 500, 2000][..]), 1..3u64).prop_map(|(delay, ttls_until_expiry)| Config {
        ttl: Duration::secs(1),
        ttl_min: Duration::ms(100),
        ttl_max: Duration::secs(2),
        ttls_until_expiry,
        lock_delay: Duration::ms(delay),
    })
}

/// A session as the rules see it.
struct Alive {
    ttl: Duration,
    renewed: Instant,
}

struct Bench {
    config: Config,
    locks: Locks,
    now: Instant,
    nonce: u64,
    alive: BTreeMap<SessionId, Alive>,
    holders: BTreeMap<LockKey, (SessionId, FencingToken)>,
    /// Nobody may get the key before.
    free_at: BTreeMap<LockKey, Instant>,
    queues: BTreeMap<LockKey, Vec<SessionId>>,
    last_token: FencingToken,
}

impl Bench {
    fn new(config: Config) -> Self {
        Bench {
            locks: Locks::new(config),
            config,
            now: Instant::ZERO,
            nonce: 0,
            alive: BTreeMap::new(),
            holders: BTreeMap::new(),
            free_at: BTreeMap::new(),
            queues: BTreeMap::new(),
            last_token: FencingToken(0),
        }
    }

    fn lifetime(&self, session: &Alive) -> Duration {
        session.ttl * self.config.ttls_until_expiry
    }

    fn tell(&mut self, input: Input) {
        let mut out = Outbox::new();
        let asked = match &input {
            Input::Acquire { session, key, .. } => Some((*session, key.clone())),
            _ => None,
        };
        if let Input::Release { session, key, .. } = &input {
            // Whoever is still in line when it gives up is not to be served by this release.
            if self.alive.get(session).is_some_and(|s| s.renewed + self.lifetime(s) > self.now) {
                self.queues.entry(key.clone()).or_default().retain(|waiter| waiter != session);
            }
        }
        self.locks.handle(self.now, input, &mut out);
        for effect in out.drain() {
            self.check(&effect, asked.as_ref());
        }
        self.compare();
    }

    fn check(&mut self, effect: &Effect, asked: Option<&(SessionId, LockKey)>) {
        let now = self.now;
        match effect {
            Effect::SessionCreated { session, ttl, .. } => {
                self.alive.insert(*session, Alive { ttl: *ttl, renewed: now });
            }
            Effect::SessionRenewed { session, .. } => {
                self.alive.get_mut(session).expect("only the living are renewed").renewed = now;
            }
            Effect::SessionUnknown { session, .. } => assert!(!self.alive.contains_key(session)),
            Effect::Queued { session, key, ahead, .. } => {
                let queue = self.queues.entry(key.clone()).or_default();
                if !queue.contains(session) {
                    queue.push(*session);
                }
                assert_eq!(queue.iter().position(|waiter| waiter == session), Some(*ahead));
            }
            Effect::Granted { session, key, token, .. } => {
                assert_eq!(self.holders.get(key), Some(&(*session, *token)), "granted, not acquired");
            }
            Effect::Refused { key, holder, retry_after, .. } => {
                assert_eq!(*holder, self.holders.get(key).map(|(holder, _)| *holder));
                assert_eq!(holder.is_none(), retry_after.is_some());
                assert_eq!(*retry_after, self.free_at.get(key).copied().filter(|&at| at > now));
            }
            Effect::Note(Event::SessionEnded { session, cause }) => {
                let ended = self.alive.remove(session).expect("a session ends once");
                let deadline = ended.renewed + self.lifetime(&ended);
                assert_eq!(*cause == Cause::Expired, deadline <= now, "{session} {cause:?} at {now}, due {deadline}");
                self.queues.values_mut().for_each(|queue| queue.retain(|waiter| waiter != session));
            }
            Effect::Note(Event::Acquired { key, session, token }) => {
                assert!(*token > self.last_token, "{token} after {}", self.last_token);
                self.last_token = *token;
                let alive = self.alive.get(session).expect("only the living acquire");
                assert!(alive.renewed + self.lifetime(alive) > now, "{session} acquired {key} when it had ended");
                assert!(self.free_at.get(key).is_none_or(|&at| at <= now), "{key} acquired within the delay");
                let queue = self.queues.entry(key.clone()).or_default();
                match queue.first() {
                    Some(first) => assert_eq!(first, session, "{key} out of turn"),
                    None => assert_eq!(asked, Some(&(*session, key.clone())), "granted unasked"),
                }
                queue.retain(|waiter| waiter != session);
                let before = self.holders.insert(key.clone(), (*session, *token));
                assert_eq!(before, None, "two holders of {key}");
            }
            Effect::Note(Event::Released { key, session, token }) => {
                assert_eq!(self.holders.remove(key), Some((*session, *token)));
            }
            Effect::Note(Event::Invalidated { key, session, token, free_at }) => {
                assert_eq!(self.holders.remove(key), Some((*session, *token)));
                assert_eq!(*free_at, now + self.config.lock_delay);
                self.free_at.insert(key.clone(), *free_at);
            }
            Effect::Note(Event::SessionCreated { .. }) | Effect::SessionDestroyed { .. } | Effect::Released { .. } => {}
        }
    }

    fn compare(&self) {
        for name in KEYS {
            let key = LockKey::new(name);
            let holder = self.holders.get(&key).copied();
            assert_eq!(self.locks.holder(&key), holder);
            if let Some((session, token)) = holder {
                assert!(self.alive.contains_key(&session), "{session} is dead and holds {key}");
                assert!(self.locks.is_current(&key, token));
                assert!(!self.locks.is_current(&key, FencingToken(token.0 - 1)));
            } else {
                let waits = self.queues.get(&key).is_some_and(|queue| !queue.is_empty());
                let delayed = self.free_at.get(&key).is_some_and(|&at| at > self.now);
                assert!(!waits || delayed, "{key} is free and somebody waits for it");
            }
        }
        for (session, alive) in &self.alive {
            assert!(self.locks.is_alive(*session));
            assert!(alive.renewed + self.lifetime(alive) > self.now, "{session} is alive past its end");
        }
        assert_eq!(self.locks.last_token(), self.last_token);
    }

    fn take(&mut self, step: &Step) {
        let from = NodeId(0);
        match *step {
            Step::Create { node, ttl_ms } => {
                self.nonce += 1;
                let ttl = Some(Duration::ms(ttl_ms));
                self.tell(Input::CreateSession { from: NodeId(node), nonce: self.nonce, ttl });
            }
            Step::Renew { session } => self.tell(Input::RenewSession { from, session: SessionId(session), number: 0 }),
            Step::Destroy { session } => self.tell(Input::DestroySession { from, session: SessionId(session) }),
            Step::Acquire { session, key, waiting } => {
                let key = LockKey::new(KEYS[key]);
                self.tell(Input::Acquire { from, session: SessionId(session), key, waiting });
            }
            Step::Release { session, key } => {
                let key = LockKey::new(KEYS[key]);
                self.tell(Input::Release { from, session: SessionId(session), key });
            }
            Step::Pass { ms, asleep } => {
                let end = self.now + Duration::ms(ms);
                while let Some(at) = self.locks.deadline().filter(|&at| at <= end && !asleep) {
                    self.now = at;
                    self.tell(Input::Wake);
                    assert!(self.locks.deadline().is_none_or(|next| next > at), "woken in vain at {at}");
                }
                self.now = end;
                self.tell(Input::Wake);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_lock_has_one_holder_and_tokens_grow(config in config(), steps in prop::collection::vec(step(), 1..80)) {
        let mut bench = Bench::new(config);
        for step in &steps {
            bench.take(step);
        }
        // Left alone, every session ends, every delay ends, and the store is as empty as at its beginning.
        bench.take(&Step::Pass { ms: 60_000, asleep: false });
        prop_assert_eq!((bench.locks.deadline(), bench.alive.len(), bench.holders.len()), (None, 0, 0));
    }

    /// A store that lost its memory goes on counting where it stood.
    #[test]
    fn a_restart_grants_no_token_twice(grants in 0..20u64) {
        let config = Config::etcd();
        let (mut locks, mut out) = (Locks::new(config), Outbox::new());
        let key = LockKey::new("a");
        let grant = |locks: &mut Locks, nonce: u64, out: &mut Outbox<Effect>| {
            locks.handle(Instant::ZERO, Input::CreateSession { from: NodeId(0), nonce, ttl: None }, out);
            let session = locks.last_session();
            let acquire = Input::Acquire { from: NodeId(0), session, key: key.clone(), waiting: Waiting::Refuse };
            locks.handle(Instant::ZERO, acquire, out);
            let held = locks.holder(&key).expect("nobody else wants it");
            locks.handle(Instant::ZERO, Input::Release { from: NodeId(0), session, key: key.clone() }, out);
            held
        };
        for nonce in 0..grants {
            grant(&mut locks, nonce, &mut out);
        }
        let (token, session) = (locks.last_token(), locks.last_session());
        prop_assert_eq!((token, session), (FencingToken(grants), SessionId(grants)));
        let mut again = Locks::resume(config, token, session);
        prop_assert_eq!(grant(&mut again, 99, &mut out), (SessionId(grants + 1), FencingToken(grants + 1)));
    }
}
