//! Load sources: when requests arrive, from whom, and what they ask for.
//!
//! Two streams per source, keyed by its name: one for the gaps between arrivals, one for the requests' keys. Neither
//! depends on what becomes of a request, so an open source brings the same requests at the same moments whatever is
//! done to them. A closed source's users wait for their answers, so only its keys are common to all runs.

use crate::call::Parent;
use crate::spec::{Arrivals, LoadSpec, RoutingKeys, Target};
use crate::wire::Msg;
use crate::world::World;
use base::{Draw, Duration, Instant, Key, Rng, Seed, ServiceId, math};
use kernel::Lane;

/// A source of requests.
#[derive(Debug)]
pub(crate) struct Load {
    arrivals: Arrivals,
    gaps: Rng,
    keys: Rng,
    /// Its nodes among the callers, used in turn.
    pub(crate) callers: Vec<u32>,
    turn: u32,
    /// One arrival follows the other, so they need no sorting.
    pub(crate) lane: Option<Lane>,
    /// Whom its nodes call: the target, or the gateway.
    pub(crate) service: ServiceId,
    /// Through the gateway: the route that its requests match, if any.
    route: Option<traffic::Route>,
    routing_keys: RoutingKeys,
    ended: bool,
}

/// The label of the draw that says which key a request has.
const ROUTING_KEY: u64 = 0x006b_6579;

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
            gaps: seed.stream(&format!("load/{}/gaps", spec.name)),
            keys: seed.stream(&format!("load/{}/keys", spec.name)),
            callers: Vec::new(),
            turn: 0,
            lane: None,
            service,
            route,
            routing_keys: spec.keys,
            ended: false,
        }
    }

    /// The service that the gateway forwards this source's requests to.
    pub(crate) fn destination(&self, key: Key) -> Option<ServiceId> {
        Some(self.route.as_ref()?.choose(&mut key.draws())?.service)
    }

    /// The hash of what the request of this key is routed by. It follows from the request's key, so a request has the same one
    /// at every attempt and under every balancer.
    pub(crate) fn routing_hash(&self, key: Key) -> u64 {
        let own = key.derive(ROUTING_KEY);
        match self.routing_keys {
            RoutingKeys::Unique => own.0,
            RoutingKeys::Popular(zipf) => Key(ROUTING_KEY).derive(zipf.sample(&mut own.draws()).into()).0,
        }
    }

    /// The first arrivals of the run.
    pub(crate) fn first(&mut self) -> Vec<Instant> {
        match &self.arrivals {
            Arrivals::Closed { users, think } => {
                let think = think.clone();
                (0..*users).map(|_| Instant::ZERO + think.sample(&mut self.gaps)).collect()
            }
            _ => vec![self.next_after(Instant::ZERO)],
        }
    }

    /// When the next request of an open source arrives.
    #[inline]
    fn next_after(&mut self, now: Instant) -> Instant {
        let gaps = &mut self.gaps;
        let exponential =
            |rate: f64, gaps: &mut Rng| Duration::ns((base::dist::unit_exponential(gaps) * (1e9 / rate) + 0.5) as u64);
        match &self.arrivals {
            Arrivals::Poisson { rate } => now + exponential(*rate, gaps),
            Arrivals::Constant { rate } => now + Duration::ns((1e9 / rate).round() as u64),
            // A rate that changes: candidates at the highest rate, kept in proportion to the rate of the moment (Lewis
            // and Shedler, "Simulation of Nonhomogeneous Poisson Processes by Thinning", 1979).
            varying => {
                let peak = varying.peak_rate();
                let mut at = now;
                loop {
                    at += exponential(peak, gaps);
                    if gaps.unit() * peak < varying.rate_at(at) {
                        return at;
                    }
                }
            }
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

impl World {
    /// A request arrives at its source.
    #[inline]
    pub(crate) fn arrive(&mut self, index: u32) {
        let now = self.kernel.now();
        let load = &mut self.loads[index as usize];
        if load.ended {
            return;
        }
        let key = load.keys.key();
        if !matches!(load.arrivals, Arrivals::Closed { .. }) {
            let next = load.next_after(now);
            self.kernel.world_in_lane(load.lane, next, Msg::Arrive(index));
        }
        let mut caller = load.callers[load.turn as usize];
        load.turn = (load.turn + 1) % load.callers.len() as u32;
        let service = load.service;
        // A source that is down sends nothing; its users come back to one that is not.
        if load.callers.len() > 1
            && !self.kernel.nodes().is_running(self.callers[caller as usize].node)
            && let Some(&other) =
                load.callers.iter().find(|&&c| self.kernel.nodes().is_running(self.callers[c as usize].node))
        {
            caller = other;
        }
        self.metrics.arrive(now);
        if let Some(probe) = &mut self.probe {
            probe.arrivals.push((now, key));
        }
        self.begin_call(Parent::Source(index), caller, service, key, false);
    }

    /// A user of a closed source has an answer, and thinks.
    #[inline]
    pub(crate) fn user_answered(&mut self, index: u32) {
        let load = &mut self.loads[index as usize];
        let Arrivals::Closed { think, .. } = &load.arrivals else { return };
        // An answer that takes no time at all must not make a loop that takes none either.
        let pause = think.sample(&mut load.gaps).max(Duration::ns(1));
        let at = self.kernel.now() + pause;
        self.kernel.world_at(at, Msg::Arrive(index));
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

    fn arrivals(arrivals: Arrivals, seconds: u64) -> Vec<Instant> {
        let spec = LoadSpec {
            name: "users".into(),
            target: Target::Service(ServiceId(0)),
            arrivals,
            sources: 1,
            keys: RoutingKeys::Unique,
        };
        let mut load = Load::new(&spec, Seed(11), ServiceId(0), &[]);
        let mut at = load.first()[0];
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
}
