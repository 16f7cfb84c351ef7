//! What a caller sees: the endpoints of one service at one revision, immutable and shared.
//!
//! A server makes one [`View`] per revision that somebody asks for and hands out `Arc`s of it, so a thousand callers
//! of a service with a thousand instances hold a thousand pointers to one list.

use base::{Fingerprint, InstanceId, NodeId, Revision, ServiceId, VersionId, ZoneId};

/// One instance as callers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Who it is.
    pub instance: InstanceId,
    /// Where requests are sent.
    pub node: NodeId,
    /// The failure domain of that node.
    pub zone: ZoneId,
    /// What it runs.
    pub version: VersionId,
    /// Its share of the load relative to its peers; zero takes none.
    pub weight: u32,
    /// True while it is leaving: it finishes what it has and wants nothing new.
    pub draining: bool,
}

/// The endpoints of one service at one revision, sorted by instance, each instance once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Whose endpoints these are.
    pub service: ServiceId,
    /// The store's revision at the last change of this service; comparable between views of one server only.
    pub revision: Revision,
    /// The endpoints, ascending by instance.
    pub endpoints: Vec<Endpoint>,
    digest: u64,
}

impl Endpoint {
    /// All of it in 64 bits.
    pub fn digest(&self) -> u64 {
        let mut fold = Fingerprint::EMPTY;
        for word in [self.instance.0, self.node.0, self.zone.0, self.version.0, self.weight, u32::from(self.draining)] {
            fold.fold(u64::from(word));
        }
        fold.value()
    }
}

impl View {
    /// A view of `endpoints` in any order. Panics when an instance stands in it twice. O(n log n).
    pub fn new(service: ServiceId, revision: Revision, mut endpoints: Vec<Endpoint>) -> Self {
        endpoints.sort_unstable_by_key(|e| e.instance);
        let twice = endpoints.windows(2).find(|pair| pair[0].instance == pair[1].instance);
        assert!(twice.is_none(), "an instance twice in one view: {twice:?}");
        let digest = endpoints.iter().map(Endpoint::digest).fold(0, u64::wrapping_add);
        View { service, revision, endpoints, digest }
    }

    /// A view of `endpoints` that are ascending already, each instance once; `digest` is the sum of theirs.
    pub(crate) fn of_sorted(service: ServiceId, revision: Revision, endpoints: Vec<Endpoint>, digest: u64) -> Self {
        View { service, revision, endpoints, digest }
    }

    /// The sum of the digests of its endpoints, which was made once: what a fingerprint folds in place of the
    /// endpoints.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The endpoint of `instance`, if it is listed. O(log n).
    pub fn get(&self, instance: InstanceId) -> Option<&Endpoint> {
        let at = self.endpoints.binary_search_by_key(&instance, |e| e.instance).ok()?;
        Some(&self.endpoints[at])
    }

    /// The endpoints that run `version`, ascending by instance. O(n).
    pub fn with_version(&self, version: VersionId) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(move |e| e.version == version)
    }

    /// The endpoints in `zone`, ascending by instance. O(n).
    pub fn in_zone(&self, zone: ZoneId) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(move |e| e.zone == zone)
    }

    /// The endpoints that want new requests: those that are not draining. O(n).
    pub fn open(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|e| !e.draining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(instance: u32, zone: u32, version: u32) -> Endpoint {
        Endpoint {
            instance: InstanceId(instance),
            node: NodeId(instance + 100),
            zone: ZoneId(zone),
            version: VersionId(version),
            weight: 1,
            draining: instance == 4,
        }
    }

    #[test]
    fn lookups_find_what_is_there_and_nothing_else() {
        let view = View::new(
            ServiceId(0),
            Revision(9),
            vec![endpoint(7, 1, 0), endpoint(2, 0, 0), endpoint(4, 1, 1), endpoint(9, 0, 1)],
        );
        let ids = |it: &mut dyn Iterator<Item = &Endpoint>| it.map(|e| e.instance.0).collect::<Vec<_>>();
        assert_eq!(ids(&mut view.endpoints.iter()), [2, 4, 7, 9]);
        assert_eq!(view.get(InstanceId(7)).map(|e| e.node), Some(NodeId(107)));
        assert_eq!(view.get(InstanceId(3)), None);
        assert_eq!(ids(&mut view.with_version(VersionId(1))), [4, 9]);
        assert_eq!(ids(&mut view.in_zone(ZoneId(1))), [4, 7]);
        assert_eq!(ids(&mut view.open()), [2, 7, 9]);
    }

    #[test]
    #[should_panic(expected = "twice")]
    fn an_instance_stands_in_a_view_once() {
        let _ = View::new(ServiceId(0), Revision(1), vec![endpoint(1, 0, 0), endpoint(1, 1, 0)]);
    }
}
