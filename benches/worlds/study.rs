//! The balancing study as a world: the model of the yardstick, said in a [`Spec`].
//!
//! One zone with a constant latency, one load source that chooses instances itself, no registry and no policy. The
//! world still does what it always does: fingerprint, timeline, areas for Little's law, and every `always` invariant.

use base::{Dist, Duration, Ratio, ServiceId};
use benches::Model;
use world::Spec;
use world::kernel::Link;
use world::outcome::Phases;
use world::spec::{Arrivals, Expect, InstanceTemplate, LoadSpec, ServiceSpec, Spread, Target, VersionSpec};

/// `model` as a world.
pub(crate) fn world(model: &Model) -> Spec {
    let link = Link::new(Dist::Constant(model.hop));
    let first = VersionSpec {
        version: "1.0.0".parse().expect("a version"),
        error_rate: Ratio::ZERO,
        slowdown: 1.0,
        service_time: None,
    };
    let service = ServiceSpec {
        name: "checkout".into(),
        instances: model.servers,
        concurrency: 1,
        processors: None,
        queue_limit: None,
        service_time: Dist::Exponential { mean: model.service },
        template: InstanceTemplate { start_up: Duration::secs(1), grace: Duration::secs(2), ..Default::default() },
        versions: vec![first],
        calls: Vec::new(),
        balancer: balancer::Strategy::P2C,
        eligibility: None,
        policy: world::traffic::Policy::none(),
    };
    let shoppers = LoadSpec {
        name: "shoppers".into(),
        target: Target::Service(ServiceId(0)),
        arrivals: Arrivals::Poisson { rate: model.rate() },
        sources: 1,
        spread: Spread::Random,
        keys: world::spec::RoutingKeys::Unique,
    };
    Spec {
        name: "study".into(),
        title: "The balancing study".into(),
        phases: Phases { warmup: model.warmup, storm: model.lasts.saturating_sub(model.warmup), calm: Duration::ZERO },
        zones: vec!["a".into()],
        within_zone: link.clone(),
        between_zones: link,
        registry: None,
        services: vec![service],
        gateway: None,
        loads: vec![shoppers],
        rollouts: Vec::new(),
        faults: Vec::new(),
        expect: Expect::default(),
        drawn: Vec::new(),
        timeline_steps: 60,
    }
}
