//! From the `[load.NAME]` sections to sources of requests: to whom each sends, and when.
//!
//! Every shape of load says which keys it needs and which mean nothing to it, so a `peak` beside a plain rate is an
//! error and not a number that nobody reads.

use super::capacity::{behind, capacity};
use super::gateway::HOST_MAX;
use super::{Context, Given, distribution, given};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Ranged, Rate, Span};
use crate::schema::load::{self as schema, Keys, Popularity};
use crate::schema::{Load, Shape};
use base::{Dist, Duration, Ratio, Zipf};
use world::spec::{Arrivals, GatewaySpec, LoadSpec, RoutingKeys, ServiceSpec, Spread, Target};
use world::traffic::{RequestHead, RouteTable};

/// How many nodes a load may come from, and how many users a closed one may have: each takes memory for the whole run.
const SOURCES_MAX: u32 = 100_000;
const USERS_MAX: u32 = 1_000_000;
/// At ten the first key has 999 of 1,000 requests.
const EXPONENT_MAX: f64 = 10.0;

pub(crate) fn lower(cx: &mut Context<'_>, gateway: Option<&GatewaySpec>, services: &[ServiceSpec]) -> Vec<LoadSpec> {
    let scenario = cx.scenario;
    if scenario.load.is_empty() {
        cx.report(
            Problem::new("there is no load: nothing would happen")
                .help("add one: [load.users] target = \"checkout\", rate = \"100/s\"")
                .unless_lost("load"),
        );
    }
    let mut specs = Vec::new();
    for (name, load) in &scenario.load {
        let target = target(cx, name, load, gateway);
        let server = target.as_ref().and_then(|target| behind(target, gateway)).map(|id| &services[id.index()]);
        let arrivals = arrivals(cx, name, load, server);
        let keys = load.keys.as_ref().map_or(RoutingKeys::Unique, |at| routing_keys(cx, name, at));
        let sources = load.sources.as_ref().map_or(1, |n| n.value.0);
        if let Some(count) = load.sources.as_ref().filter(|n| n.value.0 > SOURCES_MAX) {
            cx.report(Problem::at(count, format!("at most {SOURCES_MAX} sources of a load")));
        }
        if sources == 0 {
            cx.report(
                Problem::new("a load comes from at least one node")
                    .span(load.sources.as_ref().and_then(|n| n.span.clone())),
            );
        }
        if let (Some(target), Some(arrivals)) = (target, arrivals) {
            let spread = spread(load.spread.as_ref());
            specs.push(LoadSpec { name: name.value.clone(), target, arrivals, sources, spread, keys });
        }
    }
    specs
}

/// How requests are spread over nodes.
pub(super) fn spread(at: Option<&At<schema::Spread>>) -> Spread {
    match at.map(|at| at.value).unwrap_or_default() {
        schema::Spread::Random => Spread::Random,
        schema::Spread::InTurn => Spread::InTurn,
    }
}

fn routing_keys(cx: &mut Context<'_>, name: &At<String>, at: &At<Keys>) -> RoutingKeys {
    let count = match &at.count {
        Some(count) => {
            if count.value.0 == 0 {
                cx.report(Problem::at(count, "requests have at least one key").label("such as 10000"));
            }
            count.value.0.max(1)
        }
        None => {
            cx.report(
                Problem::at(at, "keys need their `count`: how many different ones there are")
                    .unless_lost(format!("load/{}/keys", name.value)),
            );
            1
        }
    };
    let exponent = match at.distribution.as_ref().map_or(Popularity::Uniform, |at| at.value) {
        Popularity::Zipf => at.exponent.as_ref().map_or(1.0, |at| at.value.0),
        Popularity::Uniform => {
            if let Some(exponent) = &at.exponent {
                cx.report(
                    Problem::at(exponent, "`exponent` has no meaning where all keys are alike")
                        .label("add distribution = \"zipf\""),
                );
            }
            0.0
        }
    };
    if let Some(exponent) = &at.exponent
        && !(0.0..=EXPONENT_MAX).contains(&exponent.value.0)
    {
        cx.report(Problem::at(exponent, format!("an exponent is 0 to {EXPONENT_MAX}")));
        return RoutingKeys::Unique;
    }
    RoutingKeys::Popular(Zipf::new(count, exponent))
}

fn target(cx: &mut Context<'_>, name: &At<String>, load: &At<Load>, gateway: Option<&GatewaySpec>) -> Option<Target> {
    match (&load.target, &load.path) {
        (Some(target), None) => {
            let headers = load.headers.values().next().map(|at| ("headers", at));
            if let Some(host) = load.host.as_ref().filter(|host| host.len() > HOST_MAX) {
                cx.report(Problem::at(host, format!("a host name has at most {HOST_MAX} bytes")));
            }
            for (key, at) in load.host.iter().map(|at| ("host", at)).chain(headers) {
                cx.report(
                    Problem::at(at, format!("`{key}` has no meaning beside `target`"))
                        .label("only requests through the gateway have one; they need a `path`"),
                );
            }
            cx.service(target).map(Target::Service)
        }
        (None, Some(path)) => {
            if !path.starts_with('/') {
                cx.report(Problem::at(path, "a path begins with a slash").label(format!("write \"/{}\"", path.value)));
            }
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
        (Some(_), Some(path)) => {
            cx.report(
                Problem::at(path, "`target` and `path` contradict each other")
                    .label("straight to a service, or through the gateway?"),
            );
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

fn arrivals(
    cx: &mut Context<'_>,
    name: &At<String>,
    load: &At<Load>,
    server: Option<&ServiceSpec>,
) -> Option<Arrivals> {
    let shape = load.shape.as_ref().map_or_else(Default::default, |s| s.value);
    let (word, needs, belongs): (&str, &[&str], &[&str]) = match shape {
        Shape::Poisson => ("poisson", &["rate"], &["rate", "utilization"]),
        Shape::Constant => ("constant", &["rate"], &["rate", "utilization"]),
        Shape::Bursts => {
            ("bursts", &["rate", "peak", "every", "lasts"], &["rate", "utilization", "peak", "every", "lasts"])
        }
        Shape::Diurnal => ("diurnal", &["rate", "period"], &["rate", "utilization", "swing", "period"]),
        Shape::Closed => ("closed", &["users"], &["users", "think"]),
    };
    let given: [Given; 9] = given!(load; rate, utilization, peak, every, lasts, swing, period, users, think);
    cx.strays(&given, belongs, &format!("the shape `{word}`"));
    if let (Some(_), Some(utilization)) = (&load.rate, &load.utilization)
        && belongs.contains(&"utilization")
    {
        cx.report(
            Problem::at(utilization, "`rate` and `utilization` contradict each other")
                .label("so many a second, or as many as keep the target that busy?"),
        );
        return None;
    }
    let is_there = |key: &str, span: &Option<_>| span.is_some() || key == "rate" && load.utilization.is_some();
    let missing: Vec<&str> =
        given.iter().filter(|(key, span)| needs.contains(key) && !is_there(key, span)).map(|(key, _)| *key).collect();
    let path = format!("load/{}", name.value);
    if !missing.is_empty() {
        cx.report(
            Problem::at(name, format!("load `{}` needs `{}`", name.value, missing.join("` and `")))
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
            let period = load.period.as_ref()?;
            positive(cx, period, "period");
            Some(Arrivals::Diurnal {
                mean: mean_rate(cx, &path, load, server)?,
                swing: load.swing.as_ref().map_or(Ratio::percent(50), |s| s.value.0),
                period: period.value.0,
            })
        }
        Shape::Closed => {
            let users = load.users.as_ref()?;
            super::service::at_most(cx, load.users.as_ref(), USERS_MAX, "users of a closed load");
            if users.low().0 == 0 {
                cx.report(Problem::at(users, "a closed load has at least one user"));
            }
            let think = load.think.as_ref().map_or(Dist::Constant(Duration::ZERO), |at| distribution::lower(cx, at));
            Some(Arrivals::Closed { users: cx.draw(&format!("{path}/users"), &users.value).0, think })
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
        cx.report(Problem::at(
            peak,
            format!("the peak ({}) can be below the rate between bursts ({base_max})", peak.low()),
        ));
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

fn positive(cx: &mut Context<'_>, at: &At<Span>, key: &str) {
    if at.value.0.is_zero() {
        cx.report(Problem::at(at, format!("`{key}` must be longer than zero")));
    }
}
