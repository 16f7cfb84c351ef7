//! Policies: presets, and every key that changes one.

use super::{Draft, SECOND, at};
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::scalar::{Count, OrNone, Span};
use scenarios::section::Policy;
use scenarios::section::policy::{
    Backoff, BackoffKind, BackoffTable, Breaker, BreakerPreset, BreakerTable, Budget, BudgetKind, BudgetTable,
    Deadlines, Failure, Limits, LimitsPreset, LimitsTable, PolicyPreset, PolicyTable,
};

const PRESETS: [PolicyPreset; 5] =
    [PolicyPreset::Default, PolicyPreset::None, PolicyPreset::Envoy, PolicyPreset::Istio, PolicyPreset::Grpc];
const FAILURES: [Failure; 5] =
    [Failure::ServerError, Failure::ConnectFailure, Failure::Reset, Failure::Refused, Failure::Timeout];
const BUDGETS: [BudgetKind; 5] =
    [BudgetKind::Unlimited, BudgetKind::None, BudgetKind::Envoy, BudgetKind::Finagle, BudgetKind::Grpc];
const BACKOFFS: [BackoffKind; 5] =
    [BackoffKind::Envoy, BackoffKind::Grpc, BackoffKind::AwsFull, BackoffKind::AwsEqual, BackoffKind::AwsDecorrelated];

pub(super) fn policy(dice: &mut Dice, draft: &Draft) -> Policy {
    if dice.happens(1, 4) {
        return Policy::Preset(*dice.one(&PRESETS));
    }
    let preset = dice.maybe(1, 2, |dice| *dice.one(&PRESETS));
    let retries = dice.maybe(1, 2, |dice| dice.count(0..=8));
    let retrying = match (&retries, preset.as_ref().map(|at| at.value)) {
        (Some(retries), _) => retries.value.0 > 0,
        (None, Some(PolicyPreset::Envoy | PolicyPreset::Istio | PolicyPreset::Grpc)) => true,
        (None, _) => false,
    };
    // So often that only the time between two attempts ends it.
    let patient = retrying && dice.extreme();
    let retries = if patient { Some(at(Count(u32::MAX))) } else { retries };
    let backoff = match (retrying, patient) {
        (false, _) => None,
        (true, true) => Some(at(Backoff::Constant(dice.span(draft.total / 100 + 1..=draft.total + 1)))),
        (true, false) => dice.maybe(1, 2, backoff),
    };
    Policy::Table(Box::new(PolicyTable {
        preset,
        timeout: dice.maybe(1, 2, timeout),
        per_try_timeout: dice.maybe(1, 3, timeout),
        retries,
        retry_on: if retrying { dice.maybe(1, 2, failures) } else { None },
        backoff,
        budget: dice.maybe(1, 3, budget),
        previous_hosts: if retrying { dice.maybe(1, 3, |dice| dice.count(0..=100)) } else { None },
        deadlines: dice.maybe(1, 3, |dice| *dice.one(&[Deadlines::Stay, Deadlines::Travel])),
        breaker: dice.maybe(1, 3, breaker),
        limits: dice.maybe(1, 3, limits),
    }))
}

fn timeout(dice: &mut Dice) -> OrNone<Span> {
    match dice.happens(1, 12) {
        true => OrNone(None),
        false => {
            let (least, most) = if dice.extreme() { (1, 365 * 24 * super::HOUR) } else { (super::MS, 30 * SECOND) };
            OrNone(Some(dice.span(least..=most)))
        }
    }
}

fn failures(dice: &mut Dice) -> Vec<At<Failure>> {
    FAILURES.into_iter().filter(|_| dice.happens(1, 2)).map(at).collect()
}

fn backoff(dice: &mut Dice) -> Backoff {
    if dice.happens(1, 3) {
        return Backoff::Constant(dice.span(0..=SECOND));
    }
    let kind = dice.maybe(5, 6, |dice| *dice.one(&BACKOFFS));
    let is_grpc = kind.as_ref().is_some_and(|kind| kind.value == BackoffKind::Grpc);
    let base = dice.maybe(2, 3, |dice| dice.span(1..=SECOND));
    let from = base.as_ref().map_or(25 * super::MS, |base| base.0.as_nanos());
    Backoff::Table(BackoffTable {
        kind,
        base,
        max: dice.maybe(1, 2, |dice| {
            let most = if dice.extreme() { 365 * 24 * super::HOUR } else { from.saturating_mul(100) };
            dice.span(from..=most)
        }),
        multiplier: if is_grpc {
            dice.maybe(1, 2, |dice| {
                let most = if dice.extreme() { 1e6 } else { 4.0 };
                dice.factor(1.0, most)
            })
        } else {
            None
        },
    })
}

/// Any count, from none to all there are.
fn any(dice: &mut Dice, least: u32, usual: u32, most: u32) -> Count {
    let most = if dice.extreme() { most } else { usual };
    dice.count(least..=most)
}

fn budget(dice: &mut Dice) -> Budget {
    let kind = *dice.one(&BUDGETS);
    if dice.happens(1, 3) {
        return Budget::Preset(kind);
    }
    let mut table = BudgetTable { kind: Some(at(kind)), ..BudgetTable::default() };
    if matches!(kind, BudgetKind::Envoy | BudgetKind::Finagle) {
        table.share = dice.maybe(1, 2, Dice::share);
    }
    match kind {
        BudgetKind::Unlimited | BudgetKind::None => {}
        BudgetKind::Envoy => table.min_concurrency = dice.maybe(1, 2, |dice| any(dice, 0, 10, u32::MAX)),
        BudgetKind::Finagle => {
            table.ttl = dice.maybe(1, 2, |dice| dice.span(SECOND..=60 * SECOND));
            table.min_per_second = dice.maybe(1, 2, |dice| any(dice, 0, 20, u32::MAX));
        }
        BudgetKind::Grpc => {
            table.max_tokens = dice.maybe(1, 2, |dice| dice.count(1..=1000));
            table.token_ratio = dice.maybe(1, 2, |dice| {
                let most = if dice.extreme() { 1e6 } else { 1.0 };
                dice.factor(1e-3, most)
            });
        }
    }
    Budget::Table(Box::new(table))
}

fn breaker(dice: &mut Dice) -> Breaker {
    if dice.happens(1, 3) {
        return Breaker::Preset(*dice.one(&[BreakerPreset::None, BreakerPreset::Resilience4j]));
    }
    Breaker::Table(Box::new(BreakerTable {
        window: dice.maybe(2, 3, |dice| any(dice, 1, 50, 100_000)),
        min_calls: dice.maybe(2, 3, |dice| any(dice, 0, 20, u32::MAX)),
        failure_rate: dice.maybe(1, 2, Dice::share),
        slow_rate: dice.maybe(1, 3, Dice::share),
        slow_after: dice.maybe(1, 3, |dice| dice.span(0..=5 * SECOND)),
        open_for: dice.maybe(1, 2, |dice| dice.span(0..=20 * SECOND)),
        half_open_calls: dice.maybe(1, 2, |dice| any(dice, 1, 10, 1_000_000)),
        failures: dice.maybe(1, 3, failures),
    }))
}

fn limits(dice: &mut Dice) -> Limits {
    if dice.happens(1, 3) {
        return Limits::Preset(*dice.one(&[LimitsPreset::Unlimited, LimitsPreset::Envoy]));
    }
    let limit = |dice: &mut Dice| any(dice, 0, 100, u32::MAX);
    Limits::Table(LimitsTable {
        max_requests: dice.maybe(1, 2, limit),
        max_pending: dice.maybe(1, 2, limit),
        max_retries: dice.maybe(1, 2, limit),
    })
}
