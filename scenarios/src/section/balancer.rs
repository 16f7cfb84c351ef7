//! `balancer`: which instance gets a request, for the whole scenario or for one service. It becomes the strategy of
//! every service, with its parameters, and the rules of eligibility around it; and it is held against the weights of
//! the service, which may be too many for a structure of keys.
//!
//! Which parameters exist, and what they take, is the catalogue's to say; here what was written becomes values.

use super::union::text_or_table;
use super::{Named, Scenario, Section, Service, eligibility, service};
use crate::At;
use crate::lower::Context;
use crate::problem::{Problem, known};
use crate::scalar::{Percent, Scalar, Span};
use base::ServiceId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use world::Spec;
use world::balancer::Strategy;
use world::balancer::strategy::catalogue;
use world::balancer::strategy::parameter::{Kind, Parameter, Value};

/// How callers choose an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Balancer {
    /// A strategy with its default parameters.
    Name(String),
    /// A strategy with parameters.
    Table(BalancerTable),
}

text_or_table!(
    Balancer,
    Name(StrategyName),
    Table(BalancerTable),
    "a strategy's name or a table such as { strategy = \"p2c\", choices = 3 }"
);

/// A strategy's name; `windtunnel list strategies` lists them.
pub type StrategyName = String;

/// A strategy with parameters, which differ from strategy to strategy; the catalogue of the balancer has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BalancerTable {
    /// How to choose.
    pub strategy: Option<At<StrategyName>>,
    /// Its parameters, as written.
    pub parameters: Named<At<Written>>,
}

/// A parameter's value as written: text with a unit, a number, or yes and no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text, a number, true or false")]
pub enum Written {
    /// `true` or `false`.
    Switch(bool),
    /// A whole number.
    Whole(u64),
    /// Another number.
    Number(f64),
    /// A text.
    Text(String),
}

const STRATEGY: &str = "strategy";

impl<'de> Deserialize<'de> for BalancerTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = BalancerTable;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a strategy's name or a table with `strategy` and its parameters")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BalancerTable, A::Error> {
                let mut table = BalancerTable::default();
                while let Some(key) = map.next_key::<At<String>>()? {
                    if key.value == STRATEGY {
                        table.strategy = Some(map.next_value()?);
                    } else {
                        table.parameters.insert(key, map.next_value()?);
                    }
                }
                Ok(table)
            }
        }
        deserializer.deserialize_map(Table)
    }
}

impl Serialize for BalancerTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let strategy = self.strategy.iter().map(|name| (STRATEGY, Written::Text(name.value.clone())));
        let parameters = self.parameters.iter().map(|(key, at)| (key.value.as_str(), at.value.clone()));
        serializer.collect_map(strategy.chain(parameters))
    }
}

impl JsonSchema for BalancerTable {
    fn schema_name() -> Cow<'static, str> {
        "BalancerTable".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // One alternative per strategy, so that an editor offers the parameters that have a meaning.
        let tables = catalogue::all().iter().map(|info| {
            let mut properties = serde_json::Map::new();
            properties
                .insert(STRATEGY.into(), serde_json::json!({"const": info.name, "description": "How to choose."}));
            for parameter in info.parameters {
                properties.insert(parameter.name.into(), schema_of(parameter));
            }
            json_schema!({
                "type": "object", "additionalProperties": false, "required": [STRATEGY], "properties": properties
            })
        });
        let _ = generator;
        json_schema!({"description": "A strategy with parameters.", "anyOf": tables.collect::<Vec<_>>()})
    }
}

fn schema_of(parameter: &Parameter) -> serde_json::Value {
    let mut schema = match parameter.kind {
        Kind::Count { min, max } => serde_json::json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Number { min, max } => serde_json::json!({"type": "number", "minimum": min, "maximum": max}),
        Kind::Share | Kind::Span { .. } => serde_json::json!({"type": "string"}),
        Kind::Word(words) => serde_json::json!({"type": "string", "enum": words}),
        Kind::Switch => serde_json::json!({"type": "boolean"}),
    };
    schema["description"] = format!("{}; {} by default.", parameter.summary, parameter.default).into();
    schema
}

impl Section for Balancer {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let common = cx.scenario.balancer.as_ref().map_or(Strategy::P2C, |at| strategy(cx, at));
        for (index, lowered) in spec.services.iter_mut().enumerate() {
            let service = cx.services[index].service;
            lowered.balancer = service.balancer.as_ref().map_or(common, |at| strategy(cx, at));
            structure(cx, service, lowered.balancer);
            if let Some(rules) = &service.eligibility {
                let rules = eligibility::lower(cx, rules, ServiceId(index as u32), lowered.balancer, &spec.zones);
                lowered.eligibility = Some(rules);
            }
        }
    }

    /// Warns of weights that have no effect.
    fn warn(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
        for service in &spec.services {
            let table = scenario.service.iter().find(|(name, _)| name.value == service.name);
            let Some(weights) = table.and_then(|(_, table)| table.value.weights.as_ref()) else { continue };
            let name = service.balancer.name();
            if catalogue::all().iter().any(|info| info.name == name && !info.weighted) {
                let weighted: Vec<&str> = catalogue::all().iter().filter(|i| i.weighted).map(|i| i.name).collect();
                warnings.push(
                    Problem::at(weights, format!("`{name}` does not go by weight"))
                        .label(format!("these do: {}", weighted.join(", ")))
                        .warning(),
                );
            }
        }
    }
}

/// Reports a structure of keys that the weights of a service make too large, or that would take too long to build.
fn structure(cx: &mut Context<'_>, service: &Service, strategy: Strategy) {
    let Some(kind) = strategy.structure() else { return };
    let most = service.instances.as_ref().map_or(1, |at| at.high().0.min(service::INSTANCES_MAX));
    let weights = service.weights.as_ref().filter(|weights| !weights.value.is_empty());
    let weight = |n: u32| match weights {
        Some(weights) => weights.value[n as usize % weights.value.len()].value.0.max(1),
        None => 1,
    };
    let hosts: Vec<(&str, u32)> = (0..most).map(|n| ("an instance", weight(n))).collect();
    if hosts.is_empty() {
        return;
    }
    if let Err((said, help)) = kind.check(&hosts) {
        let place = weights.map(|at| at.span.clone()).or_else(|| service.balancer.as_ref().map(|at| at.span.clone()));
        let place = place.or_else(|| cx.scenario.balancer.as_ref().map(|at| at.span.clone()));
        cx.report(Problem::new(said).span(place.flatten()).label(help));
    }
}

/// A strategy with its parameters; the usual one where it cannot be.
fn strategy(cx: &mut Context<'_>, at: &At<Balancer>) -> Strategy {
    let none = Named::new();
    let (name, parameters) = match &at.value {
        Balancer::Name(name) => (At { value: name.clone(), span: at.span.clone() }, &none),
        Balancer::Table(table) => {
            let (needs, label) = ("a balancer needs its `strategy`", "such as { strategy = \"p2c\" }");
            let Some(name) = cx.needed(at, &table.strategy, needs, label) else { return Strategy::P2C };
            (name.clone(), &table.parameters)
        }
    };
    let Some(mut strategy) = Strategy::from_name(&name) else {
        let all: Vec<&str> = catalogue::all().iter().map(|info| info.name).collect();
        cx.report(Problem::at(&name, format!("unknown strategy `{}`", name.value)).label(known(&name, &all)));
        return Strategy::P2C;
    };
    for (key, written) in parameters {
        let Some(declared) = strategy.info().parameters.iter().find(|p| p.name == key.value) else {
            let known_here: Vec<&str> = strategy.info().parameters.iter().map(|p| p.name).collect();
            let problem = Problem::meaningless(&key.span, key, &format!("for `{}`", name.value));
            cx.report(match known_here.is_empty() {
                true => problem.label("it has no parameters"),
                false => problem.label(known(&key.value, &known_here)),
            });
            continue;
        };
        match written.as_kind(declared.kind).map(|value| strategy.with(declared.name, value)) {
            Some(Ok(with)) => strategy = with,
            Some(Err(_)) | None => {
                let why = format!("`{}` cannot be {}", key.value, written.value);
                cx.report(Problem::at(written, why).label(format!("expected {}", declared.kind)));
            }
        }
    }
    strategy
}

impl Written {
    /// A value of the kind that was declared; whether it is within its bounds is the strategy's to say.
    fn as_kind(&self, kind: Kind) -> Option<Value> {
        let text = if let Written::Text(text) = self { Some(text.as_str()) } else { None };
        match kind {
            Kind::Count { .. } => {
                if let Written::Whole(n) = self {
                    Some(Value::Count(*n))
                } else {
                    None
                }
            }
            Kind::Number { .. } => match self {
                Written::Whole(n) => Some(Value::Number(*n as f64)),
                Written::Number(x) => Some(Value::Number(*x)),
                Written::Switch(_) | Written::Text(_) => None,
            },
            Kind::Share => Percent::from_text(text?).ok().map(|percent| Value::Share(percent.0)),
            Kind::Span { .. } => Span::from_text(text?).ok().map(|span| Value::Span(span.0)),
            Kind::Word(words) => {
                let text = text?;
                words.iter().find(|word| **word == text).map(|word| Value::Word(word))
            }
            Kind::Switch => {
                if let Written::Switch(on) = self {
                    Some(Value::Switch(*on))
                } else {
                    None
                }
            }
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Switch(on) => on.fmt(f),
            Written::Whole(n) => n.fmt(f),
            Written::Number(x) => x.fmt(f),
            Written::Text(text) => write!(f, "\"{text}\""),
        }
    }
}
