//! `cargo xtask fmt`: every Rust file in one form, those included that `cargo fmt` does not come to.
//!
//! rustfmt follows `mod` lines and does not expand macros, so it never sees a module that a list declares.

use crate::shell::{self, Result};

pub(crate) const HELP: &str = "\
formats every Rust file

Like `cargo fmt --all`, which does not come to modules that a macro declares.

  cargo xtask fmt            changes the files
  cargo xtask fmt --check    shows what would be changed, and fails where that is anything
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    match args {
        [] => all(&[]),
        [check] if check == "--check" => all(&["--check"]),
        _ => Err("`cargo xtask fmt` takes --check or nothing".into()),
    }
}

pub(crate) fn all(options: &[&str]) -> Result<()> {
    shell::run(shell::cargo(&["fmt", "--all", "--"]).args(options))?;
    let files = crate::tidy::sources()?;
    // Quietly: the line would name all files.
    let mut rustfmt = shell::program("rustfmt");
    let output = rustfmt.args(["--edition", "2024"]).args(options).args(files).output();
    let output = output.map_err(|e| format!("`rustfmt` could not be started: {e}"))?;
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err("there are files in another form: `cargo xtask fmt`".into()) }
}
