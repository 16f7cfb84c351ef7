//! The `[expect]` section: what the run must show, as invariants by name and objectives by number.
//!
//! The names an editor offers come from the world's own catalogue of invariants, so a new one is known here without
//! being written down again.

use crate::At;
use crate::scalar::{AtLeast, AtMost};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use world::outcome::CheckKind;

/// What the run is expected to show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with always, eventually, sometimes and slo")]
pub struct Expect {
    /// Invariants that hold at every moment. All of them are checked in every run; naming one says what the scenario is
    /// about.
    #[schemars(schema_with = "always")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<At<String>>,
    /// Invariants that must hold when calm ends.
    #[schemars(schema_with = "eventually")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub eventually: Vec<At<String>>,
    /// What must happen at least once, or the scenario tests less than it claims.
    #[schemars(schema_with = "sometimes")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sometimes: Vec<At<String>>,
    /// Objectives: what callers must see after warm-up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slo: Vec<At<Slo>>,
}

/// What the callers of a service must see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with a service and its limits")]
pub struct Slo {
    /// Whose callers.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<At<String>>,
    /// The share of requests that succeed: ">= 99.5%".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<At<AtLeast>>,
    /// The median latency: "<= 10ms".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<At<AtMost>>,
    /// The 99th percentile of latency: "<= 120ms".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<At<AtMost>>,
    /// The mean latency: "<= 20ms".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<At<AtMost>>,
}

fn names(kind: CheckKind) -> Schema {
    let of_kind = world::invariant::all().filter(|info| info.kind == kind);
    let names: Vec<&str> = of_kind.map(|info| info.name).collect();
    json_schema!({"type": "array", "items": {"type": "string", "enum": names}})
}

fn always(_: &mut SchemaGenerator) -> Schema {
    names(CheckKind::Always)
}

fn eventually(_: &mut SchemaGenerator) -> Schema {
    names(CheckKind::Eventually)
}

fn sometimes(_: &mut SchemaGenerator) -> Schema {
    names(CheckKind::Sometimes)
}
