//! The world of one run: nodes in their roles, requests under way, and the loop that hands each event to whom it
//! concerns.
//!
//! [`run`] is the way in. Everything a run depends on is the [`Spec`] and the [`Seed`]; [`Options`] say what to record
//! of it, and change nothing that happens.

use crate::again::Again;
use crate::call::Call;
use crate::caller::Caller;
use crate::check::Checks;
use crate::instance::{Averages, Baseline, Instance, Job, Place, Record};
use crate::invariant::{self, After};
use crate::load::Load;
use crate::metrics::{Metrics, ServiceMetrics};
use crate::outcome::{Exposure, Outcome};
use crate::probe::Probes;
use crate::report::Reports;
use crate::role::controller::Controller;
use crate::role::locks::LockStore;
use crate::role::registry::{Registration, Server};
use crate::sabotage::Sabotage;
use crate::sharing::Processors;
use crate::slab::Slab;
use crate::spec::{CallSpec, Draining, Spec, in_turn};
use crate::standstill::{self, Progress, Standstill, Watch};
use crate::unfinished::OpenCalls;
use crate::wire::{Core, Msg, Post, Synced};
use base::{Dist, Duration, FencingToken, InstanceId, Instant, Key, NodeId, Ratio, Seed, ServiceId, VersionId};
use kernel::select::Named;
use kernel::trace::{Level, Trace};
use kernel::{Event, Kernel, Kind, Lane};
use version::History;

/// What is still under way when calm ends must end within this; a request that has not is said to hang.
const DRAIN_MAX: Duration = Duration::secs(60);

/// What to record of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// How much of the trace to keep.
    pub trace: Level,
    /// Stop here instead of at the end; the outcome is that of a run cut short, and nothing is settled.
    pub until: Option<Instant>,
    /// Keep when each request arrived and its key, for tests that compare runs.
    pub record_arrivals: bool,
    /// A deliberate bug, to show that an invariant catches it.
    pub sabotage: Option<Sabotage>,
    /// Where to say how far the run has come, for whoever waits for it.
    pub progress: Option<&'a Progress>,
}

/// A run and what was recorded of it.
#[derive(Debug)]
pub struct Run {
    /// What it left behind.
    pub outcome: Outcome,
    /// The trace.
    pub trace: Trace,
    /// The names of all nodes, indexed by id.
    pub nodes: Vec<String>,
    /// When each request arrived, and the key from which its service times follow; with [`Options::record_arrivals`].
    pub arrivals: Option<Vec<(Instant, Key)>>,
}

/// What a node is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Instance(InstanceId),
    Gateway(InstanceId),
    Load,
    Server(u32),
    Locks,
    Controller,
}

/// A service as the orchestrator and its callers know it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) is_gateway: bool,
    pub(crate) concurrency: u32,
    pub(crate) processors: Option<f64>,
    pub(crate) queue_limit: u32,
    pub(crate) start_up: Duration,
    pub(crate) grace: Duration,
    pub(crate) draining: Draining,
    pub(crate) behaviours: Vec<Behaviour>,
    pub(crate) calls: Vec<std::rc::Rc<[CallSpec]>>,
    pub(crate) downstream: Vec<ServiceId>,
    pub(crate) balancer: balancer::Strategy,
    /// What its callers know together, for strategies that go by that.
    pub(crate) board: balancer::Board,
    /// Whether its callers listen to what its instances say of their load.
    pub(crate) reports: bool,
    /// Whether its callers probe its instances.
    pub(crate) probes: bool,
    /// Whether its callers say how long they wait.
    pub(crate) deadlines: bool,
    pub(crate) eligibility: Option<std::sync::Arc<balancer::around::Eligibility>>,
    /// What its instances weigh, in turn.
    pub(crate) weights: Vec<u32>,
    /// How fast its instances work, in turn.
    pub(crate) speeds: Vec<f64>,
    pub(crate) policy: traffic::Policy,
    /// For the timers that end attempts at it.
    pub(crate) lane: Option<Lane>,
    pub(crate) instances: Vec<InstanceId>,
    pub(crate) created: u32,
    /// Instances wanted, by version.
    pub(crate) desired: Vec<u32>,
    pub(crate) split: Option<[(VersionId, Ratio); 2]>,
    pub(crate) split_number: u64,
    pub(crate) newest_token: FencingToken,
    pub(crate) history: History,
    /// The version that the last rollout to settle left it at.
    pub(crate) settled: VersionId,
    /// With how many instances.
    pub(crate) wanted: u32,
    /// The rollout that began last, by its place among the controllers.
    pub(crate) last_begun: Option<u32>,
    /// Versions whose rollback has begun and that nobody has asked for since.
    pub(crate) rejected: Vec<VersionId>,
}

/// What a version of a service does with a request.
#[derive(Debug)]
pub(crate) struct Behaviour {
    pub(crate) service_time: Dist,
    pub(crate) slowdown: f64,
    pub(crate) error_rate: Ratio,
}

impl Service {
    /// What the `nth` instance weighs that is ever created, counted from nought.
    pub(crate) fn weight_in_turn(&self, nth: u32) -> u32 {
        in_turn(&self.weights, nth).unwrap_or(1)
    }

    /// How fast the `nth` instance works that is ever created, counted from nought.
    pub(crate) fn speed_in_turn(&self, nth: u32) -> f64 {
        in_turn(&self.speeds, nth).unwrap_or(1.0)
    }

    /// Whether its callers probe its instances, or listen to what they say.
    #[inline]
    pub(crate) fn speaks(&self) -> bool {
        self.probes || self.reports
    }

    #[inline]
    pub(crate) fn behaviour(&self, version: VersionId) -> &Behaviour {
        &self.behaviours[version.index()]
    }
}

/// The state of a run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) spec: std::rc::Rc<Spec>,
    pub(crate) seed: Seed,
    pub(crate) kernel: Kernel<Msg>,
    pub(crate) roles: Vec<Role>,
    // What every request touches.
    pub(crate) calls: Slab<Call>,
    pub(crate) again: Vec<Again>,
    pub(crate) reports: Reports,
    pub(crate) probes: Probes,
    pub(crate) jobs: Slab<Job>,
    /// By slot of the job, until when its caller waits, on the instance's clock. Empty unless deadlines travel.
    pub(crate) deadlines: Vec<Instant>,
    /// Whether the callers of any service say how long they wait.
    pub(crate) deadlines_travel: bool,
    pub(crate) instances: Vec<Instance>,
    /// By instance, where requests share them; as long as the last of those.
    pub(crate) processors: Vec<Option<Box<Processors>>>,
    /// Where each instance is and what it runs: all that sending a request to it asks.
    pub(crate) places: Vec<Place>,
    /// Requests each instance let in, and of those, answered.
    pub(crate) taken: Vec<u64>,
    pub(crate) finished: Vec<u64>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) loads: Vec<Load>,
    pub(crate) services: Vec<Service>,
    pub(crate) metrics: Metrics,
    pub(crate) metrics_of: Vec<ServiceMetrics>,
    pub(crate) checks: Checks,
    pub(crate) sabotage: Option<Sabotage>,
    /// Instances that are down at present.
    pub(crate) dead: u32,
    /// Whether any caller's balancer goes by what a request is routed by.
    pub(crate) routes_by_key: bool,
    pub(crate) retries_inside: u64,
    // What the rest touches.
    pub(crate) records: Vec<Record>,
    pub(crate) registrations: Vec<Vec<Registration>>,
    pub(crate) callers_at: Vec<Option<u32>>,
    pub(crate) servers: Vec<Server>,
    pub(crate) locks: Option<LockStore>,
    pub(crate) controllers: Vec<Controller>,
    pub(crate) post: Post,
    pub(crate) truth_told: u64,
    pub(crate) exposures: Vec<Exposure>,
    pub(crate) arrivals: Option<Vec<(Instant, Key)>>,
    /// What is open when everything has had its time.
    pub(crate) open: Option<OpenCalls>,
}

/// Runs a world from its beginning to its end. [`try_run`] for a world that somebody else has thought up.
///
/// Panics on a bug, since a spec that lowering accepted can be run, and on a world whose time stands still.
pub fn run(spec: &Spec, seed: Seed, options: &Options<'_>) -> Run {
    try_run(spec, seed, options).unwrap_or_else(|standstill| panic!("{standstill}"))
}

/// Runs a world from its beginning to its end, or until its time stands still: a loop of events none of which takes any
/// time would go on for ever.
///
/// Panics only on a bug: a spec that lowering accepted can be run.
pub fn try_run(spec: &Spec, seed: Seed, options: &Options<'_>) -> Result<Run, Box<Standstill>> {
    let mut world = World::build(spec, seed, options);
    let until = options.until.unwrap_or(Instant::MAX);
    let mut watch = Watch::new(spec, &world.kernel);
    let mut over = false;
    'events: loop {
        // The loop of everything, and the only place that handles events: with a second one the compiler would make
        // calls of what it makes one piece. What is to be looked at now and then is looked at outside.
        for _ in 0..standstill::LOOK_EVERY {
            let Some(kind) = world.kernel.advance() else { break 'events };
            if world.kernel.now() > until {
                break 'events;
            }
            if watch.is_counting {
                watch.count(&world, kind);
            }
            over = world.handle(kind);
            if over {
                break 'events;
            }
        }
        let now = world.kernel.now();
        if let Some(progress) = options.progress {
            progress.reached(now);
        }
        if let Some(standstill) = watch.look(&world) {
            return Err(standstill);
        }
    }
    if over {
        world.settle();
    }
    Ok(world.finish())
}

impl World {
    /// Hands an event to whom it concerns; true when the run is over.
    #[inline]
    pub(crate) fn handle(&mut self, kind: Kind) -> bool {
        match (kind, self.kernel.msg()) {
            (Kind::World, Some(&Msg::Arrive(load))) => self.arrive(load),
            (Kind::World, Some(&Msg::Return { load, source })) => self.user_returns(load, source),
            (Kind::Message { node, from }, Some(&Msg::Request { call, key, attempt })) => {
                if let Role::Instance(id) | Role::Gateway(id) = self.roles[node.index()] {
                    self.request_arrives(id, from, call, key, attempt);
                }
            }
            (Kind::Timer { .. }, Some(&Msg::Served(job))) => self.served(job),
            (Kind::Timer { .. }, Some(&Msg::Processed(instance))) => self.processed(instance),
            (Kind::Message { .. }, Some(&Msg::Response { call, attempt, class })) => {
                self.response_arrives(call, attempt, class);
            }
            (Kind::Timer { .. }, Some(&Msg::Impatient { call, attempt })) => self.impatient(call, attempt),
            _ => {
                let event = self.kernel.take();
                return self.handle_rare(event);
            }
        }
        false
    }

    fn handle_rare(&mut self, event: Event<Msg>) -> bool {
        match event {
            Event::Message { node, from, msg } => self.message(node, from, msg),
            Event::Timer { msg, .. } => self.timer(msg),
            Event::Bounced { node, to, why, msg } => match msg {
                Msg::Request { call, attempt, .. } => self.request_bounced(call, attempt, why),
                Msg::ToRegistry(_) => {
                    if let Some(caller) = self.caller_at(node) {
                        self.resolver_handles(caller, registry::resolver::Input::Disconnected(to));
                    }
                }
                // A response whose caller is gone, an answer nobody waits for: nothing is left to do.
                _ => {}
            },
            Event::Down(node, crash) => self.node_down(node, crash),
            Event::Up(node) => self.node_up(node),
            Event::FaultBegan(index) | Event::FaultEnded(index) => {
                let began = matches!(event, Event::FaultBegan(_));
                let fault = self.kernel.plan()[index].clone();
                let (now, hit) = (self.kernel.now(), self.hit(index).filter(|_| began));
                let zones = self.spec.clone();
                self.kernel.trace_mut().note(now, None, "fault", || {
                    let verb = match (began, fault.lasts) {
                        _ if fault.kind.is_momentary() => "happens".to_string(),
                        (true, Some(lasts)) => format!("begins, for {lasts}"),
                        (true, None) => "begins, for good".to_string(),
                        (false, _) => "ends".to_string(),
                    };
                    // A fault that was not given a name is called what it does.
                    let name = Some(&fault.name).filter(|name| !name.starts_with(fault.kind.name()));
                    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
                    let hit = hit.map(|hit| format!("; hits {hit}")).unwrap_or_default();
                    format!("{name}{} {} {verb}{hit}", fault.kind.name(), Named(&fault.kind, &zones.zones))
                });
                if matches!(fault.kind, kernel::FaultKind::ClockStep(..)) {
                    self.clocks_are_set();
                }
            }
            Event::World(msg) => return self.world_event(msg),
        }
        false
    }

    fn message(&mut self, node: NodeId, from: NodeId, msg: Msg) {
        match msg {
            Msg::ToRegistry(input) => {
                if let Role::Server(index) = self.roles[node.index()] {
                    self.server_handles(index, *input);
                }
            }
            Msg::FromRegistry(effect) => self.registry_answers(node, from, *effect),
            Msg::ToLocks(input) => self.locks_handle(*input),
            Msg::FromLocks(effect) => {
                if self.sabotage != Some(Sabotage::LoseGrants) {
                    self.locks_answer(*effect);
                }
            }
            Msg::Split(order) => self.split_heard(node, &order),
            Msg::Probe { caller, upstream, group } => {
                if let Role::Instance(id) = self.roles[node.index()] {
                    self.probe_arrives(id, from, caller, upstream, group);
                }
            }
            Msg::Probed(answer) => self.probe_answered(&answer),
            other => unreachable!("{other:?} does not travel"),
        }
    }

    fn timer(&mut self, msg: Msg) {
        match msg {
            Msg::Retry(call) => self.retry(call),
            Msg::Started(id) => self.started_again(id),
            Msg::RolloutAsked(index) => self.rollout_heard(index),
            Msg::Stop(id) => self.deregister(id),
            Msg::ServeLines(caller) => self.serve_lines(caller),
            Msg::Begin(call) => self.begin_held(call),
            Msg::GraceOver(id) => self.grace_over(id),
            Msg::Wake(Core::Server(index)) => self.server_wakes(index),
            Msg::Wake(Core::Registrant(id, server)) => self.registrant_wakes(id, server),
            Msg::Wake(Core::Resolver(caller)) => self.resolver_wakes(caller),
            Msg::Wake(Core::Locks) => self.locks_wake(),
            Msg::Wake(Core::Controller(index)) => self.controller_wakes(index),
            Msg::Wake(Core::Session(index)) => self.session_wakes(index),
            Msg::Synced(Synced::Server(index)) => self.server_synced(index),
            Msg::Synced(Synced::Locks) => self.locks_synced(),
            Msg::Synced(Synced::Controller) => {}
            other => unreachable!("{other:?} is no timer"),
        }
    }

    fn started_again(&mut self, id: InstanceId) {
        if self.records[id.index()].died.take().is_some() {
            self.dead -= 1;
        }
        self.started(id);
    }

    fn world_event(&mut self, msg: Msg) -> bool {
        match &msg {
            Msg::RolloutAsked(index) => self.rollout_asked(*index),
            Msg::KeepAlive(server, caller) => self.reset_watcher(*server, *caller),
            Msg::Step => self.close_step(),
            Msg::WarmedUp => self.measure_from(self.kernel.now()),
            Msg::LoadEnds => {
                self.end_load();
                (0..self.instances.len() as u32).for_each(|id| self.end_averages(InstanceId(id)));
                // What must hold when calm ends is judged now, while nothing is yet taken apart.
                invariant::judge(self, After::Calm);
            }
            Msg::Drained => {}
            other => unreachable!("{other:?} happens on a node"),
        }
        // With the load gone, the run is over as soon as nothing is under way.
        if matches!(msg, Msg::LoadEnds | Msg::Drained) {
            let now = self.kernel.now();
            let patience_ends = Instant::ZERO + self.spec.phases.total() + DRAIN_MAX;
            if self.metrics.in_flight() == 0 || now >= patience_ends {
                return true;
            }
            self.kernel.world_at(now + Duration::ms(100), Msg::Drained);
        }
        false
    }

    pub(crate) fn timeline_steps_closed(&self) -> usize {
        self.metrics.timeline.arrived.len()
    }

    /// A step of the timeline is over; with the last step of warm-up, measuring begins.
    fn close_step(&mut self) {
        let now = self.kernel.now();
        self.metrics.close_step();
        let closed = self.timeline_steps_closed();
        self.close_instances(now, closed.checked_sub(1));
        for metrics in &mut self.metrics_of {
            metrics.close_step(closed, &self.metrics.latency);
        }
        invariant::judge(self, After::Step);
        let next = now + self.metrics.timeline.step;
        if closed < self.metrics.timeline.steps {
            self.kernel.world_at(next, Msg::Step);
        }
    }

    /// Notes what each instance took in during the step that ends, if one does, and what it holds at its end.
    pub(crate) fn close_instances(&mut self, now: Instant, step: Option<usize>) {
        for (index, (instance, &taken)) in self.instances.iter_mut().zip(&self.taken).enumerate() {
            instance.sum_areas(now, &mut self.records, InstanceId(index as u32));
            let record = &mut self.records[index];
            if let Some(at) = step.and_then(|step| step.checked_sub(record.steps_before)) {
                put(&mut record.per_step, at, (taken - record.taken_before_step) as u32);
                put(&mut record.in_system_per_step, at, instance.in_system());
                record.taken_before_step = taken;
            }
        }
    }

    /// What instances did until now is not measured.
    fn measure_from(&mut self, now: Instant) {
        for id in (0..self.instances.len() as u32).map(InstanceId) {
            self.instances[id.index()].sum_areas(now, &mut self.records, id);
            let work_area = self.work_area(id);
            let instance = &mut self.instances[id.index()];
            let (in_system_area, _) = instance.areas(&self.records[id.index()]);
            let in_system_max = instance.in_system_max;
            instance.in_system_max = instance.in_system();
            let taken = self.taken[id.index()];
            let record = &mut self.records[id.index()];
            record.baseline = Baseline { at: now, taken, in_system_area, work_area, in_system_max };
            record.averages = record.averages.map(|_| Averages::default());
        }
    }

    /// Measuring of an instance is over, if it was not already.
    pub(crate) fn end_averages(&mut self, id: InstanceId) {
        self.instances[id.index()].sum_areas(self.kernel.now(), &mut self.records, id);
        self.records[id.index()].averages = Some(self.averages(id));
    }

    /// What an instance did on average while it was measured, until now if that goes on. Its areas must be summed up.
    pub(crate) fn averages(&self, id: InstanceId) -> Averages {
        let (record, now) = (&self.records[id.index()], self.kernel.now());
        if let Some(averages) = record.averages {
            return averages;
        }
        let baseline = record.baseline;
        let span = (now - baseline.at.max(self.metrics.measured_from.min(now))).as_nanos().max(1) as f64;
        let in_system_area = self.instances[id.index()].areas(record).0 - baseline.in_system_area;
        Averages {
            utilisation: (self.work_area(id) - baseline.work_area) as f64 / span / self.room(id),
            in_system: in_system_area as f64 / span,
        }
    }

    /// Everything has had its time: what must hold at the end is checked.
    fn settle(&mut self) {
        self.open = Some(self.scan_open_calls());
        invariant::judge(self, After::Run);
    }
}

/// Puts a number at its place in a series that leaves out the zeros at its end, so that who idles needs no room.
fn put(series: &mut Vec<u32>, at: usize, n: u32) {
    if n > 0 {
        series.resize(at, 0);
        series.push(n);
    }
}
