//! The pause of a policy before a further attempt: a duration, or one that grows. It becomes a backoff of the traffic
//! core.

use crate::At;
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Factor, Span};
use crate::section::union::text_or_table;
use base::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::traffic;

/// A pause before a further attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Backoff {
    /// Always the same: `"25ms"`.
    Constant(Span),
    /// One that grows.
    Table(BackoffTable),
}

text_or_table!(
    Backoff,
    Constant(Span),
    Table(BackoffTable),
    "a duration such as \"25ms\" or a table such as { kind = \"envoy\", base = \"25ms\", max = \"250ms\" }"
);

/// A pause that grows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a duration or a table with kind, base and max")]
pub struct BackoffTable {
    /// How it grows; `envoy` by default.
    pub kind: Option<At<BackoffKind>>,
    /// The first pause; 25 ms by default.
    pub base: Option<At<Span>>,
    /// The longest pause; ten times the base by default.
    pub max: Option<At<Span>>,
    /// How much longer each pause is; 2 by default. Only for `grpc`.
    pub multiplier: Option<At<Factor>>,
}

/// How a pause grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackoffKind {
    /// Evenly from zero to an interval that doubles.
    #[default]
    Envoy,
    /// Multiplied each time, and 20% up or down.
    Grpc,
    /// Evenly from zero to an interval that doubles (AWS "full jitter").
    AwsFull,
    /// Half of an interval that doubles, and up to the same again (AWS "equal jitter").
    AwsEqual,
    /// Evenly from the base to three times the pause before (AWS "decorrelated jitter").
    AwsDecorrelated,
}

/// What a backoff becomes.
pub(crate) fn lower(cx: &mut Context<'_>, at: &At<Backoff>) -> traffic::Backoff {
    let table = match &at.value {
        Backoff::Constant(span) => return traffic::Backoff::Constant(span.0),
        Backoff::Table(table) => table,
    };
    let kind = table.kind.value_or(BackoffKind::default());
    let base = table.base.inner_or(Duration::ms(25));
    let max = table.max.inner_or(base.saturating_mul(10));
    if base.is_zero() || max < base {
        cx.report(Problem::at(at, "a backoff needs 0 < base <= max"));
    }
    if let Some(multiplier) = &table.multiplier {
        if kind != BackoffKind::Grpc {
            let problem = Problem::meaningless(&multiplier.span, "multiplier", "here");
            cx.report(problem.label("only the grpc backoff has one"));
        } else if multiplier.value.0 < 1.0 {
            cx.report(Problem::at(multiplier, "a multiplier below 1 makes pauses shorter"));
        }
    }
    match kind {
        BackoffKind::Envoy => traffic::Backoff::Envoy { base, max },
        BackoffKind::Grpc => traffic::Backoff::Grpc { initial: base, multiplier: table.multiplier.inner_or(2.0), max },
        BackoffKind::AwsFull => traffic::Backoff::AwsFull { base, cap: max },
        BackoffKind::AwsEqual => traffic::Backoff::AwsEqual { base, cap: max },
        BackoffKind::AwsDecorrelated => traffic::Backoff::AwsDecorrelated { base, cap: max },
    }
}
