//! `[gateway]`: nodes between load and services, and the routes they follow.

use super::load::Spread;
use super::union::text_or_table;
use crate::At;
use crate::scalar::{Count, OrNone, Ranged, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The gateway: nodes between load and services, each with its own view and its own balancers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes the gateway")]
pub struct Gateway {
    /// How many; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<At<Ranged<Count>>>,
    /// Which of them each request comes to; `random` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<At<Spread>>,
    /// How long whoever sends a request waits for the gateway's answer, as a browser or an HTTP client does; "none" for
    /// ever. 15 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<At<String>>,
    /// The host: "example.com", "*.example.com" or "*".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<At<String>>,
    /// The path begins with these characters, so "/api" also matches "/apiary" (Envoy's and Istio's prefix).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<At<String>>,
    /// The path begins with these whole segments, so "/api" matches "/api/v1" but not "/apiary" (Kubernetes'
    /// PathPrefix).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<At<String>>,
    /// The whole path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<At<String>>,
    /// Headers that must be there: a value, the beginning of one ("beta*"), or any ("*").
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<At<String>, At<String>>,
    /// Where it leads: a service's name, or several destinations with weights.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<At<To>>,
    /// What replaces the matched part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<At<String>>,
    /// In place of the service's timeout.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<At<String>>,
    /// Only its instances of this version, also while a rollout splits the traffic of the rest; the request fails when
    /// there is none. All of them by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<At<String>>,
    /// How much of the traffic, relative to the other weights; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<At<Count>>,
}

impl<'de> Deserialize<'de> for To {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ToVisitor;
        impl<'de> Visitor<'de> for ToVisitor {
            type Value = To;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a service's name, a table, or an array of tables with weights")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<To, E> {
                Ok(To::One(Destination::Name(name.to_string())))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<To, A::Error> {
                let table = DestinationTable::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(To::One(Destination::Table(table)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<To, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(To::Weighted(all))
            }
        }
        deserializer.deserialize_any(ToVisitor)
    }
}

impl Serialize for To {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            To::One(destination) => destination.serialize(serializer),
            To::Weighted(destinations) => destinations.serialize(serializer),
        }
    }
}

impl JsonSchema for To {
    fn schema_name() -> Cow<'static, str> {
        "To".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Destination>();
        json_schema!({"description": "A destination, or several with weights.",
            "anyOf": [one, {"type": "array", "items": one}]})
    }
}
