//! `cargo xtask fingerprints`: one seed is one run, whoever runs it and however.
//!
//! Separate processes, an unoptimized and an optimized build, one thread and two: all of them must print the same
//! fingerprint for the same scenario and seed, and another one for another seed.

use crate::shell::{self, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) const HELP: &str = "\
proves that a seed gives one run: separate processes, debug and release, one job and two

Builds the command line in the dev and release profiles and runs each scenario in three processes of each:

  windtunnel run FILE --seed 1    --jobs 1 --format json
  windtunnel run FILE --seeds 1..3 --jobs 1 --format json
  windtunnel run FILE --seeds 1..3 --jobs 2 --format json

Fails when a seed has two fingerprints, or two seeds have one.

  cargo xtask fingerprints              weather, counter and steady
  cargo xtask fingerprints FILE…        these scenario files
";

const SCENARIOS: [&str; 3] = ["scenarios/weather.toml", "scenarios/counter.toml", "scenarios/steady.toml"];
const RUNS: [[&str; 4]; 3] =
    [["--seed", "1", "--jobs", "1"], ["--seeds", "1..3", "--jobs", "1"], ["--seeds", "1..3", "--jobs", "2"]];
/// Exit codes of a run that came to an end, whatever its verdict.
const VERDICTS: [i32; 6] = [0, 10, 11, 12, 13, 14];

/// What was printed for one scenario: seed → fingerprint → the processes that printed it.
type Seen = BTreeMap<String, BTreeMap<String, Vec<String>>>;

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(option) = args.iter().find(|word| word.starts_with('-')) {
        return Err(format!("`{option}` is not understood: `cargo xtask fingerprints` takes scenario files"));
    }
    let files: Vec<&str> = if args.is_empty() { SCENARIOS.to_vec() } else { args.iter().map(String::as_str).collect() };
    let target = shell::target()?;
    shell::run(&mut shell::cargo(&["build", "--package", "cli"]))?;
    shell::run(&mut shell::cargo(&["build", "--package", "cli", "--release"]))?;

    println!("\n{:<32} {:>4}  {:<16}  {:>9}  verdict", "scenario", "seed", "fingerprint", "processes");
    let mut faults = Vec::new();
    for file in files {
        let mut seen = Seen::new();
        for build in ["debug", "release"] {
            let binary = target.join(build).join("windtunnel");
            for options in RUNS {
                observe(&binary, file, options, &format!("{build} {}", options.join(" ")), &mut seen)?;
            }
        }
        for (seed, prints) in &seen {
            let verdict = if prints.len() == 1 { "equal" } else { "DIFFERENT" };
            for (print, processes) in prints {
                println!("{file:<32} {seed:>4}  {print:<16}  {:>9}  {verdict}", processes.len());
            }
        }
        faults.extend(judge(file, &seen));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Runs one process and files what it printed under its seeds.
fn observe(binary: &Path, file: &str, options: [&str; 4], process: &str, seen: &mut Seen) -> Result<()> {
    let shown = format!("windtunnel run {file} {} --format json", options.join(" "));
    let mut command = shell::program(&binary.to_string_lossy());
    let output = command
        .args(["run", file])
        .args(options)
        .args(["--format", "json"])
        .output()
        .map_err(|e| format!("`{shown}` could not be started: {e}"))?;
    if !output.status.code().is_some_and(|code| VERDICTS.contains(&code)) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` ({process}) failed ({}):\n{}", output.status, said.trim_end()));
    }
    let runs = read(&output.stdout).map_err(|why| format!("`{shown}` ({process}): {why}"))?;
    for (seed, print) in runs {
        seen.entry(seed).or_default().entry(print).or_default().push(process.to_string());
    }
    Ok(())
}

/// Seed and fingerprint of each JSON object in `stdout`.
fn read(stdout: &[u8]) -> Result<Vec<(String, String)>> {
    let mut runs = Vec::new();
    for run in serde_json::Deserializer::from_slice(stdout).into_iter::<Value>() {
        let run = run.map_err(|e| format!("standard output is not JSON: {e}"))?;
        let text = |key: &str| run[key].as_str().map(String::from).ok_or(format!("a run has no text `{key}`: {run}"));
        runs.push((text("seed")?, text("fingerprint")?));
    }
    if runs.is_empty() { Err("standard output holds no run".into()) } else { Ok(runs) }
}

fn judge(file: &str, seen: &Seen) -> Vec<String> {
    let mut faults = Vec::new();
    for (seed, prints) in seen.iter().filter(|(_, prints)| prints.len() > 1) {
        let list: Vec<String> =
            prints.iter().map(|(print, processes)| format!("  {print}  {}", processes.join(", "))).collect();
        faults.push(format!("{file}: seed {seed} gave {} different runs\n{}", prints.len(), list.join("\n")));
    }
    if seen.len() < 2 {
        faults.push(format!("{file}: `--seeds 1..3` ran {} seed(s), so no two could be compared", seen.len()));
    }
    let prints: BTreeSet<&String> = seen.values().flat_map(BTreeMap::keys).collect();
    if prints.len() < seen.len() {
        faults.push(format!("{file}: two of {} seeds gave the same run: the seed does not reach it", seen.len()));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(runs: &[(&str, &str)]) -> Seen {
        let mut seen = Seen::new();
        for (seed, print) in runs {
            let prints = seen.entry(seed.to_string()).or_default();
            prints.entry(print.to_string()).or_default().push("debug".into());
        }
        seen
    }

    #[test]
    fn a_seed_has_one_fingerprint_and_two_seeds_have_two() {
        assert_eq!(judge("f", &seen(&[("1", "aa"), ("1", "aa"), ("2", "bb")])), [""; 0]);
        assert!(
            judge("f", &seen(&[("1", "aa"), ("1", "ab"), ("2", "bb")]))[0].contains("seed 1 gave 2 different runs")
        );
        assert!(judge("f", &seen(&[("1", "aa"), ("2", "aa")]))[0].contains("two of 2 seeds gave the same run"));
        assert!(judge("f", &seen(&[("1", "aa")]))[0].contains("no two could be compared"));
    }

    #[test]
    fn runs_are_read_from_lines_or_from_pretty_json() {
        let two = b"{\"seed\": \"1\", \"fingerprint\": \"aa\"}\n{\n \"seed\": \"2\",\n \"fingerprint\": \"bb\"\n}\n";
        assert_eq!(read(two).unwrap(), [("1".into(), "aa".into()), ("2".into(), "bb".into())]);
        assert!(read(b"").unwrap_err().contains("no run"));
        assert!(read(b"{\"seed\": 1}").unwrap_err().contains("no text `seed`"));
        assert!(read(b"hello").unwrap_err().contains("not JSON"));
    }
}
