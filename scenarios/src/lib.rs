//! TOML in, `world::Spec` out; and the library of scenario files.
//!
//! ```text
//!   file ─▶ source ─▶ recover ─▶ section ─▶ lower ─▶ world::Spec
//!           (bytes)   (TOML,      (what      (names to ids,
//!                      serde)      was        ranges drawn,
//!                                  written)   everything checked)
//!                         └───────────┴────────┴──▶ problems ─▶ render
//! ```
//!
//! What always holds:
//!
//! - [`parse`] never panics, whatever it is given, and reports every problem it can find, not only the first.
//! - A scenario that parses lowers with every seed.
//! - [`to_toml`] writes what [`parse`] reads back as the same scenario.
//! - What [`draw`] draws for a scenario parses and lowers.
//! - A study ([`study`]) is a scenario and what is varied about it; each of its cells lowers as a scenario does.
//! - A case of an engine ([`decide`]) is answered by the function of the core that runs use.
//! - No type that serde reads leaves this crate towards a run.

mod at;
pub mod decide;
pub mod draw;
mod free;
mod json_schema;
mod library;
mod lower;
mod problem;
mod recover;
mod render;
pub mod scalar;
pub mod section;
mod select;
mod source;
pub mod study;
mod summary;
mod template;

pub use at::At;
pub use free::free_key;
pub use library::{Entry, find, library};
pub use problem::{Problem, Severity};
pub use render::render;
pub use section::Scenario;
pub use source::{ReadError, SIZE_MAX, Source, name_of, read};
pub use summary::Summary;
pub use template::template;

use base::Seed;
use recover::Recovered;
use world::Spec;

/// What a text turned out to be.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The scenario, when it can run.
    pub scenario: Option<Scenario>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Reads a scenario and checks everything about it, warnings included. `name` becomes its short name, and every fault
/// gets the name that it is called by.
///
/// Never panics. Linear in the text for each problem found, and stops at fifty problems.
pub fn check(text: &str, name: &str) -> Checked {
    if text.len() as u64 > SIZE_MAX {
        let problem = Problem::new("this text has more than 1 MiB").label("a scenario has at most 1 MiB");
        return Checked { scenario: None, problems: vec![problem] };
    }
    let mut recovered: Recovered<Scenario> = recover::read(text);
    recovered.value.name = name.to_string();
    recovered.value.name_faults();
    let mut problems = std::mem::take(&mut recovered.problems);
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let help = "`windtunnel new NAME` writes a scenario to start from";
        problems.push(Problem::new("the scenario is empty").help(help));
    } else if recovered.is_toml {
        // The seed decides nothing about what is wrong; ranges are checked at both ends.
        let (_, found) = lower::lower(&recovered.value, Seed(0));
        problems.extend(found.into_iter().filter(|problem| !recovered.explains(problem)));
    } else {
        let found = section::fault::misread(&recovered.value).into_iter();
        let found: Vec<Problem> = found.filter(|problem| !recover::is_told(text, &problems, problem)).collect();
        problems.extend(found);
    }
    let problems = problem::in_order(problems);
    let runs = problems.iter().all(|problem| problem.severity != Severity::Error);
    Checked { scenario: runs.then_some(recovered.value), problems }
}

/// Reads a scenario, or says everything that is wrong with it. What it returns lowers with every seed.
pub fn parse(text: &str, name: &str) -> Result<Scenario, Vec<Problem>> {
    let Checked { scenario, problems } = check(text, name);
    scenario.ok_or_else(|| problems.into_iter().filter(|p| p.severity == Severity::Error).collect())
}

/// Writes a scenario as TOML that reads back as the same.
pub fn to_toml(scenario: &Scenario) -> String {
    toml::to_string_pretty(scenario)
        .expect("a scenario is made of tables, texts and numbers, all of which TOML can hold")
}

/// The JSON Schema of scenario files, for editors.
pub fn schema() -> serde_json::Value {
    json_schema::of::<Scenario>()
}

impl Scenario {
    /// The world this scenario describes, with every range drawn from `seed`.
    ///
    /// The errors are those of [`check`]; a scenario that came from [`parse`] has none.
    pub fn lower(&self, seed: Seed) -> Result<Spec, Vec<Problem>> {
        let (spec, problems) = lower::lower(self, seed);
        spec.ok_or_else(|| problems.into_iter().filter(|p| p.severity == Severity::Error).collect())
    }
}
