//! How traffic was shared among versions, beside the share a rollout asked for.
//!
//! One panel per service that ever had two versions. The step line is what the rollout's controller set; the other
//! lines are what callers really did. Where they part, configuration was late, or sampling noise is at work.

use super::frame::{self, Axis, Key, Panel};
use super::ink::{Dash, Ink, LINES};
use super::scale::time;
use super::story::Story;
use super::{Plot, end, grouped, nth};
use crate::csv::{self, Sheet};
use plotters::style::text_anchor::HPos;
use world::outcome::{Outcome, RolloutOutcome, ServiceOutcome};

pub(super) const ID: &str = "plot-version-share";

/// Steps are gathered until there are at most this many points, so that a share is one of more than a few requests.
const POINTS: usize = 125;

/// The shares of every service with more than one version; none when there is no such service.
pub(super) fn shares(outcome: &Outcome) -> Option<Plot> {
    let t = &outcome.timeline;
    let services: Vec<&ServiceOutcome> = outcome.services.iter().filter(|s| s.versions.len() > 1).collect();
    if services.is_empty() {
        return None;
    }
    let title = "Traffic share per version";
    let per = t.steps.div_ceil(POINTS).max(1);
    let width = t.step.as_secs_f64() * per as f64;

    let styles = styles(&services);
    let mut keys: Vec<Key> =
        styles.iter().map(|(version, (ink, dash))| Key::Line(*ink, *dash, format!("{version}, served"))).collect();
    if !outcome.rollouts.is_empty() {
        keys.push(Key::Line(Ink::Text, Dash::Dotted, "new version, as the rollout set it".into()));
    }
    let panels =
        services.iter().map(|s| Panel { y: percent(&format!("share of attempts at {}", s.name)), height: 190.0 });
    let x = time(end(outcome));
    let until = x.high;
    let sheet = frame::Sheet {
        id: ID,
        title,
        x,
        time: Some(Story::of(outcome)),
        right: frame::RIGHT,
        keys,
        panels: panels.collect(),
    };

    let svg = frame::draw(&sheet, |planes| {
        for (service, plane) in services.iter().zip(planes) {
            let counts: Vec<Vec<u64>> =
                service.versions.iter().map(|v| grouped(&v.attempts_per_step, t.steps, per)).collect();
            let total = |i: usize| counts.iter().map(|c| c[i]).sum::<u64>();
            for (version, counts) in service.versions.iter().zip(&counts) {
                let (ink, dash) = style(&styles, &version.version);
                // A version is drawn from the point before its first request to the one after its last: before and
                // after, a line along the ground would say nothing.
                let first = counts.iter().position(|&n| n > 0).unwrap_or(counts.len());
                let last = counts.iter().rposition(|&n| n > 0).map_or(0, |i| i + 2).min(counts.len());
                let points: Vec<(f64, Option<f64>)> = (first.saturating_sub(1)..last)
                    .map(|i| {
                        let share = (total(i) > 0).then(|| counts[i] as f64 / total(i) as f64 * 100.0);
                        ((i as f64 + 0.5) * width, share)
                    })
                    .collect();
                for run in points.split(|(_, share)| share.is_none()).filter(|run| !run.is_empty()) {
                    plane.line(run.iter().map(|&(x, y)| (x.min(until), y.unwrap_or(0.0))), ink.line(2.0, dash));
                }
            }
            for rollout in outcome.rollouts.iter().filter(|r| r.service == service.name) {
                configured(plane, rollout, until);
            }
        }
    });

    let csv = data(outcome, &services);
    let caption = format!(
        "Which share of the attempts each version took, gathered over {}; retries count as attempts. The dotted line \
         with marks is the new version's share as the rollout set it, each mark a step. It should be followed within \
         the time a configuration takes to spread; a served share that stays above it is traffic the rollout did not \
         ask for.",
        crate::number::span(base::Duration::ns(t.step.as_nanos().saturating_mul(per as u64)))
    );
    Some(Plot { id: ID, title, caption, svg, csv })
}

/// The versions of all services in the order of their first appearance, each with its line: one style per version,
/// whichever service it belongs to.
fn styles<'a>(services: &[&'a ServiceOutcome]) -> Vec<(&'a str, (Ink, Dash))> {
    let mut styles: Vec<(&str, (Ink, Dash))> = Vec::new();
    for version in services.iter().flat_map(|service| &service.versions) {
        if !styles.iter().any(|(known, _)| *known == version.version) {
            styles.push((&version.version, LINES[styles.len().min(LINES.len() - 1)]));
        }
    }
    styles
}

fn style(styles: &[(&str, (Ink, Dash))], version: &str) -> (Ink, Dash) {
    let known = styles.iter().find(|(known, _)| *known == version);
    known.map(|(_, style)| *style).expect("every version of every service has a style")
}

/// Attempts, shares and weights of every version in every step.
fn data(outcome: &Outcome, services: &[&ServiceOutcome]) -> Sheet {
    let t = &outcome.timeline;
    let mut csv = Sheet::new(["t_s", "service", "version", "attempts", "share", "configured_weight"]);
    for service in services {
        for i in 0..t.steps {
            let at = i as f64 * t.step.as_secs_f64();
            let total: u64 = service.versions.iter().map(|v| u64::from(nth(&v.attempts_per_step, i))).sum();
            for version in &service.versions {
                let n = nth(&version.attempts_per_step, i);
                let share = if total > 0 { csv::number(f64::from(n) / total as f64) } else { String::new() };
                let set = weight(outcome, service, &version.version, at).map_or(String::new(), csv::number);
                csv.row([csv::number(at), service.name.clone(), version.version.clone(), n.to_string(), share, set]);
            }
        }
    }
    csv
}

/// The rollout's weight as a step line, with a mark and its size at each change.
fn configured(plane: &frame::Plane<'_>, rollout: &RolloutOutcome, until: f64) {
    let style = Ink::Text.line(1.6, Dash::Dotted);
    let mut points = Vec::new();
    let mut last = 0.0;
    for (at, share) in &rollout.weights {
        let (x, y) = (at.as_secs_f64().min(until), share.as_f64() * 100.0);
        points.extend([(x, last), (x, y)]);
        last = y;
    }
    if let Some(&(first, _)) = points.first() {
        points.insert(0, (first, 0.0));
        if last > 0.0 {
            points.push((until, last));
        }
    }
    plane.line(points, style);
    // Rolling updates change the weight often; labels that would run into one another are left out.
    let mut free = f64::NEG_INFINITY;
    for (at, share) in &rollout.weights {
        let (x, y) = (at.as_secs_f64().min(until), share.as_f64() * 100.0);
        plane.dot((x, y), 3.2, Ink::Text.fill(1.0));
        if x >= free {
            let text = crate::number::percent(share.as_f64(), if (y - y.round()).abs() < 1e-6 { 0 } else { 1 });
            let near_end = x > until * 0.94;
            let (dx, side) = if near_end { (-6.0, HPos::Right) } else { (6.0, HPos::Left) };
            plane.label((x, y), (dx, if y > 88.0 { 10.0 } else { -9.0 }), &text, Ink::Text, side);
            free = x + until * 0.05;
        }
    }
}

/// The share a rollout had set for this version at `at` seconds, when one had.
fn weight(outcome: &Outcome, service: &ServiceOutcome, version: &str, at: f64) -> Option<f64> {
    let of_it = outcome.rollouts.iter().filter(|r| r.service == service.name);
    let mut found = None;
    for rollout in of_it.filter(|r| r.to == version || r.from == version) {
        if let Some((_, share)) = rollout.weights.iter().rev().find(|(set, _)| set.as_secs_f64() <= at) {
            let new = share.as_f64();
            found = Some(if rollout.to == version { new } else { 1.0 - new });
        }
    }
    found
}

fn percent(title: &str) -> Axis {
    let ticks = [0, 25, 50, 75, 100].map(|p| (f64::from(p), format!("{p} %")));
    Axis { title: title.into(), low: 0.0, high: 100.0, ticks: ticks.into(), grid: true }
}
