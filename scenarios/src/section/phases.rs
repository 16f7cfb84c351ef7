//! `[phases]`: the length of warm-up, storm and calm. It becomes `Spec::phases`, from which faults and rollouts know
//! when the storm and the run are over.

use super::Section;
use crate::At;
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::Span;
use base::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::{Spec, outcome};

/// The three phases of a run. Load runs through all of them; only what arrives after warm-up is measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with warmup, storm and calm")]
pub struct Phases {
    /// Not measured: queues fill, views spread, balancers learn. 10 s by default.
    pub warmup: Option<At<Span>>,
    /// Faults happen. 2 min by default.
    pub storm: Option<At<Span>>,
    /// Faults have stopped; everything must converge. 60 s by default.
    pub calm: Option<At<Span>>,
}

impl Section for Phases {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let place = cx.scenario.phases.place();
        let phases = cx.scenario.phases.as_ref().map_or_else(Phases::default, |at| at.value.clone());
        spec.phases = outcome::Phases {
            warmup: phases.warmup.inner_or(Duration::secs(10)),
            storm: phases.storm.inner_or(Duration::mins(2)),
            calm: phases.calm.inner_or(Duration::secs(60)),
        };
        cx.phases = spec.phases;
        if (spec.phases.storm + spec.phases.calm).is_zero() {
            cx.report(
                Problem::new("storm and calm last no time: nothing would be measured")
                    .span(place)
                    .label("such as { warmup = \"10s\", storm = \"2m\", calm = \"1m\" }"),
            );
        }
    }
}
