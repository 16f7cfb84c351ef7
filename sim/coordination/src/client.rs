//! A client that wants one lock: it opens a session, keeps it alive, and says when the lock is held and when it may
//! have been lost.
//!
//! ```text
//!   Acquire ─▶ CreateSession ─▶ SessionCreated ─▶ Acquire ─▶ Granted or Refused
//!                                    │
//!                 renewed at a third of the ttl; lost when a whole ttl goes unconfirmed
//! ```
//!
//! The session begins when the lock is first wanted and is left behind, to end by its ttl, once the lock is released:
//! the store need not hear a second message. A client whose renewals go unanswered gives its session up by its own
//! clock, before the store may give the lock to another: the store counts a ttl from the moment at which it heard a
//! renewal, the client from the moment at which it sent the one that was answered.

use crate::protocol::{Effect as Answer, Input as Request, LockKey, Waiting};
use base::{Core, Duration, FencingToken, Instant, NodeId, Outbox, SessionId};
use std::collections::VecDeque;

/// What a client hears.
#[derive(Clone, Debug)]
pub enum Input {
    /// The lock is wanted: ask for it, in a session. Asked again, it asks the store again.
    Acquire,
    /// The lock is not wanted any more, held or not.
    Release,
    /// The store has answered. Answers to other clients, and to requests that are no longer of interest, change
    /// nothing.
    Answer(Answer),
    /// Time has passed.
    Wake,
}

/// What a client wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send this to the store.
    Send(Request),
    /// The lock is held from now on, under this token.
    Granted(FencingToken),
    /// Somebody else has the lock, or its lock delay runs.
    Refused {
        /// How long the lock delay still runs, if that is the reason. The store's clock is not the client's: its moment
        /// is taken for the client's own and is at worst off by the clocks' difference.
        retry_after: Option<Duration>,
    },
    /// The lock was held, and the session has ended or may have: another may hold the lock from now on.
    Lost,
}

/// A client of a lock store, for one lock.
#[derive(Debug)]
pub struct Client {
    node: NodeId,
    key: LockKey,
    /// The number of the last session that it asked for.
    nonce: u64,
    session: Option<Session>,
    /// When it last asked for a session or for its renewal.
    asked: Instant,
    is_wanted: bool,
    is_held: bool,
}

#[derive(Debug)]
struct Session {
    id: SessionId,
    ttl: Duration,
    /// When the last request was sent that the store confirmed.
    confirmed: Instant,
    /// When the renewals were sent that may still be answered, with their numbers; those of the last ttl.
    renewals: VecDeque<(u64, Instant)>,
    renewed: u64,
}

impl Session {
    /// When silence has cost it.
    fn lapses(&self) -> Instant {
        self.confirmed.saturating_add(self.ttl)
    }

    /// When to renew it, `asked` being the moment of the last request.
    fn renews(&self, asked: Instant) -> Instant {
        asked.saturating_add(self.ttl / 3)
    }

    /// A renewal is sent at `now`: its number.
    fn renewal(&mut self, now: Instant) -> u64 {
        self.renewed += 1;
        self.renewals.push_back((self.renewed, now));
        self.renewed
    }

    /// A renewal is answered: the session stands from the moment at which that one was sent.
    fn confirm(&mut self, number: u64) {
        while let Some((first, sent)) = self.renewals.pop_front_if(|(first, _)| *first <= number) {
            if first == number {
                self.confirmed = self.confirmed.max(sent);
            }
        }
    }
}

impl Client {
    /// A client on `node` that wants nothing yet. It numbers the sessions it asks for from `nonces` on; no other client
    /// of the node, and no earlier life of this one, may use the same numbers, because the store takes a number that it
    /// knows for the same request repeated.
    pub const fn new(node: NodeId, key: LockKey, nonces: u64) -> Self {
        Client { node, key, nonce: nonces, session: None, asked: Instant::ZERO, is_wanted: false, is_held: false }
    }

    /// Whether an answer of the store is for this client, and for a session that it still has or waits for.
    pub fn awaits(&self, answer: &Answer) -> bool {
        match answer {
            Answer::SessionCreated { nonce, .. } => self.session.is_none() && self.is_wanted && self.nonce == *nonce,
            Answer::SessionRenewed { session, .. }
            | Answer::SessionUnknown { session, .. }
            | Answer::SessionDestroyed { session, .. }
            | Answer::Granted { session, .. }
            | Answer::Refused { session, .. }
            | Answer::Queued { session, .. }
            | Answer::Released { session, .. } => self.session.as_ref().is_some_and(|mine| mine.id == *session),
            Answer::Note(_) => false,
        }
    }

    /// Whether it holds the lock, as far as it knows.
    pub const fn holds(&self) -> bool {
        self.is_held
    }

    fn acquire(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        self.is_wanted = true;
        let from = self.node;
        out.push(Effect::Send(match &self.session {
            Some(Session { id, .. }) => {
                Request::Acquire { from, session: *id, key: self.key.clone(), waiting: Waiting::Refuse }
            }
            None => {
                self.nonce += 1;
                self.asked = now;
                Request::CreateSession { from, nonce: self.nonce, ttl: None }
            }
        }));
    }

    fn release(&mut self, out: &mut Outbox<Effect>) {
        (self.is_wanted, self.is_held) = (false, false);
        if let Some(Session { id: session, .. }) = self.session.take() {
            out.push(Effect::Send(Request::Release { from: self.node, session, key: self.key.clone() }));
        }
    }

    fn answered(&mut self, now: Instant, answer: Answer, out: &mut Outbox<Effect>) {
        if !self.awaits(&answer) {
            return;
        }
        match answer {
            Answer::SessionCreated { session: id, ttl, .. } => {
                let confirmed = self.asked;
                self.session = Some(Session { id, ttl, confirmed, renewals: VecDeque::new(), renewed: 0 });
                self.asked = now;
                self.acquire(now, out);
            }
            Answer::SessionRenewed { number, .. } => {
                if let Some(session) = &mut self.session {
                    session.confirm(number);
                }
            }
            Answer::SessionUnknown { .. } | Answer::SessionDestroyed { .. } => self.lose(out),
            Answer::Granted { token, .. } => {
                self.is_held = true;
                out.push(Effect::Granted(token));
            }
            Answer::Refused { retry_after, .. } => {
                out.push(Effect::Refused { retry_after: retry_after.map(|at| at.saturating_since(now)) });
            }
            Answer::Queued { .. } | Answer::Released { .. } | Answer::Note(_) => {}
        }
    }

    /// Renews the session when it is time to, and gives it up when a whole ttl went unconfirmed.
    fn keep_session(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        let (from, asked) = (self.node, self.asked);
        let Some(session) = &mut self.session else { return };
        if now >= session.lapses() {
            // Whether the store still counts it or not: from here on somebody else may hold the lock.
            self.lose(out);
        } else if now >= session.renews(asked) {
            self.asked = now;
            let number = session.renewal(now);
            out.push(Effect::Send(Request::RenewSession { from, session: session.id, number }));
        }
    }

    fn lose(&mut self, out: &mut Outbox<Effect>) {
        self.session = None;
        if std::mem::take(&mut self.is_held) {
            out.push(Effect::Lost);
        }
    }
}

impl Core for Client {
    type Input = Input;
    type Effect = Effect;

    const WAKE: Input = Input::Wake;

    /// Takes one input at `now`. O(1).
    fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        match input {
            Input::Acquire => self.acquire(now, out),
            Input::Release => self.release(out),
            Input::Answer(answer) => self.answered(now, answer, out),
            Input::Wake => self.keep_session(now, out),
        }
    }

    /// When to renew the session next, or when silence has cost it; `None` without a session.
    fn deadline(&self) -> Option<Instant> {
        self.session.as_ref().map(|session| session.renews(self.asked).min(session.lapses()))
    }
}
