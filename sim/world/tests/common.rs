//! Small worlds for the tests of this crate, built in code: no file, no parser.

use base::{Dist, Duration, Instant, Ratio, ServiceId, VersionId};
use kernel::Link;
use world::outcome::Phases;
use world::spec::{
    Arrivals, Expect, GatewaySpec, LoadSpec, RegistrySpec, RolloutSpec, ServiceSpec, Spec, Spread, Target,
};
use world::spec::{CallSpec, InstanceTemplate, VersionSpec};

/// A service of `instances` instances with exponential work of a millisecond, one request at a time, no bound.
pub(crate) fn service(name: &str, instances: u32) -> ServiceSpec {
    ServiceSpec {
        name: name.into(),
        instances,
        concurrency: 1,
        processors: None,
        queue_limit: None,
        service_time: Dist::Exponential { mean: Duration::ms(1) },
        template: InstanceTemplate { start_up: Duration::secs(1), grace: Duration::secs(2), ..Default::default() },
        versions: vec![version("1.0.0")],
        calls: Vec::new(),
        balancer: balancer::Strategy::P2C,
        eligibility: None,
        policy: traffic::Policy::none(),
    }
}

/// A version that changes nothing.
pub(crate) fn version(number: &str) -> VersionSpec {
    VersionSpec { version: number.parse().unwrap(), error_rate: Ratio::ZERO, slowdown: 1.0, service_time: None }
}

/// An open source of Poisson arrivals at the first service.
pub(crate) fn poisson(rate: f64) -> LoadSpec {
    LoadSpec {
        name: "users".into(),
        target: Target::Service(ServiceId(0)),
        arrivals: Arrivals::Poisson { rate },
        sources: 1,
        spread: Spread::Random,
        keys: world::spec::RoutingKeys::Unique,
    }
}

/// A world without registry, network delay or faults, as the theory of queues wants it.
pub(crate) fn ideal(services: Vec<ServiceSpec>, load: LoadSpec, warmup: Duration, measured: Duration) -> Spec {
    let link = Link::new(Dist::Constant(Duration::ZERO));
    Spec {
        name: "test".into(),
        title: "a test".into(),
        phases: Phases { warmup, storm: measured, calm: Duration::ZERO },
        zones: vec!["a".into()],
        within_zone: link.clone(),
        between_zones: link,
        registry: None,
        services,
        gateway: None,
        loads: vec![load],
        rollouts: Vec::new(),
        faults: Vec::new(),
        expect: Expect::default(),
        drawn: Vec::new(),
        timeline_steps: 100,
    }
}

/// Three zones, a registry with watches, a gateway in front of a frontend that calls a backend; timeouts and retries.
pub(crate) fn stack() -> Spec {
    let mut frontend = service("frontend", 6);
    frontend.concurrency = 16;
    frontend.calls = vec![vec![CallSpec { service: ServiceId(1), optional: false }]];
    let mut backend = service("backend", 9);
    backend.concurrency = 8;
    backend.versions.push(VersionSpec { error_rate: Ratio::percent(5), ..version("1.1.0") });
    let mut policy = traffic::Policy::envoy();
    policy.timeout = Some(Duration::secs(1));
    for service in [&mut frontend, &mut backend] {
        service.policy = policy;
        service.service_time = Dist::lognormal(Duration::ms(4), Duration::ms(20));
    }
    let mut load = poisson(300.0);
    load.target = Target::Gateway { host: "shop.example".into(), path: "/shop/cart".into(), headers: Vec::new() };
    let mut spec = ideal(vec![frontend, backend], load, Duration::secs(5), Duration::secs(60));
    spec.phases.calm = Duration::secs(60);
    spec.zones = vec!["a".into(), "b".into(), "c".into()];
    spec.within_zone = Link::new(Dist::Constant(Duration::us(250)));
    spec.between_zones = Link::new(Dist::Constant(Duration::us(800)));
    let mut registrant = registry::registrant::Config::consul_ttl();
    registrant.heartbeat = Duration::secs(3);
    registrant.ttl = Some(Duration::secs(10));
    spec.registry = Some(RegistrySpec {
        servers: 1,
        server: registry::Config::consul_ttl(),
        registrant,
        resolver: registry::resolver::Config::consul(),
    });
    let matches = vec![traffic::Match::path(traffic::PathMatch::Prefix("/shop".into()))];
    let action = traffic::Action::to(ServiceId(0));
    spec.gateway = Some(GatewaySpec {
        spread: Spread::Random,
        instances: 2,
        client_timeout: None,
        routes: vec![traffic::Route { name: "shop".into(), matches, action }],
    });
    spec
}

/// A canary of the backend in two steps, judged by its success rate.
pub(crate) fn canary() -> RolloutSpec {
    use rollout::Step::{Hold, SetWeight};
    let steps = vec![
        SetWeight(Ratio::percent(10)),
        Hold(Duration::secs(10)),
        SetWeight(Ratio::percent(50)),
        Hold(Duration::secs(10)),
    ];
    RolloutSpec {
        service: ServiceId(1),
        to: VersionId(1),
        at: Instant::from_secs(10),
        strategy: rollout::Strategy::Canary { steps },
        analysis: Some(rollout::Analysis {
            success_rate_min: Some(Ratio::percent(99)),
            latency_p99_max: None,
            interval: Duration::secs(5),
            failures: 2,
            min_samples: 20,
            too_few: rollout::TooFew::Inconclusive,
        }),
        progress_deadline: Duration::secs(600),
        auto_rollback: true,
        min_ready: Duration::ZERO,
    }
}

/// A rolling update of the backend.
pub(crate) fn rolling() -> RolloutSpec {
    use rollout::IntOrPercent::Percent;
    let (max_surge, max_unavailable) = (Percent(Ratio::percent(25)), Percent(Ratio::percent(25)));
    RolloutSpec { strategy: rollout::Strategy::Rolling { max_surge, max_unavailable }, analysis: None, ..canary() }
}
