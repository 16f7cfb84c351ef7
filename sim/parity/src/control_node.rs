//! The processes behind a rollout: the lock store, and the controller that holds a session with it and drives the
//! rollout core.
//!
//! The session is kept as the world's controller keeps it: opened when the rollout first wants the lock, renewed at a
//! third of its ttl, given up when a whole ttl went unconfirmed, left behind once the lock is released.

use crate::net::{Heard, Msg, Net, now};
use crate::orchestrator::{Disk, Shared, append, records};
use crate::setup::{Plant, Whom};
use base::{Duration, Instant, NodeId, Outbox, Ratio, SessionId};
use coordination::{Config, LockKey, Locks, Waiting};
use rollout::{Effect, Event, Input, Rollout, State};
use std::collections::VecDeque;

fn lock_key(shared: &Shared) -> LockKey {
    LockKey::new(&format!("rollout/{}", shared.setup.service))
}

/// Runs the lock store. It has one life: what its loss would mean is coordination's own to test.
pub(crate) async fn run_locks(shared: Shared, node: NodeId) {
    use coordination::{Effect, Input};
    let net = Net::open(node).await;
    let mut core = Locks::new(Config::consul());
    let mut out = Outbox::new();
    loop {
        let input = match net.next(core.deadline()).await {
            Some(Heard::Message(_, Msg::ToLocks(input))) => input,
            Some(Heard::Terminate) => return,
            _ => Input::Wake,
        };
        core.handle(now(), input, &mut out);
        for effect in out.drain() {
            let to = match &effect {
                Effect::Note(event) => {
                    shared.board().note(node, "lock", event.to_string());
                    continue;
                }
                Effect::SessionCreated { to, .. }
                | Effect::SessionRenewed { to, .. }
                | Effect::SessionUnknown { to, .. }
                | Effect::SessionDestroyed { to, .. }
                | Effect::Granted { to, .. }
                | Effect::Refused { to, .. }
                | Effect::Queued { to, .. }
                | Effect::Released { to, .. } => *to,
            };
            net.datagram(to, Msg::FromLocks(effect));
        }
        shared.board().lock_held = core.holder(&lock_key(&shared)).is_some();
    }
}

/// The controller's session with the lock store.
#[derive(Debug, Default)]
struct Session {
    id: Option<SessionId>,
    nonce: u64,
    ttl: Duration,
    /// The last sign of life that the store confirmed was sent at this moment.
    confirmed: Instant,
    asked: Instant,
    wanted: bool,
    held: bool,
}

impl Session {
    fn renews(&self) -> Instant {
        self.asked.saturating_add(self.ttl / 3)
    }

    fn lapses(&self) -> Instant {
        self.confirmed.saturating_add(self.ttl)
    }
}

struct Controller {
    shared: Shared,
    net: Net,
    disk: Disk,
    core: Rollout,
    session: Session,
}

/// Runs one life of the controller.
pub(crate) async fn run_controller(shared: Shared, node: NodeId, disk: Disk, life: u64) {
    let net = Net::open(node).await;
    let Some((asked_at, plan)) = shared.setup.rollout.clone() else { return };
    let fresh = Rollout::new(plan.clone()).expect("setups check their plans");
    let core = if life == 0 {
        fresh
    } else {
        let kept = records(&disk).last().and_then(|bytes| State::decode(bytes).ok());
        Rollout::recover(plan, kept.unwrap_or(fresh.snapshot())).expect("the disk kept this plan's state")
    };
    // Nonces of one life must not meet those of another.
    let session = Session { nonce: life << 32, ..Session::default() };
    let mut controller = Controller { shared, net, disk, core, session };
    let mut started = false;
    loop {
        if !started && asked_at <= now() {
            started = true;
            controller.handle(Input::Start);
        }
        controller.keep_session();
        controller.shared.board().phase = Some(controller.core.phase());
        let session = controller.session.id.map(|_| controller.session.renews().min(controller.session.lapses()));
        let start = (!started).then_some(asked_at);
        let deadline = [controller.core.deadline(), session, start].into_iter().flatten().min();
        match controller.net.next(deadline).await {
            None => controller.handle(Input::Wake),
            Some(Heard::Message(_, Msg::FromLocks(effect))) => controller.locks_answer(effect),
            Some(Heard::Terminate) => return,
            Some(_) => {}
        }
    }
}

impl Controller {
    fn handle(&mut self, input: Input) {
        // Answers to what the core asks for are given at once, and may make it ask again.
        let mut inputs = VecDeque::from([input]);
        let mut out = Outbox::new();
        while let Some(input) = inputs.pop_front() {
            self.core.handle(now(), input, &mut out);
            for effect in out.drain().collect::<Vec<_>>() {
                inputs.extend(self.wants(effect));
            }
        }
    }

    fn wants(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::AcquireLock { .. } => self.want_lock(),
            Effect::ReleaseLock { .. } if self.shared.has(Plant::KeepLock) => {}
            Effect::ReleaseLock { .. } => self.release_lock(),
            Effect::Scale { token, version, replicas } => self.shared.scale(token, version, replicas),
            Effect::SetWeights { token, weights, .. } => {
                let to = self.core.plan().to;
                let share = weights.iter().find(|(v, _)| *v == to).map_or(Ratio::ZERO, |(_, share)| *share);
                if let Some(split) = self.shared.order_split(token, Some(weights)) {
                    let weights = &mut self.shared.board().weights;
                    if weights.last() != Some(&share) {
                        weights.push(share);
                    }
                    for n in 0..self.shared.setup.callers {
                        self.net.stream(self.shared.node(Whom::Caller(n)), Msg::Split(split));
                    }
                }
            }
            Effect::RemoveOthers { .. } => unreachable!("two versions are all there are"),
            Effect::ClearWeights { token } => {
                if self.shared.split().is_some_and(|split| split.shares.is_some())
                    && let Some(split) = self.shared.order_split(token, None)
                {
                    for n in 0..self.shared.setup.callers {
                        self.net.stream(self.shared.node(Whom::Caller(n)), Msg::Split(split));
                    }
                }
            }
            Effect::Observe { min_ready } => {
                return Some(Input::Observed(self.shared.observe(self.core.plan(), min_ready)));
            }
            Effect::Measure { version, window } => {
                return Some(Input::Measured(self.shared.board().measure(version, window)));
            }
            Effect::Persist(state) => append(&self.disk, state.encode()),
            Effect::Note(event) => {
                let kind = match event {
                    Event::AnalysisPassed { .. } | Event::AnalysisInconclusive { .. } => "check",
                    _ => "rollout",
                };
                self.shared.board().note(self.net.node, kind, event.to_string());
            }
        }
        None
    }

    fn to_locks(&self, input: coordination::Input) {
        self.net.datagram(self.shared.node(Whom::Locks), Msg::ToLocks(input));
    }

    fn want_lock(&mut self) {
        let from = self.net.node;
        self.session.wanted = true;
        let input = match self.session.id {
            Some(session) => {
                coordination::Input::Acquire { from, session, key: lock_key(&self.shared), waiting: Waiting::Refuse }
            }
            None => {
                self.session.nonce += 1;
                self.session.asked = now();
                coordination::Input::CreateSession { from, nonce: self.session.nonce, ttl: None }
            }
        };
        self.to_locks(input);
    }

    fn release_lock(&mut self) {
        (self.session.wanted, self.session.held) = (false, false);
        if let Some(session) = self.session.id.take() {
            let (from, key) = (self.net.node, lock_key(&self.shared));
            self.to_locks(coordination::Input::Release { from, session, key });
        }
    }

    fn locks_answer(&mut self, effect: coordination::Effect) {
        use coordination::Effect;
        let mine = |id: SessionId| self.session.id == Some(id);
        match effect {
            Effect::SessionCreated { nonce, session, ttl, .. } => {
                let state = &mut self.session;
                if state.id.is_none() && state.nonce == nonce && state.wanted {
                    (state.id, state.ttl, state.confirmed) = (Some(session), ttl, state.asked);
                    state.asked = now();
                    self.want_lock();
                }
            }
            Effect::SessionRenewed { session, .. } if mine(session) => self.session.confirmed = self.session.asked,
            Effect::SessionUnknown { session, .. } if mine(session) => self.session_lost(),
            Effect::Granted { session, token, .. } if mine(session) => {
                self.session.held = true;
                self.handle(Input::LockGranted { token, running: None, returns: false, superseded: false });
            }
            Effect::Refused { session, retry_after, .. } if mine(session) => {
                let retry_after = retry_after.map(|at| at.saturating_since(now()));
                self.handle(Input::LockRefused { retry_after });
            }
            _ => {}
        }
    }

    /// Gives the session's signs of life, and gives it up when a whole ttl went unconfirmed.
    fn keep_session(&mut self) {
        let Some(session) = self.session.id else { return };
        if self.session.lapses() <= now() {
            // Whether the store still counts it or not: from here on somebody else may hold the lock.
            self.session_lost();
        } else if self.session.renews() <= now() {
            self.session.asked = now();
            self.to_locks(coordination::Input::RenewSession { from: self.net.node, session });
        }
    }

    fn session_lost(&mut self) {
        self.session.id = None;
        if std::mem::take(&mut self.session.held) {
            self.handle(Input::LockLost);
        }
    }
}
