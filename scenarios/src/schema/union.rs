//! Keys that take a name for the simple case and a table for the rest: `balancer = "p2c"`, `balancer = { … }`.
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
                        <$text_type as ::serde::Deserialize>::deserialize(::serde::de::value::StrDeserializer::new(text))
                            .map($type::$text)
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
