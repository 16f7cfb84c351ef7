//! What is left on the disk: reports, sweeps, traces, new scenarios.

use crate::support::Folder;
use serde_json::Value;

#[test]
fn one_run_leaves_a_page_and_its_data() {
    let folder = Folder::with_scenarios();
    let said = folder.run("run objective.toml --seed 1 --out reports/mine");
    assert_eq!(said.code, 14, "{}", said.stderr);
    assert_eq!(folder.names("reports/mine"), ["data/", "index.html", "outcome.json", "plots/"]);
    assert!(said.stdout.contains("reports/mine/index.html"), "{}", said.stdout);
    let page = folder.read("reports/mine/index.html");
    assert!(page.contains("windtunnel replay objective.toml --seed 1"), "the page knows its replay");
    let outcome: Value = serde_json::from_str(&folder.read("reports/mine/outcome.json")).expect("JSON");
    assert_eq!(outcome["verdict"], "objective");
    assert!(folder.names("reports/mine/data").iter().all(|name| name.ends_with(".csv")));
}

#[test]
fn several_files_leave_a_report_each() {
    let folder = Folder::with_scenarios();
    std::fs::create_dir(folder.path("other")).expect("a folder");
    std::fs::copy(folder.path("coverage.toml"), folder.path("other/passed.toml")).expect("a copy");
    folder.run("run passed.toml objective.toml other/passed.toml --seed 7 --out out");
    let expected = ["objective-7/", "passed-7/", "passed.2-7/", "sweep.csv", "sweep.json"];
    assert_eq!(folder.names("out"), expected, "two files of one name do not overwrite each other");
    let title = |dir: &str| {
        let outcome: Value = serde_json::from_str(&folder.read(&format!("out/{dir}/outcome.json"))).expect("JSON");
        outcome["verdict"].as_str().expect("a verdict").to_string()
    };
    assert_eq!([title("passed-7"), title("passed.2-7")], ["passed", "coverage"]);
}

#[test]
fn many_seeds_leave_a_table_and_the_reports_worth_reading() {
    let folder = Folder::with_scenarios();
    let said = folder.run("run passed.toml coverage.toml --seeds 3..6 --out out");
    assert_eq!(said.code, 12, "{}", said.stderr);
    // Of one scenario every seed passes, of the other none: the first of each is kept.
    assert_eq!(folder.names("out"), ["coverage-3/", "passed-3/", "sweep.csv", "sweep.json"]);
    let csv = folder.read("out/sweep.csv");
    let mut lines = csv.lines();
    assert!(
        lines.next().is_some_and(|header| header.starts_with("scenario,seed,verdict,failure,fingerprint,")),
        "{csv}"
    );
    let rows: Vec<String> = lines.map(|l| l.split(',').take(4).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "passed 3 passed ",
        "passed 4 passed ",
        "passed 5 passed ",
        "coverage 3 coverage retry_sent",
        "coverage 4 coverage retry_sent",
        "coverage 5 coverage retry_sent",
    ];
    assert_eq!(rows, expected);
    let list: Value = serde_json::from_str(&folder.read("out/sweep.json")).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(6));
    assert_eq!(list[3]["replay"], "windtunnel replay coverage.toml --seed 3");
    let report: Value = serde_json::from_str(&folder.read("out/coverage-3/outcome.json")).expect("JSON");
    assert_eq!(report["fingerprint"], list[3]["fingerprint"], "the run was the same when it was run again");
}

#[test]
fn traces_are_what_their_names_say_and_change_nothing() {
    let folder = Folder::with_scenarios();
    let plain = folder.run("run passed.toml --seed 1 --format json").fingerprints();
    let traced = folder.run("run passed.toml --seed 1 --format json --trace a.jsonl");
    assert_eq!(traced.fingerprints(), plain, "looking does not change what is seen");
    let lines: Vec<Value> =
        folder.read("a.jsonl").lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(lines[0]["format"], "windtunnel-trace");
    let printed = |run: &str| run.split(' ').nth(1).expect("a fingerprint").to_string();
    assert_eq!(lines[0]["fingerprint"], printed(&plain[0]), "the trace is of the run that was printed");
    assert_eq!(lines[0]["entries"].as_u64(), Some(lines.len() as u64 - 1));
    assert!(lines.iter().any(|entry| entry["kind"] == "request" && entry["node"] == "load-users-1"));

    let said = folder.run("run passed.toml --seed 1 --trace b.json");
    assert!(said.stdout.contains("b.json"), "{}", said.stdout);
    let perfetto: Value = serde_json::from_str(&folder.read("b.json")).expect("JSON");
    assert!(perfetto["traceEvents"].as_array().is_some_and(|events| events.len() >= lines.len()));
}

#[test]
fn a_trace_and_a_story_call_things_by_the_same_names() {
    let folder = Folder::with_scenarios();
    let said = folder.run("run counter --seed 1 --format json --trace a.jsonl");
    let fingerprint = said.json()[0]["fingerprint"].clone();
    let trace = folder.read("a.jsonl");
    let told = folder.run("replay counter --seed 1 --all").stdout;
    let replayed = folder.run("replay counter --seed 1 --format json").stdout;
    assert_eq!(replayed, trace, "replay writes the trace that run has written");
    let entries: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(entries[0]["fingerprint"], fingerprint);
    // An id is a short word and a number: `i1`, `svc0`, `n3`.
    let is_id = |word: &str| {
        ["i", "svc", "n", "z"].iter().any(|id| word.strip_prefix(id).is_some_and(|rest| rest.parse::<u32>().is_ok()))
    };
    let mut notes = 0;
    for entry in &entries[1..] {
        let text = entry["text"].as_str().expect("a text");
        assert!(!text.split(|c: char| !c.is_alphanumeric() && c != '-').any(is_id), "{entry}");
        if entry["kind"] == "registry" {
            notes += 1;
            let first = text.split(' ').next().expect("a word");
            assert!(told.contains(first), "{first} is not in the story");
        }
    }
    assert!(notes > 0, "the registry has said something");
    folder.run("run counter --seed 1 --trace b.json");
    let perfetto: Value = serde_json::from_str(&folder.read("b.json")).expect("JSON");
    assert_eq!(perfetto["otherData"]["fingerprint"], fingerprint);
}

#[test]
fn a_new_scenario_runs_and_is_never_overwritten() {
    let folder = Folder::new();
    let said = folder.run("new mine");
    assert_eq!((said.code, folder.names(".")), (0, vec!["mine.toml".to_string()]), "{}", said.stderr);
    assert!(said.stdout.contains("windtunnel run mine.toml"), "{}", said.stdout);
    assert_eq!(folder.run("validate mine.toml").code, 0);
    let run = folder.run("run mine.toml --seed 1");
    assert!([0, 10, 11, 12, 14].contains(&run.code), "{}{}", run.stdout, run.stderr);

    folder.write("mine.toml", "mine alone");
    let said = folder.run("new mine.toml");
    assert_eq!((said.code, folder.read("mine.toml").as_str()), (2, "mine alone"));
    assert!(said.stderr.contains("already there"), "{}", said.stderr);
    let said = folder.run("new no/such/folder/mine");
    assert!(said.code == 2 && said.stderr.contains("mkdir -p no/such/folder"), "{}", said.stderr);
}

#[test]
fn a_folder_is_validated_with_all_that_is_in_it() {
    let folder = Folder::with_scenarios();
    std::fs::create_dir(folder.path("deeper")).expect("a folder");
    folder.write("deeper/Cargo.toml", "[package]");
    folder.write("notes.txt", "not a scenario");
    let said = folder.run("validate .");
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(said.stdout.contains("4 files, all can run"), "{}", said.stdout);
    folder.write("deeper/wrong.toml", "[service.shop]\ninstances = \"many\"\n");
    let said = folder.run("validate .");
    assert_eq!(said.code, 2);
    assert!(
        said.stdout.contains("1 of 5 files cannot run") && said.stdout.contains("deeper/wrong.toml"),
        "{}",
        said.stdout
    );
}
