//! How much work a scenario may be: from what a request costs at most, and how long the run lasts, to rates and users.

use super::{Draft, SECOND, at};
use base::{Duration, Seed};
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::scalar::{Count, Ranged, Rate, Span, Utilization};
use scenarios::section::load::Shape;
use scenarios::section::{Distribution, Load, Scenario};
use world::Spec;
use world::spec::{Arrivals, LoadSpec, Target};
use world::traffic::{Backoff, RetryBudget};

/// Events that the requests of a scenario cause, about, when every attempt fails.
const EVENTS: f64 = 600_000.0;
/// Events of an attempt: it is sent, it arrives, it is served, answered, timed out, and perhaps probed for.
const PER_ATTEMPT: f64 = 7.0;
/// How often something that nodes do over and over happens, on all of them together.
pub(super) const ROUTINE: u64 = 20_000;
/// Nodes times seconds, for what they do by themselves every few seconds.
pub(super) const NODE_SECONDS: u64 = 40_000;
/// How long a run may go on after calm, until what is under way has ended.
pub(super) const DRAIN: u64 = 60 * SECOND;
/// A run that is longer has nothing that is done every few seconds.
pub(super) const ROUTINE_LONGEST: u64 = 50_000 * SECOND;
/// The longest span that a distribution may have.
pub(super) const DAY: u64 = 24 * 3_600 * SECOND;
/// The longest span that can be written: a hundred years.
pub(super) const LONGEST: u64 = 100 * 365 * DAY;
/// The least rate.
pub(super) const LEAST: Rate = Rate(1e-6);
/// The greatest.
const MOST: f64 = 1e9;

/// Gives each load as much to send as fits.
pub(super) fn fit(scenario: &mut Scenario, draft: &Draft) {
    // What cannot run has no size; it is what the tests look for.
    let Ok(spec) = scenario.lower(Seed(0)) else { return };
    let costs = costs(&spec, draft.total + DRAIN);
    let loads = spec.loads.len() as f64;
    for load in &spec.loads {
        let cost = match &load.target {
            Target::Service(service) => costs[service.index()],
            Target::Gateway { .. } => PER_ATTEMPT + costs.iter().copied().fold(0.0, f64::max),
        };
        let requests = (EVENTS / loads / cost).max(1.0);
        let mut dice = draft.dice(&format!("size/{}", load.name));
        let key = At::new(load.name.clone());
        let Some(table) = scenario.load.get_mut(&key) else { continue };
        match &load.arrivals {
            Arrivals::Closed { .. } => closed(&mut dice, &mut table.value, &spec, load, requests, draft),
            _ => open(&mut dice, &mut table.value, requests, draft),
        }
        if dice.happens(1, 4) {
            by_utilization(scenario, &key);
        }
    }
}

/// What a request to each service costs in events, when every attempt fails at the last moment.
fn costs(spec: &Spec, total: u64) -> Vec<f64> {
    // Calls go to later services only.
    let mut costs = vec![0.0; spec.services.len()];
    for _ in 0..spec.services.len() {
        for (index, service) in spec.services.iter().enumerate() {
            let calls: f64 = service.calls.iter().flatten().map(|call| costs[call.service.index()]).sum();
            costs[index] = attempts(&service.policy, total) * (PER_ATTEMPT + calls);
        }
    }
    costs
}

fn attempts(policy: &world::traffic::Policy, total: u64) -> f64 {
    let Some(retry) = policy.retry else { return 1.0 };
    if policy.budget == RetryBudget::None {
        return 1.0;
    }
    let pause = match retry.backoff {
        Backoff::Constant(pause) => pause,
        _ => Duration::ZERO,
    };
    let fitting = total as f64 / pause.as_nanos().max(1) as f64;
    1.0 + f64::from(retry.max_retries).min(fitting)
}

fn written(rate: f64) -> Rate {
    Rate(((rate * 1e6).round() / 1e6).clamp(LEAST.0, MOST))
}

fn open(dice: &mut Dice, load: &mut Load, requests: f64, draft: &Draft) {
    let requests = match dice.extreme() {
        true => *dice.one(&[1.0, requests]),
        false => dice.magnitude((requests / 100.0).max(1.0) as u64..=requests.max(1.0) as u64) as f64,
    };
    let seconds = draft.total as f64 / 1e9;
    let rate = written(requests / seconds);
    let ranged = |dice: &mut Dice, high: Rate| match dice.happens(1, 5) {
        true if high.0 > 2e-6 => Ranged::Between(written(high.0 / 2.0), high),
        _ => Ranged::Exactly(high),
    };
    let (Some(every), Some(lasts)) = (&load.every, &load.lasts) else {
        load.rate = Some(at(ranged(dice, rate)));
        return;
    };
    // In bursts comes what comes, between them a part of it.
    let share = lasts.0.as_nanos() as f64 / (every.0.as_nanos() as f64).min(draft.total as f64);
    let base = written(rate.0 * f64::from(dice.even(0..=10) as u32) / 10.0);
    let peak = written((rate.0 / share.min(1.0)).max(base.0));
    load.rate = Some(at(ranged(dice, base)));
    load.peak = Some(at(Ranged::Exactly(peak)));
}

fn closed(dice: &mut Dice, load: &mut Load, spec: &Spec, lowered: &LoadSpec, requests: f64, draft: &Draft) {
    let most = if dice.extreme() { requests.min(20_000.0) } else { requests.min(200.0) };
    // Nobody thinks for longer than a day.
    let most = most.min(requests * DAY as f64 / draft.total as f64);
    let users = dice.count(1..=most.max(1.0) as u32);
    load.users = Some(at(match dice.happens(1, 5) && users.0 > 1 {
        true => Ranged::Between(Count(users.0 / 2), users),
        false => Ranged::Exactly(users),
    }));
    let hop = spec.within_zone.latency.mean().min(spec.between_zones.latency.mean()).as_nanos();
    let circle = draft.total as f64 * f64::from(users.0) / requests;
    // Without thinking, what bounds a user is the way to the instance and back, or how soon it gives up.
    let patience = match &lowered.target {
        Target::Service(service) => spec.services[service.index()].policy.timeout,
        Target::Gateway { .. } => spec.gateway.as_ref().and_then(|gateway| gateway.client_timeout),
    };
    let shortest = patience.map_or(hop * 2, |patience| patience.as_nanos().min(hop * 2));
    let free = shortest as f64 >= circle;
    let no_time = hop == 0
        && matches!(&lowered.target, Target::Service(service)
            if spec.services[service.index()].service_time.constant() == Some(Duration::ZERO));
    if dice.happens(1, 2) && (free || no_time) {
        load.think = None;
        return;
    }
    // A distribution may be eight times shorter than is usual for it.
    let usual = (circle as u64).saturating_mul(8).max(1);
    let calm = &mut Dice::new(draft.seed.stream("generate/think"), base::Ratio::ZERO);
    load.think = Some(at(match usual >= DAY / 10 {
        true => Distribution::Constant(Span(Duration::ns(usual.min(DAY)))),
        false => calm.distribution(usual),
    }));
}

/// Says the same rate as a share of what the target can do, where that is known.
fn by_utilization(scenario: &mut Scenario, key: &At<String>) {
    let Some(before) = scenario.load.get(key).cloned() else { return };
    let shape = before.shape.as_ref().map_or(Shape::Poisson, |at| at.value);
    let Some(rate) = before.rate.as_ref().map(|at| at.high().0) else { return };
    if shape == Shape::Closed || shape == Shape::Bursts {
        return;
    }
    let with = |utilization: f64| {
        let mut load = before.clone();
        load.value.rate = None;
        load.value.utilization = Some(at(Ranged::Exactly(Utilization(utilization))));
        load
    };
    scenario.load.insert(key.clone(), with(1.0));
    let all = scenario.lower(Seed(0)).ok().and_then(|spec| {
        let load = spec.loads.iter().find(|load| load.name == key.value)?;
        match load.arrivals {
            Arrivals::Poisson { rate } | Arrivals::Constant { rate } => Some(rate),
            Arrivals::Diurnal { mean, .. } => Some(mean),
            _ => None,
        }
    });
    let asked = all.map(|all| ((rate / all) * 1e9).floor() / 1e9).filter(|asked| (1e-9..=10.0).contains(asked));
    scenario.load.insert(key.clone(), asked.map_or(before.clone(), with));
}
