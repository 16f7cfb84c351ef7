//! A balancer with rules of eligibility around it; a balancer alone where there are none.

use super::priority::Share;
use super::state::EligibilityState;
use super::{Candidate, Eligibility, Peers};
use crate::hosts::Host;
use crate::request::{ProbeReply, Request, Response};
use crate::{Balancer, Dispatcher, Rebuilds, Strategy};
use base::{Duration, InstanceId, Instant, Rng};
use std::sync::Arc;

/// Chooses hosts for one client of one service, by a strategy and the rules around it.
///
/// Its calls are those of [`Balancer`], over candidates in place of hosts. Without rules it *is* that balancer, pick
/// for pick, at the cost of one branch; health then counts for nothing.
///
/// ```
/// use balancer::eligibility::{Candidate, Cluster, Eligibility, Outliers, Peers};
/// use balancer::{Class, Host, Request, Response, Strategy};
/// use base::{Duration, InstanceId, Instant, Seed};
///
/// let rules = Eligibility { outliers: Some(Outliers::default()), ..Eligibility::default() };
/// let rng = Seed(42).stream("gateway/balancer");
/// let mut cluster = Cluster::new(Strategy::ROUND_ROBIN, Some(rules.into()), Peers::alone(), rng);
/// let now = Instant::ZERO;
/// cluster.update(now, [3, 7].map(|i| Candidate::new(Host::new(InstanceId(i)))));
///
/// // The first five answers of i3 are errors.
/// let error = Response { class: Class::Failure, ..Response::success(Duration::ms(1)) };
/// for _ in 0..10 {
///     let index = cluster.pick(now, Request::default()).expect("there are hosts");
///     let instance = cluster.hosts()[index].instance;
///     cluster.started(index);
///     let answer = if instance == InstanceId(3) { error } else { Response::success(Duration::ms(1)) };
///     cluster.finished(now, index, instance, &answer);
/// }
/// assert!(cluster.is_ejected(0));
/// ```
#[derive(Debug)]
pub struct Cluster {
    inner: Inner,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the way of a request leads through the balancer, not through a pointer to it"
)]
enum Inner {
    Alone { balancer: Balancer, hosts: Vec<Host> },
    Ruled(Box<EligibilityState>),
}

impl Cluster {
    /// A cluster without hosts. Without `rules` nothing is asked for, not even health.
    pub fn new(strategy: Strategy, rules: Option<Arc<Eligibility>>, peers: Peers, rng: Rng) -> Self {
        let inner = match rules {
            None => Inner::Alone { balancer: Balancer::new(strategy, rng), hosts: Vec::new() },
            Some(rules) => Inner::Ruled(Box::new(EligibilityState::new(strategy, rules, peers, rng))),
        };
        Cluster { inner }
    }

    /// Takes a place at the board of a service; see [`Balancer::join`]. To be called before [`Cluster::update`].
    /// Whether anything may come of that: where there are rules it is not known until there are hosts.
    pub fn join(&mut self, dispatcher: &Dispatcher) -> bool {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.join(dispatcher),
            Inner::Ruled(rules) => {
                rules.join(dispatcher);
                true
            }
        }
    }

    /// Says that the client was started `age` before `now`; see [`Balancer::running_for`]. To be called before
    /// [`Cluster::update`].
    pub fn running_for(&mut self, now: Instant, age: Duration) {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.running_for(now, age),
            Inner::Ruled(rules) => rules.running_for(now, age),
        }
    }

    /// Says that the date on the client's wall clock was set ahead; see [`Balancer::stepped`].
    pub fn stepped(&mut self, by_ns: i64) {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.stepped(by_ns),
            Inner::Ruled(rules) => rules.stepped(by_ns),
        }
    }

    /// Replaces the candidates, in any order; see [`Balancer::update`]. O(n × zones) where there are rules.
    pub fn update(&mut self, now: Instant, candidates: impl IntoIterator<Item = Candidate>) {
        match &mut self.inner {
            Inner::Alone { balancer, hosts } => {
                hosts.clear();
                hosts.extend(candidates.into_iter().map(|c| c.host));
                balancer.update(now, hosts);
            }
            Inner::Ruled(rules) => rules.update(now, candidates),
        }
    }

    /// The index among [`Cluster::hosts`] of the host that gets `request`; none when nobody may have it.
    #[inline]
    pub fn pick(&mut self, now: Instant, request: Request) -> Option<usize> {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.pick(now, request),
            Inner::Ruled(rules) => rules.pick(now, request, &[], 0),
        }
    }

    /// Like [`Cluster::pick`] for a retry; see [`Balancer::pick_except`]. Each further pick draws level and zone anew.
    pub fn pick_except(
        &mut self,
        now: Instant,
        request: Request,
        tried: &[InstanceId],
        reselections: u32,
    ) -> Option<usize> {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.pick_except(now, request, tried, reselections),
            Inner::Ruled(rules) => rules.pick(now, request, tried, reselections),
        }
    }

    /// Counts one more request outstanding at the host at `index`. O(groups). Panics when there is no such host.
    #[inline]
    pub fn started(&mut self, index: usize) {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.started(index),
            Inner::Ruled(rules) => rules.started(index),
        }
    }

    /// Counts one request of `instance` as over, and says how it went; see [`Balancer::finished`].
    #[inline]
    pub fn finished(&mut self, now: Instant, hint: usize, instance: InstanceId, response: &Response) {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.finished(now, hint, instance, response),
            Inner::Ruled(rules) => rules.finished(now, hint, instance, response),
        }
    }

    /// The next host to send a probe to; see [`Balancer::probe`].
    #[inline]
    pub fn probe(&mut self, now: Instant) -> Option<usize> {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.probe(now),
            Inner::Ruled(rules) => rules.probe(now),
        }
    }

    /// `instance` has answered a probe.
    pub fn probed(&mut self, now: Instant, instance: InstanceId, reply: ProbeReply) {
        match &mut self.inner {
            Inner::Alone { balancer, .. } => balancer.probed(now, instance, reply),
            Inner::Ruled(rules) => rules.probed(now, instance, reply),
        }
    }

    /// Takes an instance for ill until `until`, or until [`Cluster::uneject`]; whether that was allowed. It is not when
    /// the instance is no candidate or ejected already, when too many are (see
    /// [`super::Outliers::max_ejection_percent`]), and where there are no rules.
    pub fn eject(&mut self, now: Instant, instance: InstanceId, until: Instant) -> bool {
        match &mut self.inner {
            Inner::Alone { .. } => false,
            Inner::Ruled(rules) => rules.eject(now, instance, until),
        }
    }

    /// Ends the ejection of an instance, whatever began it; whether there was one.
    pub fn uneject(&mut self, now: Instant, instance: InstanceId) -> bool {
        match &mut self.inner {
            Inner::Alone { .. } => false,
            Inner::Ruled(rules) => rules.uneject(now, instance),
        }
    }

    /// Whether the host at `index` is ejected, as of the latest call that told the time.
    pub fn is_ejected(&self, index: usize) -> bool {
        match &self.inner {
            Inner::Alone { .. } => false,
            Inner::Ruled(rules) => rules.is_ejected(index),
        }
    }

    /// Whether the host at `index` may be picked at all: it is in the client's subset, and well or in a level that
    /// panics.
    pub fn is_eligible(&self, index: usize) -> bool {
        match &self.inner {
            Inner::Alone { .. } => true,
            Inner::Ruled(rules) => rules.is_eligible(index),
        }
    }

    /// What each priority gets; none where there are no rules.
    pub fn shares(&self) -> &[Share] {
        match &self.inner {
            Inner::Alone { .. } => &[],
            Inner::Ruled(rules) => rules.shares(),
        }
    }

    /// The indexes of the hosts among which the strategy chose at the latest pick. O(n).
    pub fn in_use(&self) -> Vec<usize> {
        match &self.inner {
            Inner::Alone { balancer, .. } => (0..balancer.hosts().len()).collect(),
            Inner::Ruled(rules) => rules.in_use(),
        }
    }

    /// The hosts of all candidates, in the order of their instances.
    #[inline]
    pub fn hosts(&self) -> &[Host] {
        match &self.inner {
            Inner::Alone { balancer, .. } => balancer.hosts(),
            Inner::Ruled(rules) => rules.hosts().all(),
        }
    }

    /// How many requests this client has outstanding at the host at `index`. Panics when there is no such host.
    #[inline]
    pub fn outstanding(&self, index: usize) -> u32 {
        match &self.inner {
            Inner::Alone { balancer, .. } => balancer.outstanding(index),
            Inner::Ruled(rules) => rules.hosts().outstanding()[index],
        }
    }

    /// How many requests this client has outstanding altogether. O(n).
    pub fn in_flight(&self) -> u64 {
        match &self.inner {
            Inner::Alone { balancer, .. } => balancer.in_flight(),
            Inner::Ruled(rules) => rules.hosts().in_flight(),
        }
    }

    /// What following the hosts has cost so far, in all groups together; see [`Balancer::rebuilds`].
    pub fn rebuilds(&self) -> Rebuilds {
        match &self.inner {
            Inner::Alone { balancer, .. } => balancer.rebuilds(),
            Inner::Ruled(rules) => rules.rebuilds(),
        }
    }

    /// The memory it takes, in bytes: of the balancers of all its groups and of the hosts; see [`Balancer::bytes`].
    pub fn bytes(&self) -> usize {
        match &self.inner {
            Inner::Alone { balancer, .. } => balancer.bytes(),
            Inner::Ruled(rules) => rules.bytes(),
        }
    }

    /// How this cluster chooses among the eligible.
    pub fn strategy(&self) -> Strategy {
        match &self.inner {
            Inner::Alone { balancer, .. } => balancer.strategy(),
            Inner::Ruled(rules) => rules.strategy(),
        }
    }
}
