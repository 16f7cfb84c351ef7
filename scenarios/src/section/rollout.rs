//! `[[rollout]]`: a version to roll out, in which steps, and by what it is judged. It becomes a rollout of a service to
//! a declared version, at a moment of the run.

use super::kind::{Kind, kinds};
use super::union::text_or_table;
use super::{Scenario, Section};
use crate::at::Key;
use crate::lower::{Context, given, missing, moment};
use crate::problem::Problem;
use crate::scalar::{AtLeast, AtMost, Count, Instances, Percent, Ranged, Span};
use crate::{At, Summary};
use base::{Duration, Ratio, ServiceId, VersionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::Spec;
use world::rollout::{self, IntOrPercent, Plan};
use world::spec::RolloutSpec;

/// A version to roll out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes a rollout")]
pub struct Rollout {
    /// Whose versions change.
    #[schemars(required)]
    pub service: Option<At<String>>,
    /// The version that is wanted; it must be named in the service's `version` table.
    #[schemars(required)]
    pub to: Option<At<String>>,
    /// When it is asked for, from the beginning of the run.
    #[schemars(required)]
    pub at: Option<At<Ranged<Span>>>,
    /// In which order things change: "rolling", "canary", or a table. `rolling` by default.
    pub strategy: Option<At<Strategy>>,
    /// Without progress for so long, it is overdue; 10 min by default, as in Kubernetes.
    pub progress_deadline: Option<At<Span>>,
    /// Whether an overdue rollout is rolled back. Otherwise it says so and goes on waiting, as a Kubernetes Deployment
    /// does. False by default for `rolling`, true for `canary`, as in Flagger.
    pub auto_rollback: Option<At<bool>>,
    /// How long an instance must have been ready without a break before it counts as available; no time by default, as
    /// in Kubernetes.
    pub min_ready: Option<At<Span>>,
    /// By what the new version is judged; by nothing by default.
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

kinds! {
    /// A rollout strategy's name.
    #[derive(Default)]
    pub enum StrategyKind {
        /// Replace instances a few at a time; traffic follows the instances (a Kubernetes Deployment).
        #[default]
        Rolling = "rolling" takes ["max_surge", "max_unavailable"] needs [],
        /// Give the new version a growing share of the traffic beside the full old version (Argo Rollouts).
        Canary = "canary" takes ["steps"] needs [],
    }
}

/// A rollout strategy with its numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a strategy's name or a table with its kind and numbers")]
pub struct StrategyTable {
    /// Which strategy.
    #[schemars(required)]
    pub kind: Option<At<StrategyKind>>,
    /// Instances beyond the wanted number: a number or a share, rounded up; 25% by default. Only for `rolling`.
    pub max_surge: Option<At<Instances>>,
    /// How many may be unavailable: a number or a share, rounded down; 25% by default. Only for `rolling`.
    pub max_unavailable: Option<At<Instances>>,
    /// What happens in turn, before everything goes to the new version; 5%, 25% and 50% for 30 s each by default. Only
    /// for `canary`.
    pub steps: Option<At<Vec<At<Step>>>>,
}

/// A step of a canary: a share of the traffic, held for a while.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with `weight` and `hold`")]
pub struct Step {
    /// The new version's share of the traffic.
    pub weight: Option<At<Percent>>,
    /// How long to wait then; no time by default.
    pub hold: Option<At<Span>>,
}

/// By what, how often and how patiently the new version is judged, as Flagger does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes an analysis")]
pub struct Analysis {
    /// The lowest share of successes that passes: ">= 99%".
    pub success_rate: Option<At<AtLeast>>,
    /// The highest 99th percentile of latency that passes: "<= 120ms".
    pub p99: Option<At<AtMost>>,
    /// How often to check, and how far back each check looks; 10 s by default.
    pub interval: Option<At<Span>>,
    /// Which failed check ends the rollout, counted over all of it: with 3, the third. 3 by default. Flagger calls it
    /// `threshold`, and acts on its next look.
    pub failures: Option<At<Count>>,
    /// Instead of `failures`: how many failed checks are tolerated, as in Argo Rollouts: with 3, the fourth ends the
    /// rollout.
    pub failure_limit: Option<At<Count>>,
    /// How many requests a check needs to judge; 50 by default.
    pub min_samples: Option<At<Count>>,
    /// What a check with fewer is; `inconclusive` by default.
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

impl Section for Rollout {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let scenario = cx.scenario;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (index, rollout) in scenario.rollout.iter().enumerate() {
            spec.rollouts.extend(lower_one(cx, rollout, index, &mut seen));
        }
    }

    fn summarize(scenario: &Scenario, summary: &mut Summary) {
        summary.add_some(scenario.rollout.len(), "rollout");
    }
}

/// `seen` counts the rollouts of each service to each version, whose ranges are drawn by that name and number.
fn lower_one(
    cx: &mut Context<'_>,
    rollout: &At<Rollout>,
    index: usize,
    seen: &mut BTreeMap<String, usize>,
) -> Option<RolloutSpec> {
    if let Some(missing) = missing(&given!(rollout; service, to, at), &["service", "to", "at"]) {
        let place = format!("rollout/{index}");
        cx.report(Problem::at(rollout, format!("a rollout needs `{missing}`")).unless_lost(place));
    }
    let strategy = match &rollout.strategy {
        Some(at) => strategy(cx, at),
        None => rolling(&StrategyTable::default()),
    };
    let analysis = rollout.analysis.as_ref().map(|at| analysis(cx, at));
    cx.longer_than_zero(&rollout.progress_deadline, "a progress deadline");
    let is_canary = matches!(strategy, rollout::Strategy::Canary { .. });
    let service = cx.service(rollout.service.as_ref()?)?;
    let to = rollout.to.as_ref()?;
    let version = cx.version(service, to)?;
    let at = rollout.at.as_ref()?;
    let end = cx.phases.total();
    if at.high().0 >= end {
        let message = format!("at {} the run is over", at.high());
        cx.report(Problem::at(at, message).label(format!("it lasts {}", Span(end))));
    }
    let name = cx.services[service.index()].name;
    if version == VersionId(0) && is_first(cx, name, at) {
        cx.report(Problem::at(to, format!("`{name}` already runs {}", to.value)).label("this is its initial version"));
    }
    check_plan(cx, rollout, service, version, &strategy, analysis);
    let mut key = format!("rollout/{name} {}", to.value);
    let count = seen.entry(key.clone()).or_insert(0);
    *count += 1;
    if *count > 1 {
        key = format!("{key}#{count}");
    }
    Some(RolloutSpec {
        service,
        to: version,
        at: moment(cx.draw_key(&key, "at", &rollout.at)?),
        strategy,
        analysis,
        progress_deadline: rollout.progress_deadline.inner_or(Duration::secs(600)),
        auto_rollback: rollout.auto_rollback.value_or(is_canary),
        min_ready: rollout.min_ready.inner_or(Duration::ZERO),
    })
}

/// Whether no rollout of the service can be earlier than `at`.
fn is_first(cx: &Context<'_>, service: &str, at: &At<Ranged<Span>>) -> bool {
    let of_service = |other: &&At<Rollout>| other.service.as_ref().is_some_and(|name| name.value == service);
    let mut others = cx.scenario.rollout.iter().filter(of_service).filter_map(|other| other.at.as_ref());
    others.all(|other| other.low() >= at.low())
}

/// Reports what the plan itself objects to, unless something within it has been reported.
fn check_plan(
    cx: &mut Context<'_>,
    rollout: &At<Rollout>,
    service: ServiceId,
    to: VersionId,
    strategy: &rollout::Strategy,
    analysis: Option<rollout::Analysis>,
) {
    let mut plan = Plan::new(service, VersionId(u32::MAX), to, 1, strategy.clone());
    plan.analysis = analysis;
    let places = [rollout.strategy.place(), rollout.analysis.place(), rollout.progress_deadline.place()];
    if let Err(error) = plan.check()
        && !cx.has_problem_within(&places)
    {
        cx.report(Problem::at(rollout, error.to_string()));
    }
}

fn strategy(cx: &mut Context<'_>, at: &At<Strategy>) -> rollout::Strategy {
    let table = match &at.value {
        Strategy::Kind(StrategyKind::Rolling) => return rolling(&StrategyTable::default()),
        Strategy::Kind(StrategyKind::Canary) => return rollout::Strategy::Canary { steps: usual_steps() },
        Strategy::Table(table) => table,
    };
    let Some(kind) = cx.needed(at, &table.kind, "a strategy needs its `kind`", &StrategyKind::one_of()) else {
        return rolling(table);
    };
    let given = given!(table; max_surge, max_unavailable, steps);
    match kind.value {
        StrategyKind::Rolling => {
            cx.unexpected_keys(&given, kind.takes(), "a rolling update");
            let none = |at: &Option<At<Instances>>| at.as_ref().is_some_and(|at| at.value == Instances::Count(0));
            if none(&table.max_surge) && none(&table.max_unavailable) {
                cx.report(
                    Problem::at(at, "no instance more and no instance less: nothing could ever be replaced")
                        .label("`max_surge` or `max_unavailable` must allow one"),
                );
            }
            rolling(table)
        }
        StrategyKind::Canary => {
            cx.unexpected_keys(&given, kind.takes(), "a canary");
            if let Some(steps) = table.steps.as_ref().filter(|steps| steps.value.is_empty()) {
                cx.report(Problem::at(steps, "a canary without steps would be a switch of everything at once"));
            }
            let steps = table.steps.as_ref().map_or_else(usual_steps, |steps| canary_steps(cx, &steps.value));
            rollout::Strategy::Canary { steps }
        }
    }
}

fn rolling(table: &StrategyTable) -> rollout::Strategy {
    let lower = |at: &Option<At<Instances>>| match at.as_ref().map(|at| at.value) {
        None => IntOrPercent::Percent(Ratio::percent(25)),
        Some(Instances::Count(n)) => IntOrPercent::Int(n),
        Some(Instances::Share(share)) => IntOrPercent::Percent(share.0),
    };
    rollout::Strategy::Rolling { max_surge: lower(&table.max_surge), max_unavailable: lower(&table.max_unavailable) }
}

fn usual_steps() -> Vec<rollout::Step> {
    let step = |percent| [rollout::Step::SetWeight(Ratio::percent(percent)), rollout::Step::Hold(Duration::secs(30))];
    [5, 25, 50].into_iter().flat_map(step).collect()
}

fn canary_steps(cx: &mut Context<'_>, steps: &[At<Step>]) -> Vec<rollout::Step> {
    let mut lowered = Vec::new();
    for step in steps {
        match (&step.weight, &step.hold) {
            (None, None) => {
                cx.report(Problem::at(step, "a step needs a `weight`, a `hold`, or both").unless_lost_within())
            }
            (None, Some(hold)) if lowered.is_empty() => {
                cx.report(Problem::at(hold, "there is nothing to hold before the first `weight`"));
            }
            (Some(_), _) | (None, Some(_)) => {}
        }
        lowered.extend(step.weight.inner().map(rollout::Step::SetWeight));
        lowered.extend(step.hold.inner().map(rollout::Step::Hold));
    }
    lowered
}

fn analysis(cx: &mut Context<'_>, at: &At<Analysis>) -> rollout::Analysis {
    if at.success_rate.is_none() && at.p99.is_none() {
        cx.report(
            Problem::at(at, "an analysis needs a `success_rate` or a `p99` to judge by")
                .label("such as success_rate = \">= 99%\"")
                .unless_lost_within(),
        );
    }
    cx.longer_than_zero(&at.interval, "an interval");
    cx.at_least_one(&at.failures, "an analysis must allow at least one check to be the failing one");
    if let (Some(_), Some(limit)) = (&at.failures, &at.failure_limit) {
        let problem = Problem::contradiction("failures", "failure_limit", limit);
        cx.report(problem.label("the check that ends the rollout, or how many before it are tolerated?"));
    }
    let failures = match at.failure_limit.inner() {
        Some(limit) => limit.saturating_add(1),
        None => at.failures.inner_or(3),
    };
    rollout::Analysis {
        success_rate_min: at.success_rate.inner(),
        latency_p99_max: at.p99.inner(),
        interval: at.interval.inner_or(Duration::secs(10)),
        failures,
        min_samples: at.min_samples.inner_or(50).into(),
        too_few: match at.too_few.value_or(TooFew::default()) {
            TooFew::Inconclusive => rollout::TooFew::Inconclusive,
            TooFew::Fails => rollout::TooFew::Fails,
        },
    }
}
