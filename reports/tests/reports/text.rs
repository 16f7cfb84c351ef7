//! What people and programs read, word for word: the console's text and the JSON of one run, as golden files.
//!
//! `BLESS=1` rewrites the files; then read them.

use crate::fixture;
use base::Duration;
use reports::console::{Options, SweepRow, summary, sweep};
use reports::json;
use std::fs;
use std::path::Path;
use std::time::Duration as WallTime;
use world::outcome::{Distribution, Outcome, Requests, Verdict};

const REPLAY: &str = "windtunnel replay scenarios/weather.toml --seed 42";

fn options() -> Options {
    Options { colour: false, width: 100, replay: REPLAY.into(), wall: WallTime::from_millis(310) }
}

fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("BLESS").is_ok_and(|v| v == "1") {
        fs::write(&path, actual).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(actual, expected, "{name} differs (cargo xtask bless rewrites it)");
}

#[test]
fn the_console_tells_a_run_that_passed() {
    golden("passed.txt", &summary(&fixture::weather(), &options()));
}

#[test]
fn the_console_tells_a_run_that_failed() {
    golden("failed.txt", &summary(&fixture::broken(), &options()));
}

#[test]
fn the_console_tells_a_run_in_which_nothing_happened() {
    golden("empty.txt", &summary(&fixture::empty(), &options()));
}

/// A run that ended before 1,504 of its requests did.
fn overloaded() -> Outcome {
    let mut outcome = fixture::weather();
    let open = |requests: &mut Requests, latency: &mut Distribution, least| {
        requests.unfinished = 1_504;
        requests.succeeded -= 1_504;
        latency.exact_below = Some(least);
    };
    open(&mut outcome.requests, &mut outcome.latency, Duration::ms(40));
    let frontend = &mut outcome.services[0];
    let least = frontend.latency.p99;
    open(&mut frontend.requests, &mut frontend.latency, least);
    outcome
}

#[test]
fn the_console_tells_what_had_not_ended() {
    golden("unfinished.txt", &summary(&overloaded(), &options()));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let text = summary(&fixture::broken(), &Options { colour: true, ..options() });
    assert!(text.contains("\x1b[1;31m✗ FAILED"), "{text}");
    let mut bare = String::new();
    let mut rest = text.as_str();
    while let Some(escape) = rest.find("\x1b[") {
        bare.push_str(&rest[..escape]);
        let end = rest[escape..].find('m').expect("every escape ends");
        rest = &rest[escape + end + 1..];
    }
    bare.push_str(rest);
    assert_eq!(bare, summary(&fixture::broken(), &options()));
}

#[test]
fn names_cannot_steer_the_terminal() {
    let text = summary(&fixture::hostile(), &options());
    assert!(!text.contains('\x1b'), "an escape character reached the console:\n{text}");
    assert!(text.contains("\\u{1b}[31m"), "the escape is shown instead:\n{text}");
}

#[test]
fn prose_keeps_to_the_width_it_is_given() {
    let text = summary(&fixture::broken(), &Options { width: 60, ..options() });
    let message = text.lines().skip_while(|l| !l.contains("FAILED")).skip(1).take_while(|l| !l.contains("fingerprint"));
    let widths: Vec<usize> = message.map(|l| l.chars().count()).collect();
    assert!(widths.len() > 1 && widths.iter().all(|&w| w <= 60), "{widths:?}\n{text}");
}

fn rows(outcomes: &[Outcome]) -> Vec<SweepRow> {
    outcomes.iter().map(|o| SweepRow::of(o, format!("windtunnel replay weather.toml --seed {}", o.run.seed))).collect()
}

#[test]
fn a_sweep_tells_how_seeds_ended_and_how_far_they_spread() {
    let mut outcomes = Vec::new();
    for seed in 0..30u64 {
        let mut outcome = match seed {
            7 | 19 => fixture::broken(),
            _ => fixture::weather(),
        };
        outcome.run.seed = base::Seed(seed);
        outcome.latency.p99 += Duration::us(170 * (seed * 13 % 30));
        if seed == 11 {
            outcome.verdict = Verdict::Coverage;
            outcome.failure = fixture::broken().failure.map(|f| world::outcome::Failure {
                verdict: Verdict::Coverage,
                name: "breaker_opened".into(),
                ..f
            });
        }
        outcomes.push(outcome);
    }
    golden("sweep.txt", &sweep(&rows(&outcomes), false));
    golden("sweep-passed.txt", &sweep(&rows(&outcomes[..1]), false));
    assert_eq!(sweep(&[], false), "  no seed was run\n");
}

#[test]
fn json_has_the_keys_programs_rely_on() {
    golden("run.json", &json::run_pretty(&fixture::broken(), REPLAY, WallTime::from_millis(310)));
    let line = json::run(&fixture::weather(), REPLAY, WallTime::from_millis(310));
    assert!(!line.contains('\n'), "one object a line");
    let value: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
    assert!(value["seed"].is_string(), "a seed is a string: {}", value["seed"]);
    assert!(value["failure"].is_null());
    assert_eq!(value["fingerprint"].as_str().map(str::len), Some(16));
    let promised = [
        "scenario",
        "seed",
        "fingerprint",
        "verdict",
        "failure",
        "simulated_s",
        "wall_s",
        "events",
        "requests",
        "latency_ms",
        "services",
        "checks",
        "rollouts",
    ];
    for key in promised {
        assert!(value.get(key).is_some(), "{key} is missing");
    }
}

#[test]
fn json_keeps_any_text_and_any_number() {
    let mut outcome = fixture::hostile();
    outcome.services[0].instances[0].utilisation = f64::NAN;
    let value: serde_json::Value = serde_json::from_str(&json::run(&outcome, REPLAY, WallTime::ZERO)).unwrap();
    assert_eq!(value["scenario"], fixture::HOSTILE);
    assert_eq!(value["failure"]["message"], fixture::HOSTILE);
    let service = &value["services"][format!("{}0", fixture::HOSTILE)];
    assert!(service["instances"][0]["utilisation"].is_null(), "{service}");
}
