//! From what is written of a fault to one of the kernel's plan, and that faults end before calm begins.
//!
//! A fault that is meant to outlast the storm says so: `lasts = "forever"`. Then calm is measured under it.

use super::name::{NAME_MAX, names as names_of};
use super::parameter::Own;
use super::{AT, Fault, FaultKind, KIND, LASTS, NAME, WHAT};
use crate::At;
use crate::lower::{Context, moment};
use crate::problem::{Problem, known};
use crate::scalar::Span;
use crate::section::Scenario;
use crate::select::Names;
use std::collections::BTreeSet;
use world::kernel;

/// The plan of the faults of a scenario.
pub(crate) fn lower(cx: &mut Context<'_>, names: &Names<'_>) -> Vec<kernel::Fault> {
    let scenario = cx.scenario;
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for fault in &scenario.fault {
        if let Some(name) = fault.name.as_ref().filter(|name| name.len() > NAME_MAX) {
            cx.report(Problem::at(name, format!("the name of a fault has at most {NAME_MAX} bytes")));
        }
        if let Some(name) = &fault.name
            && !taken.insert(&name.value)
        {
            cx.report(Problem::at(name, format!("two faults are called `{}`", name.value)));
        }
    }
    let called = names_of(&scenario.fault).into_iter();
    let faults = scenario.fault.iter().enumerate().zip(called);
    faults.filter_map(|((index, fault), name)| lower_one(cx, fault, index, name, names)).collect()
}

fn lower_one(
    cx: &mut Context<'_>,
    fault: &At<Fault>,
    index: usize,
    name: String,
    names: &Names<'_>,
) -> Option<kernel::Fault> {
    misread_parameters(fault).into_iter().for_each(|problem| cx.report(problem));
    let place = format!("fault/{index}");
    let Some(kind) = fault.kind.as_ref().map(|kind| kind.value) else {
        cx.report(
            Problem::at(fault, "a fault needs its `kind`")
                .help("`windtunnel list faults` knows all kinds")
                .unless_lost(place),
        );
        return None;
    };
    complete(cx, fault, kind, place);
    if let Some(lasts) = &fault.lasts
        && kind.is_momentary()
    {
        cx.report(
            Problem::at(lasts, format!("a fault of kind `{}` has no length", kind.name()))
                .label("it happens at one moment"),
        );
    }
    window(cx, fault);
    let mut own = Own { cx, name: &name, given: &fault.parameters };
    let lowered = kind.lower(fault.what.as_ref(), names, &mut own)?;
    let at = cx.draw(&format!("fault/{name}/at"), &fault.at.as_ref()?.value).0;
    let lasts = match fault.lasts.as_ref().and_then(|lasts| lasts.value.0) {
        Some(lasts) if !kind.is_momentary() => Some(cx.draw(&format!("fault/{name}/lasts"), &lasts).0),
        _ => None,
    };
    Some(kernel::Fault { name, at: moment(at), lasts, kind: lowered })
}

/// A fault has all keys that its kind needs.
fn complete(cx: &mut Context<'_>, fault: &At<Fault>, kind: FaultKind, place: String) {
    let given = |key: &str| fault.parameters.keys().any(|given| given.value == key);
    let own = kind.parameters().iter().filter(|parameter| parameter.default.is_none() && !given(parameter.name));
    let mut missing: Vec<&str> = own.map(|parameter| parameter.name).collect();
    let common = [
        (WHAT.0, fault.what.is_none()),
        (AT.0, fault.at.is_none()),
        (LASTS.0, fault.lasts.is_none() && !kind.is_momentary()),
    ];
    missing.extend(common.iter().filter(|(_, is_missing)| *is_missing).map(|(key, _)| *key));
    if missing.is_empty() {
        return;
    }
    let message = format!("a fault of kind `{}` needs `{}`", kind.name(), missing.join("` and `"));
    let mut problem = Problem::at(fault, message).unless_lost(place);
    if missing.contains(&LASTS.0) {
        problem = problem.help("a fault that never ends says lasts = \"forever\"");
    }
    cx.report(problem);
}

/// What is wrong with the parameters of all faults by themselves: keys that are none, and values of another form.
pub(crate) fn misread(scenario: &Scenario) -> Vec<Problem> {
    scenario.fault.iter().flat_map(misread_parameters).collect()
}

fn misread_parameters(fault: &At<Fault>) -> Vec<Problem> {
    let kind = fault.kind.as_ref().map(|kind| kind.value);
    let mut problems = Vec::new();
    for (key, written) in &fault.parameters {
        let is_this = |kind: FaultKind| kind.parameters().iter().find(|parameter| parameter.name == key.value);
        let own = kind.and_then(is_this);
        match own {
            Some(parameter) => problems.extend((parameter.misread)(written)),
            None if FaultKind::ALL.iter().copied().any(|kind| is_this(kind).is_some()) => {
                problems.extend(kind.map(|kind| stray(key, kind).span(written.span.clone())));
            }
            None => {
                problems.push(Problem::at(key, format!("unknown key `{}`", key.value)).label(known(key, &keys(kind))))
            }
        }
    }
    problems
}

/// A parameter of another kind.
fn stray(key: &str, kind: FaultKind) -> Problem {
    let what = format!("a fault of kind `{}`", kind.name());
    let own: Vec<&str> = kind.parameters().iter().map(|parameter| parameter.name).collect();
    let label = match own[..] {
        [] => format!("{what} needs no more keys"),
        _ => format!("{what} takes {}", own.join(", ")),
    };
    Problem::new(format!("`{key}` has no meaning for {what}")).label(label)
}

/// The keys of a fault of this kind, or of any kind, in alphabetical order.
fn keys(kind: Option<FaultKind>) -> Vec<&'static str> {
    let kinds = kind.as_ref().map_or(FaultKind::ALL, std::slice::from_ref);
    let own = kinds.iter().flat_map(|kind| kind.parameters()).map(|parameter| parameter.name);
    let mut keys: BTreeSet<&str> = own.chain([NAME.0, KIND.0, WHAT.0, AT.0]).collect();
    if kinds.iter().any(|kind| !kind.is_momentary()) {
        keys.insert(LASTS.0);
    }
    keys.into_iter().collect()
}

/// A fault begins in the storm and ends with it at the latest, whatever is drawn.
fn window(cx: &mut Context<'_>, fault: &At<Fault>) {
    let (from, until) = (cx.phases.warmup, cx.phases.warmup + cx.phases.storm);
    let Some(at) = &fault.at else { return };
    if at.low().0 < from || at.high().0 > until {
        cx.report(Problem::at(at, "this fault begins outside the storm").label(format!(
            "the storm goes from {} to {}, counted from the beginning of the run",
            Span(from),
            Span(until)
        )));
        return;
    }
    let Some(at_lasts) = &fault.lasts else { return };
    if let Some(lasts) = at_lasts.value.0 {
        let end = at.high().0 + lasts.high().0;
        if end > until {
            cx.report(
                Problem::at(
                    at_lasts,
                    format!("this fault can last until {}, and the storm ends at {}", Span(end), Span(until)),
                )
                .label("\"forever\" if calm is meant to be measured under it"),
            );
        }
        if lasts.low().0.is_zero() {
            cx.report(Problem::at(at_lasts, "a fault that lasts no time does nothing"));
        }
    }
}

impl Problem {
    /// A selector may name a service, a gateway or a registry whose own section could not be read.
    pub(super) fn unless_lost_name(self, what: &str) -> Self {
        let words = what.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let name = words.filter(|word| !word.is_empty()).find(|word| {
            let quoted = format!("`{word}`");
            self.message.contains(&quoted) || self.label.contains(&quoted)
        });
        match name {
            Some(name @ ("registry" | "gateway")) => self.unless_lost(name.to_string()),
            Some(name) => self.unless_lost(format!("service/{name}")),
            None => self,
        }
    }
}
