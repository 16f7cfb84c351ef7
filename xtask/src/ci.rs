//! `cargo xtask ci`: what must hold before a change goes in. `.ci/run` calls this and nothing else.
//!
//! What is cheap and fails often comes first: format, lints, documentation, then everything `cargo xtask test` does.

use crate::fmt;
use crate::shell::{self, Result, Steps};
use crate::test::{self, Counts};

pub(crate) const HELP: &str = "\
runs what continuous integration runs: format, lints, documentation, every test

Steps, each under its heading; the first failure ends the run and the exit code is not zero:

  format      cargo xtask fmt --check                                 (cargo xtask fmt repairs it)
  lints       cargo clippy --workspace --all-targets -- -D warnings
  docs        RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
  …           the steps of `cargo xtask test`, which include the rules of `cargo xtask tidy`
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    shell::no_options("ci", args)?;
    let mut steps = Steps::begin();
    let mut counts = Counts::default();
    let page = all(&mut steps, &mut counts);
    let seconds = steps.seconds();
    match page {
        Ok(page) => {
            println!("\n{page}\nformat, lints and docs are clean");
            println!("test result: ok. {counts}; finished in {seconds:.1} s");
            Ok(())
        }
        Err(message) => {
            println!("\ntest result: FAILED. {counts}; finished in {seconds:.1} s");
            Err(message)
        }
    }
}

fn all(steps: &mut Steps, counts: &mut Counts) -> Result<String> {
    steps.step("format", || fmt::all(&["--check"]))?;
    steps.step("lints", || {
        shell::run(&mut shell::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    steps.step("docs", || {
        shell::run(shell::cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    test::all(steps, counts)
}
