//! Subsets: only the hosts whose metadata match are candidates, and a rule for when there are none.
//!
//! Envoy's `LbSubsetConfig` (`source/extensions/load_balancing_policies/subset/subset_lb.cc`, docs `subsets.rst`) with
//! the metadata that instances have here: version and zone. The fallback is taken when the subset has no host at all,
//! whatever the health of its hosts: a subset that is there and ill is answered by panic inside it, not by another
//! subset.

use super::Candidate;
use base::{VersionId, ZoneId};

/// What a host must be to be in the subset; what is not said matches everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    /// Its version.
    pub version: Option<VersionId>,
    /// Where it is.
    pub zone: Option<InZone>,
}

/// A zone by name, or the client's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InZone {
    /// Where the client is.
    Own,
    /// This one.
    Zone(ZoneId),
}

/// What happens when the subset has no host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Nobody is picked. Envoy's NO_FALLBACK, and its default.
    #[default]
    NoFallback,
    /// All hosts are candidates: ANY_ENDPOINT.
    AnyEndpoint,
    /// Those that match these other criteria are, if there are any: DEFAULT_SUBSET.
    DefaultSubset(Criteria),
}

/// A subset and its fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subset {
    /// Who is in it.
    pub criteria: Criteria,
    /// When nobody is.
    pub fallback: Fallback,
}

impl Criteria {
    /// Whether a candidate meets all of them, for a client in zone `own`.
    pub fn match_host(&self, own: ZoneId, candidate: &Candidate) -> bool {
        let zone = match self.zone {
            None => true,
            Some(InZone::Own) => candidate.zone == own,
            Some(InZone::Zone(zone)) => candidate.zone == zone,
        };
        zone && self.version.is_none_or(|version| candidate.version == version)
    }
}

impl Subset {
    /// The criteria that decide for these candidates; none when nobody is to be picked. O(n).
    pub fn resolve(&self, own: ZoneId, candidates: &[Candidate]) -> Option<Criteria> {
        let has_hosts = |criteria: &Criteria| candidates.iter().any(|c| criteria.match_host(own, c));
        if has_hosts(&self.criteria) {
            return Some(self.criteria);
        }
        match self.fallback {
            Fallback::NoFallback => None,
            Fallback::AnyEndpoint => Some(Criteria::default()),
            Fallback::DefaultSubset(criteria) => Some(criteria).filter(has_hosts),
        }
    }
}
