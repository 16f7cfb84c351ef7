//! The line at a caller: calls that wait because every instance has as many of the caller's requests as it may have.
//!
//! Only strategies that bound what an instance may have make calls wait (see
//! [`balancer::strategy::catalogue::Needs::line`]). A call in line has been admitted and counts as a request of its
//! caller, but no attempt is under way: nothing is on the wire, no instance knows of it, and only the call's own
//! deadline ends it. It counts as pending with limits, as a request does that waits for a connection.
//!
//! A line is first in, first out, one for each version that has a share of its own. It moves when a request ends, by at
//! most one call, and when hosts or shares change, by as many as find room. Whoever waits, waits for something in
//! flight: a call that would wait for nothing ends as unavailable instead.

use super::Data;
use crate::data::call::{Call, State};
use crate::data::metrics::End;
use crate::data::retry_state::Again;
use crate::sim::Sim;
use crate::slab::Id;
use crate::wire::{Msg, SplitOrder};
use base::{Instant, NodeId};
use kernel::TimerId;
use std::collections::VecDeque;

/// The lines of one upstream.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// By the group that is to choose. Calls that ended in line are still here, by names that find nothing.
    groups: Vec<VecDeque<Id<Call>>>,
    waiting: u32,
}

impl Lines {
    /// Whether nobody waits, not even a call that has ended meanwhile.
    #[inline]
    pub(crate) fn are_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Whether nobody waits for this group.
    pub(crate) fn is_empty(&self, group: usize) -> bool {
        self.groups.get(group).is_none_or(VecDeque::is_empty)
    }

    fn push(&mut self, group: usize, id: Id<Call>) {
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, VecDeque::new);
        }
        self.groups[group].push_back(id);
        self.waiting += 1;
    }

    fn pop(&mut self, group: usize) -> Option<Id<Call>> {
        let id = self.groups.get_mut(group)?.pop_front()?;
        self.waiting -= 1;
        Some(id)
    }

    /// Puts the last of a line before all others.
    fn last_to_front(&mut self, group: usize) {
        self.groups[group].rotate_right(1);
    }
}

impl Data {
    /// A call finds every instance of its group full, and waits.
    #[cold]
    pub(crate) fn wait_in_line(&mut self, sim: &mut Sim, id: Id<Call>, group: usize) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let caller = &mut self.callers[call.caller as usize];
        let (node, local) = (caller.node, sim.kernel.local(caller.node));
        let upstream = &mut caller.upstreams[usize::from(call.upstream)];
        if upstream.traffic.wait().is_err() {
            upstream.traffic.attempt_cancelled(u32::from(call.retries));
            self.end_call(sim, id, End::Overflow);
            return;
        }
        call.state = State::Line;
        call.timer = if call.deadline() == Instant::MAX {
            TimerId::NONE
        } else {
            let left = call.deadline().saturating_since(local);
            sim.kernel.timer_after(node, left, None, Msg::Impatient { call: id, attempt: call.retries })
        };
        upstream.lines.push(group, id);
        if self.again.len() <= id.slot() {
            self.again.resize(id.slot() + 1, Again::default());
        }
        if call.retries == 0 {
            self.again[id.slot()].clear();
        }
    }

    /// A call's deadline has come while it waits in line.
    pub(crate) fn give_up_waiting(&mut self, sim: &mut Sim, id: Id<Call>) {
        let Some(call) = self.calls.get(id) else { return };
        let (caller, upstream) = (call.caller as usize, usize::from(call.upstream));
        let traffic = &mut self.callers[caller].upstreams[upstream].traffic;
        traffic.wait_over();
        traffic.attempt_cancelled(u32::from(call.retries));
        self.end_call(sim, id, End::Timeout);
        // Deadlines come in about the order of arrivals; whoever is first in line is not to be dead for long.
        let lines = &mut self.callers[caller].upstreams[upstream].lines;
        for line in &mut lines.groups {
            while line.pop_front_if(|id| self.calls.get(*id).is_none()).is_some() {
                lines.waiting -= 1;
            }
        }
    }

    /// Sends the calls at the front of a line, `most` of them at most, until one finds no room.
    #[cold]
    pub(crate) fn serve_line(&mut self, sim: &mut Sim, caller: u32, upstream: usize, group: usize, most: usize) {
        let mut sent = 0;
        while sent < most {
            let state = &mut self.callers[caller as usize].upstreams[upstream];
            let Some(id) = state.lines.pop(group) else { return };
            let Some(call) = self.calls.get_mut(id) else { continue };
            sim.kernel.cancel(call.timer);
            call.timer = TimerId::NONE;
            state.traffic.wait_over();
            self.attempt(sim, id);
            match self.calls.get(id).map(|call| call.state) {
                Some(State::Line) => {
                    let lines = &mut self.callers[caller as usize].upstreams[upstream].lines;
                    // With other shares it may wait in another line now.
                    if lines.groups[group].back() == Some(&id) {
                        lines.last_to_front(group);
                        return;
                    }
                }
                Some(_) => sent += 1,
                None => {}
            }
        }
    }

    /// The hosts of a caller have changed: there may be room.
    pub(crate) fn serve_lines(&mut self, sim: &mut Sim, caller: u32) {
        let state = &self.callers[caller as usize];
        let node = state.node;
        if !sim.kernel.nodes().is_running(node) {
            if state.upstreams.iter().any(|upstream| !upstream.lines.are_empty()) {
                sim.kernel.hand(node, Msg::ServeLines(caller));
            }
            return;
        }
        for upstream in 0..self.callers[caller as usize].upstreams.len() {
            let lines = &self.callers[caller as usize].upstreams[upstream].lines;
            if lines.are_empty() {
                continue;
            }
            for group in 0..lines.groups.len() {
                self.serve_line(sim, caller, upstream, group, usize::MAX);
            }
        }
    }

    /// A caller hears how to split a service's traffic.
    pub(crate) fn split_heard(&mut self, sim: &mut Sim, node: NodeId, order: &SplitOrder) {
        let Some(index) = self.caller_at(node) else { return };
        let local = sim.kernel.local(node);
        let caller = &mut self.callers[index as usize];
        if let Some(upstream) = caller.upstream(order.service)
            && order.number > caller.upstreams[upstream].order
        {
            caller.upstreams[upstream].set_shares(local, order.shares, order.number);
            self.line_up_again(sim, index, upstream);
        }
    }

    /// The traffic of a caller's upstream is split in another way: everybody lines up anew.
    pub(crate) fn line_up_again(&mut self, sim: &mut Sim, caller: u32, upstream: usize) {
        let state = &mut self.callers[caller as usize].upstreams[upstream];
        if state.lines.are_empty() {
            return;
        }
        let former = std::mem::take(&mut state.lines);
        for id in former.groups.into_iter().flatten() {
            let Some(call) = self.calls.get_mut(id) else { continue };
            sim.kernel.cancel(call.timer);
            call.timer = TimerId::NONE;
            self.callers[caller as usize].upstreams[upstream].traffic.wait_over();
            self.attempt(sim, id);
        }
    }
}
