//! Keys that take a name for the simple case and a table for the rest: `balancer = "p2c"`, `balancer = { … }`; and keys
//! that take one such value or an array of them: `to = "stock"`, `to = [{ … }, { … }]`.
//!
//! Serde's own untagged enums forget where they were and what went wrong inside; this keeps both.

/// Serde and JSON Schema for an enum with a variant for texts and one for tables.
macro_rules! text_or_table {
    ($type:ident, $text:ident($text_type:ty), $table:ident($table_type:ty), $expecting:literal) => {
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> ::serde::de::Visitor<'de> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        let text = ::serde::de::value::StrDeserializer::new(text);
                        <$text_type as ::serde::Deserialize>::deserialize(text).map($type::$text)
                    }
                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        let table = ::serde::de::value::MapAccessDeserializer::new(map);
                        <$table_type as ::serde::Deserialize>::deserialize(table).map($type::$table)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $type::$text(text) => ::serde::Serialize::serialize(text, serializer),
                    $type::$table(table) => ::serde::Serialize::serialize(table, serializer),
                }
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let text = generator.subschema_for::<$text_type>();
                let table = generator.subschema_for::<$table_type>();
                ::schemars::json_schema!({"description": concat!("Either ", $expecting, "."), "anyOf": [text, table]})
            }
        }
    };
}
pub(crate) use text_or_table;

/// Serde and JSON Schema for an enum with a variant for one text or table, and one for an array of them.
macro_rules! one_or_many {
    ($type:ident, $one:ident($item:ty), $many:ident, $expecting:literal, $description:literal) => {
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> ::serde::de::Visitor<'de> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        let text = ::serde::de::value::StrDeserializer::new(text);
                        <$item as ::serde::Deserialize>::deserialize(text).map($type::$one)
                    }
                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        let table = ::serde::de::value::MapAccessDeserializer::new(map);
                        <$item as ::serde::Deserialize>::deserialize(table).map($type::$one)
                    }
                    fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$type, A::Error> {
                        let mut all = Vec::new();
                        while let Some(one) = seq.next_element()? {
                            all.push(one);
                        }
                        Ok($type::$many(all))
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $type::$one(one) => ::serde::Serialize::serialize(one, serializer),
                    $type::$many(many) => ::serde::Serialize::serialize(many, serializer),
                }
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let one = generator.subschema_for::<$item>();
                ::schemars::json_schema!({"description": $description,
                    "anyOf": [one, {"type": "array", "items": one}]})
            }
        }
    };
}
pub(crate) use one_or_many;
