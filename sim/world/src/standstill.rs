//! A run whose time stands still: what it is, how it is noticed, and what to say about it.
//!
//! Simulated time moves only because something takes time. Where a loop of events costs none, such as users who never
//! think and are answered at once, the run would handle events for ever without reaching its end. The loop therefore
//! looks up every 65,536 events, which costs it nothing that can be measured, and gives up after so many events at one
//! instant that no run with an end has them: ten million, and a thousand more for each node and each user of a closed
//! load.
//!
//! The same look tells whoever waits for the run how far it has come.

use crate::spec::{Arrivals, Spec};
use crate::wire::{CallId, Msg};
use crate::world::World;
use base::{Dist, Instant};
use kernel::{Kernel, Kind};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use traffic::Backoff;

/// Events between two looks.
pub(crate) const LOOK_EVERY: u32 = 1 << 16;
/// Events at one instant that a small world may have.
const STILL_MAX: u64 = 10_000_000;
/// What each node and each user of a closed load adds to that.
const STILL_PER_MEMBER: u64 = 1_000;

/// Why a run has no outcome: it went on handling events, and no time passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Standstill {
    /// The instant at which time stood still.
    pub at: Instant,
    /// At least so many events were handled at that instant.
    pub events: u64,
    /// What happened there: the commonest events and their shares of all, the largest first; two at most.
    pub commonest: Vec<(String, f64)>,
    /// What costs no time in this world, in the order of a scenario file.
    pub free: Vec<Free>,
}

/// Something of a world that costs no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Free {
    /// A hop between nodes.
    Network,
    /// The work of this service on a request.
    ServiceTime(String),
    /// The pause before a further attempt at this service.
    Backoff(String),
    /// The time a user of this closed load thinks.
    Think(String),
}

/// How far a run has come, for another thread to read while it lasts. A run writes it and never reads it.
#[derive(Debug, Default)]
pub struct Progress(AtomicU64);

impl Progress {
    /// The simulated time that the run had reached when it last looked up.
    pub fn simulated(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn reached(&self, now: Instant) {
        self.0.store(now.as_nanos(), Ordering::Relaxed);
    }
}

impl fmt::Display for Standstill {
    /// One line: the instant, the number of events there, and the commonest of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time stands still at {}: {} events happened there, and more keep coming", self.at, self.events)?;
        for (i, (name, share)) in self.commonest.iter().enumerate() {
            let before = if i == 0 { "; the commonest are" } else { " and" };
            write!(f, "{before} \"{name}\" ({:.0}%)", share * 100.0)?;
        }
        Ok(())
    }
}

/// Notices that time stands still.
#[derive(Debug)]
pub(crate) struct Watch {
    /// When it last looked.
    at: Instant,
    /// Events since time last moved, in whole looks.
    still: u64,
    most: u64,
    /// Whether what happens until the next look is to be counted.
    pub(crate) is_counting: bool,
    seen: BTreeMap<String, u32>,
}

impl Watch {
    pub(crate) fn new(spec: &Spec, kernel: &Kernel<Msg>) -> Self {
        let users = |load: &crate::spec::LoadSpec| match load.arrivals {
            Arrivals::Closed { users, .. } => u64::from(users),
            _ => 0,
        };
        let members = kernel.nodes().len() as u64 + spec.loads.iter().map(users).sum::<u64>();
        let most = STILL_MAX + STILL_PER_MEMBER * members;
        Watch { at: kernel.now(), still: 0, most, is_counting: false, seen: BTreeMap::new() }
    }

    /// Counts an event that is about to be handled.
    #[cold]
    pub(crate) fn count(&mut self, world: &World, kind: Kind) {
        *self.seen.entry(world.event_name(kind)).or_default() += 1;
    }

    /// Looks, after [`LOOK_EVERY`] more events. A standstill when more of them happened at this instant than in any run
    /// with an end, and the last of them were counted; that they shall be comes first.
    pub(crate) fn look(&mut self, world: &World) -> Option<Box<Standstill>> {
        let now = world.sim.kernel.now();
        if now != self.at {
            (self.at, self.still, self.is_counting) = (now, 0, false);
            return None;
        }
        self.still += u64::from(LOOK_EVERY);
        if !self.is_counting {
            self.is_counting = self.still > self.most;
            self.seen.clear();
            return None;
        }
        let mut seen: Vec<(String, u32)> = std::mem::take(&mut self.seen).into_iter().collect();
        seen.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        seen.truncate(2);
        let share = |times: u32| f64::from(times) / f64::from(LOOK_EVERY);
        let commonest = seen.into_iter().map(|(name, times)| (name, share(times))).collect();
        let (at, events) = (self.at, self.still);
        Some(Box::new(Standstill { at, events, commonest, free: free(&world.sim.spec) }))
    }
}

impl World {
    /// What an event is, in words that name the service, the load or the node it concerns.
    fn event_name(&self, kind: Kind) -> String {
        let node = match kind {
            Kind::Message { node, .. } | Kind::Timer { node } => self.sim.kernel.nodes().name(node),
            Kind::World | Kind::Rare => "",
        };
        let service = |call: CallId| match self.data.calls.get(call) {
            Some(call) => {
                let upstream = &self.data.callers[call.caller as usize].upstreams[usize::from(call.upstream)];
                self.data.services[upstream.service.index()].name.as_str()
            }
            None => "a service",
        };
        match self.sim.kernel.msg() {
            Some(Msg::Arrive(load) | Msg::Return { load, .. }) => {
                format!("{} sends a request", self.sim.spec.loads[*load as usize].name)
            }
            Some(Msg::Request { call, .. }) => format!("a request reaches {}", service(*call)),
            Some(Msg::Response { call, .. }) => format!("an answer of {} arrives", service(*call)),
            Some(Msg::Retry(call)) => format!("a call to {} is tried again", service(*call)),
            Some(Msg::Impatient { call, .. }) => format!("a call to {} times out", service(*call)),
            Some(Msg::Served(_) | Msg::Processed(_)) => format!("{node} is done with a request"),
            Some(Msg::Wake { process, .. }) => format!("the {} of {node} wakes", self.processes.name(*process)),
            Some(Msg::Letter(envelope)) => {
                format!("a message of the {} reaches {node}", self.processes.name(envelope.from))
            }
            Some(_) => format!("something else at {node}"),
            None => "a message comes back, or a fault begins or ends".to_string(),
        }
    }
}

/// Whether every pause has no length.
fn is_nothing(backoff: Backoff) -> bool {
    match backoff {
        Backoff::Constant(pause) => pause.is_zero(),
        Backoff::Envoy { base, max } => base.min(max).is_zero(),
        Backoff::Grpc { initial, max, .. } => initial.min(max).is_zero(),
        Backoff::AwsFull { base, cap } | Backoff::AwsEqual { base, cap } | Backoff::AwsDecorrelated { base, cap } => {
            base.min(cap).is_zero()
        }
    }
}

/// What costs no time in a world.
fn free(spec: &Spec) -> Vec<Free> {
    let nothing = |dist: &Dist| dist.constant().is_some_and(|span| span.is_zero());
    let mut free = Vec::new();
    if nothing(&spec.within_zone.latency) || nothing(&spec.between_zones.latency) {
        free.push(Free::Network);
    }
    for service in &spec.services {
        if nothing(&service.service_time) {
            free.push(Free::ServiceTime(service.name.clone()));
        }
        if service.policy.retry.is_some_and(|retry| retry.max_retries > 0 && is_nothing(retry.backoff)) {
            free.push(Free::Backoff(service.name.clone()));
        }
    }
    for load in &spec.loads {
        if let Arrivals::Closed { think, .. } = &load.arrivals
            && nothing(think)
        {
            free.push(Free::Think(load.name.clone()));
        }
    }
    free
}
