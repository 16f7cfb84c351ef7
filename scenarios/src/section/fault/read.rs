//! A fault in a file: read with all that stands in it, written back, and described by the JSON Schema.
//!
//! The schema has one alternative a kind, so that an editor offers the parameters that have a meaning.

use super::{AT, Fault, FaultKind, KIND, LASTS, NAME, WHAT};
use crate::At;
use crate::scalar::{OrForever, Ranged, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Fault;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table that describes a fault")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fault, A::Error> {
                let mut fault = Fault::default();
                while let Some(key) = map.next_key::<At<String>>()? {
                    match key.value.as_str() {
                        key if key == NAME.0 => fault.name = Some(map.next_value()?),
                        key if key == KIND.0 => fault.kind = Some(map.next_value()?),
                        key if key == WHAT.0 => fault.what = Some(map.next_value()?),
                        key if key == AT.0 => fault.at = Some(map.next_value()?),
                        key if key == LASTS.0 => fault.lasts = Some(map.next_value()?),
                        _ => {
                            let written = map.next_value()?;
                            fault.parameters.insert(key, written);
                        }
                    }
                }
                Ok(fault)
            }
        }
        deserializer.deserialize_map(Table)
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn entry<M: SerializeMap, T: Serialize>(map: &mut M, key: &str, value: Option<&T>) -> Result<(), M::Error> {
            value.map_or(Ok(()), |value| map.serialize_entry(key, value))
        }
        let Fault { name, kind, what, at, lasts, parameters } = self;
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, NAME.0, name.as_ref())?;
        entry(&mut map, KIND.0, kind.as_ref())?;
        entry(&mut map, WHAT.0, what.as_ref())?;
        entry(&mut map, AT.0, at.as_ref())?;
        entry(&mut map, LASTS.0, lasts.as_ref())?;
        for (key, written) in parameters {
            map.serialize_entry(key.as_str(), written)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FaultKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = FaultKind;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind of fault such as \"crash\"")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<FaultKind, E> {
                FaultKind::from_name(word).ok_or_else(|| E::unknown_variant(word, FaultKind::NAMES))
            }
        }
        deserializer.deserialize_str(Word)
    }
}

impl Serialize for FaultKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl JsonSchema for Fault {
    fn schema_name() -> Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives: Vec<Value> = FaultKind::ALL.iter().map(|kind| alternative(*kind, generator)).collect();
        json_schema!({"description": "Something that goes wrong.", "anyOf": alternatives})
    }
}

/// A fault of a kind.
fn alternative(kind: FaultKind, generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    let mut add = |(key, about): (&str, &str), mut schema: Schema| {
        schema.insert("description".to_string(), about.into());
        properties.insert(key.to_string(), schema.to_value());
    };
    add(NAME, generator.subschema_for::<String>());
    add(KIND, json_schema!({"const": kind.name()}));
    add(WHAT, generator.subschema_for::<String>());
    add(AT, generator.subschema_for::<Ranged<Span>>());
    if !kind.is_momentary() {
        add(LASTS, generator.subschema_for::<OrForever<Ranged<Span>>>());
    }
    let mut required = vec![KIND.0, WHAT.0, AT.0];
    for parameter in kind.parameters() {
        properties.insert(parameter.name.to_string(), parameter.schema(generator).to_value());
        if parameter.default.is_none() {
            required.push(parameter.name);
        }
    }
    json!({
        "type": "object",
        "description": format!("`{}`: {}.", kind.name(), kind.summary()),
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}
