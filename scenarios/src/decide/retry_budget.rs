//! Retry budgets and the static limit: whether one more retry may start, as requests, ends and retries come.

use super::engine::{Answer, Case, CaseType, Decision, Engine};
use super::inputs;
use crate::At;
use crate::lower::alone;
use crate::problem::Problem;
use crate::scalar::{Count, Span};
use crate::section::policy::budget::{self, Budget as BudgetKey};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use world::traffic::{Budget, Limiter, Limits, RetryBudget};

pub(super) static ENGINE: Engine = Engine {
    name: "retry-budget",
    summary: "whether one more retry may start, by the budget of Envoy, gRPC or Finagle and by a static limit",
    explanation: "Envoy allows a share of what is under way, and its budget takes the place of `max_retries`; gRPC \
        takes a token for each failure, gives a part of one back for each success, and stops retries at half; Finagle \
        lets requests pay in and retries take out, and forgets after a while. Without a budget only `max_retries` \
        bounds retries. What is under way is said with each input; tokens and deposits are remembered from input to \
        input. Not modelled: several priorities, the tokens that gRPC carries over to a new configuration.",
    answer: "For each input, after it: `allowed`, whether a retry may start (of a `retry`, whether this one does and \
        pays); `limit`, the most retries under way at once, with Envoy's budget or the static limit; `tokens`, with \
        gRPC's; `balance`, the retries in the bank, with Finagle's.",
    source: "envoyproxy/envoy source/common/upstream/resource_manager_impl.h; grpc/proposal A6; twitter/finagle \
        finagle-core/…/service/RetryBudget.scala",
    example: "\
budget = { kind = \"grpc\", max_tokens = 4, token_ratio = 0.1 }
inputs = [{ event = \"failure\" }, { event = \"failure\" }, { event = \"success\" }, { at = \"1s\", event = \"retry\" }]
",
    case: CaseType::of::<Client>(),
};

/// One client's budget towards one service, and what happens.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with a budget and inputs")]
struct Client {
    /// The rule, as under `policy.budget` of a scenario; `unlimited` by default.
    #[serde(default)]
    budget: Option<At<BudgetKey>>,
    /// Retries that may be under way at once, where the budget does not take the place of this; no limit by default.
    #[serde(default)]
    max_retries: Option<Count>,
    /// What happens, in order.
    inputs: Vec<Input>,
}

/// Something that happens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { event = \"retry\" }")]
struct Input {
    /// When, from zero; at the moment of the input before by default.
    #[serde(default)]
    at: Option<At<Span>>,
    /// What.
    event: Event,
    /// Requests sent and not answered; none by default.
    #[serde(default)]
    active: Count,
    /// Requests that wait for a connection; none by default.
    #[serde(default)]
    pending: Count,
    /// Retries decided and not over; none by default.
    #[serde(default)]
    retries: Count,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Event {
    /// A request begins: its first attempt.
    Request,
    /// An attempt succeeded.
    Success,
    /// An attempt failed in a way that is tried again.
    Failure,
    /// A retry wants to start.
    Retry,
}

impl Case for Client {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let rule = match &self.budget {
            Some(at) => alone(|cx| budget::lower(cx, at))?,
            None => RetryBudget::Unlimited,
        };
        let moments = inputs::moments(self.inputs.iter().map(|input| input.at.as_ref()))?;
        let limits = Limits { max_retries: self.max_retries.map_or(u32::MAX, |n| n.0), ..Limits::UNLIMITED };
        let mut budget = Budget::new(rule);
        let hear = |(input, now): (&Input, _)| {
            let limiter = Limiter::under(limits, input.active.0, input.pending.0, input.retries.0);
            match input.event {
                Event::Request => budget.on_request(now),
                Event::Success => budget.on_success(),
                Event::Failure => budget.on_failure(),
                Event::Retry => {}
            }
            // Before it is paid for, so that the figures are those that were compared.
            let why = why(rule, limits, &mut budget, now, &limiter);
            let allowed = match input.event {
                Event::Retry => budget.grant(now, &limiter),
                _ => budget.would_grant(now, &limiter),
            };
            let mut decision = json!({"allowed": allowed});
            let limit = budget.concurrency(limiter.under_way());
            if let Some(limit) = limit.or(self.max_retries.map(|n| n.0.into())) {
                decision["limit"] = limit.into();
            }
            if let Some(milli) = budget.tokens_milli() {
                decision["tokens"] = tokens(milli);
            }
            if let Some(balance) = budget.balance(now) {
                decision["balance"] = balance.into();
            }
            Decision { decision, why }
        };
        Ok(Answer::PerInput(self.inputs.iter().zip(moments).map(hear).collect()))
    }
}

/// Tokens as a number: a whole one without decimals.
fn tokens(milli: u32) -> Value {
    if milli.is_multiple_of(1000) { (milli / 1000).into() } else { (f64::from(milli) / 1000.0).into() }
}

/// The rule that binds now, with what it compares.
fn why(rule: RetryBudget, limits: Limits, budget: &mut Budget, now: base::Instant, limiter: &Limiter) -> String {
    let retries = limiter.retries();
    if !rule.replaces_max_retries() && !limiter.may_retry() {
        return format!("max_retries: {retries} under way, and {} allowed", limits.max_retries);
    }
    let allowed = budget.would_grant(now, limiter);
    match rule {
        RetryBudget::Unlimited if limits.max_retries < u32::MAX => {
            format!("max_retries: {retries} under way, and {} allowed", limits.max_retries)
        }
        RetryBudget::Unlimited => "no budget and no limit".into(),
        RetryBudget::None => "the budget `none` allows no retry".into(),
        RetryBudget::Active { share, min_concurrency } => {
            let under_way = limiter.under_way();
            let limit = budget.concurrency(under_way).unwrap_or(0);
            let compared = if allowed { "fewer than" } else { "not fewer than" };
            format!(
                "{retries} retries under way, {compared} {limit}: {share} of {under_way}, at least {min_concurrency}"
            )
        }
        RetryBudget::LeakyBucket { .. } => {
            format!("the bank holds {} retries", budget.balance(now).unwrap_or(0))
        }
        RetryBudget::Throttle { max_tokens, .. } => {
            let compared = if allowed { "more than" } else { "not more than" };
            let held = tokens(budget.tokens_milli().unwrap_or(0));
            format!("{held} tokens, {compared} half of {max_tokens}")
        }
    }
}
