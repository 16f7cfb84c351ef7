//! Bad input: each a clear message on what is wrong and what exists instead, exit code 2, and nothing written.

use crate::support::{Folder, all_exit, golden, session};
use std::fs::{self, File};

/// A scenario that is fine, in which each test breaks one thing.
const GOOD: &str = "\
title = \"A shop\"

[service.shop]
instances    = 2
concurrency  = 4
service_time = \"5ms\"

[load.users]
target = \"shop\"
rate   = \"50/s\"
";

fn broken(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "nothing to break: {from}");
    GOOD.replace(from, to)
}

#[test]
fn what_is_wrong_with_a_scenario_is_pointed_at() {
    let folder = Folder::new();
    folder.write("typo.toml", &broken("concurrency", "concurency"));
    folder.write("unit.toml", &broken("\"50/s\"", "\"50 apples\""));
    folder.write("service.toml", &broken("target = \"shop\"", "target = \"shoop\""));
    folder.write("both.toml", &(broken("\"5ms\"", "\"5\"") + "\n[balancer]\nstrategy = \"p2d\"\n"));
    folder.write("syntax.toml", &broken("title = ", "title = = "));
    folder.write("empty.toml", "");
    let names = ["typo", "unit", "service", "both", "syntax", "empty"];
    let commands: Vec<String> = names.iter().map(|name| format!("validate {name}.toml")).collect();
    golden("wrong-scenario", &session(&folder, &commands.iter().map(String::as_str).collect::<Vec<_>>()));
    let before = folder.names(".");
    for name in names {
        let line = format!("run {name}.toml --seed 1 --out out/{name} --trace {name}.jsonl");
        let said = folder.run(&line);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{name}: {}", said.stderr);
        assert!(said.stderr.contains("error") && said.stderr.contains(&format!("{name}.toml")), "{}", said.stderr);
    }
    assert_eq!(folder.names("."), before, "nothing was written");
}

#[test]
fn one_wrong_file_stops_all_of_them() {
    let folder = Folder::new();
    folder.write("good.toml", GOOD);
    folder.write("bad.toml", &broken("rate", "rat"));
    folder.write("worse.toml", "= what");
    let said = folder.run("run good.toml bad.toml worse.toml --seed 1 --out out");
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.contains("bad.toml") && said.stderr.contains("worse.toml"), "{}", said.stderr);
    assert_eq!(folder.names("."), ["bad.toml", "good.toml", "worse.toml"]);
}

#[test]
fn what_is_not_a_scenario_file_is_named() {
    let folder = Folder::new();
    folder.write("mine.toml", GOOD);
    fs::create_dir(folder.path("folder")).expect("a folder");
    folder.write("folder/inside.toml", GOOD);
    fs::create_dir(folder.path("nothing")).expect("a folder");
    // A hundred megabytes that take no room on the disk.
    File::create(folder.path("large.toml")).and_then(|file| file.set_len(100 << 20)).expect("a sparse file");
    fs::write(folder.path("binary.toml"), [b'a', 0xff, 0xfe]).expect("a file");
    let commands = [
        "run missing.toml --seed 1",
        "run min.toml --seed 1",
        "run wether --seed 1",
        "run folder --seed 1",
        "run large.toml --seed 1",
        "run binary.toml --seed 1",
        "validate missing.toml",
        "validate nothing",
        "validate large.toml",
        "replay missing.toml --seed 1",
    ];
    all_exit(2, &folder, "wrong-file", &commands);
}

#[test]
fn flags_that_cannot_be_meant_are_refused() {
    let folder = Folder::with_scenarios();
    folder.write("taken", "a file, not a folder");
    let commands = [
        "",
        "fly",
        "run",
        "run passed.toml --seed 1 --seeds 1..3",
        "run passed.toml --seeds 3..1",
        "run passed.toml --seeds 3..3",
        "run passed.toml --seeds 7",
        "run passed.toml --seed minus-one",
        "run passed.toml --seed 18446744073709551616",
        "run passed.toml --seed 1 --jobs 0",
        "run passed.toml --seed 1 --trace trace.txt",
        "run passed.toml --seeds 1..3 --trace trace.json",
        "run passed.toml objective.toml --seed 1 --trace trace.json",
        "run passed.toml --seed 1 --out taken",
        "run passed.toml --seed 1 --out taken/below",
        "run passed.toml --seed 1 --out out --trace nowhere/trace.json",
        "run passed.toml --seed 1 --format xml",
        "replay passed.toml",
        "replay passed.toml --seed 1 --around 44",
        "replay passed.toml --seed 1 --until 1s --around 1s",
        "list strategy",
        "man fly",
    ];
    let before = folder.names(".");
    all_exit(2, &folder, "wrong-flags", &commands);
    assert_eq!(folder.names("."), before, "nothing was written");
}

#[test]
fn problems_are_told_to_programs_too() {
    let folder = Folder::new();
    folder.write("typo.toml", &broken("concurrency", "concurency"));
    folder.write("good.toml", GOOD);
    let said = folder.run("validate typo.toml good.toml missing.toml --format json");
    assert_eq!(said.code, 2);
    let [typo, good, missing] = &said.json()[..] else { panic!("three files, three lines: {}", said.stdout) };
    assert_eq!((&typo["can_run"], &good["can_run"], &missing["can_run"]), (&false.into(), &true.into(), &false.into()));
    let problem = &typo["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&5.into(), &1.into()), "{problem}");
    assert!(problem["message"].as_str().is_some_and(|m| m.contains("concurency")), "{problem}");
}

#[test]
fn a_run_whose_time_stands_still_stops_and_says_why() {
    let folder = Folder::new();
    let still = "phases = { warmup = \"1s\", storm = \"2s\", calm = \"1s\" }\ntopology = { network = \"ideal\" }\n\
                 service.s = { service_time = \"0s\" }\nload.l = { target = \"s\", shape = \"closed\", users = 1 }\n";
    folder.write("still.toml", still);
    folder.write("good.toml", GOOD);
    let before = folder.names(".");
    for command in ["run still.toml --seed 1 --trace trace.json", "replay still.toml --seed 1"] {
        let said = folder.run(command);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{command}: {}", said.stderr);
        for part in ["still.toml: time stands still at 0.000s", "(33%)", "load.l.think cost no time"] {
            assert!(said.stderr.contains(part), "{command}: {part} is missing in {}", said.stderr);
        }
        assert_eq!(folder.names("."), before, "nothing was written");
    }
    // Beside others it is one result among them, and decides the number of the process.
    let said = folder.run("run good.toml still.toml --seed 1 --format json");
    assert_eq!(said.code, 2, "{}", said.stderr);
    let [good, still] = &said.json()[..] else { panic!("two runs, two lines: {}", said.stdout) };
    assert_eq!((&good["verdict"], &still["verdict"]), (&"passed".into(), &"usage".into()));
    assert_eq!((&still["failure"]["name"], &still["exit_code"]), (&"standstill".into(), &2.into()));
}
