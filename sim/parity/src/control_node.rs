//! The processes behind a rollout: the lock store, and the controller that holds a session with it and drives the
//! rollout core.
//!
//! The session is kept by the client that the world's controllers have too.

use crate::net::{Heard, Msg, Net, now};
use crate::orchestrator::{Disk, Shared, append, records};
use crate::setup::{Plant, Whom};
use base::{Core, NodeId, Outbox, Ratio};
use coordination::{Client, Config, LockKey, Locks, client};
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
            if let Effect::Note(event) = &effect {
                shared.board().note(node, "lock", event.to_string());
            }
            let Some(to) = effect.to() else { continue };
            net.datagram(to, Msg::FromLocks(effect));
        }
        shared.board().lock_held = core.holder(&lock_key(&shared)).is_some();
    }
}

struct Controller {
    shared: Shared,
    net: Net,
    disk: Disk,
    core: Rollout,
    client: Client,
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
    // Sessions of one life are numbered apart from those of another.
    let client = Client::new(node, lock_key(&shared), life << 32);
    let mut controller = Controller { shared, net, disk, core, client };
    let mut started = false;
    loop {
        if !started && asked_at <= now() {
            started = true;
            controller.handle(Input::Start);
        }
        controller.shared.board().phase = Some(controller.core.phase());
        let start = (!started).then_some(asked_at);
        let deadline = [controller.core.deadline(), controller.client.deadline(), start].into_iter().flatten().min();
        match controller.net.next(deadline).await {
            None => {
                controller.client_handles(client::Input::Wake);
                controller.handle(Input::Wake);
            }
            Some(Heard::Message(_, Msg::FromLocks(answer))) => {
                controller.client_handles(client::Input::Answer(answer));
            }
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
            Effect::AcquireLock { .. } => self.client_handles(client::Input::Acquire),
            Effect::ReleaseLock { .. } if self.shared.has(Plant::KeepLock) => {}
            Effect::ReleaseLock { .. } => self.client_handles(client::Input::Release),
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

    fn client_handles(&mut self, input: client::Input) {
        let mut out = Outbox::new();
        self.client.handle(now(), input, &mut out);
        for effect in out.drain() {
            match effect {
                client::Effect::Send(request) => {
                    self.net.datagram(self.shared.node(Whom::Locks), Msg::ToLocks(request));
                }
                client::Effect::Granted(token) => {
                    self.handle(Input::LockGranted { token, running: None, returns: false, superseded: false });
                }
                client::Effect::Refused { retry_after } => self.handle(Input::LockRefused { retry_after }),
                client::Effect::Lost => self.handle(Input::LockLost),
            }
        }
    }
}
