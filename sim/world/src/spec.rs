//! What a world is made of: the resolved description of a run, with every name looked up and every range drawn.
//!
//! A [`Spec`] is plain data in the words of the cores and the kernel. It knows no file format: `scenarios` reads TOML
//! and lowers it to this. The same spec and seed always make the same run.

use crate::outcome::{CheckKind, Phases};
use base::{Dist, Duration, Instant, Ratio, ServiceId, VersionId, Zipf, ZoneId};
use kernel::{Fault, Link};

/// Everything about a run but its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// A short name: the scenario's file name without the extension.
    pub name: String,
    /// One line on what it is about.
    pub title: String,
    /// How long each phase lasts.
    pub phases: Phases,
    /// Names of the zones, at least one.
    pub zones: Vec<String>,
    /// The link between nodes of one zone.
    pub within_zone: Link,
    /// The link between nodes of two zones.
    pub between_zones: Link,
    /// The registry; without one every caller knows the truth at once, as the theory of queues assumes.
    pub registry: Option<RegistrySpec>,
    /// The services, indexed by [`ServiceId`].
    pub services: Vec<ServiceSpec>,
    /// The gateway, when there is one.
    pub gateway: Option<GatewaySpec>,
    /// Where requests come from.
    pub loads: Vec<LoadSpec>,
    /// Versions rolled out during the run.
    pub rollouts: Vec<RolloutSpec>,
    /// What goes wrong. The time of a fault counts from the beginning of the run.
    pub faults: Vec<Fault>,
    /// What is expected.
    pub expect: Expect,
    /// What was drawn from the seed where the scenario gave a range: name and value as a person would write them.
    pub drawn: Vec<(String, String)>,
    /// In how many equal steps the run is told over time.
    pub timeline_steps: u32,
}

/// The registry servers and how their clients behave.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrySpec {
    /// How many servers. Each keeps its own catalogue; instances register with all of them, a caller follows one and
    /// turns to the next when it is silent. Nothing is replicated between them, as a scenario about split catalogues
    /// wants.
    pub servers: u32,
    /// Times and rules of a server.
    pub server: registry::Config,
    /// How instances register and renew.
    pub registrant: registry::registrant::Config,
    /// How callers learn of instances.
    pub resolver: registry::resolver::Config,
}

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
    /// From creation of an instance to its first request.
    pub start_up: Duration,
    /// How long an instance that was told to stop has to end; then it is killed, and what it works on is reset.
    pub grace: Duration,
    /// What it does with new requests meanwhile.
    pub draining: Draining,
    /// Versions, indexed by [`VersionId`]; instances start at the first.
    pub versions: Vec<VersionSpec>,
    /// What it calls for each request: the stages one after the other, the calls of a stage at once.
    pub calls: Vec<Vec<CallSpec>>,
    /// How its callers choose an instance.
    pub balancer: balancer::Strategy,
    /// Which of its instances are eligible, and with which share; all that a caller knows of, when none. Zones have
    /// their indexes in [`Spec::zones`].
    pub eligibility: Option<balancer::around::Eligibility>,
    /// What its instances weigh for strategies that go by weight, 1 to 65535, given to them in turn as they are
    /// created; one each when there are none.
    pub weights: Vec<u32>,
    /// How fast its instances work, above zero, given to them in turn as they are created: at 0.5 work takes twice as
    /// long. All work at 1 when there are none.
    pub speeds: Vec<f64>,
    /// How its callers treat a call.
    pub policy: traffic::Policy,
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

/// The gateway: nodes that stand between load and services, each with its own view and its own balancers.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewaySpec {
    /// How many.
    pub instances: u32,
    /// Which of them each request comes to.
    pub spread: Spread,
    /// How long a load source waits for the gateway's answer before it gives the request up as timed out; for ever when
    /// `None`. It is the only patience there is in front of the gateway: what is lost on the way there is otherwise
    /// sent again for as long as TCP keeps trying.
    pub client_timeout: Option<Duration>,
    /// First match wins.
    pub routes: Vec<traffic::Route>,
}

/// A source of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSpec {
    /// Unique name; the key of its chances.
    pub name: String,
    /// To whom.
    pub target: Target,
    /// When.
    pub arrivals: Arrivals,
    /// From how many nodes. Each has its own view and its own balancers.
    pub sources: u32,
    /// Which of those nodes each request comes from.
    pub spread: Spread,
    /// By what its requests are routed, of balancers that hash.
    pub keys: RoutingKeys,
}

/// How requests are spread over the nodes that take them in: a load's sources, a gateway's instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// Each request draws its node, as flows do that a router hashes: of a Poisson stream, every node gets a Poisson
    /// stream that is independent of the others. A user of a closed load draws once and keeps the node.
    #[default]
    Random,
    /// The nodes take turns, which makes the stream of each more even than the whole: of a Poisson stream over n nodes,
    /// each gets one with gaps of an Erlang distribution of order n. User k of a closed load keeps node k mod n.
    InTurn,
}

/// What the requests of a load have in common with each other: a user, a session, a cache key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RoutingKeys {
    /// Nothing: every request has a key of its own.
    Unique,
    /// So many keys, of this popularity. The k-th most wanted key is the same one in every load, seed and run.
    Popular(Zipf),
}

/// Where a load source sends its requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Straight to a service: the source chooses the instance itself, as a sidecar or a smart client does.
    Service(ServiceId),
    /// To the gateway, which routes by host, path and headers.
    Gateway {
        /// The host asked for.
        host: String,
        /// The path asked for.
        path: String,
        /// Headers, names in lower case.
        headers: Vec<(String, String)>,
    },
}

/// When requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent of each other and of the answers, at a mean rate per second.
    Poisson {
        /// Requests per second.
        rate: f64,
    },
    /// Evenly spaced.
    Constant {
        /// Requests per second.
        rate: f64,
    },
    /// Poisson at a base rate, and at a higher one during bursts that come at even intervals.
    Bursts {
        /// Requests per second between bursts.
        base: f64,
        /// Requests per second in a burst.
        peak: f64,
        /// From the beginning of one burst to the beginning of the next.
        every: Duration,
        /// How long a burst lasts.
        lasts: Duration,
    },
    /// Poisson at a rate that rises and falls like a sine, from the mean at the start.
    Diurnal {
        /// Mean requests per second.
        mean: f64,
        /// How far the rate swings, as a share of the mean.
        swing: Ratio,
        /// The length of a day.
        period: Duration,
    },
    /// A fixed number of users who wait for the answer, think, and ask again.
    Closed {
        /// How many.
        users: u32,
        /// Between an answer and the next request.
        think: Dist,
    },
}

/// A version to roll out.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSpec {
    /// Whose.
    pub service: ServiceId,
    /// To which version.
    pub to: VersionId,
    /// When it is asked for.
    pub at: Instant,
    /// Steps and surge.
    pub strategy: rollout::Strategy,
    /// By what the new version is judged, if at all.
    pub analysis: Option<rollout::Analysis>,
    /// Without progress for so long, it is overdue.
    pub progress_deadline: Duration,
    /// Whether it is rolled back then; it goes on waiting otherwise.
    pub auto_rollback: bool,
    /// How long an instance must have been ready to count as available.
    pub min_ready: Duration,
}

/// What a run is expected to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// Invariants by kind and name. Those of kind `always` are checked in every run; naming them makes the scenario say
    /// which ones it is about.
    pub checks: Vec<(CheckKind, String)>,
    /// Objectives.
    pub objectives: Vec<ObjectiveSpec>,
}

/// What a service's callers must see in the measured part of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveSpec {
    /// Whose.
    pub service: ServiceId,
    /// At least this share of requests succeeds.
    pub success: Option<Ratio>,
    /// The median is at most this.
    pub p50: Option<Duration>,
    /// The 99th percentile is at most this.
    pub p99: Option<Duration>,
    /// The mean is at most this.
    pub mean: Option<Duration>,
}

impl Spec {
    /// The zone of the `n`-th node of a group that is spread over all zones.
    pub fn zone_in_turn(&self, n: u32) -> ZoneId {
        ZoneId(n % self.zones.len() as u32)
    }

    /// A service by name.
    pub fn service(&self, name: &str) -> Option<ServiceId> {
        self.services.iter().position(|s| s.name == name).map(|i| ServiceId(i as u32))
    }

    /// A version of a service as the file names it.
    pub(crate) fn version_name(&self, service: ServiceId, version: VersionId) -> String {
        let versions = self.services.get(service.index()).map(|s| &s.versions);
        versions.and_then(|v| v.get(version.index())).map_or_else(|| version.to_string(), |v| v.version.to_string())
    }

    /// A text in which `v1` has become the version it stands for.
    pub(crate) fn name_versions(&self, service: ServiceId, text: &str) -> String {
        let versions = &self.services[service.index()].versions;
        let words = text.split(' ').map(|word| {
            let id = word.strip_prefix('v').and_then(|n| n.parse::<usize>().ok());
            id.and_then(|id| versions.get(id)).map_or(word.to_string(), |v| v.version.to_string())
        });
        words.collect::<Vec<String>>().join(" ")
    }
}
