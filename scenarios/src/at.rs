//! A value together with where it stands in the file.
//!
//! Diagnostics point at what they speak of, so everything that can be wrong later (a name, a range, a time) is read as
//! an [`At`]. The place takes no part in comparison or in writing: two files that say the same are equal.

use crate::scalar::Inner;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::{Deref, Range};

/// A value and its bytes in the file it was read from; no place when it was made by a program.
#[derive(Clone, Debug, Default)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Option<Range<usize>>,
}

impl<T> At<T> {
    /// A value that was not read from a file.
    pub const fn new(value: T) -> Self {
        At { value, span: None }
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> Self {
        At::new(value)
    }
}

/// A key that may be left out.
pub(crate) trait Key<T> {
    /// Its place, when it is given and was read from a file.
    fn place(&self) -> Option<Range<usize>>;

    /// What it says, or `default`.
    fn value_or(&self, default: T) -> T
    where
        T: Copy;

    /// The number or time that it gives, or `default`.
    fn inner_or(&self, default: T::Inner) -> T::Inner
    where
        T: Inner;

    /// Puts the number or time that it gives in the place of another.
    fn replace_in(&self, other: &mut T::Inner)
    where
        T: Inner,
    {
        if let Some(inner) = self.inner() {
            *other = inner;
        }
    }

    /// The number or time that it gives.
    fn inner(&self) -> Option<T::Inner>
    where
        T: Inner;
}

impl<T> Key<T> for Option<At<T>> {
    fn place(&self) -> Option<Range<usize>> {
        self.as_ref().and_then(|at| at.span.clone())
    }

    fn value_or(&self, default: T) -> T
    where
        T: Copy,
    {
        self.as_ref().map_or(default, |at| at.value)
    }

    fn inner_or(&self, default: T::Inner) -> T::Inner
    where
        T: Inner,
    {
        self.inner().unwrap_or(default)
    }

    fn inner(&self) -> Option<T::Inner>
    where
        T: Inner,
    {
        self.as_ref().map(|at| at.value.inner())
    }
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T: Ord> PartialOrd for At<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> Ord for At<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(At { value: spanned.into_inner(), span: Some(span) })
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
