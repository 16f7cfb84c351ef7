//! Values as people write them: with a unit, and where a scenario may vary, as a range.
//!
//! Each file is one kind of value. All of them print in a form that they read back as the same value.

mod bandwidth;
mod compare;
mod duration;
mod number;
mod percent;
mod range;
mod rate;
mod size;
mod utilization;
mod word;

pub use bandwidth::Bandwidth;
pub use compare::{AtLeast, AtMost};
pub use duration::{SignedSpan, Span};
pub use number::{Count, Factor, Instances, Ppm};
pub use percent::Percent;
pub use range::{Ranged, Unit};
pub use rate::Rate;
pub use size::Size;
pub use utilization::Utilization;
pub use word::{OrForever, OrNone};

use schemars::Schema;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// Why a text is not the value that was wanted: what is wrong, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// What is wrong, as a fragment of a sentence.
    pub message: String,
    /// What to write instead; may be empty.
    pub label: String,
}

/// Stands between message and label in the one string that serde's errors carry.
pub(crate) const SEPARATOR: char = '\u{1f}';

impl Misread {
    pub(crate) fn new(message: impl Into<String>, label: impl Into<String>) -> Self {
        Misread { message: message.into(), label: label.into() }
    }

    pub(crate) fn into_error<E: Error>(self) -> E {
        E::custom(format!("{}{SEPARATOR}{}", self.message, self.label))
    }
}

/// A value that is written as text with a unit, or as a plain number.
pub trait Scalar: Sized + fmt::Display {
    /// What is expected, with an example: the end of "expected …".
    const EXPECTED: &'static str;

    /// Reads a text.
    fn from_text(text: &str) -> Result<Self, Misread>;

    /// Reads a number without quotes; most values need a unit and refuse.
    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        let _ = number;
        Err(Misread::new(format!("`{written}` has no unit"), format!("expected {}", Self::EXPECTED)))
    }

    /// Writes it.
    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }

    /// Its JSON Schema.
    fn schema() -> Schema;
}

/// A value in a wrapping that says how it is written, and what runs take of it.
pub(crate) trait Inner: Copy {
    /// The value without the wrapping.
    type Inner;

    /// Takes the wrapping off.
    fn inner(self) -> Self::Inner;
}

macro_rules! inner {
    ($($type:ident($inner:ty)),+ $(,)?) => {$(
        impl Inner for $type {
            type Inner = $inner;
            fn inner(self) -> $inner {
                self.0
            }
        }
    )+};
}

inner! {
    Bandwidth(u64), Count(u32), Factor(f64), Percent(base::Ratio), Rate(f64), Size(u64), Span(base::Duration),
    Utilization(f64),
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(Misread::into_error)
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<T, E> {
        T::from_number(n as f64, &n.to_string()).map_err(Misread::into_error)
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<T, E> {
        T::from_number(n as f64, &n.to_string()).map_err(Misread::into_error)
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<T, E> {
        T::from_number(x, &x.to_string()).map_err(Misread::into_error)
    }
}

pub(crate) fn read<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ScalarVisitor(PhantomData))
}

/// Serde and JSON Schema for a type that is a [`Scalar`].
macro_rules! scalar {
    ($($type:ident $(<$param:ident: $bound:path>)?),+ $(,)?) => {$(
        impl<'de $(, $param: $bound)?> ::serde::Deserialize<'de> for $type$(<$param>)? {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::scalar::read(deserializer)
            }
        }
        impl$(<$param: $bound>)? ::serde::Serialize for $type$(<$param>)? {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::scalar::Scalar::put(self, serializer)
            }
        }
        impl$(<$param: $bound>)? ::schemars::JsonSchema for $type$(<$param>)? {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                <Self as crate::scalar::Scalar>::schema()
            }
        }
    )+};
}
pub(crate) use scalar;

/// Splits `1.5ms` into `1.5` and `ms`; the number may be signed.
pub(crate) fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(i, c)| !(c.is_ascii_digit() || c == '.' || c == '_' || (i == 0 && (c == '-' || c == '+'))))
        .map_or(text.len(), |(i, _)| i);
    (&text[..end], text[end..].trim_start())
}

/// Reads a decimal number exactly as `value · 10^digits`: `1.25` with 9 digits is 1 250 000 000. None for what is not a
/// number, is negative, is too fine or too large.
pub(crate) fn fixed_point(text: &str, digits: u32) -> Option<u128> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: String = whole.chars().filter(|&c| c != '_').collect();
    let fraction: String = fraction.chars().filter(|&c| c != '_').collect();
    let is_number = |s: &str| s.len() <= 20 && s.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !is_number(&whole) || !is_number(&fraction) || text.ends_with('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > digits as usize {
        return None;
    }
    let scale = 10u128.pow(digits);
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    Some(whole.parse::<u128>().ok()? * scale + part * 10u128.pow(digits - fraction.len() as u32))
}
