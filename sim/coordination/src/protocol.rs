//! What a lock store hears ([`Input`]), does ([`Effect`]) and tells ([`Event`]).

use base::{Duration, FencingToken, Instant, NodeId, SessionId};
use std::fmt;
use std::sync::Arc;

/// The name of a lock, such as `rollout/checkout`; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockKey(Arc<str>);

impl LockKey {
    /// The lock called `name`.
    pub fn new(name: &str) -> Self {
        LockKey(Arc::from(name))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for LockKey {
    fn from(name: &str) -> Self {
        LockKey::new(name)
    }
}

impl fmt::Display for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to do when a lock cannot be had at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Refuse (a try-lock).
    Refuse,
    /// Stand in line, first come, first served, until granted, released or the session ends.
    Queue,
}

/// What a lock store hears. Each takes O(log n), and O(keys held or awaited) where a session ends.
#[derive(Clone, Debug)]
pub enum Input {
    /// Open a session. The same request (same node and nonce) again is answered with the same session while that lives.
    CreateSession {
        /// Who asks, is answered, and is told of what the session gets.
        from: NodeId,
        /// Chosen by the asker, another one for each session it wants.
        nonce: u64,
        /// How long it may stay silent; `None` takes the store's default. Held to the store's bounds.
        ttl: Option<Duration>,
    },
    /// I am still here.
    RenewSession {
        /// Who asks and is answered.
        from: NodeId,
        /// Its session.
        session: SessionId,
        /// Which renewal this is, for the asker: the answer carries it, as a connection pairs answers with requests.
        number: u64,
    },
    /// End my session. What it still holds comes free after the lock delay, as in Consul: it did not say release.
    DestroySession {
        /// Who asks and is answered.
        from: NodeId,
        /// Its session.
        session: SessionId,
    },
    /// Give me this lock. Who holds it already is granted it again with the same token; who waits already keeps its
    /// place.
    Acquire {
        /// Who asks and is answered.
        from: NodeId,
        /// For this session.
        session: SessionId,
        /// The lock.
        key: LockKey,
        /// What to do if it cannot be had now.
        waiting: Waiting,
    },
    /// I do not want this lock any more, held or awaited. Free at once.
    Release {
        /// Who asks and is answered.
        from: NodeId,
        /// Its session.
        session: SessionId,
        /// The lock.
        key: LockKey,
    },
    /// Time has passed.
    Wake,
}

/// What a lock store wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answer: the session lives for at least `ttl` from now.
    SessionCreated {
        /// Who asked.
        to: NodeId,
        /// What it called its request.
        nonce: u64,
        /// The session.
        session: SessionId,
        /// How long it may stay silent.
        ttl: Duration,
    },
    /// Answer: the session lives for another ttl.
    SessionRenewed {
        /// Who asked.
        to: NodeId,
        /// The session.
        session: SessionId,
        /// The renewal that it answers.
        number: u64,
    },
    /// Answer: there is no such session, or none any more; the state is as it was.
    SessionUnknown {
        /// Who asked.
        to: NodeId,
        /// The session it named.
        session: SessionId,
    },
    /// Answer: the session has ended.
    SessionDestroyed {
        /// Who asked.
        to: NodeId,
        /// The session.
        session: SessionId,
    },
    /// Answer, at once or after waiting: the lock is yours while the session lives.
    Granted {
        /// Who asked.
        to: NodeId,
        /// The session that holds it now.
        session: SessionId,
        /// The lock.
        key: LockKey,
        /// What to show to the resource.
        token: FencingToken,
    },
    /// Answer: not now.
    Refused {
        /// Who asked.
        to: NodeId,
        /// The session.
        session: SessionId,
        /// The lock.
        key: LockKey,
        /// Who holds it; `None` while the lock delay runs.
        holder: Option<SessionId>,
        /// When the lock delay ends, if that is the reason.
        retry_after: Option<Instant>,
    },
    /// Answer: the session waits for the lock and will be told.
    Queued {
        /// Who asked.
        to: NodeId,
        /// The session.
        session: SessionId,
        /// The lock.
        key: LockKey,
        /// How many stand before it.
        ahead: usize,
    },
    /// Answer: the session neither holds nor awaits the lock, whatever was before.
    Released {
        /// Who asked.
        to: NodeId,
        /// The session.
        session: SessionId,
        /// The lock.
        key: LockKey,
    },
    /// Something happened that a trace or an invariant wants to know.
    Note(Event),
}

impl Effect {
    /// Whom it answers; `None` for a note.
    pub const fn to(&self) -> Option<NodeId> {
        match self {
            Effect::SessionCreated { to, .. }
            | Effect::SessionRenewed { to, .. }
            | Effect::SessionUnknown { to, .. }
            | Effect::SessionDestroyed { to, .. }
            | Effect::Granted { to, .. }
            | Effect::Refused { to, .. }
            | Effect::Queued { to, .. }
            | Effect::Released { to, .. } => Some(*to),
            Effect::Note(_) => None,
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was silent for its ttl.
    Expired,
    /// Its owner ended it.
    Destroyed,
}

/// What happened, for traces and invariants; prints as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A session began.
    SessionCreated {
        /// The session.
        session: SessionId,
        /// Its owner.
        owner: NodeId,
    },
    /// A session ended; what it held follows as [`Event::Invalidated`].
    SessionEnded {
        /// The session.
        session: SessionId,
        /// Why.
        cause: Cause,
    },
    /// A key got a new holder.
    Acquired {
        /// The lock.
        key: LockKey,
        /// Its holder.
        session: SessionId,
        /// The grant's token.
        token: FencingToken,
    },
    /// A holder gave a key back.
    Released {
        /// The lock.
        key: LockKey,
        /// Who held it.
        session: SessionId,
        /// The token that ended.
        token: FencingToken,
    },
    /// A key lost its holder because the session ended.
    Invalidated {
        /// The lock.
        key: LockKey,
        /// Who held it.
        session: SessionId,
        /// The token that ended.
        token: FencingToken,
        /// Nobody gets it before.
        free_at: Instant,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::SessionCreated { session, owner } => write!(f, "{session} opened by {owner}"),
            Event::SessionEnded { session, cause: Cause::Expired } => write!(f, "{session} expired"),
            Event::SessionEnded { session, cause: Cause::Destroyed } => write!(f, "{session} destroyed"),
            Event::Acquired { key, session, token } => write!(f, "{key} acquired by {session} with {token}"),
            Event::Released { key, session, token } => write!(f, "{key} released by {session} with {token}"),
            Event::Invalidated { key, session, token, free_at } => {
                write!(f, "{key} lost by {session} with {token}, free at {free_at}")
            }
        }
    }
}
