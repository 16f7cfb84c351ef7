//! From what was written to what runs: names become ids, presets become numbers, ranges are drawn from the seed.
//!
//! Lowering goes on after a problem and reports all of them. Everything that a range may become is checked at both of
//! its ends, so what lowers with one seed lowers with every seed.
//!
//! Each range is drawn from a stream keyed by the path of its key (`scenario/load/shoppers/rate`), a fault's by its
//! name, so that adding or removing a section changes no other draw.

mod balancer;
pub(crate) mod capacity;
mod declare;
pub(crate) mod distribution;
pub(crate) mod eligibility;
mod expect;
mod gateway;
mod load;
mod memory;
mod network;
pub(crate) mod policy;
mod registry;
mod rollout;
mod service;
pub(crate) mod warn;

use crate::At;
use crate::problem::{Problem, Severity, known};
use crate::scalar::{Ranged, Unit};
use crate::schema::Scenario;
use crate::select::Names;
use base::{Duration, Instant, Seed, ServiceId, VersionId, streams};
use declare::Declared;
use std::ops::Range;
use world::Spec;
use world::outcome::Phases;
use world::roles::{self, Role};

/// In how many steps a run is told over time: enough for a plot, few enough to stay small.
const TIMELINE_STEPS: u32 = 240;

/// What lowering needs everywhere, and what it collects.
pub(crate) struct Context<'s> {
    pub(crate) scenario: &'s Scenario,
    seed: Seed,
    problems: Vec<Problem>,
    drawn: Vec<(String, String)>,
    pub(crate) services: Vec<Declared<'s>>,
    pub(crate) phases: Phases,
}

/// Lowers a scenario. The spec is there when no problem is an error.
pub(crate) fn lower(scenario: &Scenario, seed: Seed) -> (Option<Spec>, Vec<Problem>) {
    let mut cx = Context::new(scenario, seed);
    cx.phases = phases_of(&mut cx);
    cx.services = declare::services(&mut cx);
    let (zones, within_zone, between_zones) = network::lower(&mut cx);
    let registry = registry::lower(&mut cx);
    let services = service::lower(&mut cx, &zones);
    let gateway = gateway::lower(&mut cx);
    let loads = load::lower(&mut cx, gateway.as_ref(), &services);
    let rollouts = rollout::lower(&mut cx);
    let names = names(&cx, &zones);
    let faults = crate::section::fault::lower(&mut cx, &names);
    let expect = expect::lower(&mut cx);
    let title = match &scenario.title {
        Some(title) => title.value.clone(),
        None => scenario.name.clone(),
    };
    let Context { mut problems, drawn, .. } = cx;
    let spec = Spec {
        name: scenario.name.clone(),
        title,
        phases: cx.phases,
        zones,
        within_zone,
        between_zones,
        registry,
        services,
        gateway,
        loads,
        rollouts,
        faults,
        expect,
        drawn,
        timeline_steps: TIMELINE_STEPS,
    };
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return (None, problems);
    }
    problems.extend(memory::check(scenario, &spec));
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return (None, problems);
    }
    problems.extend(warn::check(scenario, &spec));
    (Some(spec), problems)
}

/// Lowers a part of a scenario that stands alone, in no scenario; everything that is wrong with it when something is.
pub(crate) fn alone<T>(lower: impl FnOnce(&mut Context<'_>) -> T) -> Result<T, Vec<Problem>> {
    let scenario = Scenario::default();
    let mut cx = Context::new(&scenario, Seed(0));
    let lowered = lower(&mut cx);
    if cx.problems.is_empty() { Ok(lowered) } else { Err(cx.problems) }
}

fn phases_of(cx: &mut Context<'_>) -> Phases {
    let phases = cx.scenario.phases.as_ref();
    let span = |at: Option<&At<crate::scalar::Span>>, default| at.map_or(default, |span| span.value.0);
    let lowered = Phases {
        warmup: span(phases.and_then(|p| p.warmup.as_ref()), Duration::secs(10)),
        storm: span(phases.and_then(|p| p.storm.as_ref()), Duration::mins(2)),
        calm: span(phases.and_then(|p| p.calm.as_ref()), Duration::secs(60)),
    };
    if (lowered.storm + lowered.calm).is_zero() {
        let place = phases.and_then(|p| p.span.clone());
        cx.report(
            Problem::new("storm and calm last no time: nothing would be measured")
                .span(place)
                .label("such as { warmup = \"10s\", storm = \"2m\", calm = \"1m\" }"),
        );
    }
    lowered
}

/// Does something with what selectors can name in a scenario, and with its phases. What is wrong with the scenario is
/// no matter here.
pub(crate) fn with_names<R>(scenario: &Scenario, use_them: impl FnOnce(&Names<'_>, Phases) -> R) -> R {
    let mut cx = Context::new(scenario, Seed(0));
    cx.phases = phases_of(&mut cx);
    cx.services = declare::services(&mut cx);
    let (zones, ..) = network::lower(&mut cx);
    use_them(&names(&cx, &zones), cx.phases)
}

/// What selectors can name.
fn names<'a>(cx: &Context<'a>, zones: &'a [String]) -> Names<'a> {
    let scenario = cx.scenario;
    let nodes = |role: &'static Role| match role.tag {
        "registry" => scenario.registry.as_ref().map_or(0, |at| at.servers.as_ref().map_or(1, |n| n.value.0)),
        "gateway" => scenario.gateway.as_ref().map_or(0, |at| at.instances.as_ref().map_or(1, |n| n.low().0)),
        "load" => scenario.load.values().map(|load| load.sources.as_ref().map_or(1, |n| n.value.0)).sum(),
        _ => u32::from(!scenario.rollout.is_empty()),
    };
    let roles = roles::all().map(|role| (role, nodes(role))).collect();
    let loads = &cx.scenario.load;
    let rolled = |name: &str| cx.scenario.rollout.iter().any(|r| r.service.as_ref().is_some_and(|s| s.value == name));
    Names {
        services: cx.services.iter().map(|s| (s.name, s.instances_min, rolled(s.name))).collect(),
        zones: zones.iter().map(String::as_str).collect(),
        roles,
        loads: loads
            .iter()
            .map(|(name, load)| (name.as_str(), load.sources.as_ref().map_or(1, |n| n.value.0)))
            .collect(),
    }
}

impl<'s> Context<'s> {
    fn new(scenario: &'s Scenario, seed: Seed) -> Self {
        let phases = Phases { warmup: Duration::ZERO, storm: Duration::ZERO, calm: Duration::ZERO };
        Context { scenario, seed, problems: Vec::new(), drawn: Vec::new(), services: Vec::new(), phases }
    }
}

impl Context<'_> {
    /// Keeps a problem.
    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The value, or one drawn from its range by the stream of `key`.
    pub(crate) fn draw<T: Unit>(&mut self, key: &str, value: &Ranged<T>) -> T {
        match *value {
            Ranged::Exactly(value) => value,
            Ranged::Between(low, high) => {
                let drawn = T::between(low, high, &mut self.seed.stream(&streams::SCENARIO.of(&[&key])));
                self.drawn.push((key.to_string(), drawn.to_string()));
                drawn
            }
        }
    }

    /// The same for a key that may be left out.
    pub(crate) fn draw_or<T: Unit>(&mut self, key: &str, value: Option<&At<Ranged<T>>>, default: T) -> T {
        value.map_or(default, |value| self.draw(key, &value.value))
    }

    /// The service of this name; a problem when there is none.
    pub(crate) fn service(&mut self, name: &At<String>) -> Option<ServiceId> {
        if let Some(index) = self.services.iter().position(|s| s.name == name.as_str()) {
            return Some(ServiceId(index as u32));
        }
        let all: Vec<&str> = self.services.iter().map(|s| s.name).collect();
        let problem = Problem::at(name, format!("unknown service `{}`", name.value))
            .label(known(name, &all))
            .unless_lost(format!("service/{}", name.value));
        self.report(problem);
        None
    }

    /// The version of this name of a service; a problem when there is none.
    pub(crate) fn version(&mut self, service: ServiceId, name: &At<String>) -> Option<VersionId> {
        let declared = &self.services[service.index()];
        if let Some(index) = declared.versions.iter().position(|(text, _)| *text == name.as_str()) {
            return Some(VersionId(index as u32));
        }
        let all: Vec<&str> = declared.versions.iter().map(|(text, _)| *text).collect();
        let problem = Problem::at(name, format!("service `{}` has no version `{}`", declared.name, name.value))
            .label(known(name, &all))
            .help(format!("declare it: [service.{}] version.\"{}\" = {{}}", declared.name, name.value))
            .unless_lost(format!("service/{}/version", declared.name));
        self.report(problem);
        None
    }

    /// A problem for each key that is given and does not belong to what the table is.
    pub(crate) fn strays(&mut self, given: &[Given], belongs: &[&str], what: &str) {
        for (key, span) in given {
            if let Some(span) = span
                && !belongs.contains(key)
            {
                let label = match belongs {
                    [] => format!("{what} needs no more keys"),
                    keys => format!("{what} takes {}", keys.join(", ")),
                };
                self.report(Problem::new(format!("`{key}` has no meaning for {what}")).span(span.clone()).label(label));
            }
        }
    }
}

/// A key and, when it is given, where its value stands.
pub(crate) type Given = (&'static str, Option<Option<Range<usize>>>);

/// Which of these keys of a table are given, and where.
macro_rules! given {
    ($table:expr; $($key:ident),* $(,)?) => {
        [$((stringify!($key), $table.$key.as_ref().map(|at| at.span.clone()))),*]
    };
}
pub(crate) use given;

/// A span counted from the beginning of the run, as a moment.
pub(crate) fn moment(span: Duration) -> Instant {
    Instant::ZERO + span
}
