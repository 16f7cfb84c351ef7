//! One call from a caller to a service: chosen instance, attempts, patience, retries, and one end. Hot.
//!
//! ```text
//!   begin_call ─▶ attempt ─▶ on the wire ─▶ Response, Bounced or Impatient ─▶ attempt_over ─▶ end_call
//!                    ▲                                                            │
//!                    └───────────────── Retry, after a pause ◀────────────────────┘
//! ```
//!
//! An attempt for which there is no room waits before it goes on the wire; that is in `line`.
//!
//! A call that a load source began is a request: its end is the request's outcome. A call that an instance or the
//! gateway began while it works on a request reports to that work. A call ends exactly once, because ending takes it
//! out of the slab; whatever arrives for it later finds nothing.

use super::Data;
use crate::catalogue::{Invariant, Probe};
use crate::data::caller::Choice;
use crate::data::demand::{CallOptions, Demand};
use crate::data::instance::REQUEST_BYTES;
use crate::data::metrics::End;
use crate::data::retry_state::RetryState;
use crate::invariant::no_route_to_the_dead;
use crate::sabotage::Sabotage;
use crate::sim::Sim;
use crate::wire::{CallId, JobId, Msg};
use balancer::{Request, Response};
use base::{Duration, InstanceId, Instant, Key, NodeId, ServiceId, VersionId};
use kernel::{Bounce, TimerId, Transport};
use traffic::{Class, Rejection};

/// Who waits for a call to end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parent {
    /// A load source: the call is a request.
    Source(u32),
    /// A request at an instance.
    Job(JobId),
}

/// A call under way, packed into a cache line: there are as many of them as requests in flight, and each is met three
/// times in its life. What only retries need stands in [`RetryState`].
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Call {
    /// Attempts made before the present one; after 65,535 it goes on at 1, and [`RetryState`] counts the laps.
    pub(crate) retries: u16,
    pub(crate) upstream: u16,
    pub(crate) caller: u32,
    pub(crate) group: u8,
    version: u8,
    pub(crate) state: State,
    demand: Demand,
    host: u32,
    instance: InstanceId,
    /// The timer of the caller's patience, or of the pause.
    pub(crate) timer: TimerId,
    parent: PackedParent,
    started: Align4<Instant>,
    key: Align4<Key>,
    deadline: Align4<Instant>,
}

/// An eight-byte value with four-byte alignment: a call and its slot's generation then fill 64 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
struct Align4<T>(T);

const _: () = assert!(size_of::<Call>() == 60);

/// A [`Parent`] in eight bytes.
#[derive(Clone, Copy, Debug)]
struct PackedParent {
    slot: u32,
    /// Of a job; [`SOURCE`] for a load source.
    generation: u32,
}

/// No job lives in a generation this late: a slot would have to be used four thousand million times.
const SOURCE: u32 = u32::MAX;

impl From<Parent> for PackedParent {
    #[inline]
    fn from(parent: Parent) -> Self {
        match parent {
            Parent::Source(load) => PackedParent { slot: load, generation: SOURCE },
            Parent::Job(job) => {
                let (slot, generation) = job.parts();
                PackedParent { slot, generation }
            }
        }
    }
}

/// Whether an attempt ended with an answer of its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    /// It did, and the answer may carry a load report.
    Yes,
    /// It timed out, bounced, or was given up.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Being set up.
    New,
    /// Pending: waiting for room at any instance.
    Pending,
    /// An attempt is under way, which began when the call did.
    Attempt,
    /// An attempt is under way that is a retry or was pending before; when it began stands in [`RetryState`].
    LateAttempt,
    /// Between attempts.
    Pause,
}

/// Labels of the draws that belong to a call or an attempt.
const ATTEMPT: u64 = 1 << 32;
const ON_THE_WIRE: u64 = 4;
const BACKOFF: u64 = 5;
/// Label for the routing hash when the originating request has already ended.
const ROUTED_BY: u64 = 6;

impl Call {
    /// A call without an attempt, and without an end to its caller's patience.
    #[inline]
    pub(crate) fn new(parent: Parent, caller: u32, upstream: u16, key: Key, now: Instant) -> Call {
        Call {
            retries: 0,
            upstream,
            state: State::New,
            caller,
            group: 0,
            demand: Demand::ANY,
            version: 0,
            host: 0,
            instance: InstanceId(u32::MAX),
            timer: TimerId::NONE,
            parent: parent.into(),
            started: Align4(now),
            key: Align4(key),
            deadline: Align4(Instant::MAX),
        }
    }

    /// Whether an attempt is on its way at present.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(self.state, State::Attempt | State::LateAttempt)
    }

    /// When it began, on the kernel's clock, for measuring.
    #[inline]
    pub(crate) fn started(&self) -> Instant {
        self.started.0
    }

    /// When it is to end, on the caller's clock.
    #[inline]
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline.0
    }

    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Align4(deadline);
    }

    #[inline]
    pub(crate) fn key(&self) -> Key {
        self.key.0
    }

    /// Who waits for it.
    #[inline]
    pub(crate) fn parent(&self) -> Parent {
        let PackedParent { slot, generation } = self.parent;
        if generation == SOURCE { Parent::Source(slot) } else { Parent::Job(JobId::from_parts(slot, generation)) }
    }
}

impl Data {
    /// Begins a call. It may end at once, when there is nobody to send it to.
    #[inline]
    pub(crate) fn begin_call(
        &mut self,
        sim: &mut Sim,
        parent: Parent,
        caller: u32,
        service: ServiceId,
        key: Key,
        options: CallOptions,
    ) {
        let caller_state = &mut self.callers[caller as usize];
        let node = caller_state.node;
        let local = sim.kernel.local(node);
        let upstream = caller_state.upstream(service).expect("a caller has an upstream for all it calls");
        let inherited = match parent {
            Parent::Job(job) if !self.deadlines.is_empty() => self.deadlines.get(job.slot()).copied(),
            _ => None,
        };
        let traffic = &mut caller_state.upstreams[upstream].traffic;
        let deadline = match options.timeout {
            None => traffic.policy().deadline(local, inherited),
            Some(timeout) => local.saturating_add(timeout).min(inherited.unwrap_or(Instant::MAX)),
        };
        let mut call = Call::new(parent, caller, upstream as u16, key, sim.kernel.now());
        call.demand = options.demand;
        call.set_deadline(deadline);
        // Whoever asked for this waits no longer: nothing is sent.
        if inherited.is_some() && deadline <= local {
            let id = self.calls.insert(call);
            self.end_call(sim, id, End::Timeout);
            return;
        }
        let admitted = traffic.begin(local);
        let id = self.calls.insert(call);
        self.attempt_or_end(sim, id, admitted);
    }

    /// The attempt that the rules of traffic have admitted, or the call's end where they have not.
    #[inline]
    pub(crate) fn attempt_or_end(&mut self, sim: &mut Sim, id: CallId, admitted: Result<(), Rejection>) {
        match admitted {
            Ok(()) => self.attempt(sim, id),
            Err(rejection) => self.end_call(sim, id, rejected(rejection)),
        }
    }

    /// Chooses an instance and sends it the request.
    #[inline]
    pub(crate) fn attempt(&mut self, sim: &mut Sim, id: CallId) {
        let now = sim.kernel.now();
        let hash = if self.routes_by_key { self.routing_hash(id) } else { 0 };
        let Some(call) = self.calls.get_mut(id) else { return };
        let caller = &mut self.callers[call.caller as usize];
        let node = caller.node;
        let upstream = &mut caller.upstreams[usize::from(call.upstream)];
        let key = attempt_key(call.key(), retries_of(&self.retry_states, id, call));
        let local = sim.kernel.local(node);
        let request = Request { hash };
        let (state, choice) = if call.retries == 0 && call.state != State::Pending {
            (State::Attempt, upstream.choose(local, request, key, call.demand.pin()))
        } else {
            let retry_state = &mut self.retry_states[id.slot()];
            retry_state.began = now;
            (State::LateAttempt, upstream.choose_except(local, request, key, call.demand.pin(), &retry_state.tried))
        };
        let Some(choice) = choice else {
            match upstream.pending_group(key, call.demand.pin()) {
                Some(group) => self.wait_for_room(sim, id, group),
                None => {
                    upstream.traffic.attempt_cancelled(u32::from(call.retries));
                    self.end_call(sim, id, End::Unavailable);
                }
            }
            return;
        };
        let chosen = match sim.sabotage {
            Some(Sabotage::RouteToTheUnlisted) => InstanceId((choice.instance.0 + 1) % self.instances.len() as u32),
            _ => choice.instance,
        };
        let listed = upstream.lists(chosen);
        // Where the view says it is, and the truth: an id is never given twice.
        let to = self.places[chosen.index()].node;
        let version = VersionId(u32::from(self.places[choice.instance.index()].version));
        let policy = upstream.traffic.policy();
        let patience = policy.attempt_deadline(local, call.deadline());
        let attempt = call.retries;
        call.timer = if patience == Instant::MAX {
            TimerId::NONE
        } else {
            let span = patience.saturating_since(local);
            sim.kernel.timer_after(node, span, upstream.lane, Msg::Impatient { call: id, attempt })
        };
        call.state = state;
        call.version = version.0 as u8;
        (call.group, call.host, call.instance) = (choice.group, choice.host, choice.instance);
        let service = upstream.service;
        let probing = upstream.is_probing;
        if let Some(metrics) = self.metrics_of.get_mut(service.index()) {
            metrics.attempt_began(version);
        }
        if attempt > 0 {
            sim.checks.reached(Probe::RetrySent);
        }
        no_route_to_the_dead::routed(&mut sim.checks, &sim.kernel, listed, to, node);
        if self.dead > 0 {
            self.note_exposure(sim, chosen, to);
        }
        sim.kernel
            .trace_mut()
            .note(now, Some(node), "send", || format!("{} attempt {} to {}", name_of(key), attempt + 1, chosen));
        let msg = Msg::Request { call: id, key, attempt };
        sim.kernel.send(node, to, REQUEST_BYTES, Transport::Exchange, key.derive(ON_THE_WIRE), msg);
        if probing {
            self.send_probes(sim, id);
        }
    }

    /// An instance has answered.
    #[inline]
    pub(crate) fn response_arrives(&mut self, sim: &mut Sim, id: CallId, attempt: u16, class: Class) {
        if class != Class::Success {
            if self.is_attempt(id, attempt) {
                self.attempt_over(sim, id, class, Answered::Yes);
            }
            return;
        }
        // The common end, in one visit to the call instead of three.
        let waits = |call: &Call| call.retries == attempt && call.is_under_way();
        if let Some(call) = self.calls.remove_if(id, waits) {
            self.book_attempt(sim, id, &call, class, Answered::Yes);
            self.book_end(sim, id, &call, End::Success);
        }
    }

    /// The hash of what a call is routed by, for a balancer that asks; it is that of the request in which the call was
    /// made. When whoever made the call has given up on it meanwhile, the call goes by a key of its own.
    #[inline]
    fn routing_hash(&self, id: CallId) -> u64 {
        match self.calls.get(id) {
            Some(call) if self.callers[call.caller as usize].upstreams[usize::from(call.upstream)].is_keyed => {
                self.request_hash(call)
            }
            _ => 0,
        }
    }

    fn request_hash(&self, call: &Call) -> u64 {
        let mut origin = call;
        loop {
            match origin.parent() {
                Parent::Source(load) => return self.loads[load as usize].routing_hash(origin.key()),
                Parent::Job(job) => match self.jobs.get(job).and_then(|job| self.calls.get(job.call)) {
                    Some(call) => origin = call,
                    None => return origin.key().derive(ROUTED_BY).0,
                },
            }
        }
    }

    /// A request came back undelivered, or its connection broke before the answer.
    pub(crate) fn request_bounced(&mut self, sim: &mut Sim, id: CallId, attempt: u16, why: Bounce) {
        if self.is_attempt(id, attempt) {
            let class = match why {
                Bounce::Refused | Bounce::Unreachable => Class::ConnectFailure,
                Bounce::Reset => Class::Reset,
            };
            self.attempt_over(sim, id, class, Answered::No);
        }
    }

    /// How long a caller still waits for an attempt that reaches its instance now, without a bound as `Duration::MAX`;
    /// `None` when it has given up. What the network took counts as used, as if every hop measured it.
    pub(crate) fn time_left(&self, sim: &Sim, id: CallId, attempt: u16) -> Option<Duration> {
        let call = self.calls.get(id).filter(|call| call.retries == attempt && call.is_under_way())?;
        if call.deadline() == Instant::MAX {
            return Some(Duration::MAX);
        }
        let local = sim.kernel.local(self.callers[call.caller as usize].node);
        let left = call.deadline().saturating_since(local);
        (left > Duration::ZERO).then_some(left)
    }

    fn is_attempt(&self, id: CallId, attempt: u16) -> bool {
        self.calls.get(id).is_some_and(|call| call.retries == attempt && call.is_under_way())
    }

    /// The caller waits no longer for an attempt, or for the call.
    pub(crate) fn impatient(&mut self, sim: &mut Sim, id: CallId, attempt: u16) {
        let Some(call) = self.calls.get(id) else { return };
        if call.retries != attempt {
            return;
        }
        let caller = &self.callers[call.caller as usize];
        let late = sim.kernel.local(caller.node) >= call.deadline();
        match call.state {
            State::Attempt | State::LateAttempt if late => {
                self.close_attempt(sim, id, Class::Timeout, Answered::No);
                self.end_call(sim, id, End::Timeout);
            }
            State::Attempt | State::LateAttempt => self.attempt_over(sim, id, Class::Timeout, Answered::No),
            State::Pause => {
                self.callers[call.caller as usize].upstreams[usize::from(call.upstream)].traffic.retry_cancelled();
                self.end_call(sim, id, End::Timeout);
            }
            State::Pending => self.give_up_waiting(sim, id),
            State::New => {}
        }
        sim.checks.reached(Probe::RequestTimedOut);
    }

    /// An attempt has ended: with the call, or with a pause before another one.
    fn attempt_over(&mut self, sim: &mut Sim, id: CallId, class: Class, answered: Answered) {
        self.close_attempt(sim, id, class, answered);
        if class == Class::Success {
            self.end_call(sim, id, End::Success);
            return;
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        let caller = &mut self.callers[call.caller as usize];
        let node = caller.node;
        let local = sim.kernel.local(node);
        let traffic = &mut caller.upstreams[usize::from(call.upstream)].traffic;
        if self.retry_states.len() <= id.slot() {
            self.retry_states.resize(id.slot() + 1, RetryState::default());
        }
        let retry_state = &mut self.retry_states[id.slot()];
        if call.retries == 0 {
            retry_state.clear();
        }
        let retries = retry_state.retries(call);
        let mut draws = attempt_key(call.key(), retries).derive(BACKOFF).draws();
        let Some(pause) = traffic.retry(local, retries, retry_state.pause, class, &mut draws) else {
            self.end_call(sim, id, class.into());
            return;
        };
        retry_state.pause = pause;
        retry_state.tried.push(call.instance);
        // The deadline may come first; then the call ends in its pause.
        let left = call.deadline().saturating_since(local);
        call.timer = if call.deadline() != Instant::MAX && left <= pause {
            sim.kernel.timer_after(node, left, None, Msg::Impatient { call: id, attempt: call.retries })
        } else {
            sim.kernel.timer_after(node, pause, None, Msg::Retry(id))
        };
        call.state = State::Pause;
    }

    /// The pause before another attempt is over.
    pub(crate) fn retry(&mut self, sim: &mut Sim, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let caller = &mut self.callers[call.caller as usize];
        let local = sim.kernel.local(caller.node);
        call.retries = call.retries.checked_add(1).unwrap_or_else(|| {
            self.retry_states[id.slot()].laps += 1;
            1
        });
        let admitted = caller.upstreams[usize::from(call.upstream)].traffic.retry_started(local);
        self.attempt_or_end(sim, id, admitted);
    }

    /// Books an attempt as over with everybody who counts attempts.
    #[inline]
    fn close_attempt(&mut self, sim: &mut Sim, id: CallId, class: Class, answered: Answered) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if !call.is_under_way() {
            return;
        }
        let call_then = *call;
        call.state = State::New;
        self.book_attempt(sim, id, &call_then, class, answered);
    }

    #[inline]
    fn book_attempt(&mut self, sim: &mut Sim, id: CallId, call: &Call, class: Class, answered: Answered) {
        let now = sim.kernel.now();
        if call.timer != TimerId::NONE {
            sim.kernel.cancel(call.timer);
        }
        let choice = Choice { group: call.group, host: call.host, instance: call.instance };
        let version = VersionId(u32::from(call.version));
        let began = if call.state == State::LateAttempt { self.retry_states[id.slot()].began } else { call.started() };
        let caller = &mut self.callers[call.caller as usize];
        let local = sim.kernel.local(caller.node);
        let upstream = &mut caller.upstreams[usize::from(call.upstream)];
        let report = match answered {
            Answered::Yes => self.reports.of(id, call.retries),
            Answered::No => None,
        };
        let (rtt, stepped_ns) = (now - began, caller.steps.after(began));
        upstream.finished(local, choice, &Response { rtt, stepped_ns, class: end_of(class), report });
        let waits = !upstream.pending.are_empty();
        let opened = upstream.traffic.breaker_opened();
        upstream.traffic.attempt_done(local, u32::from(call.retries), class, now - began);
        if upstream.traffic.breaker_opened() != opened {
            sim.checks.reached(Probe::BreakerOpened);
        }
        let measured = call.started() >= self.metrics.measured_from;
        if let Some(metrics) = self.metrics_of.get_mut(upstream.service.index()) {
            metrics.attempt_ended(now, version, class.is_success(), now - began, measured);
        }
        if waits {
            self.serve_group(sim, call.caller, usize::from(call.upstream), usize::from(call.group), 1);
        }
    }

    /// A call ends, once.
    #[inline]
    pub(crate) fn end_call(&mut self, sim: &mut Sim, id: CallId, end: End) {
        let Some(call) = self.calls.remove(id) else { return };
        if matches!(call.state, State::Pause | State::Pending) {
            sim.kernel.cancel(call.timer);
        }
        self.book_end(sim, id, &call, end);
    }

    #[inline]
    fn book_end(&mut self, sim: &mut Sim, id: CallId, call: &Call, end: End) {
        let now = sim.kernel.now();
        let retries = retries_of(&self.retry_states, id, call);
        if call.started() >= self.metrics.measured_from {
            let service = self.callers[call.caller as usize].upstreams[usize::from(call.upstream)].service;
            let metrics = &mut self.metrics_of[service.index()];
            metrics.call_ended(end, now - call.started(), retries);
        }
        match call.parent() {
            Parent::Source(load) => self.request_ends(sim, load, call, end, retries),
            Parent::Job(job) => {
                self.retries_inside += u64::from(retries);
                self.child_ended(sim, job, end, call.demand.is_optional());
            }
        }
    }

    #[inline]
    fn request_ends(&mut self, sim: &mut Sim, load: u32, call: &Call, end: End, retries: u32) {
        let now = sim.kernel.now();
        let times = match sim.sabotage {
            Some(Sabotage::EndTwice) if self.metrics.ended == 100 => 2,
            Some(Sabotage::NeverEnd) if self.metrics.ended == 100 => 0,
            _ => 1,
        };
        let once = || format!("a request ended {times} times");
        sim.checks.test(Invariant::EveryRequestEndsOnce, &sim.kernel, times == 1, once);
        let late = Duration::us(if sim.sabotage == Some(Sabotage::LateArrivals) { 1 } else { 0 });
        if times > 0 {
            self.metrics.end(now, now.min(call.started() + late), end, retries);
        }
        let node = self.callers[call.caller as usize].node;
        sim.kernel
            .trace_mut()
            .span(call.started(), now, Some(node), "request", || format!("{} {}", name_of(call.key()), end.name()));
        self.user_answered(sim, load, call.caller);
    }

    /// A caller's node went down: whatever it waited for, it waits no longer.
    pub(crate) fn abandon_calls(&mut self, sim: &mut Sim, node: NodeId) {
        let waiting: Vec<CallId> = self
            .calls
            .iter()
            .filter(|(_, call)| self.callers[call.caller as usize].node == node)
            .map(|(id, _)| id)
            .collect();
        for id in waiting {
            self.end_call(sim, id, End::Abandoned);
        }
    }
}

/// All attempts before the present one.
#[inline]
pub(crate) fn retries_of(again: &[RetryState], id: CallId, call: &Call) -> u32 {
    if call.retries == 0 { 0 } else { again[id.slot()].retries(call) }
}

/// The key of an attempt: the first is the call itself, so that a call without retries costs nothing extra.
#[inline]
fn attempt_key(key: Key, retries: u32) -> Key {
    if retries == 0 { key } else { key.derive(ATTEMPT + u64::from(retries)) }
}

/// How an attempt ended, in the balancer's words.
fn end_of(class: Class) -> balancer::Class {
    match class {
        Class::Success => balancer::Class::Success,
        Class::ServerError => balancer::Class::Failure,
        Class::Refused => balancer::Class::Overload { retry_after: None },
        Class::ConnectFailure | Class::Reset | Class::Timeout => balancer::Class::NoAnswer,
    }
}

/// A call's name in stories.
pub(crate) fn name_of(key: Key) -> String {
    format!("req-{:08x}", key.0 >> 32)
}

fn rejected(rejection: Rejection) -> End {
    match rejection {
        Rejection::BreakerOpen => End::BreakerOpen,
        Rejection::Overflow => End::Overflow,
    }
}

/// With its slot's bookkeeping, a call fills one cache line.
const _: () = assert!(crate::slab::entry_bytes::<Call>() == 64);
