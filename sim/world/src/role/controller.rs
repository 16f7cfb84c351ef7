//! The rollout controller: one state machine per rollout on the controller's node, a session with the lock store, and
//! the orders it gives to the orchestrator and to the callers.
//!
//! The orchestrator (instances, their number and their state) is part of the world and always answers, as a Kubernetes
//! API server would; it compares fencing tokens. How traffic is split is told to every caller over the network, in
//! order; a caller that is cut off goes on with the last order it heard, and one that restarts asks for the present
//! one.

use crate::alarm::Alarm;
use crate::instance::Life;
use crate::invariant::{Probe, no_traffic_to_the_rejected, one_rollout_at_a_time, rollout_within_budget};
use crate::outcome::RolloutOutcome;
use crate::sabotage::Sabotage;
use crate::wire::{self, Msg, SplitOrder, Synced};
use crate::world::World;
use base::{Core, Duration, FencingToken, Instant, NodeId, Outbox, Ratio, ServiceId, VersionId};
use coordination::{Client, Effect as LockEffect, Input as LockInput, LockKey, client};
use kernel::Transport;
use rollout::{Effect, Input, Instances, Measurement, Observation, Phase, Plan, Rollout, State};

/// A rollout and its controller.
#[derive(Debug)]
pub(crate) struct Controller {
    pub(crate) node: NodeId,
    core: Rollout,
    alarm: Alarm,
    /// For the lock of its service.
    client: Client,
    client_alarm: Alarm,
    /// What happened, by the kernel's clock: the core's own history ends with its life.
    history: Vec<(Instant, String)>,
    weights: Vec<(Instant, Ratio)>,
    asked: bool,
}

const MESSAGE_BYTES: u32 = 300;

impl Controller {
    /// The `index`-th controller of its node.
    pub(crate) fn new(node: NodeId, index: u32, plan: Plan) -> Self {
        let client = lock_client(node, index, 0, plan.service);
        let core = Rollout::new(plan).expect("scenarios check their plans");
        Controller {
            node,
            core,
            alarm: Alarm::default(),
            client,
            client_alarm: Alarm::default(),
            history: Vec::new(),
            weights: Vec::new(),
            asked: false,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.core.phase()
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.core.plan()
    }

    pub(crate) fn service(&self) -> ServiceId {
        self.core.plan().service
    }

    /// Whether it waits for instances for longer than its deadline, and has said so.
    pub(crate) fn is_overdue(&self) -> bool {
        self.core.is_overdue()
    }

    /// Whether it has ever changed its service.
    pub(crate) fn has_acted(&self) -> bool {
        !self.history.is_empty()
    }

    pub(crate) fn outcome(&self, service: &str, version: impl Fn(VersionId) -> String) -> RolloutOutcome {
        let plan = self.core.plan();
        RolloutOutcome {
            service: service.into(),
            from: version(plan.from),
            to: version(plan.to),
            phase: self.core.phase().name(),
            history: self.history.clone(),
            weights: self.weights.clone(),
        }
    }
}

/// The client for the lock of a service, of a controller in one of its node's lives.
fn lock_client(node: NodeId, index: u32, life: u32, service: ServiceId) -> Client {
    // Sessions are numbered apart: by life, by controller, and then by the client itself.
    let nonces = u64::from(life) << 32 | u64::from(index) << 16;
    Client::new(node, LockKey::new(&format!("rollout/{service}")), nonces)
}

impl World {
    pub(crate) fn rollout_asked(&mut self, index: u32) {
        let controller = &mut self.controllers[index as usize];
        controller.asked = true;
        // A controller that is paused hears of it when it goes on; one that is down asks when it comes up.
        if !self.kernel.nodes().is_dead(controller.node) {
            self.kernel.hand(controller.node, Msg::RolloutAsked(index));
        }
    }

    /// The process of a controller hears that its rollout was asked for.
    pub(crate) fn rollout_heard(&mut self, index: u32) {
        self.controller_handles(index, Input::Start);
    }

    pub(crate) fn controller_handles(&mut self, index: u32, input: Input) {
        // Answers to what the core asks for are given at once, and may make it ask again.
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let controller = &mut self.controllers[index as usize];
            let now = self.kernel.local(controller.node);
            let mut out = Outbox::new();
            controller.core.handle(now, input, &mut out);
            for effect in out.drain() {
                if let Some(answer) = self.controller_wants(index, effect) {
                    inputs.push_back(answer);
                }
            }
        }
        let controller = &mut self.controllers[index as usize];
        let (node, deadline) = (controller.node, controller.core.deadline());
        controller.alarm.follow(&mut self.kernel, node, deadline, wire::Core::Controller(index));
    }

    fn controller_wants(&mut self, index: u32, effect: Effect) -> Option<Input> {
        let service = self.controllers[index as usize].service();
        match effect {
            Effect::AcquireLock { .. } => self.client_handles(index, client::Input::Acquire),
            Effect::ReleaseLock { .. } => self.client_handles(index, client::Input::Release),
            Effect::Scale { token, version, replicas } => {
                if self.admits(service, token) {
                    self.scale(index, version, replicas);
                }
            }
            Effect::SetWeights { token, weights, limit } => {
                if self.admits(service, token) {
                    self.order_split(index, Some(weights), limit);
                }
            }
            Effect::ClearWeights { token } => {
                if self.admits(service, token) && self.services[service.index()].split.is_some() {
                    self.order_split(index, None, Ratio::ONE);
                }
            }
            Effect::RemoveOthers { token, keep } => {
                if self.admits(service, token) {
                    for version in (0..self.services[service.index()].desired.len() as u32).map(VersionId) {
                        if !keep.contains(&version) {
                            self.set_desired(service, version, 0);
                        }
                    }
                }
            }
            Effect::Observe { min_ready } => return Some(Input::Observed(self.observe(index, min_ready))),
            Effect::Measure { version, window } => {
                return Some(Input::Measured(self.measure(service, version, window)));
            }
            Effect::Persist(state) => {
                let node = self.controllers[index as usize].node;
                let mut record = index.to_le_bytes().to_vec();
                record.extend(state.encode());
                if self.kernel.disk_mut(node).append(&record).is_ok() {
                    self.kernel.sync_disk(node, Msg::Synced(Synced::Controller));
                }
            }
            Effect::Note(event) => self.rollout_notes(index, event),
        }
        None
    }

    fn rollout_notes(&mut self, index: u32, event: rollout::Event) {
        let now = self.kernel.now();
        let controller = &mut self.controllers[index as usize];
        let (node, service) = (controller.node, controller.service());
        match event {
            rollout::Event::Completed => self.checks.reached(Probe::RolloutCompleted),
            rollout::Event::RolledBack => self.checks.reached(Probe::RolloutRolledBack),
            rollout::Event::Overdue { .. } => self.checks.reached(Probe::RolloutOverdue),
            _ => {}
        }
        let plan = controller.core.plan();
        let (from, to, asked) = (plan.from, plan.to, plan.replicas);
        let state = &mut self.services[service.index()];
        match event {
            rollout::Event::Started { to, .. } => {
                state.last_begun = Some(index);
                state.rejected.retain(|&version| version != to);
            }
            rollout::Event::Aborted { .. } => state.rejected.push(to),
            rollout::Event::Completed => (state.settled, state.wanted) = (to, asked),
            rollout::Event::RolledBack => (state.settled, state.wanted) = (from, asked),
            _ => {}
        }
        let checked =
            matches!(event, rollout::Event::AnalysisPassed { .. } | rollout::Event::AnalysisInconclusive { .. });
        // The story speaks of versions as people do.
        let text = self.name_versions(service, &event.to_string());
        let controller = &mut self.controllers[index as usize];
        if !checked {
            controller.history.push((now, text.clone()));
        }
        let history = &mut self.services[service.index()].history;
        match event {
            // Refused when the version is the current one already, as when a controller starts again.
            rollout::Event::Started { to, .. } => {
                let _ = history.deploy(to, now);
            }
            rollout::Event::RolledBack => {
                let from = controller.core.plan().from;
                let earlier = history.entries().iter().rev().find(|e| e.version == from).map(|e| e.revision);
                if let Some(revision) = earlier {
                    let _ = history.roll_back_to(revision, now);
                }
            }
            _ => {}
        }
        self.kernel.trace_mut().note(now, Some(node), "rollout", || text);
    }

    /// Whether an order under `token` is carried out.
    fn admits(&mut self, service: ServiceId, token: FencingToken) -> bool {
        let state = &mut self.services[service.index()];
        let newest = state.newest_token;
        let forgetful = self.sabotage == Some(Sabotage::IgnoreTokens);
        let token = if forgetful && newest > FencingToken(0) { FencingToken(newest.0 - 1) } else { token };
        if token < newest && !forgetful {
            return false;
        }
        state.newest_token = newest.max(token);
        one_rollout_at_a_time::changed(&mut self.checks, &self.kernel, &state.name, token, newest);
        true
    }

    fn scale(&mut self, index: u32, version: VersionId, replicas: u32) {
        let plan = self.controllers[index as usize].core.plan();
        let (service, wanted, from, to) = (plan.service, plan.replicas, plan.from, plan.to);
        let limits = self.controllers[index as usize].core.limits();
        let replicas = if self.sabotage == Some(Sabotage::SurgeTwice) { replicas * 2 } else { replicas };
        let before = self.services[service.index()].desired.get(version.index()).copied().unwrap_or(0);
        let stopped_available = self.set_desired(service, version, replicas);
        let name = self.services[service.index()].name.clone();
        let state = &self.services[service.index()];
        let named = |version| self.spec.version_name(service, version);
        let numbers = (before, replicas);
        no_traffic_to_the_rejected::scaled(&mut self.checks, &self.kernel, state, version, numbers, named);
        let total: u32 = [from, to].iter().map(|&v| self.present(service, v).len() as u32).sum();
        // A canary beside its stable version may have as many instances as that.
        let allowed = wanted.saturating_add(limits.map_or(wanted, |l| l.surge));
        // What an earlier rollout left behind is not this one's surge, as long as it takes away and adds nothing.
        let allowed = if replicas > before { allowed } else { allowed.max(total) };
        rollout_within_budget::surged(&mut self.checks, &self.kernel, &name, total, allowed);
        if let Some(limits) = limits.filter(|_| stopped_available > 0) {
            let left: u32 = [from, to].iter().map(|&v| self.available(service, v, Duration::ZERO) as u32).sum();
            let needed = wanted - limits.unavailable;
            rollout_within_budget::took_away(&mut self.checks, &self.kernel, &name, left, needed);
        }
    }

    fn observe(&self, index: u32, min_ready: Duration) -> Observation {
        let plan = self.controllers[index as usize].core.plan();
        let state = &self.services[plan.service.index()];
        let instances = |version: VersionId| Instances {
            desired: state.desired.get(version.index()).copied().unwrap_or(0),
            total: self
                .instances_of(plan.service)
                .filter(|id| {
                    let i = &self.instances[id.index()];
                    i.version() == version && i.life != Life::Gone
                })
                .count() as u32,
            available: self.available(plan.service, version, min_ready) as u32,
        };
        let weight = state
            .split
            .map(|shares| shares.iter().find(|(v, _)| *v == plan.to).map_or(Ratio::ZERO, |(_, share)| *share));
        let all = self.instances_of(plan.service).map(|id| &self.instances[id.index()]);
        let others =
            all.filter(|i| ![plan.from, plan.to].contains(&i.version()) && i.life != Life::Gone).count() as u32;
        let others = if self.sabotage == Some(Sabotage::OverlookTheRest) { 0 } else { others };
        Observation { old: instances(plan.from), new: instances(plan.to), others, weight }
    }

    /// The version from which a rollout starts: the one that the service was left at, or, when just that one is wanted
    /// again, whatever else has instances still.
    fn running_before(&self, index: u32) -> VersionId {
        let plan = self.controllers[index as usize].core.plan();
        let state = &self.services[plan.service.index()];
        if !self.returns(index) {
            return state.settled;
        }
        let versions = (0..state.desired.len() as u32).map(VersionId).filter(|&version| version != plan.to);
        let most = versions.max_by_key(|version| (state.desired[version.index()], std::cmp::Reverse(*version)));
        most.filter(|version| state.desired[version.index()] > 0).unwrap_or(state.settled)
    }

    /// Whether a rollout wants the version that its service was left at.
    fn returns(&self, index: u32) -> bool {
        let plan = self.controllers[index as usize].core.plan();
        self.services[plan.service.index()].settled == plan.to
    }

    /// Whether a later rollout of the service has begun since this one did.
    fn is_superseded(&self, index: u32) -> bool {
        let controller = &self.controllers[index as usize];
        let last = self.services[controller.service().index()].last_begun;
        controller.phase() != Phase::Pending && last != Some(index)
    }

    fn measure(&self, service: ServiceId, version: VersionId, window: Duration) -> Measurement {
        let now = self.kernel.now();
        let Some(seen) = &self.metrics_of[service.index()].versions[version.index()].window else {
            return Measurement::default();
        };
        let counts = seen.since(now, window);
        Measurement { success: counts.success(), p99: seen.quantile(now, window, 0.99), samples: counts.total() }
    }

    /// Tells every caller of the service how to split its traffic, of which the new version may get `limit`.
    fn order_split(&mut self, index: u32, shares: Option<[(VersionId, Ratio); 2]>, limit: Ratio) {
        let now = self.kernel.now();
        let controller = &mut self.controllers[index as usize];
        let (node, service) = (controller.node, controller.service());
        let to = controller.core.plan().to;
        let share_of = |shares: Option<[(VersionId, Ratio); 2]>| {
            shares.into_iter().flatten().find(|(v, _)| *v == to).map_or(Ratio::ZERO, |(_, share)| share)
        };
        let mut shares = shares;
        if self.sabotage == Some(Sabotage::Overweight)
            && let Some([(old, _), (new, share)]) = shares
            && share != Ratio::ZERO
        {
            shares = Some([(old, Ratio::ZERO), (new, Ratio::ONE)]);
        }
        if self.sabotage == Some(Sabotage::RaiseTheRejected)
            && controller.phase() == Phase::RollingBack
            && let Some([(old, _), (new, _)]) = shares
        {
            shares = Some([(old, Ratio::ZERO), (new, Ratio::ONE)]);
        }
        if controller.weights.last().is_none_or(|(_, last)| *last != share_of(shares)) {
            controller.weights.push((now, share_of(shares)));
        }
        let state = &mut self.services[service.index()];
        rollout_within_budget::weighted(&mut self.checks, &self.kernel, &state.name, share_of(shares), limit);
        let named = |version| self.spec.version_name(service, version);
        no_traffic_to_the_rejected::split(&mut self.checks, &self.kernel, state, shares, named);
        if self.sabotage == Some(Sabotage::KeepSplit) && share_of(shares) == Ratio::ZERO {
            return;
        }
        state.split = shares;
        state.split_number += 1;
        let order = SplitOrder { service, number: state.split_number, shares };
        for caller in 0..self.callers.len() {
            if self.callers[caller].upstream(service).is_some() {
                let (to, key) = (self.callers[caller].node, self.post.stamp(node));
                let msg = Msg::Split(Box::new(order.clone()));
                self.kernel.send(node, to, MESSAGE_BYTES, Transport::Stream, key, msg);
            }
        }
    }

    /// A caller hears how to split a service's traffic.
    pub(crate) fn split_heard(&mut self, node: NodeId, order: &SplitOrder) {
        let Some(index) = self.caller_at(node) else { return };
        let local = self.kernel.local(node);
        let caller = &mut self.callers[index as usize];
        if let Some(upstream) = caller.upstream(order.service)
            && order.number > caller.upstreams[upstream].order
        {
            caller.upstreams[upstream].set_shares(local, order.shares, order.number);
            self.line_up_again(index, upstream);
        }
    }

    pub(crate) fn controller_wakes(&mut self, index: u32) {
        self.controllers[index as usize].alarm.fired();
        self.controller_handles(index, Input::Wake);
    }

    /// The controller's node came up again: each rollout goes on from what the disk says.
    pub(crate) fn controllers_up(&mut self, node: NodeId) {
        self.kernel.disk_mut(node).recover();
        let records: Vec<Vec<u8>> = self.kernel.disk_mut(node).read_all().map(<[u8]>::to_vec).collect();
        for index in 0..self.controllers.len() as u32 {
            let controller = &mut self.controllers[index as usize];
            if controller.node != node {
                continue;
            }
            let plan = controller.core.plan().clone();
            let mine = records.iter().rev().find(|r| r.get(..4) == Some(&index.to_le_bytes()[..]));
            let state = mine.and_then(|r| State::decode(&r[4..]).ok());
            let state = state.unwrap_or_else(|| Rollout::new(plan.clone()).expect("checked before").snapshot());
            controller.core = Rollout::recover(plan, state).expect("the disk kept this plan's state");
            controller.alarm = Alarm::default();
            let life = self.kernel.nodes().life(node);
            controller.client = lock_client(node, index, life, controller.core.plan().service);
            controller.client_alarm = Alarm::default();
            if controller.asked {
                self.controller_handles(index, Input::Start);
            }
        }
    }

    // The lock.

    fn client_handles(&mut self, index: u32, input: client::Input) {
        let controller = &mut self.controllers[index as usize];
        let (node, now) = (controller.node, self.kernel.local(controller.node));
        let mut out = Outbox::new();
        controller.client.handle(now, input, &mut out);
        for effect in out.drain() {
            match effect {
                client::Effect::Send(request) => self.tell_locks(node, request),
                client::Effect::Granted(token) => {
                    let (running, returns) = (Some(self.running_before(index)), self.returns(index));
                    let superseded = self.is_superseded(index);
                    self.controller_handles(index, Input::LockGranted { token, running, returns, superseded });
                }
                client::Effect::Refused { retry_after } => {
                    self.controller_handles(index, Input::LockRefused { retry_after });
                }
                client::Effect::Lost => self.controller_handles(index, Input::LockLost),
            }
        }
        let controller = &mut self.controllers[index as usize];
        let deadline = controller.client.deadline();
        controller.client_alarm.follow(&mut self.kernel, node, deadline, wire::Core::Session(index));
    }

    fn tell_locks(&mut self, from: NodeId, request: LockInput) {
        let Some(store) = &self.locks else { return };
        let (to, key) = (store.node, self.post.stamp(from));
        self.kernel.send(from, to, MESSAGE_BYTES, Transport::Exchange, key, Msg::ToLocks(Box::new(request)));
    }

    /// The lock store's answer arrives at the controllers' node.
    pub(crate) fn locks_answer(&mut self, answer: LockEffect) {
        if let Some(index) = self.controllers.iter().position(|controller| controller.client.awaits(&answer)) {
            self.client_handles(index as u32, client::Input::Answer(answer));
        }
    }

    pub(crate) fn session_wakes(&mut self, index: u32) {
        self.controllers[index as usize].client_alarm.fired();
        self.client_handles(index, client::Input::Wake);
    }
}
