//! From what was written to what runs: names become ids, presets become numbers, ranges are drawn from the seed.
//!
//! Every section lowers itself ([`Section`](crate::section::Section)); here is what it needs for that, and what
//! concerns several of them. Lowering goes on after a problem and reports all of them. Everything that a range may
//! become is checked at both of its ends, so what lowers with one seed lowers with every seed.
//!
//! Each range is drawn from a stream keyed by the path of its key (`scenario/load/shoppers/rate`), a fault's by its
//! name, so that adding or removing a section changes no other draw.

pub(crate) mod capacity;
mod context;
mod declare;
mod memory;
mod rules;
pub(crate) mod warn;

pub(crate) use context::Context;
pub(crate) use declare::names;
pub(crate) use rules::{Given, given, missing};

use crate::problem::{Problem, Severity};
use crate::section::topology;
use crate::section::{self, Scenario};
use crate::select::Names;
use base::{Duration, Instant, Seed};
use world::{Spec, outcome, spec};

/// The steps in which a run is told over time: enough for a plot, few enough to stay small.
const TIMELINE_STEPS: u32 = 240;

/// Lowers a scenario. The spec is there when no problem is an error.
pub(crate) fn lower(scenario: &Scenario, seed: Seed) -> (Option<Spec>, Vec<Problem>) {
    let mut cx = Context::new(scenario, seed);
    let mut spec = empty(scenario);
    declare::services(&mut cx);
    section::lower(&mut cx, &mut spec);
    let Context { mut problems, drawn, .. } = cx;
    spec.drawn = drawn;
    let is_wrong = |problems: &[Problem]| problems.iter().any(|problem| problem.severity == Severity::Error);
    if is_wrong(&problems) {
        return (None, problems);
    }
    problems.extend(memory::check(scenario, &spec));
    if is_wrong(&problems) {
        return (None, problems);
    }
    section::warn(scenario, &spec, &mut problems);
    warn::check(scenario, &spec, &mut problems);
    (Some(spec), problems)
}

/// The world of a scenario before any of its sections has been lowered: one in which nothing is.
fn empty(scenario: &Scenario) -> Spec {
    let (within_zone, between_zones) = topology::usual_links();
    Spec {
        name: scenario.name.clone(),
        title: scenario.title.as_ref().map_or(&scenario.name, |title| &title.value).clone(),
        phases: outcome::Phases { warmup: Duration::ZERO, storm: Duration::ZERO, calm: Duration::ZERO },
        zones: Vec::new(),
        within_zone,
        between_zones,
        registry: None,
        services: Vec::new(),
        gateway: None,
        loads: Vec::new(),
        rollouts: Vec::new(),
        faults: Vec::new(),
        expect: spec::Expect::default(),
        drawn: Vec::new(),
        timeline_steps: TIMELINE_STEPS,
    }
}

/// Lowers a part of a scenario that stands alone, in no scenario; everything that is wrong with it when something is.
pub(crate) fn alone<T>(lower: impl FnOnce(&mut Context<'_>) -> T) -> Result<T, Vec<Problem>> {
    let scenario = Scenario::default();
    let mut cx = Context::new(&scenario, Seed(0));
    let lowered = lower(&mut cx);
    if cx.problems.is_empty() { Ok(lowered) } else { Err(cx.problems) }
}

/// Does something with what selectors can name in a scenario, and with its phases. What is wrong with the scenario is
/// no matter here.
pub(crate) fn with_names<R>(scenario: &Scenario, use_them: impl FnOnce(&Names<'_>, outcome::Phases) -> R) -> R {
    let mut cx = Context::new(scenario, Seed(0));
    let mut spec = empty(scenario);
    declare::services(&mut cx);
    section::lower(&mut cx, &mut spec);
    use_them(&names(&cx, &spec), cx.phases)
}

/// A span counted from the beginning of the run, as a moment.
pub(crate) fn moment(span: Duration) -> Instant {
    Instant::ZERO + span
}
