//! Golden text: tests written as a conversation with the thing under test.
//!
//! A file holds blocks of a command, a line `----`, and the expected answer, with a blank line between blocks. Lines
//! that start with `#` are prose and stay where they are.
//!
//! ```text
//! # A lease that is not renewed ends at its deadline.
//! register i1 ttl=30s
//! ----
//! lease1 granted until 30.000s
//! ```
//!
//! [`check`] runs each command and compares. With `BLESS=1` in the environment (what `cargo xtask bless` sets) it
//! rewrites the answers instead, so a change of behaviour is reviewed as a change of text.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Runs every block of the golden file at `path` through `answer` and panics at the first file that differs, showing
/// expected and actual text of each differing block.
///
/// `path` is relative to the crate under test, which passes `env!("CARGO_MANIFEST_DIR")` as `root`.
pub fn check(root: &str, path: &str, mut answer: impl FnMut(&str) -> String) {
    let full = Path::new(root).join(path);
    let text = fs::read_to_string(&full).unwrap_or_else(|e| panic!("{}: {e}", full.display()));
    let mut rewritten = String::new();
    let mut differences = String::new();
    for block in text.trim_end().split("\n\n") {
        let mut comments = String::new();
        let mut command = String::new();
        let mut expected = String::new();
        let mut in_answer = false;
        for line in block.lines() {
            match line {
                "----" => in_answer = true,
                _ if !in_answer && line.starts_with('#') => writeln!(comments, "{line}").unwrap(),
                _ if in_answer => writeln!(expected, "{line}").unwrap(),
                _ => writeln!(command, "{line}").unwrap(),
            }
        }
        rewritten.push_str(&comments);
        if !command.is_empty() {
            let mut actual = answer(command.trim_end()).trim_end().to_string();
            if !actual.is_empty() {
                actual.push('\n');
            }
            assert!(!actual.contains("\n\n"), "an answer with a blank line cannot be told from two blocks:\n{actual}");
            if actual != expected {
                write!(differences, "\n{command}---- expected\n{expected}---- actual\n{actual}").unwrap();
            }
            write!(rewritten, "{command}----\n{actual}").unwrap();
        }
        rewritten.push('\n');
    }
    #[expect(clippy::disallowed_methods, reason = "a test runner's switch, never read inside a run")]
    let bless = std::env::var("BLESS").is_ok_and(|v| v == "1");
    if bless {
        fs::write(&full, format!("{}\n", rewritten.trim_end())).unwrap_or_else(|e| panic!("{}: {e}", full.display()));
    } else {
        assert!(differences.is_empty(), "{path} differs (cargo xtask bless rewrites it):\n{differences}");
    }
}
