//! Scenarios of the library under many seeds: each must pass under every one.

use crate::figures::Soak;
use base::Seed;
use world::{Options, Verdict, run};

/// For each seed a part of its run's fingerprint, so that what was kept of another build is known for what it is; less
/// than nothing where the scenario does not pass.
fn ends(name: &str, soak: &Soak) -> Vec<f64> {
    let entry = scenarios::find(name).expect("it is in the library");
    let scenario = scenarios::parse(entry.text, entry.name).expect("it parses");
    soak.figures(name, entry.text, |seed| {
        let spec = scenario.lower(Seed(seed)).expect("what parses lowers");
        let outcome = run(&spec, Seed(seed), &Options::default()).outcome;
        let part = 1.0 + f64::from(outcome.run.fingerprint.value() as u32);
        if outcome.verdict == Verdict::Passed {
            return part;
        }
        println!("{name} --seed {seed}: {:?}", outcome.failure);
        -part
    })
}

fn explore(name: &str, soak: &Soak) {
    let ends = ends(name, soak);
    let (seeds, good) = (ends.len() as u64, ends.iter().filter(|end| **end > 0.0).count() as u64);
    println!("| {name} | {seeds} | {good} | {} | every seed passes |", seeds - good);
    assert_eq!((seeds, good), (soak.seeds, soak.seeds), "{name} does not pass under every seed");
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
