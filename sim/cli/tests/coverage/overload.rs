//! A study sees that an instance has more to do than it can, whatever the load of all together, and runs what is
//! bounded.

use crate::systems::spec;
use crate::{report, samples, warnings};
use study::{Measure, Sample};

/// Ten runs of forty seconds of a service `server` and a load.
fn study(service: &str, load: &str) -> (Vec<Sample>, Vec<String>) {
    let text = format!(
        "phases = {{ warmup = \"10s\", storm = \"40s\", calm = \"0s\" }}\npolicy = \"none\"\n\
         [topology]\nnetwork = \"ideal\"\n\
         [service.server]\nconcurrency = 1\nservice_time = {{ distribution = \"exponential\", mean = \"10ms\" }}\n\
         {service}\n[load.users]\ntarget = \"server\"\n{load}\n"
    );
    let spec = spec("overload", &text);
    let samples = samples(&spec, 0);
    let said = report(&spec, samples.clone());
    (samples, warnings(&said))
}

fn grew(warnings: &[String]) -> Option<&String> {
    warnings.iter().find(|w| w.contains("the queue of an instance grew"))
}

#[test]
fn a_slow_instance_among_idle_ones_is_seen_by_name() {
    // 60 % of all, and twice what the fourth can do.
    let service = "instances = 4\nspeeds = [1, 1, 1, 0.25]\nbalancer = \"random\"";
    let (_, said) = study(service, "rate = \"200/s\"");
    assert!(grew(&said).is_some_and(|w| w.contains("(server-4 in")), "{said:?}");
}

#[test]
fn weights_overload_an_instance_too() {
    let service = "instances = 3\nweights = [4, 1, 1]\nbalancer = \"weighted_random\"";
    let (_, said) = study(service, "rate = \"200/s\"");
    assert!(grew(&said).is_some_and(|w| w.contains("(server-1 in")), "{said:?}");
}

#[test]
fn a_busy_instance_that_keeps_up_is_not() {
    for load in ["rate = \"90/s\"", "rate = \"95/s\"", "shape = \"closed\"\nusers = 50"] {
        let (_, said) = study("instances = 1", load);
        assert_eq!(grew(&said), None, "{load}");
    }
}

#[test]
fn what_is_bounded_is_no_longer_unstable() {
    let (samples, said) = study("instances = 1\nqueue_limit = 20", "rate = \"150/s\"");
    assert_eq!(grew(&said), None);
    let errors = samples.iter().filter_map(|s| s.measure(&Measure::Errors)).sum::<f64>() / 10.0;
    assert!((errors - 1.0 / 3.0).abs() < 0.02, "of 150 a second 100 are served: {errors}");
}
