//! `[expect]`: what the run must show. It becomes checks, which are invariants by name, and objectives by number.
//!
//! The names an editor offers come from the world's own catalogue of invariants, so a new one is known here without
//! being written down again.

use super::{Scenario, Section};
use crate::at::Key;
use crate::lower::Context;
use crate::problem::{Problem, known};
use crate::scalar::{AtLeast, AtMost};
use crate::{At, Summary};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use world::outcome::CheckKind;
use world::spec::{self, ObjectiveSpec};
use world::{Spec, invariant};

/// What the run is expected to show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with always, eventually, sometimes and slo")]
pub struct Expect {
    /// Invariants that hold at every moment. All of them are checked in every run; naming one says what the scenario is
    /// about.
    #[schemars(schema_with = "always")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<At<String>>,
    /// Invariants that must hold when calm ends.
    #[schemars(schema_with = "eventually")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub eventually: Vec<At<String>>,
    /// What must happen at least once, or the scenario tests less than it claims.
    #[schemars(schema_with = "sometimes")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sometimes: Vec<At<String>>,
    /// Objectives: what callers must see after warm-up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slo: Vec<At<Slo>>,
}

/// What the callers of a service must see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with a service and its limits")]
pub struct Slo {
    /// Whose callers.
    #[schemars(required)]
    pub service: Option<At<String>>,
    /// The share of requests that succeed: ">= 99.5%".
    pub success: Option<At<AtLeast>>,
    /// The median latency: "<= 10ms".
    pub p50: Option<At<AtMost>>,
    /// The 99th percentile of latency: "<= 120ms".
    pub p99: Option<At<AtMost>>,
    /// The mean latency: "<= 20ms".
    pub mean: Option<At<AtMost>>,
}

fn names(kind: CheckKind) -> Schema {
    let of_kind = invariant::all().filter(|info| info.kind == kind);
    let names: Vec<&str> = of_kind.map(|info| info.name).collect();
    json_schema!({"type": "array", "items": {"type": "string", "enum": names}})
}

fn always(_: &mut SchemaGenerator) -> Schema {
    names(CheckKind::Always)
}

fn eventually(_: &mut SchemaGenerator) -> Schema {
    names(CheckKind::Eventually)
}

fn sometimes(_: &mut SchemaGenerator) -> Schema {
    names(CheckKind::Sometimes)
}

impl Section for Expect {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let Some(expect) = &cx.scenario.expect else { return };
        spec.expect = spec::Expect { checks: checks(cx, expect), objectives: objectives(cx, &expect.slo) };
    }

    /// Warns of checks that cannot come true because what they speak of is not there.
    fn warn(scenario: &Scenario, spec: &Spec, warnings: &mut Vec<Problem>) {
        let Some(expect) = &scenario.expect else { return };
        for (kind, name) in &spec.expect.checks {
            let what = match kind {
                CheckKind::Always => continue,
                CheckKind::Eventually => "has nothing to test",
                CheckKind::Sometimes => "can never be reached",
            };
            let Some(why) = lacks(spec, name) else { continue };
            let place = expect.eventually.iter().chain(&expect.sometimes).find(|at| at.value == *name);
            let problem = Problem::new(format!("`{name}` {what}")).span(place.and_then(|at| at.span.clone()));
            warnings.push(problem.label(why).warning());
        }
    }

    fn summarize(scenario: &Scenario, summary: &mut Summary) {
        let Some(expect) = &scenario.expect else { return };
        summary.add_some(expect.always.len() + expect.eventually.len() + expect.sometimes.len(), "check");
        summary.add_some(expect.slo.len(), "objective");
    }
}

/// What a check speaks of and the run does not have.
fn lacks(spec: &Spec, check: &str) -> Option<&'static str> {
    let services = &spec.services;
    let (rollout, registry, fault) = ("there is no [[rollout]]", "there is no [registry]", "there is no [[fault]]");
    let lacks: &[(bool, &str)] = match check {
        "rollout_completed" | "rollout_rolled_back" | "rollout_settles" | "rollback_restores" => {
            &[(spec.rollouts.is_empty(), rollout)]
        }
        "views_converge" => &[(spec.registry.is_none(), registry)],
        "lease_expired" => &[(spec.registry.is_none(), registry), (spec.faults.is_empty(), fault)],
        "instance_died" | "stale_view_used" => &[(spec.faults.is_empty(), fault)],
        "retry_sent" => &[(services.iter().all(|s| s.policy.retry.is_none()), "no policy retries")],
        "breaker_opened" => &[(services.iter().all(|s| s.policy.breaker.is_none()), "no policy has a breaker")],
        "request_refused" => &[(services.iter().all(|s| s.queue_limit.is_none()), "no service has a `queue_limit`")],
        _ => &[],
    };
    lacks.iter().find(|(lacks, _)| *lacks).map(|(_, why)| *why)
}

fn checks(cx: &mut Context<'_>, expect: &Expect) -> Vec<(CheckKind, String)> {
    let mut checks = Vec::new();
    let lists = [
        (CheckKind::Always, &expect.always),
        (CheckKind::Eventually, &expect.eventually),
        (CheckKind::Sometimes, &expect.sometimes),
    ];
    for (kind, names) in lists {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.as_str()) {
                cx.report(Problem::at(name, format!("`{}` is named twice", name.value)));
            }
            match invariant::find(name) {
                Some(info) if info.kind == kind => checks.push((kind, name.value.clone())),
                Some(info) => cx.report(
                    Problem::at(name, format!("`{}` is not of the kind `{}`", name.value, kind.name()))
                        .label(format!("move it to `{}`", info.kind.name())),
                ),
                None => {
                    let all = invariant::all().filter(|info| info.kind == kind).map(|info| info.name);
                    let label = known(name, &all.collect::<Vec<&str>>());
                    cx.report(Problem::at(name, format!("unknown invariant `{}`", name.value)).label(label));
                }
            }
        }
    }
    checks
}

fn objectives(cx: &mut Context<'_>, slos: &[At<Slo>]) -> Vec<ObjectiveSpec> {
    let mut objectives = Vec::new();
    for (index, slo) in slos.iter().enumerate() {
        let path = format!("expect/slo/{index}");
        if slo.success.is_none() && slo.p50.is_none() && slo.p99.is_none() && slo.mean.is_none() {
            cx.report(
                Problem::at(slo, "an objective without a limit")
                    .label("such as success = \">= 99.5%\" or p99 = \"<= 120ms\"")
                    .unless_lost(path.clone()),
            );
        }
        let Some(name) = &slo.service else {
            cx.report(Problem::at(slo, "an objective needs its `service`").unless_lost(path));
            continue;
        };
        if let Some(service) = cx.service(name) {
            objectives.push(ObjectiveSpec {
                service,
                success: slo.success.inner(),
                p50: slo.p50.inner(),
                p99: slo.p99.inner(),
                mean: slo.mean.inner(),
            });
        }
    }
    objectives
}
