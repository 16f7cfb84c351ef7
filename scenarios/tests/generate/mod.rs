//! Scenarios at random that can run: everything a file can say, of every size that has a meaning, with work that stays
//! bounded.
//!
//! A scenario is its seed. Each section is drawn from a stream of its own, so what one of them says does not move the
//! others; faults are drawn by the library (`scenarios::draw`). What would cost too much is not drawn and thrown away
//! but made smaller: rates, users and intervals follow from the time a scenario lasts and from how many nodes it has.

mod eligibility;
mod entry;
mod policy;
mod registry;
mod rollout;
mod services;
mod size;
mod topology;

use base::{Draw, Duration, Ratio, Seed};
use scenarios::draw::{Dice, Weather, faults};
use scenarios::scalar::{AtLeast, AtMost, Span};
use scenarios::section::expect::Slo;
use scenarios::section::fault::FaultKind;
use scenarios::section::{Expect, Phases, Scenario};
use scenarios::{At, to_toml};
use services::Sketch;
use world::invariant;
use world::outcome::CheckKind;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

/// What the parts of a scenario know of each other while it is drawn.
pub(crate) struct Draft {
    seed: Seed,
    /// The chance of an extreme in this scenario: most have few, some have many.
    extremes: Ratio,
    /// Nanoseconds.
    total: u64,
    zones: Vec<String>,
    services: Vec<Sketch>,
    /// How many nodes call services, at most.
    callers: u32,
    /// Nodes of one group, at most.
    members: u32,
}

impl Draft {
    /// The stream of a section.
    fn dice(&self, section: &str) -> Dice {
        Dice::new(self.seed.stream(&format!("generate/{section}")), self.extremes)
    }

    /// The shortest interval of something that `members` nodes do over and over, for all of it to stay within bounds.
    fn interval(&self, members: u64) -> u64 {
        ((self.total + size::DRAIN) / (size::ROUTINE / members.max(1)).max(1)).max(1)
    }
}

fn at<T>(value: T) -> At<T> {
    At::new(value)
}

fn text(text: &str) -> At<String> {
    at(text.to_string())
}

fn span(ns: u64) -> At<Span> {
    at(Span(Duration::ns(ns)))
}

/// The scenario of a seed.
pub(crate) fn scenario(seed: u64) -> Scenario {
    let seed = Seed(seed);
    let mut rng = seed.stream("generate/size");
    let extremes = Ratio::percent([0, 2, 2, 5, 15][rng.below(5) as usize]);
    let mut dice = Dice::new(rng, extremes);
    let phases = phases(&mut dice);
    let total: u64 = phases.iter().flatten().map(|at| at.0.as_nanos()).sum();
    // Long runs have few nodes: what nodes do by themselves, such as renewing a lease, they do every few seconds.
    let members = (size::NODE_SECONDS / (total / SECOND).max(1)).clamp(1, 300) as u32;
    let mut draft = Draft { seed, extremes, total, zones: Vec::new(), services: Vec::new(), callers: 0, members };
    let topology = topology::topology(&mut draft);
    let mut scenario = Scenario {
        name: "generated".to_string(),
        title: dice.maybe(1, 2, |dice| format!("drawn: \"{}\" {}", dice.share(), dice.one(&["é 🦀", "\\", "", "#"]))),
        phases: at(Phases { warmup: phases[0].clone(), storm: phases[1].clone(), calm: phases[2].clone() }).into(),
        topology,
        ..Scenario::default()
    };
    services::sketch(&mut draft);
    scenario.gateway = entry::gateway(&mut draft);
    scenario.load = entry::loads(&mut draft, scenario.gateway.as_deref());
    draft.callers = callers(&scenario, &draft);
    scenario.balancer = draft.dice("balancer").maybe(1, 3, |dice| services::balancer(dice, &draft, 1).0);
    scenario.policy = draft.dice("policy").maybe(1, 2, |dice| policy::policy(dice, &draft));
    scenario.service = services::services(&draft, scenario.balancer.is_some());
    scenario.registry = registry::registry(&draft);
    scenario.rollout = rollout::rollouts(&draft);
    size::fit(&mut scenario, &draft);
    let mut dice = draft.dice("faults");
    let some = if dice.happens(1, 4) { 12 } else { 4 };
    let weather = Weather { faults: dice.even(0..=some) as u32, kinds: FaultKind::ALL.to_vec(), extremes };
    scenario.fault = faults(&scenario, seed, &weather).into_iter().map(At::new).collect();
    for fault in &mut scenario.fault {
        if dice.happens(1, 3) {
            fault.value.name = None;
        }
    }
    scenario.expect = draft.dice("expect").maybe(1, 2, |dice| expect(dice, &draft));
    scenario
}

/// The text of a seed's scenario, as a file to keep.
pub(crate) fn file(seed: u64) -> String {
    to_toml(&scenario(seed))
}

/// Warm-up, storm and calm. Most of them are of seconds, some of anything from nanoseconds to decades.
fn phases(dice: &mut Dice) -> [Option<At<Span>>; 3] {
    if dice.happens(1, 30) {
        return [None, None, None].map(|_: Option<()>| Some(span(SECOND)));
    }
    let usual = match dice.even(0..=11) {
        0 => 1..=MS,
        1 => MS..=SECOND,
        2 | 3 => 60 * SECOND..=HOUR,
        4 => HOUR..=12 * HOUR,
        5 if dice.extreme() => 1..=24 * 365 * 50 * HOUR,
        _ => SECOND..=60 * SECOND,
    };
    let mut phase = |least: u64| match dice.happens(1, 15) {
        true => span(least),
        false => at(dice.span(usual.clone())),
    };
    // Without storm and without calm nothing would be measured.
    [Some(phase(0)), Some(phase(0)), Some(phase(1))]
}

/// Nodes that call services.
fn callers(scenario: &Scenario, draft: &Draft) -> u32 {
    let sources: u32 = scenario.load.values().map(|load| load.sources.as_ref().map_or(1, |n| n.value.0)).sum();
    let gateways = scenario.gateway.as_ref().map_or(0, |g| g.instances.as_ref().map_or(1, |n| n.high().0));
    let calling: u32 = draft.services.iter().filter(|service| !service.calls.is_empty()).map(|s| s.instances).sum();
    sources + gateways + calling
}

fn expect(dice: &mut Dice, draft: &Draft) -> Expect {
    let mut named = |kind: CheckKind| {
        let all = invariant::all().filter(|info| info.kind == kind);
        all.filter(|_| dice.happens(1, 3)).map(|info| text(info.name)).collect::<Vec<_>>()
    };
    let (always, eventually, sometimes) =
        (named(CheckKind::Always), named(CheckKind::Eventually), named(CheckKind::Sometimes));
    let limit = |dice: &mut Dice| AtMost(dice.span(0..=60 * SECOND));
    let slo = |dice: &mut Dice| Slo {
        service: Some(text(&dice.one(&draft.services).name)),
        success: Some(at(AtLeast(dice.share()))),
        p50: dice.maybe(1, 2, limit),
        p99: dice.maybe(1, 2, limit),
        mean: dice.maybe(1, 2, limit),
    };
    let slo = (0..dice.even(0..=2)).map(|_| at(slo(dice))).collect();
    Expect { always, eventually, sometimes, slo }
}
