//! One version: three numbers, and what may follow them, as Semantic Versioning 2.0.0 (semver.org) has it.

use std::fmt;
use std::str::FromStr;

/// A semantic version such as `1.5.0`, `2.0.0-rc.1` or `1.5.0+build.7`.
///
/// Ordered as the standard's section 11 says: numbers as numbers, a pre-release before its release. The standard
/// leaves build metadata out of precedence; here it breaks ties, so that the order is total and two versions
/// are equal only when they are written alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// The release `major.minor.patch`.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Version(semver::Version::new(major, minor, patch))
    }

    /// The first number: it changes when something that worked may no longer work.
    pub const fn major(&self) -> u64 {
        self.0.major
    }

    /// The second number: it changes when something is added.
    pub const fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The third number: it changes when something is mended.
    pub const fn patch(&self) -> u64 {
        self.0.patch
    }

    /// True for a version that comes before its release, such as `2.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    pub(crate) const fn inner(&self) -> &semver::Version {
        &self.0
    }
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads all of `text`; a missing number is an error, not a zero.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        semver::Version::parse(text)
            .map(Version)
            .map_err(|reason| VersionError { text: text.to_string(), reason: reason.to_string() })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a version. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionError {
    /// What was given.
    pub text: String,
    /// What is wrong with it, as a fragment of a sentence.
    pub reason: String,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a version such as 1.5.0: {}", self.text, self.reason)
    }
}

impl std::error::Error for VersionError {}
