//! Rollouts: of what, when, in which steps, judged by what.

use super::{Context, Given, given, moment};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Instances, Span};
use crate::schema::Rollout;
use crate::schema::rollout::{Analysis, Step, Strategy, StrategyKind, StrategyTable, TooFew};
use base::{Duration, Ratio, VersionId};
use std::collections::BTreeMap;
use world::rollout::{self, IntOrPercent, Plan};
use world::spec::RolloutSpec;

pub(crate) fn lower(cx: &mut Context<'_>) -> Vec<RolloutSpec> {
    let scenario = cx.scenario;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut specs = Vec::new();
    for (index, rollout) in scenario.rollout.iter().enumerate() {
        specs.extend(lower_one(cx, rollout, index, &mut seen));
    }
    specs
}

fn lower_one(
    cx: &mut Context<'_>,
    rollout: &At<Rollout>,
    index: usize,
    seen: &mut BTreeMap<String, usize>,
) -> Option<RolloutSpec> {
    let given: [Given; 3] = given!(rollout; service, to, at);
    let missing: Vec<&str> = given.iter().filter(|(_, span)| span.is_none()).map(|(key, _)| *key).collect();
    if !missing.is_empty() {
        cx.report(
            Problem::at(rollout, format!("a rollout needs `{}`", missing.join("` and `")))
                .unless_lost(format!("rollout/{index}")),
        );
    }
    let strategy = match &rollout.strategy {
        Some(at) => strategy(cx, at),
        None => rolling(&StrategyTable::default()),
    };
    let analysis = rollout.analysis.as_ref().map(|at| analysis(cx, at));
    let progress_deadline = rollout.progress_deadline.as_ref().map_or(Duration::secs(600), |d| d.value.0);
    if let Some(deadline) = &rollout.progress_deadline
        && deadline.value.0.is_zero()
    {
        cx.report(Problem::at(deadline, "a progress deadline must be longer than zero"));
    }
    let is_canary = matches!(strategy, rollout::Strategy::Canary { .. });
    let auto_rollback = rollout.auto_rollback.as_ref().map_or(is_canary, |at| at.value);
    let service = cx.service(rollout.service.as_ref()?)?;
    let to = rollout.to.as_ref()?;
    let version = cx.version(service, to)?;
    let at = rollout.at.as_ref()?;
    let end = cx.phases.total();
    if at.high().0 >= end {
        cx.report(
            Problem::at(at, format!("at {} the run is over", at.high())).label(format!("it lasts {}", Span(end))),
        );
    }
    let name = cx.services[service.index()].name;
    let first = cx.scenario.rollout.iter().filter(|other| other.service.as_ref().is_some_and(|s| s.value == name));
    let is_first = first.filter_map(|other| other.at.as_ref()).all(|other| other.low() >= at.low());
    if is_first && version == VersionId(0) {
        cx.report(Problem::at(to, format!("`{name}` already runs {}", to.value)).label("this is its initial version"));
    }
    // What the plan itself objects to, beyond what was said above.
    let mut plan = Plan::new(service, VersionId(u32::MAX), version, 1, strategy.clone());
    plan.analysis = analysis;
    if let Err(error) = plan.check()
        && !cx.problems.iter().any(|p| p.span.is_some() && within(rollout, p))
    {
        cx.report(Problem::at(rollout, error.to_string()));
    }
    let mut key = format!("rollout/{name} {}", to.value);
    let count = seen.entry(key.clone()).or_insert(0);
    *count += 1;
    if *count > 1 {
        key = format!("{key}#{count}");
    }
    Some(RolloutSpec {
        service,
        to: version,
        at: moment(cx.draw(&format!("{key}/at"), &at.value).0),
        strategy,
        analysis,
        progress_deadline,
        auto_rollback,
        min_ready: rollout.min_ready.as_ref().map_or(Duration::ZERO, |d| d.value.0),
    })
}

/// Whether a problem speaks of something in this rollout, as far as places tell.
fn within(rollout: &At<Rollout>, problem: &Problem) -> bool {
    let parts = [
        rollout.strategy.as_ref().and_then(|at| at.span.clone()),
        rollout.analysis.as_ref().and_then(|at| at.span.clone()),
        rollout.progress_deadline.as_ref().and_then(|at| at.span.clone()),
    ];
    let Some(span) = &problem.span else { return false };
    parts.into_iter().flatten().any(|part| part.start <= span.start && span.end <= part.end)
}

fn strategy(cx: &mut Context<'_>, at: &At<Strategy>) -> rollout::Strategy {
    let table = match &at.value {
        Strategy::Kind(StrategyKind::Rolling) => return rolling(&StrategyTable::default()),
        Strategy::Kind(StrategyKind::Canary) => return rollout::Strategy::Canary { steps: usual_steps() },
        Strategy::Table(table) => table,
    };
    let Some(kind) = &table.kind else {
        cx.report(Problem::at(at, "a strategy needs its `kind`").label("one of rolling, canary").unless_lost_within());
        return rolling(table);
    };
    let given: [Given; 3] = given!(table; max_surge, max_unavailable, steps);
    match kind.value {
        StrategyKind::Rolling => {
            cx.strays(&given, &["max_surge", "max_unavailable"], "a rolling update");
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
            cx.strays(&given, &["steps"], "a canary");
            let steps = match &table.steps {
                None => usual_steps(),
                Some(steps) => {
                    if steps.value.is_empty() {
                        cx.report(Problem::at(steps, "a canary without steps would be a switch of everything at once"));
                    }
                    canary_steps(cx, &steps.value)
                }
            };
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
            _ => {}
        }
        lowered.extend(step.weight.as_ref().map(|weight| rollout::Step::SetWeight(weight.value.0)));
        lowered.extend(step.hold.as_ref().map(|hold| rollout::Step::Hold(hold.value.0)));
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
    if let Some(interval) = &at.interval
        && interval.value.0.is_zero()
    {
        cx.report(Problem::at(interval, "an interval must be longer than zero"));
    }
    if let Some(failures) = &at.failures
        && failures.value.0 == 0
    {
        cx.report(Problem::at(failures, "an analysis must allow at least one check to be the failing one"));
    }
    if let (Some(_), Some(limit)) = (&at.failures, &at.failure_limit) {
        cx.report(
            Problem::at(limit, "`failures` and `failure_limit` contradict each other")
                .label("the check that ends the rollout, or how many before it are tolerated?"),
        );
    }
    let failures = match &at.failure_limit {
        Some(limit) => limit.value.0.saturating_add(1),
        None => at.failures.as_ref().map_or(3, |n| n.value.0),
    };
    rollout::Analysis {
        success_rate_min: at.success_rate.as_ref().map(|limit| limit.value.0.0),
        latency_p99_max: at.p99.as_ref().map(|limit| limit.value.0.0),
        interval: at.interval.as_ref().map_or(Duration::secs(10), |d| d.value.0),
        failures,
        min_samples: at.min_samples.as_ref().map_or(50, |n| u64::from(n.value.0)),
        too_few: match at.too_few.as_ref().map_or_else(Default::default, |t| t.value) {
            TooFew::Inconclusive => rollout::TooFew::Inconclusive,
            TooFew::Fails => rollout::TooFew::Fails,
        },
    }
}
