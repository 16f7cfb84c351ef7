//! The controller of a rollout: its state machine, a client of the lock store, and the orders it gives to the
//! orchestrator and to callers.
//!
//! The orchestrator (instances, their number and their state) is part of the world and always answers, as a Kubernetes
//! API server would; it compares fencing tokens. How traffic is split is told to every caller over the network, in
//! order; a caller that is cut off goes on with the last order it heard, and one that restarts asks for the present
//! one.

use super::host::{Carrier, Host};
use super::kind::{Kind, Placing};
use super::{Cx, Process, locks};
use crate::catalogue::Probe;
use crate::data::instance::Life;
use crate::fleet::service::Shares;
use crate::invariant::{no_traffic_to_the_rejected, rollout_within_budget};
use crate::outcome::RolloutOutcome;
use crate::role::{Naming, Role};
use crate::sabotage::Sabotage;
use crate::spec::RolloutSpec;
use crate::wire::{Address, Letter, Msg, ProcessId, SplitOrder};
use base::{Duration, Instant, NodeId, Ratio, ServiceId, VersionId};
use coordination::{Client, LockKey, client};
use kernel::Transport;
use rollout::{Effect, Event, Input, Instances, Measurement, Observation, Phase, Plan, Rollout, State};

/// The controllers of all rollouts, on one node.
pub(crate) static ROLE: Role = Role {
    tag: "controller",
    sentence: "the rollout controller, which orders instances and splits of traffic",
    nodes: "1, called controller; none without a [[rollout]]",
    comes_with: "[[rollout]]",
    naming: Naming::Alone,
    // Beside the lock store, which is the first, and not in one zone with it where there are several.
    first_zone: 1,
    count: |spec| u32::from(!spec.rollouts.is_empty()),
};

pub(crate) static KIND: Kind = Kind { role: Some(&ROLE), place, ..Kind::NOWHERE };

fn place(placing: &mut Placing<'_>) {
    let spec = placing.spec();
    let Some(&store) = placing.sim.directory.of(&locks::ROLE).first() else { return };
    placing.on_own_node(&ROLE, |node| {
        let controller = |(number, rollout): (usize, &RolloutSpec)| -> Box<dyn Process> {
            let service = &spec.services[rollout.service.index()];
            // Which version it starts from is read when it gets the lock.
            let from = VersionId(0);
            let mut plan = Plan::new(rollout.service, from, rollout.to, service.instances, rollout.strategy.clone());
            plan.analysis = rollout.analysis;
            plan.progress_deadline = rollout.progress_deadline;
            plan.auto_rollback = rollout.auto_rollback;
            plan.min_ready = rollout.min_ready;
            Box::new(Controller::new(node, number as u32, rollout.at, plan, store))
        };
        spec.rollouts.iter().enumerate().map(controller).collect()
    });
}

/// A rollout and its controller.
#[derive(Debug)]
pub(crate) struct Controller {
    /// Its number among the rollouts.
    number: u32,
    at: Instant,
    /// The lock store.
    store: Address,
    core: Host<Rollout>,
    /// For the lock of its service.
    client: Host<Client>,
    /// What happened, by the kernel's clock: the core's own history ends with its life.
    history: Vec<(Instant, String)>,
    weights: Vec<(Instant, Ratio)>,
    asked: bool,
}

const MESSAGE_BYTES: u32 = 300;

/// The timer of its client; that of its core is the first.
const CLIENT: u16 = 1;

impl Controller {
    /// The `number`-th rollout, which is asked for at a moment, and its controller on `node`.
    fn new(node: NodeId, number: u32, at: Instant, plan: Plan, store: Address) -> Self {
        Controller {
            number,
            at,
            store,
            client: lock_client(node, number, 0, plan.service),
            core: Host::new(Rollout::new(plan).expect("scenarios check their plans")),
            history: Vec::new(),
            weights: Vec::new(),
            asked: false,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.core.core.phase()
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.core.core.plan()
    }

    pub(crate) fn service(&self) -> ServiceId {
        self.plan().service
    }

    /// Whether it waits for instances for longer than its deadline, and has said so.
    pub(crate) fn is_overdue(&self) -> bool {
        self.core.core.is_overdue()
    }

    /// Whether it has ever changed its service.
    pub(crate) fn has_acted(&self) -> bool {
        !self.history.is_empty()
    }

    pub(crate) fn outcome(&self, service: &str, version: impl Fn(VersionId) -> String) -> RolloutOutcome {
        RolloutOutcome {
            service: service.into(),
            from: version(self.plan().from),
            to: version(self.plan().to),
            phase: self.phase().name(),
            history: self.history.clone(),
            weights: self.weights.clone(),
        }
    }

    fn notes(&mut self, cx: &mut Cx<'_>, event: Event) {
        match event {
            Event::Completed => cx.reached(Probe::RolloutCompleted),
            Event::RolledBack => cx.reached(Probe::RolloutRolledBack),
            Event::Overdue { .. } => cx.reached(Probe::RolloutOverdue),
            _ => {}
        }
        let (service, now) = (self.service(), cx.now());
        // The story speaks of versions as people do.
        let text = cx.site().sim.spec.name_versions(service, &event.to_string());
        if !matches!(event, Event::AnalysisPassed { .. } | Event::AnalysisInconclusive { .. }) {
            self.history.push((now, text.clone()));
        }
        let (from, to, asked) = (self.plan().from, self.plan().to, self.plan().replicas);
        let state = &mut cx.site().fleet.services[service.index()];
        match event {
            Event::Started { to, .. } => {
                state.last_begun = Some(self.number);
                state.rejected.retain(|&version| version != to);
                // Refused when the version is the current one already, as when a controller starts again.
                let _ = state.history.deploy(to, now);
            }
            Event::Aborted { .. } => state.rejected.push(to),
            Event::Completed => (state.settled, state.wanted) = (to, asked),
            Event::RolledBack => {
                (state.settled, state.wanted) = (from, asked);
                let earlier = state.history.entries().iter().rev().find(|e| e.version == from).map(|e| e.revision);
                if let Some(revision) = earlier {
                    let _ = state.history.roll_back_to(revision, now);
                }
            }
            _ => {}
        }
        cx.note("rollout", || text);
    }

    fn scale(&mut self, cx: &mut Cx<'_>, version: VersionId, replicas: u32) {
        let (service, wanted, from, to) = (self.service(), self.plan().replicas, self.plan().from, self.plan().to);
        let limits = self.core.core.limits();
        let site = cx.site();
        let replicas = if site.sim.sabotage == Some(Sabotage::SurgeTwice) { replicas * 2 } else { replicas };
        let before = site.fleet.services[service.index()].desired.get(version.index()).copied().unwrap_or(0);
        let stopped_available = site.set_desired(service, version, replicas);
        let (sim, data) = (&mut *site.sim, &*site.data);
        let name = &data.services[service.index()].name;
        let rejected = &site.fleet.services[service.index()].rejected;
        let named = |version| sim.spec.version_name(service, version);
        let scaled = no_traffic_to_the_rejected::Scaled { name, rejected, version, before, now: replicas };
        no_traffic_to_the_rejected::scaled(&mut sim.checks, &sim.kernel, &scaled, named);
        let total: u32 = [from, to].iter().map(|&v| data.present(service, v).len() as u32).sum();
        // A canary beside its stable version may have as many instances as that.
        let allowed = wanted.saturating_add(limits.map_or(wanted, |l| l.surge));
        // What an earlier rollout left behind is not this one's surge, as long as it takes away and adds nothing.
        let allowed = if replicas > before { allowed } else { allowed.max(total) };
        rollout_within_budget::surged(&mut sim.checks, &sim.kernel, name, total, allowed);
        if let Some(limits) = limits.filter(|_| stopped_available > 0) {
            let left: u32 = [from, to].iter().map(|&v| data.available(sim, service, v, Duration::ZERO) as u32).sum();
            let needed = wanted - limits.unavailable;
            rollout_within_budget::took_away(&mut sim.checks, &sim.kernel, name, left, needed);
        }
    }

    fn remove_others(&self, cx: &mut Cx<'_>, keep: &[VersionId]) {
        let service = self.service();
        let versions = cx.site().fleet.services[service.index()].desired.len() as u32;
        for version in (0..versions).map(VersionId).filter(|version| !keep.contains(version)) {
            cx.site().set_desired(service, version, 0);
        }
    }

    fn observe(&self, cx: &mut Cx<'_>, min_ready: Duration) -> Observation {
        let (service, from, to) = (self.service(), self.plan().from, self.plan().to);
        let site = cx.site();
        let (sim, data, state) = (&*site.sim, &*site.data, &site.fleet.services[service.index()]);
        let there = |wanted: &dyn Fn(VersionId) -> bool| {
            let instances = data.instances_of(service).map(|id| &data.instances[id.index()]);
            instances.filter(|i| wanted(i.version()) && i.life != Life::Gone).count() as u32
        };
        let instances = |version: VersionId| Instances {
            desired: state.desired.get(version.index()).copied().unwrap_or(0),
            total: there(&|v| v == version),
            available: data.available(sim, service, version, min_ready) as u32,
        };
        let weight =
            state.split.map(|shares| shares.iter().find(|(v, _)| *v == to).map_or(Ratio::ZERO, |(_, share)| *share));
        let others =
            if sim.sabotage == Some(Sabotage::OverlookTheRest) { 0 } else { there(&|v| ![from, to].contains(&v)) };
        Observation { old: instances(from), new: instances(to), others, weight }
    }

    /// What the orchestrator says when the lock is granted.
    fn granted(&self, cx: &mut Cx<'_>, token: base::FencingToken) -> Input {
        let (service, to) = (self.service(), self.plan().to);
        let state = &cx.site().fleet.services[service.index()];
        // A rollout may want the very version that its service was left at, and lead away from whatever else has
        // instances still.
        let returns = state.settled == to;
        let versions = (0..state.desired.len() as u32).map(VersionId).filter(|&version| version != to);
        let most = versions.max_by_key(|version| (state.desired[version.index()], std::cmp::Reverse(*version)));
        let left = most.filter(|version| returns && state.desired[version.index()] > 0);
        let running = Some(left.unwrap_or(state.settled));
        // A later rollout of the service may have begun since this one did.
        let superseded = self.phase() != Phase::Pending && state.last_begun != Some(self.number);
        Input::LockGranted { token, running, returns, superseded }
    }

    fn measure(&self, cx: &mut Cx<'_>, version: VersionId, window: Duration) -> Measurement {
        let now = cx.now();
        let metrics = &cx.site().data.metrics_of[self.service().index()];
        let Some(seen) = &metrics.versions[version.index()].window else { return Measurement::default() };
        let counts = seen.since(now, window);
        Measurement { success: counts.success(), p99: seen.quantile(now, window, 0.99), samples: counts.total() }
    }

    /// Tells every caller of the service how to split its traffic, of which the new version may get `limit`.
    fn order_split(&mut self, cx: &mut Cx<'_>, shares: Shares, limit: Ratio) {
        let (now, node, service, to) = (cx.now(), cx.node(), self.service(), self.plan().to);
        let share_of = |shares: Shares| {
            shares.into_iter().flatten().find(|(v, _)| *v == to).map_or(Ratio::ZERO, |(_, share)| share)
        };
        let promotes = match shares {
            Some([_, (_, share)]) if cx.has(Sabotage::Overweight) => share != Ratio::ZERO,
            Some(_) => cx.has(Sabotage::RaiseTheRejected) && self.phase() == Phase::RollingBack,
            None => false,
        };
        let shares = match shares {
            Some([(old, _), (new, _)]) if promotes => Some([(old, Ratio::ZERO), (new, Ratio::ONE)]),
            shares => shares,
        };
        let share = share_of(shares);
        if self.weights.last().is_none_or(|(_, last)| *last != share) {
            self.weights.push((now, share));
        }
        let site = cx.site();
        let (sim, state) = (&mut *site.sim, &site.fleet.services[service.index()]);
        let name = &site.data.services[service.index()].name;
        rollout_within_budget::weighted(&mut sim.checks, &sim.kernel, name, share, limit);
        let named = |version| sim.spec.version_name(service, version);
        let split =
            no_traffic_to_the_rejected::Split { name, rejected: &state.rejected, before: state.split, now: shares };
        no_traffic_to_the_rejected::split(&mut sim.checks, &sim.kernel, &split, named);
        if sim.sabotage == Some(Sabotage::KeepSplit) && share == Ratio::ZERO {
            return;
        }
        let order = SplitOrder { service, number: site.set_split(service, shares), shares };
        for caller in site.data.callers.iter().filter(|caller| caller.upstream(service).is_some()) {
            let (key, msg) = (site.sim.keys.next(node), Msg::Split(Box::new(order.clone())));
            site.sim.kernel.send(node, caller.node, MESSAGE_BYTES, Transport::Stream, key, msg);
        }
    }
}

impl Process for Controller {
    fn name(&self) -> &'static str {
        "rollout"
    }

    fn boot(&mut self, cx: &mut Cx<'_>) {
        if cx.life() == 0 {
            cx.plan(self.at, self.number);
            return;
        }
        // It goes on from what the disk says, which it shares with the controllers of other rollouts.
        let disk = cx.disk();
        disk.recover();
        let tag = self.number.to_le_bytes();
        let mine = disk.read_all().filter(|record| record.get(..4) == Some(&tag[..])).last();
        let state = mine.and_then(|record| State::decode(&record[4..]).ok());
        let plan = self.plan().clone();
        let state = state.unwrap_or_else(|| Rollout::new(plan.clone()).expect("checked before").snapshot());
        self.client = lock_client(cx.node(), self.number, cx.life(), plan.service);
        self.core = Host::new(Rollout::recover(plan, state).expect("the disk kept this plan's state"));
        if self.asked {
            Carrier::<Rollout>::handle(self, cx, Input::Start);
        }
    }

    /// The rollout is asked for. A controller that is paused hears of it when it goes on; one that is down asks when it
    /// comes up.
    fn alarm(&mut self, cx: &mut Cx<'_>, number: u32) {
        self.asked = true;
        cx.hand(number);
    }

    fn handed(&mut self, cx: &mut Cx<'_>, _: u32) {
        Carrier::<Rollout>::handle(self, cx, Input::Start);
    }

    fn letter(&mut self, cx: &mut Cx<'_>, _: ProcessId, letter: Letter) {
        if let Letter::LocksAnswer(answer) = letter
            && !cx.has(Sabotage::LoseGrants)
        {
            Carrier::<Client>::handle(self, cx, client::Input::Answer(answer));
        }
    }

    fn wake(&mut self, cx: &mut Cx<'_>, timer: u16) {
        if timer == CLIENT { Carrier::<Client>::woken(self, cx) } else { Carrier::<Rollout>::woken(self, cx) }
    }
}

impl Carrier<Rollout> for Controller {
    fn host(&mut self) -> Option<&mut Host<Rollout>> {
        Some(&mut self.core)
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Option<Input> {
        let service = self.service();
        match effect {
            Effect::AcquireLock { .. } => Carrier::<Client>::handle(self, cx, client::Input::Acquire),
            Effect::ReleaseLock { .. } => Carrier::<Client>::handle(self, cx, client::Input::Release),
            Effect::Scale { token, version, replicas } => {
                if cx.site().admits(service, token) {
                    self.scale(cx, version, replicas);
                }
            }
            Effect::SetWeights { token, weights, limit } => {
                if cx.site().admits(service, token) {
                    self.order_split(cx, Some(weights), limit);
                }
            }
            Effect::ClearWeights { token } => {
                let site = cx.site();
                if site.admits(service, token) && site.fleet.services[service.index()].split.is_some() {
                    self.order_split(cx, None, Ratio::ONE);
                }
            }
            Effect::RemoveOthers { token, keep } => {
                if cx.site().admits(service, token) {
                    self.remove_others(cx, &keep);
                }
            }
            Effect::Observe { min_ready } => return Some(Input::Observed(self.observe(cx, min_ready))),
            Effect::Measure { version, window } => return Some(Input::Measured(self.measure(cx, version, window))),
            Effect::Persist(state) => {
                let mut record = self.number.to_le_bytes().to_vec();
                record.extend(state.encode());
                if cx.disk().append(&record).is_ok() {
                    cx.sync();
                }
            }
            Effect::Note(event) => self.notes(cx, event),
        }
        None
    }
}

impl Carrier<Client> for Controller {
    const TIMER: u16 = CLIENT;

    fn host(&mut self) -> Option<&mut Host<Client>> {
        Some(&mut self.client)
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: client::Effect) -> Option<client::Input> {
        let input = match effect {
            client::Effect::Send(request) => {
                cx.send(self.store, MESSAGE_BYTES, Transport::Exchange, Letter::Locks(request));
                return None;
            }
            client::Effect::Granted(token) => self.granted(cx, token),
            client::Effect::Refused { retry_after } => Input::LockRefused { retry_after },
            client::Effect::Lost => Input::LockLost,
        };
        Carrier::<Rollout>::handle(self, cx, input);
        None
    }
}

/// The client for the lock of a service, of a controller in one of its node's lives.
fn lock_client(node: NodeId, number: u32, life: u32, service: ServiceId) -> Host<Client> {
    // Sessions are numbered apart: by life, by controller, and then by the client itself.
    let nonces = u64::from(life) << 32 | u64::from(number) << 16;
    Host::new(Client::new(node, LockKey::new(&format!("rollout/{service}")), nonces))
}
