//! `cargo xtask parity`: the cores as real asynchronous processes on madsim's network and clock.
//!
//! madsim exists only under `--cfg madsim`, which every crate of the build sees; a target directory of its own keeps
//! the two worlds from throwing away each other's work.

use crate::shell::{self, Result};
use std::process::Command;

pub(crate) const HELP: &str = "\
drives the same cores under madsim and compares the final facts

Runs `cargo test --package parity` with `--cfg madsim` added to RUSTFLAGS and target/parity as its target directory.
Words after the command go to the test program, for example the name of a test:

  cargo xtask parity rollback
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut command = command();
    if !args.is_empty() {
        command.arg("--").args(args);
    }
    shell::run(&mut command)
}

/// The cargo command that runs the parity tests.
pub(crate) fn command() -> Command {
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    if !flags.split_whitespace().any(|word| word == "madsim") {
        flags = format!("{flags} --cfg madsim").trim_start().to_string();
    }
    let mut command = shell::cargo(&["test", "--package", "parity"]);
    command.env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", "target/parity");
    command
}
