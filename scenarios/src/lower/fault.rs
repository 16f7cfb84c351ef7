//! Faults: whom they mean, and that they end before calm begins.
//!
//! A fault's chances, and the ranges of its own section, are drawn from streams keyed by its name. The name is given,
//! or made of what the fault says (`crash one of backend`), and only a fault that says exactly the same as an earlier
//! one gets a number; so taking one out changes no other.
//!
//! A fault that is meant to outlast the storm says so: `lasts = "forever"`. Then calm is measured under it.

use crate::At;
use crate::lower::{Context, Given, given, moment};
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent, Ppm, Scalar, SignedSpan, Span};
use crate::section::fault::{By, How};
use crate::section::fault::{Fault, FaultKind};
use crate::section::{Distribution, distribution};
use crate::select::{self, Names};
use base::{Dist, Duration, Ratio};
use std::collections::{BTreeMap, BTreeSet};
use world::kernel::fault::Path;
use world::kernel::node::{Crash, Failing};
use world::kernel::select::Selector;
use world::kernel::{self};

/// The longest name of a fault in bytes, for it to fit a table.
const NAME_MAX: usize = 200;

pub(crate) fn lower(cx: &mut Context<'_>, names: &Names<'_>) -> Vec<kernel::Fault> {
    let scenario = cx.scenario;
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for fault in &scenario.fault {
        if let Some(name) = fault.name.as_ref().filter(|name| name.len() > NAME_MAX) {
            cx.report(Problem::at(name, format!("the name of a fault has at most {NAME_MAX} bytes")));
        }
        if let Some(name) = &fault.name
            && !taken.insert(name.value.clone())
        {
            cx.report(Problem::at(name, format!("two faults are called `{}`", name.value)));
        }
    }
    let mut faults = Vec::new();
    let mut alike = BTreeMap::new();
    for (index, fault) in scenario.fault.iter().enumerate() {
        let name = match &fault.name {
            Some(name) => name.value.clone(),
            None => own_name(fault, &mut taken, &mut alike),
        };
        faults.extend(lower_one(cx, fault, index, name, names));
    }
    faults
}

/// The kind and whom it concerns, with a number where that is taken. `alike` has the last number given to each such
/// name, so that of thousands of equal faults none looks for its number from one on.
fn own_name(fault: &Fault, taken: &mut BTreeSet<String>, alike: &mut BTreeMap<String, u32>) -> String {
    let kind = fault.kind.as_ref().map_or("fault", |kind| kind.value.name());
    let whom: Vec<&str> = fault.what.as_ref().map_or("", |what| what.as_str()).split_whitespace().collect();
    let name = format!("{kind} {}", whom.join(" "));
    let number = alike.entry(name.clone()).or_insert(0);
    loop {
        *number += 1;
        let unique = if *number == 1 { name.clone() } else { format!("{name}#{}", Count(*number)) };
        if taken.insert(unique.clone()) {
            return unique;
        }
    }
}

fn lower_one(
    cx: &mut Context<'_>,
    fault: &At<Fault>,
    index: usize,
    name: String,
    names: &Names<'_>,
) -> Option<kernel::Fault> {
    let place = format!("fault/{index}");
    let Some(kind) = fault.kind.as_ref().map(|kind| kind.value) else {
        cx.report(
            Problem::at(fault, "a fault needs its `kind`")
                .help("`windtunnel list faults` knows all kinds")
                .unless_lost(place),
        );
        return None;
    };
    let own: [Given; 5] = given!(fault; how, factor, by, share, bandwidth);
    let mut belongs = kind.needs().to_vec();
    if kind == FaultKind::Crash {
        belongs.push("how");
    }
    if kind == FaultKind::Error {
        belongs.extend(["share", "by"]);
    }
    cx.unexpected_keys(&own, &belongs, &format!("a fault of kind `{}`", kind.name()));
    let when: [Given; 3] = given!(fault; what, at, lasts);
    let needed = |key: &str| {
        kind.needs().contains(&key) || key == "what" || key == "at" || key == "lasts" && !kind.is_momentary()
    };
    let all = own.iter().chain(&when);
    let missing: Vec<&str> = all.filter(|(key, span)| span.is_none() && needed(key)).map(|(key, _)| *key).collect();
    if !missing.is_empty() {
        let mut problem =
            Problem::at(fault, format!("a fault of kind `{}` needs `{}`", kind.name(), missing.join("` and `")))
                .unless_lost(place);
        if missing.contains(&"lasts") {
            problem = problem.help("a fault that never ends says lasts = \"forever\"");
        }
        cx.report(problem);
    }
    if let Some(lasts) = &fault.lasts
        && kind.is_momentary()
    {
        cx.report(
            Problem::at(lasts, format!("a fault of kind `{}` has no length", kind.name()))
                .label("it happens at one moment"),
        );
    }
    window(cx, fault);
    let lowered = lower_kind(cx, fault, kind, &name, names)?;
    let at = cx.draw(&format!("fault/{name}/at"), &fault.at.as_ref()?.value).0;
    let lasts = match fault.lasts.as_ref().and_then(|lasts| lasts.value.0) {
        Some(lasts) if !kind.is_momentary() => Some(cx.draw(&format!("fault/{name}/lasts"), &lasts).0),
        _ => None,
    };
    Some(kernel::Fault { name, at: moment(at), lasts, kind: lowered })
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

fn lower_kind(
    cx: &mut Context<'_>,
    fault: &At<Fault>,
    kind: FaultKind,
    name: &str,
    names: &Names<'_>,
) -> Option<kernel::FaultKind> {
    use kernel::FaultKind as Lowered;
    if kind.is_between() {
        let path = between(cx, fault, names);
        let share = fault
            .share
            .as_ref()
            .map_or(Percent(Ratio::ZERO), |at| cx.draw(&format!("fault/{name}/share"), &at.value))
            .0;
        return match kind {
            FaultKind::Partition => path.map(Lowered::Partition),
            FaultKind::Delay => {
                let by = delay(cx, fault.by.as_ref()?);
                path.map(|path| Lowered::Delay(path, by))
            }
            FaultKind::Loss => path.map(|path| Lowered::Loss(path, share)),
            FaultKind::Duplicate => path.map(|path| Lowered::Duplicate(path, share)),
            FaultKind::Reorder => {
                let by = text::<Span>(cx, fault.by.as_ref()?)?;
                path.map(|path| Lowered::Reorder(path, share, by.0))
            }
            _ => Some(Lowered::Throttle(path?, fault.bandwidth.as_ref()?.value.0)),
        };
    }
    let whom = whom(cx, fault, names);
    let factor = fault.factor.as_ref().map_or(Factor(1.0), |at| cx.draw(&format!("fault/{name}/factor"), &at.value)).0;
    Some(match kind {
        FaultKind::Crash => Lowered::Crash(
            whom?,
            match fault.how.as_ref().map_or_else(Default::default, |how| how.value) {
                How::Process => Crash::Process,
                How::Machine => Crash::Machine,
            },
        ),
        FaultKind::Pause => Lowered::Pause(whom?),
        FaultKind::Slow => Lowered::Slow(whom?, factor),
        FaultKind::Error => {
            let share = fault.share.as_ref().map(|at| cx.draw(&format!("fault/{name}/share"), &at.value).0);
            let after = match &fault.by {
                Some(by) => text::<Span>(cx, by)?.0,
                None => Duration::ms(1),
            };
            Lowered::Error(whom?, Failing { share: share.unwrap_or(Ratio::ONE), after })
        }
        FaultKind::Clog => Lowered::Clog(whom?),
        FaultKind::Swizzle => Lowered::Swizzle(whom?),
        FaultKind::DiskSlow => Lowered::DiskSlow(whom?, factor),
        FaultKind::DiskFull => Lowered::DiskFull(whom?),
        FaultKind::DiskCorrupt => Lowered::DiskCorrupt(whom?),
        FaultKind::ClockStep => {
            let by = text::<SignedSpan>(cx, fault.by.as_ref()?)?;
            Lowered::ClockStep(whom?, by.0)
        }
        _ => {
            let by = text::<Ppm>(cx, fault.by.as_ref()?)?;
            // A part per million is a thousand nanoseconds in a second.
            Lowered::ClockDrift(whom?, (by.0 * 1000.0).round() as i32)
        }
    })
}

fn whom(cx: &mut Context<'_>, fault: &At<Fault>, names: &Names<'_>) -> Option<Selector> {
    let what = fault.what.as_ref()?;
    match select::set(what, names) {
        Ok(set) => Some(set),
        Err((message, label)) => {
            cx.report(Problem::at(what, message).label(label).unless_lost_name(what));
            None
        }
    }
}

fn between(cx: &mut Context<'_>, fault: &At<Fault>, names: &Names<'_>) -> Option<Path> {
    let what = fault.what.as_ref()?;
    match select::path(what, names) {
        Ok(path) => Some(path),
        Err((message, label)) => {
            cx.report(Problem::at(what, message).label(label).unless_lost_name(what));
            None
        }
    }
}

impl Problem {
    /// A selector may name a service, a gateway or a registry whose own section could not be read.
    fn unless_lost_name(self, what: &str) -> Self {
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

fn delay(cx: &mut Context<'_>, by: &At<By>) -> Dist {
    match by.table() {
        Some(table) => distribution::lower(cx, &At { value: table, span: by.span.clone() }),
        None => match text::<Span>(cx, by) {
            Some(span) => distribution::lower(cx, &At { value: Distribution::Constant(span), span: by.span.clone() }),
            None => Dist::Constant(Duration::ZERO),
        },
    }
}

/// What `by` says, read as what this kind of fault wants.
fn text<T: Scalar>(cx: &mut Context<'_>, by: &At<By>) -> Option<T> {
    let By::Text(text) = &by.value else {
        cx.report(Problem::at(by, format!("expected {}", T::EXPECTED)).label("only a delay can be a distribution"));
        return None;
    };
    match T::from_text(text) {
        Ok(value) => Some(value),
        Err(wrong) => {
            cx.report(Problem::at(by, wrong.message).label(wrong.label));
            None
        }
    }
}
