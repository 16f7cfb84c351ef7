//! What a scenario file may say: one file a section.
//!
//! These types are twins of `world::Spec`: they hold what was written, with its units, ranges and presets, and the
//! place of everything that may turn out to be wrong. Their doc comments are the descriptions in the JSON Schema, so
//! they address the author of a scenario. Unknown keys are errors; everything that has a sensible default may be left
//! out.
//!
//! Tables that have kinds (distributions, shapes of load) are flat, with all keys of all kinds: lowering then says which
//! key does not belong to which kind, and can point at both. A balancer and a fault keep what its strategy or kind
//! declares as it was written.

pub mod balancer;
pub mod distribution;
pub mod eligibility;
pub mod expect;
pub mod gateway;
pub mod load;
pub mod policy;
pub mod registry;
pub mod rollout;
pub mod service;
pub mod topology;
mod union;

pub use balancer::Balancer;
pub use distribution::Distribution;
pub use eligibility::Eligibility;
pub use expect::{Expect, Slo};
pub use gateway::{Gateway, Route};
pub use load::{Load, Shape};
pub use policy::Policy;
pub use registry::Registry;
pub use rollout::Rollout;
pub use service::{Service, Version};
pub use topology::Topology;

pub use crate::section::fault::{Fault, FaultKind};

use crate::At;
use crate::scalar::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A table of named things, in the order of their names.
pub type Named<T> = BTreeMap<At<String>, T>;

/// A Windtunnel scenario: what runs, what goes wrong, and what must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a scenario")]
#[schemars(title = "Windtunnel scenario")]
pub struct Scenario {
    /// The scenario's short name: its file name without the extension. Not in the file.
    #[serde(skip)]
    pub name: String,
    /// One line on what the scenario is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<At<String>>,
    /// How long each phase lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<At<Phases>>,
    /// Zones and the network between them; one zone on a LAN by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology: Option<At<Topology>>,
    /// The service registry. Without this section every caller knows the truth at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<At<Registry>>,
    /// The services, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub service: Named<At<Service>>,
    /// How callers choose an instance, for every service that does not say otherwise: a strategy's name or a table.
    /// `p2c` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancer: Option<At<Balancer>>,
    /// How callers treat a call, for every service that does not say otherwise: a preset's name or a table. A timeout
    /// of 15 s and nothing else by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<At<Policy>>,
    /// The gateway between load and services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<At<Gateway>>,
    /// Where requests come from, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub load: Named<At<Load>>,
    /// Versions rolled out during the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rollout: Vec<At<Rollout>>,
    /// What goes wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<At<Fault>>,
    /// What the run is expected to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<At<Expect>>,
}

/// The three phases of a run. Load runs through all of them; only what arrives after warm-up is measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with warmup, storm and calm")]
pub struct Phases {
    /// Not measured: queues fill, views spread, balancers learn. 10 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<At<Span>>,
    /// Faults happen. 2 min by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storm: Option<At<Span>>,
    /// Faults have stopped; everything must converge. 60 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calm: Option<At<Span>>,
}
