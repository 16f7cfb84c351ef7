//! Backoffs: between which bounds the pause before a retry is drawn.

use super::engine::{Answer, Case, CaseType, Engine};
use crate::At;
use crate::lower::alone;
use crate::problem::Problem;
use crate::scalar::{Count, Span};
use crate::section::policy::backoff::{self, Backoff as BackoffKey};
use base::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use world::traffic::{Backoff, Spread};

pub(super) static ENGINE: Engine = Engine {
    name: "backoff",
    summary: "the range of the pause before the n-th retry: Envoy, gRPC, three of AWS, or always the same",
    explanation: "No dice are thrown: the answer is the range from which a pause is drawn. AWS's decorrelated backoff \
        goes by the pause before, which is `previous`. gRPC's is the factor of 0.8 to 1.2 of the later revision of its \
        proposal; the first one drew from zero. Pauses are exact to the nanosecond, where the originals count \
        milliseconds.",
    answer: "`from`, the shortest pause, and `to`, the longest; Envoy's and gRPC's stay below it.",
    source: "envoyproxy/envoy source/common/common/backoff_strategy.cc; grpc/proposal A6; AWS Architecture Blog, \
        Exponential Backoff And Jitter",
    example: "\
backoff = { kind = \"envoy\", base = \"25ms\", max = \"250ms\" }
retry   = 3
",
    case: CaseType::of::<Retry>(),
};

/// Retries of one request counted here; beyond, all pauses are the same.
const RETRY_MAX: u32 = 1000;

/// A retry that is about to wait.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { backoff = { kind = \"envoy\" }, retry = 3 }")]
struct Retry {
    /// The rule, as under `policy.backoff` of a scenario; Envoy's 25 ms to 250 ms by default.
    #[serde(default)]
    backoff: Option<At<BackoffKey>>,
    /// Which retry of its request, from 1 to 1000; the first by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    retry: Option<At<Count>>,
    /// The pause before the retry that failed, for `aws_decorrelated`; none by default.
    #[serde(default)]
    previous: Option<Span>,
}

impl Case for Retry {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let rule = match &self.backoff {
            Some(at) => alone(|cx| backoff::lower(cx, at))?,
            None => Backoff::ENVOY,
        };
        let retry = self.retry.as_ref().map_or(1, |n| n.value.0);
        if let Some(at) = self.retry.as_ref().filter(|_| !(1..=RETRY_MAX).contains(&retry)) {
            let problem = Problem::at(at, format!("there is no retry number {retry} here"));
            return Err(vec![problem.label(format!("from 1, the first, to {RETRY_MAX}"))]);
        }
        let previous = self.previous.map_or(Duration::ZERO, |span| span.0);
        let spread = rule.spread(retry, previous);
        let (from, to) = spread.bounds();
        let decision = json!({"from": Span(from).to_string(), "to": Span(to).to_string()});
        Ok(Answer::one(decision, why(rule, spread, retry, previous)))
    }
}

/// The rule, with what it comes to.
fn why(rule: Backoff, spread: Spread, retry: u32, previous: Duration) -> String {
    let span = |span: Duration| Span(span).to_string();
    let to = span(spread.bounds().1);
    match rule {
        Backoff::Constant(_) => "always the same pause".into(),
        Backoff::Envoy { base, max } => {
            let (base, max, times) = (span(base), span(max), retry - 1);
            format!("evenly from zero to below {to}: {base} doubled {times} times, at most {max}")
        }
        Backoff::Grpc { initial, multiplier, max } => {
            format!("0.8 to 1.2 times {} · {multiplier}^{}, which is held to {}", span(initial), retry - 1, span(max))
        }
        Backoff::AwsFull { base, cap } => {
            format!("evenly from zero to {} doubled {} times, at most {}", span(base), retry - 1, span(cap))
        }
        Backoff::AwsEqual { base, cap } => {
            let (base, cap, times) = (span(base), span(cap), retry - 1);
            format!("half of {base} doubled {times} times, at most {cap}, and up to as much again")
        }
        Backoff::AwsDecorrelated { base, cap } => format!(
            "evenly from {} to three times the pause before, {}, then held to {}",
            span(base),
            span(previous.max(base)),
            span(cap)
        ),
    }
}
