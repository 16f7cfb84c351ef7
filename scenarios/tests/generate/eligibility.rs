//! Eligibility: what stands around a strategy, as far as it means something to that strategy.

use super::services::Sketch;
use super::{Draft, SECOND, at, text};
use base::Ratio;
use scenarios::draw::Dice;
use scenarios::scalar::{Factor, Percent};
use scenarios::section::Eligibility;
use scenarios::section::eligibility::{
    Aperture, ApertureMode, ApertureTable, Fallback, Locality, LocalityMode, LocalityTable, Outliers, Priority,
    PriorityRule, SlowStart, Subset, ZoneNumbers,
};
use world::balancer::{Strategy, eligibility};

pub(super) fn eligibility(dice: &mut Dice, draft: &Draft, sketch: &Sketch, strategy: Strategy) -> Eligibility {
    let aperture = strategy == Strategy::P2C && dice.happens(1, 3);
    Eligibility {
        panic_threshold: dice.maybe(1, 3, whole_percent),
        overprovisioning: dice.maybe(1, 3, |dice| dice.factor(1.0, 1000.0)),
        priority: dice.maybe(1, 3, |dice| match dice.happens(1, 2) {
            true => Priority::Rule(PriorityRule::OwnZoneFirst),
            false => Priority::Zones(zones(dice, draft, 127)),
        }),
        locality: match strategy.info().needs.keys {
            true => None,
            false => dice.maybe(1, 3, |dice| locality(dice, draft)),
        },
        subset: dice.maybe(1, 4, |dice| subset(dice, draft, sketch)),
        subset_size: dice.maybe(1, 4, |dice| dice.count(1..=20)),
        slow_start: match eligibility::SlowStart::is_followed_by(strategy) {
            true => dice.maybe(1, 2, slow_start),
            false => None,
        },
        aperture: aperture.then(|| at(self::aperture(dice))),
        sticky: dice.maybe(1, 3, |dice| dice.happens(3, 4)),
        outliers: dice.maybe(2, 5, |dice| outliers(dice, draft)),
    }
}

fn whole_percent(dice: &mut Dice) -> Percent {
    Percent(Ratio::percent(if dice.extreme() { *dice.one(&[0, 100]) } else { dice.even(0..=100) as u32 }))
}

/// A number for some zones.
fn zones(dice: &mut Dice, draft: &Draft, most: u32) -> ZoneNumbers {
    let most = if dice.extreme() { most } else { 4 };
    let some: Vec<_> = draft.zones.iter().filter(|_| dice.happens(3, 4)).collect();
    some.into_iter().map(|zone| (text(zone), at(dice.count(0..=most)))).collect()
}

fn locality(dice: &mut Dice, draft: &Draft) -> Locality {
    let mode = *dice.one(&[LocalityMode::ZoneAware, LocalityMode::Weighted]);
    if dice.happens(1, 3) {
        return Locality::Mode(mode);
    }
    let aware = mode == LocalityMode::ZoneAware;
    let mut weights = zones(dice, draft, 65_535);
    if weights.len() == draft.zones.len() && weights.values().all(|weight| weight.value.0 == 0) {
        weights.pop_first();
    }
    Locality::Table(LocalityTable {
        mode: Some(at(mode)),
        weights: (!aware && dice.happens(2, 3)).then(|| at(weights)),
        routing_enabled: if aware { dice.maybe(1, 2, whole_percent) } else { None },
        min_cluster_size: if aware { dice.maybe(1, 2, |dice| dice.count(0..=10)) } else { None },
        fail_traffic_on_panic: if aware { dice.maybe(1, 2, |dice| dice.happens(1, 2)) } else { None },
    })
}

fn subset(dice: &mut Dice, draft: &Draft, sketch: &Sketch) -> Subset {
    let version = |dice: &mut Dice| dice.one(&sketch.versions).clone();
    let zone = |dice: &mut Dice| if dice.happens(1, 3) { "own".to_string() } else { dice.one(&draft.zones).clone() };
    let fallback =
        dice.maybe(3, 4, |dice| *dice.one(&[Fallback::NoFallback, Fallback::AnyEndpoint, Fallback::DefaultSubset]));
    let by_version = dice.happens(1, 2);
    let has_default = fallback.as_ref().is_some_and(|at| at.value == Fallback::DefaultSubset);
    let default_by_version = dice.happens(1, 2);
    Subset {
        version: (by_version || dice.happens(1, 4)).then(|| at(version(dice))),
        zone: (!by_version || dice.happens(1, 4)).then(|| at(zone(dice))),
        fallback,
        default_version: (has_default && (default_by_version || dice.happens(1, 4))).then(|| at(version(dice))),
        default_zone: (has_default && (!default_by_version || dice.happens(1, 4))).then(|| at(zone(dice))),
    }
}

fn slow_start(dice: &mut Dice) -> SlowStart {
    SlowStart {
        window: Some(at(dice.span(1_000_000..=120 * SECOND))),
        aggression: dice.maybe(1, 2, |dice| {
            let most = if dice.extreme() { 1e6 } else { 5.0 };
            dice.factor(1e-3, most)
        }),
        min_weight: dice.maybe(1, 2, Dice::share),
    }
}

fn aperture(dice: &mut Dice) -> Aperture {
    let mode = *dice.one(&[ApertureMode::ByLoad, ApertureMode::Deterministic]);
    if dice.happens(1, 3) {
        return Aperture::Mode(mode);
    }
    let by_load = mode == ApertureMode::ByLoad;
    let band = by_load && dice.happens(1, 2);
    let low = dice.factor(1e-3, 1e3);
    Aperture::Table(ApertureTable {
        mode: Some(at(mode)),
        min: dice.maybe(1, 2, |dice| dice.count(1..=30)),
        smooth_window: if by_load { dice.maybe(1, 2, |dice| dice.span(0..=60 * SECOND)) } else { None },
        low_load: band.then(|| at(low)),
        high_load: band.then(|| at(Factor(low.0 * 1.5))),
    })
}

fn outliers(dice: &mut Dice, draft: &Draft) -> Outliers {
    let count = |dice: &mut Dice, usual: u32| {
        let most = if dice.extreme() { u32::MAX } else { usual };
        dice.count(0..=most)
    };
    let compares = dice.maybe(1, 2, |dice| dice.happens(3, 4));
    let rates = compares.as_ref().is_none_or(|at| at.value);
    let base = dice.magnitude(0..=60 * SECOND);
    let both = dice.happens(1, 2);
    // An interval of each caller, and never shorter than a millisecond.
    let interval = draft.interval(u64::from(draft.callers) * draft.services.len() as u64).max(1_000_000);
    let needs_interval = interval > 10 * SECOND;
    Outliers {
        consecutive_5xx: dice.maybe(1, 2, |dice| count(dice, 8)),
        interval: (needs_interval || dice.happens(1, 2)).then(|| at(dice.span(interval..=interval.max(60 * SECOND)))),
        base_ejection_time: both.then(|| super::span(base)),
        max_ejection_time: both.then(|| super::span(base.saturating_add(dice.magnitude(0..=600 * SECOND)))),
        max_ejection: dice.maybe(1, 2, whole_percent),
        always_eject_one_host: dice.maybe(1, 2, |dice| dice.happens(1, 2)),
        success_rate: compares,
        success_rate_stdev_factor: if rates { dice.maybe(1, 3, |dice| dice.factor(0.001, 1e6)) } else { None },
        success_rate_minimum_hosts: if rates { dice.maybe(1, 3, |dice| count(dice, 6)) } else { None },
        success_rate_request_volume: if rates { dice.maybe(1, 3, |dice| count(dice, 200)) } else { None },
    }
}
