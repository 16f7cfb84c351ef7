//! Services, their versions, and whom they call.

use super::{Context, balancer, distribution, eligibility, policy};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent, Ranged};
use crate::schema::Service;
use crate::schema::service::{self as schema, Call, Stage};
use base::{Dist, Duration, Ratio, ServiceId};
use world::balancer::Strategy;
use world::spec::{CallSpec, Draining, InstanceTemplate, ServiceSpec, VersionSpec};

/// What an instance does unless it is told otherwise.
const CONCURRENCY: u32 = 8;
/// How many instances, versions and calls a service may have: what fits a run's tables, and far more than anybody's
/// file.
const INSTANCES_MAX: u32 = 100_000;
const VERSIONS_MAX: usize = 200;
const CALLS_MAX: usize = 200;
/// The heaviest an instance can be: what gRPC's weights are scaled to, and far more than a ratio anybody wants.
const WEIGHT_MAX: u32 = 65_535;
/// The processors an instance can have: a thousandth of one, the least that Kubernetes gives, and more than any machine
/// has.
const PROCESSORS_MIN: f64 = 0.001;
const PROCESSORS_MAX: f64 = 10_000.0;
/// How slow an instance can be; a thousand times slower than the others is as good as dead.
const SPEED_MIN: f64 = 0.001;

pub(crate) fn lower(cx: &mut Context<'_>, zones: &[String]) -> Vec<ServiceSpec> {
    let scenario = cx.scenario;
    let common_balancer = scenario.balancer.as_ref().map_or(Strategy::P2C, |at| balancer::lower(cx, at));
    let common_policy = scenario.policy.as_ref().map_or_else(policy::default, |at| policy::lower(cx, at, "policy"));
    let mut specs = Vec::new();
    for index in 0..cx.services.len() {
        let (name, service) = (cx.services[index].name, cx.services[index].service);
        let path = format!("service/{name}");
        at_least_one(cx, service.instances.as_ref(), "instance");
        at_most(cx, service.instances.as_ref(), INSTANCES_MAX, "instances of a service");
        at_least_one(cx, service.concurrency.as_ref(), "request at once");
        let balancer = service.balancer.as_ref().map_or(common_balancer, |at| balancer::lower(cx, at));
        structure(cx, service, balancer);
        specs.push(ServiceSpec {
            name: name.to_string(),
            instances: cx.draw_or(&format!("{path}/instances"), service.instances.as_ref(), Count(1)).0,
            concurrency: cx.draw_or(&format!("{path}/concurrency"), service.concurrency.as_ref(), Count(CONCURRENCY)).0,
            processors: service.processors.as_ref().map(|at| processors(cx, at, &path)),
            queue_limit: service.queue_limit.as_ref().map(|n| cx.draw(&format!("{path}/queue_limit"), &n.value).0),
            service_time: match &service.service_time {
                Some(at) => distribution::lower(cx, at),
                None => Dist::lognormal(Duration::ms(8), Duration::ms(40)),
            },
            template: template(cx, service),
            versions: versions(cx, index, service, &path),
            calls: calls(cx, service, &path),
            balancer,
            eligibility: service
                .eligibility
                .as_ref()
                .map(|at| eligibility::lower(cx, at, ServiceId(index as u32), balancer, zones)),
            policy: service
                .policy
                .as_ref()
                .map_or(common_policy, |at| policy::lower(cx, at, &format!("{path}/policy"))),
        });
    }
    cycles(cx, &specs);
    specs
}

fn at_least_one(cx: &mut Context<'_>, count: Option<&At<Ranged<Count>>>, what: &str) {
    if let Some(count) = count
        && count.low() == Count(0)
    {
        cx.report(Problem::at(count, format!("a service has at least one {what}")));
    }
}

/// More would be a slip of the finger, and would be found out by the machine's memory.
pub(crate) fn at_most(cx: &mut Context<'_>, count: Option<&At<Ranged<Count>>>, most: u32, what: &str) {
    if let Some(count) = count
        && count.high() > Count(most)
    {
        cx.report(Problem::at(count, format!("at most {most} {what}")));
    }
}

fn versions(cx: &mut Context<'_>, index: usize, service: &Service, path: &str) -> Vec<VersionSpec> {
    let declared = cx.services[index].versions.clone();
    if declared.len() > VERSIONS_MAX {
        let name = cx.services[index].name;
        cx.report(Problem::new(format!(
            "`{name}` has {} versions, at most {VERSIONS_MAX} are possible",
            declared.len()
        )));
    }
    let mut specs = Vec::new();
    for (text, version) in declared {
        let table = service.version.iter().find(|(name, _)| name.as_str() == text).map(|(_, table)| &table.value);
        let path = format!("{path}/version/{text}");
        let error_rate = table.and_then(|t| t.error_rate.as_ref());
        let slowdown = table.and_then(|t| t.slowdown.as_ref());
        let service_time = table.and_then(|t| t.service_time.as_ref());
        specs.push(VersionSpec {
            version,
            error_rate: cx.draw_or(&format!("{path}/error_rate"), error_rate, Percent(Ratio::ZERO)).0,
            slowdown: cx.draw_or(&format!("{path}/slowdown"), slowdown, Factor(1.0)).0,
            service_time: service_time.map(|at| distribution::lower(cx, at)),
        });
    }
    specs
}

fn calls(cx: &mut Context<'_>, service: &Service, path: &str) -> Vec<Vec<CallSpec>> {
    let mut stages = Vec::new();
    if let Some(calls) = &service.calls
        && calls.value.len() > CALLS_MAX
    {
        cx.report(Problem::at(calls, format!("at most {CALLS_MAX} stages of calls")));
    }
    for stage in service.calls.iter().flat_map(|calls| &calls.value) {
        let calls: Vec<At<&Call>> = match &stage.value {
            Stage::One(call) => vec![At { value: call, span: stage.span.clone() }],
            Stage::Parallel(calls) => calls.iter().map(|at| At { value: &at.value, span: at.span.clone() }).collect(),
        };
        if calls.is_empty() {
            cx.report(Problem::at(stage, "a stage without a call"));
        }
        stages.push(calls.iter().filter_map(|call| one_call(cx, call, path)).collect());
    }
    stages
}

fn one_call(cx: &mut Context<'_>, call: &At<&Call>, path: &str) -> Option<CallSpec> {
    match call.value {
        Call::Name(name) => {
            let name = At { value: name.clone(), span: call.span.clone() };
            cx.service(&name).map(|service| CallSpec { service, optional: false })
        }
        Call::Table(table) => {
            let Some(to) = &table.to else {
                cx.report(Problem::at(call, "a call needs `to`: who is called").unless_lost(format!("{path}/calls")));
                return None;
            };
            let optional = table.optional.as_ref().is_some_and(|at| at.value);
            cx.service(to).map(|service| CallSpec { service, optional })
        }
    }
}

/// How its instances come and go, and in what they differ.
fn template(cx: &mut Context<'_>, service: &Service) -> InstanceTemplate {
    InstanceTemplate {
        start_up: service.start_up.as_ref().map_or(Duration::secs(1), |d| d.value.0),
        grace: service.grace.as_ref().map_or(Duration::secs(10), |d| d.value.0),
        draining: match service.draining.as_ref().map(|at| at.value).unwrap_or_default() {
            schema::Draining::Serves => Draining::Serves,
            schema::Draining::Refuses => Draining::Refuses,
        },
        weights: service.weights.as_ref().map_or_else(Vec::new, |at| weights(cx, at)),
        speeds: service.speeds.as_ref().map_or_else(Vec::new, |at| speeds(cx, at)),
    }
}

fn weights(cx: &mut Context<'_>, all: &At<Vec<At<Count>>>) -> Vec<u32> {
    if all.value.is_empty() {
        cx.report(
            Problem::at(all, "no weight at all").label("such as [3, 1, 1]; without the key every instance weighs 1"),
        );
    }
    for weight in &all.value {
        if !(1..=WEIGHT_MAX).contains(&weight.value.0) {
            cx.report(Problem::at(weight, format!("a weight is 1 to {WEIGHT_MAX}")));
        }
    }
    all.value.iter().map(|weight| weight.value.0).collect()
}

/// Reports a structure of keys that these weights make too large, or that would take too long to build.
fn structure(cx: &mut Context<'_>, service: &Service, strategy: Strategy) {
    let Some(kind) = strategy.structure() else { return };
    let most = service.instances.as_ref().map_or(1, |at| at.high().0.min(INSTANCES_MAX));
    let weights = service.weights.as_ref().filter(|weights| !weights.value.is_empty());
    let weight = |n: u32| match weights {
        Some(weights) => weights.value[n as usize % weights.value.len()].value.0.max(1),
        None => 1,
    };
    let hosts: Vec<(&str, u32)> = (0..most).map(|n| ("an instance", weight(n))).collect();
    if hosts.is_empty() {
        return;
    }
    if let Err((said, help)) = kind.check(&hosts) {
        let place = weights.map(|at| at.span.clone()).or_else(|| service.balancer.as_ref().map(|at| at.span.clone()));
        let place = place.or_else(|| cx.scenario.balancer.as_ref().map(|at| at.span.clone()));
        cx.report(Problem::new(said).span(place.flatten()).label(help));
    }
}

fn processors(cx: &mut Context<'_>, at: &At<Ranged<Factor>>, path: &str) -> f64 {
    if at.low().0 < PROCESSORS_MIN || at.high().0 > PROCESSORS_MAX {
        cx.report(Problem::at(at, format!("an instance has {PROCESSORS_MIN} to {PROCESSORS_MAX} processors")));
    }
    cx.draw(&format!("{path}/processors"), &at.value).0
}

fn speeds(cx: &mut Context<'_>, all: &At<Vec<At<Factor>>>) -> Vec<f64> {
    if all.value.is_empty() {
        cx.report(
            Problem::at(all, "no speed at all").label("such as [1, 1, 0.2]; without the key every instance works at 1"),
        );
    }
    for speed in &all.value {
        if !(SPEED_MIN..=1.0 / SPEED_MIN).contains(&speed.value.0) {
            cx.report(Problem::at(speed, format!("a speed is {SPEED_MIN} to {}", 1.0 / SPEED_MIN)));
        }
    }
    all.value.iter().map(|speed| speed.value.0).collect()
}

/// Reports each call by which a service ends up calling itself.
fn cycles(cx: &mut Context<'_>, specs: &[ServiceSpec]) {
    // Services in the order in which their calls were followed to the end; 1 is under way, 2 is done.
    let mut state = vec![0u8; specs.len()];
    for start in 0..specs.len() {
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        if state[start] == 0 {
            state[start] = 1;
            path.push((start, callees(&specs[start])));
        }
        while let Some((service, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                state[*service] = 2;
                path.pop();
                continue;
            };
            match state[next] {
                0 => {
                    state[next] = 1;
                    path.push((next, callees(&specs[next])));
                }
                1 => {
                    let from = path.iter().position(|(s, _)| *s == next).unwrap_or(0);
                    let mut round: Vec<&str> = path[from..].iter().map(|(s, _)| specs[*s].name.as_str()).collect();
                    round.push(&specs[next].name);
                    let place = path.last().and_then(|(s, _)| cx.services[*s].service.calls.as_ref());
                    let place = place.and_then(|calls| calls.span.clone());
                    cx.report(
                        Problem::new("services call each other in a circle").span(place).label(round.join(" → ")),
                    );
                }
                _ => {}
            }
        }
    }
}

fn callees(spec: &ServiceSpec) -> Vec<usize> {
    let mut all: Vec<usize> =
        spec.calls.iter().flatten().map(|CallSpec { service, .. }| ServiceId::index(*service)).collect();
    all.sort_unstable();
    all.dedup();
    all.reverse();
    all
}
