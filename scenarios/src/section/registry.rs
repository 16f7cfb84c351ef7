//! `[registry]`: the kind of registry, how fast it learns which instances are alive, and how callers hear of it. It
//! becomes the servers and their clients: the configuration of the kind, then what the section changes of it.
//!
//! Times that belong together move together: where only a `ttl` is given, the heartbeat is the kind's share of it.

use super::Section;
use crate::At;
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Count, Ranged, Span};
use base::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::Spec;
use world::registry::{self, Config, registrant, resolver};
use world::spec::RegistrySpec;
use world::version::Version;

/// The service registry and its clients. Times that are not given are those of the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes the registry")]
pub struct Registry {
    /// Whose rules and default times; `consul` by default.
    pub kind: Option<At<RegistryKind>>,
    /// Whose version, where versions differ: of eureka, since "1.9.17" an expiry lowers the number of clients that are
    /// expected to renew, so that a second death is judged by the smaller fleet; up to "1.9.16" it does not. Today's
    /// rules by default.
    pub version: Option<At<String>>,
    /// How many servers; 1 by default. Each keeps its own catalogue.
    pub servers: Option<At<Count>>,
    /// How long an instance may stay silent. consul 30 s, eureka 90 s, etcd 60 s.
    pub ttl: Option<At<Ranged<Span>>>,
    /// From one renewal of an instance to the next. consul 15 s, eureka 30 s, etcd 20 s; when only `ttl` is given, the
    /// same share of it as in the kind.
    pub heartbeat: Option<At<Ranged<Span>>>,
    /// How callers learn of changes. consul and etcd watch, eureka polls.
    pub mode: Option<At<Mode>>,
    /// How often callers poll; 30 s by default. Only with mode `poll`.
    pub interval: Option<At<Ranged<Span>>>,
    /// The longest silence a watching caller accepts before it asks again; 5 min by default. Only with mode `watch`.
    pub wait: Option<At<Span>>,
    /// How long an answer of the registry may take; 1 s by default.
    pub request_timeout: Option<At<Span>>,
    /// How often the server looks for ended leases; "0s" takes each out at its very deadline. consul 0 s, eureka 60 s,
    /// etcd 500 ms.
    pub expire_interval: Option<At<Span>>,
    /// How long a change waits for others before watchers hear of it; 0 s by default.
    pub push_delay: Option<At<Span>>,
    /// Polls are answered from a copy that is renewed this often; "0s" for no copy. eureka 30 s, others 0 s.
    pub response_cache: Option<At<Span>>,
    /// Whether the server stops expiring instances when too many fall silent at once. Only eureka has it, on by
    /// default.
    pub self_preservation: Option<At<bool>>,
    /// How often the server, for its self-preservation, expects each instance to renew; 30 s by default, whatever
    /// `heartbeat` is: instances that renew more often hide the silence of others. Only with self-preservation.
    pub expected_renewal_interval: Option<At<Span>>,
    /// How long a stopping instance stays listed as draining before it leaves; 0 s by default.
    pub drain: Option<At<Span>>,
}

/// Whose rules a registry follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistryKind {
    /// Leases and blocking queries as in Consul, for services with a TTL check.
    #[default]
    Consul,
    /// Leases, self-preservation, response cache and polling as in Netflix Eureka, started by Spring Cloud.
    Eureka,
    /// Leases and watches as in etcd, one key per instance.
    Etcd,
}

/// How callers learn of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are told.
    Watch,
    /// They ask at intervals.
    Poll,
}

/// How long a watching caller stays silent, where the kind does not say.
const WAIT: Duration = Duration::mins(5);
/// How often a polling caller asks, where the kind does not say.
const INTERVAL: Duration = Duration::secs(30);

/// The most servers of a registry.
const SERVERS_MAX: u32 = 16;

impl Section for Registry {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let Some(table) = cx.scenario.registry.as_ref() else { return };
        let mut lowered = table.kind.value_or(RegistryKind::default()).usual(table.servers.inner_or(1));
        if lowered.servers == 0 {
            cx.report(
                Problem::new("a registry has at least one server")
                    .span(table.servers.place())
                    .help("leave out [registry] for callers who know the truth at once"),
            );
        }
        cx.at_most(&table.servers, SERVERS_MAX, "servers", "every instance registers with each");
        let RegistrySpec { server, registrant, resolver, .. } = &mut lowered;
        lease(cx, table, server, registrant);
        how_callers_ask(cx, table, &mut resolver.mode);
        cx.longer_than_zero(&table.request_timeout, "`request_timeout`");
        table.request_timeout.replace_in(&mut registrant.request_timeout);
        table.request_timeout.replace_in(&mut resolver.request_timeout);
        table.expire_interval.replace_in(&mut server.expire_interval);
        // Without passes there is nothing to compensate.
        server.compensate_late_passes &= table.expire_interval.inner().is_none_or(|interval| !interval.is_zero());
        table.push_delay.replace_in(&mut server.push_delay);
        table.response_cache.replace_in(&mut server.response_cache);
        table.drain.replace_in(&mut registrant.drain);
        self_preservation(cx, table, server);
        let valid = (server.ttl.as_nanos() > 0 && registrant.heartbeat.as_nanos() > 0).then(|| server.check());
        if let Some(Err(error)) = valid {
            let place = table.expire_interval.place().or_else(|| table.self_preservation.place());
            cx.report(Problem::new(error.to_string()).span(place.or_else(|| table.span.clone())));
        }
        spec.registry = Some(lowered);
    }
}

impl RegistryKind {
    /// So many servers of this kind and their clients, each as it comes.
    fn usual(self, servers: u32) -> RegistrySpec {
        let (server, registrant, resolver) = match self {
            RegistryKind::Consul => {
                (Config::consul_ttl(), registrant::Config::consul_ttl(), resolver::Config::consul())
            }
            RegistryKind::Eureka => (Config::eureka(), registrant::Config::eureka(), resolver::Config::eureka()),
            RegistryKind::Etcd => (Config::etcd(), registrant::Config::etcd(), resolver::Config::consul()),
        };
        RegistrySpec { servers, server, registrant, resolver }
    }
}

/// How long a lease lasts and how often it is renewed.
fn lease(cx: &mut Context<'_>, table: &Registry, server: &mut Config, registrant: &mut registrant::Config) {
    let share = registrant.heartbeat.as_secs_f64() / server.ttl.as_secs_f64();
    if let Some(ttl) = cx.draw_key("registry", "ttl", &table.ttl) {
        server.ttl = ttl;
        registrant.heartbeat = ttl.mul_f64(share).max(Duration::ns(1));
        cx.longer_than_zero(&table.ttl, "a ttl");
    }
    let Some(heartbeat) = &table.heartbeat else { return };
    registrant.heartbeat = cx.draw("registry/heartbeat", &heartbeat.value).0;
    let ttl_low = table.ttl.as_ref().map_or(server.ttl, |ttl| ttl.low().0);
    if cx.longer_than_zero(&table.heartbeat, "a heartbeat") && heartbeat.high().0 >= ttl_low {
        let message = format!("a heartbeat every {} is too late for a ttl of {}", heartbeat.high(), Span(ttl_low));
        let label = "shorter than the ttl, or every lease ends between two renewals";
        cx.report(Problem::at(heartbeat, message).label(label));
    }
}

/// Whether callers watch or poll, and how long or how often.
fn how_callers_ask(cx: &mut Context<'_>, table: &Registry, asks: &mut resolver::Mode) {
    if let Some(mode) = &table.mode {
        *asks = match mode.value {
            Mode::Watch => resolver::Mode::Watch { wait: WAIT },
            Mode::Poll => resolver::Mode::Poll { interval: INTERVAL },
        };
    }
    match asks {
        resolver::Mode::Poll { interval } => {
            *interval = cx.draw_key("registry", "interval", &table.interval).unwrap_or(*interval);
            cx.longer_than_zero(&table.interval, "an interval");
            if let Some(wait) = &table.wait {
                cx.report(Problem::meaningless(&wait.span, "wait", "for callers that poll").label("say `interval`"));
            }
        }
        resolver::Mode::Watch { wait } => {
            table.wait.replace_in(wait);
            cx.longer_than_zero(&table.wait, "`wait`");
            if let Some(at) = &table.interval {
                let problem = Problem::meaningless(&at.span, "interval", "for callers that watch");
                cx.report(problem.label("say mode = \"poll\""));
            }
        }
    }
}

/// Whether the server keeps leases when too many end at once, and from what it expects.
fn self_preservation(cx: &mut Context<'_>, table: &Registry, server: &mut Config) {
    if let Some(wanted) = &table.self_preservation {
        server.self_preservation = wanted.value.then(registry::SelfPreservation::eureka);
    }
    let is_eureka = table.kind.as_ref().is_some_and(|kind| kind.value == RegistryKind::Eureka);
    let expiry_lowers = expiry_lowers(cx, table.version.as_ref(), is_eureka);
    if let Some(preservation) = &mut server.self_preservation {
        preservation.expiry_lowers = expiry_lowers;
    }
    let key = "expected_renewal_interval";
    let Some(at) = &table.expected_renewal_interval else { return };
    if !cx.longer_than_zero(&table.expected_renewal_interval, &format!("`{key}`")) {
        return;
    }
    match &mut server.self_preservation {
        Some(preservation) => preservation.renew_interval = at.value.0,
        None => cx.report(
            Problem::meaningless(&at.span, key, "without self-preservation")
                .label("say kind = \"eureka\" or self_preservation = true"),
        ),
    }
}

/// Since when an expiry lowers what Eureka expects, and the first version whose rules these are.
const EXPIRY_LOWERS_SINCE: Version = Version::new(1, 9, 17);
const EUREKA_SINCE: Version = Version::new(1, 9, 0);

/// Whether an expiry lowers what self-preservation expects, as of the version that was asked for.
fn expiry_lowers(cx: &mut Context<'_>, version: Option<&At<String>>, is_eureka: bool) -> bool {
    let Some(asked) = version else { return true };
    if !is_eureka {
        cx.report(
            Problem::meaningless(&asked.span, "version", "for this kind of registry")
                .label("of eureka alone more than one version's rules are known"),
        );
        return true;
    }
    match asked.value.parse::<Version>() {
        Ok(version) if version < EUREKA_SINCE => {
            let problem = Problem::at(asked, format!("rules of Eureka {version} are not known"));
            cx.report(problem.label(format!("{EUREKA_SINCE} or later")));
            true
        }
        Ok(version) => version >= EXPIRY_LOWERS_SINCE,
        Err(error) => {
            cx.report(Problem::at(asked, error.to_string()));
            true
        }
    }
}
