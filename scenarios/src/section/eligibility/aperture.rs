//! The number of instances that a caller uses, of those it may choose: as many as its load needs, or its part of a
//! ring. It becomes an aperture around the balancer.

use crate::At;
use crate::at::Key;
use crate::lower::{Context, given};
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Span};
use crate::section::kind::{Kind, kinds};
use crate::section::union::text_or_table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::balancer::eligibility;
use world::balancer::eligibility::aperture::LoadBand;

/// How many instances a caller uses.
#[derive(Clone, Debug, PartialEq)]
pub enum Aperture {
    /// A mode with its defaults.
    Mode(ApertureMode),
    /// A mode with more to say.
    Table(ApertureTable),
}

text_or_table!(
    Aperture,
    Mode(ApertureMode),
    Table(ApertureTable),
    "a mode's name or a table such as { mode = \"deterministic\", min = 12 }"
);

kinds! {
    /// A way to choose how many instances are used.
    pub enum ApertureMode {
        /// So many that each has about one request at a time.
        ByLoad = "by_load" takes ["min", "smooth_window", "low_load", "high_load"] needs [],
        /// A part of a ring that all callers share.
        Deterministic = "deterministic" takes ["min"] needs [],
    }
}

/// An aperture with more to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a mode's name or a table with `mode`")]
pub struct ApertureTable {
    /// Which mode.
    #[schemars(required)]
    pub mode: Option<At<ApertureMode>>,
    /// The least number of instances; 1 by load and 12 of a ring by default.
    pub min: Option<At<Count>>,
    /// For `by_load`: over how long load is averaged; 15 s by default.
    pub smooth_window: Option<At<Span>>,
    /// For `by_load`: at so many requests in flight per instance in use one less is used; 0.875 by default.
    pub low_load: Option<At<Factor>>,
    /// For `by_load`: at so many one more is used; 1.125 by default.
    pub high_load: Option<At<Factor>>,
}

/// What an aperture becomes; none where it cannot be.
pub(super) fn lower(cx: &mut Context<'_>, at: &At<Aperture>) -> Option<eligibility::Aperture> {
    let none = ApertureTable::default();
    let (mode, table) = match &at.value {
        Aperture::Mode(mode) => (*mode, &none),
        Aperture::Table(table) => {
            (cx.needed(at, &table.mode, "an aperture needs its `mode`", &ApertureMode::one_of())?.value, table)
        }
    };
    cx.at_least_one(&table.min, "an aperture has at least one instance");
    match mode {
        ApertureMode::Deterministic => {
            let given = given!(table; min, smooth_window, low_load, high_load);
            cx.unexpected_keys(&given, mode.takes(), "a deterministic aperture");
            Some(eligibility::Aperture::Deterministic { min: table.min.inner_or(12) })
        }
        ApertureMode::ByLoad => {
            let base = LoadBand::default();
            let band = LoadBand {
                smooth_window: table.smooth_window.inner_or(base.smooth_window),
                low: table.low_load.inner_or(base.low),
                high: table.high_load.inner_or(base.high),
                min: table.min.inner_or(base.min),
            };
            if band.low >= band.high {
                let message = format!("`low_load` ({}) is not below `high_load` ({})", band.low, band.high);
                cx.report(Problem::at(at, message).unless_lost_within());
            }
            Some(eligibility::Aperture::ByLoad(band))
        }
    }
}
