//! The same servers behind a complete stack: everything on that an ordinary scenario has.
//!
//! Load goes to four gateways, which follow the frontend's instances in a registry by watch, route by path, choose by
//! two choices, and treat every call by a policy with deadline, retries under a budget, a circuit breaker and limits.
//! The instances register and renew. Nothing fails, so this is what being ready for failure costs. A request crosses
//! the network four times instead of two.

use crate::study;
use base::{Duration, ServiceId};
use benches::Model;
use world::Spec;
use world::registry::{self, registrant, resolver};
use world::spec::{GatewaySpec, RegistrySpec, Spread, Target};
use world::traffic::{Action, BreakerConfig, Limits, Match, PathMatch, Policy, RetryBudget, Route};

/// How many gateways; each sees its own part of the load.
const GATEWAYS: u32 = 4;

/// `model` behind a stack.
pub(crate) fn world(model: &Model) -> Spec {
    let mut spec = study::world(model);
    spec.name = "full_stack".into();
    spec.title = "The balancing study behind a complete stack".into();
    let frontend = &mut spec.services[0];
    frontend.name = "frontend".into();
    frontend.policy = Policy {
        timeout: Some(Duration::secs(1)),
        budget: RetryBudget::ENVOY,
        breaker: Some(BreakerConfig::RESILIENCE4J),
        // Envoy's default of 1,024 is made for one machine's traffic.
        limits: Limits { max_requests: 100_000, ..Limits::ENVOY },
        ..Policy::envoy()
    };
    frontend.queue_limit = Some(1_000);
    spec.loads[0].target =
        Target::Gateway { host: "shop.example".into(), path: "/shop/cart".into(), headers: Vec::new() };
    spec.loads[0].sources = GATEWAYS;
    let route = Route {
        name: "shop".into(),
        matches: vec![Match::path(PathMatch::Prefix("/shop".into()))],
        action: Action::to(ServiceId(0)),
    };
    spec.gateway =
        Some(GatewaySpec { instances: GATEWAYS, spread: Spread::Random, client_timeout: None, routes: vec![route] });
    spec.registry = Some(RegistrySpec {
        servers: 1,
        server: registry::Config::consul_ttl(),
        registrant: registrant::Config::consul_ttl(),
        resolver: resolver::Config::consul(),
    });
    spec
}
