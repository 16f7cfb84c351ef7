//! What balancing would take in memory: every caller of a service has a balancer of its own, with hosts, counts, and
//! for strategies that go by keys a table or ring of its own.
//!
//! Ten thousand gateways with a ring of 400 MB each pass every check of one ring, and no machine holds them. The sum
//! over all callers is an upper bound, from [`Strategy::bytes_over`], and refused above a bound before anything is
//! built.

use crate::problem::Problem;
use crate::section::Scenario;
use base::ServiceId;
use world::Spec;
use world::balancer::{Host, Strategy};
use world::spec::Target;

/// Bytes that all balancers of a run may take together.
const BYTES_MAX: u64 = 16 << 30;

/// Reports every service whose callers' balancers take more than a machine has.
pub(crate) fn check(scenario: &Scenario, spec: &Spec) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, service) in spec.services.iter().enumerate() {
        let callers = callers(spec, ServiceId(index as u32));
        let host = |n: u32| Host { weight: service.template.weight(n), ..Host::new(base::InstanceId(n)) };
        let hosts: Vec<Host> = (0..service.instances).map(host).collect();
        // Groups of priorities, zones and subsets share the hosts out, and every zone may have its own.
        let groups = if service.eligibility.is_some() { spec.zones.len() as u64 + 1 } else { 1 };
        let each = Strategy::bytes_over(service.balancer, &hosts).saturating_mul(groups);
        if each.saturating_mul(callers) <= BYTES_MAX {
            continue;
        }
        let table = scenario.service.iter().find(|(name, _)| name.as_str() == service.name).map(|(_, at)| at);
        let place = table.and_then(|at| at.balancer.as_ref()).and_then(|at| at.span.clone());
        let place = place.or_else(|| scenario.balancer.as_ref().and_then(|at| at.span.clone()));
        let place = place.or_else(|| table.and_then(|at| at.span.clone()));
        let mega = |bytes: u64| bytes.div_ceil(1_000_000);
        let said = format!(
            "{callers} callers of `{}` with a {} of up to {} MB each would take {} GB",
            service.name,
            service.balancer.name(),
            mega(each),
            each.saturating_mul(callers).div_ceil(1_000_000_000)
        );
        let label = format!("up to {} GB are run here: fewer callers, instances or points", BYTES_MAX >> 30);
        problems.push(Problem::new(said).span(place).label(label));
    }
    problems
}

/// Nodes that have a balancer for a service: sources of its loads, gateways that route to it, instances that call it.
fn callers(spec: &Spec, service: ServiceId) -> u64 {
    let sources = |is_meant: &dyn Fn(&Target) -> bool| -> u64 {
        spec.loads.iter().filter(|load| is_meant(&load.target)).map(|load| u64::from(load.sources)).sum()
    };
    let direct = sources(&|target| matches!(target, Target::Service(other) if *other == service));
    let gateways = spec.gateway.as_ref().map_or(0, |gateway| {
        let mut routed = gateway.routes.iter().flat_map(|route| &route.action.destinations);
        if routed.any(|to| to.service == service) { u64::from(gateway.instances) } else { 0 }
    });
    let calls = spec.services.iter().filter(|other| other.calls.iter().flatten().any(|call| call.service == service));
    direct + gateways + calls.map(|other| u64::from(other.instances)).sum::<u64>()
}
