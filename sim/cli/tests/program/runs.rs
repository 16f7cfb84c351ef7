//! Runs: the verdict and its number, one run a seed, the same whoever runs it.

use crate::support::{Folder, golden, shape};
use serde_json::Value;
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn every_verdict_has_its_number() {
    let folder = Folder::with_scenarios();
    // A broken `always`, a divergence and a crash need a bug; the unit tests plant them.
    for (name, code) in [("passed", 0), ("liveness", 11), ("coverage", 12), ("objective", 14)] {
        let said = folder.run(&format!("run {name}.toml --seed 1"));
        assert_eq!(said.code, code, "{name}: {}{}", said.stdout, said.stderr);
        let runs = folder.run(&format!("run {name}.toml --seed 1 --format json"));
        let run = &runs.json()[0];
        assert_eq!((runs.code, &run["verdict"], &run["exit_code"]), (code, &name.into(), &code.into()));
        assert_eq!(run["failure"].is_null(), code == 0);
    }
}

#[test]
fn of_many_runs_the_worst_decides() {
    let folder = Folder::with_scenarios();
    let code = |files: &str| folder.run(&format!("run {files} --seed 1")).code;
    assert_eq!(code("passed.toml coverage.toml"), 12);
    assert_eq!(code("objective.toml coverage.toml passed.toml"), 14);
    assert_eq!(code("coverage.toml liveness.toml objective.toml"), 11);
    assert_eq!(folder.run("run passed.toml coverage.toml --seeds 1..3").code, 12);
}

#[test]
fn a_run_reads_the_same_whatever_its_numbers() {
    let folder = Folder::with_scenarios();
    let one = folder.run("run passed.toml --seed 1").stdout;
    let failed = folder.run("run liveness.toml --seed 1").stdout;
    let many = folder.run("run passed.toml coverage.toml --seeds 1..4").stdout;
    golden("run-shape", &shape(&format!("{one}\n{failed}\n{many}")));
}

#[test]
fn every_failure_prints_its_replay() {
    let folder = Folder::with_scenarios();
    std::fs::rename(folder.path("liveness.toml"), folder.path("it's broken.toml")).expect("another name");
    let output = folder.command("run --seed 0x2a").arg("it's broken.toml").output().expect("the program starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let replay = text.lines().find_map(|line| line.trim().strip_prefix("replay")).expect("a replay").trim();
    assert_eq!(replay, r"windtunnel replay 'it'\''s broken.toml' --seed 42 --around 9.000s");
    let pasted = replay.replace("windtunnel", env!("CARGO_BIN_EXE_windtunnel"));
    let shell = folder
        .command("")
        .get_current_dir()
        .map(|dir| std::process::Command::new("sh").args(["-c", &pasted]).current_dir(dir).output().expect("a shell"));
    let told = shell.expect("a folder");
    let told = String::from_utf8(told.stdout).expect("text");
    assert!(told.contains("seed 42   from 8.000s to 10.000s"), "{told}");
}

/// The keys that pipelines rely on.
const KEYS: [&str; 12] = [
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
];

#[test]
fn json_has_the_keys_that_were_promised() {
    let folder = Folder::with_scenarios();
    let said = folder.run("run liveness.toml --seed 1 --format json");
    let run = &said.json()[0];
    let has = |value: &Value, keys: &[&str]| {
        let missing: Vec<&&str> = keys.iter().filter(|key| value.get(**key).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?} missing in {value}");
    };
    has(run, &KEYS);
    has(run, &["rollouts"]);
    has(&run["failure"], &["kind", "name", "at_s", "message", "replay"]);
    has(&run["requests"], &["sent", "succeeded", "failed", "errors"]);
    has(&run["latency_ms"], &["mean", "p50", "p90", "p99", "p999", "max"]);
    has(&run["services"]["shop"], &["requests", "latency_ms", "versions", "instances"]);
    has(&run["checks"][0], &["kind", "name", "tested", "violations"]);
    assert_eq!(run["seed"], "1", "a seed is a string: most readers would round it");
    let fingerprint = run["fingerprint"].as_str().expect("text");
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()), "{fingerprint}");
    assert_eq!(said.stderr, "", "with a seed given there is nothing to say beside the result");
}

#[test]
fn a_seed_is_one_run() {
    let folder = Folder::with_scenarios();
    let run =
        |options: &str| folder.run(&format!("run passed.toml liveness.toml --format json {options}")).fingerprints();
    let one = run("--seeds 1..6 --jobs 1");
    assert_eq!(one.len(), 10);
    assert_eq!(one, run("--seeds 1..6 --jobs 2"), "jobs change nothing, not even the order");
    assert_eq!(one, run("--seeds 1..=5 --jobs 2"), "another process gives the same");
    assert_eq!([&one[2], &one[7]], [&run("--seed 3")[0], &run("--seed 0x3")[1]], "a seed alone is the seed among many");
    let distinct: std::collections::BTreeSet<&String> = one.iter().collect();
    assert_eq!(distinct.len(), 10, "another seed is another run: {one:?}");
}

#[test]
fn a_sweep_prints_the_same_with_any_number_of_jobs() {
    let folder = Folder::with_scenarios();
    let run = |jobs| folder.run(&format!("run passed.toml coverage.toml --seeds 0..8 --jobs {jobs} --out out")).stdout;
    let files = || ["out/sweep.csv", "out/sweep.json"].map(|name| folder.read(name));
    let (one, files_of_one) = (run(1), files());
    assert_eq!((one, files_of_one), (run(2), files()));
}

#[test]
fn a_seed_nobody_chose_is_printed_first() {
    let folder = Folder::with_scenarios();
    let said = folder.run("run passed.toml");
    let first = said.stdout.lines().next().expect("a first line");
    let seed = first.split_whitespace().nth(1).expect("the seed");
    assert!(first.starts_with(&format!("  seed {seed}   drawn")), "{first}");
    let again = folder.run(&format!("run passed.toml --seed {seed}"));
    let fingerprint = |text: &str| text.lines().find(|line| line.contains("fingerprint")).map(str::to_string);
    assert!(fingerprint(&said.stdout).is_some());
    assert_eq!(fingerprint(&said.stdout), fingerprint(&again.stdout));

    let json = folder.run("run passed.toml --format json");
    let seed = json.json()[0]["seed"].as_str().expect("the seed").to_string();
    assert_eq!(json.stderr, format!("seed {seed}, drawn\n"), "standard output is for JSON alone");
    assert_ne!(folder.run("run passed.toml --format json").json()[0]["seed"], seed.as_str(), "the next is another");
}

#[test]
fn a_commit_is_a_seed() {
    let folder = Folder::with_scenarios();
    let of = |seed: &str| folder.run(&format!("run passed.toml --format json --seed {seed}")).fingerprints();
    assert_eq!(of("0000000000000001000000000000000200000004"), of("7"));
}

#[test]
fn running_twice_changes_nothing_when_all_is_well() {
    let folder = Folder::with_scenarios();
    let run = |options: &str| folder.run(&format!("run passed.toml --seeds 1..3 --format json {options}"));
    let (once, twice) = (run(""), run("--twice"));
    assert_eq!((twice.code, once.fingerprints()), (0, twice.fingerprints()));
}

#[test]
fn a_library_scenario_needs_no_file_and_a_file_is_preferred() {
    let folder = Folder::with_scenarios();
    let said = folder.run("run steady --seed 1 --format json");
    assert_eq!(said.json()[0]["scenario"], "steady", "{}", said.stderr);
    let short = folder.run("run mm1 --seed 1 --format json");
    assert_eq!(short.fingerprints(), folder.run("run theory/mm1 --seed 1 --format json").fingerprints());
    // A folder that happens to have the name is not in the way, a file is.
    std::fs::create_dir(folder.path("steady")).expect("a folder");
    assert_eq!(folder.run("run steady --seed 1 --format json").fingerprints(), said.fingerprints());
    std::fs::remove_dir(folder.path("steady")).expect("it was empty");
    std::fs::copy(folder.path("passed.toml"), folder.path("steady")).expect("a copy");
    assert_ne!(folder.run("run steady --seed 1 --format json").fingerprints(), said.fingerprints());
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let folder = Folder::with_scenarios();
    let head = |line: &str| {
        let mut child = folder.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut first = [0; 1];
        child.stdout.take().expect("a pipe").read_exact(&mut first).expect("one byte");
        // The pipe is closed here, long before everything is written.
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        (child.wait().expect("it ends").code(), said)
    };
    let quiet = |code| (Some(code), String::new());
    assert_eq!(head("replay passed.toml --seed 1 --all"), quiet(0));
    assert_eq!(head("schema"), quiet(0));
    assert_eq!(head("run coverage.toml --seeds 1..9 --format json"), quiet(12), "the verdict stays what it is");
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_has_its_own_number() {
    let folder = Folder::with_scenarios();
    let full = std::fs::File::create("/dev/full").expect("the device that is always full");
    let output = folder.command("run passed.toml --seed 1").stdout(full).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("error: standard output: cannot be written"), "{said}");
}
