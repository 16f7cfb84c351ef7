//! Scenarios of the library under many seeds: each must pass under every one.

use crate::figures::Soak;
use base::Seed;
use world::{Options, Verdict, run};

/// One for each seed under which a scenario passes, zero for each under which it does not.
fn passes(name: &str, soak: &Soak) -> Vec<f64> {
    let entry = scenarios::find(name).expect("it is in the library");
    let scenario = scenarios::parse(entry.text, entry.name).expect("it parses");
    let outcome = |seed| {
        let spec = scenario.lower(Seed(seed)).expect("what parses lowers");
        run(&spec, Seed(seed), &Options::default()).outcome
    };
    // What was kept of another build may look the same, since both passed; the fingerprint tells them apart.
    let input = format!("{} {}", entry.text, outcome(0).fingerprint);
    soak.figures(name, &input, |seed| {
        let outcome = outcome(seed);
        if outcome.verdict != Verdict::Passed {
            println!("{name} --seed {seed}: {:?}", outcome.failure);
        }
        f64::from(u8::from(outcome.verdict == Verdict::Passed))
    })
}

fn explore(name: &str, soak: &Soak) {
    let passed = passes(name, soak);
    let (seeds, good) = (passed.len() as u64, passed.iter().sum::<f64>());
    println!("| {name} | {seeds} | {good} | {} | every seed passes |", seeds as f64 - good);
    assert_eq!((seeds, good), (soak.seeds, soak.seeds as f64), "{name} does not pass under every seed");
}

#[test]
fn the_library_passes_under_a_few_seeds_more() {
    ["weather", "counter", "steady"].into_iter().for_each(|name| explore(name, &Soak::small(4)));
}

#[test]
#[ignore = "2,000 runs; cargo xtask soak weather"]
fn weather_passes() {
    explore("weather", &Soak::of_environment(2_000));
}

#[test]
#[ignore = "2,000 runs; cargo xtask soak counter"]
fn counter_passes() {
    explore("counter", &Soak::of_environment(2_000));
}

#[test]
#[ignore = "2,000 runs; cargo xtask soak steady"]
fn steady_passes() {
    explore("steady", &Soak::of_environment(2_000));
}
