//! What a fault does when it begins and when it ends.
//!
//! Faults of nodes become holds, faults of the network become rules, and both are let go of by the number of the fault.
//! Each draw comes from a stream with the fault's name in its key.

use super::{Entry, Event, Kernel, Message};
use crate::fault::{FaultKind, Hit, Path};
use crate::node::{Crash, Hold, HolderId, State};
use crate::rule::{Action, NodeSet, Rule, Throttle};
use crate::select::Selector;
use base::{Draw, Duration, Instant, NodeId, Rng, streams};

impl<M: Message> Kernel<M> {
    fn fault_rng(&self, fault: u32) -> Rng {
        self.seed.stream(&streams::FAULT.of(&[&self.plan[fault as usize].name]))
    }

    pub(super) fn ends_at(&self, fault: u32) -> Instant {
        let fault = &self.plan[fault as usize];
        fault.lasts.map_or(Instant::MAX, |lasts| fault.at.saturating_add(lasts))
    }

    pub(super) fn begin(&mut self, fault: u32) {
        let mut rng = self.fault_rng(fault);
        let kind = self.plan[fault as usize].kind.clone();
        match &kind {
            FaultKind::Crash(whom, crash) => self.hold(fault, whom, Hold::Down(*crash), &mut rng),
            FaultKind::Pause(whom) => self.hold(fault, whom, Hold::Pause, &mut rng),
            FaultKind::Slow(whom, factor) => self.hold(fault, whom, Hold::Slow(*factor), &mut rng),
            FaultKind::Error(whom, failing) => self.hold(fault, whom, Hold::Fail(*failing), &mut rng),
            FaultKind::DiskSlow(whom, factor) => self.hold(fault, whom, Hold::DiskSlow(*factor), &mut rng),
            FaultKind::DiskFull(whom) => self.hold(fault, whom, Hold::DiskFull, &mut rng),
            FaultKind::ClockDrift(whom, ppb) => self.hold(fault, whom, Hold::Drift(*ppb), &mut rng),
            FaultKind::DiskCorrupt(whom) => {
                for node in self.meet(fault, whom, &mut rng) {
                    self.nodes.disk_mut(node).0.corrupt(&mut rng);
                }
            }
            FaultKind::ClockStep(whom, by_ns) => {
                for node in self.meet(fault, whom, &mut rng) {
                    self.nodes.change(node, |n| n.clock_mut().step(*by_ns));
                }
            }
            FaultKind::Clog(whom) => {
                let until = self.ends_at(fault);
                let members = self.meet(fault, whom, &mut rng);
                self.clog(fault, &members, until);
            }
            FaultKind::Swizzle(whom) => self.swizzle(fault, whom, &mut rng),
            FaultKind::Partition(path) => self.lay(fault, path, &Action::Drop, &mut rng),
            FaultKind::Delay(path, by) => self.lay(fault, path, &Action::Delay(by.clone()), &mut rng),
            FaultKind::Loss(path, share) => self.lay(fault, path, &Action::Lose(*share), &mut rng),
            FaultKind::Duplicate(path, share) => self.lay(fault, path, &Action::Duplicate(*share), &mut rng),
            FaultKind::Reorder(path, share, by) => self.lay(fault, path, &Action::Reorder(*share, *by), &mut rng),
            FaultKind::Throttle(path, bits_per_second) => {
                let until = self.ends_at(fault);
                let line = Throttle::new(*bits_per_second, until);
                self.lay(fault, path, &Action::Throttle(line), &mut rng);
            }
        }
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

    fn hold(&mut self, fault: u32, whom: &Selector, hold: Hold, rng: &mut Rng) {
        let members = self.meet(fault, whom, rng);
        self.keep_time(&members, |kernel| {
            for &node in &members {
                let before = kernel.nodes.change(node, |n| n.hold(fault as HolderId, hold, kernel.now));
                kernel.changed(node, before);
            }
        });
        self.held_by[fault as usize].extend(members);
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

    /// The nodes that `whom` means now, which are noted as those that the fault met.
    fn meet(&mut self, fault: u32, whom: &Selector, rng: &mut Rng) -> Vec<NodeId> {
        let members = whom.resolve(&self.nodes, rng);
        let hit = &mut self.hits[fault as usize];
        let nodes = members.len() as u32;
        hit.nodes = Some(hit.nodes.map_or(nodes, |before| before.min(nodes)));
        if whom.is_drawn() {
            hit.drawn.extend_from_slice(&members);
            hit.drawn.sort_unstable();
            hit.drawn.dedup();
        }
        members
    }

    fn lay(&mut self, fault: u32, path: &Path, action: &Action, rng: &mut Rng) {
        let from = NodeSet::new(&self.meet(fault, &path.from, rng));
        let to = NodeSet::new(&self.meet(fault, &path.to, rng));
        self.rule(fault, from.clone(), to.clone(), action.clone());
        if !path.one_way {
            self.rule(fault, to, from, action.clone());
        }
    }

    pub(super) fn clog(&mut self, fault: u32, members: &[NodeId], until: Instant) {
        let all: Vec<NodeId> = self.nodes.ids().collect();
        let (members, all) = (NodeSet::new(members), NodeSet::new(&all));
        self.rule(fault, members.clone(), all.clone(), Action::HoldUntil(until));
        self.rule(fault, all, members, Action::HoldUntil(until));
    }

    fn rule(&mut self, fault: u32, from: NodeSet, to: NodeSet, action: Action) {
        let ordinal = self.network.rules.iter().filter(|r| r.fault == fault).count() as u64;
        let name = &self.plan[fault as usize].name;
        let salt = self.seed.nth(&streams::FAULT_RULE.of(&[&name]), ordinal).next_u64();
        self.network.rules.push(Rule { fault, salt, from, to, action });
    }

    fn swizzle(&mut self, fault: u32, whom: &Selector, rng: &mut Rng) {
        let mut members = whom.resolve(&self.nodes, rng);
        rng.shuffle(&mut members);
        members.truncate(members.len().div_ceil(2));
        let mut drawn = members.clone();
        drawn.sort_unstable();
        self.hits[fault as usize] = Hit { nodes: Some(members.len() as u32), drawn };
        let lasts = self.plan[fault as usize].lasts.unwrap_or(Duration::secs(60));
        let half = lasts / 2;
        for &node in &members {
            let on = self.now + Duration::ns(rng.below_u64(half.as_nanos().max(1)));
            let off = self.now + half + Duration::ns(rng.below_u64(half.as_nanos().max(1)));
            self.queue.push(on, Entry::Swizzle { fault, node, until: Some(off) });
            self.queue.push(off, Entry::Swizzle { fault, node, until: None });
        }
    }
}
