//! Which number stands for which version: the declared versions of every service.
//!
//! Ids of a service's versions are given out in the order of declaration, from zero, and never change: a table
//! indexed by [`VersionId`] is a `Vec`. Declaration order says nothing about precedence; a hotfix of an old line may be
//! declared last.

use crate::{Range, Version};
use base::{ServiceId, VersionId};
use std::fmt;

/// The declared versions of every service.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Indexed by service, then by version.
    services: Vec<Vec<Version>>,
}

impl Catalogue {
    /// A catalogue of nothing.
    pub const fn new() -> Self {
        Catalogue { services: Vec::new() }
    }

    /// Declares a version of `service` and gives it the next id. Linear in the versions of the service.
    pub fn declare(&mut self, service: ServiceId, version: Version) -> Result<VersionId, CatalogueError> {
        if let Some(known) = self.id(service, &version) {
            return Err(CatalogueError::AlreadyDeclared { version, known });
        }
        if self.services.len() <= service.index() {
            self.services.resize_with(service.index() + 1, Vec::new);
        }
        let versions = &mut self.services[service.index()];
        versions.push(version);
        Ok(VersionId(versions.len() as u32 - 1))
    }

    /// The id of a declared version. Linear in the versions of the service.
    pub fn id(&self, service: ServiceId, version: &Version) -> Option<VersionId> {
        self.versions(service).iter().position(|v| v == version).map(|i| VersionId(i as u32))
    }

    /// The version an id of `service` stands for. Constant time.
    pub fn version(&self, service: ServiceId, id: VersionId) -> Option<&Version> {
        self.versions(service).get(id.index())
    }

    /// All versions of `service`, in order of declaration: the index is the id. Empty for an unknown service.
    pub fn versions(&self, service: ServiceId) -> &[Version] {
        self.services.get(service.index()).map_or(&[], Vec::as_slice)
    }

    /// The highest version of `service` that `range` admits, by precedence and not by declaration.
    pub fn newest(&self, service: ServiceId, range: &Range) -> Option<VersionId> {
        let admitted = self.versions(service).iter().enumerate().filter(|(_, version)| range.admits(version));
        admitted.max_by_key(|&(_, version)| version).map(|(i, _)| VersionId(i as u32))
    }
}

/// Why a version was not declared. The catalogue is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueError {
    /// The service already has exactly this version.
    AlreadyDeclared {
        /// The version.
        version: Version,
        /// The id it has.
        known: VersionId,
    },
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogueError::AlreadyDeclared { version, known } => {
                write!(f, "version {version} is already declared, as {known}")
            }
        }
    }
}

impl std::error::Error for CatalogueError {}
