//! `balancer`: which instance gets a request.

use super::Named;
use super::union::text_or_table;
use crate::At;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use world::balancer::strategy::catalogue;
use world::balancer::strategy::parameter::{Kind, Parameter};

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

/// A strategy with parameters, which differ from strategy to strategy; the catalogue of the balancer knows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BalancerTable {
    /// How to choose.
    pub strategy: Option<At<StrategyName>>,
    /// Its parameters, as written.
    pub parameters: Named<At<Written>>,
}

/// A parameter's value as written: text with a unit, a number, or yes and no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text, a number, true or false")]
pub enum Written {
    /// `true` or `false`.
    Switch(bool),
    /// A whole number.
    Whole(u64),
    /// Another number.
    Number(f64),
    /// A text.
    Text(String),
}

const STRATEGY: &str = "strategy";

impl<'de> Deserialize<'de> for BalancerTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = BalancerTable;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a strategy's name or a table with `strategy` and its parameters")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BalancerTable, A::Error> {
                let mut table = BalancerTable::default();
                while let Some(key) = map.next_key::<At<String>>()? {
                    if key.value == STRATEGY {
                        table.strategy = Some(map.next_value()?);
                    } else {
                        table.parameters.insert(key, map.next_value()?);
                    }
                }
                Ok(table)
            }
        }
        deserializer.deserialize_map(Table)
    }
}

impl Serialize for BalancerTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let strategy = self.strategy.iter().map(|name| (STRATEGY, Written::Text(name.value.clone())));
        let parameters = self.parameters.iter().map(|(key, at)| (key.value.as_str(), at.value.clone()));
        serializer.collect_map(strategy.chain(parameters))
    }
}

impl JsonSchema for BalancerTable {
    fn schema_name() -> Cow<'static, str> {
        "BalancerTable".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // One alternative a strategy, so that an editor offers the parameters that have a meaning.
        let tables = catalogue::all().iter().map(|info| {
            let mut properties = serde_json::Map::new();
            properties
                .insert(STRATEGY.into(), serde_json::json!({"const": info.name, "description": "How to choose."}));
            for parameter in info.parameters {
                properties.insert(parameter.name.into(), schema_of(parameter));
            }
            json_schema!({
                "type": "object", "additionalProperties": false, "required": [STRATEGY], "properties": properties
            })
        });
        let _ = generator;
        json_schema!({"description": "A strategy with parameters.", "anyOf": tables.collect::<Vec<_>>()})
    }
}

fn schema_of(parameter: &Parameter) -> serde_json::Value {
    let mut schema = match parameter.kind {
        Kind::Count { min, max } => serde_json::json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Number { min, max } => serde_json::json!({"type": "number", "minimum": min, "maximum": max}),
        Kind::Share | Kind::Span { .. } => serde_json::json!({"type": "string"}),
        Kind::Word(words) => serde_json::json!({"type": "string", "enum": words}),
        Kind::Switch => serde_json::json!({"type": "boolean"}),
    };
    schema["description"] = format!("{}; {} by default.", parameter.summary, parameter.default).into();
    schema
}
