//! Faults drawn for a scenario: each kind of the catalogue says here how it is drawn.
//!
//! Each fault comes from a stream of its own, by its number, and its name is that number: the first three of ten are
//! the three of three, and taking one out changes nothing about the others.

use super::{Dice, whom};
use crate::At;
use crate::lower::with_names;
use crate::scalar::{Factor, Ranged, Span};
use crate::section::fault::{By, FaultKind, How};
use crate::section::{Distribution, Fault, Scenario};
use crate::select::Names;
use base::{Duration, Ratio, Seed};
use world::outcome::Phases;

/// The usual delay of a packet: ten milliseconds.
const DELAY: u64 = 10_000_000;
/// The longest that a packet is held back so that others overtake it.
const REORDER_MAX: u64 = 10_000_000_000;
/// The longest a failing instance takes to fail.
const ERROR_AFTER_MAX: u64 = 10_000_000_000;

/// What may be drawn.
#[derive(Clone, Debug)]
pub struct Weather {
    /// How many faults.
    pub faults: u32,
    /// Of which kinds; at least one.
    pub kinds: Vec<FaultKind>,
    /// The chance that a number is the least or the most it can be: shares of nothing and of everything, clocks that
    /// stand still, lines of one bit per second.
    pub extremes: Ratio,
}

/// Faults that `scenario` can have in addition to those it has, or in their place: its nodes, its zones, its storm.
/// What it is returned with them still parses, and lowers with every seed.
///
/// None where no fault can be: in a scenario without services or load, which is none.
pub fn faults(scenario: &Scenario, seed: Seed, weather: &Weather) -> Vec<Fault> {
    with_names(scenario, |names, phases| {
        if names.services.is_empty() || names.loads.is_empty() {
            return Vec::new();
        }
        let stream = |n: u32| Dice::new(seed.nth("draw/fault", n.into()), weather.extremes);
        (0..weather.faults).map(|n| fault(&mut stream(n), n, &weather.kinds, names, phases)).collect()
    })
}

fn fault(dice: &mut Dice, number: u32, kinds: &[FaultKind], names: &Names<'_>, phases: Phases) -> Fault {
    let kind = *dice.one(kinds);
    let what = if kind.is_between() { whom::path(dice, names) } else { whom::set(dice, names) };
    let ns = |span: Duration| span.as_nanos();
    let (from, until) = (ns(phases.warmup), ns(phases.warmup + phases.storm));
    // Now and then within the first or the last nanosecond of the storm.
    let at = match dice.extreme() {
        true => Ranged::Exactly(Span(Duration::ns(*dice.one(&[from, until])))),
        false => dice.ranged(|dice| Span(Duration::ns(dice.even(from..=until)))),
    };
    let left = until - ns(at.high().0);
    let lasts = (!kind.is_momentary()).then(|| At::new(dice.or_forever(left)));
    let own = own(dice, kind);
    Fault {
        name: Some(At::new(format!("{} {}", kind.name(), number + 1))),
        kind: Some(At::new(kind)),
        what: Some(At::new(what)),
        at: Some(At::new(at)),
        lasts,
        how: own.how,
        factor: own.factor,
        by: own.by,
        share: own.share,
        bandwidth: own.bandwidth,
    }
}

/// What a kind of fault says besides kind, whom and when. Every kind is named here: a new one is drawn, or nothing
/// compiles.
fn own(dice: &mut Dice, kind: FaultKind) -> Fault {
    let mut own = Fault::default();
    let factor = |dice: &mut Dice| {
        let most = if dice.extreme() { 1e6 } else { 50.0 };
        Some(At::new(dice.ranged(|dice| Factor(dice.factor(1e-3, most).0))))
    };
    let text = |text: String| Some(At::new(By::Text(text)));
    match kind {
        FaultKind::Pause
        | FaultKind::Partition
        | FaultKind::Clog
        | FaultKind::Swizzle
        | FaultKind::DiskFull
        | FaultKind::DiskCorrupt => {}
        FaultKind::Crash => own.how = dice.maybe(2, 3, |dice| *dice.one(&[How::Process, How::Machine])),
        FaultKind::Slow | FaultKind::DiskSlow => own.factor = factor(dice),
        FaultKind::Error => {
            own.share = dice.maybe(1, 2, |dice| dice.ranged(Dice::share));
            own.by = dice.maybe(1, 2, |dice| By::Text(dice.span(0..=ERROR_AFTER_MAX).to_string()));
        }
        FaultKind::Delay => {
            own.by = Some(At::new(match dice.distribution(DELAY) {
                Distribution::Constant(span) => By::Text(span.to_string()),
                Distribution::Table(table) => By::Table(table),
            }));
        }
        FaultKind::Loss | FaultKind::Duplicate => own.share = Some(At::new(dice.ranged(Dice::share))),
        FaultKind::Reorder => {
            own.share = Some(At::new(dice.ranged(Dice::share)));
            own.by = text(dice.span(0..=REORDER_MAX).to_string());
        }
        FaultKind::Throttle => own.bandwidth = Some(At::new(dice.bandwidth())),
        FaultKind::ClockStep => own.by = text(dice.step().to_string()),
        FaultKind::ClockDrift => own.by = text(dice.drift().to_string()),
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::kernel::fault::CATALOGUE;

    fn weather(faults: u32) -> Weather {
        Weather { faults, kinds: FaultKind::ALL.to_vec(), extremes: Ratio::percent(10) }
    }

    #[test]
    fn every_kind_is_drawn_for_every_scenario_of_the_library_and_can_run() {
        for entry in crate::library() {
            let Ok(mut scenario) = crate::parse(entry.text, entry.name) else { panic!("{} parses", entry.name) };
            let drawn = faults(&scenario, Seed(1), &weather(400));
            for (name, _) in CATALOGUE {
                let is_drawn = drawn.iter().any(|f| f.kind.as_ref().is_some_and(|kind| kind.value.name() == *name));
                assert!(is_drawn, "{name} never came up");
            }
            // Names of its own faults may be made of the same words as those that are drawn.
            scenario.fault = drawn.into_iter().map(At::new).collect();
            let text = crate::to_toml(&scenario);
            let checked = crate::check(&text, entry.name);
            let said = crate::render(&checked.problems, entry.name, &text, false);
            assert_eq!(checked.scenario.as_ref(), Some(&scenario), "{said}");
        }
    }

    #[test]
    fn a_fault_is_its_seed_and_its_number() {
        let entry = crate::find("weather").expect("it is in the library");
        let scenario = crate::parse(entry.text, entry.name).expect("it parses");
        let (few, many) = (faults(&scenario, Seed(7), &weather(3)), faults(&scenario, Seed(7), &weather(10)));
        assert_eq!(few, many[..3]);
        assert_ne!(few, faults(&scenario, Seed(8), &weather(3)));
    }

    #[test]
    fn kinds_are_those_of_the_catalogue() {
        let all: Vec<&str> = FaultKind::ALL.into_iter().map(FaultKind::name).collect();
        assert_eq!(all, CATALOGUE.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
