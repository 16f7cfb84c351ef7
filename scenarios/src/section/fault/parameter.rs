//! What may be said of a kind of fault beside whom and when: `factor = 10`.
//!
//! Every kind declares its parameters beside what it does with them, with type, range, default and meaning. Scenario
//! files, their JSON Schema, `windtunnel explain` and the checks all read that declaration; there is no second place. A
//! parameter's type says what a file may hold, so what was declared as one thing cannot be read as another.

use super::written::{self, Written};
use crate::At;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Bandwidth, Factor, Percent, Ppm, Ranged, SignedSpan, Span, Unit};
use crate::section::distribution;
use crate::section::{Distribution, Named};
use base::Dist;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// What a parameter may be.
pub(super) trait Takes: DeserializeOwned + Serialize + JsonSchema {
    /// Type, unit and range, as a phrase.
    const TAKES: &'static str;
}

impl Takes for Ranged<Factor> {
    const TAKES: &'static str = "a number above 0 and up to 1000000, or a range such as \"2 .. 5\"";
}

impl Takes for Ranged<Percent> {
    const TAKES: &'static str = "a percentage from 0% to 100%, or a range such as \"1% .. 5%\"";
}

impl Takes for Span {
    const TAKES: &'static str = "a duration up to a hundred years";
}

impl Takes for SignedSpan {
    const TAKES: &'static str = "a duration with a sign such as \"-2s\", up to a hundred years";
}

impl Takes for Ppm {
    const TAKES: &'static str = "parts per million from -1000000ppm to 1000000ppm";
}

impl Takes for Bandwidth {
    const TAKES: &'static str = "a bandwidth from 1bit/s to 1000000Gbit/s";
}

impl Takes for Distribution {
    const TAKES: &'static str = "a duration up to a day, or a distribution";
}

/// A parameter of a kind, declared with the type of its value.
pub(super) struct Parameter<T> {
    name: &'static str,
    about: &'static str,
    default: Option<&'static str>,
    example: Option<&'static str>,
    of: PhantomData<fn() -> T>,
}

impl<T: Takes> Parameter<T> {
    /// A parameter that must be given. `about` is a lower-case fragment on what it means; `example` is a value as a
    /// file has it, but for the quotes.
    pub(super) const fn needed(name: &'static str, about: &'static str, example: &'static str) -> Self {
        Parameter { name, about, default: None, example: Some(example), of: PhantomData }
    }

    /// A parameter that may be left out: what it is then, as a file would have it, but for the quotes.
    pub(super) const fn optional(name: &'static str, about: &'static str, default: &'static str) -> Self {
        Parameter { name, about, default: Some(default), example: None, of: PhantomData }
    }

    /// The same, shown in its kind's example.
    pub(super) const fn shown(self, example: &'static str) -> Self {
        Parameter { example: Some(example), ..self }
    }

    /// As it stands in the list of its kind, which holds parameters of all types.
    pub(super) const fn declared(&self) -> Declared {
        let Parameter { name, about, default, example, .. } = *self;
        Declared { name, about, takes: T::TAKES, default, example, schema: of_type::<T>, misread: misread::<T> }
    }
}

fn of_type<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<At<T>>()
}

fn misread<T: DeserializeOwned>(written: &At<Written>) -> Vec<Problem> {
    written::read::<T>(written).err().unwrap_or_default()
}

/// A parameter, whatever its type.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// What a scenario calls it.
    pub name: &'static str,
    /// What it means: a lower-case fragment.
    pub about: &'static str,
    /// Type, unit and range of its value, as a phrase.
    pub takes: &'static str,
    /// What it is where nothing is said, as a file would have it; `None` where it must be given.
    pub default: Option<&'static str>,
    /// A value for the kind's example.
    pub(super) example: Option<&'static str>,
    schema: fn(&mut SchemaGenerator) -> Schema,
    /// What is wrong with a value's form.
    pub(super) misread: fn(&At<Written>) -> Vec<Problem>,
}

impl Declared {
    /// The parameter's JSON Schema.
    pub(super) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let mut schema = (self.schema)(generator);
        let mut chars = self.about.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        let default = self.default.map(|default| format!("; `{default}` by default")).unwrap_or_default();
        schema.insert("description".to_string(), format!("{first}{}{default}.", chars.as_str()).into());
        schema
    }
}

/// The parameters of one fault while it is lowered.
pub(super) struct Own<'o, 's> {
    pub(super) cx: &'o mut Context<'s>,
    /// The fault's name, which is in the key of what is drawn.
    pub(super) name: &'o str,
    pub(super) given: &'o Named<At<Written>>,
}

impl Own<'_, '_> {
    /// What is given, or else the default. None where it is needed and missing, or cannot be read; both have been told.
    pub(super) fn read<T: Takes>(&self, parameter: &Parameter<T>) -> Option<At<T>> {
        let given = self.given.iter().find(|(key, _)| key.value == parameter.name);
        let default = || Some(At::new(Written::Text(parameter.default?.to_string())));
        written::read(&given.map(|(_, written)| written.clone()).or_else(default)?).ok()
    }

    /// The same, drawn where it is a range.
    pub(super) fn draw<T: Unit>(&mut self, parameter: &Parameter<Ranged<T>>) -> Option<T>
    where
        Ranged<T>: Takes,
    {
        let value = self.read(parameter)?.value;
        Some(self.cx.draw(&format!("fault/{}/{}", self.name, parameter.name), &value))
    }

    /// The same as something to draw from; what its numbers cannot be is told.
    pub(super) fn distribution(&mut self, parameter: &Parameter<Distribution>) -> Option<Dist> {
        let value = self.read(parameter)?;
        Some(distribution::lower(self.cx, &value))
    }
}

/// The parameters of a fault that is drawn.
#[derive(Default)]
pub(crate) struct Drawn(pub(crate) Named<At<Written>>);

impl Drawn {
    /// Says `value`.
    pub(super) fn set<T: Takes>(&mut self, parameter: &Parameter<T>, value: &T) {
        self.0.insert(At::new(parameter.name.to_string()), At::new(Written::of(value)));
    }

    /// Says what was drawn, if anything was.
    pub(super) fn maybe<T: Takes>(&mut self, parameter: &Parameter<T>, value: Option<At<T>>) {
        if let Some(value) = value {
            self.set(parameter, &value.value);
        }
    }
}
