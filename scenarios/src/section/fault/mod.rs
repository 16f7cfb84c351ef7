//! `[[fault]]`: what goes wrong, when, for how long, and to whom.
//!
//! A kind of fault is a file in the folder `kind` and its line in the kernel's list (`kernel::faults!`), beside which
//! is its other file. The file here declares what may be said of it ([`parameter`]), an example, how that becomes the
//! kernel's fault, and how it is drawn at random; schema, checks, `list`, `explain` and completions follow. Nothing
//! else in this crate names a kind.
//!
//! - `read`: the table in a file, and its JSON Schema. [`written`] keeps parameters until their kind is known.
//! - `name`: what faults are called.
//! - `kind`: the kinds, and what they declare.
//! - `lower`: from a fault to one of the kernel's plan, and everything that can be wrong with it.

mod kind;
mod lower;
mod name;
pub mod parameter;
mod read;
#[cfg(test)]
mod tests;
pub mod written;

pub use kind::FaultKind;
pub(crate) use lower::misread;

use super::Section;
use crate::lower::{Context, names};
use crate::scalar::{OrForever, Ranged, Span};
use crate::section::{Named, Scenario};
use crate::{At, Summary};
use world::Spec;
use written::Written;

/// Something that goes wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// Its name, unique in the file and the key of its chances; by default its kind and whom it concerns.
    pub name: Option<At<String>>,
    /// What goes wrong.
    pub kind: Option<At<FaultKind>>,
    /// Whom, or between whom.
    pub what: Option<At<String>>,
    /// When, from the beginning of the run; within the storm.
    pub at: Option<At<Ranged<Span>>>,
    /// How long, until the end of the storm at most; or for ever. Not for momentary kinds.
    pub lasts: Option<At<OrForever<Ranged<Span>>>>,
    /// The parameters of its kind, as written.
    pub parameters: Named<At<Written>>,
}

impl Section for Fault {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let names = names(cx, spec);
        spec.faults = lower::lower(cx, &names);
    }

    fn summarize(scenario: &Scenario, summary: &mut Summary) {
        summary.add_some(scenario.fault.len(), "fault");
    }
}

/// The keys of every fault, with what they mean.
const NAME: (&str, &str) =
    ("name", "Its name, unique in the file and the key of its chances; by default its kind and whom it concerns.");
const KIND: (&str, &str) = ("kind", "What goes wrong; `windtunnel list faults` explains each.");
const WHAT: (&str, &str) = (
    "what",
    "Whom: \"checkout\", \"checkout-3\", \"registry\", \"gateway\", \"zone b\", \"one of checkout\", \"30% of checkout\", \
     \"checkout in zone a\", \"all but gateway\", \"everything\". Between whom, for faults of the network: \"registry | \
     gateway\" both ways, \"gateway -> registry\" one way.",
);
const AT: (&str, &str) = ("at", "When, from the beginning of the run; within the storm.");
const LASTS: (&str, &str) =
    ("lasts", "How long, until the end of the storm at most; or \"forever\". Not for what happens at one moment.");
