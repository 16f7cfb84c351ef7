//! `policy`: how a caller treats a call, for the whole scenario or for one service: timeouts, retries, budget, breaker,
//! limits. It becomes the policy of every service: a preset, then what the table changes of it, key by key.
//!
//! What a key changes must be there to be changed: a backoff without retries is an error. The presets' numbers are in
//! the traffic core, beside their sources; only the default, a timeout and nothing else, is made here.

pub(crate) mod backoff;
pub(crate) mod breaker;
pub(crate) mod budget;

pub use backoff::{Backoff, BackoffKind, BackoffTable};
pub use breaker::{Breaker, BreakerPreset, BreakerTable};
pub use budget::{Budget, BudgetKind, BudgetTable};

use super::Section;
use super::union::text_or_table;
use crate::At;
use crate::at::Key;
use crate::lower::{Context, given};
use crate::problem::Problem;
use crate::scalar::{Count, OrNone, Span};
use base::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::Spec;
use world::traffic::{self, Class, ClassSet, RetryPolicy};

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
    pub preset: Option<At<PolicyPreset>>,
    /// The most time for a request with all its attempts and pauses, or "none".
    pub timeout: Option<At<OrNone<Span>>>,
    /// The most time for one attempt, or "none".
    pub per_try_timeout: Option<At<OrNone<Span>>>,
    /// How many further attempts after the first.
    pub retries: Option<At<Count>>,
    /// Which ends are tried again; every failure by default.
    pub retry_on: Option<At<Vec<At<Failure>>>>,
    /// How long to wait before each further attempt: a duration, or a table. Envoy's 25 ms to 250 ms by default.
    pub backoff: Option<At<Backoff>>,
    /// How many retries all requests of a caller together may cause.
    pub budget: Option<At<Budget>>,
    /// How often a retry picks anew to avoid every instance that its request was sent to before; then it takes what it
    /// got. Envoy's predicate `previous_hosts` with `host_selection_retry_max_attempts`. 0 by default and in the
    /// presets `envoy` and `grpc`, which pick as for a first attempt; 5 in `istio`.
    pub previous_hosts: Option<At<Count>>,
    /// Whether a request's deadline goes with it; `stay` by default and in the presets `envoy` and `istio`, `travel` in
    /// `grpc`.
    pub deadlines: Option<At<Deadlines>>,
    /// When to stop calling.
    pub breaker: Option<At<Breaker>>,
    /// How much may be under way at once.
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
    pub max_requests: Option<At<Count>>,
    /// Requests that wait for a connection.
    pub max_pending: Option<At<Count>>,
    /// Retries under way at once.
    pub max_retries: Option<At<Count>>,
}

/// The most further picks of one retry: more cost time and find no other instance.
const PREVIOUS_HOSTS_MAX: u32 = 100;

impl Section for Policy {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let common = cx.scenario.policy.as_ref().map_or_else(default, |at| policy(cx, at, "policy"));
        for (index, lowered) in spec.services.iter_mut().enumerate() {
            let path = format!("service/{}/policy", lowered.name);
            let own = cx.services[index].service.policy.as_ref();
            lowered.policy = own.map_or(common, |at| policy(cx, at, &path));
        }
    }
}

/// What callers do where nothing is said: Envoy's timeout, and nothing else.
pub(crate) const fn default() -> traffic::Policy {
    let mut policy = traffic::Policy::none();
    policy.timeout = Some(Duration::secs(15));
    policy
}

impl PolicyPreset {
    const fn policy(self) -> traffic::Policy {
        match self {
            PolicyPreset::Default => default(),
            PolicyPreset::None => traffic::Policy::none(),
            PolicyPreset::Envoy => traffic::Policy::envoy(),
            PolicyPreset::Istio => traffic::Policy::istio(),
            PolicyPreset::Grpc => traffic::Policy::grpc(),
        }
    }
}

/// The policy that stands at `path`.
fn policy(cx: &mut Context<'_>, at: &At<Policy>, path: &str) -> traffic::Policy {
    let table = match &at.value {
        Policy::Preset(preset) => return preset.policy(),
        Policy::Table(table) => table,
    };
    let mut policy = table.preset.value_or(PolicyPreset::default()).policy();
    if let Some(timeout) = &table.timeout {
        policy.timeout = limit(cx, timeout, "timeout");
    }
    retries(cx, table, path, &mut policy);
    if let Some(deadlines) = &table.deadlines {
        policy.deadlines = match deadlines.value {
            Deadlines::Stay => traffic::Deadlines::Stay,
            Deadlines::Travel => traffic::Deadlines::Travel,
        };
    }
    if let Some(budget) = &table.budget {
        policy.budget = budget::lower(cx, budget);
    }
    if let Some(breaker) = &table.breaker {
        policy.breaker = breaker::lower(cx, breaker);
    }
    if let Some(limits) = &table.limits {
        policy.limits = match &limits.value {
            Limits::Preset(LimitsPreset::Unlimited) => traffic::Limits::UNLIMITED,
            Limits::Preset(LimitsPreset::Envoy) => traffic::Limits::ENVOY,
            Limits::Table(table) => traffic::Limits {
                max_requests: table.max_requests.inner_or(u32::MAX),
                max_pending: table.max_pending.inner_or(u32::MAX),
                max_retries: table.max_retries.inner_or(u32::MAX),
            },
        };
    }
    policy
}

/// Whether and how failed attempts are made again.
fn retries(cx: &mut Context<'_>, table: &PolicyTable, path: &str, policy: &mut traffic::Policy) {
    match table.retries.inner() {
        Some(0) => policy.retry = None,
        Some(n) => policy.retry = Some(RetryPolicy { max_retries: n, ..policy.retry.unwrap_or(once()) }),
        None => {}
    }
    if policy.retry.is_none() {
        for (key, span) in given!(table; retry_on, backoff, previous_hosts) {
            if let Some(span) = span {
                cx.report(
                    Problem::meaningless(&span, key, "without retries")
                        .label("say how many: `retries = 2`")
                        .unless_lost(format!("{path}/retries")),
                );
            }
        }
    }
    if let Some(retry) = &mut policy.retry {
        if let Some(on) = &table.retry_on {
            retry.retry_on = classes(&on.value);
        }
        if let Some(backoff) = &table.backoff {
            retry.backoff = backoff::lower(cx, backoff);
        }
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
    if let Some(retry) = &mut policy.retry {
        cx.at_most(&table.previous_hosts, PREVIOUS_HOSTS_MAX, "further picks of a retry", "Istio makes 5");
        table.previous_hosts.replace_in(&mut retry.previous_hosts);
    }
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
pub(crate) fn limit(cx: &mut Context<'_>, at: &At<OrNone<Span>>, key: &str) -> Option<Duration> {
    let span = at.value.0?.0;
    if span.is_zero() {
        cx.report(Problem::at(at, format!("a `{key}` of no time")).label("\"none\" waits for ever"));
    }
    Some(span)
}

fn classes(failures: &[At<Failure>]) -> ClassSet {
    let class = |failure: &At<Failure>| match failure.value {
        Failure::ServerError => Class::ServerError,
        Failure::ConnectFailure => Class::ConnectFailure,
        Failure::Reset => Class::Reset,
        Failure::Refused => Class::Refused,
        Failure::Timeout => Class::Timeout,
    };
    ClassSet::of(&failures.iter().map(class).collect::<Vec<Class>>())
}
