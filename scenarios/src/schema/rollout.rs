//! `[[rollout]]`: a version to roll out, in which steps, and by what it is judged.

use super::union::text_or_table;
use crate::At;
use crate::scalar::{AtLeast, AtMost, Count, Instances, Percent, Ranged, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version to roll out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes a rollout")]
pub struct Rollout {
    /// Whose versions change.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<At<String>>,
    /// The version that is wanted; it must be named in the service's `version` table.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<At<String>>,
    /// When it is asked for, from the beginning of the run.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At<Ranged<Span>>>,
    /// In which order things change: "rolling", "canary", or a table. `rolling` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<At<Strategy>>,
    /// Without progress for so long, it is overdue; 10 min by default, as in Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<At<Span>>,
    /// Whether an overdue rollout is rolled back. Otherwise it says so and goes on waiting, as a Kubernetes Deployment
    /// does. False by default for `rolling`, true for `canary`, as in Flagger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_rollback: Option<At<bool>>,
    /// How long an instance must have been ready without a break before it counts as available; no time by default, as
    /// in Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ready: Option<At<Span>>,
    /// By what the new version is judged; by nothing by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<At<Analysis>>,
}

/// In which order things change.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// With its default numbers.
    Kind(StrategyKind),
    /// With numbers of one's own.
    Table(StrategyTable),
}

text_or_table!(
    Strategy,
    Kind(StrategyKind),
    Table(StrategyTable),
    "one of rolling, canary, or a table such as { kind = \"rolling\", max_surge = \"25%\" }"
);

/// A rollout strategy's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyKind {
    /// Replace instances a few at a time; traffic follows the instances (a Kubernetes Deployment).
    #[default]
    Rolling,
    /// Give the new version a growing share of the traffic beside the full old version (Argo Rollouts).
    Canary,
}

/// A rollout strategy with its numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a strategy's name or a table with its kind and numbers")]
pub struct StrategyTable {
    /// Which strategy.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<At<StrategyKind>>,
    /// Instances beyond the wanted number: a number or a share, rounded up; 25% by default. Only for `rolling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_surge: Option<At<Instances>>,
    /// How many may be unavailable: a number or a share, rounded down; 25% by default. Only for `rolling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<At<Instances>>,
    /// What happens in turn, before everything goes to the new version; 5%, 25% and 50% for 30 s each by default. Only
    /// for `canary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<At<Vec<At<Step>>>>,
}

/// A step of a canary: a share of the traffic, held for a while.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with `weight` and `hold`")]
pub struct Step {
    /// The new version's share of the traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<At<Percent>>,
    /// How long to wait then; no time by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<At<Span>>,
}

/// By what, how often and how patiently the new version is judged, as Flagger does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes an analysis")]
pub struct Analysis {
    /// The lowest share of successes that passes: ">= 99%".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<At<AtLeast>>,
    /// The highest 99th percentile of latency that passes: "<= 120ms".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<At<AtMost>>,
    /// How often to check, and how far back each check looks; 10 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<At<Span>>,
    /// Which failed check ends the rollout, counted over all of it: with 3, the third. 3 by default. Flagger calls it
    /// `threshold`, and acts on its next look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<At<Count>>,
    /// Instead of `failures`: how many failed checks are tolerated, as in Argo Rollouts: with 3, the fourth ends the
    /// rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_limit: Option<At<Count>>,
    /// How many requests a check needs to judge; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<At<Count>>,
    /// What a check with fewer is; `inconclusive` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_few: Option<At<TooFew>>,
}

/// What a check without enough requests is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TooFew {
    /// Neither passed nor failed.
    #[default]
    Inconclusive,
    /// Failed, as in Flagger.
    Fails,
}
