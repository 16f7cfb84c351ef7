//! `cargo xtask bless`: rewrites the answers in all golden files and shows which of them changed.
//!
//! The change is then read like any other: a golden file is right because somebody looked at it, not because it agrees.

use crate::shell::{self, Result};

pub(crate) const HELP: &str = "\
rewrites the golden files to what the code now answers, and shows what changed

Runs `cargo test --workspace` with BLESS=1, under which golden tests write their answers instead of comparing them, then
`git diff --stat`. Read the difference before committing it.

  cargo xtask bless             every crate
  cargo xtask bless CRATE…      these crates only
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(option) = args.iter().find(|word| word.starts_with('-')) {
        return Err(format!("`{option}` is not understood: `cargo xtask bless` takes names of crates"));
    }
    let mut cargo = shell::cargo(&["test", "--no-fail-fast"]);
    if args.is_empty() {
        cargo.arg("--workspace");
    }
    for name in args {
        cargo.args(["--package", name]);
    }
    let tests = shell::run(cargo.env("BLESS", "1"));
    shell::run(shell::program("git").args(["--no-pager", "diff", "--stat"]))?;
    // Tests beside the golden ones may fail; what was blessed is shown all the same.
    tests
}
