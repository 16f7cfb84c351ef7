//! How long something takes: `"8ms"`, or a table with a distribution and its numbers.

use super::union::text_or_table;
use crate::At;
use crate::scalar::{Factor, Percent, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A distribution of spans of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same: `"8ms"`.
    Constant(Span),
    /// A distribution with its numbers.
    Table(Box<DistributionTable>),
}

text_or_table!(
    Distribution,
    Constant(Span),
    Table(Box<DistributionTable>),
    "a duration such as \"8ms\" or a table such as { distribution = \"exponential\", mean = \"10ms\" }"
);

/// A distribution's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DistributionKind {
    /// Always `value`.
    Constant,
    /// Any span from `low` to `high`, equally likely.
    Uniform,
    /// Memoryless, with a `mean`.
    Exponential,
    /// The usual shape of service times, by its median `p50` and its 99th percentile `p99`.
    Lognormal,
    /// Mostly `fast`, and `slow` with the chance `slow_share`: a cache with its misses.
    Bimodal,
    /// A heavy tail: at least `scale`, tail index `shape`, cut at `cap` (a thousand times the scale by default).
    Pareto,
    /// What was measured: `quantiles` with straight lines between them, from 0% to 100%.
    Empirical,
}

impl DistributionKind {
    /// All of them with the word in scenario files and the keys they need and may have.
    pub(crate) const KEYS: [(DistributionKind, &'static str, &'static [&'static str], &'static [&'static str]); 7] = [
        (DistributionKind::Constant, "constant", &["value"], &[]),
        (DistributionKind::Uniform, "uniform", &["low", "high"], &[]),
        (DistributionKind::Exponential, "exponential", &["mean"], &[]),
        (DistributionKind::Lognormal, "lognormal", &["p50", "p99"], &[]),
        (DistributionKind::Bimodal, "bimodal", &["fast", "slow", "slow_share"], &[]),
        (DistributionKind::Pareto, "pareto", &["scale", "shape"], &["cap"]),
        (DistributionKind::Empirical, "empirical", &["quantiles"], &[]),
    ];
}

/// A share of all spans, and what they do not pass.
pub type Point = At<(Percent, Span)>;

/// A distribution and its numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a duration or a distribution")]
pub struct DistributionTable {
    /// Which distribution.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<At<DistributionKind>>,
    /// The span of `constant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<At<Span>>,
    /// The shortest span of `uniform`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<At<Span>>,
    /// The longest span of `uniform`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<At<Span>>,
    /// The mean of `exponential`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<At<Span>>,
    /// The median of `lognormal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<At<Span>>,
    /// The 99th percentile of `lognormal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<At<Span>>,
    /// The usual span of `bimodal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast: Option<At<Span>>,
    /// The other span of `bimodal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<At<Span>>,
    /// How often it is the other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_share: Option<At<Percent>>,
    /// The shortest span of `pareto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<At<Span>>,
    /// The tail index of `pareto`: the mean is infinite at 1 and below, the variance at 2 and below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<At<Factor>>,
    /// Longer draws of `pareto` are cut to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<At<Span>>,
    /// The points of `empirical`, such as [["0%", "1ms"], ["50%", "4ms"], ["100%", "90ms"]].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<At<Vec<Point>>>,
}
