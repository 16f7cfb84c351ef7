//! What a scenario file may say and what it becomes: one file per section, which holds both.
//!
//! The types of a section are twins of those of `world::Spec`: they hold what was written, with its units, ranges and
//! presets, and the place of everything that may turn out to be wrong. Their doc comments are the descriptions in the
//! JSON Schema, so they address the author of a scenario. Unknown keys are errors; everything that has a sensible
//! default may be left out. Below them stands how the section is lowered.
//!
//! Tables that have kinds (distributions, shapes of load) are flat, with all keys of all kinds: lowering then says
//! which key does not belong to which kind, and can point at both. A balancer and a fault keep what its strategy or
//! kind declares as it was written.
//!
//! `list` has a line for every section; [`distribution`] and [`eligibility`] are parts of several or of one.

pub mod distribution;
pub mod eligibility;
pub(crate) mod kind;
mod list;
mod union;

pub use distribution::Distribution;
pub use eligibility::Eligibility;

use crate::lower::Context;
use crate::problem::Problem;
use crate::{At, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::Spec;

/// A table of named things, in the order of their names.
pub type Named<T> = BTreeMap<At<String>, T>;

/// A section that stands in a file once or not at all.
pub type One<T> = Option<At<T>>;
/// A section that stands in a file once per name.
pub type ByName<T> = Named<At<T>>;
/// A section that stands in a file any number of times.
pub type Many<T> = Vec<At<T>>;

/// A section: what it becomes, and what is said of it.
pub(crate) trait Section {
    /// Writes what the section becomes into `spec`, and reports everything that is wrong with it. Called once, also for
    /// a file without the section; earlier sections have been lowered.
    fn lower(cx: &mut Context<'_>, spec: &mut Spec);

    /// Adds warnings of what runs, but probably not as its author thinks. Called when the whole scenario can run.
    fn warn(_scenario: &Scenario, _spec: &Spec, _warnings: &mut Vec<Problem>) {}

    /// Adds what a summary of the scenario counts of the section.
    fn summarize(_scenario: &Scenario, _summary: &mut Summary) {}
}

/// Whether a section, however often it may stand in a file, stands in none.
trait Times {
    fn is_none(&self) -> bool;
}

impl<T> Times for One<T> {
    fn is_none(&self) -> bool {
        self.is_none()
    }
}

impl<T> Times for ByName<T> {
    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Times for Many<T> {
    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

macro_rules! scenario {
    ($($key:ident: $times:ident<$type:ident>, $sentence:literal;)*) => {
        $(
            pub mod $key;
            pub use $key::$type;
        )*

        /// A Windtunnel scenario: what runs, what goes wrong, and what must hold.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default, expecting = "a scenario")]
        #[schemars(title = "Windtunnel scenario")]
        pub struct Scenario {
            /// The scenario's short name: its file name without the extension. Not in the file.
            #[serde(skip)]
            pub name: String,
            /// One line on what the scenario is about.
            pub title: Option<At<String>>,
            $(
                #[doc = $sentence]
                #[serde(skip_serializing_if = "Times::is_none")]
                pub $key: $times<$type>,
            )*
        }

        impl Scenario {
            /// Whether the section with this key stands in the file.
            pub(crate) fn has_section(&self, key: &str) -> bool {
                match key {
                    $(stringify!($key) => !Times::is_none(&self.$key),)*
                    _ => false,
                }
            }
        }

        /// Lowers all sections.
        pub(crate) fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
            $($type::lower(cx, spec);)*
        }

        /// Adds the warnings of all sections.
        pub(crate) fn warn(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
            $($type::warn(scenario, spec, warnings);)*
        }

        /// Adds what all sections count.
        pub(crate) fn summarize(scenario: &Scenario, summary: &mut Summary) {
            $($type::summarize(scenario, summary);)*
        }
    };
}
list::sections!(scenario);
