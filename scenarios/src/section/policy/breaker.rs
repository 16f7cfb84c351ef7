//! The circuit breaker of a policy: when a caller stops calling an instance. It becomes a breaker of the traffic core,
//! or none.

use super::{Failure, classes};
use crate::At;
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Count, Percent, Span};
use crate::section::union::text_or_table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::traffic::BreakerConfig;

/// A circuit breaker.
#[derive(Clone, Debug, PartialEq)]
pub enum Breaker {
    /// A published one with its default numbers, or none.
    Preset(BreakerPreset),
    /// With numbers of one's own.
    Table(Box<BreakerTable>),
}

text_or_table!(
    Breaker,
    Preset(BreakerPreset),
    Table(Box<BreakerTable>),
    "one of none, resilience4j, or a table such as { window = 20, failure_rate = \"50%\" }"
);

/// A circuit breaker known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerPreset {
    /// No breaker.
    None,
    /// resilience4j's defaults.
    Resilience4j,
}

/// resilience4j's circuit breaker with a count-based window; its defaults, changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a breaker's name or a table with its numbers")]
pub struct BreakerTable {
    /// How many of the latest calls are judged; 100 by default.
    pub window: Option<At<Count>>,
    /// No judgement before this many calls; 100 by default.
    pub min_calls: Option<At<Count>>,
    /// The share of failures that opens; 50% by default.
    pub failure_rate: Option<At<Percent>>,
    /// The share of slow calls that opens; 100% by default.
    pub slow_rate: Option<At<Percent>>,
    /// A call that takes longer is slow; 60 s by default.
    pub slow_after: Option<At<Span>>,
    /// How long it stays open; 60 s by default.
    pub open_for: Option<At<Span>>,
    /// How many calls are let through to find out; 10 by default.
    pub half_open_calls: Option<At<Count>>,
    /// What counts as a failure; everything but success by default.
    pub failures: Option<At<Vec<At<Failure>>>>,
}

/// What a circuit breaker becomes.
pub(crate) fn lower(cx: &mut Context<'_>, at: &At<Breaker>) -> Option<BreakerConfig> {
    let table: &BreakerTable = match &at.value {
        Breaker::Preset(BreakerPreset::None) => return None,
        Breaker::Preset(BreakerPreset::Resilience4j) => return Some(BreakerConfig::RESILIENCE4J),
        Breaker::Table(table) => table,
    };
    for (key, count) in [("window", &table.window), ("half_open_calls", &table.half_open_calls)] {
        if let Some(count) = count.as_ref().filter(|count| !(1..=1_000_000).contains(&count.value.0)) {
            cx.report(Problem::at(count, format!("`{key}` lies between 1 and 1000000")));
        }
    }
    let usual = BreakerConfig::RESILIENCE4J;
    Some(BreakerConfig {
        window: table.window.inner_or(usual.window),
        min_calls: table.min_calls.inner_or(usual.min_calls),
        failure_rate: table.failure_rate.inner_or(usual.failure_rate),
        slow_rate: table.slow_rate.inner_or(usual.slow_rate),
        slow_after: table.slow_after.inner_or(usual.slow_after),
        open_for: table.open_for.inner_or(usual.open_for),
        half_open_calls: table.half_open_calls.inner_or(usual.half_open_calls),
        failures: table.failures.as_ref().map_or(usual.failures, |f| classes(&f.value)),
    })
}
