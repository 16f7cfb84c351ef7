//! Every scenario of the library is listed, parses without a warning, lowers with every seed, and round-trips.

use base::Seed;
use std::path::Path;

/// All scenario files under the crate's folder, as library names.
fn files() -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("the folder is readable").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && !["src", "tests", "target"].contains(&name.as_str()) {
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
