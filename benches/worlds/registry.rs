//! A registry at size: so many instances that register, renew and do next to nothing, and a hundred callers that watch
//! them.
//!
//! Ten simulated seconds from an empty catalogue. Everything that grows with instances times watchers shows here.

use crate::study;
use base::Duration;
use benches::Model;
use world::Spec;
use world::registry::{self, registrant, resolver};
use world::spec::{Arrivals, RegistrySpec};

/// How many watch.
const WATCHERS: u32 = 100;

/// `instances` before the watchers.
pub(crate) fn world(instances: u32) -> Spec {
    let mut spec = study::world(&Model { lasts: Duration::secs(10), ..Model::bench(instances, 1) });
    spec.name = "registry".into();
    spec.title = "A registry at size".into();
    spec.loads[0].arrivals = Arrivals::Poisson { rate: 100.0 };
    spec.loads[0].sources = WATCHERS;
    spec.registry = Some(RegistrySpec {
        servers: 1,
        server: registry::Config::consul_ttl(),
        registrant: registrant::Config::consul_ttl(),
        resolver: resolver::Config::consul(),
    });
    spec
}
