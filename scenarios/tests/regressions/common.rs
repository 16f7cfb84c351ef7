//! What the tests of this folder share: reading one of its files, and running it.

use base::Seed;
use scenarios::Problem;
use std::path::PathBuf;
use world::outcome::Check;
use world::{Options, Outcome, run};

/// The text of `files/NAME.toml`.
pub(crate) fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/regressions/files").join(format!("{name}.toml"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs `files/NAME.toml` under `seed`, from its beginning to its end.
pub(crate) fn outcome(name: &str, seed: u64) -> Outcome {
    outcome_of(name, &text(name), seed)
}

/// Runs a scenario given as text under `seed`.
pub(crate) fn outcome_of(name: &str, text: &str, seed: u64) -> Outcome {
    let scenario = scenarios::parse(text, name)
        .unwrap_or_else(|problems| panic!("{}", scenarios::render(&problems, name, text, false)));
    run(&scenario.lower(Seed(seed)).expect("what parses lowers"), Seed(seed), &Options::default()).outcome
}

/// What is wrong with `files/NAME.toml`, errors and warnings.
pub(crate) fn problems(name: &str) -> Vec<Problem> {
    scenarios::check(&text(name), name).problems
}

/// An invariant's record in an outcome.
pub(crate) fn check<'a>(outcome: &'a Outcome, name: &str) -> &'a Check {
    outcome.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check is called {name}"))
}
