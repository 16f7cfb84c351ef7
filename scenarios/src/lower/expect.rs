//! Expectations: invariants by name, objectives by number.

use super::Context;
use crate::At;
use crate::problem::{Problem, known};
use std::collections::BTreeSet;
use world::invariant;
use world::outcome::CheckKind;
use world::spec::{Expect, ObjectiveSpec};

pub(crate) fn lower(cx: &mut Context<'_>) -> Expect {
    let scenario = cx.scenario;
    let Some(expect) = &scenario.expect else { return Expect::default() };
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
            if check(cx, kind, name) {
                checks.push((kind, name.value.clone()));
            }
        }
    }
    let mut objectives = Vec::new();
    for (index, slo) in expect.slo.iter().enumerate() {
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
                success: slo.success.as_ref().map(|limit| limit.value.0.0),
                p50: slo.p50.as_ref().map(|limit| limit.value.0.0),
                p99: slo.p99.as_ref().map(|limit| limit.value.0.0),
                mean: slo.mean.as_ref().map(|limit| limit.value.0.0),
            });
        }
    }
    Expect { checks, objectives }
}

fn check(cx: &mut Context<'_>, kind: CheckKind, name: &At<String>) -> bool {
    match invariant::find(name) {
        Some(info) if info.kind == kind => true,
        Some(info) => {
            cx.report(
                Problem::at(name, format!("`{}` is not of the kind `{}`", name.value, kind.name()))
                    .label(format!("move it to `{}`", info.kind.name())),
            );
            false
        }
        None => {
            let all: Vec<&str> = invariant::all().filter(|info| info.kind == kind).map(|info| info.name).collect();
            cx.report(Problem::at(name, format!("unknown invariant `{}`", name.value)).label(known(name, &all)));
            false
        }
    }
}
