//! Services: how many instances, what they do with a request, how they come and go, and how callers treat them.

use base::{Dist, Duration, Ratio, ServiceId};

/// A service: what its instances do with a request, and how callers treat them.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSpec {
    /// Unique name.
    pub name: String,
    /// How many instances at the start; they are spread over the zones in turn.
    pub instances: u32,
    /// Requests one instance works on at once.
    pub concurrency: u32,
    /// The processors of one instance, above zero, which those requests share evenly: of n at work each gets on at the
    /// rate min(1, processors / n). One for each request when `None`.
    pub processors: Option<f64>,
    /// Requests that wait when all of those are busy; more are refused. Without a bound when `None`.
    pub queue_limit: Option<u32>,
    /// Work per request, before downstream calls.
    pub service_time: Dist,
    /// How its instances come and go, and in what they differ.
    pub template: InstanceTemplate,
    /// Versions, indexed by [`VersionId`](base::VersionId); instances start at the first.
    pub versions: Vec<VersionSpec>,
    /// What it calls for each request: the stages one after the other, the calls of a stage at once.
    pub calls: Vec<Vec<CallSpec>>,
    /// How its callers choose an instance.
    pub balancer: balancer::Strategy,
    /// Which of its instances are eligible, and with which share; all that a caller knows of, when none. Zones have
    /// their indexes in [`Spec::zones`](super::Spec::zones).
    pub eligibility: Option<balancer::eligibility::Eligibility>,
    /// How its callers treat a call.
    pub policy: traffic::Policy,
}

/// How the instances of a service come and go, and in what the `nth` of them differs from the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceTemplate {
    /// From creation of an instance to its first request.
    pub start_up: Duration,
    /// How long an instance that was told to stop has to end; then it is killed, and what it works on is reset.
    pub grace: Duration,
    /// What it does with new requests meanwhile.
    pub draining: Draining,
    /// What its instances weigh for strategies that go by weight, 1 to 65535, given to them in turn as they are
    /// created; one each when there are none.
    pub weights: Vec<u32>,
    /// How fast its instances work, above zero, given to them in turn as they are created: at 0.5 work takes twice as
    /// long. All work at 1 when there are none.
    pub speeds: Vec<f64>,
}

impl InstanceTemplate {
    /// The weight of the `nth` instance created, zero-based.
    pub fn weight(&self, nth: u32) -> u32 {
        in_turn(&self.weights, nth).unwrap_or(1)
    }

    /// The speed of the `nth` instance created, zero-based.
    pub fn speed(&self, nth: u32) -> f64 {
        in_turn(&self.speeds, nth).unwrap_or(1.0)
    }
}

impl ServiceSpec {
    /// How many requests an instance works on at full speed: as many as it has processors, or places when each has a
    /// processor of its own.
    pub fn room(&self) -> f64 {
        room(self.concurrency, self.processors)
    }
}

/// [`ServiceSpec::room`].
pub(crate) fn room(concurrency: u32, processors: Option<f64>) -> f64 {
    let places = f64::from(concurrency);
    processors.map_or(places, |processors| processors.min(places))
}

/// Item `nth % len` of a list, zero-based; `None` for an empty list.
pub fn in_turn<T: Copy>(list: &[T], nth: u32) -> Option<T> {
    list.get(nth as usize % list.len().max(1)).copied()
}

/// What an instance that was told to stop does with requests that still come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draining {
    /// It serves them, and ends with its grace: the container of a Kubernetes pod whose `preStop` sleeps, so that
    /// endpoints and proxies have time to forget it.
    #[default]
    Serves,
    /// It refuses them, and ends as soon as nothing is under way: Go's `http.Server.Shutdown`, nginx on `SIGQUIT`.
    Refuses,
}

/// What a version does differently.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionSpec {
    /// Such as `1.1.0`.
    pub version: version::Version,
    /// The chance that it answers a request with an error.
    pub error_rate: Ratio,
    /// How many times longer it works.
    pub slowdown: f64,
    /// Work per request, when the version changes more than its speed.
    pub service_time: Option<Dist>,
}

/// A downstream call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSpec {
    /// Who is called.
    pub service: ServiceId,
    /// Whether the caller can do without an answer: its failure then degrades the response instead of failing it.
    pub optional: bool,
}
