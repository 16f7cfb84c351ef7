//! Every scenario of the library is listed, parses without a warning, lowers with every seed, round-trips, and passes:
//! the same way each time it is run under one seed. What a theory file says is expected is compared with what its run
//! measures.

use base::{Duration, Seed};
use scenarios::Entry;
use scenarios::section::fault::FaultKind;
use scenarios::section::fault::parameter::Declared;
use std::path::Path;
use world::{Options, Outcome, Spec, Verdict, run};

/// All scenario files under the crate's folder, as library names.
fn files() -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("the folder is readable").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && !["src", "studies", "tests", "target"].contains(&name.as_str()) {
                walk(&entry.path(), &format!("{prefix}{name}/"), out);
            } else if let Some(stem) = name.strip_suffix(".toml").filter(|stem| *stem != "Cargo") {
                out.push(format!("{prefix}{stem}"));
            }
        }
    }
    let mut out = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut out);
    out.sort();
    out
}

#[test]
fn every_file_is_in_the_library() {
    let mut listed: Vec<String> = scenarios::library().iter().map(|entry| entry.name.to_string()).collect();
    listed.sort();
    assert_eq!(files(), listed);
}

#[test]
fn every_scenario_is_without_a_problem_and_lowers_with_every_seed() {
    for entry in scenarios::library() {
        let checked = scenarios::check(entry.text, entry.name);
        let shown = scenarios::render(&checked.problems, entry.name, entry.text, false);
        assert!(checked.problems.is_empty(), "{shown}");
        let scenario = checked.scenario.expect("it has no problem");
        for seed in [0, 1, 42, u64::MAX] {
            let spec = scenario.lower(Seed(seed)).expect("what parses lowers");
            assert_eq!(spec, scenario.lower(Seed(seed)).expect("again"), "{}: the seed decides everything", entry.name);
        }
    }
}

#[test]
fn every_scenario_says_what_it_shows_and_what_to_expect() {
    for entry in scenarios::library() {
        let about = entry.about();
        for word in ["Shows:", "Expected:"] {
            assert!(about.contains(word), "{}: the comment at the top lacks `{word}`", entry.name);
        }
    }
}

#[test]
fn every_scenario_is_written_as_it_was_read() {
    for entry in scenarios::library() {
        let scenario = scenarios::parse(entry.text, entry.name).expect("it parses");
        let text = scenarios::to_toml(&scenario);
        let again = scenarios::parse(&text, entry.name)
            .unwrap_or_else(|problems| panic!("{}", scenarios::render(&problems, entry.name, &text, false)));
        assert_eq!(again, scenario, "{text}");
    }
}

#[test]
fn the_template_runs_as_it_is() {
    for name in ["shop", "", "a \"quoted\\ name\n", "ünïcode"] {
        let text = scenarios::template(name);
        let checked = scenarios::check(&text, "new");
        assert!(checked.problems.is_empty(), "{}", scenarios::render(&checked.problems, "new.toml", &text, false));
    }
}

#[test]
fn the_example_of_the_readme_runs_as_it_is() {
    let readme = include_str!("../README.md");
    let example =
        readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it has an example");
    let checked = scenarios::check(example, "readme");
    assert!(checked.problems.is_empty(), "{}", scenarios::render(&checked.problems, "README.md", example, false));
}

/// The kinds of faults with their parameters, as the README shows them.
fn table_of_faults() -> String {
    let row = |kind: &FaultKind| {
        let parameter = |parameter: &Declared| {
            let need = parameter.default.map_or("required".to_string(), |default| format!("`{default}` by default"));
            format!("`{}`: {}; {}, {need}", parameter.name, parameter.about, parameter.takes)
        };
        let parameters: Vec<String> = kind.parameters().iter().map(parameter).collect();
        let moment = if kind.is_momentary() { ", at one moment" } else { "" };
        let cells = [format!("`{}`", kind.name()), format!("{}{moment}", kind.summary()), parameters.join(". ")];
        format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
    };
    FaultKind::ALL.iter().map(row).collect()
}

#[test]
fn the_readme_shows_every_kind_of_fault_as_it_is_declared() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("it is text");
    let header = "| kind | what happens | its parameters |\n| --- | --- | --- |\n";
    let (before, rest) = readme.split_once(header).expect("it has the table's header");
    let (_, after) = rest.split_at(rest.find("\n\n").map_or(0, |end| end + 1));
    let right = format!("{before}{header}{}{after}", table_of_faults());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &right).expect("the README can be written");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("it is text"), right, "BLESS=1 writes the table");
}

fn lowered(entry: &Entry, seed: Seed) -> Spec {
    scenarios::parse(entry.text, entry.name).expect("it parses").lower(seed).expect("what parses lowers")
}

/// Runs a scenario twice, and expects it to end in the same way: well, unless it is there to fail.
fn passes_twice(entry: &Entry, seed: Seed) -> (Spec, Outcome) {
    let spec = lowered(entry, seed);
    let [first, second] = [(), ()].map(|()| run(&spec, seed, &Options::default()).outcome);
    let is_to_pass = !entry.name.ends_with(".bug");
    assert_eq!(first.verdict == Verdict::Passed, is_to_pass, "{}: {:?}", entry.name, first.failure);
    assert_eq!(first.run.fingerprint, second.run.fingerprint, "{}: one seed, one run", entry.name);
    (spec, first)
}

#[test]
fn every_scenario_passes_and_repeats_itself() {
    for entry in scenarios::library().iter().filter(|entry| !entry.name.starts_with("theory/")) {
        let (_, outcome) = passes_twice(entry, Seed(1));
        let another = run(&lowered(entry, Seed(2)), Seed(2), &Options::default()).outcome;
        assert_ne!(outcome.run.fingerprint, another.run.fingerprint, "{}: another seed, another run", entry.name);
    }
}

/// An incident and its remedy, which differ in one line.
fn pair(name: &str) -> [&'static Entry; 2] {
    let pair = ["bug", "fixed"].map(|end| scenarios::find(&format!("{name}.{end}")).expect("it is in the library"));
    let [bug, fixed] =
        pair.map(|entry| entry.text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<&str>>());
    let differing = bug.iter().zip(&fixed).filter(|(bug, fixed)| bug != fixed).count();
    assert_eq!((bug.len(), differing), (fixed.len(), 1), "{name}: one line makes the difference");
    pair
}

#[test]
fn a_clock_that_steps_back_sends_everything_to_one_resolver_where_latency_is_the_difference_of_two_dates() {
    let [bug, fixed] =
        pair("clock-steps-back").map(|entry| run(&lowered(entry, Seed(7)), Seed(7), &Options::default()).outcome);
    assert_eq!((bug.verdict, fixed.verdict), (Verdict::Objective, Verdict::Passed));
    // Half of 600 requests a second meet one resolver, which does 200.
    let success = bug.requests.success().as_f64();
    assert!((0.60..0.75).contains(&success), "{success}");
    assert_eq!((fixed.requests.failed, fixed.requests.unfinished), (0, 0));
    assert_eq!(bug.requests.sent, fixed.requests.sent, "the same requests");
    // Within seconds of the step, a quarter of the resolvers has all there is.
    let shares = |outcome: &Outcome| {
        let resolver = outcome.services.iter().find(|service| service.name == "resolver").expect("there is one");
        [75, 95].map(|second| {
            let step = (Duration::secs(second).as_nanos() / outcome.timeline.step.as_nanos()) as usize;
            let mut taken: Vec<u32> = resolver.instances.iter().map(|i| i.requests_per_step[step]).collect();
            taken.sort_unstable();
            f64::from(taken[6] + taken[7]) / f64::from(taken.iter().sum::<u32>())
        })
    };
    let [[before, after], [_, undisturbed]] = [&bug, &fixed].map(shares);
    assert!(before < 0.4 && after > 0.95 && undisturbed < 0.4, "{before}, {after}, {undisturbed}");
}

/// The number that follows `words` in what a scenario says of itself.
fn stated(about: &str, words: &str) -> Option<f64> {
    let (_, rest) = about.split_once(words)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Whether `measured` is what theory says, give or take one and a half percent.
fn is_near(name: &str, what: &str, measured: f64, exact: f64) {
    assert!((measured / exact - 1.0).abs() < 0.015, "{name}: {what} {measured}, in theory {exact}");
}

/// A theory file's limit is one that an error of two and a half percent would break.
fn is_tight(name: &str, limit: Option<Duration>, exact: f64) {
    let share = limit.map_or(0.0, Duration::as_millis_f64) / exact;
    assert!((1.015..1.025).contains(&share), "{name}: the limit is {share} of {exact} ms");
}

#[test]
fn theory_is_met_from_both_sides_and_repeats_itself() {
    for entry in scenarios::library().iter().filter(|entry| entry.name.starts_with("theory/")) {
        let (spec, outcome) = passes_twice(entry, Seed(1));
        let about = entry.about().split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, limits, latency) = (entry.name, &spec.expect.objectives[0], &outcome.latency);
        let mean = stated(&about, "a mean of ").expect("each states a mean");
        is_near(name, "mean", latency.mean.as_millis_f64(), mean);
        is_tight(name, limits.mean, mean);
        if let Some(p50) = stated(&about, "a median of ") {
            is_near(name, "median", latency.p50.as_millis_f64(), p50);
            is_tight(name, limits.p50, p50);
        }
        if let Some(p99) = stated(&about, "a 99th percentile of ") {
            is_near(name, "99th percentile", latency.p99.as_millis_f64(), p99);
            is_tight(name, limits.p99, p99);
        }
        if let Some((before, _)) = about.split_once(" requests a second and a mean of ") {
            let rate: f64 = before.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a rate");
            let measured = (spec.phases.storm + spec.phases.calm).as_secs_f64();
            is_near(name, "requests a second", latency.count as f64 / measured, rate);
        }
    }
}
