//! For how long a dead instance is sent requests, by registry: the closed forms of what the periods add up to.
//!
//! - **Eureka**: 180 s from the last renewal, which was 0 to 30 s before the death; then a pass within 60 s, a renewed
//!   copy within 30 s, a poll within 30 s. Four even spans: 150 to 300 s, mean 225, variance (30² + 60² + 30² + 30²) /
//!   12 = 22.9².
//! - **Consul** with a TTL check: 30 s from the last update, which was 0 to 15 s before: 15 to 30 s, mean 22.5,
//!   deviation 4.33.
//!
//! A death is seen until the last request, so the figures are low by half the gap between two requests to one instance.

use crate::figures::{Soak, Summary};
use base::Seed;
use world::{Options, run};

/// A machine of twenty dies, with requests to each `1 / gap_s` times a second.
fn scenario(registry: &str, warmup: &str, storm: &str, dies: &str, gap_s: f64) -> String {
    let rate = 20.0 / gap_s;
    format!(
        r#"title = "one machine dies"
phases = {{ warmup = "{warmup}", storm = "{storm}", calm = "20s" }}
[topology]
network = "lan"
[registry]
{registry}
[service.shop]
instances = 20
service_time = "2ms"
[policy]
timeout = "1s"
[balancer]
strategy = "round_robin"
[load.l]
target = "shop"
rate = "{rate}/s"
[[fault]]
kind = "crash"
how = "machine"
what = "one of shop"
at = "{dies}"
lasts = "forever"
"#
    )
}

fn eureka(gap_s: f64) -> String {
    scenario("kind = \"eureka\"", "70s", "8m", "80s .. 140s", gap_s)
}

fn consul(gap_s: f64) -> String {
    scenario("kind = \"consul\"\nttl = \"30s\"\nheartbeat = \"15s\"", "20s", "60s", "30s .. 45s", gap_s)
}

/// From the death to the last request that was sent to the dead, in seconds.
fn exposure(text: &str, seed: u64) -> f64 {
    let scenario = scenarios::parse(text, "exposure").expect("it was written here");
    let spec = scenario.lower(Seed(seed)).expect("what parses lowers");
    let outcome = run(&spec, Seed(seed), &Options::default()).outcome;
    let [death] = &outcome.exposure[..] else { panic!("{} deaths under seed {seed}", outcome.exposure.len()) };
    let last = death.last_sent.unwrap_or_else(|| panic!("the dead was sent nothing under seed {seed}"));
    last.saturating_since(death.died).as_secs_f64()
}

/// What must come out: everything between two bounds, and the moments of the closed form within tolerances.
struct Form {
    between: (f64, f64),
    mean: (f64, f64),
    deviation: (f64, f64),
}

fn explore(name: &str, soak: &Soak, text: &str, form: &Form) {
    let figures = soak.figures(name, text, |seed| exposure(text, seed));
    let seen = Summary::of(&figures);
    let (low, high) = form.between;
    let expected = format!(
        "{low} to {high}, mean {} ± {}, deviation {} ± {}",
        form.mean.0, form.mean.1, form.deviation.0, form.deviation.1
    );
    println!("{}", seen.row(name, &expected));
    assert_eq!(seen.count as u64, soak.seeds);
    // A request under way when the instance dies, and the gap to the next, are a matter of fractions of a second.
    assert!(seen.least >= low - 1.0 && seen.most <= high + 1.0, "{seen:?}");
    assert!((seen.mean - form.mean.0).abs() <= form.mean.1, "{seen:?}");
    assert!((seen.deviation - form.deviation.0).abs() <= form.deviation.1, "{seen:?}");
}

#[test]
fn eureka_takes_150_to_300_seconds() {
    // Half a second of gap; four standard errors of a mean and of a deviation over a hundred.
    let form = Form { between: (150.0, 300.0), mean: (224.5, 9.2), deviation: (22.9, 5.5) };
    explore("eureka-exposure", &Soak::small(100), &eureka(1.0), &form);
}

#[test]
fn consul_takes_15_to_30_seconds() {
    let form = Form { between: (15.0, 30.0), mean: (22.4, 1.8), deviation: (4.33, 0.9) };
    explore("consul-exposure", &Soak::small(100), &consul(0.2), &form);
}

#[test]
#[ignore = "2,000 runs of ten minutes each; cargo xtask soak eureka-exposure"]
fn eureka_exposure() {
    let form = Form { between: (150.0, 300.0), mean: (225.0, 1.5), deviation: (22.9, 1.0) };
    explore("eureka-exposure", &Soak::of_environment(2_000), &eureka(0.1), &form);
}

#[test]
#[ignore = "2,000 runs; cargo xtask soak consul-exposure"]
fn consul_exposure() {
    let form = Form { between: (15.0, 30.0), mean: (22.5, 0.3), deviation: (4.33, 0.3) };
    explore("consul-exposure", &Soak::of_environment(2_000), &consul(0.1), &form);
}
