//! Calls that have not ended when the run does: unfinished where somebody still works on them, lost where nobody does.
//!
//! A request that is queued, at work, on its way, or waits for a call that is, would have ended later: an overloaded
//! queue is no broken promise. A request whose answer nothing will ever bring, and whose caller has no timeout, hangs
//! for ever. Both belong into every denominator, or an overload would report the latency and the success of the few
//! that got through.

use super::Data;
use crate::data::call::{Call, Parent, State, retries_of};
use crate::data::instance::Job;
use crate::data::metrics::End;
use crate::sim::Sim;
use crate::wire::{CallId, Msg};
use kernel::TimerId;

/// What a scan of the calls that are open finds.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    /// By slot of the call: somebody works on it, or something will still end it.
    has_future: Vec<bool>,
}

impl OpenCalls {
    /// How an open call is counted.
    pub(crate) fn end_of(&self, id: CallId) -> End {
        if self.has_future.get(id.slot()).copied().unwrap_or(false) { End::Unfinished } else { End::Lost }
    }
}

impl Data {
    /// Finds out what may still become of the calls that are open. O(calls + jobs + pending events).
    pub(crate) fn scan_open_calls(&self, sim: &Sim) -> OpenCalls {
        let mut open = OpenCalls::default();
        let mut found: Vec<CallId> = Vec::new();
        // By themselves: a timer will begin, end or repeat them, they wait for room, or their message is on its way.
        for (id, call) in self.calls.iter() {
            if call.timer != TimerId::NONE || matches!(call.state, State::Pending | State::Pause) {
                found.push(id);
            }
        }
        let is_current = |id: CallId, attempt: u16| self.calls.get(id).is_some_and(|call| call.retries == attempt);
        for message in sim.kernel.messages() {
            if let Msg::Request { call, attempt, .. } | Msg::Response { call, attempt, .. } = *message
                && is_current(call, attempt)
            {
                found.push(call);
            }
        }
        // Through their work: it is queued or under way, and does not wait for others.
        let own_work = |job: &Job| job.pending == 0 && is_current(job.call, job.attempt);
        found.extend(self.jobs.iter().filter(|(_, job)| own_work(job)).map(|(_, job)| job.call));
        // Work that waits for a call with a future has one itself.
        while let Some(id) = found.pop() {
            if open.has_future.len() <= id.slot() {
                open.has_future.resize(id.slot() + 1, false);
            }
            if std::mem::replace(&mut open.has_future[id.slot()], true) {
                continue;
            }
            if let Some(Parent::Job(job)) = self.calls.get(id).map(Call::parent)
                && let Some(job) = self.jobs.get(job).filter(|job| is_current(job.call, job.attempt))
            {
                found.push(job.call);
            }
        }
        open
    }

    /// The requests that have not ended: what a load source began, without the calls made for them.
    pub(crate) fn open_requests(&self) -> impl Iterator<Item = (CallId, &Call)> {
        self.calls.iter().filter(|(_, call)| matches!(call.parent(), Parent::Source(_)))
    }

    /// How many requests nobody works on any more, and of those that is so, the one that has waited longest.
    pub(crate) fn lost_requests(&self, open: &OpenCalls) -> (u64, Option<(base::Key, base::Instant)>) {
        let (mut count, mut oldest) = (0, None);
        for (_, call) in self.open_requests().filter(|(id, _)| open.end_of(*id) == End::Lost) {
            count += 1;
            if oldest.is_none_or(|(_, started)| call.started() < started) {
                oldest = Some((call.key(), call.started()));
            }
        }
        (count, oldest)
    }

    /// Counts what is open with everything that arrived in the measured part, with its age for a latency.
    pub(crate) fn count_open_calls(&mut self, sim: &mut Sim, open: &OpenCalls) {
        let now = sim.kernel.now();
        for (id, call) in self.calls.iter() {
            if call.started() < self.metrics.measured_from {
                continue;
            }
            let (end, age, retries) = (open.end_of(id), now - call.started(), retries_of(&self.retry_states, id, call));
            let service = self.callers[call.caller as usize].upstreams[usize::from(call.upstream)].service;
            self.metrics_of[service.index()].call_open(end, age, retries);
            match call.parent() {
                Parent::Source(_) => self.metrics.request_open(end, age, retries),
                Parent::Job(_) => self.retries_inside += u64::from(retries),
            }
        }
    }
}
