//! One object a run, for programs.
//!
//! The types here are twins of those in `world::outcome`, lowered by hand, so that a change inside the world never
//! changes what pipelines read without somebody deciding it. Keys are snake_case and carry their unit; they come in the
//! order written here; keys may be added, and those there are stay. A seed is a string, because most JSON readers keep
//! numbers as doubles and would round it.

use crate::section::{key, raw};
use base::{Duration, Instant};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::time::Duration as WallTime;
use world::outcome as world;

/// The run as one line of JSON without a line break at the end. `replay` is the command that runs it again, `wall` the
/// time it took on this machine.
pub fn run(outcome: &world::Outcome, replay: &str, wall: WallTime) -> String {
    serde_json::to_string(&record(outcome, replay, wall)).expect("strings, numbers and maps with string keys only")
}

/// The same object over many lines, with a line break at the end, for a file that people open.
pub fn run_pretty(outcome: &world::Outcome, replay: &str, wall: WallTime) -> String {
    let mut text = serde_json::to_string_pretty(&record(outcome, replay, wall))
        .expect("strings, numbers and maps with string keys only");
    text.push('\n');
    text
}

/// A map that keeps the order of its entries.
struct Ordered<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Ordered<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// What processes have to tell: by section, by table, rows with named fields.
type Sections = Ordered<String, Ordered<String, Vec<Ordered<String, serde_json::Value>>>>;

#[derive(serde::Serialize)]
struct Run<'a> {
    scenario: &'a str,
    title: &'a str,
    seed: String,
    fingerprint: String,
    verdict: &'static str,
    exit_code: u8,
    failure: Option<Failure<'a>>,
    simulated_s: f64,
    wall_s: f64,
    phases_s: Phases,
    events: u64,
    drawn: Vec<Drawn<'a>>,
    requests: Requests<'a>,
    latency_ms: Latency,
    services: Ordered<&'a str, Service<'a>>,
    checks: Vec<Check<'a>>,
    objectives: Vec<Objective<'a>>,
    rollouts: Vec<Rollout<'a>>,
    sections: Sections,
    faults: Vec<Fault<'a>>,
    exposure: Vec<Exposure<'a>>,
    replay: &'a str,
}

#[derive(serde::Serialize)]
struct Failure<'a> {
    kind: &'static str,
    name: &'a str,
    at_s: f64,
    event: u64,
    message: &'a str,
    replay: &'a str,
}

#[derive(serde::Serialize)]
struct Phases {
    warmup: f64,
    storm: f64,
    calm: f64,
}

#[derive(serde::Serialize)]
struct Drawn<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(serde::Serialize)]
struct Requests<'a> {
    sent: u64,
    succeeded: u64,
    failed: u64,
    unfinished: u64,
    errors: Ordered<&'a str, u64>,
    retries: u64,
}

#[derive(serde::Serialize)]
struct Latency {
    count: u64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
    /// Greater figures, and the mean, are lower bounds; null where everything had ended.
    exact_below: Option<f64>,
}

#[derive(serde::Serialize)]
struct Service<'a> {
    requests: Requests<'a>,
    latency_ms: Latency,
    success_latency_ms: Latency,
    versions: Ordered<&'a str, Version>,
    instances: Vec<Instance<'a>>,
}

#[derive(serde::Serialize)]
struct Version {
    attempts: u64,
    failed: u64,
}

#[derive(serde::Serialize)]
struct Instance<'a> {
    name: &'a str,
    version: &'a str,
    zone: &'a str,
    requests: u64,
    expired: u64,
    utilisation: f64,
    in_system: f64,
    in_system_max: u32,
}

#[derive(serde::Serialize)]
struct Check<'a> {
    kind: &'static str,
    name: &'a str,
    tested: u64,
    violations: u64,
    first: Option<Violation<'a>>,
}

#[derive(serde::Serialize)]
struct Violation<'a> {
    at_s: f64,
    event: u64,
    message: &'a str,
}

#[derive(serde::Serialize)]
struct Objective<'a> {
    service: &'a str,
    asked: &'a str,
    reached: &'a str,
    met: bool,
}

#[derive(serde::Serialize)]
struct Rollout<'a> {
    service: &'a str,
    from: &'a str,
    to: &'a str,
    phase: &'a str,
    history: Vec<Step<'a>>,
    weights: Vec<Weight>,
}

#[derive(serde::Serialize)]
struct Step<'a> {
    at_s: f64,
    what: &'a str,
}

#[derive(serde::Serialize)]
struct Weight {
    at_s: f64,
    share: f64,
}

#[derive(serde::Serialize)]
struct Fault<'a> {
    name: &'a str,
    kind: &'a str,
    what: &'a str,
    hit: Option<&'a str>,
    from_s: f64,
    until_s: f64,
}

#[derive(serde::Serialize)]
struct Exposure<'a> {
    instance: &'a str,
    died_s: f64,
    last_sent_s: Option<f64>,
    attempts: u64,
}

fn record<'a>(outcome: &'a world::Outcome, replay: &'a str, wall: WallTime) -> Run<'a> {
    let world::Phases { warmup, storm, calm } = outcome.run.phases;
    Run {
        scenario: &outcome.run.scenario,
        title: &outcome.run.title,
        seed: outcome.run.seed.to_string(),
        fingerprint: outcome.run.fingerprint.to_string(),
        verdict: outcome.verdict.name(),
        exit_code: outcome.verdict.exit_code(),
        failure: outcome.failure.as_ref().map(|f| Failure {
            kind: f.verdict.name(),
            name: &f.name,
            at_s: f.at.as_secs_f64(),
            event: f.event,
            message: &f.message,
            replay,
        }),
        simulated_s: outcome.run.simulated.as_secs_f64(),
        wall_s: wall.as_secs_f64(),
        phases_s: Phases { warmup: warmup.as_secs_f64(), storm: storm.as_secs_f64(), calm: calm.as_secs_f64() },
        events: outcome.run.events,
        drawn: outcome.run.drawn.iter().map(|(name, value)| Drawn { name, value }).collect(),
        requests: requests(&outcome.requests),
        latency_ms: latency(&outcome.latency),
        services: Ordered(outcome.services.iter().map(|s| (s.name.as_str(), service(s))).collect()),
        checks: outcome.checks.iter().map(check).collect(),
        objectives: outcome
            .objectives
            .iter()
            .map(|o| Objective { service: &o.service, asked: &o.asked, reached: &o.reached, met: o.met })
            .collect(),
        rollouts: outcome.rollouts.iter().map(rollout).collect(),
        sections: sections(outcome),
        faults: outcome
            .faults
            .iter()
            .map(|f| Fault {
                name: &f.name,
                kind: f.kind,
                what: &f.text,
                hit: f.hit.as_deref(),
                from_s: f.from.as_secs_f64(),
                until_s: f.until.as_secs_f64(),
            })
            .collect(),
        exposure: outcome
            .exposure
            .iter()
            .map(|e| Exposure {
                instance: &e.instance,
                died_s: e.died.as_secs_f64(),
                last_sent_s: e.last_sent.map(Instant::as_secs_f64),
                attempts: e.attempts,
            })
            .collect(),
        replay,
    }
}

fn sections(outcome: &world::Outcome) -> Sections {
    let name = |title: &str| title.replace(' ', "_");
    let row = |table: &world::Table, cells: &[world::Cell]| {
        Ordered(cells.iter().enumerate().map(|(i, cell)| (key(table, i), raw(cell))).collect())
    };
    let tables = |section: &world::Section| {
        let rows = |table: &world::Table| table.rows.iter().map(|cells| row(table, cells)).collect();
        Ordered(section.tables.iter().map(|table| (name(table.title), rows(table))).collect())
    };
    Ordered(outcome.sections.iter().map(|section| (name(section.title), tables(section))).collect())
}

fn requests(requests: &world::Requests) -> Requests<'_> {
    Requests {
        sent: requests.sent,
        succeeded: requests.succeeded,
        failed: requests.failed,
        unfinished: requests.unfinished,
        errors: Ordered(requests.errors.clone()),
        retries: requests.retries,
    }
}

fn latency(d: &world::Distribution) -> Latency {
    let ms = Duration::as_millis_f64;
    Latency {
        count: d.count,
        mean: ms(d.mean),
        p50: ms(d.p50),
        p90: ms(d.p90),
        p99: ms(d.p99),
        p999: ms(d.p999),
        max: ms(d.max),
        exact_below: d.exact_below.map(ms),
    }
}

fn service(service: &world::ServiceOutcome) -> Service<'_> {
    Service {
        requests: requests(&service.requests),
        latency_ms: latency(&service.latency),
        success_latency_ms: latency(&service.success_latency),
        versions: Ordered(
            service
                .versions
                .iter()
                .map(|v| (v.version.as_str(), Version { attempts: v.attempts, failed: v.failed }))
                .collect(),
        ),
        instances: service
            .instances
            .iter()
            .map(|i| Instance {
                name: &i.name,
                version: &i.version,
                zone: &i.zone,
                requests: i.requests,
                expired: i.expired,
                utilisation: i.utilisation,
                in_system: i.in_system,
                in_system_max: i.in_system_max,
            })
            .collect(),
    }
}

fn check(check: &world::Check) -> Check<'_> {
    Check {
        kind: check.kind.name(),
        name: check.name,
        tested: check.tested,
        violations: check.violations,
        first: check.first.as_ref().map(|v| Violation {
            at_s: v.at.as_secs_f64(),
            event: v.event,
            message: &v.message,
        }),
    }
}

fn rollout(rollout: &world::RolloutOutcome) -> Rollout<'_> {
    Rollout {
        service: &rollout.service,
        from: &rollout.from,
        to: &rollout.to,
        phase: rollout.phase,
        history: rollout.history.iter().map(|(at, what)| Step { at_s: at.as_secs_f64(), what }).collect(),
        weights: rollout
            .weights
            .iter()
            .map(|(at, share)| Weight { at_s: at.as_secs_f64(), share: share.as_f64() })
            .collect(),
    }
}
