//! How a registry grows: with instances plus watchers, and never with their product.
//!
//! All instances register in the first moment of a run, before callers that watch them. What a change costs was once a
//! view and a message for each watcher, each folded into the fingerprint endpoint by endpoint; now changes that wait
//! for one fsync are pushed in one piece. The bound is on work that can be counted, so that no busy machine can break
//! it.

use base::Seed;
use world::{Options, Outcome, run};

/// `instances` before `watchers`, for ten seconds.
fn outcome(instances: u32, watchers: u32, network: &str) -> Outcome {
    let text = format!(
        r#"title = "{instances} instances before {watchers} watchers"
phases = {{ warmup = "1s", storm = "8s", calm = "1s" }}
[topology]
network = "{network}"
[registry]
kind = "consul"
[service.shop]
instances = {instances}
service_time = "2ms"
[load.shoppers]
target = "shop"
rate = "100/s"
sources = {watchers}
"#
    );
    let scenario = scenarios::parse(&text, "scale").expect("it was written here");
    let spec = scenario.lower(Seed(1)).expect("what parses lowers");
    run(&spec, Seed(1), &Options::default()).outcome
}

#[test]
fn a_watcher_does_not_make_registering_quadratic() {
    for network in ["lan", "cross-zone"] {
        let (few, many) = (outcome(1_000, 50, network), outcome(2_000, 50, network));
        // A request is four events or five, and there are a thousand. An instance registers, is granted its lease,
        // renews it at most once and wakes for that; a watcher asks, and is told a few times.
        for (outcome, instances) in [(&few, 1_000), (&many, 2_000)] {
            let most = 6 * instances + 50 * 40 + 1_200 * 6;
            assert!(
                outcome.run.events <= most,
                "{network}: {} events of {instances} instances, at most {most}",
                outcome.run.events
            );
        }
    }
}

#[test]
#[ignore = "a hundred thousand instances; cargo xtask soak registry-scale"]
fn registry_scale() {
    for instances in [1_000, 10_000, 100_000] {
        let began = std::time::Instant::now();
        let outcome = outcome(instances, 100, "lan");
        let seconds = began.elapsed().as_secs_f64();
        // What the process took at most until now, where the system says it; sizes grow, so it is this one's.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or(" unknown").trim().to_string();
        println!(
            "| registry-scale | {instances} before 100 | {seconds:.2} s | {peak} | {} events |",
            outcome.run.events
        );
    }
}
