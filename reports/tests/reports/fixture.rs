//! A run made by hand, shaped like the weather scenario: a frontend calls a backend, a canary with a bug is rolled
//! back, an instance crashes and a zone is cut off. No simulator is needed to test what is written about a run.

use base::{Duration, Fingerprint, Instant, Ratio, Rng, Seed, math};
use world::outcome::*;
use world::telemetry::Latency;

/// Steps of a second.
const STEPS: usize = 250;

/// The weather run: everything promised held.
pub(crate) fn weather() -> Outcome {
    let mut rng = Seed(42).stream("fixture");
    let mut timeline = timeline(&mut rng);
    let backend = backend(&mut rng);
    let frontend = frontend(&mut rng);
    let sum = |counts: &[u32]| counts[10..].iter().map(|&n| u64::from(n)).sum::<u64>();
    let errors: Vec<(&'static str, u64)> = timeline.failed.iter().map(|(name, n)| (*name, sum(n))).collect();
    let failed = errors.iter().map(|(_, n)| n).sum();
    let succeeded = sum(&timeline.succeeded);
    timeline.arrived = (0..STEPS)
        .map(|i| timeline.succeeded[i] + timeline.failed.iter().map(|(_, counts)| counts[i]).sum::<u32>())
        .collect();
    let mut fingerprint = Fingerprint::EMPTY;
    fingerprint.fold(42);
    let s = Instant::from_secs;
    Outcome {
        run: RunFacts {
            scenario: "weather".into(),
            title: "A forecast canary with a 2 % bug meets a crash and a zone partition".into(),
            seed: Seed(42),
            fingerprint,
            phases: Phases { warmup: Duration::secs(10), storm: Duration::secs(180), calm: Duration::secs(60) },
            simulated: Duration::secs(250),
            events: 4_129_071,
            drawn: vec![
                ("load.visitors.rate".into(), "612/s".into()),
                ("fault.crash-1.at".into(), "52.204s".into()),
                ("fault.partition-1.at".into(), "131.377s".into()),
            ],
        },
        verdict: Verdict::Passed,
        failure: None,
        requests: Requests { sent: succeeded + failed, succeeded, failed, unfinished: 0, errors, retries: 1_203 },
        latency: distribution(succeeded + failed, 14.0, 0.62, 1_204.0),
        services: vec![frontend, backend],
        checks: checks(),
        objectives: vec![
            Objective {
                service: "frontend".into(),
                asked: "success >= 99.5%".into(),
                reached: "99.71%".into(),
                met: true,
            },
            Objective { service: "frontend".into(), asked: "p99 <= 120ms".into(), reached: "58.3ms".into(), met: true },
        ],
        sections: vec![registry()],
        rollouts: vec![RolloutOutcome {
            service: "backend".into(),
            from: "1.0.0".into(),
            to: "1.1.0".into(),
            phase: "rolled-back",
            history: vec![
                (s(40), "started: canary 1.0.0 → 1.1.0, 2 instances added".into()),
                (s(44), "weight 5 %, held for 30 s".into()),
                (s(74), "analysis passed: success 99.2 % over 1,402 requests".into()),
                (s(74), "weight 25 %, held for 30 s".into()),
                (s(94), "analysis failed 3 times: success 97.9 % of 2,930 requests is below 99 %".into()),
                (s(94), "rolling back: weight 0 %".into()),
                (s(99), "rolled back: 1.1.0 removed, 1.0.0 serves everything again".into()),
            ],
            weights: vec![(s(44), Ratio::percent(5)), (s(74), Ratio::percent(25)), (s(94), Ratio::ZERO)],
        }],
        faults: vec![
            FaultWindow {
                name: "crash-1".into(),
                kind: "crash",
                text: "one of backend (machine)".into(),
                hit: Some("backend-2".into()),
                from: Instant::from_millis(52_204),
                until: Instant::from_millis(67_204),
            },
            FaultWindow {
                name: "partition-1".into(),
                kind: "partition",
                text: "zone b is cut off from zones a and c".into(),
                hit: None,
                from: Instant::from_millis(131_377),
                until: Instant::from_millis(151_377),
            },
        ],
        timeline,
        exposure: vec![Exposure {
            instance: "backend-2".into(),
            died: Instant::from_millis(52_204),
            last_sent: Some(Instant::from_millis(54_871)),
            attempts: 271,
        }],
    }
}

/// The same run, but the canary took more than its share.
pub(crate) fn broken() -> Outcome {
    let mut outcome = weather();
    let message = "canary 1.1.0 served 26.1 % of backend, its budget is 5 % ± 2 %: the gateway went on using weights \
                   of a configuration it had been told to drop"
        .to_string();
    let at = Instant::from_millis(44_018);
    outcome.verdict = Verdict::Safety;
    outcome.failure = Some(Failure {
        verdict: Verdict::Safety,
        name: "rollout_within_budget".into(),
        at,
        event: 412_907,
        message: message.clone(),
    });
    outcome.checks[1].violations = 3;
    outcome.checks[1].first = Some(Violation { at, event: 412_907, message });
    let check = outcome.checks.iter_mut().find(|c| c.name == "breaker_opened").expect("the fixture has it");
    (check.tested, check.violations) = (0, 1);
    outcome.objectives[1].met = false;
    outcome.objectives[1].reached = "131ms".into();
    outcome
}

/// What two registry servers have to tell: everything that a section can hold.
fn registry() -> Section {
    let row = |name: &str, listed| {
        let cells =
            [Cell::Count(listed), Cell::Span(Duration::us(412)), Cell::Share(Ratio::percent(98)), Cell::Number(0.5)];
        [Cell::Text(name.into())].into_iter().chain(cells).collect()
    };
    let line = |name: &str, points: &[(u64, f64)]| Series {
        measure: "instances listed",
        name: name.into(),
        points: points.iter().map(|&(at, value)| (Instant::from_secs(at), value)).collect(),
    };
    Section {
        title: "registry",
        note: "What each server listed at the end.",
        tables: vec![Table {
            title: "servers",
            columns: &["server", "listed", "answer", "kept", "log MB"],
            rows: vec![row("registry-1", 9_341), row("registry-2", 7)],
        }],
        series: vec![
            line("registry-1", &[(0, 9.0), (52, 8.0), (72, 9.0)]),
            line("registry-2", &[(0, 9.0), (131, 3.0), (171, 9.0)]),
        ],
    }
}

/// A run in which nothing happened at all.
pub(crate) fn empty() -> Outcome {
    Outcome {
        run: RunFacts {
            scenario: "empty".into(),
            title: String::new(),
            seed: Seed(u64::MAX),
            fingerprint: Fingerprint::EMPTY,
            phases: Phases { warmup: Duration::ZERO, storm: Duration::ZERO, calm: Duration::ZERO },
            simulated: Duration::ZERO,
            events: 0,
            drawn: Vec::new(),
        },
        verdict: Verdict::Passed,
        failure: None,
        requests: Requests::default(),
        latency: Distribution::default(),
        services: Vec::new(),
        checks: Vec::new(),
        objectives: Vec::new(),
        sections: Vec::new(),
        rollouts: Vec::new(),
        faults: Vec::new(),
        timeline: Timeline::default(),
        exposure: Vec::new(),
    }
}

/// What every name and text of a run is replaced with to see whether the writers keep it from doing harm.
pub(crate) const HOSTILE: &str = "</script><script>alert(\"1\")</script>&amp;'\u{1b}[31m, Ωß 天気 🌩";

/// The broken run with a hostile text wherever a scenario file or a core could put one.
pub(crate) fn hostile() -> Outcome {
    let mut outcome = broken();
    let bad = || HOSTILE.to_string();
    outcome.run.scenario = bad();
    outcome.run.title = bad();
    outcome.run.drawn.push((bad(), bad()));
    let failure = outcome.failure.as_mut().expect("the broken run has one");
    (failure.name, failure.message) = (bad(), bad());
    for (i, service) in outcome.services.iter_mut().enumerate() {
        service.name = format!("{HOSTILE}{i}");
        service.versions.iter_mut().for_each(|v| v.version = bad());
        for instance in &mut service.instances {
            (instance.name, instance.version, instance.zone) = (bad(), bad(), bad());
        }
    }
    outcome.sections[0].tables[0].rows[0][0] = Cell::Text(bad());
    outcome.sections[0].series[0].name = bad();
    for objective in &mut outcome.objectives {
        (objective.service, objective.asked, objective.reached) = (bad(), bad(), bad());
    }
    for rollout in &mut outcome.rollouts {
        (rollout.service, rollout.from, rollout.to) = (bad(), bad(), bad());
        rollout.history.iter_mut().for_each(|(_, text)| *text = bad());
    }
    for fault in &mut outcome.faults {
        (fault.name, fault.text) = (bad(), bad());
    }
    outcome.exposure.iter_mut().for_each(|e| e.instance = bad());
    outcome
}

/// The weather run under `n` faults, every third of them a moment only.
pub(crate) fn with_faults(n: u64) -> Outcome {
    let mut outcome = weather();
    outcome.faults = (0..n)
        .map(|i| {
            let from = Instant::from_millis(10_000 + i * 179_000 / n);
            let lasts = if i % 3 == 0 { Duration::ZERO } else { Duration::secs(3 + i % 20) };
            FaultWindow {
                name: format!("{}-{i}", if i % 3 == 0 { "clock-step" } else { "partition" }),
                kind: if i % 3 == 0 { "clock-step" } else { "partition" },
                text: "drawn from the seed".into(),
                hit: None,
                from,
                until: from + lasts,
            }
        })
        .collect();
    outcome
}

/// The weather run with one service of `n` instances.
pub(crate) fn with_instances(n: usize) -> Outcome {
    let mut outcome = weather();
    outcome.services.truncate(1);
    let like = outcome.services[0].instances[0].clone();
    outcome.services[0].instances = (0..n)
        .map(|i| {
            let mut one = like.clone();
            one.name = format!("frontend-{i}");
            one.requests_per_step.iter_mut().enumerate().for_each(|(t, c)| *c += ((t / 9 + i * 7) % 23) as u32);
            one
        })
        .collect();
    outcome
}

fn normal(rng: &mut Rng) -> f64 {
    base::dist::unit_normal(rng)
}

fn about(rng: &mut Rng, mean: f64) -> u32 {
    (mean + normal(rng) * mean.sqrt()).round().max(0.0) as u32
}

fn timeline(rng: &mut Rng) -> Timeline {
    let ms = |x: f64| Duration::from_secs_f64(x / 1e3);
    let mut t = Timeline { step: Duration::secs(1), steps: STEPS, ..Timeline::default() };
    let (mut timeout, mut refused, mut error) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..STEPS {
        let crash = (52..=56).contains(&i);
        let cut = (131..=151).contains(&i);
        let canary = match i {
            44..=73 => 0.05,
            74..=93 => 0.25,
            _ => 0.0,
        };
        let busy = 1.0 + 0.12 * math::sin(i as f64 / 22.0);
        t.succeeded.push(about(rng, 610.0 * busy - if cut { 30.0 } else { 0.0 }));
        timeout.push(if cut { about(rng, 18.0 * (1.0 - f64::from(i as u32 - 131) / 24.0)) } else { 0 });
        refused.push(if crash { about(rng, 45.0 / f64::from(i as u32 - 50)) } else { 0 });
        error.push(if canary > 0.0 { about(rng, 610.0 * canary * 0.02) } else { 0 });
        let slow = 1.0 + if crash { 0.5 } else { 0.0 } + if cut { 0.8 } else { 0.0 };
        t.mean.push(ms(15.0 * busy * slow));
        t.p50.push(ms(13.0 * busy * slow * (1.0 + 0.03 * normal(rng))));
        let p99 = 52.0 * busy * slow * slow * (1.0 + 0.08 * normal(rng)) + if cut { 180.0 } else { 0.0 };
        t.p99.push(ms(p99));
        t.max.push(ms((p99 * (1.7 + normal(rng).abs())).min(1_204.0)));
        t.in_flight.push(about(rng, 9.5 * busy * slow * if cut { 3.0 } else { 1.0 }));
    }
    t.failed = vec![("timeout", timeout), ("unavailable", refused), ("error", error)];
    t
}

/// A lognormal distribution of spans in milliseconds, cut at `max`.
fn distribution(count: u64, p50: f64, sigma: f64, max: f64) -> Distribution {
    let ms = |x: f64| Duration::from_secs_f64(x / 1e3);
    let at = |p: f64| {
        let span = p50 * math::exp(sigma * math::normal_quantile(p.clamp(0.002, 1.0 - 1e-9)));
        ms(if p > 0.999 { span * (1.0 + (p - 0.999) * 4_000.0) } else { span }.min(max))
    };
    let mut shares: Vec<f64> = (0..20).map(|i| f64::from(i) / 40.0).collect();
    for nines in 0..4 {
        let tail = math::pow(10.0, -f64::from(nines)) / 2.0;
        shares.extend((0..20).map(|i| 1.0 - tail * math::pow(10.0, -f64::from(i) / 20.0)));
    }
    let mut curve: Vec<(f64, Duration)> = shares.into_iter().map(|p| (p, at(p))).collect();
    curve.push((1.0, ms(max)));
    let mean = ms(p50 * math::exp(sigma * sigma / 2.0));
    // As many latencies as a picture of the law needs stand for all.
    let mut some = Latency::new();
    (0..2_000).for_each(|i| some.record(at((f64::from(i) + 0.5) / 2_000.0)));
    Distribution {
        count,
        mean,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        max: ms(max),
        exact_below: None,
        curve,
        profile: some.profile(),
        sum_ns: some.sum_nanos(),
    }
}

fn service(name: &str, p50: f64, versions: Vec<VersionOutcome>, instances: Vec<InstanceOutcome>) -> ServiceOutcome {
    let failed = versions.iter().map(|v| v.failed).sum::<u64>();
    let sent = versions.iter().map(|v| v.attempts).sum::<u64>();
    ServiceOutcome {
        balancing: Default::default(),
        latency_per_step: Vec::new(),
        name: name.into(),
        requests: Requests {
            sent,
            succeeded: sent - failed,
            failed,
            unfinished: 0,
            errors: if failed > 0 { vec![("error", failed)] } else { Vec::new() },
            retries: 0,
        },
        latency: distribution(sent, p50, 0.62, 1_004.0),
        success_latency: distribution(sent - failed, p50, 0.62, 1_004.0),
        versions,
        instances,
    }
}

fn version(version: &str, per_step: Vec<u32>, failed: u64) -> VersionOutcome {
    let attempts = per_step[10..].iter().map(|&n| u64::from(n)).sum();
    VersionOutcome { version: version.into(), attempts, failed, attempts_per_step: per_step }
}

fn instance(name: String, version: &str, zone: usize, per_step: Vec<u32>, busy: f64) -> InstanceOutcome {
    let requests = per_step[10..].iter().map(|&n| u64::from(n)).sum();
    InstanceOutcome {
        name,
        version: version.into(),
        zone: ["a", "b", "c"][zone % 3].into(),
        requests,
        expired: 0,
        utilisation: busy,
        in_system: busy * 5.2,
        in_system_max: (busy * 40.0) as u32,
        in_system_max_measured: (busy * 38.0) as u32,
        created_in_step: per_step.iter().position(|&n| n > 0).unwrap_or(0),
        in_system_per_step: per_step.iter().map(|&n| (f64::from(n) * busy / 20.0) as u32).collect(),
        requests_per_step: per_step,
    }
}

fn frontend(rng: &mut Rng) -> ServiceOutcome {
    let per_step = |rng: &mut Rng, i: usize| -> Vec<u32> {
        (0..STEPS).map(|t| about(rng, if (131..151).contains(&t) && i == 1 { 0.0 } else { 204.0 })).collect()
    };
    let instances: Vec<_> =
        (0..3).map(|i| instance(format!("frontend-{i}"), "2.0.0", i, per_step(rng, i), 0.51)).collect();
    let total = (0..STEPS).map(|t| instances.iter().map(|i| i.requests_per_step[t]).sum()).collect();
    service("frontend", 14.0, vec![version("2.0.0", total, 0)], instances)
}

fn backend(rng: &mut Rng) -> ServiceOutcome {
    let canary = |t: usize| match t {
        44..=73 => 0.05,
        74..=93 => 0.25,
        _ => 0.0,
    };
    let mut instances = Vec::new();
    for i in 0..6 {
        let per_step = (0..STEPS)
            .map(|t| {
                let dead = (i == 2 && (55..68).contains(&t)) || (i % 3 == 1 && (134..151).contains(&t));
                let alive = if (134..151).contains(&t) { 4.0 } else { 6.0 };
                if dead { 0 } else { about(rng, 612.0 * (1.0 - canary(t)) / alive) }
            })
            .collect();
        instances.push(instance(format!("backend-{i}"), "1.0.0", i, per_step, 0.62));
    }
    for i in 6..8 {
        let per_step = (0..STEPS).map(|t| about(rng, 306.0 * canary(t))).collect();
        instances.push(instance(format!("backend-{i}"), "1.1.0", i, per_step, 0.34));
    }
    let total = |instances: &[InstanceOutcome]| -> Vec<u32> {
        (0..STEPS).map(|t| instances.iter().map(|i| i.requests_per_step[t]).sum()).collect()
    };
    let (old, new) = (total(&instances[..6]), total(&instances[6..]));
    service("backend", 8.0, vec![version("1.0.0", old, 402), version("1.1.0", new, 83)], instances)
}

fn checks() -> Vec<Check> {
    let check = |kind, name, tested| Check { kind, name, tested, violations: 0, first: None };
    vec![
        check(CheckKind::Always, "every_request_ends_once", 153_204),
        check(CheckKind::Always, "rollout_within_budget", 1_204),
        check(CheckKind::Always, "no_route_to_the_dead", 154_407),
        check(CheckKind::Eventually, "views_converge", 5),
        check(CheckKind::Eventually, "rollout_settles", 1),
        check(CheckKind::Sometimes, "rollout_rolled_back", 1),
        check(CheckKind::Sometimes, "breaker_opened", 4),
    ]
}
