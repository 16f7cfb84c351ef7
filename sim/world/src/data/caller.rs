//! A caller: a node that sends requests to services, with its own and possibly stale idea of who can serve them.
//!
//! Load sources, gateways and instances with downstream calls are callers. For each service a caller has an
//! [`Upstream`]: the latest view it was given, a cluster that balances over it, and the traffic state (budgets,
//! breakers, limits). While a rollout splits a service's traffic, the upstream first chooses a version by weight and
//! then an instance of that version.

use crate::data::date::Steps;
use crate::data::pending::Pending;
use balancer::eligibility::{Candidate, Cluster, Eligibility, Health, Peers};
use balancer::{Dispatcher, Host, ProbeReply, Rebuilds, Request, Response};
use base::{Duration, InstanceId, Instant, Key, NodeId, Ratio, Seed, ServiceId, VersionId};
use kernel::Lane;
use registry::View;
use std::sync::Arc;

/// A node that sends requests.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) upstreams: Vec<Upstream>,
    /// How its wall clock was set.
    pub(crate) steps: Steps,
    /// Its position among its peers.
    pub(crate) peers: Peers,
}

/// One caller's traffic to one service.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) service: ServiceId,
    pub(crate) traffic: traffic::Upstream,
    /// For the timer that ends an attempt, which is nearly always set the same span ahead.
    pub(crate) lane: Option<Lane>,
    /// Calls that wait for room at an instance.
    pub(crate) pending: Pending,
    /// Whether its clusters go by what a request is routed by.
    pub(crate) is_keyed: bool,
    /// Whether its clusters send probes, and how many they sent.
    pub(crate) is_probing: bool,
    pub(crate) probes: u64,
    view: Option<Arc<View>>,
    /// It has chosen nobody yet, and keeps a pointer to its view and no hosts: a caller that only listens costs no
    /// memory for each instance, and no time for each change.
    sleeps: bool,
    /// When it was given that view.
    view_at: Instant,
    /// The instances that may be chosen, by id, as the view says: what the invariant compares the balancer with.
    listed: Vec<u64>,
    /// All instances, then those of each version that was ever split off.
    groups: Vec<Option<Cluster>>,
    shares: Option<[(VersionId, Ratio); 2]>,
    /// The number of the order that set the shares.
    pub(crate) order: u64,
    name: String,
    seed: Seed,
    balance: Balance,
    /// How far its client's date is ahead because it was set.
    ahead_ns: i64,
}

/// How an upstream balances.
#[derive(Clone, Debug)]
pub(crate) struct Balance {
    pub(crate) strategy: balancer::Strategy,
    /// Who is eligible; everybody the view lists, when none.
    pub(crate) rules: Option<Arc<Eligibility>>,
    pub(crate) peers: Peers,
    /// Its place among the service's callers, for what they know together.
    pub(crate) dispatcher: Dispatcher,
}

/// A choice of instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// Which cluster chose.
    pub(crate) group: u8,
    /// The index it chose.
    pub(crate) host: u32,
    pub(crate) instance: InstanceId,
}

/// The label of the draw that chooses a version.
const SPLIT: u64 = 0x73_706c_6974;

impl Caller {
    pub(crate) fn upstream(&self, service: ServiceId) -> Option<usize> {
        self.upstreams.iter().position(|u| u.service == service)
    }
}

impl Balance {
    /// A cluster without hosts, whose chance is the stream called `name`, and whether it may have to do with the board.
    fn cluster(&self, seed: Seed, name: &str) -> (Cluster, bool) {
        let mut cluster = Cluster::new(self.strategy, self.rules.clone(), self.peers.clone(), seed.stream(name));
        let joined = cluster.join(&self.dispatcher);
        (cluster, joined)
    }
}

impl Upstream {
    /// `name` is that of the stream from which its balancers draw.
    pub(crate) fn new(service: ServiceId, policy: traffic::Policy, balance: Balance, seed: Seed, name: String) -> Self {
        let (cluster, is_at_board) = balance.cluster(seed, &name);
        // Rules keep time, and a board is told of hosts as they come.
        let needs = balance.strategy.info().needs;
        let sleeps = balance.rules.is_none() && !needs.line && !needs.probes && !is_at_board;
        let is_sticky = balance.rules.as_ref().is_some_and(|rules| rules.sticky);
        Upstream {
            service,
            traffic: traffic::Upstream::new(policy),
            lane: None,
            pending: Pending::default(),
            is_keyed: balance.strategy.info().needs.keys || is_sticky,
            is_probing: balance.strategy.info().needs.probes,
            probes: 0,
            view: None,
            sleeps,
            view_at: Instant::ZERO,
            listed: Vec::new(),
            groups: vec![Some(cluster)],
            shares: None,
            order: 0,
            name,
            seed,
            balance,
            ahead_ns: 0,
        }
    }

    /// Its client was started `age` before `now`.
    pub(crate) fn running_for(&mut self, now: Instant, age: Duration) {
        self.groups.iter_mut().flatten().for_each(|cluster| cluster.running_for(now, age));
    }

    /// Its client's date was set ahead.
    pub(crate) fn stepped(&mut self, by_ns: i64) {
        self.ahead_ns = self.ahead_ns.saturating_add(by_ns);
        self.groups.iter_mut().flatten().for_each(|cluster| cluster.stepped(by_ns));
    }

    /// Uses `view` from now on.
    pub(crate) fn set_view(&mut self, now: Instant, view: Arc<View>) {
        if self.sleeps {
            (self.view, self.view_at) = (Some(view), now);
            return;
        }
        self.use_view(now, view);
    }

    /// It is going to choose: takes the hosts in that it knows of, as of the moment at which it heard of them.
    #[cold]
    fn wake(&mut self) {
        let slept = std::mem::take(&mut self.sleeps);
        if let Some(view) = self.view.take_if(|_| slept) {
            self.use_view(self.view_at, view);
        }
    }

    fn use_view(&mut self, now: Instant, view: Arc<View>) {
        self.listed.iter_mut().for_each(|word| *word = 0);
        for endpoint in view.open() {
            let id = endpoint.instance;
            if self.listed.len() <= id.index() / 64 {
                self.listed.resize(id.index() / 64 + 1, 0);
            }
            self.listed[id.index() / 64] |= 1 << (id.index() % 64);
        }
        self.view = Some(view);
        for group in 0..self.groups.len() {
            self.refill(now, group);
        }
    }

    fn refill(&mut self, now: Instant, group: usize) {
        let Some(cluster) = &mut self.groups[group] else { return };
        let Some(view) = &self.view else { return };
        let wanted = view.open().filter(|e| group == 0 || e.version.index() + 1 == group);
        let candidates = wanted.map(|e| Candidate {
            host: Host { instance: e.instance, weight: e.weight },
            zone: e.zone,
            version: e.version,
            health: Health::Healthy,
        });
        cluster.update(now, candidates);
    }

    /// Splits the traffic between two versions, or no longer.
    pub(crate) fn set_shares(&mut self, now: Instant, shares: Option<[(VersionId, Ratio); 2]>, order: u64) {
        self.order = order;
        self.shares = shares;
        for (version, _) in shares.into_iter().flatten() {
            self.open_group(now, version);
        }
    }

    /// The group of one version's instances, which is made when it is first asked for.
    #[inline]
    fn open_group(&mut self, now: Instant, version: VersionId) -> usize {
        let group = version.index() + 1;
        if self.groups.get(group).is_none_or(Option::is_none) {
            self.make_group(now, version);
        }
        group
    }

    #[cold]
    fn make_group(&mut self, now: Instant, version: VersionId) {
        self.wake();
        let group = version.index() + 1;
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, || None);
        }
        let name = format!("{}/{version}", self.name);
        let (mut cluster, _) = self.balance.cluster(self.seed, &name);
        cluster.stepped(self.ahead_ns);
        self.groups[group] = Some(cluster);
        self.refill(now, group);
    }

    /// The view in use.
    pub(crate) fn view(&self) -> Option<&Arc<View>> {
        self.view.as_ref()
    }

    /// How the traffic is split at present.
    pub(crate) fn shares(&self) -> Option<[(VersionId, Ratio); 2]> {
        self.shares
    }

    /// Whether the view in use lists `instance` as open.
    #[inline]
    pub(crate) fn lists(&self, instance: InstanceId) -> bool {
        self.listed.get(instance.index() / 64).is_some_and(|word| word >> (instance.index() % 64) & 1 == 1)
    }

    /// Chooses an instance for the first attempt of a call of this key, and counts the request as begun there.
    #[inline]
    pub(crate) fn choose(
        &mut self,
        now: Instant,
        request: Request,
        key: Key,
        pin: Option<VersionId>,
    ) -> Option<Choice> {
        let group = self.group_for(now, key, pin);
        let cluster = self.groups[group].as_mut()?;
        match cluster.pick(now, request) {
            Some(host) => Some(begun(cluster, group, host)),
            None if self.sleeps => self.choose_except(now, request, key, pin, &[]),
            None => None,
        }
    }

    /// [`choose`](Upstream::choose) for a later attempt (a retry, or one that waited in line): preferably none of
    /// `tried`, as far as the retry policy says or the strategy is one that passes over them.
    #[cold]
    pub(crate) fn choose_except(
        &mut self,
        now: Instant,
        request: Request,
        key: Key,
        pin: Option<VersionId>,
        tried: &[InstanceId],
    ) -> Option<Choice> {
        self.wake();
        let group = self.group_for(now, key, pin);
        let cluster = self.groups[group].as_mut()?;
        let reselections = self.traffic.policy().retry.map_or(0, |retry| retry.previous_hosts);
        let host = cluster.pick_except(now, request, tried, reselections)?;
        Some(begun(cluster, group, host))
    }

    #[inline]
    fn group_for(&mut self, now: Instant, key: Key, pin: Option<VersionId>) -> usize {
        match pin {
            None => self.group_of(key),
            Some(version) => self.open_group(now, version),
        }
    }

    #[inline]
    fn group_of(&self, key: Key) -> usize {
        match self.shares {
            None => 0,
            Some(shares) => self.choose_group(shares, key),
        }
    }

    /// The group whose line the attempt of this key is to join, for which nobody could be chosen; none when nothing is
    /// in flight there whose end would make room.
    #[cold]
    pub(crate) fn pending_group(&self, key: Key, pin: Option<VersionId>) -> Option<usize> {
        if !self.balance.strategy.info().needs.line {
            return None;
        }
        let group = pin.map_or_else(|| self.group_of(key), |version| version.index() + 1);
        let cluster = self.groups[group].as_ref()?;
        let has_hosts = !cluster.hosts().is_empty();
        (has_hosts && (!self.pending.is_empty(group) || cluster.in_flight() > 0)).then_some(group)
    }

    /// Chooses a version by weight. A version that has no instance leaves its traffic to the other one only if that has
    /// the larger share: a canary that is not there yet must not fail requests, and must never receive all of them.
    fn choose_group(&self, shares: [(VersionId, Ratio); 2], key: Key) -> usize {
        let [(old, _), (new, share)] = shares;
        let (chosen, other, weight) = if share.happens(&mut key.derive(SPLIT).draws()) {
            (new, old, share)
        } else {
            (old, new, share.complement())
        };
        let empty = |version: VersionId| {
            self.groups[version.index() + 1].as_ref().is_none_or(|cluster| cluster.hosts().is_empty())
        };
        let version = if empty(chosen) && weight < weight.complement() { other } else { chosen };
        version.index() + 1
    }

    /// Counts the request behind a choice as over, and says how it went.
    #[inline]
    pub(crate) fn finished(&mut self, now: Instant, choice: Choice, response: &Response) {
        if let Some(cluster) = &mut self.groups[usize::from(choice.group)] {
            cluster.finished(now, choice.host as usize, choice.instance, response);
        }
    }

    /// The next instance that a cluster wants to probe.
    pub(crate) fn probe(&mut self, now: Instant, group: u8) -> Option<InstanceId> {
        let cluster = self.groups.get_mut(usize::from(group))?.as_mut()?;
        let host = cluster.probe(now)?;
        Some(cluster.hosts()[host].instance)
    }

    /// An instance has answered a probe of a cluster's.
    pub(crate) fn probed(&mut self, now: Instant, group: u8, instance: InstanceId, reply: ProbeReply) {
        if let Some(Some(cluster)) = self.groups.get_mut(usize::from(group)) {
            cluster.probed(now, instance, reply);
        }
    }

    /// What following the instances has cost so far.
    pub(crate) fn rebuilds(&self) -> Rebuilds {
        let all = self.groups.iter().flatten().map(Cluster::rebuilds);
        all.fold(Rebuilds::default(), |sum, one| Rebuilds {
            times: sum.times + one.times,
            entries: sum.entries + one.entries,
        })
    }

    /// The memory of its balancers, in bytes.
    pub(crate) fn balancer_bytes(&self) -> u64 {
        self.groups.iter().flatten().map(|cluster| cluster.bytes() as u64).sum()
    }

    /// Requests under way by this caller's own count.
    pub(crate) fn in_flight(&self) -> u64 {
        self.groups.iter().flatten().map(Cluster::in_flight).sum()
    }
}

/// Counts a request as begun at a host of a group's cluster.
#[inline(always)]
fn begun(cluster: &mut Cluster, group: usize, host: usize) -> Choice {
    cluster.started(host);
    Choice { group: group as u8, host: host as u32, instance: cluster.hosts()[host].instance }
}
