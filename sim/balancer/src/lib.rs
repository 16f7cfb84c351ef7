//! Core: which instance gets this request.
//!
//! A [`Balancer`] belongs to one client: a gateway, a sidecar, a service that calls another. It knows the hosts its
//! client believes in, and how many of its client's own requests each of them has outstanding; it knows nothing of what
//! other clients do, which is what makes balancing hard and worth simulating.
//!
//! - [`strategy`]: how to choose, one file a strategy, and the catalogue behind `windtunnel list strategies`.
//! - [`eligibility`]: who may be picked at all, and with which share: priorities, localities, subsets, slow start,
//!   apertures, sessions, ejection.
//! - [`hashing`]: which host a key belongs to, one file an algorithm; lookup structures by themselves.
//! - [`Request`], [`Response`], [`ProbeReply`]: what a balancer is told.
//! - [`BulletinBoard`]: what the clients of a service would know if they knew what the others do.
//! - `hosts`: the arrays everything is chosen from.
//!
//! What always holds:
//!
//! - A pick is an index into [`Balancer::hosts`]. It allocates nothing, calls nothing through a pointer, and takes time
//!   that does not depend on the number of hosts; where the rule itself does not allow that, its explanation says so.
//! - The outstanding count of a host is the number of [`Balancer::started`] calls for it without their
//!   [`Balancer::finished`], also across a departure and a return of that host.
//! - Chance comes from the stream given at construction and is drawn only by [`Balancer::new`] and the picks: equal
//!   streams and equal calls give equal picks.
//!
//! A [`Balancer`] picks any of its hosts; who they are is for [`eligibility::Cluster`] to say. Whether to send at all,
//! and whether to try again, is the traffic core's matter.
//!
//! ```
//! use balancer::{Balancer, Host, Request, Strategy};
//! use base::{InstanceId, Instant, Seed};
//!
//! let mut balancer = Balancer::new(Strategy::P2C, Seed(42).stream("gateway/balancer"));
//! let now = Instant::ZERO;
//! balancer.update(now, &[Host::new(InstanceId(3)), Host::new(InstanceId(7))]);
//!
//! let first = balancer.pick(now, Request::default()).expect("there are hosts");
//! balancer.started(first);
//! let second = balancer.pick(now, Request::default()).expect("there are hosts");
//! assert_ne!(first, second, "of two, a distinct pair always finds the idle one");
//! ```

mod bulletin_board;
pub mod eligibility;
pub mod hashing;
mod hosts;
mod request;
pub mod strategy;

use base::{Duration, InstanceId, Instant, Rng};

pub use bulletin_board::{BulletinBoard, Dispatcher};
pub use hosts::Host;
pub use request::{Class, ProbeReply, Report, Request, Response};
pub use strategy::{Strategy, StrategyInfo};

use eligibility::SlowStart;
use hosts::Hosts;
use strategy::{Choose, Pick, State};

/// What a balancer has built over its hosts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilds {
    /// How often a table, ring or the like was built or changed.
    pub times: u64,
    /// How many entries were written in doing so.
    pub entries: u64,
}

/// Chooses hosts for one client of one service.
#[derive(Debug)]
pub struct Balancer {
    strategy: Strategy,
    hosts: Hosts,
    state: State,
    /// Whether the state does anything when a request starts or ends.
    follows: bool,
    rng: Rng,
}

impl Balancer {
    /// A balancer without hosts, whose chance is `rng`.
    pub fn new(strategy: Strategy, mut rng: Rng) -> Self {
        let state = (strategy.info().make)(strategy.values(), &mut rng);
        Balancer { strategy, hosts: Hosts::default(), follows: state.follows(), state, rng }
    }

    /// Begins the schedule of a strategy that starts at random at `start` in its place: the counter of a round robin,
    /// the picks already made of an earliest-deadline-first schedule, the sequence number of a static stride. To be
    /// called before the first update; whether the strategy has such a start.
    pub fn start_at(&mut self, start: u64) -> bool {
        self.state.start_at(start)
    }

    /// Takes a place at the board of a service, for strategies that go by what all clients know; to be called before
    /// anything is started. Without, such a strategy has a board to itself. Whether the strategy goes by the board.
    pub fn join(&mut self, dispatcher: &Dispatcher) -> bool {
        self.state.join(dispatcher, true)
    }

    /// The same for a part of a cluster, which counts for all its parts. Whether the strategy goes by the board.
    pub(crate) fn join_as_part(&mut self, dispatcher: &Dispatcher) -> bool {
        self.state.join(dispatcher, false)
    }

    /// Says that the client was started `age` before `now`: what the strategy does periodically counts from there, so
    /// that the periods of many clients do not begin together. Without, it counts from the first [`Balancer::update`],
    /// which this is to be called before.
    pub fn running_for(&mut self, now: Instant, age: Duration) {
        self.state.running_for(now, age);
    }

    /// Says that the date on the client's wall clock was set ahead by `by_ns` nanoseconds, or back when negative. The
    /// `now` of all calls is that of a clock which never steps, so this is for strategies that follow a rule which
    /// reads dates.
    pub fn stepped(&mut self, by_ns: i64) {
        self.state.stepped(by_ns);
    }

    /// Replaces the hosts to choose from, in any order; they are kept in the order of their instances. Panics when one
    /// instance is named twice.
    ///
    /// The outstanding counts of hosts that stay, leave or return go on; indexes from before are void. O(n), and no
    /// allocation unless there are more hosts than ever before.
    pub fn update(&mut self, now: Instant, hosts: &[Host]) {
        self.hosts.update(hosts);
        self.state.refresh(now, &self.hosts);
    }

    /// A balancer that is part of a cluster, which may have hosts warm up.
    pub(crate) fn warming_up(strategy: Strategy, rng: Rng, rule: Option<SlowStart>) -> Self {
        let mut balancer = Balancer::new(strategy, rng);
        if let Some(rule) = rule {
            balancer.hosts.warm_up(rule);
        }
        balancer
    }

    /// Like [`Balancer::update`] for a part of a cluster, whose counts are the cluster's; hosts in the order of
    /// instances.
    pub(crate) fn update_as_part(
        &mut self,
        now: Instant,
        hosts: &[Host],
        outstanding: &[u32],
        since: impl Iterator<Item = Option<Instant>>,
    ) {
        self.hosts.adopt(hosts, outstanding, since);
        self.state.refresh(now, &self.hosts);
    }

    /// The index of the host that gets `request`, or `None` when there is no host, or none that may have more.
    ///
    /// The caller says what it does with the choice by [`Balancer::started`]; a pick by itself counts nothing.
    #[inline]
    pub fn pick(&mut self, now: Instant, request: Request) -> Option<usize> {
        if self.hosts.len() == 0 {
            return None;
        }
        self.pick_again(now, request, 0, &[])
    }

    /// The pick of one attempt of several, that is to go to none of `tried`; there are hosts.
    #[inline]
    pub(crate) fn pick_again(
        &mut self,
        now: Instant,
        request: Request,
        attempt: u32,
        tried: &[InstanceId],
    ) -> Option<usize> {
        let index = self.state.pick(Pick { now, request, hosts: &self.hosts, attempt, tried, rng: &mut self.rng })?;
        debug_assert!(index < self.hosts.len(), "picked {index} of {} hosts", self.hosts.len());
        Some(index)
    }

    /// Like [`Balancer::pick`] for a retry: picks again, up to `reselections` times, while the choice is among `tried`,
    /// and then takes what it got.
    ///
    /// This is Envoy's `previous_hosts` retry predicate (`source/extensions/load_balancing_policies/common/
    /// load_balancer_impl.cc`, `chooseHost`), with `host_selection_retry_max_attempts`
    /// for `reselections`: every attempt is a full pick, so a round
    /// robin moves on with each. The strategies of HAProxy and nginx
    /// pass over `tried` at the first pick, as they do there.
    pub fn pick_except(
        &mut self,
        now: Instant,
        request: Request,
        tried: &[InstanceId],
        reselections: u32,
    ) -> Option<usize> {
        if self.hosts.len() == 0 {
            return None;
        }
        pick_untried(tried, reselections, |attempt| {
            let index = self.pick_again(now, request, attempt, tried)?;
            Some((index, self.hosts.instance(index)))
        })
    }

    /// Counts one more request outstanding at the host at `index`. O(1). Panics when there is no such host.
    #[inline]
    pub fn started(&mut self, index: usize) {
        let before = self.hosts.start(index);
        if self.follows {
            self.state.started(index, before);
        }
    }

    /// Counts one request of `instance` as over, and says how it went; `hint` is the index it was picked by.
    ///
    /// O(1) while the hint still points at the instance, O(log n) after an update moved it. The finish of a request
    /// to a host that has left changes no present host. Panics when `instance` has nothing outstanding.
    #[inline]
    pub fn finished(&mut self, now: Instant, hint: usize, instance: InstanceId, response: &Response) {
        if let Some((index, before)) = self.hosts.finish(hint, instance) {
            if self.follows {
                self.state.finished(now, index, before, response, &self.hosts);
            }
        } else {
            self.state.finished_elsewhere(now, instance);
        }
    }

    /// The next host to send a probe to, or `None` when there is none to send; to be asked until then after every pick,
    /// by whoever drives a strategy that [needs](strategy::catalogue::Needs::probes) it.
    #[inline]
    pub fn probe(&mut self, now: Instant) -> Option<usize> {
        if self.hosts.len() == 0 {
            return None;
        }
        self.state.probe(now, &self.hosts, &mut self.rng)
    }

    /// `instance` has answered a probe. What a host that has left answers is not heard.
    pub fn probed(&mut self, now: Instant, instance: InstanceId, reply: ProbeReply) {
        if let Some(index) = self.hosts.index_of(instance) {
            self.state.probed(now, index, reply, &self.hosts, &mut self.rng);
        }
    }

    /// What following the hosts has cost so far, of strategies that build something over them.
    pub fn rebuilds(&self) -> Rebuilds {
        self.state.rebuilds()
    }

    /// The memory it takes, in bytes: of itself, of its hosts and of what its strategy remembers; what all clients know
    /// together is left out. O(1).
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.hosts.bytes() + self.state.bytes()
    }

    /// The hosts to choose from, in the order of their instances.
    pub fn hosts(&self) -> &[Host] {
        self.hosts.all()
    }

    /// How many requests this client has outstanding at the host at `index`. Panics when there is no such host.
    #[inline]
    pub fn outstanding(&self, index: usize) -> u32 {
        self.hosts.outstanding()[index]
    }

    /// How many requests this client has outstanding altogether, at present and at departed hosts. O(n).
    pub fn in_flight(&self) -> u64 {
        self.hosts.in_flight()
    }

    /// How this balancer chooses.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }
}

/// The pick of `pick`, which is told how often it was asked before: asked again, up to `reselections` times, while the
/// choice is among `tried`.
#[inline]
fn pick_untried(
    tried: &[InstanceId],
    reselections: u32,
    mut pick: impl FnMut(u32) -> Option<(usize, InstanceId)>,
) -> Option<usize> {
    let (mut index, mut instance) = pick(0)?;
    for attempt in 1..=reselections {
        if !tried.contains(&instance) {
            break;
        }
        (index, instance) = pick(attempt)?;
    }
    Some(index)
}
