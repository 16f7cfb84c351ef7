//! `[load.NAME]`: where requests come from, and when. It becomes a source of requests: the service or the path that is
//! asked, arrivals over time, the nodes they come from, the keys they are routed by.
//!
//! Every shape of load says which keys it needs and which mean nothing to it, so a `peak` beside a plain rate is an
//! error and not a number without effect.

use super::distribution::{self, Distribution};
use super::kind::{Kind, kinds};
use super::{Scenario, Section, gateway};
use crate::at::Key;
use crate::lower::capacity::{behind, capacity};
use crate::lower::{Context, Given, given, missing};
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent, Ranged, Rate, Span, Utilization};
use crate::{At, Summary};
use base::{Dist, Duration, Ratio, Zipf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::Spec;
use world::spec::{self, Arrivals, GatewaySpec, LoadSpec, RoutingKeys, ServiceSpec, Target};
use world::traffic::{RequestHead, RouteTable};

/// A source of requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a load")]
pub struct Load {
    /// The service that is asked directly; the source chooses the instance itself, as a smart client does. Instead of
    /// `path`.
    pub target: Option<At<String>>,
    /// The path that is asked for through the gateway, such as "/weather". Instead of `target`.
    pub path: Option<At<String>>,
    /// The host asked for; "localhost" by default. Only with `path`.
    pub host: Option<At<String>>,
    /// Headers sent with each request. Only with `path`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<At<String>, At<String>>,
    /// How requests are spread over time; `poisson` by default.
    pub shape: Option<At<Shape>>,
    /// Mean requests per second; between bursts with shape `bursts`. Not with shape `closed`, nor beside `utilization`.
    pub rate: Option<At<Ranged<Rate>>>,
    /// Instead of `rate`: the share of the time for which these requests alone keep the target's instances busy, such
    /// as "90%". The rate follows from the mean service time, the concurrency and the speeds of the instances that are
    /// there at the start. Not with shape `closed`.
    pub utilization: Option<At<Ranged<Utilization>>>,
    /// Requests per second in a burst. Only with shape `bursts`.
    pub peak: Option<At<Ranged<Rate>>>,
    /// From the beginning of one burst to the beginning of the next. Only with shape `bursts`.
    pub every: Option<At<Span>>,
    /// How long a burst lasts. Only with shape `bursts`.
    pub lasts: Option<At<Span>>,
    /// How far the rate swings around its mean; 50% by default. Only with shape `diurnal`.
    pub swing: Option<At<Percent>>,
    /// The length of a day. Only with shape `diurnal`.
    pub period: Option<At<Span>>,
    /// How many users. Only with shape `closed`.
    pub users: Option<At<Ranged<Count>>>,
    /// Between an answer and a user's next request; no time by default. Only with shape `closed`.
    pub think: Option<At<Distribution>>,
    /// From how many nodes requests come, each with its own view and its own balancers; 1 by default.
    pub sources: Option<At<Count>>,
    /// Which of its sources each request comes from; `random` by default. A closed user keeps its source.
    pub spread: Option<At<Spread>>,
    /// By what its requests are routed, for balancers that hash: { count = 10000, distribution = "zipf", exponent = 1.1
    /// }. Every request has a key of its own by default.
    pub keys: Option<At<Keys>>,
}

/// The keys of a load: users, sessions, things in a cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table such as { count = 10000, distribution = \"zipf\" }")]
pub struct Keys {
    /// How many different keys there are.
    #[schemars(required)]
    pub count: Option<At<Count>>,
    /// How often each is asked for; `uniform` by default.
    pub distribution: Option<At<Popularity>>,
    /// How fast popularity falls from key to key, 0 to 10; 1 by default, which gives the second key half of the first
    /// one's requests. Only with distribution `zipf`.
    pub exponent: Option<At<Factor>>,
}

/// How often each key is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Popularity {
    /// All alike.
    #[default]
    Uniform,
    /// By Zipf's law: the k-th most wanted in proportion to 1 / k^exponent.
    Zipf,
}

/// How requests are spread over the nodes that take them in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Each request draws its node, as flows do that a router hashes: n nodes get n independent Poisson streams of one.
    #[default]
    Random,
    /// The nodes take turns, which makes the stream of each more even than the whole.
    InTurn,
}

kinds! {
    /// How requests are spread over time.
    #[derive(Default)]
    pub enum Shape {
        /// Independent of each other and of the answers.
        #[default]
        Poisson = "poisson" takes ["rate", "utilization"] needs ["rate"],
        /// Evenly spaced.
        Constant = "constant" takes ["rate", "utilization"] needs ["rate"],
        /// Poisson, with bursts at even intervals.
        Bursts = "bursts"
            takes ["rate", "utilization", "peak", "every", "lasts"] needs ["rate", "peak", "every", "lasts"],
        /// Poisson at a rate that rises and falls like a sine.
        Diurnal = "diurnal" takes ["rate", "utilization", "swing", "period"] needs ["rate", "period"],
        /// A fixed number of users who wait for the answer, think, and ask again.
        Closed = "closed" takes ["users", "think"] needs ["users"],
    }
}

/// The most nodes of a load, and the most users of a closed one: each takes memory for the whole run.
const SOURCES_MAX: u32 = 100_000;
const USERS_MAX: u32 = 1_000_000;
/// At ten the first key has 999 of 1,000 requests.
const EXPONENT_MAX: f64 = 10.0;

impl Section for Load {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let scenario = cx.scenario;
        if scenario.load.is_empty() {
            cx.report(
                Problem::new("there is no load: nothing would happen")
                    .help("add one: [load.users] target = \"checkout\", rate = \"100/s\"")
                    .unless_lost("load"),
            );
        }
        for (name, load) in &scenario.load {
            let gateway = spec.gateway.as_ref();
            let target = target(cx, name, load, gateway);
            let server = target.as_ref().and_then(|target| behind(target, gateway));
            let arrivals = arrivals(cx, name, load, server.map(|id| &spec.services[id.index()]));
            let keys = load.keys.as_ref().map_or(RoutingKeys::Unique, |at| routing_keys(cx, name, at));
            cx.at_most(&load.sources, SOURCES_MAX, "sources of a load", "");
            cx.at_least_one(&load.sources, "a load comes from at least one node");
            if let (Some(target), Some(arrivals)) = (target, arrivals) {
                let spread = load.spread.value_or(Spread::default()).lower();
                let sources = load.sources.inner_or(1);
                spec.loads.push(LoadSpec { name: name.value.clone(), target, arrivals, sources, spread, keys });
            }
        }
    }

    fn summarize(scenario: &Scenario, summary: &mut Summary) {
        summary.add_some(scenario.load.len(), "load");
    }
}

impl Spread {
    /// What runs call it.
    pub(crate) fn lower(self) -> spec::Spread {
        match self {
            Spread::Random => spec::Spread::Random,
            Spread::InTurn => spec::Spread::InTurn,
        }
    }
}

fn routing_keys(cx: &mut Context<'_>, name: &At<String>, at: &At<Keys>) -> RoutingKeys {
    match &at.count {
        Some(count) if count.value.0 == 0 => {
            cx.report(Problem::at(count, "requests have at least one key").label("such as 10000"));
        }
        Some(_) => {}
        None => cx.report(
            Problem::at(at, "keys need their `count`: how many different ones there are")
                .unless_lost(format!("load/{}/keys", name.value)),
        ),
    }
    let exponent = match at.distribution.value_or(Popularity::default()) {
        Popularity::Zipf => at.exponent.inner_or(1.0),
        Popularity::Uniform => {
            if let Some(exponent) = &at.exponent {
                let problem = Problem::meaningless(&exponent.span, "exponent", "where all keys are alike");
                cx.report(problem.label("add distribution = \"zipf\""));
            }
            0.0
        }
    };
    if let Some(exponent) = at.exponent.as_ref().filter(|at| !(0.0..=EXPONENT_MAX).contains(&at.value.0)) {
        cx.report(Problem::at(exponent, format!("an exponent is 0 to {EXPONENT_MAX}")));
        return RoutingKeys::Unique;
    }
    RoutingKeys::Popular(Zipf::new(at.count.inner_or(1).max(1), exponent))
}

fn target(cx: &mut Context<'_>, name: &At<String>, load: &At<Load>, gateway: Option<&GatewaySpec>) -> Option<Target> {
    match (&load.target, &load.path) {
        (Some(target), None) => {
            let headers = load.headers.values().next().map(|at| ("headers", at));
            gateway::check_host(cx, load.host.as_ref());
            for (key, at) in load.host.iter().map(|at| ("host", at)).chain(headers) {
                let problem = Problem::meaningless(&at.span, key, "beside `target`");
                cx.report(problem.label("only requests through the gateway have one; they need a `path`"));
            }
            cx.service(target).map(Target::Service)
        }
        (None, Some(path)) => through_gateway(cx, load, path, gateway),
        (Some(_), Some(path)) => {
            let problem = Problem::contradiction("target", "path", path);
            cx.report(problem.label("straight to a service, or through the gateway?"));
            None
        }
        (None, None) => {
            cx.report(
                Problem::at(name, format!("load `{}` needs a `target` or a `path`", name.value))
                    .label("a service's name, or a path through the gateway")
                    .unless_lost(format!("load/{}", name.value)),
            );
            None
        }
    }
}

fn through_gateway(
    cx: &mut Context<'_>,
    load: &Load,
    path: &At<String>,
    gateway: Option<&GatewaySpec>,
) -> Option<Target> {
    gateway::check_path(cx, path, "a path");
    let Some(gateway) = gateway else {
        cx.report(
            Problem::at(path, "there is no gateway to send this path to")
                .label("add [gateway], or name a service: target = \"…\"")
                .unless_lost("gateway"),
        );
        return None;
    };
    let host = load.host.as_ref().map_or_else(|| "localhost".to_string(), |at| at.value.clone());
    let headers: Vec<(String, String)> =
        load.headers.iter().map(|(k, v)| (k.value.to_lowercase(), v.value.clone())).collect();
    let pairs: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let head = RequestHead { host: &host, path, headers: &pairs };
    if RouteTable::new(gateway.routes.clone()).find(&head).is_none() {
        let routes: Vec<&str> = gateway.routes.iter().map(|route| route.name.as_str()).collect();
        cx.report(
            Problem::at(path, format!("no route matches `{}` at host `{host}`", path.value))
                .label(format!("the gateway would answer 404; routes: {}", routes.join(", ")))
                .warning()
                .unless_lost("gateway/route"),
        );
    }
    Some(Target::Gateway { host, path: path.value.clone(), headers })
}

fn arrivals(
    cx: &mut Context<'_>,
    name: &At<String>,
    load: &At<Load>,
    server: Option<&ServiceSpec>,
) -> Option<Arrivals> {
    let shape = load.shape.value_or(Shape::default());
    let word = shape.word();
    let given: [Given; 9] = given!(load; rate, utilization, peak, every, lasts, swing, period, users, think);
    cx.unexpected_keys(&given, shape.takes(), &format!("the shape `{word}`"));
    if let (Some(_), Some(utilization)) = (&load.rate, &load.utilization)
        && shape.takes().contains(&"utilization")
    {
        cx.report(
            Problem::contradiction("rate", "utilization", utilization)
                .label("so many a second, or as many as keep the target that busy?"),
        );
        return None;
    }
    // A utilization may stand in the place of a rate.
    let is_needed = |key: &&str| *key != "rate" || load.utilization.is_none();
    let needs: Vec<&str> = shape.needs().iter().copied().filter(is_needed).collect();
    let path = format!("load/{}", name.value);
    if let Some(missing) = missing(&given, &needs) {
        cx.report(
            Problem::at(name, format!("load `{}` needs `{missing}`", name.value))
                .label(format!("its shape is `{word}`"))
                .unless_lost(path),
        );
        return None;
    }
    match shape {
        Shape::Poisson => Some(Arrivals::Poisson { rate: mean_rate(cx, &path, load, server)? }),
        Shape::Constant => Some(Arrivals::Constant { rate: mean_rate(cx, &path, load, server)? }),
        Shape::Bursts => bursts(cx, &path, load, server),
        Shape::Diurnal => {
            cx.longer_than_zero(&load.period, "`period`");
            Some(Arrivals::Diurnal {
                mean: mean_rate(cx, &path, load, server)?,
                swing: load.swing.inner_or(Ratio::percent(50)),
                period: load.period.inner()?,
            })
        }
        Shape::Closed => {
            cx.at_most(&load.users, USERS_MAX, "users of a closed load", "");
            cx.at_least_one(&load.users, "a closed load has at least one user");
            let think = load.think.as_ref().map_or(Dist::Constant(Duration::ZERO), |at| distribution::lower(cx, at));
            Some(Arrivals::Closed { users: cx.draw_key(&path, "users", &load.users)?, think })
        }
    }
}

/// Arrivals in bursts: a base rate, and a higher one for a while at equal distances.
fn bursts(cx: &mut Context<'_>, path: &str, load: &Load, server: Option<&ServiceSpec>) -> Option<Arrivals> {
    let (every, lasts) = (load.every.as_ref()?, load.lasts.as_ref()?);
    if lasts.value.0.is_zero() || lasts.value.0 >= every.value.0 {
        cx.report(
            Problem::at(lasts, format!("a burst of {} every {} is none", lasts.value, every.value))
                .label("longer than no time, shorter than `every`"),
        );
    }
    let peak = load.peak.as_ref()?;
    let (base, base_max) = match &load.rate {
        // Nothing between bursts is a rate too.
        Some(base) => (cx.draw(&format!("{path}/rate"), &base.value).0, base.high()),
        None => {
            let base = mean_rate(cx, path, load, server)?;
            (base, Rate(base))
        }
    };
    if peak.low() < base_max {
        let message = format!("the peak ({}) can be below the rate between bursts ({base_max})", peak.low());
        cx.report(Problem::at(peak, message));
    }
    Some(Arrivals::Bursts { base, peak: rate(cx, path, "peak", peak), every: every.value.0, lasts: lasts.value.0 })
}

/// The rate as it is given, or the one that keeps the target as busy as is asked for.
fn mean_rate(cx: &mut Context<'_>, path: &str, load: &Load, server: Option<&ServiceSpec>) -> Option<f64> {
    let Some(at) = &load.utilization else { return Some(rate(cx, path, "rate", load.rate.as_ref()?)) };
    // An unknown service has been told already.
    let Some(server) = server else {
        if load.path.is_some() {
            cx.report(
                Problem::at(at, "`utilization` needs to know of which service")
                    .label("the route of this path leads to none or to several; give a `rate`")
                    .unless_lost("gateway"),
            );
        }
        return None;
    };
    let wrong = |label: String| {
        let name = &server.name;
        Problem::at(at, format!("how long `{name}` takes for a request is not known")).label(label)
    };
    if let Some(call) = server.calls.iter().flatten().next() {
        let other = cx.services[call.service.index()].name;
        cx.report(wrong(format!("it also waits for `{other}`, which it calls; give a `rate`")));
        return None;
    }
    let capacity = capacity(server);
    if !capacity.is_finite() {
        cx.report(
            wrong("its service time is none at all; give a `rate`".to_string())
                .unless_lost(format!("service/{}", server.name)),
        );
        return None;
    }
    Some(cx.draw(&format!("{path}/utilization"), &at.value).0 * capacity)
}

/// A rate above zero.
fn rate(cx: &mut Context<'_>, path: &str, key: &str, at: &At<Ranged<Rate>>) -> f64 {
    if at.low().0 <= 0.0 {
        cx.report(Problem::at(at, format!("a `{key}` of nothing")).label("above 0/s"));
    }
    cx.draw(&format!("{path}/{key}"), &at.value).0
}
