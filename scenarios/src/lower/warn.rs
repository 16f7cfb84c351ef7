//! Warnings that concern several sections: what runs, but probably not as its author thinks. Those of one section are
//! in its file.

use super::capacity::{capacity, offered};
use crate::problem::Problem;
use crate::section::Scenario;
use world::Spec;
use world::spec::RoutingKeys;

/// Adds what there is to warn of in a scenario that can run.
pub(crate) fn check(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
    overload(scenario, spec, warnings);
    lonely_sessions(scenario, spec, warnings);
}

const OVERLOAD: &str = "is offered more work than it can do";

/// Whether a warning is that of a service that is offered more than its capacity. A study says so itself, cell by cell.
pub(crate) fn is_overload(problem: &Problem) -> bool {
    problem.message.ends_with(OVERLOAD)
}

/// Services that are offered more work than they can do.
fn overload(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
    let offered = offered(spec);
    for (service, rate) in spec.services.iter().zip(offered) {
        let capacity = capacity(service);
        if rate >= capacity {
            let place = scenario.service.keys().find(|name| name.value == service.name);
            warnings.push(
                Problem::new(format!("`{}` {OVERLOAD}", service.name))
                    .span(place.and_then(|name| name.span.clone()))
                    .label(format!("{rate:.1}/s arrive, {capacity:.1}/s can be served: its queue grows without end"))
                    .warning(),
            );
        }
    }
}

/// Sessions of one request each.
fn lonely_sessions(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
    if spec.loads.iter().any(|load| load.keys != RoutingKeys::Unique) {
        return;
    }
    for service in &spec.services {
        let table = scenario.service.iter().find(|(name, _)| name.value == service.name);
        let rules = table.and_then(|(_, table)| table.value.eligibility.as_ref());
        if let Some(sticky) = rules.and_then(|rules| rules.value.sticky.as_ref()).filter(|sticky| sticky.value) {
            warnings.push(
                Problem::at(sticky, "no session is ever seen twice")
                    .label("every request has a key of its own: give a load `keys`, such as { count = 1000 }")
                    .warning(),
            );
        }
    }
}
