//! From the `[gateway]` section to routes in the order they are tried, and to the patience of whoever waits in front of
//! it.
//!
//! A route that can never be taken is a problem here, not a surprise at run time: two conditions on one path, a path
//! without its slash, destinations without weight, a destination nobody declared.

use super::{Context, policy};
use crate::At;
use crate::problem::Problem;
use crate::scalar::Count;
use crate::schema::Route;
use crate::schema::gateway::{Destination, To};
use base::Duration;
use std::collections::BTreeSet;
use world::spec::GatewaySpec;
use world::traffic::{self, Action, HeaderMatch, HostMatch, Match, PathMatch, ValueMatch};

/// How long a client waits for the gateway where nothing is said: as long as callers behind it wait for each other.
const CLIENT_TIMEOUT: Duration = Duration::secs(15);

/// The longest host name in bytes that DNS knows (RFC 1035, section 2.3.4, without the root's empty label).
pub(crate) const HOST_MAX: usize = 253;

pub(crate) fn lower(cx: &mut Context<'_>) -> Option<GatewaySpec> {
    let gateway = cx.scenario.gateway.as_ref()?;
    if let Some(instances) = &gateway.instances
        && instances.low() == Count(0)
    {
        cx.report(Problem::at(instances, "a gateway has at least one instance"));
    }
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
    super::service::at_most(cx, gateway.instances.as_ref(), 10_000, "gateways");
    let instances = cx.draw_or("gateway/instances", gateway.instances.as_ref(), Count(1)).0;
    let client_timeout = match &gateway.client_timeout {
        Some(timeout) => policy::limit(cx, timeout, "client_timeout"),
        None => Some(CLIENT_TIMEOUT),
    };
    let spread = super::load::spread(gateway.spread.as_ref());
    Some(GatewaySpec { instances, spread, client_timeout, routes })
}

fn lower_route(cx: &mut Context<'_>, route: &At<Route>, index: usize) -> Option<traffic::Route> {
    let paths = [("prefix", &route.prefix), ("path_prefix", &route.path_prefix), ("exact", &route.exact)];
    let given: Vec<_> = paths.iter().filter_map(|(key, at)| at.as_ref().map(|at| (*key, at))).collect();
    if let [(first, _), (second, at), ..] = given.as_slice() {
        cx.report(
            Problem::at(*at, format!("`{first}` and `{second}` contradict each other"))
                .label("a route looks at the path in one way"),
        );
    }
    for (key, at) in &given {
        if !at.starts_with('/') {
            cx.report(
                Problem::at(*at, format!("`{key}` begins with a slash")).label(format!("write \"/{}\"", at.value)),
            );
        }
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
    if let Some(host) = route.host.as_ref().filter(|host| host.len() > HOST_MAX) {
        cx.report(Problem::at(host, format!("a host name has at most {HOST_MAX} bytes")));
    }
    if let Some(host) = &route.host
        && host.trim_start_matches('*').contains('*')
    {
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
    if let Some(timeout) = &route.timeout
        && timeout.value.0 == Duration::ZERO
    {
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
            timeout: route.timeout.as_ref().map(|at| at.value.0),
            retry: None,
        },
    })
}

fn destinations(cx: &mut Context<'_>, route: &At<Route>, index: usize) -> Option<Vec<traffic::Destination>> {
    let Some(to) = &route.to else {
        cx.report(
            Problem::at(route, "a route needs `to`: where it leads").unless_lost(format!("gateway/route/{index}")),
        );
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
                let name = At { value: name.clone(), span: at.span.clone() };
                let service = cx.service(&name)?;
                destinations.push(traffic::Destination { service, version: None, weight: 1 });
            }
            Destination::Table(table) => {
                let Some(name) = &table.service else {
                    cx.report(
                        Problem::at(at, "a destination needs its `service`")
                            .unless_lost(format!("gateway/route/{index}")),
                    );
                    return None;
                };
                let service = cx.service(name)?;
                let version = match &table.version {
                    Some(version) => Some(cx.version(service, version)?),
                    None => None,
                };
                let weight = table.weight.as_ref().map_or(1, |w| w.value.0);
                destinations.push(traffic::Destination { service, version, weight });
            }
        }
    }
    if destinations.iter().all(|d| d.weight == 0) {
        cx.report(Problem::at(to, "no destination has any weight").label("nothing would go anywhere"));
    }
    Some(destinations)
}
