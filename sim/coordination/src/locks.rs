//! The lock store.
//!
//! Every input first lets the time before it pass: ended sessions go, then delays that are over, and only then keys
//! that came free are given to who waits. So a lock is never given to a session that has ended at that moment, and a
//! lock delay runs from when the store noticed the end, which is never earlier than the end itself.

use crate::config::Config;
use crate::protocol::{Cause, Effect, Event, Input, LockKey, Waiting};
use base::{Core, Duration, FencingToken, Instant, NodeId, Outbox, SessionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A lock store. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Locks {
    config: Config,
    next_session: SessionId,
    last_token: FencingToken,
    sessions: BTreeMap<SessionId, Session>,
    by_nonce: BTreeMap<(NodeId, u64), SessionId>,
    expiry: BTreeSet<(Instant, SessionId)>,
    /// Only keys that are held, awaited or delayed stand here.
    keys: BTreeMap<LockKey, Key>,
    /// Ends of lock delays.
    delays: BTreeSet<(Instant, LockKey)>,
}

#[derive(Debug)]
struct Session {
    owner: NodeId,
    nonce: u64,
    ttl: Duration,
    deadline: Instant,
    /// Keys it holds or awaits.
    keys: BTreeSet<LockKey>,
}

#[derive(Debug, Default)]
struct Key {
    holder: Option<(SessionId, FencingToken)>,
    /// Nobody gets it before this.
    free_at: Option<Instant>,
    queue: VecDeque<SessionId>,
}

impl Locks {
    /// An empty store. Panics when the bounds of `config` contradict each other.
    pub fn new(config: Config) -> Self {
        Locks::resume(config, FencingToken(0), SessionId(0))
    }

    /// A store restarted without its sessions, which goes on counting after the largest token and session ever granted.
    /// Their holders are not known any more: the driver lets a ttl and the lock delay pass before it serves, or relies
    /// on resources that compare tokens.
    pub fn resume(config: Config, last_token: FencingToken, last_session: SessionId) -> Self {
        assert!(config.ttl_min <= config.ttl_max, "shortest ttl {} above longest {}", config.ttl_min, config.ttl_max);
        assert!(config.ttls_until_expiry >= 1, "a session that ends before its ttl breaks its promise");
        Locks {
            config,
            next_session: SessionId(last_session.0 + 1),
            last_token,
            sessions: BTreeMap::new(),
            by_nonce: BTreeMap::new(),
            expiry: BTreeSet::new(),
            keys: BTreeMap::new(),
            delays: BTreeSet::new(),
        }
    }

    /// Who holds `key`, as far as the store knows (a session may have ended since the last call), and with what token.
    pub fn holder(&self, key: &LockKey) -> Option<(SessionId, FencingToken)> {
        self.keys.get(key)?.holder
    }

    /// True while `token` is the one with which `key` is held: what Consul calls a valid sequencer. A resource that
    /// cannot ask compares tokens instead and refuses a smaller one than it has seen.
    pub fn is_current(&self, key: &LockKey, token: FencingToken) -> bool {
        self.holder(key).is_some_and(|(_, held)| held == token)
    }

    /// The largest token granted so far; zero before the first.
    pub const fn last_token(&self) -> FencingToken {
        self.last_token
    }

    /// The latest session opened so far; zero before the first. What [`Locks::resume`] wants beside the token.
    pub const fn last_session(&self) -> SessionId {
        SessionId(self.next_session.0 - 1)
    }

    /// True while `session` has not ended as far as the store knows.
    pub fn is_alive(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    fn create(&mut self, now: Instant, from: NodeId, nonce: u64, ttl: Option<Duration>, out: &mut Outbox<Effect>) {
        if let Some(&session) = self.by_nonce.get(&(from, nonce)) {
            self.touch(now, session);
            out.push(Effect::SessionCreated { to: from, nonce, session, ttl: self.sessions[&session].ttl });
            return;
        }
        let ttl = ttl.unwrap_or(self.config.ttl).clamp(self.config.ttl_min, self.config.ttl_max);
        let session = self.next_session;
        self.next_session = SessionId(session.0 + 1);
        let deadline = now.saturating_add(ttl.saturating_mul(self.config.ttls_until_expiry));
        self.sessions.insert(session, Session { owner: from, nonce, ttl, deadline, keys: BTreeSet::new() });
        self.by_nonce.insert((from, nonce), session);
        self.expiry.insert((deadline, session));
        out.push(Effect::Note(Event::SessionCreated { session, owner: from }));
        out.push(Effect::SessionCreated { to: from, nonce, session, ttl });
    }

    /// Starts the session's ttl anew; false when there is none.
    fn touch(&mut self, now: Instant, id: SessionId) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        self.expiry.remove(&(session.deadline, id));
        session.deadline = now.saturating_add(session.ttl.saturating_mul(self.config.ttls_until_expiry));
        self.expiry.insert((session.deadline, id));
        true
    }

    fn acquire(&mut self, from: NodeId, session: SessionId, key: LockKey, waiting: Waiting, out: &mut Outbox<Effect>) {
        let entry = self.keys.entry(key.clone()).or_default();
        if let Some((holder, token)) = entry.holder
            && holder == session
        {
            out.push(Effect::Granted { to: from, session, key, token });
            return;
        }
        if entry.holder.is_none() && entry.free_at.is_none() {
            debug_assert!(entry.queue.is_empty(), "{key} is free while {:?} wait", entry.queue);
            self.grant(session, key, out);
            return;
        }
        let place = entry.queue.iter().position(|&waiter| waiter == session);
        match (place, waiting) {
            (Some(ahead), _) => out.push(Effect::Queued { to: from, session, key, ahead }),
            (None, Waiting::Queue) => {
                let ahead = entry.queue.len();
                entry.queue.push_back(session);
                self.sessions.get_mut(&session).expect("the caller found it").keys.insert(key.clone());
                out.push(Effect::Queued { to: from, session, key, ahead });
            }
            (None, Waiting::Refuse) => {
                let (holder, retry_after) = (entry.holder.map(|(holder, _)| holder), entry.free_at);
                out.push(Effect::Refused { to: from, session, key, holder, retry_after });
            }
        }
    }

    /// Makes `session` the holder of a free key, with the next token.
    fn grant(&mut self, session: SessionId, key: LockKey, out: &mut Outbox<Effect>) {
        let token = FencingToken(self.last_token.0 + 1);
        self.last_token = token;
        let entry = self.keys.entry(key.clone()).or_default();
        assert!(entry.holder.is_none() && entry.free_at.is_none(), "{key} granted while not free: {entry:?}");
        entry.holder = Some((session, token));
        let owner = self.sessions.get_mut(&session).expect("only the living are granted");
        owner.keys.insert(key.clone());
        out.push(Effect::Note(Event::Acquired { key: key.clone(), session, token }));
        out.push(Effect::Granted { to: owner.owner, session, key, token });
    }

    /// Takes `session` off `key`, as holder or from the line.
    fn release(&mut self, session: SessionId, key: &LockKey, out: &mut Outbox<Effect>) {
        let Some(entry) = self.keys.get_mut(key) else { return };
        entry.queue.retain(|&waiter| waiter != session);
        if let Some((_, token)) = entry.holder.take_if(|(holder, _)| *holder == session) {
            out.push(Effect::Note(Event::Released { key: key.clone(), session, token }));
        }
        self.sessions.get_mut(&session).expect("the caller found it").keys.remove(key);
    }

    /// Ends a session. Returns the keys it held or awaited, which the caller has to serve.
    fn end(&mut self, now: Instant, id: SessionId, cause: Cause, out: &mut Outbox<Effect>) -> BTreeSet<LockKey> {
        let session = self.sessions.remove(&id).expect("the caller found it");
        self.expiry.remove(&(session.deadline, id));
        self.by_nonce.remove(&(session.owner, session.nonce));
        out.push(Effect::Note(Event::SessionEnded { session: id, cause }));
        for key in &session.keys {
            let entry = self.keys.get_mut(key).expect("a session's keys stand in the table");
            entry.queue.retain(|&waiter| waiter != id);
            if let Some((_, token)) = entry.holder.take_if(|(holder, _)| *holder == id) {
                let free_at = now.saturating_add(self.config.lock_delay);
                if free_at > now {
                    entry.free_at = Some(free_at);
                    self.delays.insert((free_at, key.clone()));
                }
                out.push(Effect::Note(Event::Invalidated { key: key.clone(), session: id, token, free_at }));
            }
        }
        session.keys
    }

    /// Gives `key`, if it is free, to the first in line; forgets it if nobody cares.
    fn serve(&mut self, key: &LockKey, out: &mut Outbox<Effect>) {
        let Some(entry) = self.keys.get_mut(key) else { return };
        if entry.holder.is_some() || entry.free_at.is_some() {
            return;
        }
        match entry.queue.pop_front() {
            Some(next) => self.grant(next, key.clone(), out),
            None => {
                self.keys.remove(key);
            }
        }
    }

    fn advance_to(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        let mut freed = BTreeSet::new();
        while let Some(&(_, session)) = self.expiry.first().filter(|(deadline, _)| *deadline <= now) {
            freed.append(&mut self.end(now, session, Cause::Expired, out));
        }
        while let Some((_, key)) = self.delays.first().filter(|(free_at, _)| *free_at <= now).cloned() {
            self.delays.pop_first();
            self.keys.get_mut(&key).expect("a delayed key stands in the table").free_at = None;
            freed.insert(key);
        }
        freed.iter().for_each(|key| self.serve(key, out));
    }
}

impl Core for Locks {
    type Input = Input;
    type Effect = Effect;

    const WAKE: Input = Input::Wake;

    /// Hears one input at `now`.
    fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        self.advance_to(now, out);
        match input {
            Input::CreateSession { from, nonce, ttl } => self.create(now, from, nonce, ttl, out),
            Input::RenewSession { from, session, number } => {
                if self.touch(now, session) {
                    out.push(Effect::SessionRenewed { to: from, session, number });
                } else {
                    out.push(Effect::SessionUnknown { to: from, session });
                }
            }
            Input::DestroySession { from, session } => {
                if self.sessions.contains_key(&session) {
                    let freed = self.end(now, session, Cause::Destroyed, out);
                    out.push(Effect::SessionDestroyed { to: from, session });
                    freed.iter().for_each(|key| self.serve(key, out));
                } else {
                    out.push(Effect::SessionUnknown { to: from, session });
                }
            }
            Input::Acquire { from, session, key, waiting } => {
                if self.sessions.contains_key(&session) {
                    self.acquire(from, session, key, waiting, out);
                } else {
                    out.push(Effect::SessionUnknown { to: from, session });
                }
            }
            Input::Release { from, session, key } => {
                if self.sessions.contains_key(&session) {
                    self.release(session, &key, out);
                    out.push(Effect::Released { to: from, session, key: key.clone() });
                    self.serve(&key, out);
                } else {
                    out.push(Effect::SessionUnknown { to: from, session });
                }
            }
            Input::Wake => {}
        }
    }

    /// When it next wants [`Input::Wake`]; `None` while nothing can happen by itself. O(log n).
    fn deadline(&self) -> Option<Instant> {
        let session = self.expiry.first().map(|&(at, _)| at);
        let delay = self.delays.first().map(|&(at, _)| at);
        match (session, delay) {
            (Some(session), Some(delay)) => Some(session.min(delay)),
            (session, delay) => session.or(delay),
        }
    }
}
