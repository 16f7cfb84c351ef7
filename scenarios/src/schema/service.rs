//! `[service.NAME]`: what its instances do with a request, and how callers treat them.

use super::union::text_or_table;
use super::{Balancer, Distribution, Eligibility, Named, Policy};
use crate::At;
use crate::scalar::{Count, Factor, Percent, Ranged, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a service")]
pub struct Service {
    /// How many instances at the start, spread over the zones in turn; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<At<Ranged<Count>>>,
    /// Requests one instance works on at once; 8 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<At<Ranged<Count>>>,
    /// The processors of an instance, which the requests it works on share evenly: of n at work each gets on at the
    /// rate min(1, processors / n). 0.5 is half of one; without the key each request has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<At<Ranged<Factor>>>,
    /// Requests that wait when all of those are busy; more are refused. Without a bound by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_limit: Option<At<Ranged<Count>>>,
    /// Work per request, before downstream calls; lognormal with p50 8 ms and p99 40 ms by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_time: Option<At<Distribution>>,
    /// From the creation of an instance to its first request; 1 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_up: Option<At<Span>>,
    /// How long an instance that was told to stop has to end; then it is killed, and what it works on is reset, as in
    /// Kubernetes (`terminationGracePeriodSeconds`, 30 s there). 10 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<At<Span>>,
    /// What it does with new requests meanwhile; `serves` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draining: Option<At<Draining>>,
    /// The version that instances start with; "1.0.0" by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_version: Option<At<String>>,
    /// What the service calls for each request, one after the other; names in an inner array are called at once:
    /// ["stock", ["prices", "reviews"]].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<At<Vec<At<Stage>>>>,
    /// How its callers choose an instance, in place of the scenario's `balancer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancer: Option<At<Balancer>>,
    /// Which of its instances its callers may choose, and with which share; all they know of by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<At<Eligibility>>,
    /// What its instances weigh for strategies that go by weight, 1 to 65535, given to them in turn as they are
    /// created: [3, 1, 1]; 1 each by default.
    #[schemars(extend("minItems" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<At<Vec<At<Count>>>>,
    /// How fast its instances work, given to them in turn as they are created: [1, 1, 0.2] makes every third one five
    /// times slower; 1 each by default.
    #[schemars(extend("minItems" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speeds: Option<At<Vec<At<Factor>>>>,
    /// How its callers treat a call, in place of the scenario's `policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<At<Policy>>,
    /// Versions and what they do differently: version."1.1.0" = { error_rate = "2%" }. The initial version need not be
    /// named.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub version: Named<At<Version>>,
}

/// What a version does differently.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a version; {} when it changes nothing")]
pub struct Version {
    /// The chance that it answers a request with an error; 0% by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<At<Ranged<Percent>>>,
    /// How many times longer it works; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowdown: Option<At<Ranged<Factor>>>,
    /// Work per request, when it changes more than its speed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_time: Option<At<Distribution>>,
}

/// A call or several at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// One call.
    One(Call),
    /// Calls that are made at once; the slowest decides.
    Parallel(Vec<At<Call>>),
}

/// A call: a service's name, or a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// To this service.
    Name(String),
    /// With more to say.
    Table(CallTable),
}

text_or_table!(
    Call,
    Name(String),
    Table(CallTable),
    "a service's name or a table such as { to = \"stock\", optional = true }"
);

/// A call with more to say than whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a service's name or a table with `to` and `optional`")]
pub struct CallTable {
    /// Who is called.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<At<String>>,
    /// Whether the caller can do without an answer; false by default. A failed optional call degrades the response
    /// instead of failing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<At<bool>>,
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StageVisitor;
        impl<'de> Visitor<'de> for StageVisitor {
            type Value = Stage;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a service's name, a table, or an array of them that are called at once")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Stage, E> {
                Ok(Stage::One(Call::Name(name.to_string())))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stage, A::Error> {
                let table = CallTable::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Stage::One(Call::Table(table)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Stage, A::Error> {
                let mut calls = Vec::new();
                while let Some(call) = seq.next_element()? {
                    calls.push(call);
                }
                Ok(Stage::Parallel(calls))
            }
        }
        deserializer.deserialize_any(StageVisitor)
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stage::One(call) => call.serialize(serializer),
            Stage::Parallel(calls) => calls.serialize(serializer),
        }
    }
}

impl JsonSchema for Stage {
    fn schema_name() -> Cow<'static, str> {
        "Stage".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let call = generator.subschema_for::<Call>();
        json_schema!({"description": "A call, or an array of calls that are made at once.",
            "anyOf": [call, {"type": "array", "items": call}]})
    }
}

/// What an instance that was told to stop does with new requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Draining {
    /// It serves them until its grace is over: a pod of Kubernetes whose `preStop` sleeps, while callers learn that it
    /// goes.
    #[default]
    Serves,
    /// It refuses them, and ends as soon as nothing is under way: Go's `http.Server.Shutdown`, nginx on SIGQUIT.
    Refuses,
}
