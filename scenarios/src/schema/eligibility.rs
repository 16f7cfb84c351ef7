//! `[service.NAME.eligibility]`: which instances callers may choose, and with which share, before the balancer chooses.

use super::Named;
use super::union::text_or_table;
use crate::At;
use crate::scalar::{Count, Factor, Percent, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which instances are eligible. With this section callers go by health and panic as Envoy does; without it they choose
/// among all they know of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that says who is eligible")]
pub struct Eligibility {
    /// With a smaller share of available instances a priority sends to all of them, whatever their health; 50% by
    /// default, never at 0%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panic_threshold: Option<At<Percent>>,
    /// How many times the load that is its share a priority or zone can take; 1.4 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overprovisioning: Option<At<Factor>>,
    /// The priority of each zone, 0 first: { a = 0, b = 1 }; or "own_zone_first". All the same by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<At<Priority>>,
    /// How zones matter within a priority: "zone_aware", or a table. Not at all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<At<Locality>>,
    /// Only instances with this metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset: Option<At<Subset>>,
    /// Each caller keeps to so many instances, drawn by rendezvous hashing as gRPC's random_subsetting does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset_size: Option<At<Count>>,
    /// Instances that have just come get less at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<At<SlowStart>>,
    /// Each caller uses as few instances as its load needs, or its part of a ring: "by_load", "deterministic", or a
    /// table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aperture: Option<At<Aperture>>,
    /// Whether requests of one key (a session) stay with their instance while that is well; false by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<At<bool>>,
    /// Instances that answer badly are ejected for a while: {} for Envoy's defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
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

/// A way in which zones matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LocalityMode {
    /// Requests stay in the caller's zone as far as it has its share of the instances.
    ZoneAware,
    /// Zones get requests by weight.
    Weighted,
}

/// A mode with more to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a mode's name or a table with `mode`")]
pub struct LocalityTable {
    /// Which mode.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<At<LocalityMode>>,
    /// For `weighted`: the weight of each zone by name, 1 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<At<ZoneNumbers>>,
    /// For `zone_aware`: for which share of requests zones matter; 100% by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_enabled: Option<At<Percent>>,
    /// For `zone_aware`: with fewer healthy instances zones do not matter; 6 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cluster_size: Option<At<Count>>,
    /// For `zone_aware`: whether requests fail in panic, in place of going anywhere; false by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_traffic_on_panic: Option<At<bool>>,
}

/// Instances by their metadata.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with version or zone")]
pub struct Subset {
    /// Of this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<At<String>>,
    /// In this zone; "own" is the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<At<String>>,
    /// What happens when there is no such instance; `no_fallback` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<At<Fallback>>,
    /// The version of the default subset, for `default_subset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_version: Option<At<String>>,
    /// The zone of the default subset, for `default_subset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_zone: Option<At<String>>,
}

/// What happens when a subset is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Requests fail.
    #[default]
    NoFallback,
    /// All instances are candidates.
    AnyEndpoint,
    /// Those of the default subset are.
    DefaultSubset,
}

/// How instances warm up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with `window`")]
pub struct SlowStart {
    /// For how long an instance gets less than its weight.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<At<Span>>,
    /// How fast its weight rises: 1 is a straight line, more is sooner; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggression: Option<At<Factor>>,
    /// The share of its weight that it has at least; 10% by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_weight: Option<At<Percent>>,
}

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

/// A way to choose how many instances are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApertureMode {
    /// So many that each has about one request at a time.
    ByLoad,
    /// A part of a ring that all callers share.
    Deterministic,
}

/// An aperture with more to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a mode's name or a table with `mode`")]
pub struct ApertureTable {
    /// Which mode.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<At<ApertureMode>>,
    /// The least number of instances; 1 by load and 12 of a ring by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<At<Count>>,
    /// For `by_load`: over how long load is averaged; 15 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smooth_window: Option<At<Span>>,
    /// For `by_load`: at so many requests in flight per instance in use one less is used; 0.875 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_load: Option<At<Factor>>,
    /// For `by_load`: at so many one more is used; 1.125 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_load: Option<At<Factor>>,
}

/// When an instance is ejected for its answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table; {} for the defaults")]
pub struct Outliers {
    /// So many errors in a row eject an instance, never at 0; 5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_5xx: Option<At<Count>>,
    /// How often success rates are compared and ejections ended; 10 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<At<Span>>,
    /// How long the first ejection lasts; each that follows soon lasts as much longer. 30 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ejection_time: Option<At<Span>>,
    /// How long an ejection lasts at most; 300 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ejection_time: Option<At<Span>>,
    /// The share of instances that is ejected at a time, at most; 10% by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ejection: Option<At<Percent>>,
    /// Whether one may be ejected whatever that share is; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always_eject_one_host: Option<At<bool>>,
    /// Whether success rates are compared; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<At<bool>>,
    /// How many standard deviations below the mean a success rate is too low; 1.9 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate_stdev_factor: Option<At<Factor>>,
    /// With fewer instances that have enough answers none is ejected for its rate; 5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate_minimum_hosts: Option<At<Count>>,
    /// With fewer answers in an interval an instance's rate is not looked at; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate_request_volume: Option<At<Count>>,
}
