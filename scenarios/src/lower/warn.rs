//! What runs, but probably not as its author thinks.

use super::capacity::{capacity, offered};
use crate::problem::Problem;
use crate::schema::Scenario;
use world::Spec;
use world::balancer::strategy::catalogue;
use world::outcome::CheckKind;
use world::spec::RoutingKeys;
use world::traffic::RouteTable;

pub(crate) fn check(scenario: &Scenario, spec: &Spec) -> Vec<Problem> {
    let mut warnings = Vec::new();
    overload(scenario, spec, &mut warnings);
    idle_weights(scenario, spec, &mut warnings);
    lonely_sessions(scenario, spec, &mut warnings);
    unreachable_routes(scenario, spec, &mut warnings);
    unreachable_checks(scenario, spec, &mut warnings);
    warnings
}

const OVERLOAD: &str = "is offered more work than it can do";

/// Whether a warning is that of a service without a chance. A study says so itself, cell by cell.
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

/// Weights that nobody goes by.
fn idle_weights(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
    for service in &spec.services {
        let table = scenario.service.iter().find(|(name, _)| name.value == service.name);
        let Some(weights) = table.and_then(|(_, table)| table.value.weights.as_ref()) else { continue };
        let name = service.balancer.name();
        if catalogue::all().iter().any(|info| info.name == name && !info.weighted) {
            let weighted: Vec<&str> = catalogue::all().iter().filter(|i| i.weighted).map(|i| i.name).collect();
            warnings.push(
                Problem::at(weights, format!("`{name}` does not go by weight"))
                    .label(format!("these do: {}", weighted.join(", ")))
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

fn unreachable_routes(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
    let (Some(gateway), Some(table)) = (&spec.gateway, &scenario.gateway) else { return };
    for (earlier, later) in RouteTable::new(gateway.routes.clone()).unreachable() {
        warnings.push(
            Problem::at(&table.route[later], format!("the route `{}` is never reached", gateway.routes[later].name))
                .label(format!("`{}` matches everything before it", gateway.routes[earlier].name))
                .warning(),
        );
    }
}

/// Checks that cannot come true because what they speak of is not there.
fn unreachable_checks(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
    let Some(expect) = &scenario.expect else { return };
    for (kind, name) in &spec.expect.checks {
        let why = match name.as_str() {
            _ if *kind == CheckKind::Always => continue,
            "rollout_completed" | "rollout_rolled_back" | "rollout_settles" | "rollback_restores"
                if spec.rollouts.is_empty() =>
            {
                "there is no [[rollout]]"
            }
            "lease_expired" | "views_converge" if spec.registry.is_none() => "there is no [registry]",
            "instance_died" | "stale_view_used" | "lease_expired" if spec.faults.is_empty() => "there is no [[fault]]",
            "retry_sent" if spec.services.iter().all(|s| s.policy.retry.is_none()) => "no policy retries",
            "breaker_opened" if spec.services.iter().all(|s| s.policy.breaker.is_none()) => "no policy has a breaker",
            "request_refused" if spec.services.iter().all(|s| s.queue_limit.is_none()) => {
                "no service has a `queue_limit`"
            }
            _ => continue,
        };
        let place = expect.eventually.iter().chain(&expect.sometimes).find(|at| at.value == *name);
        let what = if *kind == CheckKind::Sometimes { "can never be reached" } else { "has nothing to test" };
        warnings.push(
            Problem::new(format!("`{name}` {what}")).span(place.and_then(|at| at.span.clone())).label(why).warning(),
        );
    }
}
