//! The `[registry]` section: who knows which instances are alive, how fast it learns, and how callers hear of it.
//!
//! Every time may be left out and is then that of the kind; the comments of the keys are the documentation editors
//! show.

use crate::At;
use crate::scalar::{Count, Ranged, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The service registry and its clients. Times that are not given are those of the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes the registry")]
pub struct Registry {
    /// Whose rules and default times; `consul` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<At<RegistryKind>>,
    /// Whose version, where versions differ: of eureka, since "1.9.17" an expiry lowers the number of clients that are
    /// expected to renew, so that a second death is judged by the smaller fleet; up to "1.9.16" it does not. Today's
    /// rules by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<At<String>>,
    /// How many servers; 1 by default. Each keeps its own catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<At<Count>>,
    /// How long an instance may stay silent. consul 30 s, eureka 90 s, etcd 60 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<At<Ranged<Span>>>,
    /// From one renewal of an instance to the next. consul 15 s, eureka 30 s, etcd 20 s; when only `ttl` is given, the
    /// same share of it as in the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<At<Ranged<Span>>>,
    /// How callers learn of changes. consul and etcd watch, eureka polls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<At<Mode>>,
    /// How often callers poll; 30 s by default. Only with mode `poll`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<At<Ranged<Span>>>,
    /// The longest silence a watching caller accepts before it asks again; 5 min by default. Only with mode `watch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<At<Span>>,
    /// How long an answer of the registry may take; 1 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<At<Span>>,
    /// How often the server looks for ended leases; "0s" takes each out at its very deadline. consul 0 s, eureka 60 s,
    /// etcd 500 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_interval: Option<At<Span>>,
    /// How long a change waits for others before watchers hear of it; 0 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_delay: Option<At<Span>>,
    /// Polls are answered from a copy that is renewed this often; "0s" for no copy. eureka 30 s, others 0 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_cache: Option<At<Span>>,
    /// Whether the server stops expiring instances when too many fall silent at once. Only eureka has it, on by
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_preservation: Option<At<bool>>,
    /// How often the server, for its self-preservation, expects each instance to renew; 30 s by default, whatever
    /// `heartbeat` is: instances that renew more often hide the silence of others. Only with self-preservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_renewal_interval: Option<At<Span>>,
    /// How long a stopping instance stays listed as draining before it leaves; 0 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
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
