//! From a `policy` to a policy of the traffic core: a preset, then what the table changes of it, key by key.
//!
//! What a key changes must be there to be changed: a backoff without retries is an error. The presets' numbers live in
//! the traffic core, beside their sources; only the default, a timeout and nothing else, is made here.

use super::{Context, Given, given};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Count, OrNone, Span};
use crate::schema::policy::{
    Backoff, BackoffKind, Breaker, BreakerPreset, BreakerTable, Budget, BudgetKind, BudgetTable, Deadlines, Failure,
    Limits, LimitsPreset, Policy, PolicyPreset,
};
use base::{Duration, Ratio};
use world::traffic::{self, BreakerConfig, Class, ClassSet, RetryBudget, RetryPolicy};

/// More picks than this for one retry cost time and find nobody.
const PREVIOUS_HOSTS_MAX: u32 = 100;

/// What callers do where nothing is said: Envoy's timeout, and nothing else.
pub(crate) const fn default() -> traffic::Policy {
    let mut policy = traffic::Policy::none();
    policy.timeout = Some(Duration::secs(15));
    policy
}

fn preset(preset: PolicyPreset) -> traffic::Policy {
    match preset {
        PolicyPreset::Default => default(),
        PolicyPreset::None => traffic::Policy::none(),
        PolicyPreset::Envoy => traffic::Policy::envoy(),
        PolicyPreset::Istio => traffic::Policy::istio(),
        PolicyPreset::Grpc => traffic::Policy::grpc(),
    }
}

pub(crate) fn lower(cx: &mut Context<'_>, at: &At<Policy>, path: &str) -> traffic::Policy {
    let table = match &at.value {
        Policy::Preset(name) => return preset(*name),
        Policy::Table(table) => table,
    };
    let mut policy = preset(table.preset.as_ref().map_or_else(Default::default, |p| p.value));
    if let Some(timeout) = &table.timeout {
        policy.timeout = limit(cx, timeout, "timeout");
    }
    if let Some(retries) = &table.retries {
        policy.retry = match (retries.value.0, policy.retry) {
            (0, _) => None,
            (n, Some(retry)) => Some(RetryPolicy { max_retries: n, ..retry }),
            (n, None) => Some(RetryPolicy { max_retries: n, ..once() }),
        };
    }
    if policy.retry.is_none() && table.retries.as_ref().is_none_or(|n| n.value.0 == 0) {
        for (key, span) in given!(table; retry_on, backoff, previous_hosts) {
            if let Some(span) = span {
                cx.report(
                    Problem::new(format!("`{key}` has no meaning without retries"))
                        .span(span)
                        .label("say how many: `retries = 2`")
                        .unless_lost(format!("{path}/retries")),
                );
            }
        }
    }
    if let (Some(on), Some(retry)) = (&table.retry_on, &mut policy.retry) {
        retry.retry_on = classes(&on.value);
    }
    if let (Some(backoff), Some(retry)) = (&table.backoff, policy.retry) {
        policy.retry = Some(RetryPolicy { backoff: lower_backoff(cx, backoff), ..retry });
    }
    if let Some(per_try) = &table.per_try_timeout {
        let limit = limit(cx, per_try, "per_try_timeout");
        match &mut policy.retry {
            Some(retry) => retry.per_try_timeout = limit,
            // A policy of no retries still bounds its one attempt.
            None if limit.is_some() => policy.retry = Some(RetryPolicy { per_try_timeout: limit, ..once() }),
            None => {}
        }
    }
    if let (Some(picks), Some(retry)) = (&table.previous_hosts, &mut policy.retry) {
        if picks.value.0 > PREVIOUS_HOSTS_MAX {
            cx.report(
                Problem::at(picks, format!("at most {PREVIOUS_HOSTS_MAX} further picks of a retry"))
                    .label("Istio makes 5"),
            );
        }
        retry.previous_hosts = picks.value.0;
    }
    if let Some(deadlines) = &table.deadlines {
        policy.deadlines = match deadlines.value {
            Deadlines::Stay => traffic::Deadlines::Stay,
            Deadlines::Travel => traffic::Deadlines::Travel,
        };
    }
    if let Some(budget) = &table.budget {
        policy.budget = lower_budget(cx, budget);
    }
    if let Some(breaker) = &table.breaker {
        policy.breaker = lower_breaker(cx, breaker);
    }
    if let Some(limits) = &table.limits {
        policy.limits = match &limits.value {
            Limits::Preset(LimitsPreset::Unlimited) => traffic::Limits::UNLIMITED,
            Limits::Preset(LimitsPreset::Envoy) => traffic::Limits::ENVOY,
            Limits::Table(table) => {
                let of = |n: Option<&At<Count>>| n.map_or(u32::MAX, |n| n.value.0);
                traffic::Limits {
                    max_requests: of(table.max_requests.as_ref()),
                    max_pending: of(table.max_pending.as_ref()),
                    max_retries: of(table.max_retries.as_ref()),
                }
            }
        };
    }
    policy
}

/// A retry policy that retries nothing yet.
const fn once() -> RetryPolicy {
    RetryPolicy {
        max_retries: 0,
        retry_on: ClassSet::FAILURES,
        backoff: traffic::Backoff::ENVOY,
        per_try_timeout: None,
        previous_hosts: 0,
    }
}

/// A timeout, or none.
pub(super) fn limit(cx: &mut Context<'_>, at: &At<OrNone<Span>>, key: &str) -> Option<Duration> {
    let span = at.value.0?.0;
    if span.is_zero() {
        cx.report(Problem::at(at, format!("a `{key}` of no time")).label("\"none\" waits for ever"));
    }
    Some(span)
}

fn classes(failures: &[At<Failure>]) -> ClassSet {
    let all: Vec<Class> = failures
        .iter()
        .map(|failure| match failure.value {
            Failure::ServerError => Class::ServerError,
            Failure::ConnectFailure => Class::ConnectFailure,
            Failure::Reset => Class::Reset,
            Failure::Refused => Class::Refused,
            Failure::Timeout => Class::Timeout,
        })
        .collect();
    ClassSet::of(&all)
}

pub(crate) fn lower_backoff(cx: &mut Context<'_>, at: &At<Backoff>) -> traffic::Backoff {
    let table = match &at.value {
        Backoff::Constant(span) => return traffic::Backoff::Constant(span.0),
        Backoff::Table(table) => table,
    };
    let kind = table.kind.as_ref().map_or_else(Default::default, |k| k.value);
    let base = table.base.as_ref().map_or(Duration::ms(25), |d| d.value.0);
    let max = table.max.as_ref().map_or(base.saturating_mul(10), |d| d.value.0);
    if base.is_zero() || max < base {
        cx.report(Problem::at(at, "a backoff needs 0 < base <= max"));
    }
    if let Some(multiplier) = &table.multiplier {
        if kind != BackoffKind::Grpc {
            cx.report(
                Problem::at(multiplier, "`multiplier` has no meaning here").label("only the grpc backoff has one"),
            );
        } else if multiplier.value.0 < 1.0 {
            cx.report(Problem::at(multiplier, "a multiplier below 1 makes pauses shorter"));
        }
    }
    match kind {
        BackoffKind::Envoy => traffic::Backoff::Envoy { base, max },
        BackoffKind::Grpc => {
            let multiplier = table.multiplier.as_ref().map_or(2.0, |m| m.value.0);
            traffic::Backoff::Grpc { initial: base, multiplier, max }
        }
        BackoffKind::AwsFull => traffic::Backoff::AwsFull { base, cap: max },
        BackoffKind::AwsEqual => traffic::Backoff::AwsEqual { base, cap: max },
        BackoffKind::AwsDecorrelated => traffic::Backoff::AwsDecorrelated { base, cap: max },
    }
}

pub(crate) fn lower_budget(cx: &mut Context<'_>, at: &At<Budget>) -> RetryBudget {
    let table = match &at.value {
        Budget::Preset(kind) => return budget(*kind, &BudgetTable::default()),
        Budget::Table(table) => table,
    };
    let Some(kind) = table.kind.as_ref().map(|kind| kind.value) else {
        cx.report(
            Problem::at(at, "a budget needs its `kind`")
                .label("one of unlimited, none, envoy, finagle, grpc")
                .unless_lost_within(),
        );
        return RetryBudget::Unlimited;
    };
    let given: [Given; 6] = given!(table; share, min_concurrency, ttl, min_per_second, max_tokens, token_ratio);
    let (belongs, name): (&[&str], &str) = match kind {
        BudgetKind::Unlimited => (&[], "the budget `unlimited`"),
        BudgetKind::None => (&[], "the budget `none`"),
        BudgetKind::Envoy => (&["share", "min_concurrency"], "the budget `envoy`"),
        BudgetKind::Finagle => (&["share", "ttl", "min_per_second"], "the budget `finagle`"),
        BudgetKind::Grpc => (&["max_tokens", "token_ratio"], "the budget `grpc`"),
    };
    cx.strays(&given, belongs, name);
    if let Some(ttl) = &table.ttl
        && !(Duration::secs(1)..=Duration::secs(60)).contains(&ttl.value.0)
    {
        cx.report(Problem::at(ttl, "a budget's ttl lies between 1s and 1m").label("Finagle's bounds"));
    }
    if let Some(tokens) = &table.max_tokens
        && !(1..=1000).contains(&tokens.value.0)
    {
        cx.report(Problem::at(tokens, "`max_tokens` lies between 1 and 1000").label("gRPC's bounds"));
    }
    budget(kind, table)
}

fn budget(kind: BudgetKind, table: &BudgetTable) -> RetryBudget {
    let share = table.share.as_ref().map_or(Ratio::percent(20), |s| s.value.0);
    let count = |n: Option<&At<Count>>, default| n.map_or(default, |n| n.value.0);
    match kind {
        BudgetKind::Unlimited => RetryBudget::Unlimited,
        BudgetKind::None => RetryBudget::None,
        BudgetKind::Envoy => RetryBudget::Active { share, min_concurrency: count(table.min_concurrency.as_ref(), 3) },
        BudgetKind::Finagle => RetryBudget::LeakyBucket {
            ttl: table.ttl.as_ref().map_or(Duration::secs(10), |d| d.value.0),
            min_per_second: count(table.min_per_second.as_ref(), 10),
            share,
        },
        BudgetKind::Grpc => RetryBudget::Throttle {
            max_tokens: count(table.max_tokens.as_ref(), 10),
            // Three decimals, as in the original, which ignores the rest.
            token_ratio_milli: table.token_ratio.as_ref().map_or(100, |r| (r.value.0 * 1000.0) as u32),
        },
    }
}

pub(crate) fn lower_breaker(cx: &mut Context<'_>, at: &At<Breaker>) -> Option<BreakerConfig> {
    let table: &BreakerTable = match &at.value {
        Breaker::Preset(BreakerPreset::None) => return None,
        Breaker::Preset(BreakerPreset::Resilience4j) => return Some(BreakerConfig::RESILIENCE4J),
        Breaker::Table(table) => table,
    };
    let usual = BreakerConfig::RESILIENCE4J;
    for (key, count) in [("window", &table.window), ("half_open_calls", &table.half_open_calls)] {
        if let Some(count) = count
            && !(1..=1_000_000).contains(&count.value.0)
        {
            cx.report(Problem::at(count, format!("`{key}` lies between 1 and 1000000")));
        }
    }
    let count = |n: Option<&At<Count>>, default| n.map_or(default, |n| n.value.0);
    let span = |d: Option<&At<Span>>, default| d.map_or(default, |d| d.value.0);
    Some(BreakerConfig {
        window: count(table.window.as_ref(), usual.window),
        min_calls: count(table.min_calls.as_ref(), usual.min_calls),
        failure_rate: table.failure_rate.as_ref().map_or(usual.failure_rate, |r| r.value.0),
        slow_rate: table.slow_rate.as_ref().map_or(usual.slow_rate, |r| r.value.0),
        slow_after: span(table.slow_after.as_ref(), usual.slow_after),
        open_for: span(table.open_for.as_ref(), usual.open_for),
        half_open_calls: count(table.half_open_calls.as_ref(), usual.half_open_calls),
        failures: table.failures.as_ref().map_or(usual.failures, |f| classes(&f.value)),
    })
}
