//! Semantic versions: whether a range admits a version, and in which order versions stand.

use super::engine::{Answer, Case, CaseType, Engine};
use crate::At;
use crate::problem::Problem;
use base::ServiceId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use std::fmt::Display;
use std::str::FromStr;
use world::version::{Catalogue, Range, Version};

pub(super) static ENGINE: Engine = Engine {
    name: "semver",
    summary: "whether a range in Cargo's notation admits a version, the order of versions, and the newest one admitted",
    explanation: "A bare 1.2 means ^1.2. A range admits a pre-release only where it names one of the same three \
        numbers. Versions are ordered by precedence, a pre-release before its release; build metadata, which the \
        standard leaves out, breaks ties. Not modelled: the notations of npm, Maven or Go.",
    answer: "`matches`, with `version` and `range`: whether the range admits it. `order`, with `versions`: all of \
        them, the lowest first. `newest`, with `versions` and `range`: the highest that the range admits, or null.",
    source: "Semantic Versioning 2.0.0, section 11; The Cargo Book, Version requirement syntax; crate semver",
    example: "\
version  = \"1.9.3\"
range    = \"^1.2\"
versions = [\"1.9.3\", \"2.0.0-rc.1\", \"1.10.0\", \"2.0.0\"]
",
    case: CaseType::of::<Versions>(),
};

/// Versions and a range.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { version = \"1.9.3\", range = \"^1.2\" }")]
struct Versions {
    /// A version that `range` may admit; none by default.
    #[serde(default)]
    version: Option<At<String>>,
    /// A range in Cargo's notation, such as "^1.2", "~1.2.3", ">=1.0, <2.0" or "1.*"; none by default.
    #[serde(default)]
    range: Option<At<String>>,
    /// Versions to put in order, each once; none by default.
    #[serde(default)]
    versions: Option<Vec<At<String>>>,
}

impl Case for Versions {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let mut problems = Vec::new();
        let version: Option<Version> = self.version.as_ref().and_then(|at| parsed(at, &mut problems));
        let range: Option<Range> = self.range.as_ref().and_then(|at| parsed(at, &mut problems));
        let catalogue = self.versions.as_deref().map(|all| declared(all, &mut problems));
        match (&self.version, &self.range, &self.versions) {
            (Some(at), None, _) => problems.push(Problem::at(at, "a version needs a `range` to be in")),
            (None, Some(at), None) => problems.push(Problem::at(at, "a range needs a `version`, or `versions`")),
            (None, None, None) => {
                problems.push(Problem::new("nothing is asked").label("`version` and `range`, or `versions`"));
            }
            _ => {}
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (mut decision, mut why) = (Map::new(), Vec::new());
        if let (Some(version), Some(range)) = (&version, &range) {
            let matches = range.admits(version);
            decision.insert("matches".into(), matches.into());
            why.push(match matches {
                true => format!("{version} meets {range}"),
                false if version.is_prerelease() => {
                    format!("{version} does not meet {range}, or is a pre-release of which it names none")
                }
                false => format!("{version} does not meet {range}"),
            });
        }
        if let Some(catalogue) = &catalogue {
            let mut order: Vec<&Version> = catalogue.versions(SERVICE).iter().collect();
            order.sort();
            decision.insert("order".into(), order.iter().map(|v| v.to_string()).collect());
            why.push("ordered by precedence, the lowest first".into());
            if let Some(range) = &range {
                let newest = catalogue.newest(SERVICE, range).and_then(|id| catalogue.version(SERVICE, id));
                decision.insert("newest".into(), json!(newest.map(Version::to_string)));
                why.push(match newest {
                    Some(newest) => format!("{newest} is the highest that meets {range}"),
                    None => format!("none of them meets {range}"),
                });
            }
        }
        Ok(Answer::one(decision.into(), why.join("; ")))
    }
}

/// The service whose versions are put in order.
const SERVICE: ServiceId = ServiceId(0);

fn parsed<T: FromStr<Err: Display>>(at: &At<String>, problems: &mut Vec<Problem>) -> Option<T> {
    at.value.parse().map_err(|error: T::Err| problems.push(Problem::at(at, error.to_string()))).ok()
}

fn declared(all: &[At<String>], problems: &mut Vec<Problem>) -> Catalogue {
    let mut catalogue = Catalogue::new();
    for at in all {
        if let Some(version) = parsed(at, problems)
            && catalogue.declare(SERVICE, version).is_err()
        {
            problems.push(Problem::at(at, format!("`{}` stands here twice", at.value)));
        }
    }
    catalogue
}
