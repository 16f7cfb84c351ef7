//! A run: from its first moment to its last, one event after the other, each handed to whom it concerns.
//!
//! [`run`] is the way in. Everything a run depends on is the [`Spec`] and the [`Seed`]; [`Options`] say what to record
//! of it, and change nothing that happens.

use crate::build::build;
use crate::catalogue::After;
use crate::data::Occupant;
use crate::finish::finish;
use crate::invariant::{self, State};
use crate::options::{Options, Run};
use crate::process::{Cx, Process};
use crate::spec::Spec;
use crate::standstill::{self, Standstill, Watch};
use crate::wire::{Envelope, Msg, ProcessId};
use crate::world::World;
use base::{Duration, InstanceId, Instant, NodeId, Seed};
use kernel::select::Named;
use kernel::{Event, Kind};

/// What is still under way when calm ends must end within this; a request that has not is said to hang.
const DRAIN_MAX: Duration = Duration::secs(60);

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
    let mut world = build(spec, seed, options);
    let until = options.until.unwrap_or(Instant::MAX);
    let mut watch = Watch::new(spec, &world.sim.kernel);
    let mut over = false;
    'events: loop {
        // The loop of everything, and the only place that handles events: with a second one the compiler would make
        // calls of what it makes one piece. What is to be looked at now and then is looked at outside.
        for _ in 0..standstill::LOOK_EVERY {
            let Some(kind) = world.sim.kernel.advance() else { break 'events };
            if world.sim.kernel.now() > until {
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
        let now = world.sim.kernel.now();
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
    Ok(finish(world))
}

impl World {
    /// Hands an event to whom it concerns; true when the run is over.
    #[inline]
    fn handle(&mut self, kind: Kind) -> bool {
        let World { sim, data, .. } = self;
        let mut over = false;
        match (kind, sim.kernel.msg()) {
            (Kind::World, Some(&Msg::Arrive(load))) => data.arrive(sim, load),
            (Kind::World, Some(&Msg::Return { load, source })) => data.user_returns(sim, load, source),
            (Kind::Message { node, from }, Some(&Msg::Request { call, key, attempt })) => {
                if let Occupant::Instance(id) = data.occupants[node.index()] {
                    data.request_arrives(sim, id, from, call, key, attempt);
                }
            }
            (Kind::Timer { .. }, Some(&Msg::Served(job))) => data.served(sim, job),
            (Kind::Timer { .. }, Some(&Msg::Processed(instance))) => data.processed(sim, instance),
            (Kind::Message { .. }, Some(&Msg::Response { call, attempt, class })) => {
                data.response_arrives(sim, call, attempt, class);
            }
            (Kind::Timer { .. }, Some(&Msg::Impatient { call, attempt })) => data.impatient(sim, call, attempt),
            _ => {
                let event = sim.kernel.take();
                over = self.handle_rare(event);
            }
        }
        if !self.data.idle.is_empty() {
            self.site().idle_leave();
        }
        over
    }

    fn handle_rare(&mut self, event: Event<Msg>) -> bool {
        match event {
            Event::Message { node, from, msg } => self.message(node, from, msg),
            Event::Timer { msg, .. } => self.timer(msg),
            Event::Bounced { node, to, why, msg } => match msg {
                Msg::Request { call, attempt, .. } => self.data.request_bounced(&mut self.sim, call, attempt, why),
                Msg::Letter(_) => {
                    let World { sim, data, fleet, processes } = self;
                    processes.bounced(sim, data, fleet, node, (to, why));
                }
                // A response whose caller is gone, an answer nobody waits for: nothing is left to do.
                _ => {}
            },
            Event::Down(node, crash) => self.site().node_down(node, crash),
            Event::Up(node) => self.site().node_up(node),
            Event::FaultBegan(index) => self.fault(index, true),
            Event::FaultEnded(index) => self.fault(index, false),
            Event::World(msg) => return self.world_event(&msg),
        }
        false
    }

    /// A fault begins or ends.
    fn fault(&mut self, index: usize, began: bool) {
        let sim = &mut self.sim;
        let now = sim.kernel.now();
        let fault = sim.kernel.plan()[index].clone();
        let hit = sim.hit(index).filter(|_| began);
        let zones = sim.spec.clone();
        sim.kernel.trace_mut().note(now, None, "fault", || {
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
        if fault.kind.info().sets_clocks {
            self.data.clocks_are_set(sim);
        }
    }

    /// Lets a process work.
    fn process(&mut self, me: ProcessId, work: impl FnOnce(&mut dyn Process, &mut Cx<'_>)) {
        let World { sim, data, fleet, processes } = self;
        processes.with(sim, data, fleet, me, work);
    }

    fn message(&mut self, node: NodeId, from: NodeId, msg: Msg) {
        let World { sim, data, .. } = self;
        match msg {
            Msg::Letter(envelope) => {
                let Envelope { from, to, letter } = *envelope;
                self.process(to, |process, cx| process.letter(cx, from, letter));
            }
            Msg::Split(order) => data.split_heard(sim, node, &order),
            Msg::Probe { caller, upstream, group } => {
                if let Occupant::Instance(id) = data.occupants[node.index()] {
                    data.probe_arrives(sim, id, from, caller, upstream, group);
                }
            }
            Msg::Probed(answer) => data.probe_answered(sim, &answer),
            other => unreachable!("{other:?} does not travel"),
        }
    }

    fn timer(&mut self, msg: Msg) {
        let World { sim, data, .. } = self;
        match msg {
            Msg::Retry(call) => data.retry(sim, call),
            Msg::ServePending(caller) => data.serve_pending(sim, caller),
            Msg::Begin(call) => data.begin_held(sim, call),
            Msg::Started(id) => self.site().started(id),
            Msg::Stop(id) => self.site().hear_stop(id),
            Msg::GraceOver(id) => self.site().grace_over(id),
            Msg::Wake { process, timer } => self.process(process, |process, cx| process.wake(cx, timer)),
            Msg::Alarm { process, value } => self.process(process, |process, cx| process.handed(cx, value)),
            Msg::Synced(process) => self.process(process, |process, cx| process.synced(cx)),
            other => unreachable!("{other:?} is no timer"),
        }
    }

    /// Something happens outside all nodes; true when the run is over.
    fn world_event(&mut self, msg: &Msg) -> bool {
        let World { sim, data, processes, .. } = self;
        match *msg {
            Msg::Alarm { process, value } => self.process(process, |process, cx| process.alarm(cx, value)),
            Msg::KeepAlive { process, node } => processes.reset(sim, process, node),
            Msg::Step => self.close_step(),
            Msg::WarmedUp => data.measure_from(sim, sim.kernel.now()),
            Msg::LoadEnds => {
                data.end_load();
                (0..data.instances.len() as u32).for_each(|id| data.end_averages(sim, InstanceId(id)));
                // What must hold when calm ends is judged now, while nothing is yet taken apart.
                self.judge(After::Calm);
                return self.drained();
            }
            Msg::Drained => return self.drained(),
            _ => unreachable!("{msg:?} happens on a node"),
        }
        false
    }

    /// With the load gone, the run is over as soon as nothing is under way.
    fn drained(&mut self) -> bool {
        let now = self.sim.kernel.now();
        let patience_ends = Instant::ZERO + self.sim.spec.phases.total() + DRAIN_MAX;
        if self.data.metrics.in_flight() == 0 || now >= patience_ends {
            return true;
        }
        self.sim.kernel.world_at(now + Duration::ms(100), Msg::Drained);
        false
    }

    /// A step of the timeline is over; with the last step of warm-up, measuring begins.
    fn close_step(&mut self) {
        let now = self.sim.kernel.now();
        self.data.close_step(&self.sim);
        self.judge(After::Step);
        let timeline = &self.data.metrics.timeline;
        if self.data.timeline_steps_closed() < timeline.steps {
            self.sim.kernel.world_at(now + timeline.step, Msg::Step);
        }
    }

    /// Everything has had its time: what must hold at the end is checked.
    fn settle(&mut self) {
        self.data.open = Some(self.data.scan_open_calls(&self.sim));
        self.judge(After::Run);
    }

    fn judge(&mut self, after: After) {
        let World { sim, data, fleet, processes } = self;
        invariant::judge(&mut State { sim, data, fleet, processes }, after);
    }
}
