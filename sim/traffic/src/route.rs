//! Which service a request is for: a table of routes, of which the first that matches wins.
//!
//! The shape is Istio's `VirtualService.http` (a route has alternative matches; within a match everything must hold;
//! the first route wins), and the matching of hosts, paths and headers is Envoy's (envoyproxy/envoy
//! `api/envoy/config/route/v3/route_components.proto`, `source/common/router/config_impl.cc`). Regular expressions are
//! left out. Two of Envoy's rules surprise often enough to be pinned by tests: a `prefix` is a prefix of characters, so
//! `/api` matches `/apiary`; and a rewrite replaces exactly the prefix, so `/api/` → `/` and `/api` → `/` differ.
//!
//! A route says where to; the weights between its destinations are what a rollout moves.

use crate::RetryPolicy;
use base::{Draw, Duration, ServiceId, VersionId};

/// What routing looks at.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The authority, without a port.
    pub host: &'a str,
    /// The path, with its query if it has one.
    pub path: &'a str,
    /// Names and values.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> RequestHead<'a> {
    /// A request for `path` at `host` without headers.
    pub const fn new(host: &'a str, path: &'a str) -> Self {
        RequestHead { host, path, headers: &[] }
    }
}

/// Which host names match. Letter case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostMatch {
    /// `*`.
    Any,
    /// This name.
    Exact(String),
    /// `*.example.com`, held as `.example.com`: at least one character before it.
    Suffix(String),
}

impl HostMatch {
    /// Reads `*`, `*.example.com` or `example.com`. Any other use of `*` is taken as a name, which no request has.
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix('*') {
            Some("") => HostMatch::Any,
            Some(suffix) => HostMatch::Suffix(suffix.to_string()),
            None => HostMatch::Exact(text.to_string()),
        }
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            HostMatch::Any => true,
            HostMatch::Exact(name) => host.eq_ignore_ascii_case(name),
            HostMatch::Suffix(suffix) => {
                let (host, suffix) = (host.as_bytes(), suffix.as_bytes());
                host.len() > suffix.len() && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
            }
        }
    }
}

/// Which paths match. The query takes no part; letter case does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// Every path.
    Any,
    /// The whole path.
    Exact(String),
    /// Envoy's and Istio's `prefix`: the path begins with these characters.
    Prefix(String),
    /// Envoy's `path_separated_prefix`, Kubernetes' `PathPrefix`: whole segments, so `/api` matches `/api` and
    /// `/api/v1` but not `/apiary`. Held without a slash at the end.
    SeparatedPrefix(String),
}

impl PathMatch {
    /// How many bytes at the beginning of `path` matched: what a rewrite replaces.
    fn matched(&self, path: &str) -> Option<usize> {
        let path = without_query(path);
        let (len, matches) = match self {
            PathMatch::Any => (0, true),
            PathMatch::Exact(exact) => (exact.len(), path == exact),
            PathMatch::Prefix(prefix) => (prefix.len(), path.starts_with(prefix.as_str())),
            PathMatch::SeparatedPrefix(prefix) => {
                let rest = path.strip_prefix(prefix.as_str());
                (prefix.len(), rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
            }
        };
        matches.then_some(len)
    }
}

fn without_query(path: &str) -> &str {
    path.split_once(['?', '#']).map_or(path, |(before, _)| before)
}

/// Which values of a header match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueMatch {
    /// Any value: the header is there.
    Present,
    /// This value.
    Exact(String),
    /// Values that begin so.
    Prefix(String),
}

/// A header that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Its name; letter case does not matter.
    pub name: String,
    /// Its value. When the header is there more than once, one of the values has to match.
    pub value: ValueMatch,
}

impl HeaderMatch {
    fn matches(&self, headers: &[(&str, &str)]) -> bool {
        headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&self.name)).any(|(_, value)| match &self.value {
            ValueMatch::Present => true,
            ValueMatch::Exact(exact) => value == exact,
            ValueMatch::Prefix(prefix) => value.starts_with(prefix.as_str()),
        })
    }
}

/// What must hold of a request, all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// One of these hosts; no entry means any.
    pub hosts: Vec<HostMatch>,
    /// This path.
    pub path: PathMatch,
    /// All of these headers.
    pub headers: Vec<HeaderMatch>,
}

impl Match {
    /// Every host, this path, no condition on headers.
    pub const fn path(path: PathMatch) -> Self {
        Match { hosts: Vec::new(), path, headers: Vec::new() }
    }

    fn matched(&self, request: &RequestHead<'_>) -> Option<usize> {
        let len = self.path.matched(request.path)?;
        let host = self.hosts.is_empty() || self.hosts.iter().any(|h| h.matches(request.host));
        (host && self.headers.iter().all(|h| h.matches(request.headers))).then_some(len)
    }
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The service.
    pub service: ServiceId,
    /// Only its instances of this version; all of them for `None`.
    pub version: Option<VersionId>,
    /// How much of the traffic, relative to the weights of the other destinations; nothing at zero.
    pub weight: u32,
}

/// What happens to a request that matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Where it goes, by weight.
    pub destinations: Vec<Destination>,
    /// What replaces the matched part of the path; put before the path where a match looks at no path.
    pub prefix_rewrite: Option<String>,
    /// In place of the service's timeout.
    pub timeout: Option<Duration>,
    /// In place of the service's retry policy.
    pub retry: Option<RetryPolicy>,
}

impl Action {
    /// Everything to one service, as it is.
    pub fn to(service: ServiceId) -> Self {
        Action {
            destinations: vec![Destination { service, version: None, weight: 1 }],
            prefix_rewrite: None,
            timeout: None,
            retry: None,
        }
    }
}

/// One route.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What people call it.
    pub name: String,
    /// One of these must match; no entry matches everything.
    pub matches: Vec<Match>,
    /// What happens then.
    pub action: Action,
}

impl Route {
    /// How much of the path of `request` is matched, or `None` when the route is not for it.
    fn matched(&self, request: &RequestHead<'_>) -> Option<usize> {
        if self.matches.is_empty() {
            return Some(0);
        }
        self.matches.iter().find_map(|m| m.matched(request))
    }

    /// One of the destinations, each with the chance of its weight; `None` when all weights are zero. Draws once when
    /// more than one is listed, whatever the weights, so that a change of weights moves no later draw.
    ///
    /// As Envoy's weighted clusters: a draw below the total, and the destination in whose interval it falls, in order.
    #[inline]
    pub fn choose(&self, draw: &mut impl Draw) -> Option<&Destination> {
        if let [only] = self.action.destinations.as_slice() {
            return (only.weight > 0).then_some(only);
        }
        self.choose_of_many(draw)
    }

    fn choose_of_many(&self, draw: &mut impl Draw) -> Option<&Destination> {
        let destinations = &self.action.destinations;
        let total: u64 = destinations.iter().map(|d| u64::from(d.weight)).sum();
        // Always one draw, also for a total of nothing.
        let mut rest = draw.below_u64(total.max(1));
        if total == 0 {
            return None;
        }
        for destination in destinations {
            let weight = u64::from(destination.weight);
            if rest < weight {
                return Some(destination);
            }
            rest -= weight;
        }
        unreachable!("a draw below the sum of weights falls into one of them")
    }

    /// Writes the path that the destination sees into `out`, which keeps its room between calls. The query stays.
    pub fn rewrite(&self, request: &RequestHead<'_>, out: &mut String) {
        out.clear();
        match (&self.action.prefix_rewrite, self.matched(request)) {
            (Some(replacement), Some(len)) => {
                out.push_str(replacement);
                out.push_str(&request.path[len..]);
            }
            _ => out.push_str(request.path),
        }
    }
}

/// Routes in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteTable {
    routes: Vec<Route>,
}

impl RouteTable {
    /// These routes, in this order.
    pub const fn new(routes: Vec<Route>) -> Self {
        RouteTable { routes }
    }

    /// The index of the first route that matches, or `None`, which a gateway answers with 404. O(routes); a caller
    /// whose requests repeat themselves looks once and keeps the index.
    pub fn find(&self, request: &RequestHead<'_>) -> Option<usize> {
        self.routes.iter().position(|route| route.matched(request).is_some())
    }

    /// The routes, in order.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The destinations of the route at `index`, to change their weights. Panics when there is no such route.
    pub fn destinations_mut(&mut self, index: usize) -> &mut Vec<Destination> {
        &mut self.routes[index].action.destinations
    }

    /// Which routes can never be reached because an earlier one matches everything; as pairs of the earlier and the
    /// later index. What Envoy accepts in silence and people search for.
    pub fn unreachable(&self) -> impl Iterator<Item = (usize, usize)> {
        let catch_all = self.routes.iter().position(|route| {
            let everything = |m: &Match| {
                let host = m.hosts.is_empty() || m.hosts.contains(&HostMatch::Any);
                let path = m.path == PathMatch::Any || m.path == PathMatch::Prefix("/".to_string());
                host && path && m.headers.is_empty()
            };
            route.matches.is_empty() || route.matches.iter().any(everything)
        });
        catch_all.into_iter().flat_map(move |first| (first + 1..self.routes.len()).map(move |later| (first, later)))
    }
}
