//! `cargo xtask deny`: cargo-deny over `deny.toml`, where cargo-deny is installed.
//!
//! Licences and banned crates are also checked by `cargo xtask tidy`, without any tool; what only cargo-deny knows are
//! the advisories, because it fetches their database.

use crate::shell::{self, Result};

pub(crate) const HELP: &str = "\
runs cargo-deny over deny.toml, where it is installed

Checks advisories, licences, bans and sources. Without cargo-deny it says so and succeeds: licences and bans are checked
by `cargo xtask tidy` in any case. `cargo install --locked cargo-deny` installs it.
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    shell::no_options("deny", args)?;
    if shell::output(&mut shell::cargo(&["deny", "--version"])).is_err() {
        println!("cargo-deny is not installed, so advisories were not checked.");
        println!(
            "`cargo install --locked cargo-deny` installs it; `cargo xtask tidy` checks licences and bans without it."
        );
        return Ok(());
    }
    shell::run(&mut shell::cargo(&["deny", "check"]))
}
