//! From `[service.NAME.eligibility]` to the rules around a strategy.

use super::{Context, given};
use crate::At;
use crate::problem::{Problem, known};
use crate::scalar::{Count, Factor, Percent, Span};
use crate::schema::eligibility::{
    Aperture, ApertureMode, ApertureTable, Fallback, Locality, LocalityMode, LocalityTable, Outliers, Priority,
    SlowStart, Subset, ZoneNumbers,
};
use crate::schema::{self, Named};
use base::{Duration, ServiceId, ZoneId};
use world::balancer::around::aperture::LoadBand;
use world::balancer::around::outlier::SuccessRate;
use world::balancer::around::subset::{self, Criteria, InZone};
use world::balancer::around::{self, Eligibility, Priorities};
use world::balancer::{Strategy, strategy::catalogue};

/// The heaviest a zone can be.
const WEIGHT_MAX: u32 = 65_535;
/// More levels than this would be a slip of the finger.
const PRIORITY_MAX: u32 = 127;

/// The rules of one service, whose callers balance by `strategy`.
pub(crate) fn lower(
    cx: &mut Context<'_>,
    at: &At<schema::Eligibility>,
    service: ServiceId,
    strategy: Strategy,
    zones: &[String],
) -> Eligibility {
    let table = &at.value;
    let base = Eligibility::default();
    fits(cx, table, strategy);
    Eligibility {
        overprovisioning: table.overprovisioning.as_ref().map_or(base.overprovisioning, |at| overprovisioning(cx, at)),
        panic_threshold: whole_percent(cx, table.panic_threshold.as_ref(), base.panic_threshold),
        priorities: table.priority.as_ref().map_or(Priorities::Same, |at| priorities(cx, at, zones)),
        locality: table.locality.as_ref().map_or(around::Locality::Disregard, |at| locality(cx, at, zones)),
        subset: table.subset.as_ref().map(|at| subset(cx, at, service, zones)),
        subset_size: table.subset_size.as_ref().map(|at| at_least(cx, at, 1, "a subset has at least one instance")),
        slow_start: table.slow_start.as_ref().and_then(|at| slow_start(cx, at)),
        aperture: table.aperture.as_ref().and_then(|at| aperture(cx, at)),
        sticky: table.sticky.as_ref().is_some_and(|at| at.value),
        outliers: table.outliers.as_ref().map(|at| outliers(cx, at)),
    }
}

/// Rules that mean nothing to the strategy they are around.
fn fits(cx: &mut Context<'_>, table: &schema::Eligibility, strategy: Strategy) {
    if let Some(slow_start) = &table.slow_start
        && !around::SlowStart::is_followed_by(strategy)
    {
        let all = catalogue::all().iter().map(|info| Strategy::of(info));
        let these: Vec<&str> = all.filter(|s| around::SlowStart::is_followed_by(*s)).map(Strategy::name).collect();
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

fn at_least(cx: &mut Context<'_>, at: &At<Count>, least: u32, why: &str) -> u32 {
    if at.value.0 < least {
        cx.report(Problem::at(at, why));
    }
    at.value.0
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
        Priority::Rule(schema::eligibility::PriorityRule::OwnZoneFirst) => Priorities::OwnZoneFirst,
        Priority::Zones(numbers) => {
            // What is not named comes first, like what has no priority at all.
            let all = by_zone(cx, numbers, zones, 0, PRIORITY_MAX, "a priority");
            Priorities::ByZone(all.into_iter().map(|priority| priority.min(PRIORITY_MAX) as u8).collect())
        }
    }
}

fn locality(cx: &mut Context<'_>, at: &At<Locality>, zones: &[String]) -> around::Locality {
    let none = LocalityTable::default();
    let (mode, table) = match &at.value {
        Locality::Mode(mode) => (*mode, &none),
        Locality::Table(table) => match &table.mode {
            Some(mode) => (mode.value, table),
            None => {
                cx.report(
                    Problem::at(at, "a locality needs its `mode`")
                        .label("one of zone_aware, weighted")
                        .unless_lost_within(),
                );
                return around::Locality::Disregard;
            }
        },
    };
    let given = given!(table; weights, routing_enabled, min_cluster_size, fail_traffic_on_panic);
    match mode {
        LocalityMode::Weighted => {
            cx.strays(&given, &["weights"], "weighted locality");
            let none = Named::new();
            let weights = table.weights.as_ref().map_or(&none, |at| &at.value);
            let weights_of = by_zone(cx, weights, zones, 1, WEIGHT_MAX, "a zone's weight");
            if let Some(weights) = &table.weights
                && weights_of.iter().all(|&weight| weight == 0)
            {
                cx.report(Problem::at(weights, "no zone has any weight"));
            }
            around::Locality::Weighted(weights_of)
        }
        LocalityMode::ZoneAware => {
            let belongs = ["routing_enabled", "min_cluster_size", "fail_traffic_on_panic"];
            cx.strays(&given, &belongs, "zone aware locality");
            let base = around::ZoneAware::default();
            around::Locality::ZoneAware(around::ZoneAware {
                routing_enabled: whole_percent(cx, table.routing_enabled.as_ref(), base.routing_enabled),
                min_cluster_size: table.min_cluster_size.as_ref().map_or(base.min_cluster_size, |at| at.value.0),
                fail_traffic_on_panic: table.fail_traffic_on_panic.as_ref().is_some_and(|at| at.value),
            })
        }
    }
}

fn subset(cx: &mut Context<'_>, at: &At<Subset>, service: ServiceId, zones: &[String]) -> subset::Subset {
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
    let fallback = table.fallback.as_ref().map_or(Fallback::NoFallback, |at| at.value);
    let has_default = table.default_version.is_some() || table.default_zone.is_some();
    match &table.fallback {
        Some(at) if fallback == Fallback::DefaultSubset && !has_default => {
            cx.report(
                Problem::at(at, "the default subset is not said")
                    .label("say its `default_version` or its `default_zone`")
                    .unless_lost_within(),
            );
        }
        _ if fallback != Fallback::DefaultSubset => {
            let given = given!(table; default_version, default_zone);
            cx.strays(&given, &[], "a subset without `fallback = \"default_subset\"`");
        }
        _ => {}
    }
    let fallback = match fallback {
        Fallback::NoFallback => subset::Fallback::NoFallback,
        Fallback::AnyEndpoint => subset::Fallback::AnyEndpoint,
        Fallback::DefaultSubset => subset::Fallback::DefaultSubset(default),
    };
    subset::Subset { criteria: wanted, fallback }
}

fn slow_start(cx: &mut Context<'_>, at: &At<SlowStart>) -> Option<around::SlowStart> {
    let table = &at.value;
    let Some(window) = &table.window else {
        cx.report(
            Problem::at(at, "a slow start needs its `window`")
                .label("such as { window = \"30s\" }")
                .unless_lost_within(),
        );
        return None;
    };
    let window = positive(cx, window, "window");
    let base = around::SlowStart::over(window);
    Some(around::SlowStart {
        window,
        aggression: table.aggression.as_ref().map_or(base.aggression, |at| at.value.0),
        min_weight: table.min_weight.as_ref().map_or(base.min_weight, |at| at.value.0),
    })
}

/// A span of at least a millisecond.
fn positive(cx: &mut Context<'_>, at: &At<Span>, key: &str) -> Duration {
    if at.value.0 < Duration::ms(1) {
        cx.report(Problem::at(at, format!("`{key}` is at least a millisecond")));
    }
    at.value.0
}

fn aperture(cx: &mut Context<'_>, at: &At<Aperture>) -> Option<around::Aperture> {
    let none = ApertureTable::default();
    let (mode, table) = match &at.value {
        Aperture::Mode(mode) => (*mode, &none),
        Aperture::Table(table) => match &table.mode {
            Some(mode) => (mode.value, table),
            None => {
                cx.report(
                    Problem::at(at, "an aperture needs its `mode`")
                        .label("one of by_load, deterministic")
                        .unless_lost_within(),
                );
                return None;
            }
        },
    };
    let base = LoadBand::default();
    let min = table.min.as_ref().map(|at| at_least(cx, at, 1, "an aperture has at least one instance"));
    if mode == ApertureMode::Deterministic {
        let given = given!(table; min, smooth_window, low_load, high_load);
        cx.strays(&given, &["min"], "a deterministic aperture");
        return Some(around::Aperture::Deterministic { min: min.unwrap_or(12) });
    }
    let band = LoadBand {
        smooth_window: table.smooth_window.as_ref().map_or(base.smooth_window, |at| at.value.0),
        low: table.low_load.as_ref().map_or(base.low, |at| at.value.0),
        high: table.high_load.as_ref().map_or(base.high, |at| at.value.0),
        min: min.unwrap_or(base.min),
    };
    if band.low >= band.high {
        cx.report(
            Problem::at(at, format!("`low_load` ({}) is not below `high_load` ({})", band.low, band.high))
                .unless_lost_within(),
        );
    }
    Some(around::Aperture::ByLoad(band))
}

fn outliers(cx: &mut Context<'_>, at: &At<Outliers>) -> around::Outliers {
    let table = &at.value;
    let (base, rate) = (around::Outliers::default(), SuccessRate::default());
    let span = |at: &Option<At<Span>>, default| at.as_ref().map_or(default, |at| at.value.0);
    let count = |at: &Option<At<Count>>, default| at.as_ref().map_or(default, |at| at.value.0);
    let compares = table.success_rate.as_ref().is_none_or(|at| at.value);
    if !compares {
        let given = given!(table; success_rate_stdev_factor, success_rate_minimum_hosts, success_rate_request_volume);
        cx.strays(&given, &[], "outliers without `success_rate`");
    }
    let success_rate = SuccessRate {
        stdev_factor: table
            .success_rate_stdev_factor
            .as_ref()
            .map_or(rate.stdev_factor, |at| (at.value.0.min(1e6) * 1000.0).round() as u32),
        minimum_hosts: count(&table.success_rate_minimum_hosts, rate.minimum_hosts),
        request_volume: count(&table.success_rate_request_volume, rate.request_volume),
    };
    let rules = around::Outliers {
        consecutive_errors: count(&table.consecutive_5xx, base.consecutive_errors),
        interval: table.interval.as_ref().map_or(base.interval, |at| positive(cx, at, "interval")),
        base_ejection_time: span(&table.base_ejection_time, base.base_ejection_time),
        max_ejection_time: span(&table.max_ejection_time, base.max_ejection_time),
        max_ejection_percent: whole_percent(cx, table.max_ejection.as_ref(), base.max_ejection_percent),
        always_eject_one: table.always_eject_one_host.as_ref().map_or(base.always_eject_one, |at| at.value),
        success_rate: compares.then_some(success_rate),
    };
    if rules.max_ejection_time < rules.base_ejection_time {
        let (most, base) = (rules.max_ejection_time, rules.base_ejection_time);
        cx.report(
            Problem::at(at, format!("`max_ejection_time` ({most}) is shorter than `base_ejection_time` ({base})"))
                .unless_lost_within(),
        );
    }
    rules
}
