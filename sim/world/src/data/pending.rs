//! Pending calls: those that wait at their caller because every instance has as many of its requests as it may have.
//!
//! Only strategies that bound the requests per instance make calls wait (see
//! [`balancer::strategy::catalogue::Needs::line`]). A pending call has been admitted and counts as a request of its
//! caller, but no attempt is under way: nothing is on the wire, no instance knows of it, and only the call's own
//! deadline ends it. Limits count it as pending, as they count a request that waits for a connection.
//!
//! There is one queue per version that has a share of its own, first in, first out. It moves by at most one call when a
//! request ends, and by as many as find room when hosts or shares change. A pending call always waits for something in
//! flight: one that would wait for nothing ends as unavailable instead.

use super::Data;
use crate::data::call::State;
use crate::data::metrics::End;
use crate::data::retry_state::RetryState;
use crate::sim::Sim;
use crate::wire::{CallId, Msg, SplitOrder};
use base::{Instant, NodeId};
use kernel::TimerId;
use std::collections::VecDeque;

/// The pending calls of one upstream.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// By the group that is to choose. Calls that ended meanwhile are still here, by names that find nothing.
    groups: Vec<VecDeque<CallId>>,
    waiting: u32,
}

impl Pending {
    /// Whether nobody waits, not even a call that has ended meanwhile.
    #[inline]
    pub(crate) fn are_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Whether nobody waits for this group.
    pub(crate) fn is_empty(&self, group: usize) -> bool {
        self.groups.get(group).is_none_or(VecDeque::is_empty)
    }

    fn push(&mut self, group: usize, id: CallId) {
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, VecDeque::new);
        }
        self.groups[group].push_back(id);
        self.waiting += 1;
    }

    fn pop(&mut self, group: usize) -> Option<CallId> {
        let id = self.groups.get_mut(group)?.pop_front()?;
        self.waiting -= 1;
        Some(id)
    }

    /// Puts the last of a queue before all others.
    fn last_to_front(&mut self, group: usize) {
        self.groups[group].rotate_right(1);
    }
}

impl Data {
    /// A call finds every instance of its group full, and waits.
    #[cold]
    pub(crate) fn wait_for_room(&mut self, sim: &mut Sim, id: CallId, group: usize) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let caller = &mut self.callers[call.caller as usize];
        let (node, local) = (caller.node, sim.kernel.local(caller.node));
        let upstream = &mut caller.upstreams[usize::from(call.upstream)];
        if upstream.traffic.wait().is_err() {
            upstream.traffic.attempt_cancelled(u32::from(call.retries));
            self.end_call(sim, id, End::Overflow);
            return;
        }
        call.state = State::Pending;
        call.timer = if call.deadline() == Instant::MAX {
            TimerId::NONE
        } else {
            let left = call.deadline().saturating_since(local);
            sim.kernel.timer_after(node, left, None, Msg::Impatient { call: id, attempt: call.retries })
        };
        upstream.pending.push(group, id);
        if self.retry_states.len() <= id.slot() {
            self.retry_states.resize(id.slot() + 1, RetryState::default());
        }
        if call.retries == 0 {
            self.retry_states[id.slot()].clear();
        }
    }

    /// A call's deadline has come while it waits in line.
    pub(crate) fn give_up_waiting(&mut self, sim: &mut Sim, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let (caller, upstream) = (call.caller as usize, usize::from(call.upstream));
        let traffic = &mut self.callers[caller].upstreams[upstream].traffic;
        traffic.wait_over();
        traffic.attempt_cancelled(u32::from(call.retries));
        self.end_call(sim, id, End::Timeout);
        // Deadlines come in about the order of arrivals; whoever is first in line is not to be dead for long.
        let pending = &mut self.callers[caller].upstreams[upstream].pending;
        for line in &mut pending.groups {
            while line.pop_front_if(|id| self.calls.get(*id).is_none()).is_some() {
                pending.waiting -= 1;
            }
        }
    }

    /// Sends the calls at the front of a line, `most` of them at most, until one finds no room.
    #[cold]
    pub(crate) fn serve_group(&mut self, sim: &mut Sim, caller: u32, upstream: usize, group: usize, most: usize) {
        let mut sent = 0;
        while sent < most {
            let state = &mut self.callers[caller as usize].upstreams[upstream];
            let Some(id) = state.pending.pop(group) else { return };
            let Some(call) = self.calls.get_mut(id) else { continue };
            sim.kernel.cancel(call.timer);
            call.timer = TimerId::NONE;
            state.traffic.wait_over();
            self.attempt(sim, id);
            match self.calls.get(id).map(|call| call.state) {
                Some(State::Pending) => {
                    let pending = &mut self.callers[caller as usize].upstreams[upstream].pending;
                    // With other shares it may wait in another line now.
                    if pending.groups[group].back() == Some(&id) {
                        pending.last_to_front(group);
                        return;
                    }
                }
                Some(_) => sent += 1,
                None => {}
            }
        }
    }

    /// The hosts of a caller have changed: there may be room.
    pub(crate) fn serve_pending(&mut self, sim: &mut Sim, caller: u32) {
        let state = &self.callers[caller as usize];
        let node = state.node;
        if !sim.kernel.nodes().is_running(node) {
            if state.upstreams.iter().any(|upstream| !upstream.pending.are_empty()) {
                sim.kernel.hand(node, Msg::ServePending(caller));
            }
            return;
        }
        for upstream in 0..self.callers[caller as usize].upstreams.len() {
            let pending = &self.callers[caller as usize].upstreams[upstream].pending;
            if pending.are_empty() {
                continue;
            }
            for group in 0..pending.groups.len() {
                self.serve_group(sim, caller, upstream, group, usize::MAX);
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
            self.regroup_pending(sim, index, upstream);
        }
    }

    /// The traffic of a caller's upstream is split in another way: its pending calls queue up anew.
    pub(crate) fn regroup_pending(&mut self, sim: &mut Sim, caller: u32, upstream: usize) {
        let state = &mut self.callers[caller as usize].upstreams[upstream];
        if state.pending.are_empty() {
            return;
        }
        let former = std::mem::take(&mut state.pending);
        for id in former.groups.into_iter().flatten() {
            let Some(call) = self.calls.get_mut(id) else { continue };
            sim.kernel.cancel(call.timer);
            call.timer = TimerId::NONE;
            self.callers[caller as usize].upstreams[upstream].traffic.wait_over();
            self.attempt(sim, id);
        }
    }
}
