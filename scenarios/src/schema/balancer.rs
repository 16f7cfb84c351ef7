//! `balancer`: which instance gets a request.

use super::union::text_or_table;
use crate::At;
use crate::scalar::Count;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How callers choose an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Balancer {
    /// A strategy with its default parameters.
    Name(String),
    /// A strategy with parameters.
    Table(BalancerTable),
}

text_or_table!(
    Balancer,
    Name(StrategyName),
    Table(BalancerTable),
    "a strategy's name or a table such as { strategy = \"p2c\", choices = 3 }"
);

/// A strategy's name; `windtunnel list strategies` knows them.
pub type StrategyName = String;

/// A strategy with parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a strategy's name or a table with `strategy` and its parameters")]
pub struct BalancerTable {
    /// How to choose.
    #[schemars(required, schema_with = "strategies")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<At<StrategyName>>,
    /// How many hosts are drawn, 2 by default. Only for `least_request` and `p2c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<At<Count>>,
}

fn strategies(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = world::balancer::strategy::catalogue::all().iter().map(|info| info.name).collect();
    json_schema!({"type": "string", "enum": names})
}
