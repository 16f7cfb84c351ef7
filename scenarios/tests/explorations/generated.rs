//! Scenarios at random: whatever can be written runs, to its end, and twice the same.
//!
//! A generated scenario may miss its objectives, and end with a backlog or a view that is out of date: it is drawn
//! without any thought of whether it makes sense. What holds nevertheless holds in all of them: it is read without a
//! problem, fits the schema, costs no more than it was drawn to cost, gives equal outcomes twice, and breaks no
//! `always` but the one that it asks to break, by waiting for ever.

use crate::coverage::Coverage;
use crate::figures::Soak;
use crate::generate;
use base::Seed;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;
use world::outcome::{CheckKind, Verdict};
use world::{Options, Outcome, Spec, Standstill, try_run};

/// More events than any scenario was drawn to have.
const EVENTS_MAX: u64 = 4_000_000;
/// A run of so many events takes a few seconds. Who waits for longer waits for ever.
const PATIENCE: Duration = Duration::from_secs(300);
/// Drawn and lowered, of which a few are run: enough for everything there is to come up.
const LOWERED: u64 = 1_000;

/// How a generated scenario ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// With an outcome, after so many events.
    Outcome(Verdict, u64),
    /// At an instant at which events went on and on.
    Standstill,
}

const VERDICTS: [Verdict; 5] =
    [Verdict::Passed, Verdict::Coverage, Verdict::Objective, Verdict::Liveness, Verdict::Safety];

impl End {
    /// As a figure that is kept: events and the number of the verdict, or nothing.
    fn figure(self) -> f64 {
        match self {
            End::Standstill => -1.0,
            End::Outcome(verdict, events) => {
                let number = VERDICTS.iter().position(|v| *v == verdict).unwrap_or(0);
                (events * VERDICTS.len() as u64) as f64 + number as f64
            }
        }
    }

    fn of_figure(figure: f64) -> Option<Self> {
        let all = VERDICTS.len() as u64;
        match figure {
            figure if figure.is_nan() => None,
            figure if figure < 0.0 => Some(End::Standstill),
            figure => Some(End::Outcome(VERDICTS[(figure as u64 % all) as usize], figure as u64 / all)),
        }
    }
}

/// The world of a seed, and its file.
fn lowered(seed: u64) -> Result<(String, Spec), String> {
    let mut drawn = generate::scenario(seed);
    let text = scenarios::to_toml(&drawn);
    drawn.name_faults();
    let checked = scenarios::check(&text, "generated");
    let said = scenarios::render(&checked.problems, "generated.toml", &text, false);
    let Some(scenario) = checked.scenario else { return Err(format!("is refused:\n{said}")) };
    if scenario != drawn {
        return Err("is read as another one than was written".to_string());
    }
    match scenario.lower(Seed(seed)) {
        Ok(spec) => Ok((text, spec)),
        Err(problems) => Err(format!("parses and does not lower: {problems:?}")),
    }
}

/// Whether somebody may wait for ever, as a scenario can ask for.
fn may_wait_for_ever(spec: &Spec) -> bool {
    spec.services.iter().any(|service| service.policy.timeout.is_none())
        || spec.gateway.as_ref().is_some_and(|gateway| gateway.client_timeout.is_none())
}

fn run_twice(seed: u64) -> Result<End, String> {
    let (_, spec) = lowered(seed)?;
    let run = || try_run(&spec, Seed(seed), &Options::default()).map(|run| run.outcome);
    let (first, second) = (run(), run());
    let outcome = match (first, second) {
        (Ok(first), Ok(second)) if first == second => first,
        (Err(first), Err(second)) if first == second => return Ok(End::Standstill),
        (first, second) => {
            let told = |run: Result<Outcome, Box<Standstill>>| match run {
                Ok(outcome) => outcome.run.fingerprint.to_string(),
                Err(standstill) => standstill.to_string(),
            };
            return Err(format!("ends differently the second time: {}, then {}", told(first), told(second)));
        }
    };
    if outcome.run.events > EVENTS_MAX {
        return Err(format!("has {} events", outcome.run.events));
    }
    let requests = &outcome.requests;
    if requests.sent != requests.succeeded + requests.failed + requests.unfinished {
        return Err(format!("loses requests: {requests:?}"));
    }
    for check in outcome.checks.iter().filter(|check| check.kind == CheckKind::Always && check.violations > 0) {
        if check.name == "every_request_ends_once" && may_wait_for_ever(&spec) {
            continue;
        }
        return Err(format!("breaks {}: {:?}", check.name, check.first));
    }
    Ok(End::Outcome(outcome.verdict, outcome.run.events))
}

/// Runs the scenario of a seed, and waits for it no longer than is sensible.
fn end(seed: u64) -> Result<End, String> {
    std::thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        scope.spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(|| run_twice(seed)));
            tell.send(ended.unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                Err(format!("panics: {}", text.or(panic.downcast_ref().copied()).unwrap_or("without a word")))
            }))
        });
        hear.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            println!("seed {seed} does not end:\n{}", generate::file(seed));
            // A run cannot be stopped from outside.
            std::process::exit(1)
        })
    })
}

/// Runs the scenarios of the seeds; gives how they ended, and what was wrong with some.
///
/// What was kept of another generator is known by a hundred of its files.
fn explore(soak: &Soak) -> (Vec<Option<End>>, String) {
    let wrong = std::sync::Mutex::new(String::new());
    let input: String = (0..10_000).step_by(100).map(generate::file).collect();
    let figures = soak.figures("generated", &input, |seed| match end(seed) {
        Ok(end) => end.figure(),
        Err(why) => {
            println!("seed {seed} {why}");
            let mut wrong = wrong.lock().expect("nobody panicked");
            writeln!(wrong, "seed {seed} {why}").expect("a text takes it");
            soak.keep(&format!("{seed}.toml"), &generate::file(seed));
            f64::NAN
        }
    });
    (figures.into_iter().map(End::of_figure).collect(), wrong.into_inner().expect("nobody panicked"))
}

/// Draws and lowers scenarios, and says what never came up.
fn coverage(seeds: u64) -> Coverage {
    let mut coverage = Coverage::new();
    for seed in 0..seeds {
        match lowered(seed) {
            Ok((text, spec)) => coverage.see(&text, &spec),
            Err(why) => panic!("seed {seed} {why}\n{}", generate::file(seed)),
        }
    }
    coverage
}

#[test]
fn some_generated_scenarios_run_and_end() {
    let (ends, wrong) = explore(&Soak::small(80));
    assert_eq!(wrong, "");
    let standstills = ends.iter().filter(|end| **end == Some(End::Standstill)).count();
    assert!(standstills < 5, "{standstills} of {} scenarios stand still", ends.len());
}

/// Seeds of the ten thousand that once failed. 7365: a later rollout wanted the version that the service was left at,
/// and its first order gave all traffic to the canary whose rollback nobody had finished. 7743: `max_surge` as large as
/// a number can be overflowed a sum.
#[test]
fn what_failed_once_fails_no_more() {
    for seed in [7365, 7743] {
        assert!(matches!(end(seed), Ok(End::Outcome(..))), "seed {seed}: {:?}", end(seed));
    }
}

#[test]
fn everything_that_can_be_written_is_generated() {
    let coverage = coverage(LOWERED);
    assert!(coverage.size() > 400, "{} things", coverage.size());
    assert_eq!(coverage.missing(), Vec::<&str>::new());
}

#[test]
#[ignore = "10,000 runs; cargo xtask soak generated"]
fn ten_thousand() {
    let soak = Soak::of_environment(10_000);
    let (ends, wrong) = explore(&soak);
    let coverage = coverage(soak.seeds);
    println!("{}", coverage.told());
    let count = |is: &dyn Fn(&End) -> bool| ends.iter().flatten().filter(|end| is(end)).count();
    for verdict in VERDICTS {
        println!("{:>8} {}", count(&|end| matches!(end, End::Outcome(v, _) if *v == verdict)), verdict.name());
    }
    let events: Vec<u64> =
        ends.iter().flatten().filter_map(|e| if let End::Outcome(_, n) = e { Some(*n) } else { None }).collect();
    let (all, most) = (events.iter().sum::<u64>() / events.len().max(1) as u64, events.iter().max().unwrap_or(&0));
    let failed = ends.iter().filter(|end| end.is_none()).count();
    println!(
        "| generated | {} | {} | {} | {failed} | {all} | {most} | {} | none fails |",
        ends.len(),
        events.len(),
        count(&|end| *end == End::Standstill),
        coverage.size() - coverage.missing().len(),
    );
    assert_eq!(wrong, "");
    assert_eq!(coverage.missing(), Vec::<&str>::new());
}
