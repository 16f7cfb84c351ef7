//! A value or a word in its place: `"none"` takes away what a preset gave, `"forever"` is a fault without an end.

use super::{Misread, Scalar, scalar};
use schemars::{Schema, json_schema};
use std::fmt;

macro_rules! or_word {
    ($(#[$doc:meta])* $name:ident, $word:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name<T>(pub Option<T>);

        impl<T: Scalar> Scalar for $name<T> {
            const EXPECTED: &'static str = $expected;

            fn from_text(text: &str) -> Result<Self, Misread> {
                if text.trim() == $word {
                    return Ok($name(None));
                }
                T::from_text(text).map(|value| $name(Some(value)))
            }

            fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
                T::from_number(number, written).map(|value| $name(Some(value)))
            }

            fn put<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match &self.0 {
                    Some(value) => value.put(serializer),
                    None => serializer.serialize_str($word),
                }
            }

            fn schema() -> Schema {
                json_schema!({"anyOf": [T::schema(), {"const": $word}]})
            }
        }

        impl<T: fmt::Display> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match &self.0 {
                    Some(value) => value.fmt(f),
                    None => f.write_str($word),
                }
            }
        }

        scalar!($name<T: Scalar>);
    };
}

or_word!(
    /// A value, or `"none"`.
    OrNone, "none", "a duration such as \"250ms\", or \"none\""
);
or_word!(
    /// A value, or `"forever"`.
    OrForever, "forever", "a duration such as \"15s\", a range such as \"10s .. 20s\", or \"forever\""
);
