//! `[load.NAME]`: where requests come from, and when.

use super::Distribution;
use crate::At;
use crate::scalar::{Count, Factor, Percent, Ranged, Rate, Span, Utilization};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A source of requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a load")]
pub struct Load {
    /// The service that is asked directly; the source chooses the instance itself, as a smart client does. Instead of
    /// `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<At<String>>,
    /// The path that is asked for through the gateway, such as "/weather". Instead of `target`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<At<String>>,
    /// The host asked for; "localhost" by default. Only with `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<At<String>>,
    /// Headers sent with each request. Only with `path`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<At<String>, At<String>>,
    /// How requests are spread over time; `poisson` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<At<Shape>>,
    /// Mean requests per second; between bursts with shape `bursts`. Not with shape `closed`, nor beside `utilization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<At<Ranged<Rate>>>,
    /// Instead of `rate`: the share of the time for which these requests alone keep the target's instances busy, such
    /// as "90%". The rate follows from the mean service time, the concurrency and the speeds of the instances that are
    /// there at the start. Not with shape `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<At<Ranged<Utilization>>>,
    /// Requests per second in a burst. Only with shape `bursts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak: Option<At<Ranged<Rate>>>,
    /// From the beginning of one burst to the beginning of the next. Only with shape `bursts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<At<Span>>,
    /// How long a burst lasts. Only with shape `bursts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts: Option<At<Span>>,
    /// How far the rate swings around its mean; 50% by default. Only with shape `diurnal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swing: Option<At<Percent>>,
    /// The length of a day. Only with shape `diurnal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<At<Span>>,
    /// How many users. Only with shape `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<At<Ranged<Count>>>,
    /// Between an answer and a user's next request; no time by default. Only with shape `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<At<Distribution>>,
    /// From how many nodes requests come, each with its own view and its own balancers; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<At<Count>>,
    /// Which of its sources each request comes from; `random` by default. A closed user keeps its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<At<Spread>>,
    /// By what its requests are routed, for balancers that hash: { count = 10000, distribution = "zipf", exponent = 1.1
    /// }. Every request has a key of its own by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<At<Keys>>,
}

/// The keys of a load: users, sessions, things in a cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table such as { count = 10000, distribution = \"zipf\" }")]
pub struct Keys {
    /// How many different keys there are.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<At<Count>>,
    /// How often each is asked for; `uniform` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<At<Popularity>>,
    /// How fast popularity falls from key to key, 0 to 10; 1 by default, which gives the second key half of the first
    /// one's requests. Only with distribution `zipf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponent: Option<At<Factor>>,
}

/// How often each key is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Popularity {
    /// All alike.
    #[default]
    Uniform,
    /// By Zipf's law: the k-th most wanted in proportion to 1 / k^exponent.
    Zipf,
}

/// How requests are spread over the nodes that take them in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Each request draws its node, as flows do that a router hashes: n nodes get n independent Poisson streams of one.
    #[default]
    Random,
    /// The nodes take turns, which makes the stream of each more even than the whole.
    InTurn,
}

/// How requests are spread over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Independent of each other and of the answers.
    #[default]
    Poisson,
    /// Evenly spaced.
    Constant,
    /// Poisson, with bursts at even intervals.
    Bursts,
    /// Poisson at a rate that rises and falls like a sine.
    Diurnal,
    /// A fixed number of users who wait for the answer, think, and ask again.
    Closed,
}
