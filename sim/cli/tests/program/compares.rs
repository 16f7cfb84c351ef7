//! Studies: the same report however it came about, and clear words where there cannot be one.

use crate::support::{Folder, all_exit};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    for name in ["small", "rings"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/studies/{name}.toml"));
        fs::copy(from, folder.path(&format!("{name}.toml"))).expect("a copy");
    }
    folder
}

/// Everything in a folder, by its path in it.
pub(crate) fn contents(folder: &Folder, dir: &str) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, dir: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                let name = path.strip_prefix(root).expect("it is in there").display().to_string();
                out.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(&folder.path(dir), &folder.path(dir), &mut out);
    out
}

/// Two reports are equal, byte for byte.
pub(crate) fn equal(folder: &Folder, a: &str, b: &str) {
    let (a, b) = (contents(folder, a), contents(folder, b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(*bytes == b[name], "{name} differs");
    }
}

pub(crate) fn run(folder: &Folder, line: &str) -> String {
    let said = folder.run(line);
    assert_eq!(said.code, 0, "{line}: {}{}", said.stdout, said.stderr);
    said.stdout
}

#[test]
fn a_study_leaves_a_report_its_samples_and_its_cells() {
    let folder = folder();
    let said = run(&folder, "compare small.toml --out out");
    assert!(said.contains("out/"), "{said}");
    let names = folder.names("out");
    assert!(["cells/", "samples/"].iter().all(|name| names.contains(&name.to_string())), "{names:?}");
    let samples = folder.names("out/samples");
    assert_eq!(samples.len(), 2 * 3 * 3, "two loads that can be run, three strategies, three seeds: {samples:?}");
    assert!(!samples.iter().any(|name| name.starts_with("130pct")), "what is unstable is not run");
    assert_eq!(folder.names("out/cells").len(), 9);
}

#[test]
fn an_unstable_cell_is_said_to_be_one() {
    let folder = folder();
    let said = run(&folder, "compare small.toml --out out");
    assert!(said.contains("unstable") || said.contains("not run"), "{said}");
    let said = folder.run("compare small.toml --format json");
    let study = &said.json()[0];
    let cells = study["cells"].as_array().expect("cells");
    let unstable: Vec<bool> = cells.iter().map(|cell| !cell["unstable"].is_null()).collect();
    assert_eq!(unstable, [[false; 6].as_slice(), &[true; 3]].concat(), "{study}");
    assert!((cells[8]["unstable"].as_f64().expect("its load") - 1.3).abs() < 1e-9);
    assert!(run(&folder, "validate small.toml").contains("9 cells, 3 seeds, 3 cells unstable"));
}

#[test]
fn picks_are_timed_when_that_is_asked_for() {
    let folder = folder();
    let said = run(&folder, "compare small.toml --seeds 1..2 --out out --time-picks");
    assert!(said.contains("time of a pick on this machine, ns"), "{said}");
    let data = folder.read("out/data/picks.csv");
    let rows: Vec<Vec<&str>> = data.lines().map(|line| line.split(',').collect()).collect();
    // Three strategies; the load plays no part in it.
    assert_eq!(rows.len(), 1 + 3, "{data}");
    assert!(rows[1..].iter().all(|row| row[2].parse::<f64>().is_ok_and(|ns| (0.5..1e6).contains(&ns))), "{data}");
    let study = "seeds = 2\n[hashing]\nkeys = 1000\nmin_ring = 2048\n[[axis]]\nset = \"structure\"\n\
                 values = [\"ring\", \"maglev\"]\n[compare]\naxis = \"structure\"\nmeasure = [\"balance\"]\n";
    folder.write("keys.toml", study);
    let said = folder.run("compare keys.toml --format json --time-picks");
    let picks = said.json()[0]["picks"].clone();
    assert_eq!(picks[0]["what"], "ring min_ring=2048", "of a structure, the time of a lookup: {}", said.stderr);
    assert_eq!(picks.as_array().map(Vec::len), Some(2));
}

#[test]
fn jobs_change_nothing() {
    let folder = folder();
    let one = run(&folder, "compare small.toml --out one --jobs 1");
    let two = run(&folder, "compare small.toml --out two --jobs 2");
    assert_eq!(one.replace("one/", "two/"), two);
    equal(&folder, "one", "two");
    let json = |jobs| run(&folder, &format!("compare rings.toml --format json --jobs {jobs}"));
    assert_eq!(json(1), json(2));
}

#[test]
fn a_study_that_lost_samples_runs_them_again_and_gives_the_same() {
    let folder = folder();
    run(&folder, "compare small.toml --out whole");
    run(&folder, "compare small.toml --out part");
    // What a killed process leaves: some samples, half of one under another name, nothing else.
    for (n, name) in folder.names("part/samples").iter().enumerate() {
        if n % 3 == 0 {
            fs::remove_file(folder.path(&format!("part/samples/{name}"))).expect("it was there");
        }
    }
    let kept = folder.names("part/samples");
    let written =
        |name: &str| fs::metadata(folder.path(&format!("part/samples/{name}"))).and_then(|m| m.modified()).ok();
    let before: Vec<_> = kept.iter().map(|name| written(name)).collect();
    std::thread::sleep(Duration::from_millis(20));
    run(&folder, "compare small.toml --out part");
    let after: Vec<_> = kept.iter().map(|name| written(name)).collect();
    assert_eq!(before, after, "what was there has not been run again");
    equal(&folder, "whole", "part");
    // A sample that was cut off is no sample.
    let cut = format!("part/samples/{}", kept[0]);
    let text = folder.read(&cut);
    folder.write(&cut, &text[..text.len() / 2]);
    run(&folder, "compare small.toml --out part");
    equal(&folder, "whole", "part");
}

#[test]
fn a_study_that_was_killed_goes_on_and_gives_the_same() {
    let folder = folder();
    // Long enough that it cannot be over before it is killed.
    let text =
        folder.read("small.toml").replace("storm = \"3s\"", "storm = \"60s\"").replace("seeds    = 3", "seeds = 2");
    folder.write("small.toml", &text);
    let mut child = folder.command("compare small.toml --out killed --jobs 1").spawn().expect("it starts");
    let is_there = |n: usize| fs::read_dir(folder.path("killed/samples")).is_ok_and(|entries| entries.count() >= n);
    while !is_there(2) {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it was over before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let names = folder.names("killed");
    assert_eq!(names, ["samples/"], "there is no report yet");
    assert!(folder.names("killed/samples").len() < 12);
    run(&folder, "compare small.toml --out killed");
    run(&folder, "compare small.toml --out whole");
    equal(&folder, "whole", "killed");
}

#[test]
fn shards_merge_into_the_report_of_one_run() {
    let folder = folder();
    run(&folder, "compare small.toml --out whole");
    let said = run(&folder, "compare small.toml --out a --shard 1/3");
    assert!(said.contains("shard 1 of 3: 6 of 18 runs") && said.contains("--merge"), "{said}");
    run(&folder, "compare small.toml --out b --shard 2/3");
    run(&folder, "compare small.toml --out c --shard 3/3");
    assert_eq!(folder.names("a"), ["samples/"], "a shard leaves samples alone");
    let (merged, whole) =
        (run(&folder, "compare small.toml --merge a b c --out merged"), run(&folder, "compare small.toml --out whole"));
    assert_eq!(merged.replace("merged/", "whole/"), whole);
    equal(&folder, "whole", "merged");
    // Without a folder for the report there is still a summary.
    assert_eq!(run(&folder, "compare small.toml --merge a b c").lines().next(), whole.lines().next());
}

#[test]
fn what_was_changed_is_run_again() {
    let folder = folder();
    run(&folder, "compare small.toml --out out");
    let text = folder.read("small.toml");
    folder.write("small.toml", &text.replace("\"2ms\"", "\"3ms\""));
    run(&folder, "compare small.toml --out out");
    run(&folder, "compare small.toml --out fresh");
    equal(&folder, "out", "fresh");
}

#[test]
fn a_cell_is_a_scenario_that_gives_the_same_run() {
    let folder = folder();
    run(&folder, "compare small.toml --out out");
    let sample = folder.read("out/samples/80pct_p2c-2.jsonl");
    let sample: Value = serde_json::from_str(sample.lines().nth(1).expect("the sample")).expect("JSON");
    let said = folder.run("run out/cells/80pct_p2c.toml --seed 2 --format json");
    assert_eq!(said.json()[0]["fingerprint"], sample["fingerprint"], "{}", said.stderr);
}

#[test]
fn other_seeds_can_be_asked_for() {
    let folder = folder();
    let seeds = |line: &str| {
        let said = folder.run(line);
        let study = &said.json()[0];
        study["cells"][0]["runs"].as_array().map(Vec::len)
    };
    assert_eq!(seeds("compare small.toml --format json --seeds 7..9"), Some(2));
    assert_eq!(seeds("compare rings.toml --format json"), Some(2));
}

#[test]
fn a_broken_promise_decides_the_number_of_the_process() {
    let folder = folder();
    let text = folder.read("small.toml").replace(
        "[[axis]]\nname   = \"load\"",
        "[base.expect]\nslo = [{ service = \"shop\", p99 = \"<= 1us\" }]\n[[axis]]\nname   = \"load\"",
    );
    folder.write("small.toml", &text);
    let said = folder.run("compare small.toml --out out");
    assert_eq!(said.code, 14, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("✗ FAILED   18 of 18 runs"), "{}", said.stdout);
    let replay = "windtunnel replay out/cells/50pct_random.toml --seed 1";
    assert!(said.stdout.contains(replay), "{}", said.stdout);
    assert_eq!(folder.run(replay.strip_prefix("windtunnel ").expect("the program")).code, 14, "the same run again");
    let json = folder.run("compare small.toml --out out --format json");
    let study = &json.json()[0];
    assert_eq!((json.code, &study["verdict"], &study["exit_code"]), (14, &"objective".into(), &14.into()));
    assert_eq!(study["failures"].as_array().map(Vec::len), Some(18));
    let failure = &study["failures"][0];
    assert_eq!(
        (&failure["replay"], &failure["kind"], &failure["name"]),
        (&replay.into(), &"objective".into(), &"shop p99 <= 1us".into())
    );
    let message = failure["message"].as_str().expect("a message");
    assert!(!message.is_empty() && said.stdout.contains(message), "{message:?} in {}", said.stdout);
    assert_eq!(study["cells"][0]["runs"][0]["failure"]["message"], message);
}

#[test]
fn studies_that_cannot_be_meant_are_refused() {
    let folder = folder();
    run(&folder, "compare small.toml --out a --shard 1/2");
    run(&folder, "compare small.toml --out b --shard 2/2");
    run(&folder, "compare rings.toml --out rings");
    fs::create_dir(folder.path("nothing")).expect("a folder");
    folder.write("scenario.toml", "[service.shop]\n[load.users]\ntarget = \"shop\"\nrate = \"1/s\"\n");
    folder.write("typo.toml", &folder.read("small.toml").replace("\"p2c\"", "\"p2d\""));
    folder.write("measure.toml", &folder.read("small.toml").replace("against = \"random\"", "measure = \"p98\""));
    folder.write("prime.toml", &(folder.read("rings.toml") + "[[axis]]\nset = \"table_size\"\nvalues = [1000]\n"));
    folder.write("based.toml", "base = \"stedy\"\n[[axis]]\nset = \"balancer\"\nvalues = [\"p2c\"]\n");
    folder.write("other.toml", &folder.read("small.toml").replace("\"2ms\"", "\"3ms\""));
    let before = folder.names(".");
    let commands = [
        "compare",
        "compare missing.toml",
        "compare two-host",
        "compare scenario.toml",
        "run small.toml --seed 1",
        "compare typo.toml --out out",
        "compare measure.toml --out out",
        "compare prime.toml --out out",
        "compare based.toml --out out",
        "compare small.toml --shard 1/2",
        "compare small.toml --shard 0/2 --out out",
        "compare small.toml --shard 3/2 --out out",
        "compare small.toml --shard half --out out",
        "compare small.toml --shard 1/2 --merge a --out out",
        "compare small.toml --merge a --out out",
        "compare small.toml --merge a nothing --out out",
        "compare small.toml --merge a rings --out out",
        "compare other.toml --merge a b --out out",
        "compare small.toml --seeds 9 --out out",
    ];
    all_exit(2, &folder, "wrong-study", &commands);
    assert_eq!(folder.names("."), before, "nothing was written");
}

#[test]
fn every_study_of_the_library_can_run() {
    let folder = Folder::new();
    let names: Vec<String> = folder
        .run("list studies --format json")
        .json()
        .iter()
        .map(|s| s["name"].as_str().expect("a name").to_string())
        .collect();
    assert_eq!(names.len(), 10, "{names:?}");
    for name in &names {
        let said = folder.run(&format!("validate {name} --format json"));
        let line = &said.json()[0];
        assert_eq!((said.code, &line["can_run"]), (0, &true.into()), "{line}");
        assert_eq!(line["problems"].as_array().map(Vec::len), Some(0), "{line}");
        assert!(folder.run(&format!("explain {name}")).stdout.contains("windtunnel compare"), "{name}");
    }
}

/// A study of the library, cut down to what a test has time for.
fn shortened(folder: &Folder, name: &str, from: &str, to: &str) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/studies/{name}.toml"));
    let text = fs::read_to_string(library).expect("a study of the library");
    assert!(text.contains(from), "{name}: nothing to shorten");
    folder.write(&format!("{name}.toml"), &text.replace(from, to));
}

/// The cell of a study at these points.
fn cell<'a>(study: &'a Value, at: &[(&str, &str)]) -> &'a Value {
    let is_it = |cell: &&Value| at.iter().all(|(axis, point)| cell["at"][axis] == *point);
    study["cells"].as_array().expect("cells").iter().find(is_it).expect("a cell")
}

#[test]
fn two_hosts_meet_their_exact_chains() {
    let folder = Folder::new();
    shortened(&folder, "two-hosts", "storm = \"5m\"", "storm = \"60s\"");
    let said = folder.run("compare two-hosts.toml --seeds 1..4 --format json");
    assert_eq!(said.code, 0, "{}", said.stderr);
    let study = &said.json()[0];
    let cells = study["cells"].as_array().expect("cells");
    let mean = |load: &str, strategy: &str| {
        let cell = cell(study, &[("load", load), ("strategy", strategy)]);
        cell["estimates"]["mean"]["mean"].as_f64().expect("a mean")
    };
    // M/M/1, E2/M/1, and the exact chains of two queues, with and without replacement.
    for (load, strategy, exact) in [
        ("50%", "random", 2.0),
        ("50%", "round_robin", 1.618_034),
        ("50%", "with replacement (Envoy)", 1.596_561),
        ("50%", "full_scan", 1.426_321),
        ("70%", "with replacement (Envoy)", 2.362_314),
        ("70%", "two different (Finagle)", 2.108_197),
    ] {
        let measured = mean(load, strategy);
        assert!((measured / exact - 1.0).abs() < 0.03, "{strategy} at {load}: {measured}, in theory {exact}");
    }
    assert!(cells.iter().filter(|c| c["at"]["load"] == "100%").all(|c| !c["unstable"].is_null()));
}

#[test]
fn a_shared_server_does_not_ask_how_work_is_distributed_and_a_queue_does() {
    let folder = Folder::new();
    shortened(&folder, "queue-or-share", "storm = \"1m\"", "storm = \"20s\"");
    let said = folder.run("compare queue-or-share.toml --seeds 1..3 --format json");
    assert_eq!(said.code, 0, "{}", said.stderr);
    let study = &said.json()[0];
    let mean = |server: &str, variation: &str, strategy: &str| {
        let cell = cell(study, &[("server", server), ("variation", variation), ("strategy", strategy)]);
        cell["estimates"]["mean"]["mean"].as_f64().expect("a mean")
    };
    // M/M/1, M/D/1, Pollaczek and Khinchine at C² = 4.75, and M/G/1 with processor sharing.
    for (server, variation, exact) in [
        ("queue", "exponential", 5.0),
        ("queue", "constant", 3.0),
        ("queue", "5 % slow", 12.5),
        ("shared", "exponential", 5.0),
        ("shared", "constant", 5.0),
        ("shared", "5 % slow", 5.0),
    ] {
        let measured = mean(server, variation, "random");
        assert!((measured / exact - 1.0).abs() < 0.06, "{server}, {variation}: {measured}, in theory {exact}");
    }
    let near = mean("shared", "5 % slow", "full_scan") / mean("shared", "constant", "full_scan");
    assert!((0.97..1.06).contains(&near), "the shortest queue is {near} times as long");
    assert!(mean("queue", "5 % slow", "full_scan") > 1.5 * mean("queue", "constant", "full_scan"));
}

#[test]
fn a_black_hole_is_seen_and_a_penalty_helps() {
    let folder = Folder::new();
    shortened(&folder, "black-hole", "values = [\"20%\", \"50%\", \"80%\"]", "values = [\"50%\"]");
    let said = folder.run("compare black-hole.toml --seeds 1..2 --format json");
    assert_eq!(said.code, 0, "{}", said.stderr);
    let study = &said.json()[0];
    let errors = |strategy: &str| {
        let cell = cell(study, &[("load", "50%"), ("retries", "none"), ("strategy", strategy)]);
        cell["runs"][0]["measures"]["errors"].as_f64().expect("errors")
    };
    let fair = errors("round_robin");
    assert!(errors("penalty_peak_ewma") < fair / 50.0 && errors("full_scan") > 1.5 * fair && errors("c3") > 3.0 * fair);
}
