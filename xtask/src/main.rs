//! The chores of this repository, in the language of the repository: `cargo xtask COMMAND`.
//!
//! One file holds one command: its help text, its options, its work. Continuous integration runs nothing that cannot be
//! run here. Apart from a JSON reader nothing is imported, neither from outside nor from the workspace, so this builds
//! in seconds and goes on working while the rest does not compile.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people owns its console")]

mod bench_table;
mod bless;
mod browser;
mod chromium;
mod ci;
mod criterion;
mod deny;
mod fingerprints;
mod fmt;
mod page;
mod parity;
mod peer_table;
mod shell;
mod soak;
mod test;
mod tidy;
mod wasm;

use std::process::ExitCode;

/// A command: its name, its help (whose first line is its summary), and what it does with the words after its name.
struct Task {
    name: &'static str,
    help: &'static str,
    run: fn(&[String]) -> shell::Result<()>,
}

const TASKS: [Task; 12] = [
    Task { name: "test", help: test::HELP, run: test::run },
    Task { name: "ci", help: ci::HELP, run: ci::run },
    Task { name: "fmt", help: fmt::HELP, run: fmt::run },
    Task { name: "tidy", help: tidy::HELP, run: tidy::run },
    Task { name: "bless", help: bless::HELP, run: bless::run },
    Task { name: "parity", help: parity::HELP, run: parity::run },
    Task { name: "browser", help: browser::HELP, run: browser::run },
    Task { name: "wasm", help: wasm::HELP, run: wasm::run },
    Task { name: "fingerprints", help: fingerprints::HELP, run: fingerprints::run },
    Task { name: "bench-table", help: bench_table::HELP, run: bench_table::run },
    Task { name: "soak", help: soak::HELP, run: soak::run },
    Task { name: "deny", help: deny::HELP, run: deny::run },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{}", overview());
            ExitCode::SUCCESS
        }
        ["help", name] | [name, "--help" | "-h"] => match find(name) {
            Some(task) => {
                println!("cargo xtask {}: {}", task.name, task.help.trim_end());
                ExitCode::SUCCESS
            }
            None => unknown(name),
        },
        [name, ..] => match find(name) {
            Some(task) => match (task.run)(&args[1..]) {
                Ok(()) => ExitCode::SUCCESS,
                Err(message) => {
                    eprintln!("error: {message}");
                    ExitCode::FAILURE
                }
            },
            None => unknown(name),
        },
    }
}

fn find(name: &str) -> Option<&'static Task> {
    TASKS.iter().find(|task| task.name == name)
}

fn unknown(name: &str) -> ExitCode {
    eprintln!("error: there is no command `{name}`\n\n{}", overview());
    ExitCode::from(2)
}

fn overview() -> String {
    let mut text = String::from("The chores of this repository.\n\nUsage: cargo xtask COMMAND [OPTION…]\n\n");
    for task in &TASKS {
        let summary = task.help.lines().next().unwrap_or_default();
        text.push_str(&format!("  {:<14}{summary}\n", task.name));
    }
    text.push_str("\n`cargo xtask help COMMAND` says more about one of them.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_summary_that_fits_a_line_and_a_longer_text() {
        for task in &TASKS {
            let mut lines = task.help.lines();
            let summary = lines.next().unwrap_or_default();
            assert!((20..=90).contains(&summary.chars().count()), "{}: `{summary}`", task.name);
            assert_eq!(lines.next(), Some(""), "{}: a blank line follows the summary", task.name);
            assert!(lines.count() > 1, "{}: the help says nothing beyond its summary", task.name);
        }
    }
}
