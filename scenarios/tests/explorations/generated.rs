//! Scenarios at random: whatever can be written runs, to its end, and twice the same.

use crate::figures::Soak;
use crate::generate;
use base::Seed;
use world::{Options, Run, Standstill, try_run};

/// Runs the scenario of a seed.
fn go(text: &str, seed: u64) -> Result<Run, Box<Standstill>> {
    let checked = scenarios::check(text, "generated");
    let said = scenarios::render(&checked.problems, "generated.toml", text, false);
    let scenario = checked.scenario.unwrap_or_else(|| panic!("refused:\n{said}\n{text}"));
    let spec = scenario.lower(Seed(seed)).expect("what parses lowers");
    try_run(&spec, Seed(seed), &Options::default())
}

#[test]
fn a_few_generated_scenarios_run() {
    for seed in 0..80 {
        let text = generate::file(seed);
        let start = std::time::Instant::now();
        match go(&text, seed) {
            Ok(run) => println!(
                "{seed} {} {:?} {:?} {}",
                run.outcome.events,
                run.outcome.verdict,
                start.elapsed(),
                run.outcome.failure.map_or(String::new(), |f| f.message)
            ),
            Err(standstill) => println!("{seed} {standstill}"),
        }
    }
    let _ = Soak::small(1);
}
