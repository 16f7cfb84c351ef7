//! Faults drawn for a scenario: which kind, whom, when and how long. Each kind says itself how its parameters are
//! drawn.
//!
//! Each fault comes from a stream of its own, by its number, and its name is that number: the first three of ten are
//! the three of three, and taking one out changes nothing about the others.

use super::Dice;
use crate::At;
use crate::lower::with_names;
use crate::scalar::{Ranged, Span};
use crate::section::fault::FaultKind;
use crate::section::{Fault, Scenario};
use crate::select::Names;
use base::{Duration, Ratio, Seed};
use world::outcome::Phases;

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
    let what = kind.draw_whom(dice, names);
    let ns = |span: Duration| span.as_nanos();
    let (from, until) = (ns(phases.warmup), ns(phases.warmup + phases.storm));
    // Now and then within the first or the last nanosecond of the storm.
    let at = match dice.extreme() {
        true => Ranged::Exactly(Span(Duration::ns(*dice.one(&[from, until])))),
        false => dice.ranged(|dice| Span(Duration::ns(dice.even(from..=until)))),
    };
    let left = until - ns(at.high().0);
    let lasts = (!kind.is_momentary()).then(|| At::new(dice.or_forever(left)));
    let parameters = kind.draw(dice).0;
    Fault {
        name: Some(At::new(format!("{} {}", kind.name(), number + 1))),
        kind: Some(At::new(kind)),
        what: Some(At::new(what)),
        at: Some(At::new(at)),
        lasts,
        parameters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weather(faults: u32) -> Weather {
        Weather { faults, kinds: FaultKind::ALL.to_vec(), extremes: Ratio::percent(10) }
    }

    #[test]
    fn every_kind_is_drawn_for_every_scenario_of_the_library_and_can_run() {
        for entry in crate::library() {
            let Ok(mut scenario) = crate::parse(entry.text, entry.name) else { panic!("{} parses", entry.name) };
            let drawn = faults(&scenario, Seed(1), &weather(400));
            for name in FaultKind::NAMES {
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
}
