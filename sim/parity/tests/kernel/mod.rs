//! The first opinion: one description as a world's, its translation for madsim, and the facts of the kernel's run.

use base::{Dist, Duration, InstanceId, Instant, Ratio, Seed, ServiceId, VersionId, ZoneId};
use parity::facts::{lifelines, listed, story};
use parity::{Facts, Fault, FaultKind, Setup, Whom};
use world::kernel::trace::{Level, Window};
use world::kernel::{self, Crash, FaultKind as Planned, Link, Path, Selector, fault};
use world::outcome::{CheckKind, Phases};
use world::spec::{
    Arrivals, Expect, InstanceTemplate, LoadSpec, RegistrySpec, RolloutSpec, ServiceSpec, Spec, Spread, Target,
    VersionSpec,
};
use world::{Options, Sabotage, registry, rollout, traffic};

/// How long a lease lasts in these scenarios, and how often it is renewed.
pub(crate) const TTL: Duration = Duration::secs(10);
pub(crate) const HEARTBEAT: Duration = Duration::secs(3);

/// Calls per second, over all callers.
const RATE: u32 = 300;
const CALLERS: u32 = 2;
/// What a zone is called, by id.
const ZONES: [&str; 3] = ["a", "b", "c"];

/// The weather's backend without its frontend: six instances in three zones behind a registry, called by two callers.
pub(crate) fn calm(seconds: u64) -> Spec {
    let mut policy = traffic::Policy::none();
    policy.timeout = Some(Duration::secs(1));
    let backend = ServiceSpec {
        name: "backend".into(),
        instances: 6,
        concurrency: 16,
        processors: None,
        queue_limit: None,
        service_time: Dist::Constant(Duration::ms(5)),
        template: InstanceTemplate { start_up: Duration::secs(2), grace: Duration::secs(5), ..Default::default() },
        versions: vec![version("1.0.0", Ratio::ZERO)],
        calls: Vec::new(),
        balancer: world::balancer::Strategy::ROUND_ROBIN,
        eligibility: None,
        policy,
    };
    let registrant = registry::registrant::Config {
        ttl: Some(TTL),
        heartbeat: HEARTBEAT,
        ..registry::registrant::Config::consul_ttl()
    };
    Spec {
        name: "weather-parity".into(),
        title: "the weather's backend under two simulators".into(),
        phases: Phases { warmup: Duration::ZERO, storm: Duration::secs(seconds), calm: Duration::ZERO },
        zones: ZONES.map(String::from).to_vec(),
        within_zone: Link::new(Dist::Constant(Duration::us(250))),
        between_zones: Link::new(Dist::Constant(Duration::ms(1))),
        registry: Some(RegistrySpec {
            servers: 1,
            server: registry::Config::consul_ttl(),
            registrant,
            resolver: registry::resolver::Config::consul(),
        }),
        services: vec![backend],
        gateway: None,
        loads: vec![LoadSpec {
            name: "callers".into(),
            target: Target::Service(ServiceId(0)),
            arrivals: Arrivals::Constant { rate: f64::from(RATE) },
            sources: CALLERS,
            spread: Spread::InTurn,
            keys: world::spec::RoutingKeys::Unique,
        }],
        rollouts: Vec::new(),
        faults: Vec::new(),
        expect: Expect {
            checks: [
                (CheckKind::Eventually, "views_converge"),
                (CheckKind::Eventually, "rollout_settles"),
                (CheckKind::Eventually, "rollback_restores"),
            ]
            .map(|(kind, name)| (kind, name.to_string()))
            .to_vec(),
            objectives: Vec::new(),
        },
        drawn: Vec::new(),
        timeline_steps: 10,
    }
}

fn version(number: &str, error_rate: Ratio) -> VersionSpec {
    VersionSpec { version: number.parse().expect("a version"), error_rate, slowdown: 1.0, service_time: None }
}

/// The weather: a canary from 1.0.0 to 1.1.0, whose requests fail with the chance `bug`; an instance dies and comes
/// back, and a zone is cut off while the canary is at work. Zone c holds neither the registry nor a caller nor, at that
/// time, a canary.
pub(crate) fn weather(bug: Ratio) -> Spec {
    use rollout::Step::{Hold, SetWeight};
    let mut spec = calm(220);
    spec.services[0].versions.push(version("1.1.0", bug));
    let steps = vec![
        SetWeight(Ratio::percent(20)),
        Hold(Duration::secs(80)),
        SetWeight(Ratio::percent(50)),
        Hold(Duration::secs(20)),
    ];
    spec.rollouts.push(RolloutSpec {
        service: ServiceId(0),
        to: VersionId(1),
        at: Instant::from_secs(30),
        strategy: rollout::Strategy::Canary { steps },
        // Some 600 calls a check: a bug of 2 % fails 19 of 20 checks, and the hold has room for eight.
        analysis: Some(rollout::Analysis {
            success_rate_min: Some(Ratio::percent(99)),
            latency_p99_max: None,
            interval: Duration::secs(10),
            failures: 3,
            min_samples: 100,
            too_few: rollout::TooFew::Inconclusive,
        }),
        progress_deadline: Duration::secs(600),
        auto_rollback: true,
        min_ready: Duration::ZERO,
    });
    spec.faults = vec![crash("backend-2", 20, 20), cut_off_zone_c(50, 20)];
    spec
}

/// The backend of `scenarios/weather.toml` with that file's numbers: steps, analysis, times, and faults at another
/// moment and of another victim for each seed. Its checks see few calls, so its way is not the same twice; its end is.
pub(crate) fn weather_as_filed(seed: u64) -> Spec {
    use rollout::Step::{Hold, SetWeight};
    let mut spec = weather(Ratio::percent(2));
    spec.phases.storm = Duration::secs(250);
    let backend = &mut spec.services[0];
    (backend.instances, backend.concurrency) = (12, 8);
    backend.service_time = Dist::lognormal(Duration::ms(8), Duration::ms(40));
    (spec.loads[0].sources, spec.loads[0].arrivals) = (3, Arrivals::Constant { rate: 350.0 });
    let hold = Hold(Duration::secs(30));
    let steps = vec![SetWeight(Ratio::percent(5)), hold, SetWeight(Ratio::percent(25)), hold];
    spec.rollouts[0].strategy = rollout::Strategy::Canary { steps };
    let victim = format!("backend-{}", 1 + seed * 5 % 12);
    spec.faults = vec![crash(&victim, 20 + seed * 7 % 20, 30), cut_off_zone_c(120 + seed * 3 % 10, 15)];
    spec
}

/// A rolling update of the same service to a version without a bug, in calm weather.
pub(crate) fn rolling() -> Spec {
    use rollout::IntOrPercent::Percent;
    let mut spec = weather(Ratio::ZERO);
    spec.faults.clear();
    let quarter = Percent(Ratio::percent(25));
    spec.rollouts[0].strategy = rollout::Strategy::Rolling { max_surge: quarter, max_unavailable: quarter };
    spec.rollouts[0].analysis = None;
    spec
}

/// A fault with a name of its own.
pub(crate) fn fault(name: &str, at: u64, lasts: u64, kind: kernel::FaultKind) -> kernel::Fault {
    let (at, lasts) = (Instant::from_secs(at), Some(Duration::secs(lasts)));
    kernel::Fault { name: format!("{} {name}", kind.name()), at, lasts, kind }
}

/// The machine behind a node goes down, from second `at` on and for `lasts` seconds.
pub(crate) fn crash(name: &str, at: u64, lasts: u64) -> kernel::Fault {
    fault(name, at, lasts, fault::Crash { whom: Selector::Name(name.into()), how: Crash::Machine }.into())
}

/// A node freezes.
pub(crate) fn pause(name: &str, at: u64, lasts: u64) -> kernel::Fault {
    fault(name, at, lasts, fault::Pause { whom: Selector::Name(name.into()) }.into())
}

/// Nothing reaches or leaves a node.
pub(crate) fn clog(name: &str, at: u64, lasts: u64) -> kernel::Fault {
    fault(name, at, lasts, fault::Clog { whom: Selector::Name(name.into()) }.into())
}

/// Nothing passes between zone c and the others.
pub(crate) fn cut_off_zone_c(at: u64, lasts: u64) -> kernel::Fault {
    let zone = Selector::Zone(ZoneId(2));
    let path = Path { from: zone.clone(), to: Selector::Not(Box::new(zone)), one_way: false };
    fault("zone c", at, lasts, fault::Partition { path }.into())
}

/// The same in madsim's words. Panics at what has no counterpart there: this is a translation, not a model.
pub(crate) fn translated(spec: &Spec) -> Setup {
    let [service] = &spec.services[..] else { panic!("parity knows one service") };
    let [LoadSpec { arrivals: Arrivals::Constant { rate }, sources, .. }] = &spec.loads[..] else {
        panic!("parity knows one even source")
    };
    let servers = spec.registry.as_ref().expect("parity is about the registry");
    let rollout = spec.rollouts.first().map(|asked| {
        let mut plan =
            rollout::Plan::new(asked.service, VersionId(0), asked.to, service.instances, asked.strategy.clone());
        plan.analysis = asked.analysis;
        plan.progress_deadline = asked.progress_deadline;
        (asked.at, plan)
    });
    Setup {
        zones: spec.zones.len() as u32,
        length: spec.phases.total(),
        service: ServiceId(0),
        versions: service.versions.iter().map(|v| v.version.to_string()).collect(),
        error_rates: service.versions.iter().map(|v| v.error_rate).collect(),
        instances: service.instances,
        service_time: service.service_time.clone(),
        start_up: service.template.start_up,
        grace: service.template.grace,
        callers: *sources,
        call_every: Duration::from_secs_f64(f64::from(*sources) / rate),
        call_timeout: service.policy.timeout.expect("callers have a limit to their patience"),
        registry: servers.server.clone(),
        registrant: servers.registrant,
        resolver: servers.resolver,
        rollout,
        faults: spec.faults.iter().map(translated_fault).collect(),
        plant: None,
    }
}

fn translated_fault(fault: &kernel::Fault) -> Fault {
    let named = |name: &str| {
        let number = |prefix: &str| name.strip_prefix(prefix).and_then(|n| n.parse::<u32>().ok()).map(|n| n - 1);
        match name {
            "registry-1" => Whom::Registry,
            "controller" => Whom::Controller,
            _ => (number("backend-").map(|n| Whom::Instance(InstanceId(n))))
                .or(number("load-callers-").map(Whom::Caller))
                .unwrap_or_else(|| panic!("parity knows no {name}")),
        }
    };
    let kind = match &fault.kind {
        Planned::Crash(fault::Crash { whom: Selector::Name(name), how: _ }) => FaultKind::Kill(named(name)),
        Planned::Pause(fault::Pause { whom: Selector::Name(name) }) => FaultKind::Pause(named(name)),
        Planned::Clog(fault::Clog { whom: Selector::Name(name) }) => FaultKind::Clog(named(name)),
        Planned::Partition(fault::Partition {
            path: Path { from: Selector::Zone(zone), to: Selector::Not(of), one_way: false },
        }) if **of == Selector::Zone(*zone) => FaultKind::CutOff(*zone),
        other => panic!("madsim has no {other}"),
    };
    Fault { at: fault.at, lasts: fault.lasts.expect("every fault ends"), kind }
}

/// Runs a spec by the kernel and takes the facts from what it tells anybody: its outcome and its trace.
pub(crate) fn run(spec: &Spec, seed: u64, sabotage: Option<Sabotage>) -> Facts {
    let trace = Level::Entries { window: Window::ALL, cap: usize::MAX, without: &[] };
    let run = world::run(spec, Seed(seed), &Options { trace, sabotage, ..Options::default() });
    let of = |kind: &'static str| run.trace.entries().iter().filter(move |entry| entry.kind == kind);
    let versions: Vec<String> = spec.services[0].versions.iter().map(|v| v.version.to_string()).collect();
    let instances = &run.outcome.services[0].instances;
    let lifelines = lifelines(of("registry").map(|entry| (entry.at, entry.text.as_str())));
    let held = of("lock").fold(false, |held, entry| {
        let word = |word: &str| entry.text.split(' ').nth(1) == Some(word);
        if word("acquired") { true } else { held && !word("released") && !word("lost") }
    });
    let rollout = run.outcome.rollouts.first();
    // The invariant says exactly this: the registry lists the living, and each caller sees whom it lists.
    let unbroken = |name: &str| {
        let check = run.outcome.checks.iter().find(|check| check.name == name).expect("it is asked for");
        assert!(check.tested > 0 || name != "views_converge", "{name} was never tested");
        check.violations == 0
    };
    Facts {
        phase: rollout.map(|r| r.phase.to_string()),
        history: rollout.map_or(Vec::new(), |r| r.history.iter().map(|(_, text)| story(text, &versions)).collect()),
        weights: rollout.map_or(Vec::new(), |r| r.weights.iter().map(|(_, share)| *share).collect()),
        listed: listed(&lifelines).map(|id| (id, instances[id.index()].version.clone())).collect(),
        converged: unbroken("views_converge") && unbroken("rollback_restores"),
        lock_free: !held,
        lifelines,
    }
}
