//! A requirement on a version, in Cargo's notation: `^1.2`, `~1.2.3`, `>=1.0, <2.0`, `1.*`.

use crate::Version;
use std::fmt;
use std::str::FromStr;

/// A set of versions: those that meet every comparison of the requirement.
///
/// The notation and its meaning are Cargo's (the Cargo Book, "Version requirement syntax"): a bare `1.2` means `^1.2`,
/// which admits everything from 1.2.0 up to but excluding 2.0.0. A pre-release is admitted only when the requirement
/// names a pre-release of the same three numbers: `^1.2` does not admit `1.3.0-rc.1`, nobody runs a release
/// candidate by accident.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range(semver::VersionReq);

impl Range {
    /// Every release.
    pub const ANY: Range = Range(semver::VersionReq::STAR);

    /// True when `version` is in the set.
    pub fn admits(&self, version: &Version) -> bool {
        self.0.matches(version.inner())
    }
}

impl FromStr for Range {
    type Err = RangeError;

    /// Reads all of `text`.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        semver::VersionReq::parse(text)
            .map(Range)
            .map_err(|reason| RangeError { text: text.to_string(), reason: reason.to_string() })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a requirement. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeError {
    /// What was given.
    pub text: String,
    /// What is wrong with it, as a fragment of a sentence.
    pub reason: String,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a version requirement such as ^1.5 or >=1.0, <2.0: {}", self.text, self.reason)
    }
}

impl std::error::Error for RangeError {}
