//! What a fault does when it begins and when it ends.
//!
//! A kind of fault begins through an [`Injector`], the only door that kinds have onto the kernel. Faults of nodes
//! become holds, faults of the network become rules, and both are let go of by the number of the fault. Each draw comes
//! from a stream with the fault's name in its key.

use super::{Entry, Event, Kernel, Message};
use crate::fault::{Fault, Hit, Path};
use crate::node::{Crash, Hold, HolderId, State};
use crate::rule::{Action, NodeSet, Rule};
use crate::select::Selector;
use base::{Draw, Duration, Instant, NodeId, Rng, streams};

/// What a fault that begins may do, with its own stream of chance.
#[derive(Debug)]
pub struct Injector<'k, M> {
    kernel: &'k mut Kernel<M>,
    /// The number of the fault in its plan.
    fault: u32,
    rng: Rng,
}

impl<M: Message> Injector<'_, M> {
    /// The moment at which the fault ends: the end of time where it never does.
    pub(crate) fn ends_at(&self) -> Instant {
        self.kernel.ends_at(self.fault)
    }

    /// The nodes that `whom` means now, drawn where it says so, in order of id where nothing is drawn. They are noted
    /// as those that the fault met; two calls with the same selector may draw different ones.
    pub(crate) fn meet(&mut self, whom: &Selector) -> Vec<NodeId> {
        let members = whom.resolve(&self.kernel.nodes, &mut self.rng);
        let hit = &mut self.kernel.hits[self.fault as usize];
        let nodes = members.len() as u32;
        hit.nodes = Some(hit.nodes.map_or(nodes, |before| before.min(nodes)));
        if whom.is_drawn() {
            hit.drawn.extend_from_slice(&members);
            hit.drawn.sort_unstable();
            hit.drawn.dedup();
        }
        members
    }

    /// Puts a hold on nodes until the fault ends.
    pub(crate) fn hold(&mut self, nodes: &[NodeId], hold: Hold) {
        let holder = self.fault as HolderId;
        self.kernel.keep_time(nodes, |kernel| {
            for &node in nodes {
                let before = kernel.nodes.change(node, |n| n.hold(holder, hold, kernel.now));
                kernel.changed(node, before);
            }
        });
        self.kernel.held_by[self.fault as usize].extend_from_slice(nodes);
    }

    /// Does something to the packets of a path until the fault ends; both directions have a rule of their own.
    pub(crate) fn install(&mut self, path: &Path, action: &Action) {
        let from = NodeSet::new(&self.meet(&path.from));
        let to = NodeSet::new(&self.meet(&path.to));
        self.kernel.install(self.fault, from.clone(), to.clone(), action.clone());
        if !path.one_way {
            self.kernel.install(self.fault, to, from, action.clone());
        }
    }

    /// Keeps all packets to and from nodes until the fault ends.
    pub(crate) fn clog(&mut self, nodes: &[NodeId]) {
        let until = self.ends_at();
        self.kernel.clog(self.fault, nodes, until);
    }

    /// Clogs a random half of the nodes one by one during the first half of the fault, and lets them go in another
    /// random order during the second. One without an end takes a minute.
    pub(crate) fn swizzle(&mut self, whom: &Selector) {
        let Injector { kernel, fault, rng } = self;
        let fault = *fault;
        let mut members = whom.resolve(&kernel.nodes, rng);
        rng.shuffle(&mut members);
        members.truncate(members.len().div_ceil(2));
        let mut drawn = members.clone();
        drawn.sort_unstable();
        kernel.hits[fault as usize] = Hit { nodes: Some(members.len() as u32), drawn };
        let lasts = kernel.plan[fault as usize].lasts.unwrap_or(Duration::secs(60));
        let half = lasts / 2;
        for &node in &members {
            let on = kernel.now + Duration::ns(rng.below_u64(half.as_nanos().max(1)));
            let off = kernel.now + half + Duration::ns(rng.below_u64(half.as_nanos().max(1)));
            kernel.queue.push(on, Entry::Swizzle { fault, node, until: Some(off) });
            kernel.queue.push(off, Entry::Swizzle { fault, node, until: None });
        }
    }

    /// Flips a bit of what the node's disk had stored durably.
    pub(crate) fn corrupt_disk(&mut self, node: NodeId) {
        self.kernel.nodes.disk_mut(node).0.corrupt(&mut self.rng);
    }

    /// Sets the date of the node's clock forward or back.
    pub(crate) fn step_clock(&mut self, node: NodeId, by_ns: i64) {
        self.kernel.nodes.change(node, |n| n.clock_mut().step(by_ns));
    }
}

impl<M: Message> Kernel<M> {
    fn ends_at(&self, fault: u32) -> Instant {
        let fault = &self.plan[fault as usize];
        fault.lasts.map_or(Instant::MAX, |lasts| fault.at.saturating_add(lasts))
    }

    pub(super) fn begin(&mut self, fault: u32) {
        let Fault { name, kind, .. } = self.plan[fault as usize].clone();
        let rng = self.seed.stream(&streams::FAULT.of(&[&name]));
        kind.inject(&mut Injector { kernel: self, fault, rng });
    }

    pub(super) fn end(&mut self, fault: u32) {
        self.drain(fault);
        let members = std::mem::take(&mut self.held_by[fault as usize]);
        self.keep_time(&members, |kernel| {
            for &node in &members {
                let before = kernel.nodes.change(node, |n| n.release(fault as HolderId, kernel.now));
                kernel.changed(node, before);
            }
        });
    }

    /// Takes away the rules of a fault that has ended. A throttle stays, as wide as its link by now, while something
    /// waits at it: what is sent now comes behind.
    pub(super) fn drain(&mut self, fault: u32) {
        let now = self.now;
        let mut drained = now;
        self.network.rules.retain(|rule| match &rule.action {
            Action::Throttle(line) if rule.fault == fault && line.free_at() > now => {
                drained = drained.max(line.free_at());
                true
            }
            _ => rule.fault != fault,
        });
        if drained > now {
            self.queue.push(drained, Entry::Drained(fault));
        }
    }

    /// Does something to nodes that may change how fast their clocks run. Timers that are set go by the new rate.
    fn keep_time(&mut self, members: &[NodeId], change: impl FnOnce(&mut Self)) {
        let drifts: Vec<i32> = members.iter().map(|&node| self.nodes.get(node).drift_ppb()).collect();
        change(self);
        let changed = members.iter().zip(drifts).filter(|&(&node, was)| self.nodes.get(node).drift_ppb() != was);
        let changed: Vec<NodeId> = changed.map(|(&node, _)| node).collect();
        if changed.is_empty() {
            return;
        }
        let (set, nodes, now) = (NodeSet::new(&changed), &self.nodes, self.now);
        self.queue.reschedule(|entry, _| match entry {
            Entry::Timer { node, due, .. } if set.contains(*node) => Some(nodes.get(*node).clock().fires_at(now, *due)),
            _ => None,
        });
    }

    /// Does what follows from a node's change of state.
    fn changed(&mut self, node: NodeId, before: State) {
        let after = self.nodes.state(node);
        let alive = |state| matches!(state, State::Up | State::Paused);
        match (before, after) {
            (State::Removed, _) | (_, State::Removed) => {}
            (before, State::Down(crash)) if alive(before) => {
                self.nodes.change(node, |n| n.life += 1);
                // A dead process leaves the page cache to the machine, which goes on writing; a dead machine loses it.
                if crash == Crash::Machine {
                    let (disk, rng) = self.nodes.disk_mut(node);
                    disk.crash(rng);
                }
                self.stalled.retain(|pair, _| pair.0 != node);
                // A process that was frozen before its first step has gone without anybody having met it.
                if !self.nodes.change(node, |n| std::mem::replace(&mut n.is_gone, true)) {
                    self.untold.push_back(Event::Down(node, crash));
                }
                self.wake(node);
            }
            (State::Down(_), State::Up) => {
                self.nodes.change(node, |n| n.is_gone = false);
                self.untold.push_back(Event::Up(node));
            }
            (State::Down(_), State::Paused) => self.wait(node, Entry::Up(node, self.nodes.life(node))),
            _ => {}
        }
        if after == State::Up {
            self.wake(node);
        }
    }

    /// What waited for a node happens now, in the order in which it came: to the node that goes on, or to the one that
    /// no longer listens.
    fn wake(&mut self, node: NodeId) {
        for entry in self.waiting.remove(&node).unwrap_or_default() {
            self.queue.push(self.now, entry);
        }
    }

    pub(super) fn clog(&mut self, fault: u32, members: &[NodeId], until: Instant) {
        let all: Vec<NodeId> = self.nodes.ids().collect();
        let (members, all) = (NodeSet::new(members), NodeSet::new(&all));
        self.install(fault, members.clone(), all.clone(), Action::HoldUntil(until));
        self.install(fault, all, members, Action::HoldUntil(until));
    }

    fn install(&mut self, fault: u32, from: NodeSet, to: NodeSet, action: Action) {
        let ordinal = self.network.rules.iter().filter(|r| r.fault == fault).count() as u64;
        let name = &self.plan[fault as usize].name;
        let salt = self.seed.nth(&streams::FAULT_RULE.of(&[&name]), ordinal).next_u64();
        self.network.rules.push(Rule { fault, salt, from, to, action });
    }
}
