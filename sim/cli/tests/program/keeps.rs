//! What is kept when something ends too early, and what is refused so that nothing is lost: interrupts, disks that are
//! full, folders that hold something else, samples that were damaged.

use crate::compares::{contents, equal, folder as with_studies, run};
use crate::support::{Folder, Said};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

/// Sends a signal, as Ctrl-C and `kill` do.
#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("kill is there").success());
}

/// What is left of a process whose first lines have been read.
fn rest(mut child: Child, mut stdout: String, mut reader: impl std::io::Read) -> Said {
    reader.read_to_string(&mut stdout).expect("text");
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    let code = child.wait().expect("it ends").code().expect("it ends by itself");
    Said { code, stdout, stderr }
}

/// The commands in `…` of the lines that say how to go on.
fn commands(said: &Said) -> Vec<String> {
    let quoted = |line: &str| Some(line.split('`').nth(1)?.strip_prefix("windtunnel ")?.to_string());
    said.stderr.lines().filter(|line| line.starts_with("  help: ")).filter_map(quoted).collect()
}

#[test]
#[cfg(unix)]
fn an_interrupted_sweep_keeps_what_was_done_and_names_the_rest() {
    let folder = Folder::with_scenarios();
    let line = "run passed.toml coverage.toml --seeds 0..600 --jobs 2";
    for name in ["INT", "TERM"] {
        let mut child = folder
            .command(&format!("{line} --out {name} --format json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        for _ in 0..10 {
            reader.read_line(&mut first).expect("a line");
        }
        signal(&child, name);
        let said = rest(child, first, reader);
        assert_eq!(said.code, 130, "{}", said.stderr);
        let printed = said.json().len();
        assert!((10..1_200).contains(&printed), "{printed}");
        assert!(said.stderr.starts_with(&format!("interrupted: {printed} runs of 1,200 are done")), "{}", said.stderr);
        let kept = folder.read(&format!("{name}/sweep.csv"));
        assert_eq!(kept.lines().count(), 1 + printed, "what was done is written");
        assert_eq!(folder.names(name), ["sweep.csv", "sweep.json"]);

        // The rest, as it says, and all of it together is what one sweep would have found.
        let mut rows: Vec<String> = kept.lines().skip(1).map(String::from).collect();
        for command in commands(&said) {
            assert!(command.contains(" --jobs 2 ") && command.ends_with(" --format json"), "{command}");
            let again = folder.run(&command);
            assert!([0, 12].contains(&again.code), "{command}: {}", again.stderr);
            let out = command.split(" --out ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a folder");
            rows.extend(folder.read(&format!("{out}/sweep.csv")).lines().skip(1).map(String::from));
        }
        if name == "INT" {
            folder.run(&format!("{line} --out whole"));
        }
        let mut whole: Vec<String> = folder.read("whole/sweep.csv").lines().skip(1).map(String::from).collect();
        rows.sort();
        whole.sort();
        assert_eq!(rows, whole);
    }
}

#[test]
#[cfg(unix)]
fn an_interrupted_study_goes_on_when_it_is_run_again() {
    let folder = with_studies();
    let mut child = folder
        .command("compare small.toml --seeds 0..40 --jobs 1 --out out")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let samples = || fs::read_dir(folder.path("out/samples")).map_or(0, Iterator::count);
    while samples() < 3 {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it was over before it could be interrupted");
    }
    signal(&child, "INT");
    let reader = child.stdout.take().expect("a pipe");
    let said = rest(child, String::new(), reader);
    assert_eq!((said.code, said.stdout.as_str()), (130, ""), "{}", said.stderr);
    assert!(said.stderr.contains("runs of 240 are done and kept in out/samples"), "{}", said.stderr);
    assert!(said.stderr.contains("run it again to continue"), "{}", said.stderr);
    assert_eq!(folder.names("out"), ["samples/"], "there is no report yet");
    let again = commands(&said).pop().expect("a command");
    run(&folder, &again);
    run(&folder, "compare small.toml --seeds 0..40 --out whole");
    equal(&folder, "out", "whole");
}

/// Runs a command on what behaves like a disk with room for files of `blocks` blocks only.
#[cfg(target_os = "linux")]
fn on_a_full_disk(folder: &Folder, blocks: u32, line: &str) -> Said {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {} {line}", env!("CARGO_BIN_EXE_windtunnel"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path(".")).output();
    Said::of(output.expect("a shell"))
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_no_half_report() {
    let folder = Folder::with_scenarios();
    let before = folder.names(".");
    for line in [
        "run passed.toml --seed 1 --out deep/out",
        "run passed.toml coverage.toml --seed 1 --out deep/out",
        "run passed.toml --seeds 1..3 --out deep/out",
        "run passed.toml --seed 1 --trace trace.jsonl",
        "run passed.toml --seed 1 --trace trace.json",
    ] {
        let said = on_a_full_disk(&folder, 16, line);
        assert_eq!(said.code, 1, "{line}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains("cannot be written: File too large"), "{line}: {}", said.stderr);
        assert_eq!(folder.names("."), before, "{line}: nothing is left, not even hidden");
    }
    // What was there before is there still, to the byte.
    for (out, line) in [("run", "run passed.toml --seed 1"), ("sweep", "run passed.toml --seeds 1..4")] {
        folder.run(&format!("{line} --out {out}"));
        let before = contents(&folder, out);
        let said = on_a_full_disk(&folder, 16, &format!("{} --out {out}", line.replace("1", "2")));
        assert_eq!((said.code, contents(&folder, out) == before), (1, true), "{line}: {}", said.stderr);
    }
    let folder = with_studies();
    run(&folder, "compare small.toml --out out --seeds 1..2");
    let report = |all: BTreeMap<String, Vec<u8>>| -> Vec<(String, Vec<u8>)> {
        all.into_iter().filter(|(name, _)| !name.starts_with("samples/")).collect()
    };
    let before = report(contents(&folder, "out"));
    let said = on_a_full_disk(&folder, 200, "compare small.toml --out out --seeds 1..3");
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(report(contents(&folder, "out")) == before, "the older report is whole");
    assert_eq!(folder.names("out/samples").len(), 12, "and what was run is kept");
}

#[test]
fn a_folder_that_holds_something_else_is_refused() {
    let folder = Folder::with_scenarios();
    fs::create_dir(folder.path("empty")).expect("a folder");
    assert_eq!(folder.run("run passed.toml --seed 1 --out empty").code, 0, "an empty folder holds nothing");
    assert_eq!(folder.run("run objective.toml --seed 1 --out empty").code, 14, "an older report is replaced");
    let refused = |line: &str, what: &str| {
        let before = contents(&folder, ".");
        let said = folder.run(line);
        assert_eq!(said.code, 2, "{line}: {}", said.stdout);
        assert!(said.stderr.contains(what) && said.stderr.contains("--force"), "{line}: {}", said.stderr);
        assert!(contents(&folder, ".") == before, "{line}: nothing was written");
    };
    refused("run passed.toml --seed 1 --out .", "holds something else: coverage.toml, empty, liveness.toml");
    refused("run passed.toml --seeds 1..3 --out empty", "the report of a run");
    folder.run("run passed.toml --seeds 1..3 --out table");
    refused("run passed.toml --seed 1 --out table", "the report of a sweep");
    folder.write("empty/notes.txt", "mine");
    refused("run passed.toml --seed 1 --out empty", "holds something else: notes.txt");

    // With --force only what reports have left is replaced.
    assert_eq!(folder.run("run passed.toml --seeds 5..8 --out empty --force").code, 0);
    assert_eq!(folder.names("empty"), ["notes.txt", "passed-5/", "sweep.csv", "sweep.json"]);
    assert_eq!(folder.read("empty/notes.txt"), "mine");
    // And of an older sweep nothing stands beside the newer one.
    folder.run("run passed.toml coverage.toml --seeds 1..3 --out table");
    assert_eq!(folder.names("table"), ["coverage-1/", "passed-1/", "sweep.csv", "sweep.json"]);
    folder.run("run passed.toml --seeds 2..4 --out table");
    assert_eq!(folder.names("table"), ["passed-2/", "sweep.csv", "sweep.json"]);
    fs::create_dir(folder.path("mine")).expect("a folder");
    fs::create_dir(folder.path("mine/data")).expect("a folder");
    folder.write("mine/data/own.csv", "1,2");
    folder.run("run passed.toml --seed 1 --out mine --force");
    assert_eq!(folder.read("mine/data/own.csv"), "1,2", "a file that no report has left is not one's to remove");
}

#[test]
fn the_folder_of_another_study_is_refused() {
    let folder = with_studies();
    run(&folder, "compare small.toml --out out --seeds 1..2");
    let said = folder.run("compare rings.toml --out out");
    assert!(said.code == 2 && said.stderr.contains("the report of the study `small`"), "{}", said.stderr);
    run(&folder, "compare small.toml --out shard --shard 1/2");
    let said = folder.run("compare rings.toml --out shard");
    assert!(said.code == 2 && said.stderr.contains("samples of another study"), "{}", said.stderr);
    run(&folder, "compare rings.toml --out out --force");
    run(&folder, "compare rings.toml --out fresh");
    equal(&folder, "out", "fresh");
}

#[test]
fn drafts_of_killed_processes_are_cleared() {
    let folder = Folder::with_scenarios();
    folder.run("run passed.toml --seed 1 --out out");
    fs::create_dir(folder.path("out/.windtunnel-draft-4711")).expect("a folder");
    folder.write("out/.windtunnel-draft-4711/index.html", "half a pa");
    folder.run("run passed.toml --seed 1 --out out");
    assert_eq!(folder.names("out"), ["data/", "index.html", "outcome.json", "plots/"]);
    let folder = with_studies();
    run(&folder, "compare small.toml --out out");
    folder.write("out/samples/.50pct_p2c-1.jsonl.4711", "half a sam");
    run(&folder, "compare small.toml --out out");
    assert!(!folder.names("out/samples").iter().any(|name| name.starts_with('.')));
}

#[test]
fn a_sample_that_was_damaged_or_is_of_another_build_is_named_and_run_again() {
    let folder = with_studies();
    run(&folder, "compare small.toml --out whole");
    let line = "compare small.toml --out out";
    run(&folder, line);
    let name = "out/samples/50pct_p2c-1.jsonl";
    let text = folder.read(name);
    let sources = text.split("\"sources\":\"").nth(1).and_then(|rest| rest.get(..16)).expect("a hash of the sources");
    let page = contents(&folder, "out");
    let is_on_a_page = |(name, bytes): (&String, &Vec<u8>)| {
        !name.starts_with("samples/") && String::from_utf8_lossy(bytes).contains(sources)
    };
    assert!(!page.iter().any(is_on_a_page), "the page is the same for every build that gives the same figures");

    let wrong_word = text.replace("\"errors\":0.0", "\"errors\":0.5");
    assert_ne!(wrong_word, text);
    let mut flipped = text.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for bytes in [wrong_word.into_bytes(), flipped, text.as_bytes()[..middle].to_vec()] {
        fs::write(folder.path(name), bytes).expect("a file");
        let said = folder.run(line);
        assert_eq!(said.stderr, format!("warning: 1 sample is run again\n  {name}: damaged\n"));
        equal(&folder, "whole", "out");
        assert_eq!(folder.run(line).stderr, "", "it is whole again");
    }
    // What an older build left is found by the format that it wrote.
    folder.write(name, "{\"format\":\"windtunnel-sample\",\"identity\":\"00\"}\n{}\n");
    let said = folder.run("compare small.toml --merge out");
    let other = format!("{name}: left by another build of windtunnel");
    assert!(said.code == 2 && said.stderr.contains(&other), "shards are not merged with it: {}", said.stderr);
    let said = folder.run(line);
    assert_eq!(said.stderr, format!("warning: 1 sample is run again\n  {other}\n"));
    equal(&folder, "whole", "out");
}

#[test]
fn the_command_on_the_page_gives_the_same_bytes() {
    let folder = with_studies();
    for (out, line) in [
        ("out", "compare small.toml --out out --seeds 5..7"),
        ("rest", "compare small.toml --out rest --seeds 1..2,4..6"),
        ("keys", "compare rings.toml --out keys"),
    ] {
        run(&folder, line);
        let page = folder.read(&format!("{out}/index.html"));
        let commands: Vec<&str> = page
            .split("<code>")
            .filter_map(|rest| rest.split("</code>").next()?.strip_prefix("windtunnel "))
            .filter(|command| command.contains(" --out "))
            .collect();
        assert!(commands.len() > 2, "under every picture, and in the method: {commands:?}");
        assert!(commands.iter().all(|command| *command == commands[0]), "{commands:?}");
        let again = commands[0].split(" --out ").nth(1).expect("a folder");
        assert!(!folder.path(again).exists(), "what was run before is not simply found again");
        run(&folder, commands[0]);
        equal(&folder, out, again);
        fs::remove_dir_all(folder.path(again)).expect("it is there");
        let study: serde_json::Value = serde_json::from_str(&folder.read(&format!("{out}/study.json"))).expect("JSON");
        assert_eq!(study["reproduce"], format!("windtunnel {}", commands[0]));
    }
}
