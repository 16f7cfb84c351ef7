//! A case in JSON, rewritten as TOML, so that both are read by the same reader and refused in the same words.
//!
//! JSON has two things that TOML has not: `null`, which stands for no value here, and keys that stand twice, of which
//! most readers silently drop one. Both are errors.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The same case in TOML; what is wrong with it as JSON, with line and column.
pub(super) fn to_toml(text: &str) -> Result<String, String> {
    let Strict(value) = serde_json::from_str(text).map_err(|error| format!("not a case in JSON: {error}"))?;
    if !value.is_table() {
        return Err(format!("not a case in JSON: expected an object such as {{}}, found {}", kind(&value)));
    }
    toml::to_string(&value).map_err(|error| format!("not a case: {error}"))
}

fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::Array(_) => "an array",
        toml::Value::String(_) => "a text",
        _ => "a single value",
    }
}

/// A value of JSON that TOML can hold as well.
struct Strict(toml::Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Strict, E> {
        Ok(Strict(n.into()))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Strict, E> {
        i64::try_from(n).map(|n| Strict(n.into())).map_err(|_| E::custom(format!("{n} is too large for any key")))
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Strict, E> {
        Ok(Strict(x.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Strict, E> {
        Ok(Strict(text.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Strict, E> {
        Err(E::custom("null is no value here; leave the key out"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Strict(toml::Value::Array(all)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Strict, A::Error> {
        let mut table = toml::Table::new();
        while let Some(key) = entries.next_key::<String>()? {
            if table.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands here twice")));
            }
            let Strict(value) = entries.next_value()?;
            table.insert(key, value);
        }
        Ok(Strict(toml::Value::Table(table)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_says_toml_says_too() {
        let read = |text| to_toml(text).map(|toml| toml.parse::<toml::Table>().expect("it is TOML"));
        let same = r#"{"n": 3, "x": 0.1, "yes": true, "text": "a\"\n\u0001é", "list": [{"a": 1}, {"b": []}],
            "t": {"u": {}}}"#;
        let table = read(same).expect("an object");
        assert_eq!(serde_json::to_value(&table).ok(), serde_json::from_str(same).ok());
        assert_eq!(to_toml("{}"), Ok(String::new()));
    }

    #[test]
    fn what_toml_cannot_hold_is_refused_with_its_place() {
        for (text, said) in [
            ("{\"a\": null}", "null is no value here; leave the key out at line 1 column 10"),
            ("{\n\"a\": 1, \"a\": 2}", "the key `a` stands here twice at line 2 column 11"),
            ("{\"a\": 18446744073709551615}", "18446744073709551615 is too large for any key"),
            ("[1]", "expected an object such as {}, found an array"),
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{\"a\": 1} {}", "trailing characters at line 1 column 10"),
        ] {
            let error = to_toml(text).expect_err(text);
            assert!(error.starts_with("not a case in JSON: ") && error.contains(said), "{text}: {error}");
        }
    }
}
