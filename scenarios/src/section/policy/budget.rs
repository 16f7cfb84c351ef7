//! The retry budget of a policy: how many retries all requests of a caller together may cause. It becomes a budget of
//! the traffic core.

use crate::At;
use crate::at::Key;
use crate::lower::{Context, given};
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent, Span};
use crate::section::kind::{Kind, kinds};
use crate::section::union::text_or_table;
use base::{Duration, Ratio};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::traffic::RetryBudget;

/// A retry budget.
#[derive(Clone, Debug, PartialEq)]
pub enum Budget {
    /// A published one with its default numbers.
    Preset(BudgetKind),
    /// With numbers of one's own.
    Table(Box<BudgetTable>),
}

text_or_table!(
    Budget,
    Preset(BudgetKind),
    Table(Box<BudgetTable>),
    "one of unlimited, none, envoy, finagle, grpc, or a table such as { kind = \"envoy\", share = \"10%\" }"
);

kinds! {
    /// Whose rule a retry budget follows.
    pub enum BudgetKind {
        /// No bound.
        Unlimited = "unlimited" takes [] needs [],
        /// No retry at all.
        None = "none" takes [] needs [],
        /// A `share` (20%) of the requests under way, at least `min_concurrency` (3).
        Envoy = "envoy" takes ["share", "min_concurrency"] needs [],
        /// A `share` (20%) of the requests of the last `ttl` (10 s), and `min_per_second` (10) in reserve.
        Finagle = "finagle" takes ["share", "ttl", "min_per_second"] needs [],
        /// `max_tokens` (10); a failure takes one, a success brings `token_ratio` (0.1); retries stop at half.
        Grpc = "grpc" takes ["max_tokens", "token_ratio"] needs [],
    }
}

/// A retry budget with numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a budget's name or a table with its kind and numbers")]
pub struct BudgetTable {
    /// Whose rule.
    #[schemars(required)]
    pub kind: Option<At<BudgetKind>>,
    /// Retries as a share of requests; 20% by default. For `envoy` and `finagle`.
    pub share: Option<At<Percent>>,
    /// This many retries at once are always allowed; 3 by default. For `envoy`.
    pub min_concurrency: Option<At<Count>>,
    /// How long a request counts; 10 s by default. For `finagle`.
    pub ttl: Option<At<Span>>,
    /// The reserve, in retries a second; 10 by default. For `finagle`.
    pub min_per_second: Option<At<Count>>,
    /// The most tokens; 10 by default. For `grpc`.
    pub max_tokens: Option<At<Count>>,
    /// Tokens that a success brings back; 0.1 by default. For `grpc`.
    pub token_ratio: Option<At<Factor>>,
}

/// What a retry budget becomes.
pub(crate) fn lower(cx: &mut Context<'_>, at: &At<Budget>) -> RetryBudget {
    let table = match &at.value {
        Budget::Preset(kind) => return with(*kind, &BudgetTable::default()),
        Budget::Table(table) => table,
    };
    let Some(kind) = cx.needed(at, &table.kind, "a budget needs its `kind`", &BudgetKind::one_of()) else {
        return RetryBudget::Unlimited;
    };
    let given = given!(table; share, min_concurrency, ttl, min_per_second, max_tokens, token_ratio);
    cx.unexpected_keys(&given, kind.takes(), &format!("the budget `{}`", kind.word()));
    let spans = Duration::secs(1)..=Duration::secs(60);
    if let Some(ttl) = table.ttl.as_ref().filter(|ttl| !spans.contains(&ttl.value.0)) {
        cx.report(Problem::at(ttl, "a budget's ttl lies between 1s and 1m").label("Finagle's bounds"));
    }
    if let Some(tokens) = table.max_tokens.as_ref().filter(|tokens| !(1..=1000).contains(&tokens.value.0)) {
        cx.report(Problem::at(tokens, "`max_tokens` lies between 1 and 1000").label("gRPC's bounds"));
    }
    with(kind.value, table)
}

fn with(kind: BudgetKind, table: &BudgetTable) -> RetryBudget {
    let share = table.share.inner_or(Ratio::percent(20));
    match kind {
        BudgetKind::Unlimited => RetryBudget::Unlimited,
        BudgetKind::None => RetryBudget::None,
        BudgetKind::Envoy => RetryBudget::Active { share, min_concurrency: table.min_concurrency.inner_or(3) },
        BudgetKind::Finagle => RetryBudget::LeakyBucket {
            ttl: table.ttl.inner_or(Duration::secs(10)),
            min_per_second: table.min_per_second.inner_or(10),
            share,
        },
        BudgetKind::Grpc => RetryBudget::Throttle {
            max_tokens: table.max_tokens.inner_or(10),
            // Three decimals, as in the original, which ignores the rest.
            token_ratio_milli: table.token_ratio.inner().map_or(100, |ratio| (ratio * 1000.0) as u32),
        },
    }
}
