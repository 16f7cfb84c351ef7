//! `cargo xtask test`: every test there is, in order of what it costs to fail.
//!
//! The workspace's own tests come first, then the same cores under a foreign network, then the page in a real browser,
//! then a run on another machine, which is made of software.
//! The last line counts them in the words that `cargo test` uses, so one reader serves both.

use crate::shell::{self, Result, Steps};
use crate::{browser, parity, wasm};

pub(crate) const HELP: &str = "\
runs every test: workspace, parity with madsim, page in a browser, WebAssembly

Steps, each under its heading; the first failure ends the run and the exit code is not zero:

  workspace   cargo test --workspace
  parity      cargo xtask parity
  browser     cargo xtask browser (skipped with a notice where no Chromium can be had)
  wasm        cargo xtask wasm (skipped with a notice where its target or Node cannot be had)

The last line holds the number of tests that passed, failed and were ignored.
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    shell::no_options("test", args)?;
    let mut steps = Steps::begin();
    let mut counts = Counts::default();
    let page = all(&mut steps, &mut counts);
    let seconds = steps.seconds();
    match page {
        Ok(page) => {
            println!("\n{page}\ntest result: ok. {counts}; finished in {seconds:.1} s");
            Ok(())
        }
        Err(message) => {
            println!("\ntest result: FAILED. {counts}; finished in {seconds:.1} s");
            Err(message)
        }
    }
}

/// The steps of `cargo xtask test`, for this command and for `ci`. Gives what was seen of the page and of the module.
pub(crate) fn all(steps: &mut Steps, counts: &mut Counts) -> Result<String> {
    steps.step("workspace", || shell::watch(&mut shell::cargo(&["test", "--workspace"]), |line| counts.see(line)))?;
    let before = counts.total();
    steps.step("parity", || shell::watch(&mut parity::command(), |line| counts.see(line)))?;
    if counts.total() == before {
        // An empty crate and a forgotten `--cfg` look alike, and both look like success.
        shell::say("parity ran no test: either sim/parity holds none, or it was built without `--cfg madsim`");
    }
    let page = steps.step("browser", browser::judge)?;
    let module = steps.step("wasm", wasm::compare)?;
    Ok(format!("{page}\n{module}"))
}

/// How many tests ended how, added up from the closing lines of all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    fn total(&self) -> u64 {
        self.passed + self.failed + self.ignored
    }

    /// Adds up `line` if it closes a test program: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn see(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        let Some((_, counts)) = rest.split_once(". ") else { return };
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed; {} failed; {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_programs_add_up() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.50s",
        ] {
            counts.see(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 2, ignored: 1 });
        assert_eq!(counts.to_string(), "15 passed; 2 failed; 1 ignored");
    }
}
