//! A parameter as it stands in a file, before anybody asks what it should be.
//!
//! Which parameters a fault has is known by its kind alone, and a kind may come after them in a file. So they are kept
//! as they were written, every part with its place, and read as what their kind wants when it is known. What is wrong
//! with one is then said as serde says it of any other key.

use crate::At;
use crate::problem::Problem;
use crate::recover;
use crate::section::Named;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A value of TOML that knows where its parts stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// `true` or `false`.
    Switch(bool),
    /// A number, as TOML writes it.
    Number(String),
    /// A text.
    Text(String),
    /// A date, which no parameter takes.
    Date,
    /// Several values.
    Array(Vec<At<Written>>),
    /// A table.
    Table(Named<At<Written>>),
}

impl Written {
    /// What a file would say to mean `value`, which is one of the types that parameters have.
    pub(crate) fn of<T: Serialize>(value: &T) -> Written {
        let toml = toml::Value::try_from(value);
        Written::from_toml(toml.expect("a parameter is made of tables, texts and numbers, all of which TOML can hold"))
    }

    fn from_toml(value: toml::Value) -> Written {
        let at = |value: toml::Value| At::new(Written::from_toml(value));
        match value {
            toml::Value::Boolean(on) => Written::Switch(on),
            toml::Value::Integer(n) => Written::Number(n.to_string()),
            toml::Value::Float(x) => Written::float(x),
            toml::Value::String(text) => Written::Text(text),
            toml::Value::Datetime(_) => Written::Date,
            toml::Value::Array(items) => Written::Array(items.into_iter().map(at).collect()),
            toml::Value::Table(table) => {
                Written::Table(table.into_iter().map(|(key, value)| (At::new(key), at(value))).collect())
            }
        }
    }

    fn float(x: f64) -> Written {
        Written::Number(match x {
            x if x.is_nan() => "nan".to_string(),
            x => format!("{x:?}"),
        })
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Written;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E>(self, on: bool) -> Result<Written, E> {
                Ok(Written::Switch(on))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Written, E> {
                Ok(Written::Number(n.to_string()))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Written, E> {
                Ok(Written::Number(n.to_string()))
            }
            fn visit_i128<E>(self, n: i128) -> Result<Written, E> {
                Ok(Written::Number(n.to_string()))
            }
            fn visit_u128<E>(self, n: u128) -> Result<Written, E> {
                Ok(Written::Number(n.to_string()))
            }
            fn visit_f64<E>(self, x: f64) -> Result<Written, E> {
                Ok(Written::float(x))
            }
            fn visit_str<E>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Text(text.to_string()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Written, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Written::Array(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                let mut table = Named::new();
                // A date comes as a map too, whose only key stands nowhere.
                let Ok(mut next) = map.next_key::<At<String>>() else { return Ok(Written::Date) };
                while let Some(key) = next {
                    table.insert(key, map.next_value()?);
                    next = map.next_key()?;
                }
                Ok(Written::Table(table))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Written::Switch(on) => serializer.serialize_bool(*on),
            Written::Number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(n), _) => serializer.serialize_i64(n),
                (Err(_), Ok(x)) => serializer.serialize_f64(x),
                (Err(_), Err(_)) => serializer.serialize_str(text),
            },
            Written::Text(text) => serializer.serialize_str(text),
            Written::Date => serializer.serialize_str("a date"),
            Written::Array(items) => serializer.collect_seq(items),
            Written::Table(table) => serializer.collect_map(table.iter().map(|(key, item)| (key.as_str(), item))),
        }
    }
}

/// What stands in a table of one key.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Only<T> {
    value: Option<At<T>>,
}

impl<T> Default for Only<T> {
    fn default() -> Self {
        Only { value: None }
    }
}

/// What was written, read as a `T`; or everything that is wrong with it.
pub(crate) fn read<T: DeserializeOwned>(written: &At<Written>) -> Result<At<T>, Vec<Problem>> {
    let mut table = DeTable::new();
    table.insert(Spanned::new(NOWHERE, Cow::Borrowed("value")), tree(written));
    let read = recover::from_tree::<Only<T>>(Spanned::new(NOWHERE, table), |_| false);
    match (read.value.value, &read.problems[..]) {
        (Some(value), []) => Ok(At { value: value.value, span: written.span.clone() }),
        _ => Err(read
            .problems
            .into_iter()
            .map(|problem| {
                let span = problem.span.clone().filter(|_| written.span.is_some());
                problem.span(span)
            })
            .collect()),
    }
}

/// The place of what stands in no file.
const NOWHERE: Range<usize> = 0..0;

fn tree(written: &At<Written>) -> Spanned<DeValue<'_>> {
    let place = |span: &Option<Range<usize>>| span.clone().unwrap_or(NOWHERE);
    // A tree's numbers and dates can only be had from their text.
    let parsed = |text| DeValue::parse(text).map_or(DeValue::Boolean(false), Spanned::into_inner);
    let value = match &written.value {
        Written::Switch(on) => DeValue::Boolean(*on),
        Written::Number(text) => parsed(text),
        Written::Text(text) => DeValue::String(Cow::Borrowed(text.as_str())),
        Written::Date => parsed("1970-01-01"),
        Written::Array(items) => {
            let mut array = DeArray::new();
            items.iter().for_each(|item| array.push(tree(item)));
            DeValue::Array(array)
        }
        Written::Table(items) => {
            let mut table = DeTable::new();
            for (key, item) in items {
                table.insert(Spanned::new(place(&key.span), Cow::Borrowed(key.value.as_str())), tree(item));
            }
            DeValue::Table(table)
        }
    };
    Spanned::new(place(&written.span), value)
}
