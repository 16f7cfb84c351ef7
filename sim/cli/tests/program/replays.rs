//! Stories: the same run again, told in order, in whole or in part.

use crate::support::{Folder, golden, shape};
use serde_json::Value;

#[test]
fn a_story_has_its_landmarks_in_order() {
    let folder = Folder::with_scenarios();
    let said = folder.run("replay liveness.toml --seed 1");
    assert_eq!(said.code, 11, "told to its end, a run keeps its number");
    golden("replay-shape", &shape(&said.stdout));
    let at = |what: &str| said.stdout.find(what).unwrap_or_else(|| panic!("no {what} in\n{}", said.stdout));
    assert!(at("registered in shop") < at("crash one of shop (machine) begins"));
    assert!(at("crash one of shop (machine) begins") < at("its machine is gone"));
    assert!(at("its machine is gone") < at("✗ eventually"));
    assert!(!said.stdout.contains("req-"), "single requests are left out");
}

#[test]
fn times_only_ever_go_forward() {
    let folder = Folder::with_scenarios();
    let story = folder.run("replay liveness.toml --seed 1 --all").stdout;
    let time = |line: &str| line.split_whitespace().next()?.strip_suffix('s')?.parse::<f64>().ok();
    let times: Vec<f64> = story.lines().filter_map(time).collect();
    assert!(times.len() > 500, "{} lines", times.len());
    // Nodes without a fault have no clock but the world's.
    assert!(times.is_sorted(), "{:?}", times.windows(2).find(|pair| pair[0] > pair[1]));
}

#[test]
fn around_a_moment_everything_is_told() {
    let folder = Folder::with_scenarios();
    let said = folder.run("replay liveness.toml --seed 1 --around 5s");
    assert_eq!(said.code, 0);
    assert!(said.stdout.contains("from 4.000s to 6.000s: 1s before and after 5.000s"), "{}", said.stdout);
    let time = |line: &str| line.split_whitespace().next()?.strip_suffix('s')?.parse::<f64>().ok();
    let times: Vec<f64> = said.stdout.lines().filter_map(time).collect();
    assert!(times.iter().all(|t| (4.0..=6.0).contains(t)) && times.len() > 100, "{times:?}");
    assert!(said.stdout.contains("its machine is gone") && said.stdout.contains("req-"));
}

#[test]
fn until_a_moment_the_run_is_cut_short_and_not_judged() {
    let folder = Folder::with_scenarios();
    let said = folder.run("replay liveness.toml --seed 1 --until 4500ms");
    assert_eq!(said.code, 0, "what had no time to happen is not held against it");
    assert!(said.stdout.contains("until 4.500s") && !said.stdout.contains("FAILED"), "{}", said.stdout);
    assert!(!said.stdout.contains("its machine is gone"), "{}", said.stdout);
}

#[test]
fn programs_get_the_trace() {
    let folder = Folder::with_scenarios();
    let said = folder.run("replay passed.toml --seed 1 --format json");
    let lines: Vec<Value> = said.json();
    folder.run("run passed.toml --seed 1 --trace t.jsonl");
    assert_eq!(said.stdout, folder.read("t.jsonl"));
    assert_eq!(lines[0]["format"], "windtunnel-trace");
}

#[test]
fn a_moment_after_the_end_is_told_to_be_empty() {
    let folder = Folder::with_scenarios();
    let said = folder.run("replay passed.toml --seed 1 --around 1h");
    assert!(said.code == 0 && said.stdout.contains("nothing happened in that time"), "{}", said.stdout);
}
