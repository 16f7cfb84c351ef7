//! `cargo xtask wasm`: world, scenarios and reports in WebAssembly, and one seed, one run there too.
//!
//! A module on `wasm32-unknown-unknown` has no clock, no files, no threads and no randomness to fall back on, and
//! another processor's arithmetic: what gives the native fingerprint there depends on nothing but scenario and seed.

use crate::shell::{self, Result};
use serde_json::Value;

pub(crate) const HELP: &str = "\
runs the product as WebAssembly and compares its fingerprints with the native ones

Builds sim/portable for wasm32-unknown-unknown, runs the library's `counter` in it under Node with
seeds 1 and 2, and the same on this machine, and fails when a fingerprint differs.

Adds the target by rustup where it is missing. Where that or Node cannot be had nothing is compared, and the last line
says so.
";

const TARGET: &str = "wasm32-unknown-unknown";
const SEEDS: [u64; 2] = [1, 2];

/// Quick to build rather than quick to run: the module runs for a second.
const QUICK: [&str; 4] = ["--config", "profile.dev.opt-level=0", "--config", "profile.dev.package.\"*\".opt-level=0"];

/// Prints a fingerprint per seed, in hexadecimal as the command line does. The host has nothing to give: the imports
/// that plotters' bindings to browsers leave behind are there, and throw when they are called.
const SCRIPT: &str = "\
const fs = require('fs');
const [file, ...seeds] = process.argv.slice(1);
const module = new WebAssembly.Module(fs.readFileSync(file));
const host = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  host[from] ??= {};
  host[from][name] = () => { throw new Error(`the run asked its host for ${name}`); };
}
for (const seed of seeds) {
  const { fingerprint } = new WebAssembly.Instance(module, host).exports;
  console.log(BigInt.asUintN(64, fingerprint(BigInt(seed))).toString(16).padStart(16, '0'));
}
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    shell::no_options("wasm", args)?;
    println!("{}", compare()?);
    Ok(())
}

/// Compares; gives a line that says what was seen, or why nothing was.
pub(crate) fn compare() -> Result<String> {
    if let Err(why) = shell::output(shell::program("node").arg("--version")) {
        return Ok(format!("WebAssembly was not compared: no Node here ({})", first_line(&why)));
    }
    if let Err(why) = shell::output(shell::program("rustup").args(["target", "add", TARGET])) {
        return Ok(format!("WebAssembly was not compared: {TARGET} cannot be added ({})", first_line(&why)));
    }
    let target = shell::target()?;
    shell::run(shell::cargo(&["build", "--package", "portable", "--target", TARGET]).args(QUICK))?;
    let module = target.join(TARGET).join("debug/portable.wasm");
    let seeds = SEEDS.map(|seed| seed.to_string());
    let there = shell::output(shell::program("node").args(["-e", SCRIPT]).arg(&module).args(&seeds))?;
    let here = SEEDS.iter().map(|seed| native(*seed)).collect::<Result<Vec<_>>>()?;
    let there: Vec<&str> = there.split_whitespace().collect();
    if there != here {
        return Err(format!(
            "counter has the fingerprints {} in WebAssembly and {} here",
            there.join(" "),
            here.join(" ")
        ));
    }
    Ok(format!("counter under seeds 1 and 2 is the same run in WebAssembly as here: {}", here.join(" ")))
}

/// The fingerprint on this machine.
fn native(seed: u64) -> Result<String> {
    let seed = seed.to_string();
    let output = shell::output(shell::windtunnel()?.args(["run", "counter", "--seed", &seed, "--format", "json"]))?;
    let outcome: Value = serde_json::from_str(&output).map_err(|e| format!("`windtunnel run counter`: {e}"))?;
    outcome["fingerprint"]
        .as_str()
        .map(String::from)
        .ok_or_else(|| "`windtunnel run counter` has no fingerprint".into())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
