//! A service instance: takes requests in, works on some, lets others wait, and answers. Hot.
//!
//! An instance is a queue with servers: up to `concurrency` requests are worked on at once, up to `queue_limit` wait,
//! in order of arrival, and more are refused. A request that needs downstream calls keeps its place at work until they
//! have answered, as a thread per request does. How long the own work takes, and whether a buggy version fails it,
//! follows from the request's key.

use super::Data;
use crate::catalogue::Probe;
use crate::data::call::Parent;
use crate::data::demand::{CallOptions, Demand};
use crate::data::metrics::End;
use crate::sabotage::Sabotage;
use crate::sim::Sim;
use crate::wire::{CallId, JobId, Msg};
use base::{Duration, InstanceId, Instant, Key, NodeId, ServiceId, VersionId};
use kernel::Transport;
use traffic::Class;

/// Where an instance is in its life, as its own process knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Created, or restarted; not serving yet.
    Starting,
    /// Serves.
    Serving,
    /// Told to stop: still serves, for those who have not heard.
    Draining,
    /// Takes nothing new in; leaves when what it works on is done.
    Closing,
    /// Left for good.
    Gone,
}

/// One running copy of a service: what every request touches, in one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Instance {
    working: u32,
    concurrency: u32,
    waiting: u32,
    queue_limit: u32,
    /// Slots of the first and the last job that wait.
    first: u32,
    last: u32,
    pub(crate) node: NodeId,
    pub(crate) in_system_max: u32,
    service: u16,
    version: u16,
    pub(crate) life: Life,
    area_at: Instant,
    /// ∫ requests in the system dt, in request-nanoseconds, since it last went to [`Record::areas`].
    in_system_area: u64,
    /// ∫ requests at work dt, likewise.
    working_area: u64,
}

const _: () = assert!(size_of::<Instance>() == 64);

/// Where an instance is and what it runs, which never changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    pub(crate) version: u16,
}

/// What the rest of the world wants to know of an instance.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// What callers that go by weight are told.
    pub(crate) weight: u32,
    /// Its index among the callers, when it makes calls of its own.
    pub(crate) caller: Option<u32>,
    /// When it began to serve in this life.
    pub(crate) serving_since: Instant,
    /// When its node last came up.
    pub(crate) up_since: Instant,
    /// Requests that were lost in a crash.
    pub(crate) lost: u64,
    /// Requests whose deadline had passed when their turn came.
    pub(crate) expired: u64,
    /// The exposure that belongs to its last death, while it is dead.
    pub(crate) died: Option<usize>,
    /// Steps of the timeline before it existed.
    pub(crate) steps_before: usize,
    /// Requests taken in, by step, without the zeros at the end.
    pub(crate) per_step: Vec<u32>,
    /// Requests waiting or at work at the end of each step, likewise.
    pub(crate) in_system_per_step: Vec<u32>,
    /// Requests taken in before the present step.
    pub(crate) taken_before_step: u64,
    /// What it had done when measuring of it began, and when that was.
    pub(crate) baseline: Baseline,
    /// What it did on average while it was measured, once that is over: with calm, or when it left for good.
    pub(crate) averages: Option<Averages>,
    /// ∫ requests in the system dt and ∫ requests at work dt, in request-nanoseconds, as far as 64 bits could not hold
    /// them.
    pub(crate) areas: (u128, u128),
}

/// What an instance had done at some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Baseline {
    pub(crate) at: Instant,
    pub(crate) taken: u64,
    pub(crate) in_system_area: u128,
    pub(crate) work_area: u128,
    /// Most requests at once until then; the instance counts anew from there.
    pub(crate) in_system_max: u32,
}

/// Averages over the time in which an instance was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Averages {
    /// Share of its capacity that was busy.
    pub(crate) utilisation: f64,
    /// Requests waiting or at work.
    pub(crate) in_system: f64,
}

/// A request at an instance.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) call: CallId,
    pub(crate) key: Key,
    pub(crate) attempt: u16,
    pub(crate) instance: InstanceId,
    pub(crate) from: NodeId,
    /// When the work on it began, or until then when it arrived.
    began: Instant,
    at_work: bool,
    /// The slot of the one behind it in the queue.
    next: u32,
    /// The stage of downstream calls it is in, and how many of those have not ended.
    stage: u16,
    pub(crate) pending: u16,
    failed: Option<End>,
}

const _: () = assert!(crate::slab::entry_bytes::<Job>() == 64);

/// No slot.
const NOBODY: u32 = u32::MAX;

/// Labels of the draws that belong to an attempt.
const DEMAND: u64 = 1;
const ERROR: u64 = 2;
const RESPONSE: u64 = 3;
const FAILING: u64 = 7;
const CHILD: u64 = 1 << 16;

/// Bytes of a request or a response on the wire, headers included.
pub(crate) const REQUEST_BYTES: u32 = 1_000;
const RESPONSE_BYTES: u32 = 4_000;

impl Instance {
    pub(crate) fn new(
        service: ServiceId,
        version: VersionId,
        node: NodeId,
        concurrency: u32,
        queue_limit: u32,
    ) -> Self {
        Instance {
            working: 0,
            concurrency,
            waiting: 0,
            queue_limit,
            first: NOBODY,
            last: NOBODY,
            node,
            in_system_max: 0,
            service: u16::try_from(service.0).expect("fewer than 65,536 services"),
            version: u16::try_from(version.0).expect("fewer than 65,536 versions of a service"),
            life: Life::Starting,
            area_at: Instant::ZERO,
            in_system_area: 0,
            working_area: 0,
        }
    }

    /// What it is an instance of.
    #[inline]
    pub(crate) fn service(&self) -> ServiceId {
        ServiceId(u32::from(self.service))
    }

    /// What it runs.
    #[inline]
    pub(crate) fn version(&self) -> VersionId {
        VersionId(u32::from(self.version))
    }

    /// Whether it answers at all.
    pub(crate) fn answers(&self) -> bool {
        matches!(self.life, Life::Serving | Life::Draining)
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Requests at work and waiting.
    pub(crate) fn in_system(&self) -> u32 {
        self.working + self.waiting
    }

    /// Brings the areas up to `now`. `records` are those of all instances, `id` is this one's.
    #[inline]
    pub(crate) fn sum_areas(&mut self, now: Instant, records: &mut [Record], id: InstanceId) {
        let span = (now - self.area_at).as_nanos();
        self.area_at = now;
        // No more can be at work than are here, and no more can be here than 31 bits count: below 2³² ns (four seconds)
        // the product fits 63 bits, and so does the area before it.
        if (span >> 32) | (self.in_system_area >> 63) != 0 {
            return self.sum_wide_areas(span, &mut records[id.index()]);
        }
        self.in_system_area += span * u64::from(self.in_system());
        self.working_area += span * u64::from(self.working);
    }

    /// A product or a sum that 64 bits might not hold: ten thousand requests for three weeks.
    #[cold]
    fn sum_wide_areas(&mut self, span: u64, record: &mut Record) {
        let sum = |area: u64, requests: u32| u128::from(area) + u128::from(span) * u128::from(requests);
        record.areas.0 += sum(self.in_system_area, self.in_system());
        record.areas.1 += sum(self.working_area, self.working);
        (self.in_system_area, self.working_area) = (0, 0);
    }

    /// ∫ requests in the system dt and ∫ requests at work dt, in request-nanoseconds, up to the last sum.
    pub(crate) fn areas(&self, record: &Record) -> (u128, u128) {
        (record.areas.0 + u128::from(self.in_system_area), record.areas.1 + u128::from(self.working_area))
    }

    /// Forgets everything under way, as a crash does; answers how much that was.
    fn forget(&mut self, now: Instant, records: &mut [Record], id: InstanceId) -> u32 {
        self.sum_areas(now, records, id);
        let lost = self.in_system();
        (self.working, self.waiting) = (0, 0);
        (self.first, self.last) = (NOBODY, NOBODY);
        lost
    }
}

impl Data {
    /// A request arrives at an instance.
    #[inline]
    pub(crate) fn request_arrives(
        &mut self,
        sim: &mut Sim,
        id: InstanceId,
        from: NodeId,
        call: CallId,
        key: Key,
        attempt: u16,
    ) {
        let now = sim.kernel.now();
        let instance = &mut self.instances[id.index()];
        if !matches!(instance.life, Life::Serving | Life::Draining) {
            let node = instance.node;
            // Nobody listens yet, or no longer.
            sim.kernel.reset(node, from, Msg::Request { call, key, attempt });
            return;
        }
        if instance.working == instance.concurrency && instance.waiting >= instance.queue_limit {
            let node = instance.node;
            sim.checks.reached(Probe::RequestRefused);
            respond(sim, node, from, call, key, attempt, Class::Refused);
            return;
        }
        instance.sum_areas(now, &mut self.records, id);
        self.taken[id.index()] += 1;
        let at_work = instance.working < instance.concurrency;
        let job = Job {
            call,
            key,
            attempt,
            instance: id,
            from,
            began: now,
            at_work,
            next: NOBODY,
            stage: 0,
            pending: 0,
            failed: None,
        };
        let job = self.jobs.insert(job);
        let in_flight = instance.in_system();
        let is_probed = self.services[instance.service().index()].probes;
        if at_work {
            instance.working += 1;
        } else {
            instance.waiting += 1;
            let slot = job.slot() as u32;
            match self.jobs.at_mut(instance.last) {
                Some((_, last)) if instance.waiting > 1 => last.next = slot,
                _ => instance.first = slot,
            }
            instance.last = slot;
        }
        instance.in_system_max = instance.in_system_max.max(instance.in_system());
        if is_probed {
            self.probed_arrival(sim, job, in_flight);
        }
        if self.deadlines_travel {
            self.note_deadline(sim, job);
        }
        if at_work {
            self.work(sim, id, job, key);
        }
    }

    /// How long the own work on the request of this key takes an instance at present.
    #[inline]
    fn demand(&self, sim: &Sim, id: InstanceId, key: Key) -> Duration {
        let instance = &self.instances[id.index()];
        let behaviour = self.services[instance.service().index()].behaviour(instance.version());
        let demand = behaviour.service_time.sample(&mut key.derive(DEMAND).draws());
        let stretch = behaviour.slowdown * sim.kernel.nodes().slowdown(instance.node);
        if stretch == 1.0 { demand } else { demand.mul_f64(stretch) }
    }

    /// When a node gives up the work on the request of this key, if it does at present.
    #[inline]
    fn fails_after(&self, sim: &Sim, node: NodeId, key: Key) -> Option<Duration> {
        let failing = sim.kernel.nodes().failing(node)?;
        failing.share.happens(&mut key.derive(FAILING).draws()).then_some(failing.after)
    }

    /// Starts the own work on a request.
    #[inline]
    fn work(&mut self, sim: &mut Sim, id: InstanceId, job: JobId, key: Key) {
        let node = self.instances[id.index()].node;
        let gives_up = self.fails_after(sim, node, key);
        let demand = match gives_up {
            None => self.demand(sim, id, key),
            Some(after) => {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.failed = Some(End::ServerError);
                }
                after
            }
        };
        if demand.is_zero() {
            // A gateway, or a service that only calls others: no event for no work.
            self.served(sim, job);
        } else if self.processors(id).is_some() && gives_up.is_none() {
            self.share(sim, id, job, demand);
        } else {
            sim.kernel.work_after(node, demand, Msg::Served(job));
        }
    }

    /// The own work on a request is done.
    #[inline]
    pub(crate) fn served(&mut self, sim: &mut Sim, id: JobId) {
        let Some(job) = self.jobs.get(id) else { return };
        if let Some(end) = job.failed {
            return self.answer(sim, id, end.class());
        }
        let instance = &self.instances[job.instance.index()];
        let service = &self.services[instance.service().index()];
        let behaviour = service.behaviour(instance.version());
        if behaviour.error_rate != base::Ratio::ZERO && behaviour.error_rate.happens(&mut job.key.derive(ERROR).draws())
        {
            self.answer(sim, id, Class::ServerError);
        } else if service.calls.is_empty() && !service.routes {
            self.answer(sim, id, Class::Success);
        } else {
            self.next_stage(sim, id);
        }
    }

    /// Makes the next downstream calls, or answers when there are none left.
    fn next_stage(&mut self, sim: &mut Sim, id: JobId) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        let (stage, key) = (usize::from(job.stage), job.key);
        let instance = &self.instances[job.instance.index()];
        let service = &self.services[instance.service().index()];
        if service.routes {
            return if stage == 0 { self.route(sim, id) } else { self.answer(sim, id, Class::Success) };
        }
        let Some(calls) = service.calls.get(stage) else {
            self.answer(sim, id, Class::Success);
            return;
        };
        let calls = calls.clone();
        let caller = self.records[job.instance.index()].caller.expect("an instance that calls is a caller");
        job.stage += 1;
        job.pending = calls.len() as u16;
        for (i, call) in calls.iter().enumerate() {
            let child = key.derive(CHILD + ((stage as u64) << 8) + i as u64);
            let demand = if call.optional { Demand::OPTIONAL } else { Demand::ANY };
            self.begin_call(sim, Parent::Job(id), caller, call.service, child, demand.into());
        }
    }

    /// The gateway forwards a request to the service that the route names.
    fn route(&mut self, sim: &mut Sim, id: JobId) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        let (key, instance) = (job.key, job.instance);
        // The route of a load source's requests is always the same and was looked up when the world was built.
        let route = self.calls.get(job.call).and_then(|call| match call.parent() {
            Parent::Source(load) => Some(load),
            Parent::Job(_) => None,
        });
        let Some(load) = route else {
            // Whoever asked has gone; there is nobody to answer.
            self.answer(sim, id, Class::ServerError);
            return;
        };
        let Some((to, timeout)) = self.loads[load as usize].destination(key.derive(CHILD)) else {
            job.failed = Some(End::NoRoute);
            self.answer(sim, id, Class::ServerError);
            return;
        };
        job.stage = 1;
        job.pending = 1;
        let caller = self.records[instance.index()].caller.expect("a gateway is a caller");
        let demand = to.version.map_or(Demand::ANY, Demand::pinned);
        let options = CallOptions { demand, timeout };
        self.begin_call(sim, Parent::Job(id), caller, to.service, key.derive(CHILD), options);
    }

    /// A downstream call has ended.
    pub(crate) fn child_ended(&mut self, sim: &mut Sim, id: JobId, end: End, optional: bool) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.pending -= 1;
        if end != End::Success && !optional {
            job.failed = job.failed.or(Some(end));
        }
        if job.pending > 0 {
            return;
        }
        match job.failed {
            Some(end) => self.answer(sim, id, end.class()),
            None => self.next_stage(sim, id),
        }
    }

    /// Answers a request, and begins with the next one that waits.
    fn answer(&mut self, sim: &mut Sim, id: JobId, class: Class) {
        let now = sim.kernel.now();
        let Some(job) = self.jobs.remove(id) else { return };
        debug_assert!(job.at_work, "a request was answered that nobody worked on");
        let mut instance = &mut self.instances[job.instance.index()];
        instance.sum_areas(now, &mut self.records, job.instance);
        if sim.sabotage != Some(Sabotage::LoseCount) {
            self.finished[job.instance.index()] += 1;
        }
        let node = instance.node;
        if self.deadlines_travel && instance.waiting > 0 && self.services[instance.service().index()].deadlines {
            self.drop_expired(sim, job.instance);
            instance = &mut self.instances[job.instance.index()];
        }
        let mut next = None;
        if instance.waiting > 0 && sim.sabotage != Some(Sabotage::ForgetTheQueue) {
            instance.waiting -= 1;
            if let Some((name, first)) = self.jobs.at_mut(instance.first) {
                first.at_work = true;
                first.began = now;
                instance.first = first.next;
                next = Some((name, first.key));
            }
        } else {
            instance.working -= 1;
        }
        let closing = instance.life == Life::Closing && instance.in_system() == 0;
        if self.services[instance.service().index()].has_load_feedback() {
            self.speak(sim, id, (job.instance, job.call, job.attempt), class, now - job.began);
        }
        respond(sim, node, job.from, job.call, job.key, job.attempt, class);
        if let Some((first, key)) = next {
            self.work(sim, job.instance, first, key);
        }
        if closing {
            self.idle.push(job.instance);
        }
    }

    /// A request has come in with the time that its caller still waits for it.
    #[cold]
    fn note_deadline(&mut self, sim: &mut Sim, id: JobId) {
        let Some(job) = self.jobs.get(id) else { return };
        let instance = &self.instances[job.instance.index()];
        let local = sim.kernel.local(instance.node);
        let deadline = match self.services[instance.service().index()].deadlines {
            true => local.saturating_add(self.time_left(sim, job.call, job.attempt).unwrap_or(Duration::ZERO)),
            false => Instant::MAX,
        };
        if self.deadlines.len() <= id.slot() {
            self.deadlines.resize(id.slot() + 1, Instant::MAX);
        }
        self.deadlines[id.slot()] = deadline;
    }

    /// Answers those at the head of an instance's queue whose callers no longer wait, without working on them.
    #[cold]
    fn drop_expired(&mut self, sim: &mut Sim, id: InstanceId) {
        let now = sim.kernel.now();
        let node = self.instances[id.index()].node;
        let local = sim.kernel.local(node);
        while self.instances[id.index()].waiting > 0 {
            let instance = &mut self.instances[id.index()];
            let Some((name, _)) = self.jobs.at_mut(instance.first) else { return };
            if self.deadlines.get(name.slot()).is_none_or(|&deadline| deadline > local) {
                return;
            }
            let Some(job) = self.jobs.remove(name) else { return };
            instance.sum_areas(now, &mut self.records, id);
            instance.waiting -= 1;
            instance.first = job.next;
            self.finished[id.index()] += 1;
            self.records[id.index()].expired += 1;
            sim.checks.reached(Probe::ExpiredWorkDropped);
            let class = Class::Timeout;
            if self.services[self.instances[id.index()].service().index()].has_load_feedback() {
                self.speak(sim, name, (id, job.call, job.attempt), class, Duration::ZERO);
            }
            respond(sim, node, job.from, job.call, job.key, job.attempt, class);
        }
    }

    /// An instance that callers ask or listen to takes note of how this request went, and says how it is.
    #[cold]
    fn speak(&mut self, sim: &mut Sim, id: JobId, of: (InstanceId, CallId, u16), class: Class, worked: Duration) {
        let (instance, call, attempt) = of;
        let service = &self.services[self.instances[instance.index()].service().index()];
        let (is_probed, reports) = (service.probes, service.reports);
        if is_probed {
            self.probed_departure(sim, instance, id);
        }
        if reports {
            self.report(sim, instance, call, attempt, class, worked);
        }
    }

    /// Everything at an instance is lost. Where the process died and the machine lives on, the callers' connections are
    /// reset.
    pub(crate) fn lose_jobs(&mut self, sim: &mut Sim, id: InstanceId, reset: bool) {
        let now = sim.kernel.now();
        let lost: Vec<JobId> = self.jobs.iter().filter(|(_, job)| job.instance == id).map(|(name, _)| name).collect();
        for name in lost {
            let Some(job) = self.jobs.remove(name) else { continue };
            if reset {
                let node = self.instances[id.index()].node;
                let msg = Msg::Request { call: job.call, key: job.key, attempt: job.attempt };
                sim.kernel.reset(node, job.from, msg);
            }
        }
        self.stop_processors(sim, id);
        let lost = self.instances[id.index()].forget(now, &mut self.records, id);
        self.records[id.index()].lost += u64::from(lost);
    }
}

/// Sends an answer to whoever asked.
#[inline]
fn respond(sim: &mut Sim, node: NodeId, to: NodeId, call: CallId, key: Key, attempt: u16, class: Class) {
    let msg = Msg::Response { call, attempt, class };
    sim.kernel.send(node, to, RESPONSE_BYTES, Transport::Exchange, key.derive(RESPONSE), msg);
}
