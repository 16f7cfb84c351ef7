//! `[service.NAME.eligibility]`: which instances callers may choose, and with which share, before the balancer chooses.
//! A part of `[service.NAME]` that becomes the rules around its strategy.

mod aperture;
mod outliers;
mod subset;

pub use aperture::{Aperture, ApertureMode, ApertureTable};
pub use outliers::Outliers;
pub use subset::{Fallback, Subset};

use super::Named;
use super::kind::{Kind, kinds};
use super::union::text_or_table;
use crate::At;
use crate::at::Key;
use crate::lower::{Context, given};
use crate::problem::{Problem, known};
use crate::scalar::{Count, Factor, Percent, Span};
use base::{Duration, ServiceId, ZoneId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::balancer::eligibility::{self, Priorities};
use world::balancer::{Strategy, strategy::catalogue};

/// Which instances are eligible. With this section callers go by health and panic as Envoy does; without it they choose
/// among all they know of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that says who is eligible")]
pub struct Eligibility {
    /// With a smaller share of available instances a priority sends to all of them, whatever their health; 50% by
    /// default, never at 0%.
    pub panic_threshold: Option<At<Percent>>,
    /// How many times the load that is its share a priority or zone can take; 1.4 by default.
    pub overprovisioning: Option<At<Factor>>,
    /// The priority of each zone, 0 first: { a = 0, b = 1 }; or "own_zone_first". All the same by default.
    pub priority: Option<At<Priority>>,
    /// How zones matter within a priority: "zone_aware", or a table. Not at all by default.
    pub locality: Option<At<Locality>>,
    /// Only instances with this metadata.
    pub subset: Option<At<Subset>>,
    /// Each caller keeps to so many instances, drawn by rendezvous hashing as gRPC's random_subsetting does.
    pub subset_size: Option<At<Count>>,
    /// Instances that have just come get less at first.
    pub slow_start: Option<At<SlowStart>>,
    /// Each caller uses as few instances as its load needs, or its part of a ring: "by_load", "deterministic", or a
    /// table.
    pub aperture: Option<At<Aperture>>,
    /// Whether requests of one key (a session) stay with their instance while that is well; false by default.
    pub sticky: Option<At<bool>>,
    /// Instances that answer badly are ejected for a while: {} for Envoy's defaults.
    pub outliers: Option<At<Outliers>>,
}

/// Which priority zones have.
#[derive(Clone, Debug, PartialEq)]
pub enum Priority {
    /// By a rule.
    Rule(PriorityRule),
    /// Zone by zone.
    Zones(ZoneNumbers),
}

text_or_table!(
    Priority,
    Rule(PriorityRule),
    Zones(ZoneNumbers),
    "\"own_zone_first\" or a number for each zone such as { a = 0, b = 1 }"
);

/// A number for each zone, by its name.
pub type ZoneNumbers = Named<At<Count>>;

/// A rule that gives zones their priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriorityRule {
    /// The caller's own zone, and when that is not well enough the others.
    OwnZoneFirst,
}

/// How zones matter within a priority.
#[derive(Clone, Debug, PartialEq)]
pub enum Locality {
    /// A mode with its defaults.
    Mode(LocalityMode),
    /// A mode with more to say.
    Table(LocalityTable),
}

text_or_table!(
    Locality,
    Mode(LocalityMode),
    Table(LocalityTable),
    "a mode's name or a table such as { mode = \"weighted\", weights = { a = 3, b = 1 } }"
);

kinds! {
    /// A way in which zones matter.
    pub enum LocalityMode {
        /// Requests stay in the caller's zone as far as it has its share of the instances.
        ZoneAware = "zone_aware" takes ["routing_enabled", "min_cluster_size", "fail_traffic_on_panic"] needs [],
        /// Zones get requests by weight.
        Weighted = "weighted" takes ["weights"] needs [],
    }
}

/// A mode with more to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a mode's name or a table with `mode`")]
pub struct LocalityTable {
    /// Which mode.
    #[schemars(required)]
    pub mode: Option<At<LocalityMode>>,
    /// For `weighted`: the weight of each zone by name, 1 where nothing is said.
    pub weights: Option<At<ZoneNumbers>>,
    /// For `zone_aware`: for which share of requests zones matter; 100% by default.
    pub routing_enabled: Option<At<Percent>>,
    /// For `zone_aware`: with fewer healthy instances zones do not matter; 6 by default.
    pub min_cluster_size: Option<At<Count>>,
    /// For `zone_aware`: whether requests fail in panic, in place of going anywhere; false by default.
    pub fail_traffic_on_panic: Option<At<bool>>,
}

/// How instances warm up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with `window`")]
pub struct SlowStart {
    /// For how long an instance gets less than its weight.
    #[schemars(required)]
    pub window: Option<At<Span>>,
    /// How fast its weight rises: 1 is a straight line, more is sooner; 1 by default.
    pub aggression: Option<At<Factor>>,
    /// The share of its weight that it has at least; 10% by default.
    pub min_weight: Option<At<Percent>>,
}

/// The heaviest a zone can be.
const WEIGHT_MAX: u32 = 65_535;
/// More levels than this would be a slip of the finger.
const PRIORITY_MAX: u32 = 127;

/// What the rules of one service become, whose callers balance by `strategy`.
pub(crate) fn lower(
    cx: &mut Context<'_>,
    at: &At<Eligibility>,
    service: ServiceId,
    strategy: Strategy,
    zones: &[String],
) -> eligibility::Eligibility {
    let table = &at.value;
    let base = eligibility::Eligibility::default();
    fits(cx, table, strategy);
    cx.at_least_one(&table.subset_size, "a subset has at least one instance");
    eligibility::Eligibility {
        overprovisioning: table.overprovisioning.as_ref().map_or(base.overprovisioning, |at| overprovisioning(cx, at)),
        panic_threshold: whole_percent(cx, table.panic_threshold.as_ref(), base.panic_threshold),
        priorities: table.priority.as_ref().map_or(Priorities::Same, |at| priorities(cx, at, zones)),
        locality: table.locality.as_ref().map_or(eligibility::Locality::Disregard, |at| locality(cx, at, zones)),
        subset: table.subset.as_ref().map(|at| subset::lower(cx, at, service, zones)),
        subset_size: table.subset_size.inner(),
        slow_start: table.slow_start.as_ref().and_then(|at| slow_start(cx, at)),
        aperture: table.aperture.as_ref().and_then(|at| aperture::lower(cx, at)),
        sticky: table.sticky.value_or(false),
        outliers: table.outliers.as_ref().map(|at| outliers::lower(cx, at)),
    }
}

/// Reports rules that mean nothing to the strategy they are around.
fn fits(cx: &mut Context<'_>, table: &Eligibility, strategy: Strategy) {
    if let Some(slow_start) = &table.slow_start
        && !eligibility::SlowStart::is_followed_by(strategy)
    {
        let all = catalogue::all().iter().map(|info| Strategy::of(info));
        let these: Vec<&str> = all.filter(|s| eligibility::SlowStart::is_followed_by(*s)).map(Strategy::name).collect();
        cx.report(
            Problem::at(slow_start, format!("`slow_start` has no effect on `{}`", strategy.name()))
                .label(format!("it scales the weights of a schedule; these have one: {}", these.join(", "))),
        );
    }
    if let Some(aperture) = &table.aperture
        && strategy != Strategy::P2C
    {
        cx.report(
            Problem::at(aperture, format!("an aperture cannot be put around `{strategy}`"))
                .label("within it the less busy of two is chosen: balancer = \"p2c\""),
        );
    }
    if let Some(locality) = &table.locality
        && strategy.info().needs.keys
    {
        cx.report(
            Problem::at(locality, format!("`locality` cannot be put around `{}`", strategy.name()))
                .label("zones are drawn request by request, and a key would be at home in all of them"),
        );
    }
}

pub(crate) fn overprovisioning(cx: &mut Context<'_>, at: &At<Factor>) -> u32 {
    if !(1.0..=1e3).contains(&at.value.0) {
        cx.report(Problem::at(at, "`overprovisioning` is a number from 1 to 1000").label("such as 1.4"));
    }
    (at.value.0.clamp(1.0, 1e3) * 100.0).round() as u32
}

pub(crate) fn whole_percent(cx: &mut Context<'_>, at: Option<&At<Percent>>, default: u32) -> u32 {
    let Some(at) = at else { return default };
    let billionths = at.value.0.billionths();
    if billionths % 10_000_000 != 0 {
        cx.report(Problem::at(at, format!("`{}` is not a whole percentage", at.value)).label("such as \"50%\""));
    }
    billionths / 10_000_000
}

fn zone(cx: &mut Context<'_>, name: &At<String>, zones: &[String]) -> Option<ZoneId> {
    let index = zones.iter().position(|zone| *zone == name.value);
    if index.is_none() {
        cx.report(Problem::at(name, format!("unknown zone `{}`", name.value)).label(known(&name.value, zones)));
    }
    index.map(|index| ZoneId(index as u32))
}

/// A number for each zone, `default` where nothing is said.
fn by_zone(
    cx: &mut Context<'_>,
    numbers: &ZoneNumbers,
    zones: &[String],
    default: u32,
    most: u32,
    what: &str,
) -> Vec<u32> {
    let mut all = vec![default; zones.len()];
    for (name, number) in numbers {
        if let Some(zone) = zone(cx, name, zones) {
            all[zone.index()] = number.value.0;
        }
        if number.value.0 > most {
            cx.report(Problem::at(number, format!("{what} is 0 to {most}")));
        }
    }
    all
}

fn priorities(cx: &mut Context<'_>, at: &At<Priority>, zones: &[String]) -> Priorities {
    match &at.value {
        Priority::Rule(PriorityRule::OwnZoneFirst) => Priorities::OwnZoneFirst,
        Priority::Zones(numbers) => {
            // What is not named comes first, like what has no priority at all.
            let all = by_zone(cx, numbers, zones, 0, PRIORITY_MAX, "a priority");
            Priorities::ByZone(all.into_iter().map(|priority| priority.min(PRIORITY_MAX) as u8).collect())
        }
    }
}

fn locality(cx: &mut Context<'_>, at: &At<Locality>, zones: &[String]) -> eligibility::Locality {
    let none = LocalityTable::default();
    let (mode, table) = match &at.value {
        Locality::Mode(mode) => (*mode, &none),
        Locality::Table(table) => {
            let Some(mode) = cx.needed(at, &table.mode, "a locality needs its `mode`", &LocalityMode::one_of()) else {
                return eligibility::Locality::Disregard;
            };
            (mode.value, table)
        }
    };
    let given = given!(table; weights, routing_enabled, min_cluster_size, fail_traffic_on_panic);
    match mode {
        LocalityMode::Weighted => {
            cx.unexpected_keys(&given, mode.takes(), "weighted locality");
            let none = Named::new();
            let weights = table.weights.as_ref().map_or(&none, |at| &at.value);
            let weights_of = by_zone(cx, weights, zones, 1, WEIGHT_MAX, "a zone's weight");
            if let Some(weights) = &table.weights
                && weights_of.iter().all(|&weight| weight == 0)
            {
                cx.report(Problem::at(weights, "no zone has any weight"));
            }
            eligibility::Locality::Weighted(weights_of)
        }
        LocalityMode::ZoneAware => {
            cx.unexpected_keys(&given, mode.takes(), "zone aware locality");
            let base = eligibility::ZoneAware::default();
            eligibility::Locality::ZoneAware(eligibility::ZoneAware {
                routing_enabled: whole_percent(cx, table.routing_enabled.as_ref(), base.routing_enabled),
                min_cluster_size: table.min_cluster_size.inner_or(base.min_cluster_size),
                fail_traffic_on_panic: table.fail_traffic_on_panic.value_or(false),
            })
        }
    }
}

fn slow_start(cx: &mut Context<'_>, at: &At<SlowStart>) -> Option<eligibility::SlowStart> {
    let table = &at.value;
    let window = cx.needed(at, &table.window, "a slow start needs its `window`", "such as { window = \"30s\" }")?;
    let window = a_millisecond_at_least(cx, window, "window");
    let base = eligibility::SlowStart::over(window);
    Some(eligibility::SlowStart {
        window,
        aggression: table.aggression.inner_or(base.aggression),
        min_weight: table.min_weight.inner_or(base.min_weight),
    })
}

/// Reports a span that is shorter than a millisecond.
fn a_millisecond_at_least(cx: &mut Context<'_>, at: &At<Span>, key: &str) -> Duration {
    if at.value.0 < Duration::ms(1) {
        cx.report(Problem::at(at, format!("`{key}` is at least a millisecond")));
    }
    at.value.0
}
