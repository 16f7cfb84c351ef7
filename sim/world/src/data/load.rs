//! Load sources: when requests arrive, from whom, and what they ask for.
//!
//! Two streams per load, keyed by its name: one for the gaps between arrivals, one for the requests' keys. Neither
//! depends on what becomes of a request, so an open load brings the same requests at the same moments whatever is
//! done to them. A closed load's users wait for their answers, so only its keys are common to all runs. Which of its
//! nodes a request comes from follows from the request's key, or from the user's number.

use super::Data;
use crate::data::call::{Call, Parent};
use crate::data::demand::Demand;
use crate::sim::Sim;
use crate::spec::{Arrivals, LoadSpec, RoutingKeys, Spread, Target};
use crate::wire::{CallId, Msg};
use base::{Draw, Duration, Instant, Key, Rng, Seed, ServiceId, math, streams};
use kernel::Lane;

/// A source of requests.
#[derive(Debug)]
pub(crate) struct Load {
    arrivals: Arrivals,
    gaps: Rng,
    keys: Rng,
    /// Its nodes' indices among the callers, which are consecutive.
    pub(crate) callers: Vec<u32>,
    spread: Spread,
    /// The key from which the node of each closed user follows.
    users: Key,
    /// The next node where they take turns.
    turn: u32,
    /// One arrival follows the other, so they need no sorting.
    pub(crate) lane: Option<Lane>,
    /// Whom its nodes call: the target, or the gateway.
    pub(crate) service: ServiceId,
    /// Through the gateway: the route that its requests match, if any.
    route: Option<traffic::Route>,
    routing_keys: RoutingKeys,
    /// When it stops; later arrivals need not be drawn.
    pub(crate) ends: Instant,
    ended: bool,
    /// The nodes of closed users who wait for one of them to come up.
    away: Vec<u32>,
}

/// The label of the draw that says which key a request has.
const ROUTING_KEY: u64 = 0x006b_6579;
/// The label of the draw that says which node a request comes from, or where it goes when that one is down.
const SOURCE: u64 = 0x736f_7572_6365;

impl Load {
    pub(crate) fn new(spec: &LoadSpec, seed: Seed, service: ServiceId, routes: &[traffic::Route]) -> Self {
        let route = match &spec.target {
            Target::Service(_) => None,
            Target::Gateway { host, path, headers } => {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let head = traffic::RequestHead { host, path, headers: &headers };
                let table = traffic::RouteTable::new(routes.to_vec());
                table.find(&head).map(|i| table.routes()[i].clone())
            }
        };
        Load {
            arrivals: spec.arrivals.clone(),
            gaps: seed.stream(&streams::LOAD_GAPS.of(&[&spec.name])),
            keys: seed.stream(&streams::LOAD_KEYS.of(&[&spec.name])),
            callers: Vec::new(),
            spread: spec.spread,
            users: seed.stream(&streams::LOAD_USERS.of(&[&spec.name])).key(),
            turn: 0,
            lane: None,
            service,
            route,
            routing_keys: spec.keys,
            ends: Instant::MAX,
            ended: false,
            away: Vec::new(),
        }
    }

    /// Where the gateway forwards the request of this key, and the route's timeout.
    pub(crate) fn destination(&self, key: Key) -> Option<(traffic::Destination, Option<Duration>)> {
        let route = self.route.as_ref()?;
        Some((*route.choose(&mut key.draws())?, route.action.timeout))
    }

    /// The hash of what the request of this key is routed by. It follows from the request's key, so a request has the
    /// same one at every attempt and under every balancer.
    pub(crate) fn routing_hash(&self, key: Key) -> u64 {
        let own = key.derive(ROUTING_KEY);
        match self.routing_keys {
            RoutingKeys::Unique => own.0,
            RoutingKeys::Popular(zipf) => Key(ROUTING_KEY).derive(zipf.sample(&mut own.draws()).into()).0,
        }
    }

    /// The first arrivals of load `index`, at the earliest moment each can happen.
    pub(crate) fn first(&mut self, index: u32) -> Vec<(Instant, Msg)> {
        match &self.arrivals {
            Arrivals::Closed { users, think } => {
                let (think, users) = (think.clone(), *users);
                let arrival = |user| {
                    let at = Instant::ZERO + think.sample(&mut self.gaps);
                    (at, Msg::Return { load: index, source: self.home(user) })
                };
                (0..users).map(arrival).collect()
            }
            // Somewhere in the gap that the run finds it in.
            Arrivals::Constant { .. } => {
                let gap = self.next_after(Instant::ZERO).as_nanos();
                vec![(Instant::from_nanos(1 + self.gaps.below_u64(gap.max(1))), Msg::Arrive(index))]
            }
            _ => vec![(self.next_after(Instant::ZERO), Msg::Arrive(index))],
        }
    }

    fn nodes(&self) -> u32 {
        self.callers.len() as u32
    }

    /// The node from which a closed user asks, by its place in `callers`.
    fn home(&self, user: u32) -> u32 {
        match self.spread {
            Spread::Random => self.users.derive(user.into()).draws().below(self.nodes()),
            Spread::InTurn => user % self.nodes(),
        }
    }

    /// The node from which the request of this key comes, by its place in `callers`.
    #[inline]
    fn source(&mut self, key: Key) -> u32 {
        let nodes = self.nodes();
        match self.spread {
            _ if nodes == 1 => 0,
            Spread::Random => key.derive(SOURCE).draws().below(nodes),
            Spread::InTurn => {
                let turn = self.turn;
                self.turn = (turn + 1) % nodes;
                turn
            }
        }
    }

    /// When the next request of an open source arrives.
    #[inline]
    fn next_after(&mut self, now: Instant) -> Instant {
        let gaps = &mut self.gaps;
        // What is too long for a `Duration` becomes the longest one: `as` saturates.
        let exponential =
            |rate: f64, gaps: &mut Rng| Duration::ns((base::dist::unit_exponential(gaps) * (1e9 / rate) + 0.5) as u64);
        match &self.arrivals {
            Arrivals::Poisson { rate } => now.saturating_add(exponential(*rate, gaps)),
            Arrivals::Constant { rate } => now.saturating_add(Duration::ns((1e9 / rate).round() as u64)),
            Arrivals::Bursts { base, peak, every, lasts } => {
                let mut bursts = Bursts { base: *base, peak: *peak, every: *every, lasts: *lasts };
                bursts.after(now, base::dist::unit_exponential(gaps))
            }
            // A rate that changes: candidates at the highest rate, kept in proportion to the rate of the moment (Lewis
            // and Shedler, "Simulation of Nonhomogeneous Poisson Processes by Thinning", 1979).
            varying => {
                let peak = varying.peak_rate();
                let mut at = now;
                loop {
                    at = at.saturating_add(exponential(peak, gaps));
                    if at >= self.ends || gaps.unit() * peak < varying.rate_at(at) {
                        return at;
                    }
                }
            }
        }
    }
}

/// [`Arrivals::Bursts`]: a rate that is one of two numbers, so that the next arrival follows from one draw, whatever
/// stretch of time lies between (inversion of the cumulative rate: Çınlar, "Introduction to Stochastic Processes",
/// 1975).
struct Bursts {
    base: f64,
    peak: f64,
    every: Duration,
    lasts: Duration,
}

impl Bursts {
    /// The moment by which `expected` more arrivals are to be expected after `now`; [`Instant::MAX`] when that is
    /// never. O(1): whole periods are stepped over at once.
    fn after(&mut self, now: Instant, mut expected: f64) -> Instant {
        let every = self.every.max(Duration::ns(1));
        let lasts = self.lasts.min(every);
        let arrivals = |rate: f64, span: Duration| rate * span.as_secs_f64();
        let mut at = now;
        // The rest of the period that has begun, whole periods, and the period in which it happens: four stretches at
        // most.
        let mut whole_periods_are_over = false;
        loop {
            let into = Duration::ns(at.as_nanos() % every.as_nanos());
            if into.is_zero() && !whole_periods_are_over {
                whole_periods_are_over = true;
                let in_period = arrivals(self.peak, lasts) + arrivals(self.base, every - lasts);
                let periods = (expected / in_period).floor();
                if !periods.is_finite() {
                    return Instant::MAX;
                }
                at = at.saturating_add(every.saturating_mul(periods as u64));
                expected = (expected - periods * in_period).max(0.0);
                if at == Instant::MAX {
                    return at;
                }
            }
            let (rate, left) = if into < lasts { (self.peak, lasts - into) } else { (self.base, every - into) };
            let here = arrivals(rate, left);
            if expected < here {
                let span = Duration::ns((expected / rate * 1e9 + 0.5) as u64);
                return at.saturating_add(span.min(left));
            }
            expected -= here;
            if at.saturating_add(left) == Instant::MAX {
                return Instant::MAX;
            }
            at += left;
        }
    }
}

impl Arrivals {
    /// Requests per second at a moment; zero for a closed source, whose rate follows from its answers.
    pub fn rate_at(&self, at: Instant) -> f64 {
        match self {
            Arrivals::Poisson { rate } | Arrivals::Constant { rate } => *rate,
            Arrivals::Bursts { base, peak, every, lasts } => {
                let into = at.as_nanos() % every.as_nanos().max(1);
                if into < lasts.as_nanos() { *peak } else { *base }
            }
            Arrivals::Diurnal { mean, swing, period } => {
                let turn = at.as_secs_f64() / period.as_secs_f64();
                mean * (1.0 + swing.as_f64() * math::sin(2.0 * std::f64::consts::PI * turn))
            }
            Arrivals::Closed { .. } => 0.0,
        }
    }

    /// The highest rate there ever is.
    pub fn peak_rate(&self) -> f64 {
        match self {
            Arrivals::Bursts { base, peak, .. } => peak.max(*base),
            Arrivals::Diurnal { mean, swing, .. } => mean * (1.0 + swing.as_f64()),
            other => other.rate_at(Instant::ZERO),
        }
    }
}

impl Data {
    /// A request of an open load arrives at one of its nodes.
    #[inline]
    pub(crate) fn arrive(&mut self, sim: &mut Sim, index: u32) {
        let now = sim.kernel.now();
        let load = &mut self.loads[index as usize];
        if load.ended {
            return;
        }
        let key = load.keys.key();
        let next = load.next_after(now);
        sim.kernel.world_in_lane(load.lane, next, Msg::Arrive(index));
        let source = load.source(key);
        self.enter(sim, index, source, key);
    }

    /// A closed user who asks from node `source` has thought, and asks again.
    #[inline]
    pub(crate) fn user_returns(&mut self, sim: &mut Sim, index: u32, source: u32) {
        let load = &mut self.loads[index as usize];
        if !load.ended {
            let key = load.keys.key();
            self.enter(sim, index, source, key);
        }
    }

    /// A request enters the world through node `source` of its load.
    #[inline]
    fn enter(&mut self, sim: &mut Sim, index: u32, source: u32, key: Key) {
        let now = sim.kernel.now();
        let load = &self.loads[index as usize];
        let (mut caller, service) = (load.callers[source as usize], load.service);
        // A node that is down sends nothing; its users turn to one that is not.
        if load.callers.len() > 1 && !sim.kernel.nodes().is_running(self.callers[caller as usize].node) {
            caller = self.another_source(sim, index, key).unwrap_or(caller);
        }
        let node = self.callers[caller as usize].node;
        let is_running = sim.kernel.nodes().is_running(node);
        if !is_running && sim.kernel.nodes().is_dead(node) {
            // Nobody is there to send it, and whoever wants to comes back later.
            let load = &mut self.loads[index as usize];
            if matches!(load.arrivals, Arrivals::Closed { .. }) {
                load.away.push(source);
            }
            return;
        }
        self.metrics.arrive(now);
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.push((now, key));
        }
        if is_running {
            self.begin_call(sim, Parent::Source(index), caller, service, key, Demand::ANY.into());
        } else {
            self.hold_call(sim, Parent::Source(index), caller, service, key);
        }
    }

    /// A request has come to a source that is paused: it counts as begun, and its call begins when the source goes on.
    #[cold]
    fn hold_call(&mut self, sim: &mut Sim, parent: Parent, caller: u32, service: ServiceId, key: Key) {
        let state = &self.callers[caller as usize];
        let node = state.node;
        let upstream = state.upstream(service).expect("a caller has an upstream for all it calls") as u16;
        let id = self.calls.insert(Call::new(parent, caller, upstream, key, sim.kernel.now()));
        let timer = sim.kernel.hand(node, Msg::Begin(id));
        if let Some(call) = self.calls.get_mut(id) {
            call.timer = timer;
        }
    }

    /// The call begins that was held while its source was paused. From now on its caller's patience counts.
    pub(crate) fn begin_held(&mut self, sim: &mut Sim, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let caller = &mut self.callers[call.caller as usize];
        let local = sim.kernel.local(caller.node);
        let traffic = &mut caller.upstreams[usize::from(call.upstream)].traffic;
        call.set_deadline(traffic.policy().deadline(local, None));
        let admitted = traffic.begin(local);
        self.attempt_or_end(sim, id, admitted);
    }

    /// A node of a source is up again, and the users who found none of them up ask now.
    pub(crate) fn users_come_back(&mut self, sim: &mut Sim, caller: u32) {
        let now = sim.kernel.now();
        for (index, load) in self.loads.iter_mut().enumerate().filter(|(_, load)| load.callers.contains(&caller)) {
            for source in std::mem::take(&mut load.away) {
                sim.kernel.world_at(now, Msg::Return { load: index as u32, source });
            }
        }
    }

    /// A running node of a load, drawn with the request's key; `None` while all are down.
    #[cold]
    fn another_source(&self, sim: &Sim, index: u32, key: Key) -> Option<u32> {
        let is_running = |caller: &u32| sim.kernel.nodes().is_running(self.callers[*caller as usize].node);
        let running: Vec<u32> = self.loads[index as usize].callers.iter().copied().filter(is_running).collect();
        let nth = key.derive(SOURCE + 1).draws().below(u32::try_from(running.len()).ok().filter(|&n| n > 0)?);
        Some(running[nth as usize])
    }

    /// A user of a closed load has an answer at `caller`, and thinks.
    #[inline]
    pub(crate) fn user_answered(&mut self, sim: &mut Sim, index: u32, caller: u32) {
        let load = &mut self.loads[index as usize];
        let Arrivals::Closed { think, .. } = &load.arrivals else { return };
        let at = sim.kernel.now().saturating_add(think.sample(&mut load.gaps));
        // Whoever was sent to another node because the own one was down stays there, as a client keeps its connection.
        let source = caller - load.callers[0];
        sim.kernel.world_at(at, Msg::Return { load: index, source });
    }

    /// Nothing arrives from now on.
    pub(crate) fn end_load(&mut self) {
        self.loads.iter_mut().for_each(|load| load.ended = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Ratio;

    fn load(arrivals: Arrivals, spread: Spread) -> Load {
        let spec = LoadSpec {
            name: "users".into(),
            target: Target::Service(ServiceId(0)),
            arrivals,
            sources: 1,
            spread,
            keys: RoutingKeys::Unique,
        };
        Load::new(&spec, Seed(11), ServiceId(0), &[])
    }

    fn poisson(rate: f64, spread: Spread) -> Load {
        load(Arrivals::Poisson { rate }, spread)
    }

    fn arrivals(arrivals: Arrivals, seconds: u64) -> Vec<Instant> {
        let mut load = load(arrivals, Spread::Random);
        let mut at = load.next_after(Instant::ZERO);
        let mut all = Vec::new();
        while at < Instant::from_secs(seconds) {
            all.push(at);
            at = load.next_after(at);
        }
        all
    }

    fn within(all: &[Instant], from_s: u64, to_s: u64) -> usize {
        all.iter().filter(|&&at| at >= Instant::from_secs(from_s) && at < Instant::from_secs(to_s)).count()
    }

    #[test]
    fn poisson_arrivals_have_their_rate_and_their_variance() {
        let all = arrivals(Arrivals::Poisson { rate: 200.0 }, 1_000);
        assert!((all.len() as f64 - 200_000.0).abs() < 4.0 * 200_000f64.sqrt(), "{}", all.len());
        let counts: Vec<f64> = (0..1_000).map(|s| within(&all, s, s + 1) as f64).collect();
        let mean = counts.iter().sum::<f64>() / 1e3;
        let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / 999.0;
        assert!((variance / mean - 1.0).abs() < 0.2, "index of dispersion {}", variance / mean);
    }

    #[test]
    fn bursts_come_when_they_should() {
        let (every, lasts) = (Duration::secs(10), Duration::secs(2));
        let all = arrivals(Arrivals::Bursts { base: 100.0, peak: 1_000.0, every, lasts }, 100);
        let in_bursts: usize = (0..10).map(|k| within(&all, 10 * k, 10 * k + 2)).sum();
        let between: usize = (0..10).map(|k| within(&all, 10 * k + 2, 10 * k + 10)).sum();
        assert!((in_bursts as f64 - 20_000.0).abs() < 600.0, "{in_bursts}");
        assert!((between as f64 - 8_000.0).abs() < 400.0, "{between}");
    }

    #[test]
    fn bursts_far_apart_and_rates_near_nothing_cost_no_time() {
        let next = |base: f64, peak: f64, every: Duration, lasts: Duration, from: Instant, expected: f64| {
            Bursts { base, peak, every, lasts }.after(from, expected)
        };
        let day = Duration::secs(86_400);
        // From one second on, nothing until the next day; then a request each 10 us.
        let at = next(0.0, 1e5, day, Duration::ms(10), Instant::from_secs(1), 2.0);
        assert_eq!(at, Instant::ZERO + day + Duration::us(20));
        // A burst has a thousand: 2,500 are reached in the middle of the third one from here.
        let at = next(0.0, 1e5, day, Duration::ms(10), Instant::from_secs(1), 2_500.0);
        assert_eq!(at, Instant::ZERO + day * 3 + Duration::ms(5));
        // With something between the bursts as well: 8 + 2 a period of a second.
        let at = next(2.5, 40.0, Duration::secs(1), Duration::ms(200), Instant::from_millis(600), 26.0);
        assert_eq!(at, Instant::from_secs(3) + Duration::ms(125));
        for (base, peak) in [(0.0, 5e-10), (0.0, 0.0), (1e-300, 1e-300)] {
            let at = next(base, peak, Duration::secs(1), Duration::ms(1), Instant::from_secs(1), 3.0);
            assert_eq!(at, Instant::MAX, "{base} {peak}");
        }
        assert_eq!(next(1.0, 1.0, Duration::MAX, Duration::ns(1), Instant::from_secs(1), 1.0), Instant::from_secs(2));
    }

    #[test]
    fn rates_near_nothing_end_with_the_load() {
        let tiny = Duration::mins(1);
        for varying in [
            Arrivals::Poisson { rate: 1e-12 },
            Arrivals::Constant { rate: 1e-12 },
            Arrivals::Diurnal { mean: 1e-12, swing: Ratio::ONE, period: tiny },
            Arrivals::Diurnal { mean: 1e-12, swing: Ratio::ONE, period: Duration::MAX },
        ] {
            assert_eq!(arrivals(varying.clone(), 1_000_000), [], "{varying:?}");
        }
    }

    #[test]
    fn a_day_rises_first_and_falls_then() {
        let day = Arrivals::Diurnal { mean: 500.0, swing: Ratio::percent(80), period: Duration::secs(100) };
        let all = arrivals(day, 100);
        // The mean over half a sine is 2/π of its height.
        let expected = 50.0 * 500.0 * (1.0 + 0.8 * 2.0 / std::f64::consts::PI);
        assert!((within(&all, 0, 50) as f64 / expected - 1.0).abs() < 0.02, "{}", within(&all, 0, 50));
        assert!(within(&all, 50, 100) < within(&all, 0, 50) / 2);
    }

    #[test]
    fn constant_arrivals_are_even() {
        let all = arrivals(Arrivals::Constant { rate: 4.0 }, 10);
        assert!(all.windows(2).all(|w| w[1] - w[0] == Duration::ms(250)), "{all:?}");
    }

    /// The gaps between the requests of node 3 of ten, in means, for a load of 1,000 requests per second.
    fn gaps_of_a_node(spread: Spread) -> Vec<f64> {
        let mut load = poisson(1_000.0, spread);
        load.callers = (0..10).collect();
        let (mut at, mut last, mut gaps) = (Instant::ZERO, Instant::ZERO, Vec::new());
        while at < Instant::from_secs(200) {
            at = load.next_after(at);
            let key = load.keys.key();
            if load.source(key) == 3 {
                gaps.push((at - last).as_secs_f64() * 100.0);
                last = at;
            }
        }
        gaps
    }

    #[test]
    fn a_node_has_a_poisson_stream_or_every_tenth_request_of_one() {
        for (spread, variance) in [(Spread::Random, 1.0), (Spread::InTurn, 0.1)] {
            let gaps = gaps_of_a_node(spread);
            let n = gaps.len() as f64;
            let mean = gaps.iter().sum::<f64>() / n;
            let seen = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / n;
            assert!((mean - 1.0).abs() < 0.03, "{spread:?}: mean gap {mean}");
            assert!((seen / variance - 1.0).abs() < 0.08, "{spread:?}: variance {seen}");
            let pairs = gaps.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>() / n;
            assert!((pairs / seen).abs() < 0.03, "{spread:?}: gaps follow from each other by {}", pairs / seen);
        }
    }

    #[test]
    fn a_closed_user_has_one_node() {
        let homes = |spread| {
            let mut load = poisson(1.0, spread);
            load.callers = (20..24).collect();
            (0..1_000).map(|user| load.home(user)).collect::<Vec<u32>>()
        };
        assert_eq!(homes(Spread::InTurn)[..6], [0, 1, 2, 3, 0, 1]);
        let drawn = homes(Spread::Random);
        assert_eq!(drawn, homes(Spread::Random));
        for node in 0..4 {
            let users = drawn.iter().filter(|&&home| home == node).count();
            assert!((200..300).contains(&users), "{users} users at node {node}");
        }
    }
}
