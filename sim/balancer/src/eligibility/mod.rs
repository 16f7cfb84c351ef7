//! What stands around a strategy: who may be picked, and with which share, before the strategy chooses among them.
//!
//! A [`Cluster`] is a balancer with rules of eligibility around it. Candidates pass them in this order, which is
//! Envoy's:
//!
//! ```text
//!   candidates ─▶ subset ─▶ random subset ─▶ priority ─▶ locality ─▶ strategy or aperture ─▶ instance
//!                 by metadata  by client     by health    by weight     slow start scales weights
//!                                            or panic     or nearness
//!   sticky sessions go past all of it to a host that is well; ejected hosts are ill
//! ```
//!
//! Each rule is a file of its own, a pure function or a small state machine: [`priority`], [`locality`], [`subset`],
//! [`subsetting`], [`slow_start`], [`ring`] and [`aperture`], [`sticky`], [`outlier`].
//!
//! What always holds: a pick is healthy (or degraded, where the shares send it there) unless its level is in panic; the
//! requests outstanding at a host are counted once, whichever rule led to it.

pub mod aperture;
mod cluster;
mod group;
pub mod locality;
pub mod outlier;
pub mod priority;
pub mod ring;
pub mod slow_start;
mod state;
pub mod sticky;
pub mod subset;
pub mod subsetting;

use crate::hosts::Host;
use base::{VersionId, ZoneId};
use std::sync::Arc;

pub use aperture::Aperture;
pub use cluster::Cluster;
pub use locality::ZoneAware;
pub use outlier::Outliers;
pub use slow_start::SlowStart;
pub use subset::Subset;

/// A host that may become eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who it is, and its weight.
    pub host: Host,
    /// Where it is.
    pub zone: ZoneId,
    /// What it runs.
    pub version: VersionId,
    /// How it is.
    pub health: Health,
}

/// How a candidate is, by what its client was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Well.
    #[default]
    Healthy,
    /// To be used when there are not enough healthy ones.
    Degraded,
    /// Not to be used but in panic.
    Unhealthy,
    /// Like an unhealthy one, and not counted when it is asked how many are well.
    Excluded,
}

impl Candidate {
    /// A healthy host in the first zone.
    pub const fn new(host: Host) -> Self {
        Candidate { host, zone: ZoneId(0), version: VersionId(0), health: Health::Healthy }
    }
}

/// A client among those that are like it: what zone awareness and deterministic aperture go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    /// Which of them this client is, from 0.
    pub index: u32,
    /// How many there are in each zone; this client is one of them.
    pub by_zone: Arc<[u32]>,
    /// Where this client is.
    pub zone: ZoneId,
}

impl Peers {
    /// A client on its own, in the first zone.
    pub fn alone() -> Self {
        Peers { index: 0, by_zone: [1].into(), zone: ZoneId(0) }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.by_zone.iter().sum()
    }
}

/// The rules around a strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Eligibility {
    /// The overprovisioning factor in percent.
    pub overprovisioning: u32,
    /// Below so many percent of available hosts a level panics; never, when zero.
    pub panic_threshold: u32,
    /// Which priority a zone has.
    pub priorities: Priorities,
    /// Which zone of a level gets a request.
    pub locality: Locality,
    /// Candidates by metadata.
    pub subset: Option<Subset>,
    /// How many of the candidates a client picks out for itself.
    pub subset_size: Option<u32>,
    /// How hosts warm up.
    pub slow_start: Option<SlowStart>,
    /// Who is in use, in place of everybody; needs p2c as the strategy, which is what it uses within.
    pub aperture: Option<Aperture>,
    /// Whether sessions stay where they are.
    pub sticky: bool,
    /// When a host is ejected for its answers.
    pub outliers: Option<Outliers>,
}

impl Default for Eligibility {
    /// Envoy's defaults: health counts, and nothing else.
    fn default() -> Self {
        Eligibility {
            overprovisioning: 140,
            panic_threshold: 50,
            priorities: Priorities::Same,
            locality: Locality::Disregard,
            subset: None,
            subset_size: None,
            slow_start: None,
            aperture: None,
            sticky: false,
            outliers: None,
        }
    }
}

/// Which priority hosts have; 0 comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Priorities {
    /// All the same.
    #[default]
    Same,
    /// That of their zone, by its index; zones beyond the list have the last priority of all.
    ByZone(Vec<u8>),
    /// 0 in the client's own zone and 1 elsewhere.
    OwnZoneFirst,
}

impl Priorities {
    /// The priority of hosts in `zone`, for a client in zone `own`.
    pub fn of(&self, own: ZoneId, zone: ZoneId) -> usize {
        match self {
            Priorities::Same => 0,
            Priorities::ByZone(list) => usize::from(list.get(zone.index()).or(list.iter().max()).copied().unwrap_or(0)),
            Priorities::OwnZoneFirst => usize::from(zone != own),
        }
    }
}

/// Whether and how zones matter within a level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Locality {
    /// They do not.
    #[default]
    Disregard,
    /// By weight: that of each zone, by its index; one where the list ends.
    Weighted(Vec<u32>),
    /// By nearness.
    ZoneAware(ZoneAware),
}
