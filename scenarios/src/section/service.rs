//! `[service.NAME]`: what the instances of a service do with a request, and how its callers treat them. It becomes a
//! service of the world, with its versions and its calls. How callers choose an instance and treat a call is filled in
//! by `balancer` and `policy`, where what holds for every service meets what one says for itself.

use super::union::{one_or_many, text_or_table};
use super::{Balancer, Distribution, Eligibility, Named, Policy, Scenario, Section, distribution, policy};
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent, Ranged, Span};
use crate::{At, Summary};
use base::{Dist, Duration, Ratio, ServiceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::Spec;
use world::balancer::Strategy;
use world::spec::{self, CallSpec, InstanceTemplate, ServiceSpec, VersionSpec};

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a service")]
pub struct Service {
    /// How many instances at the start, spread over the zones in turn; 1 by default.
    pub instances: Option<At<Ranged<Count>>>,
    /// Requests one instance works on at once; 8 by default.
    pub concurrency: Option<At<Ranged<Count>>>,
    /// The processors of an instance, which the requests it works on share evenly: of n at work each gets on at the
    /// rate min(1, processors / n). 0.5 is half of one; without the key each request has one of its own.
    pub processors: Option<At<Ranged<Factor>>>,
    /// Requests that wait when all of those are busy; more are refused. Without a bound by default.
    pub queue_limit: Option<At<Ranged<Count>>>,
    /// Work per request, before downstream calls; lognormal with p50 8 ms and p99 40 ms by default.
    pub service_time: Option<At<Distribution>>,
    /// From the creation of an instance to its first request; 1 s by default.
    pub start_up: Option<At<Span>>,
    /// How long an instance that was told to stop has to end; then it is killed, and what it works on is reset, as in
    /// Kubernetes (`terminationGracePeriodSeconds`, 30 s there). 10 s by default.
    pub grace: Option<At<Span>>,
    /// What it does with new requests meanwhile; `serves` by default.
    pub draining: Option<At<Draining>>,
    /// The version that instances start with; "1.0.0" by default.
    pub initial_version: Option<At<String>>,
    /// What the service calls for each request, one after the other; names in an inner array are called at once:
    /// ["stock", ["prices", "reviews"]].
    pub calls: Option<At<Vec<At<Stage>>>>,
    /// How its callers choose an instance, in place of the scenario's `balancer`.
    pub balancer: Option<At<Balancer>>,
    /// Which of its instances its callers may choose, and with which share; all they know of by default.
    pub eligibility: Option<At<Eligibility>>,
    /// What its instances weigh for strategies that go by weight, 1 to 65535, given to them in turn as they are
    /// created: [3, 1, 1]; 1 each by default.
    #[schemars(extend("minItems" = 1))]
    pub weights: Option<At<Vec<At<Count>>>>,
    /// How fast its instances work, given to them in turn as they are created: [1, 1, 0.2] makes every third one five
    /// times slower; 1 each by default.
    #[schemars(extend("minItems" = 1))]
    pub speeds: Option<At<Vec<At<Factor>>>>,
    /// How its callers treat a call, in place of the scenario's `policy`.
    pub policy: Option<At<Policy>>,
    /// Versions and what they do differently: version."1.1.0" = { error_rate = "2%" }. The initial version need not be
    /// named.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub version: Named<At<Version>>,
}

/// What a version does differently.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a version; {} when it changes nothing")]
pub struct Version {
    /// The chance that it answers a request with an error; 0% by default.
    pub error_rate: Option<At<Ranged<Percent>>>,
    /// How many times longer it works; 1 by default.
    pub slowdown: Option<At<Ranged<Factor>>>,
    /// Work per request, when it changes more than its speed.
    pub service_time: Option<At<Distribution>>,
}

/// A call or several at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// One call.
    One(Call),
    /// Calls that are made at once; the slowest decides.
    Parallel(Vec<At<Call>>),
}

/// A call: a service's name, or a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// To this service.
    Name(String),
    /// With more to say.
    Table(CallTable),
}

text_or_table!(
    Call,
    Name(String),
    Table(CallTable),
    "a service's name or a table such as { to = \"stock\", optional = true }"
);

/// A call with more to say than its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a service's name or a table with `to` and `optional`")]
pub struct CallTable {
    /// Who is called.
    #[schemars(required)]
    pub to: Option<At<String>>,
    /// Whether the caller can do without an answer; false by default. A failed optional call degrades the response
    /// instead of failing it.
    pub optional: Option<At<bool>>,
}

one_or_many!(
    Stage,
    One(Call),
    Parallel,
    "a service's name, a table, or an array of them that are called at once",
    "A call, or an array of calls that are made at once."
);

/// What an instance that was told to stop does with new requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Draining {
    /// It serves them until its grace is over: a pod of Kubernetes whose `preStop` sleeps, while callers learn that it
    /// goes.
    #[default]
    Serves,
    /// It refuses them, and ends as soon as nothing is under way: Go's `http.Server.Shutdown`, nginx on SIGQUIT.
    Refuses,
}

/// Requests that an instance works on at once unless it is told otherwise.
const CONCURRENCY: u32 = 8;
/// The most instances, versions and calls of a service: what fits a run's tables, and far more than any file needs.
pub(crate) const INSTANCES_MAX: u32 = 100_000;
const VERSIONS_MAX: usize = 200;
const CALLS_MAX: usize = 200;
/// The heaviest an instance can be: what gRPC's weights are scaled to, and far more than any ratio needs.
const WEIGHT_MAX: u32 = 65_535;
/// The processors an instance can have: a thousandth of one, the least that Kubernetes gives, and more than any machine
/// has.
const PROCESSORS_MIN: f64 = 0.001;
const PROCESSORS_MAX: f64 = 10_000.0;
/// The slowest an instance can be; a thousand times slower than the others is as good as dead.
const SPEED_MIN: f64 = 0.001;

impl Section for Service {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        for index in 0..cx.services.len() {
            let lowered = service(cx, index);
            spec.services.push(lowered);
        }
        cycles(cx, &spec.services);
    }

    fn summarize(scenario: &Scenario, summary: &mut Summary) {
        let bounds = scenario.service.values().map(|service| {
            service.instances.as_ref().map_or((1, 1), |n| (u64::from(n.low().0), u64::from(n.high().0)))
        });
        summary.add(scenario.service.len(), "service");
        summary.add_range(bounds.fold((0, 0), |(a, b), (low, high)| (a + low, b + high)), "instance");
    }
}

fn service(cx: &mut Context<'_>, index: usize) -> ServiceSpec {
    let (name, table) = (cx.services[index].name, cx.services[index].service);
    let path = format!("service/{name}");
    cx.at_least_one(&table.instances, "a service has at least one instance");
    cx.at_most(&table.instances, INSTANCES_MAX, "instances of a service", "");
    cx.at_least_one(&table.concurrency, "a service has at least one request at once");
    ServiceSpec {
        name: name.to_string(),
        instances: cx.draw_key(&path, "instances", &table.instances).unwrap_or(1),
        concurrency: cx.draw_key(&path, "concurrency", &table.concurrency).unwrap_or(CONCURRENCY),
        processors: processors(cx, &table.processors, &path),
        queue_limit: cx.draw_key(&path, "queue_limit", &table.queue_limit),
        service_time: match &table.service_time {
            Some(at) => distribution::lower(cx, at),
            None => Dist::lognormal(Duration::ms(8), Duration::ms(40)),
        },
        template: template(cx, table),
        versions: versions(cx, index, table, &path),
        calls: calls(cx, table, &path),
        balancer: Strategy::P2C,
        eligibility: None,
        policy: policy::default(),
    }
}

/// How its instances come and go, and in what they differ.
fn template(cx: &mut Context<'_>, table: &Service) -> InstanceTemplate {
    InstanceTemplate {
        start_up: table.start_up.inner_or(Duration::secs(1)),
        grace: table.grace.inner_or(Duration::secs(10)),
        draining: match table.draining.value_or(Draining::default()) {
            Draining::Serves => spec::Draining::Serves,
            Draining::Refuses => spec::Draining::Refuses,
        },
        weights: table.weights.as_ref().map_or_else(Vec::new, |at| weights(cx, at)),
        speeds: table.speeds.as_ref().map_or_else(Vec::new, |at| speeds(cx, at)),
    }
}

fn versions(cx: &mut Context<'_>, index: usize, service: &Service, path: &str) -> Vec<VersionSpec> {
    let declared = cx.services[index].versions.clone();
    if declared.len() > VERSIONS_MAX {
        let (name, many) = (cx.services[index].name, declared.len());
        cx.report(Problem::new(format!("`{name}` has {many} versions, at most {VERSIONS_MAX} are possible")));
    }
    let mut specs = Vec::new();
    for (text, version) in declared {
        let table = service.version.iter().find(|(name, _)| name.as_str() == text).map(|(_, table)| &table.value);
        let none = Version::default();
        let (table, path) = (table.unwrap_or(&none), format!("{path}/version/{text}"));
        specs.push(VersionSpec {
            version,
            error_rate: cx.draw_key(&path, "error_rate", &table.error_rate).unwrap_or(Ratio::ZERO),
            slowdown: cx.draw_key(&path, "slowdown", &table.slowdown).unwrap_or(1.0),
            service_time: table.service_time.as_ref().map(|at| distribution::lower(cx, at)),
        });
    }
    specs
}

fn calls(cx: &mut Context<'_>, service: &Service, path: &str) -> Vec<Vec<CallSpec>> {
    let mut stages = Vec::new();
    if let Some(calls) = service.calls.as_ref().filter(|calls| calls.value.len() > CALLS_MAX) {
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
            cx.service(to).map(|service| CallSpec { service, optional: table.optional.value_or(false) })
        }
    }
}

fn weights(cx: &mut Context<'_>, all: &At<Vec<At<Count>>>) -> Vec<u32> {
    if all.value.is_empty() {
        let label = "such as [3, 1, 1]; without the key every instance weighs 1";
        cx.report(Problem::at(all, "no weight at all").label(label));
    }
    for weight in &all.value {
        if !(1..=WEIGHT_MAX).contains(&weight.value.0) {
            cx.report(Problem::at(weight, format!("a weight is 1 to {WEIGHT_MAX}")));
        }
    }
    all.value.iter().map(|weight| weight.value.0).collect()
}

fn processors(cx: &mut Context<'_>, at: &Option<At<Ranged<Factor>>>, path: &str) -> Option<f64> {
    if let Some(at) = at.as_ref().filter(|at| at.low().0 < PROCESSORS_MIN || at.high().0 > PROCESSORS_MAX) {
        cx.report(Problem::at(at, format!("an instance has {PROCESSORS_MIN} to {PROCESSORS_MAX} processors")));
    }
    cx.draw_key(path, "processors", at)
}

fn speeds(cx: &mut Context<'_>, all: &At<Vec<At<Factor>>>) -> Vec<f64> {
    if all.value.is_empty() {
        let label = "such as [1, 1, 0.2]; without the key every instance works at 1";
        cx.report(Problem::at(all, "no speed at all").label(label));
    }
    for speed in &all.value {
        if !(SPEED_MIN..=1.0 / SPEED_MIN).contains(&speed.value.0) {
            cx.report(Problem::at(speed, format!("a speed is {SPEED_MIN} to {}", 1.0 / SPEED_MIN)));
        }
    }
    all.value.iter().map(|speed| speed.value.0).collect()
}

/// How far the calls of a service have been followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Followed {
    NotYet,
    UnderWay,
    ToTheEnd,
}

/// Reports each call by which a service ends up calling itself.
fn cycles(cx: &mut Context<'_>, specs: &[ServiceSpec]) {
    let mut followed = vec![Followed::NotYet; specs.len()];
    for start in 0..specs.len() {
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        if followed[start] == Followed::NotYet {
            followed[start] = Followed::UnderWay;
            path.push((start, callees(&specs[start])));
        }
        while let Some((service, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                followed[*service] = Followed::ToTheEnd;
                path.pop();
                continue;
            };
            match followed[next] {
                Followed::NotYet => {
                    followed[next] = Followed::UnderWay;
                    path.push((next, callees(&specs[next])));
                }
                Followed::UnderWay => {
                    let from = path.iter().position(|(s, _)| *s == next).unwrap_or(0);
                    let mut round: Vec<&str> = path[from..].iter().map(|(s, _)| specs[*s].name.as_str()).collect();
                    round.push(&specs[next].name);
                    let place = path.last().and_then(|(s, _)| cx.services[*s].service.calls.place());
                    let problem = Problem::new("services call each other in a circle").span(place);
                    cx.report(problem.label(round.join(" → ")));
                }
                Followed::ToTheEnd => {}
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
