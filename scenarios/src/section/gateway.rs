//! `[gateway]`: nodes between load and services, and the routes they follow. It becomes routes in the order they are
//! tried, and the time that a client waits for the gateway's answer.
//!
//! A route that can never be taken is a problem here, not a surprise at run time: two conditions on one path, a path
//! without its slash, destinations without weight, a destination that is not declared.

use super::load::Spread;
use super::union::{one_or_many, text_or_table};
use super::{Scenario, Section, policy};
use crate::At;
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Count, OrNone, Ranged, Span};
use base::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use world::Spec;
use world::spec::GatewaySpec;
use world::traffic::{self, Action, HeaderMatch, HostMatch, Match, PathMatch, RouteTable, ValueMatch};

/// The gateway: nodes between load and services, each with its own view and its own balancers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes the gateway")]
pub struct Gateway {
    /// How many; 1 by default.
    pub instances: Option<At<Ranged<Count>>>,
    /// Which of them each request comes to; `random` by default.
    pub spread: Option<At<Spread>>,
    /// How long the sender of a request waits for the gateway's answer, as a browser or an HTTP client does; "none" for
    /// ever. 15 s by default.
    pub client_timeout: Option<At<OrNone<Span>>>,
    /// Routes; the first that matches wins.
    #[schemars(required)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<At<Route>>,
}

/// A route. All conditions that are given must hold; without any it matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes a route")]
pub struct Route {
    /// What people call it; by default what it matches.
    pub name: Option<At<String>>,
    /// The host: "example.com", "*.example.com" or "*".
    pub host: Option<At<String>>,
    /// The path begins with these characters, so "/api" also matches "/apiary" (Envoy's and Istio's prefix).
    pub prefix: Option<At<String>>,
    /// The path begins with these whole segments, so "/api" matches "/api/v1" but not "/apiary" (Kubernetes'
    /// PathPrefix).
    pub path_prefix: Option<At<String>>,
    /// The whole path.
    pub exact: Option<At<String>>,
    /// Headers that must be there: a value, the beginning of one ("beta*"), or any ("*").
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<At<String>, At<String>>,
    /// Where it leads: a service's name, or several destinations with weights.
    #[schemars(required)]
    pub to: Option<At<To>>,
    /// What replaces the matched part of the path.
    pub rewrite: Option<At<String>>,
    /// In place of the service's timeout.
    pub timeout: Option<At<Span>>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq)]
pub enum To {
    /// One service.
    One(Destination),
    /// Several, by weight.
    Weighted(Vec<At<Destination>>),
}

/// A destination: a service's name, or a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// This service.
    Name(String),
    /// A version of it, with a weight.
    Table(DestinationTable),
}

text_or_table!(
    Destination,
    Name(String),
    Table(DestinationTable),
    "a service's name or a table such as { service = \"stock\", weight = 90 }"
);

/// A destination with a version or a weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with service, version and weight")]
pub struct DestinationTable {
    /// The service.
    #[schemars(required)]
    pub service: Option<At<String>>,
    /// Only its instances of this version, also while a rollout splits the traffic of the rest; the request fails when
    /// there is none. All of them by default.
    pub version: Option<At<String>>,
    /// How much of the traffic, relative to the other weights; 1 by default.
    pub weight: Option<At<Count>>,
}

one_or_many!(
    To,
    One(Destination),
    Weighted,
    "a service's name, a table, or an array of tables with weights",
    "A destination, or several with weights."
);

/// How long a client waits for the gateway where nothing is said: as long as callers behind it wait for each other.
const CLIENT_TIMEOUT: Duration = Duration::secs(15);

/// The most gateways.
const INSTANCES_MAX: u32 = 10_000;

/// The longest host name in bytes that DNS allows (RFC 1035, section 2.3.4, without the root's empty label).
const HOST_MAX: usize = 253;

impl Section for Gateway {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let Some(gateway) = cx.scenario.gateway.as_ref() else { return };
        cx.at_least_one(&gateway.instances, "a gateway has at least one instance");
        cx.at_most(&gateway.instances, INSTANCES_MAX, "gateways", "");
        if gateway.route.is_empty() {
            cx.report(
                Problem::at(gateway, "a gateway without routes answers everything with 404")
                    .label("such as route = [{ prefix = \"/\", to = \"checkout\" }]")
                    .unless_lost("gateway/route"),
            );
        }
        let mut names = BTreeSet::new();
        let mut routes = Vec::new();
        for (index, route) in gateway.route.iter().enumerate() {
            if let Some(name) = &route.name
                && !names.insert(name.as_str())
            {
                cx.report(Problem::at(name, format!("two routes are called `{}`", name.value)));
            }
            routes.extend(lower_route(cx, route, index));
        }
        spec.gateway = Some(GatewaySpec {
            instances: cx.draw_key("gateway", "instances", &gateway.instances).unwrap_or(1),
            spread: gateway.spread.value_or(Spread::default()).lower(),
            client_timeout: match &gateway.client_timeout {
                Some(timeout) => policy::limit(cx, timeout, "client_timeout"),
                None => Some(CLIENT_TIMEOUT),
            },
            routes,
        });
    }

    /// Warns of routes that are never reached.
    fn warn(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
        let (Some(gateway), Some(table)) = (&spec.gateway, &scenario.gateway) else { return };
        for (earlier, later) in RouteTable::new(gateway.routes.clone()).unreachable() {
            let message = format!("the route `{}` is never reached", gateway.routes[later].name);
            let label = format!("`{}` matches everything before it", gateway.routes[earlier].name);
            warnings.push(Problem::at(&table.route[later], message).label(label).warning());
        }
    }
}

/// Refuses a host name that is too long for DNS.
pub(crate) fn check_host(cx: &mut Context<'_>, host: Option<&At<String>>) {
    if let Some(host) = host.filter(|host| host.len() > HOST_MAX) {
        cx.report(Problem::at(host, format!("a host name has at most {HOST_MAX} bytes")));
    }
}

/// Refuses a path without its slash; `what` is what begins with one.
pub(crate) fn check_path(cx: &mut Context<'_>, path: &At<String>, what: &str) {
    if !path.starts_with('/') {
        cx.report(Problem::at(path, format!("{what} begins with a slash")).label(format!("write \"/{}\"", path.value)));
    }
}

fn lower_route(cx: &mut Context<'_>, route: &At<Route>, index: usize) -> Option<traffic::Route> {
    let paths = [("prefix", &route.prefix), ("path_prefix", &route.path_prefix), ("exact", &route.exact)];
    let given: Vec<_> = paths.iter().filter_map(|(key, at)| at.as_ref().map(|at| (*key, at))).collect();
    if let [(first, _), (second, at), ..] = given.as_slice() {
        cx.report(Problem::contradiction(first, second, at).label("a route looks at the path in one way"));
    }
    for (key, at) in &given {
        check_path(cx, at, &format!("`{key}`"));
    }
    let path = match given.first() {
        Some(("prefix", at)) => PathMatch::Prefix(at.value.clone()),
        Some(("path_prefix", at)) => match at.value.trim_end_matches('/') {
            "" => PathMatch::Any,
            whole => PathMatch::SeparatedPrefix(whole.to_string()),
        },
        Some((_, at)) => PathMatch::Exact(at.value.clone()),
        None => PathMatch::Any,
    };
    check_host(cx, route.host.as_ref());
    if let Some(host) = route.host.as_ref().filter(|host| host.trim_start_matches('*').contains('*')) {
        cx.report(Problem::at(host, "a host has `*` only at its beginning").label("such as \"*.example.com\""));
    }
    let headers = route.headers.iter().map(|(name, value)| HeaderMatch {
        name: name.value.to_lowercase(),
        value: match value.strip_suffix('*') {
            Some("") => ValueMatch::Present,
            Some(prefix) => ValueMatch::Prefix(prefix.to_string()),
            None => ValueMatch::Exact(value.value.clone()),
        },
    });
    let wanted = Match {
        hosts: route.host.iter().map(|host| HostMatch::parse(host)).collect(),
        path,
        headers: headers.collect(),
    };
    let matches_all = wanted.hosts.is_empty() && wanted.path == PathMatch::Any && wanted.headers.is_empty();
    if let Some(timeout) = route.timeout.as_ref().filter(|timeout| timeout.value.0.is_zero()) {
        cx.report(Problem::at(timeout, "a timeout of no time"));
    }
    let name = match &route.name {
        Some(name) => name.value.clone(),
        None => given.first().map_or_else(|| format!("route {}", index + 1), |(_, at)| at.value.clone()),
    };
    let destinations = destinations(cx, route, index)?;
    Some(traffic::Route {
        name,
        matches: if matches_all { Vec::new() } else { vec![wanted] },
        action: Action {
            destinations,
            prefix_rewrite: route.rewrite.as_ref().map(|at| at.value.clone()),
            timeout: route.timeout.inner(),
            retry: None,
        },
    })
}

fn destinations(cx: &mut Context<'_>, route: &At<Route>, index: usize) -> Option<Vec<traffic::Destination>> {
    let place = format!("gateway/route/{index}");
    let Some(to) = &route.to else {
        cx.report(Problem::at(route, "a route needs `to`: where it leads").unless_lost(place));
        return None;
    };
    let all: Vec<At<&Destination>> = match &to.value {
        To::One(one) => vec![At { value: one, span: to.span.clone() }],
        To::Weighted(all) => all.iter().map(|at| At { value: &at.value, span: at.span.clone() }).collect(),
    };
    let mut destinations = Vec::new();
    for at in &all {
        match at.value {
            Destination::Name(name) => {
                let service = cx.service(&At { value: name.clone(), span: at.span.clone() })?;
                destinations.push(traffic::Destination { service, version: None, weight: 1 });
            }
            Destination::Table(table) => {
                let Some(name) = &table.service else {
                    cx.report(Problem::at(at, "a destination needs its `service`").unless_lost(place));
                    return None;
                };
                let service = cx.service(name)?;
                let version = match &table.version {
                    Some(version) => Some(cx.version(service, version)?),
                    None => None,
                };
                destinations.push(traffic::Destination { service, version, weight: table.weight.inner_or(1) });
            }
        }
    }
    if destinations.iter().all(|d| d.weight == 0) {
        cx.report(Problem::at(to, "no destination has any weight").label("nothing would go anywhere"));
    }
    Some(destinations)
}
