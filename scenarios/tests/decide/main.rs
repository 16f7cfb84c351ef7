//! What engines decide, against tables that others published, and what all engines have in common.
//!
//! Each table names its project and file. Its figures are carried over; its words and code are not.

mod frame;
mod kubernetes;
mod rollouts;
mod traffic;

use serde_json::Value;

/// What an engine answers to a case.
fn answer(engine: &str, case: &Value) -> Value {
    let engine = scenarios::decide::find(engine).unwrap_or_else(|| panic!("there is no engine {engine}"));
    engine.json(&case.to_string()).line
}

/// What an engine decides of a case that it can decide.
fn decide(engine: &str, case: Value) -> Value {
    let answer = answer(engine, &case);
    assert!(answer["why"].as_str().is_some_and(|why| !why.is_empty()), "{engine}, {case}: {answer}");
    answer["decision"].clone()
}

/// What an engine with memory decides at each input.
fn decide_each(engine: &str, case: Value) -> Vec<Value> {
    let answer = answer(engine, &case);
    let all = answer.as_array().unwrap_or_else(|| panic!("{engine}, {case}: {answer}"));
    all.iter().map(|one| one["decision"].clone()).collect()
}

/// What is wrong with a case.
fn error(engine: &str, case: Value) -> String {
    let answer = answer(engine, &case);
    answer["error"].as_str().unwrap_or_else(|| panic!("{engine}, {case}: {answer}")).to_string()
}
