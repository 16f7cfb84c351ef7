//! Runs whose time stands still stop, and say where and why.

use crate::common::{problems, text};
use base::{Instant, Seed};
use world::{Free, Options, Progress, Standstill, try_run};

fn standstill(name: &str) -> (Box<Standstill>, Vec<String>) {
    assert_eq!(problems(name), [], "nothing is wrong with the file by itself");
    let scenario = scenarios::parse(&text(name), name).expect("it has no problem");
    let spec = scenario.lower(Seed(1)).expect("what parses lowers");
    let progress = Progress::default();
    let options = Options { progress: Some(&progress), ..Options::default() };
    let standstill = try_run(&spec, Seed(1), &options).expect_err("it never ends");
    assert_eq!(progress.simulated(), standstill.at, "whoever waits sees where time stands");
    let keys = standstill.free.iter().map(|free| scenarios::free_key(&scenario, free)).collect();
    (standstill, keys)
}

#[test]
fn users_who_are_answered_at_once_and_never_think_stop_time() {
    let (standstill, keys) = standstill("time-stands-still");
    assert_eq!(standstill.at, Instant::ZERO);
    assert_eq!(keys, ["topology.network", "service.s.service_time", "load.l.think"]);
    let said = standstill.to_string();
    assert!(said.starts_with("time stands still at 0.000s: 10"), "{said}");
    // A loop of three events, of which two are named: each a third of all.
    let (first, second) = (&standstill.commonest[0], &standstill.commonest[1]);
    assert!((first.1 - 1.0 / 3.0).abs() < 0.01 && (second.1 - 1.0 / 3.0).abs() < 0.01, "{said}");
    let loop_of_three = ["a request reaches s", "an answer of s arrives", "l sends a request"];
    assert!(loop_of_three.contains(&first.0.as_str()) && loop_of_three.contains(&second.0.as_str()), "{said}");
}

#[test]
fn retries_without_a_pause_stop_time() {
    let (standstill, keys) = standstill("retries-at-one-instant");
    assert_eq!(keys, ["topology.network", "service.s.service_time", "policy.backoff"]);
    assert!(standstill.free.contains(&Free::Backoff("s".into())));
    let named: Vec<&str> = standstill.commonest.iter().map(|(name, _)| name.as_str()).collect();
    assert!(named.iter().all(|name| name.contains(" s ") || name.ends_with(" s")), "{standstill}");
}

/// Many users who begin at one instant are no standstill, whatever their number.
#[test]
fn a_hundred_thousand_users_at_one_instant_are_honest() {
    let text = "phases = { warmup = \"0s\", storm = \"1s\", calm = \"1s\" }\ntopology = { network = \"ideal\" }\n\
                service.s = { service_time = \"2s\", concurrency = 100000 }\n\
                load.l = { target = \"s\", shape = \"closed\", users = 100000 }\n";
    let spec = scenarios::parse(text, "herd").expect("it parses").lower(Seed(1)).expect("it lowers");
    assert!(try_run(&spec, Seed(1), &Options::default()).is_ok());
}
