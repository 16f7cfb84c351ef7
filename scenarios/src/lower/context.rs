//! What lowering needs everywhere, and what it collects: the scenario, the seed, the names that sections refer to; the
//! problems and the values drawn.

use super::declare::Declared;
use crate::At;
use crate::problem::{Problem, known};
use crate::scalar::{Inner, Ranged, Unit};
use crate::section::Scenario;
use base::{Duration, Seed, ServiceId, VersionId, streams};
use std::ops::Range;
use world::outcome::Phases;

/// What lowering needs everywhere, and what it collects.
pub(crate) struct Context<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(super) seed: Seed,
    pub(super) problems: Vec<Problem>,
    /// Key and value of everything drawn, in the order in which it was drawn.
    pub(super) drawn: Vec<(String, String)>,
    pub(crate) services: Vec<Declared<'s>>,
    pub(crate) phases: Phases,
}

impl<'s> Context<'s> {
    pub(super) fn new(scenario: &'s Scenario, seed: Seed) -> Self {
        let phases = Phases { warmup: Duration::ZERO, storm: Duration::ZERO, calm: Duration::ZERO };
        Context { scenario, seed, problems: Vec::new(), drawn: Vec::new(), services: Vec::new(), phases }
    }
}

impl Context<'_> {
    /// Keeps a problem.
    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether a problem was found within one of these places.
    pub(crate) fn has_problem_within(&self, places: &[Option<Range<usize>>]) -> bool {
        let within = |span: &Range<usize>| places.iter().flatten().any(|p| p.start <= span.start && span.end <= p.end);
        self.problems.iter().filter_map(|problem| problem.span.as_ref()).any(within)
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

    /// The value of `key` in the table at `path`, or one drawn from its range by the stream of `path/key`; none where
    /// the key is left out.
    pub(crate) fn draw_key<T: Unit + Inner>(
        &mut self,
        path: &str,
        key: &str,
        at: &Option<At<Ranged<T>>>,
    ) -> Option<T::Inner> {
        at.as_ref().map(|at| self.draw(&format!("{path}/{key}"), &at.value).inner())
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
}
