//! `[[fault]]`: what goes wrong. It becomes `Spec::faults`, with every range drawn.

#[path = "../lower/fault.rs"]
mod lowering;
#[path = "../schema/fault.rs"]
mod schema;

pub use schema::*;

use super::{Scenario, Section};
use crate::Summary;
use crate::lower::{Context, names};
use world::Spec;

impl Section for Fault {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let names = names(cx, &spec.zones);
        spec.faults = lowering::lower(cx, &names);
    }

    fn summarize(scenario: &Scenario, summary: &mut Summary) {
        summary.add_some(scenario.fault.len(), "fault");
    }
}
