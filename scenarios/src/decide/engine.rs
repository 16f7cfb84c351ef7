//! What an engine is: a name, its words for people, the shape of a case, and the function that answers one.
//!
//! Each engine is declared once, as a static in its own file, and knows nothing of the others. Everything that a person
//! or an editor meets (lists, explanations, JSON Schema, completions) is read from that declaration.

use super::json;
use crate::problem::{Problem, in_order};
use crate::recover;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;

/// An engine, declared.
pub struct Engine {
    /// What the command line calls it.
    pub name: &'static str,
    /// One line: a fragment of a sentence.
    pub summary: &'static str,
    /// What it decides by, and what is not modelled.
    pub explanation: &'static str,
    /// What stands under `decision` in its answer, key by key.
    pub answer: &'static str,
    /// Whose rule it is: project and file.
    pub source: &'static str,
    /// A case, in TOML.
    pub example: &'static str,
    pub(super) case: CaseType,
}

/// The type of an engine's case, forgotten.
pub(super) struct CaseType {
    schema: fn() -> Value,
    decide: fn(&str) -> Result<Answer, Vec<Problem>>,
}

/// A case that was read, and how it is decided.
pub(super) trait Case: DeserializeOwned + Default + JsonSchema {
    /// The decision, or everything that is wrong with the case. Never panics.
    fn decide(&self) -> Result<Answer, Vec<Problem>>;
}

impl CaseType {
    /// Of an engine whose cases are of type `C`.
    pub(super) const fn of<C: Case>() -> Self {
        CaseType { schema: schema_of::<C>, decide: decide_as::<C> }
    }
}

fn schema_of<C: Case>() -> Value {
    crate::json_schema::of::<C>()
}

fn decide_as<C: Case>(text: &str) -> Result<Answer, Vec<Problem>> {
    let read = recover::read::<C>(text);
    if read.problems.is_empty() { read.value.decide() } else { Err(in_order(read.problems)) }
}

/// One decision and the rule that led to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// What the engine would do.
    pub(super) decision: Value,
    /// The rule that bound, with the figures it compared.
    pub(super) why: String,
}

/// What an engine answers to a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// One decision.
    One(Decision),
    /// One decision per input, of an engine with memory.
    PerInput(Vec<Decision>),
}

impl Answer {
    /// A single decision.
    pub(super) fn one(decision: Value, why: impl Into<String>) -> Self {
        Answer::One(Decision { decision, why: why.into() })
    }

    fn line(&self) -> Value {
        let object = |d: &Decision| json!({"decision": d.decision, "why": d.why});
        match self {
            Answer::One(decision) => object(decision),
            Answer::PerInput(all) => all.iter().map(object).collect(),
        }
    }
}

/// The answer to one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What to print: `{"decision":…,"why":…}`, a list of such objects, or `{"error":…}`.
    pub line: Value,
    /// What is wrong with the case, with places in its text where that is TOML. Empty when it was decided.
    pub problems: Vec<Problem>,
}

impl Answered {
    /// A case that cannot be decided for one reason.
    pub fn refused(why: impl Into<String>) -> Self {
        let problem = Problem::new(why);
        Answered { line: json!({"error": problem.message}), problems: vec![problem] }
    }
}

impl Engine {
    /// The JSON Schema of a case.
    pub fn schema(&self) -> Value {
        let mut schema = (self.case.schema)();
        schema["title"] = format!("Case of windtunnel decide {}", self.name).into();
        schema["description"] = self.summary.into();
        schema
    }

    /// Decides a case that is written in TOML. Linear in the text for each problem found.
    pub fn toml(&self, text: &str) -> Answered {
        match (self.case.decide)(text) {
            Ok(answer) => Answered { line: answer.line(), problems: Vec::new() },
            Err(problems) => Answered { line: json!({"error": in_words(&problems, text)}), problems },
        }
    }

    /// Decides a case that is written in JSON: one object. It means what the same keys mean in TOML.
    pub fn json(&self, text: &str) -> Answered {
        let toml = match json::to_toml(text) {
            Ok(toml) => toml,
            Err(why) => return Answered::refused(why),
        };
        let mut answered = self.toml(&toml);
        // Those are places in a text that nobody wrote.
        answered.problems.iter_mut().for_each(|problem| problem.span = None);
        answered
    }
}

/// Problems in one line: what is wrong, at which key, what to write instead.
fn in_words(problems: &[Problem], text: &str) -> String {
    let word = |problem: &Problem| {
        let mut words = problem.message.clone();
        let place = problem.span.as_ref().and_then(|span| recover::key_at(text, span));
        if let Some(place) = place.filter(|place| !words.contains(&format!("`{place}`"))) {
            words.push_str(&format!(" at `{place}`"));
        }
        for advice in [Some(&problem.label), problem.help.as_ref()].into_iter().flatten().filter(|a| !a.is_empty()) {
            words.push_str(&format!(": {advice}"));
        }
        words
    };
    problems.iter().map(word).collect::<Vec<_>>().join("; ")
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.name)
    }
}
