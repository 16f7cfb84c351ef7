//! Services, as those who call them and their instances know them.

use crate::spec::CallSpec;
use base::{Dist, InstanceId, Ratio, ServiceId, VersionId};
use kernel::Lane;

/// A service as its callers and its instances know it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// Whether it does no work of its own, and sends each request where the routes of its load lead.
    pub(crate) routes: bool,
    /// Whether the registry lists it, where there is one.
    pub(crate) is_registered: bool,
    pub(crate) concurrency: u32,
    pub(crate) processors: Option<f64>,
    pub(crate) queue_limit: u32,
    pub(crate) behaviours: Vec<Behaviour>,
    pub(crate) calls: Vec<std::rc::Rc<[CallSpec]>>,
    pub(crate) downstream: Vec<ServiceId>,
    pub(crate) balancer: balancer::Strategy,
    /// What its callers know together, for strategies that go by that.
    pub(crate) board: balancer::BulletinBoard,
    /// Whether its callers listen to what its instances say of their load.
    pub(crate) reports: bool,
    /// Whether its callers probe its instances.
    pub(crate) probes: bool,
    /// Whether its callers say how long they wait.
    pub(crate) deadlines: bool,
    pub(crate) eligibility: Option<std::sync::Arc<balancer::eligibility::Eligibility>>,
    pub(crate) policy: traffic::Policy,
    /// For the timers that end attempts at it.
    pub(crate) lane: Option<Lane>,
    /// Every instance there ever was, in order of creation.
    pub(crate) instances: Vec<InstanceId>,
}

/// What a version of a service does with a request.
#[derive(Debug)]
pub(crate) struct Behaviour {
    pub(crate) service_time: Dist,
    pub(crate) slowdown: f64,
    pub(crate) error_rate: Ratio,
}

impl Service {
    /// Whether its callers probe its instances, or listen to what they say.
    #[inline]
    pub(crate) fn has_load_feedback(&self) -> bool {
        self.probes || self.reports
    }

    #[inline]
    pub(crate) fn behaviour(&self, version: VersionId) -> &Behaviour {
        &self.behaviours[version.index()]
    }
}
