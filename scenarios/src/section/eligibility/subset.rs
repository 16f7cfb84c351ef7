//! The subset of a service's instances that its callers keep to, by version or zone. It becomes criteria, and a
//! fallback for when no instance meets them.

use super::zone;
use crate::At;
use crate::at::Key;
use crate::lower::{Context, given};
use crate::problem::Problem;
use base::ServiceId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::balancer::eligibility::subset::{self, Criteria, InZone};

/// Instances by their metadata.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with version or zone")]
pub struct Subset {
    /// Of this version.
    pub version: Option<At<String>>,
    /// In this zone; "own" is the caller's.
    pub zone: Option<At<String>>,
    /// What happens when there is no such instance; `no_fallback` by default.
    pub fallback: Option<At<Fallback>>,
    /// The version of the default subset, for `default_subset`.
    pub default_version: Option<At<String>>,
    /// The zone of the default subset, for `default_subset`.
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

/// What a subset of the instances of `service` becomes.
pub(super) fn lower(cx: &mut Context<'_>, at: &At<Subset>, service: ServiceId, zones: &[String]) -> subset::Subset {
    let table = &at.value;
    let mut criteria = |version: Option<&At<String>>, in_zone: Option<&At<String>>| Criteria {
        version: version.and_then(|name| cx.version(service, name)),
        zone: in_zone.and_then(|name| match name.as_str() {
            "own" if zones.iter().any(|zone| zone == "own") => {
                cx.report(
                    Problem::at(name, "`own` means the caller's zone, and there is a zone of that name")
                        .label("give the zone another name in topology.zones"),
                );
                None
            }
            "own" => Some(InZone::Own),
            _ => zone(cx, name, zones).map(InZone::Zone),
        }),
    };
    let wanted = criteria(table.version.as_ref(), table.zone.as_ref());
    let default = criteria(table.default_version.as_ref(), table.default_zone.as_ref());
    if table.version.is_none() && table.zone.is_none() {
        cx.report(
            Problem::at(at, "a subset of everything").label("say its `version` or its `zone`").unless_lost_within(),
        );
    }
    let given = given!(table; default_version, default_zone);
    let fallback = table.fallback.value_or(Fallback::default());
    match fallback {
        Fallback::NoFallback | Fallback::AnyEndpoint => {
            cx.unexpected_keys(&given, &[], "a subset without `fallback = \"default_subset\"`");
        }
        Fallback::DefaultSubset => {
            if let (Some(at), true) = (&table.fallback, given.iter().all(|(_, span)| span.is_none())) {
                cx.report(
                    Problem::at(at, "the default subset is not said")
                        .label("say its `default_version` or its `default_zone`")
                        .unless_lost_within(),
                );
            }
        }
    }
    let fallback = match fallback {
        Fallback::NoFallback => subset::Fallback::NoFallback,
        Fallback::AnyEndpoint => subset::Fallback::AnyEndpoint,
        Fallback::DefaultSubset => subset::Fallback::DefaultSubset(default),
    };
    subset::Subset { criteria: wanted, fallback }
}
