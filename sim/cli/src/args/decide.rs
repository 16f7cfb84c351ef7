//! What `windtunnel decide` takes. The engines that it knows, here and in completions, are those that are declared.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::path::PathBuf;

/// What `windtunnel decide` takes.
#[derive(Args, Debug)]
#[command(after_long_help = DECIDE_EXAMPLES)]
pub(crate) struct DecideArgs {
    /// Whose rules: a name from `windtunnel list engines`
    #[arg(value_name = "ENGINE", value_parser = engine_names(), hide_possible_values = true)]
    pub(crate) engine: String,
    /// A file with one case in TOML or JSON, or with one per line (.jsonl); - is standard input [default: JSON Lines on
    /// standard input]
    ///
    /// The name says the format: .toml, .json or .jsonl. Of any other name, what begins with a brace is JSON and
    /// everything else TOML.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

const DECIDE_EXAMPLES: &str = "\
One line per case is printed, in order: {\"decision\":…,\"why\":\"the rule that bound\"}; of engines with memory, a list of \
such objects, one per input. A case that is wrong is {\"error\":\"…\"} in its line, and the next one is decided. `windtunnel \
explain ENGINE` shows the shape of a case, with an example.

Examples:
  windtunnel decide kubernetes-deployment case.toml
  windtunnel decide eureka < cases.jsonl
  echo '{\"replicas\":10,\"weight\":25}' | windtunnel decide argo-canary
  windtunnel schema --decide backoff                         for editors

Exit code: 0 when every case was decided, 2 when one was wrong.";

/// The names of the engines, for clap: its errors name the nearest, and completions know all.
pub(crate) fn engine_names() -> PossibleValuesParser {
    let engines = scenarios::decide::engines().iter();
    PossibleValuesParser::new(engines.map(|engine| PossibleValue::new(engine.name).help(engine.summary)))
}
