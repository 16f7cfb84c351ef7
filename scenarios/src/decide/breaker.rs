//! resilience4j's circuit breaker: which calls it lets through, and when it opens and closes.

use super::engine::{Answer, Case, CaseType, Decision, Engine};
use super::inputs;
use crate::At;
use crate::lower::alone;
use crate::problem::{Problem, count};
use crate::scalar::Span;
use crate::section::policy::breaker::{self, Breaker as BreakerKey};
use base::{Duration, Instant, Ratio};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use world::traffic::{Breaker, BreakerConfig, BreakerState, Class};

pub(super) static ENGINE: Engine = Engine {
    name: "breaker",
    summary: "which calls resilience4j's circuit breaker lets through, and when it opens and closes",
    explanation: "A window over the latest calls is judged once it holds the minimum, after every end of a call, by \
        `>=`. An open breaker waits until its time has passed, strictly, and notices only when a call asks; half-open \
        it admits a fixed number of calls and judges them together. Ends count in the state in which they arrive, \
        whether or not a call was asked for first. Not modelled: windows over time, exceptions that are ignored, \
        transitions by timer.",
    answer: "For each input, after it: `state` is closed, open or half-open; `admitted`, of a `call`, whether it goes; \
        `failure_rate` and `slow_rate` of the window, null below the minimum of calls.",
    source: "resilience4j/resilience4j resilience4j-circuitbreaker/…/internal/CircuitBreakerStateMachine.java and \
        CircuitBreakerMetrics.java",
    example: "\
breaker = { window = 4, min_calls = 4, failure_rate = \"50%\", open_for = \"5s\" }
inputs  = [
  { event = \"success\" }, { event = \"success\" }, { event = \"timeout\" }, { event = \"server_error\" },
  { at = \"5s\", event = \"call\" }, { at = \"6s\", event = \"call\" },
]
",
    case: CaseType::of::<Client>(),
};

/// One client's breaker, and what happens.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with a breaker and inputs")]
struct Client {
    /// The numbers, as under `policy.breaker` of a scenario; resilience4j's defaults by default.
    #[serde(default)]
    breaker: Option<At<BreakerKey>>,
    /// What happens, in order.
    inputs: Vec<Input>,
}

/// Something that happens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { event = \"call\" }")]
struct Input {
    /// When, from zero; at the moment of the input before by default.
    #[serde(default)]
    at: Option<At<Span>>,
    /// What.
    event: Event,
    /// How long the call took that ended; no time by default.
    #[serde(default)]
    latency: Span,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Event {
    /// A call asks whether it may go.
    Call,
    /// A call succeeded.
    Success,
    /// A call was answered that the service failed.
    ServerError,
    /// A call found no connection.
    ConnectFailure,
    /// A call's connection broke.
    Reset,
    /// A call was turned away unprocessed.
    Refused,
    /// A call's time was over.
    Timeout,
    /// A call was given up and says nothing about the service.
    Cancelled,
}

impl Event {
    /// How a call ended; none of what is no end.
    fn class(self) -> Option<Class> {
        match self {
            Event::Call | Event::Cancelled => None,
            Event::Success => Some(Class::Success),
            Event::ServerError => Some(Class::ServerError),
            Event::ConnectFailure => Some(Class::ConnectFailure),
            Event::Reset => Some(Class::Reset),
            Event::Refused => Some(Class::Refused),
            Event::Timeout => Some(Class::Timeout),
        }
    }
}

impl Case for Client {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let config = match &self.breaker {
            None => BreakerConfig::RESILIENCE4J,
            Some(at) => alone(|cx| breaker::lower(cx, at))?.ok_or_else(|| {
                let problem = Problem::at(at, "without a breaker there is nothing to decide");
                vec![problem.label("\"resilience4j\", or a table")]
            })?,
        };
        let moments = inputs::moments(self.inputs.iter().map(|input| input.at.as_ref()))?;
        let mut breaker = Breaker::new(config);
        let hear = |(input, now)| hear(&mut breaker, config, input, now);
        Ok(Answer::PerInput(self.inputs.iter().zip(moments).map(hear).collect()))
    }
}

fn hear(breaker: &mut Breaker, config: BreakerConfig, input: &Input, now: Instant) -> Decision {
    let before = (breaker.state(), breaker.open_until());
    let mut admitted = None;
    match input.event.class() {
        Some(class) => breaker.record(now, class, input.latency.0),
        None if matches!(input.event, Event::Call) => admitted = Some(breaker.admit(now)),
        None => breaker.release(),
    }
    let rate = |rate: Option<Ratio>| rate.map_or(Value::Null, |rate| rate.to_string().into());
    let mut decision = json!({
        "state": breaker.state().to_string(),
        "failure_rate": rate(breaker.failure_rate()),
        "slow_rate": rate(breaker.slow_rate()),
    });
    if let Some(admitted) = admitted {
        decision["admitted"] = admitted.into();
    }
    let why = match admitted {
        Some(_) => why_call(breaker, before),
        None => why_end(breaker, config, before.0, input.event),
    };
    Decision { decision, why }
}

/// Why a call goes or does not.
fn why_call(breaker: &Breaker, before: (BreakerState, Option<Instant>)) -> String {
    let since = |at: Option<Instant>| Span(at.map_or(Duration::ZERO, |at| at.saturating_since(Instant::ZERO)));
    match (before.0, breaker.state()) {
        (BreakerState::Closed, _) => "closed: every call goes".into(),
        (BreakerState::Open, BreakerState::Open) => format!("open until {} has passed", since(before.1)),
        (BreakerState::Open, _) => format!("the wait until {} is over: half-open, its first call", since(before.1)),
        (BreakerState::HalfOpen, _) => "half-open: a fixed number of calls goes, and then none".into(),
    }
}

/// Why the breaker opens, closes or stays, after the end of a call.
fn why_end(breaker: &Breaker, config: BreakerConfig, before: BreakerState, event: Event) -> String {
    let (calls, minimum) = breaker.judged();
    let of = count(calls as usize, "call");
    let rates = |breaker: &Breaker| {
        let text = |rate: Option<Ratio>| rate.unwrap_or_default().to_string();
        format!("{} failed and {} slow", text(breaker.failure_rate()), text(breaker.slow_rate()))
    };
    let limits = format!("{} and {}", config.failure_rate, config.slow_rate);
    match (before, breaker.state()) {
        _ if matches!(event, Event::Cancelled) => "given up: its permit is given back, and nothing is judged".into(),
        (BreakerState::Open, _) => "open: an end is forgotten".into(),
        (_, BreakerState::Open) => format!("opens: of {of} {}; one of {limits} is reached", rates(breaker)),
        (BreakerState::HalfOpen, BreakerState::Closed) => format!("closes: neither of {limits} is reached"),
        _ if calls < minimum => format!("{of}, and none is judged before {minimum}"),
        _ => format!("of {of} {}; neither of {limits} is reached", rates(breaker)),
    }
}
