//! From `balancer = …` to a strategy and its parameters.
//!
//! Which parameters exist, and what they take, is the catalogue's to say; here the writing of a file becomes values.

use super::Context;
use crate::At;
use crate::problem::{Problem, known};
use crate::scalar::{Percent, Scalar, Span};
use crate::schema::balancer::Written;
use crate::schema::{Balancer, Named};
use world::balancer::Strategy;
use world::balancer::strategy::catalogue;
use world::balancer::strategy::parameter::{Kind, Value};

/// A strategy with its parameters.
pub(crate) fn lower(cx: &mut Context<'_>, at: &At<Balancer>) -> Strategy {
    let none = Named::new();
    let (name, parameters) = match &at.value {
        Balancer::Name(name) => (At { value: name.clone(), span: at.span.clone() }, &none),
        Balancer::Table(table) => match &table.strategy {
            Some(name) => (name.clone(), &table.parameters),
            None => {
                cx.report(
                    Problem::at(at, "a balancer needs its `strategy`")
                        .label("such as { strategy = \"p2c\" }")
                        .unless_lost_within(),
                );
                return Strategy::P2C;
            }
        },
    };
    let Some(mut strategy) = Strategy::from_name(&name) else {
        let all: Vec<&str> = catalogue::all().iter().map(|info| info.name).collect();
        cx.report(Problem::at(&name, format!("unknown strategy `{}`", name.value)).label(known(&name, &all)));
        return Strategy::P2C;
    };
    for (key, written) in parameters {
        let Some(declared) = strategy.info().parameters.iter().find(|p| p.name == key.value) else {
            let known_here: Vec<&str> = strategy.info().parameters.iter().map(|p| p.name).collect();
            let problem = Problem::at(key, format!("`{}` has no meaning for `{}`", key.value, name.value));
            cx.report(match known_here.is_empty() {
                true => problem.label("it has no parameters"),
                false => problem.label(known(&key.value, &known_here)),
            });
            continue;
        };
        let refused = |cx: &mut Context<'_>, why: String| {
            cx.report(Problem::at(written, why).label(format!("expected {}", declared.kind)));
        };
        match read_as(declared.kind, &written.value).map(|value| strategy.with(declared.name, value)) {
            Some(Ok(with)) => strategy = with,
            _ => refused(cx, format!("`{}` cannot be {}", key.value, as_written(&written.value))),
        }
    }
    strategy
}

/// A value of the kind that was declared; whether it is within its bounds is the strategy's to say.
fn read_as(kind: Kind, written: &Written) -> Option<Value> {
    match (kind, written) {
        (Kind::Count { .. }, Written::Whole(n)) => Some(Value::Count(*n)),
        (Kind::Number { .. }, Written::Whole(n)) => Some(Value::Number(*n as f64)),
        (Kind::Number { .. }, Written::Number(x)) => Some(Value::Number(*x)),
        (Kind::Share, Written::Text(text)) => Percent::from_text(text).ok().map(|percent| Value::Share(percent.0)),
        (Kind::Span { .. }, Written::Text(text)) => Span::from_text(text).ok().map(|span| Value::Span(span.0)),
        (Kind::Word(words), Written::Text(text)) => {
            words.iter().find(|word| *word == text).map(|word| Value::Word(word))
        }
        (Kind::Switch, Written::Switch(on)) => Some(Value::Switch(*on)),
        _ => None,
    }
}

fn as_written(written: &Written) -> String {
    match written {
        Written::Switch(on) => on.to_string(),
        Written::Whole(n) => n.to_string(),
        Written::Number(x) => x.to_string(),
        Written::Text(text) => format!("\"{text}\""),
    }
}
