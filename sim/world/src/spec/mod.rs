//! What a world is made of: the resolved description of a run, with every name looked up and every range drawn.
//!
//! A [`Spec`] is plain data in the words of the cores and the kernel. It knows no file format: `scenarios` reads TOML
//! and lowers it to this. The same spec and seed always make the same run.
//!
//! One file per part: what a section of a scenario becomes.

mod expect;
mod gateway;
mod load;
mod registry;
mod rollout;
mod service;

pub use expect::{Expect, ObjectiveSpec};
pub use gateway::{GatewaySpec, Spread};
pub use load::{Arrivals, LoadSpec, RoutingKeys, Target};
pub use registry::RegistrySpec;
pub use rollout::RolloutSpec;
pub(crate) use service::room;
pub use service::{CallSpec, Draining, InstanceTemplate, ServiceSpec, VersionSpec, in_turn};

use crate::outcome::Phases;
use base::{ServiceId, VersionId, ZoneId};
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
