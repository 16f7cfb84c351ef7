//! `policy`: how a caller treats a call: timeouts, retries, budget, breaker, limits.

use super::union::text_or_table;
use crate::At;
use crate::scalar::{Count, Factor, OrNone, Percent, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a caller treats a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// What a well-known client does.
    Preset(PolicyPreset),
    /// A preset with changes, or one of one's own.
    Table(Box<PolicyTable>),
}

text_or_table!(
    Policy,
    Preset(PolicyPreset),
    Table(Box<PolicyTable>),
    "a preset's name or a table such as { timeout = \"1s\", retries = 2 }"
);

/// A policy known by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyPreset {
    /// A timeout of 15 s and nothing else: Envoy's, where nothing is said.
    #[default]
    Default,
    /// Send it once and wait for ever.
    None,
    /// Envoy with `retry_on: 5xx`: 15 s, one retry of any failure, its default limits.
    Envoy,
    /// Istio's default: no timeout, two retries of what was certainly not carried out, which avoid the instances tried
    /// before.
    Istio,
    /// gRPC with the service config of its proposal: four attempts on UNAVAILABLE, throttled; deadlines travel.
    Grpc,
}

/// A preset with changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a preset's name or a table")]
pub struct PolicyTable {
    /// What the rest changes; `default` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<At<PolicyPreset>>,
    /// The most time for a request with all its attempts and pauses, or "none".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<At<OrNone<Span>>>,
    /// The most time for one attempt, or "none".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<At<OrNone<Span>>>,
    /// How many further attempts after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<At<Count>>,
    /// Which ends are tried again; every failure by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<At<Vec<At<Failure>>>>,
    /// How long to wait before each further attempt: a duration, or a table. Envoy's 25 ms to 250 ms by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<At<Backoff>>,
    /// How many retries all requests of a caller together may cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<At<Budget>>,
    /// How often a retry picks anew to avoid every instance that its request was sent to before; then it takes what it
    /// got. Envoy's predicate `previous_hosts` with `host_selection_retry_max_attempts`. 0 by default and in the
    /// presets `envoy` and `grpc`, which pick as for a first attempt; 5 in `istio`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_hosts: Option<At<Count>>,
    /// Whether a request's deadline goes with it; `stay` by default and in the presets `envoy` and `istio`, `travel` in
    /// `grpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<At<Deadlines>>,
    /// When to stop calling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<At<Breaker>>,
    /// How much may be under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<At<Limits>>,
}

/// What an instance learns of how long its caller waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deadlines {
    /// Nothing: it goes on with a request, and calls others for it, after its caller has given up.
    Stay,
    /// The time that is left: it bounds every call that the request causes, and a request whose time is over when its
    /// turn comes is not worked on. gRPC and Finagle.
    Travel,
}

/// How an attempt can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The service answered that it failed.
    ServerError,
    /// No connection: nothing was sent.
    ConnectFailure,
    /// The connection broke after the request was sent.
    Reset,
    /// Turned away unprocessed: a full queue, 503.
    Refused,
    /// The time for this attempt was over.
    Timeout,
}

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<At<BackoffKind>>,
    /// The first pause; 25 ms by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<At<Span>>,
    /// The longest pause; ten times the base by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<At<Span>>,
    /// How much longer each pause is; 2 by default. Only for `grpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
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

/// Whose rule a retry budget follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetKind {
    /// No bound.
    Unlimited,
    /// No retry at all.
    None,
    /// A `share` (20%) of the requests under way, at least `min_concurrency` (3).
    Envoy,
    /// A `share` (20%) of the requests of the last `ttl` (10 s), and `min_per_second` (10) in reserve.
    Finagle,
    /// `max_tokens` (10); a failure takes one, a success brings `token_ratio` (0.1); retries stop at half.
    Grpc,
}

/// A retry budget with numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a budget's name or a table with its kind and numbers")]
pub struct BudgetTable {
    /// Whose rule.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<At<BudgetKind>>,
    /// Retries as a share of requests; 20% by default. For `envoy` and `finagle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<At<Percent>>,
    /// This many retries at once are always allowed; 3 by default. For `envoy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_concurrency: Option<At<Count>>,
    /// How long a request counts; 10 s by default. For `finagle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<At<Span>>,
    /// The reserve, in retries a second; 10 by default. For `finagle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_per_second: Option<At<Count>>,
    /// The most tokens; 10 by default. For `grpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<At<Count>>,
    /// Tokens that a success brings back; 0.1 by default. For `grpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ratio: Option<At<Factor>>,
}

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<At<Count>>,
    /// No judgement before this many calls; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_calls: Option<At<Count>>,
    /// The share of failures that opens; 50% by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_rate: Option<At<Percent>>,
    /// The share of slow calls that opens; 100% by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_rate: Option<At<Percent>>,
    /// A call that takes longer is slow; 60 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_after: Option<At<Span>>,
    /// How long it stays open; 60 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_for: Option<At<Span>>,
    /// How many calls are let through to find out; 10 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_open_calls: Option<At<Count>>,
    /// What counts as a failure; everything but success by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<At<Vec<At<Failure>>>>,
}

/// Limits on what is under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Limits {
    /// Known ones.
    Preset(LimitsPreset),
    /// One's own.
    Table(LimitsTable),
}

text_or_table!(
    Limits,
    Preset(LimitsPreset),
    Table(LimitsTable),
    "one of unlimited, envoy, or a table such as { max_requests = 100 }"
);

/// Limits known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitsPreset {
    /// None.
    Unlimited,
    /// 1024 requests, 1024 waiting, 3 retries.
    Envoy,
}

/// Limits of one's own; what is not named has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a preset's name or a table with limits")]
pub struct LimitsTable {
    /// Attempts sent and not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<At<Count>>,
    /// Requests that wait for a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_pending: Option<At<Count>>,
    /// Retries under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<At<Count>>,
}
