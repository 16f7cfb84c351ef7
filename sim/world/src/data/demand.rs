//! What a call asks for beyond its service, packed into a byte of the call.

use base::{Duration, VersionId};

/// What a call asks for beyond its service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallOptions {
    pub(crate) demand: Demand,
    /// Replaces the service's timeout.
    pub(crate) timeout: Option<Duration>,
}

impl From<Demand> for CallOptions {
    fn from(demand: Demand) -> Self {
        CallOptions { demand, timeout: None }
    }
}

/// What a call asks for beyond its service, in a byte: whether its parent can do without an answer, and whether only
/// one version will do. Nobody asks for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand(u8);

impl Demand {
    /// An answer, from any version.
    pub(crate) const ANY: Demand = Demand(0);
    /// Its failure degrades the parent's answer instead of failing it.
    pub(crate) const OPTIONAL: Demand = Demand(1);

    /// An answer from an instance of this version; a service has at most 200.
    pub(crate) fn pinned(version: VersionId) -> Demand {
        Demand(version.0 as u8 + 2)
    }

    pub(crate) fn is_optional(self) -> bool {
        self == Demand::OPTIONAL
    }

    /// The version that is asked for.
    #[inline]
    pub(crate) fn pin(self) -> Option<VersionId> {
        self.0.checked_sub(2).map(|version| VersionId(version.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_optional_or_pinned_or_neither() {
        assert!(Demand::OPTIONAL.is_optional() && !Demand::ANY.is_optional());
        assert_eq!((Demand::ANY.pin(), Demand::OPTIONAL.pin()), (None, None));
        for version in [0, 1, 199].map(VersionId) {
            assert_eq!((Demand::pinned(version).pin(), Demand::pinned(version).is_optional()), (Some(version), false));
        }
    }
}
