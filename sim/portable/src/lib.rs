//! A run without a machine: scenario, world and report in one module of WebAssembly, which has no clock, no files and
//! no threads. `cargo xtask wasm` runs it under Node and compares the fingerprint with that of the command line.
//!
//! The run asks nothing of its host. The module exports one function, since a host without bindings can pass numbers
//! only.
#![expect(unsafe_code, reason = "the host finds an export by its name, which has to be kept as it is")]

use base::Seed;
use std::time::Duration;

/// The fingerprint of the library's `counter` under a seed; 0 where it does not run, or where the JSON made of it does
/// not show it.
#[unsafe(no_mangle)]
pub extern "C" fn fingerprint(seed: u64) -> u64 {
    run(seed).unwrap_or(0)
}

fn run(seed: u64) -> Option<u64> {
    let entry = scenarios::find("counter")?;
    let spec = scenarios::parse(entry.text, entry.name).ok()?.lower(Seed(seed)).ok()?;
    let outcome = world::run(&spec, Seed(seed), &world::Options::default()).outcome;
    let print = outcome.run.fingerprint;
    let json = reports::json::run(&outcome, "", Duration::ZERO);
    let plots = reports::plot::all(&outcome);
    (json.contains(&print.to_string()) && !plots.is_empty()).then_some(print.value())
}
