//! The rules of eligibility at work: who is in which group now, and which group a request goes to.
//!
//! Everything that depends on who is there and how they are is settled when that changes, in O(n × groups); a pick
//! draws its level, draws or takes turns for its zone, and asks one group.

use super::aperture::Opening;
use super::group::{Group, Inner, Source};
use super::locality::{Plan, Rule, Turns, effective_weight};
use super::outlier::{Detector, Monitor, Outliers};
use super::priority::{self, Availability, Level, Share};
use super::sticky::Sessions;
use super::subsetting;
use super::{Candidate, Eligibility, Health, Locality, Peers};
use crate::hosts::{Host, Hosts};
use crate::request::{ProbeReply, Request, Response};
use crate::strategy::per_host::PerHost;
use crate::{Balancer, BulletinBoard, Dispatcher, Rebuilds, Strategy, pick_untried};
use base::{Draw, Duration, InstanceId, Instant, Rng, Seed, ZoneId};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct EligibilityState {
    strategy: Strategy,
    rules: Arc<Eligibility>,
    peers: Peers,
    /// What all clients know together, and whether the strategy goes by it: what is started and finished is counted
    /// there once, whatever the number of groups that are told.
    dispatcher: Dispatcher,
    uses_board: bool,
    /// The seed of what every group draws by itself.
    seed: Seed,
    rng: Rng,
    hosts: Hosts,
    candidates: Vec<Candidate>,
    /// Whether metadata and the client's own subset leave a host in.
    visible: Vec<bool>,
    /// Since when a host is healthy; none while it is not.
    since: PerHost<Option<Instant>>,
    monitors: PerHost<Monitor>,
    detector: Detector,
    sessions: Option<Sessions>,
    shares: Vec<Share>,
    zones: Vec<Zones>,
    groups: Vec<Group>,
    /// The group of the latest pick, which has probes to send if anybody has.
    latest: usize,
    /// The moment of the latest call that said it.
    now: Instant,
    /// How long before the beginning of time the client was started, where that is known.
    age: Option<Duration>,
    /// What steps have added to the date on the client's wall clock, in nanoseconds.
    ahead_ns: i64,
}

/// How zones matter in one level.
#[derive(Debug)]
enum Zones {
    Disregard,
    Turns { zones: Vec<ZoneId>, healthy: Turns, degraded: Turns },
    Near(Plan),
}

impl EligibilityState {
    pub(super) fn new(strategy: Strategy, rules: Arc<Eligibility>, peers: Peers, mut rng: Rng) -> Self {
        let seed = Seed(rng.next_u64());
        let silent = Outliers { consecutive_errors: 0, success_rate: None, ..Outliers::default() };
        EligibilityState {
            strategy,
            peers,
            dispatcher: BulletinBoard::new(seed.stream("board")).dispatcher(),
            uses_board: false,
            seed,
            rng,
            hosts: Hosts::default(),
            candidates: Vec::new(),
            visible: Vec::new(),
            since: PerHost::default(),
            monitors: PerHost::default(),
            detector: Detector::new(rules.outliers.unwrap_or(silent)),
            sessions: rules.sticky.then(Sessions::default),
            shares: vec![Share { healthy: 100, ..Share::default() }],
            zones: vec![Zones::Disregard],
            groups: Vec::new(),
            latest: 0,
            now: Instant::ZERO,
            age: None,
            ahead_ns: 0,
            rules,
        }
    }

    pub(super) fn join(&mut self, dispatcher: &Dispatcher) {
        self.dispatcher = dispatcher.clone();
    }

    pub(super) fn running_for(&mut self, now: Instant, age: Duration) {
        if self.rules.outliers.is_some() {
            self.detector.running_for(now, age);
        }
        self.age = Some(age.saturating_sub(now.saturating_since(Instant::ZERO)));
    }

    pub(super) fn stepped(&mut self, by_ns: i64) {
        self.ahead_ns = self.ahead_ns.saturating_add(by_ns);
        self.groups.iter_mut().for_each(|group| group.stepped(by_ns));
    }

    pub(super) fn update(&mut self, now: Instant, candidates: impl IntoIterator<Item = Candidate>) {
        self.now = now;
        self.candidates.clear();
        self.candidates.extend(candidates);
        self.candidates.sort_unstable_by_key(|c| c.host.instance);
        let hosts: Vec<Host> = self.candidates.iter().map(|c| c.host).collect();
        self.hosts.update(&hosts);
        self.since.refresh(&self.hosts, |_| None);
        self.monitors.refresh(&self.hosts, |_| Monitor::default());
        if self.rules.outliers.is_some() {
            self.detector.start(now);
        }
        for (since, candidate) in self.since.iter_mut().zip(&self.candidates) {
            *since = match candidate.health {
                Health::Healthy => since.or(Some(now)),
                _ => None,
            };
        }
        self.see();
        self.regroup(now);
        if self.uses_board {
            self.dispatcher.list(self.hosts.all().iter().map(|host| host.instance));
        }
    }

    /// Applies the subsets.
    fn see(&mut self) {
        let own = self.peers.zone;
        let criteria = match &self.rules.subset {
            None => Some(Default::default()),
            Some(subset) => subset.resolve(own, &self.candidates),
        };
        self.visible.clear();
        self.visible.extend(self.candidates.iter().map(|c| criteria.is_some_and(|all| all.match_host(own, c))));
        if let Some(size) = self.rules.subset_size {
            let seen: Vec<u32> = (0..self.candidates.len() as u32).filter(|&i| self.visible[i as usize]).collect();
            let hosts: Vec<Host> = seen.iter().map(|&i| self.candidates[i as usize].host).collect();
            self.visible.fill(false);
            for place in subsetting::subset(self.seed.0, size as usize, &hosts) {
                self.visible[seen[place as usize] as usize] = true;
            }
        }
    }

    fn level(&self, index: usize) -> usize {
        self.rules.priorities.of(self.peers.zone, self.candidates[index].zone)
    }

    /// How the host at `index` is, ejections included.
    fn health(&self, index: usize) -> Health {
        match self.candidates[index].health {
            Health::Healthy | Health::Degraded if self.monitors[index].is_ejected() => Health::Unhealthy,
            health => health,
        }
    }

    fn is_available(&self, index: usize, availability: Availability) -> bool {
        match availability {
            Availability::Healthy => self.health(index) == Health::Healthy,
            Availability::Degraded => self.health(index) == Health::Degraded,
        }
    }

    /// Settles shares, localities and groups anew.
    fn regroup(&mut self, now: Instant) {
        let seen: Vec<usize> = (0..self.candidates.len()).filter(|&index| self.visible[index]).collect();
        let mut levels = vec![Level::default()];
        for &index in &seen {
            let level = self.level(index);
            if levels.len() <= level {
                levels.resize(level + 1, Level::default());
            }
            levels[level].hosts += 1;
            match self.health(index) {
                Health::Healthy => levels[level].healthy += 1,
                Health::Degraded => levels[level].degraded += 1,
                Health::Unhealthy => {}
                Health::Excluded => levels[level].excluded += 1,
            }
        }
        self.shares = priority::shares(&levels, self.rules.overprovisioning, self.rules.panic_threshold);
        self.zones = (0..levels.len()).map(|level| self.zones_of(level, &seen)).collect();
        for level in 0..levels.len() {
            self.ensure_groups(level);
        }
        let mut groups = std::mem::take(&mut self.groups);
        for group in &mut groups {
            let source = group.source;
            group.refresh(
                now,
                &self.hosts,
                |index| self.since[index].filter(|_| self.health(index) == Health::Healthy),
                |index| self.visible[index] && self.belongs(index, source),
            );
        }
        self.groups = groups;
    }

    fn belongs(&self, index: usize, source: Source) -> bool {
        match source {
            Source::All { level } => self.level(index) == level,
            Source::Available { level, availability } => {
                self.level(index) == level && self.is_available(index, availability)
            }
            Source::InZone { level, availability, zone } => {
                self.candidates[index].zone == zone
                    && self.level(index) == level
                    && self.is_available(index, availability)
            }
        }
    }

    /// How zones matter in `level` for the hosts seen.
    fn zones_of(&mut self, level: usize, seen: &[usize]) -> Zones {
        let here: Vec<usize> = seen.iter().copied().filter(|&index| self.level(index) == level).collect();
        let zones = here.iter().map(|&index| self.candidates[index].zone.index() + 1).max().unwrap_or(0);
        let count = |counts: &dyn Fn(Health) -> bool| {
            let mut by_zone = vec![0u32; zones];
            for &index in here.iter().filter(|&&index| counts(self.health(index))) {
                by_zone[self.candidates[index].zone.index()] += 1;
            }
            by_zone
        };
        let healthy = count(&|health| health == Health::Healthy);
        match &self.rules.locality {
            Locality::Disregard => Zones::Disregard,
            // Only the first priority is routed by nearness.
            Locality::ZoneAware(_) if level > 0 => Zones::Disregard,
            Locality::ZoneAware(config) => {
                let hosts = count(&|_| true);
                let plan = Plan::new(config, self.peers.zone, &self.peers.by_zone, &hosts, &healthy);
                if plan.rule == Rule::Disregard { Zones::Disregard } else { Zones::Near(plan) }
            }
            Locality::Weighted(weights) => {
                let counted = count(&|health| health != Health::Excluded);
                let degraded = count(&|health| health == Health::Degraded);
                let weights_of = |eligible: &[u32]| -> Vec<f64> {
                    let weight = |zone: usize| weights.get(zone).copied().unwrap_or(1);
                    let factor = self.rules.overprovisioning;
                    (0..zones).map(|z| effective_weight(weight(z), eligible[z], counted[z], factor)).collect()
                };
                let (healthy, degraded) = (weights_of(&healthy), weights_of(&degraded));
                let picks = self.rng.next_u64() as u32;
                Zones::Turns {
                    zones: (0..zones as u32).map(ZoneId).collect(),
                    healthy: Turns::new(&healthy, picks),
                    degraded: Turns::new(&degraded, picks),
                }
            }
        }
    }

    /// Makes the groups that a level needs and does not have yet. Those it no longer needs stay, for when it does
    /// again.
    fn ensure_groups(&mut self, level: usize) {
        let share = self.shares[level];
        if share.panic {
            self.ensure(Source::All { level });
            return;
        }
        let wanted = [(Availability::Healthy, share.healthy), (Availability::Degraded, share.degraded)];
        for (availability, _) in wanted.into_iter().filter(|(_, load)| *load > 0) {
            self.ensure(Source::Available { level, availability });
            let zones = match &self.zones[level] {
                Zones::Disregard => continue,
                Zones::Turns { zones, .. } => zones.clone(),
                Zones::Near(plan) => plan.zones.clone(),
            };
            for zone in zones {
                self.ensure(Source::InZone { level, availability, zone });
            }
        }
    }

    fn ensure(&mut self, source: Source) {
        let Err(place) = self.groups.binary_search_by_key(&source, |group| group.source) else { return };
        let rng = self.seed.stream(&format!("{source:?}"));
        let inner = match self.rules.aperture {
            None => {
                let mut balancer = Balancer::warming_up(self.strategy, rng, self.rules.slow_start);
                self.uses_board |= balancer.join_as_part(&self.dispatcher);
                balancer.stepped(self.ahead_ns);
                if let Some(age) = self.age {
                    let until_now = self.now.saturating_since(Instant::ZERO);
                    balancer.running_for(self.now, age.saturating_add(until_now));
                }
                Inner::Strategy(Box::new(balancer))
            }
            Some(aperture) => {
                let opening = Opening::new(aperture, self.peers.index, self.peers.count(), self.seed.0);
                Inner::Aperture { opening, rng }
            }
        };
        self.groups.insert(place, Group::new(source, inner));
    }

    /// Brings ejections up to `now`.
    #[inline]
    fn catch_up(&mut self, now: Instant) {
        self.now = now;
        if self.detector.deadline().is_some_and(|deadline| deadline <= now)
            && self.detector.catch_up(now, &mut self.monitors)
        {
            self.regroup(now);
        }
    }

    pub(super) fn pick(
        &mut self,
        now: Instant,
        request: Request,
        tried: &[InstanceId],
        reselections: u32,
    ) -> Option<usize> {
        self.catch_up(now);
        if let Some(index) = self.sessions.as_ref().and_then(|s| s.get(request.hash)).and_then(|i| self.may_stay(i))
            && (reselections == 0 || !tried.contains(&self.hosts.instance(index)))
        {
            return Some(index);
        }
        let index = pick_untried(tried, reselections, |attempt| {
            let index = self.pick_once(now, request, attempt, tried)?;
            Some((index, self.hosts.instance(index)))
        })?;
        if let Some(sessions) = &mut self.sessions {
            sessions.put(request.hash, self.hosts.instance(index));
        }
        Some(index)
    }

    /// The index of an instance that a session may stay at.
    fn may_stay(&self, instance: InstanceId) -> Option<usize> {
        let index = self.hosts.index_of(instance)?;
        let is_well = matches!(self.health(index), Health::Healthy | Health::Degraded);
        (self.visible[index] && is_well).then_some(index)
    }

    fn pick_once(&mut self, now: Instant, request: Request, attempt: u32, tried: &[InstanceId]) -> Option<usize> {
        // A key goes to the same level each time, as in Envoy's thread-aware balancers.
        let hash = match self.strategy.info().needs.keys {
            true => request.hash,
            false if self.shares[0].healthy == 100 => 0,
            false => self.rng.next_u64(),
        };
        let (level, availability) = priority::choose(&self.shares, hash);
        let source = self.source(level, availability)?;
        let place = self.groups.binary_search_by_key(&source, |group| group.source).ok()?;
        let group = &mut self.groups[place];
        if group.is_empty() {
            return None;
        }
        self.latest = place;
        group.pick(now, request, (attempt, tried), &self.hosts)
    }

    fn source(&mut self, level: usize, availability: Availability) -> Option<Source> {
        let anywhere = Source::Available { level, availability };
        let zone_aware = match &self.rules.locality {
            Locality::ZoneAware(config) => Some(*config),
            _ => None,
        };
        if self.shares[level].panic {
            let fails = zone_aware.is_some_and(|config| config.fail_traffic_on_panic);
            return (!fails).then_some(Source::All { level });
        }
        match &mut self.zones[level] {
            Zones::Disregard => Some(anywhere),
            Zones::Turns { zones, healthy, degraded } => {
                let turns = if availability == Availability::Healthy { healthy } else { degraded };
                Some(turns.take().map_or(anywhere, |zone| Source::InZone { level, availability, zone: zones[zone] }))
            }
            Zones::Near(plan) => {
                let enabled = zone_aware.map_or(100, |config| config.routing_enabled);
                if enabled < 100 && self.rng.next_u64() % 100 >= u64::from(enabled) {
                    return Some(anywhere);
                }
                let zone = plan.zones[plan.route(&mut self.rng)?];
                Some(Source::InZone { level, availability, zone })
            }
        }
    }

    pub(super) fn started(&mut self, index: usize) {
        self.hosts.start(index);
        if self.uses_board {
            self.dispatcher.post(self.now);
            self.dispatcher.started(self.hosts.instance(index));
        }
        for group in &mut self.groups {
            group.started(self.now, index);
        }
    }

    pub(super) fn finished(&mut self, now: Instant, hint: usize, instance: InstanceId, response: &Response) {
        self.catch_up(now);
        if self.uses_board {
            self.dispatcher.finished(now, instance);
        }
        let Some((index, _)) = self.hosts.finish(hint, instance) else { return };
        for group in &mut self.groups {
            group.finished(now, index, response);
        }
        if self.rules.outliers.is_some()
            && self.detector.answered(now, &mut self.monitors, index, response.class.is_success())
        {
            self.regroup(now);
        }
    }

    pub(super) fn probe(&mut self, now: Instant) -> Option<usize> {
        self.groups.get_mut(self.latest)?.probe(now)
    }

    pub(super) fn probed(&mut self, now: Instant, instance: InstanceId, reply: ProbeReply) {
        let Some(index) = self.hosts.index_of(instance) else { return };
        for group in &mut self.groups {
            if let Some((balancer, _)) = group.strategy_at(index) {
                balancer.probed(now, instance, reply);
            }
        }
    }

    pub(super) fn eject(&mut self, now: Instant, instance: InstanceId, until: Instant) -> bool {
        self.catch_up(now);
        let Some(index) = self.hosts.index_of(instance) else { return false };
        let ejected = self.detector.hold(&mut self.monitors, index, until);
        if ejected {
            self.regroup(now);
        }
        ejected
    }

    pub(super) fn uneject(&mut self, now: Instant, instance: InstanceId) -> bool {
        self.catch_up(now);
        let Some(index) = self.hosts.index_of(instance) else { return false };
        let unejected = self.detector.release(now, &mut self.monitors[index]);
        if unejected {
            self.regroup(now);
        }
        unejected
    }

    pub(super) fn is_eligible(&self, index: usize) -> bool {
        self.visible[index]
            && (self.shares[self.level(index)].panic
                || matches!(self.health(index), Health::Healthy | Health::Degraded))
    }

    pub(super) fn is_ejected(&self, index: usize) -> bool {
        self.monitors[index].is_ejected()
    }

    pub(super) fn in_use(&self) -> Vec<usize> {
        self.groups.get(self.latest).map_or_else(Vec::new, Group::in_use)
    }

    pub(super) fn rebuilds(&self) -> Rebuilds {
        self.groups.iter().map(Group::rebuilds).fold(Rebuilds::default(), |sum, one| Rebuilds {
            times: sum.times + one.times,
            entries: sum.entries + one.entries,
        })
    }

    /// Of the hosts and the groups; what is known of who is well, and sessions, are left out.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.hosts.bytes() + self.groups.iter().map(Group::bytes).sum::<usize>()
    }

    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }

    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    pub(super) fn strategy(&self) -> Strategy {
        self.strategy
    }
}
