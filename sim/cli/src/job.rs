//! One run, from outside: started, timed, and caught when it falls.
//!
//! A panic in a run is a bug of ours, and no reason to lose the results of the runs beside it. It is caught with its
//! message, and counts as the run's result.

use crate::exit::Exit;
use crate::file::Loaded;
use base::{Fingerprint, Seed};
use scenarios::Scenario;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::{Duration, Instant};
use world::{Options, Run, Spec, Standstill};

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Finished {
    /// What it left behind, or why it left nothing.
    pub(crate) result: Result<Run, NoOutcome>,
    /// The fingerprint of the second run of the same seed, when there was one and it differs.
    pub(crate) diverged: Option<Fingerprint>,
    /// Time on the wall, of the first of the two when it ran twice.
    pub(crate) wall: Duration,
}

/// Why a run has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoOutcome {
    /// It panicked.
    Panic(Panic),
    /// Its time stood still.
    Standstill {
        /// When, and with which events.
        message: String,
        /// What to do about it: the keys of the scenario that cost no time.
        advice: String,
    },
}

impl NoOutcome {
    /// A standstill of a world that `scenario` describes.
    fn standstill(standstill: &Standstill, scenario: &Scenario) -> NoOutcome {
        let mut keys: Vec<String> = standstill.free.iter().map(|free| scenarios::free_key(scenario, free)).collect();
        keys.dedup();
        let advice = match keys.as_slice() {
            [] => "something in this scenario has to take time".to_string(),
            [key] => format!("{key} costs no time; give it a length"),
            [keys @ .., last] => format!("{} and {last} cost no time; give one of them a length", keys.join(", ")),
        };
        NoOutcome::Standstill { message: standstill.to_string(), advice }
    }

    /// How the process ends that had asked for the run.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            NoOutcome::Panic(_) => Exit::Crash,
            NoOutcome::Standstill { .. } => Exit::Usage,
        }
    }

    /// What happened, in one line.
    pub(crate) fn message(&self) -> String {
        match self {
            NoOutcome::Panic(panic) => format!("{} ({})", panic.message, panic.place),
            NoOutcome::Standstill { message, advice } => format!("{message}; {advice}"),
        }
    }
}

/// What was said when a run panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panic {
    /// The message.
    pub(crate) message: String,
    /// Where in the code: `file:line`.
    pub(crate) place: String,
}

impl Finished {
    /// How it ended.
    pub(crate) fn exit(&self) -> Exit {
        match &self.result {
            Err(why) => why.exit(),
            Ok(run) => {
                let verdict = Exit::from(run.outcome.verdict);
                if self.diverged.is_some() { verdict.worst(Exit::Divergence) } else { verdict }
            }
        }
    }
}

/// Runs a seed of a scenario once, or twice to compare.
pub(crate) fn execute(file: &Loaded, seed: u64, options: &Options, twice: bool) -> Finished {
    execute_with(twice, || attempt(&file.scenario, &file.lower(seed), seed, options))
}

/// Runs what `scenario` was lowered to, once.
pub(crate) fn attempt(scenario: &Scenario, spec: &Spec, seed: u64, options: &Options) -> Result<Run, NoOutcome> {
    world::try_run(spec, Seed(seed), options).map_err(|standstill| NoOutcome::standstill(&standstill, scenario))
}

/// The same for any run.
fn execute_with(twice: bool, run: impl Fn() -> Result<Run, NoOutcome>) -> Finished {
    let run = || caught(&run).map_err(NoOutcome::Panic).flatten();
    let started = Instant::now();
    let result = run();
    let wall = started.elapsed();
    let Ok(first) = &result else { return Finished { result, diverged: None, wall } };
    if twice {
        match run() {
            Err(why) => return Finished { result: Err(why), diverged: None, wall },
            Ok(second) => {
                let (first, second) = (first.outcome.run.fingerprint, second.outcome.run.fingerprint);
                return Finished { result, diverged: (first != second).then_some(second), wall };
            }
        }
    }
    Finished { result, diverged: None, wall }
}

thread_local! {
    /// Whether a panic on this thread is caught below, and what it said.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// What `run` gives, or what it said when it panicked. Panics elsewhere keep their usual message.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                return usual(info);
            }
            let message = info.payload_as_str().unwrap_or("a panic without a message").to_string();
            let place = info.location().map_or(String::new(), |l| format!("{}:{}", l.file(), l.line()));
            SAID.set(Some(Panic { message, place }));
        }));
    });
    CATCHING.set(true);
    // Nothing that the run could leave half done outlives it: a world is made, run and dropped in there.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(false);
    result.map_err(|_| SAID.take().unwrap_or(Panic { message: "a panic".into(), place: String::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn file() -> Loaded {
        let text = "[service.shop]\ninstances = 2\nconcurrency = 1\nservice_time = \"5ms\"\n\
                    [load.users]\ntarget = \"shop\"\nrate = \"50/s\"\n\
                    [phases]\nwarmup = \"1s\"\nstorm = \"2s\"\ncalm = \"1s\"\n";
        let scenario = scenarios::parse(text, "small").unwrap_or_else(|problems| panic!("{problems:#?}"));
        Loaded { given: "small.toml".into(), text: text.into(), scenario }
    }

    #[test]
    fn a_panic_is_a_result_with_its_message_and_place() {
        let panic = caught(|| panic!("the {} is gone", "world")).unwrap_err();
        assert_eq!(panic.message, "the world is gone");
        assert!(panic.place.contains("job.rs:"), "{}", panic.place);
        assert_eq!(caught(|| 7), Ok(7), "the next run is none the worse");
    }

    #[test]
    fn a_run_that_panics_is_a_crash() {
        let finished = execute_with(false, || panic!("a bug"));
        assert_eq!(finished.exit(), Exit::Crash);
        let second = Cell::new(false);
        let file = file();
        let finished = execute_with(true, || {
            assert!(!second.replace(true), "only the second time");
            attempt(&file.scenario, &file.lower(1), 1, &Options::default())
        });
        assert_eq!(finished.exit(), Exit::Crash);
    }

    #[test]
    fn a_broken_always_is_unsafe_and_replayed_around_its_moment() {
        let file = file();
        let options = Options { sabotage: Some(world::Sabotage::EndTwice), ..Options::default() };
        let finished = execute(&file, 1, &options, false);
        assert_eq!(finished.exit(), Exit::Safety);
        let outcome = finished.result.expect("it ran").outcome;
        let failure = outcome.failure.expect("a failure");
        let replay = file.replay(1, Some(&failure));
        assert_eq!(replay, format!("windtunnel replay small.toml --seed 1 --around {}", failure.at));
        assert!(failure.at > base::Instant::ZERO);
    }

    #[test]
    fn a_seed_that_gives_two_runs_has_diverged() {
        let file = file();
        let same = execute(&file, 1, &Options::default(), true);
        assert_eq!((same.exit(), same.diverged), (Exit::Passed, None));
        // Chance from outside the seed, planted: the second run gets another seed.
        let seed = Cell::new(1);
        let finished = execute_with(true, || {
            let seed = seed.replace(2);
            attempt(&file.scenario, &file.lower(seed), seed, &Options::default())
        });
        assert_eq!(finished.exit(), Exit::Divergence);
        let run = finished.result.expect("it ran");
        assert!(finished.diverged.is_some_and(|second| second != run.outcome.run.fingerprint));
    }
}
