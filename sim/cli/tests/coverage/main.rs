//! Whether the intervals of studies hold the truth as often as they say.
//!
//! Four systems whose truth is known are studied again and again, ten seeds each time, exactly as `compare` studies
//! them: world, sample, JSON. Of all intervals that come without a warning, 94 to 96 in a hundred must hold the truth,
//! per measure over all systems and lengths, and no system and length may lie outside 89 to 99.
//!
//! The small version runs with every test. The full one takes a quarter of an hour in release, goes on where it was
//! stopped, and prints its figures as a table:
//!
//! ```text
//! cargo test --release -p cli --test coverage -- --ignored --nocapture full
//! COVERAGE_GROUPS=580    groups of ten seeds for each system and length
//! COVERAGE_DIR=…         where finished groups are kept; target/tmp/coverage otherwise
//! cargo test --release -p cli --test coverage -- --ignored --nocapture truth    the run of 10⁸ requests
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a full exploration speaks to whoever started it")]

mod overload;
mod systems;

use base::Seed;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use study::{Cell, Kind, Measure, Origin, Plan, Results, Sample};
use systems::{SYSTEMS, System};
use world::{Options, Spec};

/// The measures whose truth is known.
const MEASURES: [Measure; 5] = [Measure::Mean, Measure::P50, Measure::P90, Measure::P99, Measure::P999];
const SEEDS: u64 = 10;
/// Seconds that are measured.
const LENGTHS: [u64; 2] = [2, 20];

/// What one study of ten seeds said of one measure.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Said {
    value: f64,
    low: f64,
    high: f64,
    /// On how many independent requests it rests.
    effective: f64,
    /// Whether it came with a warning about the measure.
    warned: bool,
}

/// Ten runs of a world, under seeds of their own, as samples of its service `server`.
fn samples(spec: &Spec, group: u64) -> Vec<Sample> {
    let run = |seed: u64| {
        let outcome = world::run(spec, Seed(1 + group * SEEDS + seed), &Options::default()).outcome;
        Sample::of(&outcome, "server").without_heat()
    };
    (0..SEEDS).map(run).collect()
}

/// A study of one cell from these samples, as JSON.
fn report(spec: &Spec, samples: Vec<Sample>) -> serde_json::Value {
    let plan = Plan {
        name: spec.name.clone(),
        title: String::new(),
        question: String::new(),
        kind: Kind::World,
        service: "server".into(),
        confidence: 0.95,
        seeds: (0..SEEDS).map(Seed).collect(),
        axes: Vec::new(),
        cells: vec![Cell {
            at: Vec::new(),
            key: "one".into(),
            utilization: Some(systems::LOAD),
            bounded: true,
            phases: spec.phases,
            service_ms: Some(1.0),
            servers: 1,
        }],
        comparison: None,
        plots: Vec::new(),
        measures: MEASURES.to_vec(),
    };
    let samples: BTreeMap<(usize, usize), Sample> =
        samples.into_iter().enumerate().map(|(seed, sample)| ((0, seed), sample)).collect();
    reports::study::json(&Results { plan, origin: Origin::default(), samples, picks: Vec::new() })
}

/// The warnings of a study.
fn warnings(said: &serde_json::Value) -> Vec<String> {
    let warnings = said["warnings"].as_array().expect("warnings are a list");
    warnings.iter().map(|warning| warning.as_str().expect("warnings are text").to_string()).collect()
}

/// What a study of one cell from these samples says of every measure, and the warnings it prints.
fn study(system: &System, seconds: u64, samples: Vec<Sample>) -> ([Said; 5], Vec<String>) {
    let said = report(&system.spec(seconds), samples);
    let estimates = &said["cells"][0]["estimates"];
    let of = |measure: &Measure| {
        let estimate = &estimates[measure.name()];
        let number = |key: &str| estimate[key].as_f64().unwrap_or_else(|| panic!("{measure}: no {key} in {estimate}"));
        let warned = estimate["weak"].as_bool().expect("it is said whether it is weak");
        let effective = number("effective");
        Said { value: number("mean"), low: number("low"), high: number("high"), effective, warned }
    };
    (MEASURES.each_ref().map(of), warnings(&said))
}

/// How often intervals without a warning hold the truth.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    held: u32,
    quiet: u32,
    all: u32,
    /// Sum over all studies of what they said, as a share of the truth.
    value: f64,
}

impl Tally {
    fn add(&mut self, said: Said, truth: f64) {
        self.all += 1;
        self.value += said.value / truth;
        if !said.warned {
            self.quiet += 1;
            self.held += u32::from(said.low <= truth && truth <= said.high);
        }
    }

    fn share(self) -> f64 {
        f64::from(self.held) / f64::from(self.quiet)
    }

    fn joined(self, other: Tally) -> Tally {
        Tally {
            held: self.held + other.held,
            quiet: self.quiet + other.quiet,
            all: self.all + other.all,
            value: self.value + other.value,
        }
    }
}

#[test]
fn short_runs_are_pooled_and_not_averaged() {
    let system = &SYSTEMS[0];
    let groups: Vec<Vec<Sample>> = (0..24).map(|group| samples(&system.spec(2), group)).collect();
    let p99 = system.truths()[3];
    let of_runs = groups.iter().flatten().filter_map(|s| s.measure(&Measure::P99)).sum::<f64>() / 240.0;
    assert!(of_runs < 0.92 * p99, "the mean of the runs' p99 should be far too low: {of_runs} of {p99}");
    let mut tallies = [Tally::default(); 5];
    for group in groups {
        let (said, warnings) = study(system, 2, group);
        for (said, (tally, truth)) in said.into_iter().zip(tallies.iter_mut().zip(system.truths())) {
            tally.add(said, truth);
        }
        assert!(warnings.iter().any(|w| w.contains("p999 rests on fewer than 5")), "{warnings:?}");
    }
    for (measure, tally) in MEASURES.iter().zip(tallies) {
        let value = tally.value / 24.0;
        assert!(*measure == Measure::P999 || (value - 1.0).abs() < 0.06, "{measure}: {value} of the truth");
    }
    // Of 24 intervals of 95 %, 19 or fewer hold in one case of a hundred.
    for (measure, tally) in MEASURES.iter().zip(tallies).take(3) {
        assert!(tally.quiet >= 22 && tally.held + 4 >= tally.quiet, "{measure}: {tally:?}");
    }
    assert_eq!(tallies[4].quiet, 0, "p99.9 of sixteen requests beyond it is no answer");
}

#[test]
fn the_truth_of_bimodal_work_has_the_mean_of_pollaczek_and_khinchine() {
    let system = &SYSTEMS[2];
    let [mean, p50, p90, p99, p999] = system.truths();
    assert!((mean - 7.5).abs() < 1e-9, "{mean}");
    // By an independent program with a grid ten times as coarse.
    for (found, known) in [(p50, 5.44918), (p90, 18.16140), (p99, 36.89625), (p999, 55.63393)] {
        assert!((found - known).abs() < 2e-4, "{found} is not {known}");
    }
}

/// Where finished groups are kept: a place of their own for every state of what made them.
fn folder() -> PathBuf {
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage");
    let folder = std::env::var_os("COVERAGE_DIR").map_or_else(usual, PathBuf::from);
    let mut estimators = base::Fingerprint::default();
    for file in [
        include_str!("../../../study/src/pool.rs"),
        include_str!("../../../study/src/estimates.rs"),
        include_str!("../../../study/src/stats.rs"),
        include_str!("../../../study/src/analysis.rs"),
        include_str!("../../../study/src/warning.rs"),
    ] {
        estimators.fold_text(file);
    }
    folder.join(format!("{}-{estimators}", env!("WINDTUNNEL_SOURCES")))
}

/// The groups that are done: what each said, in the order of [`MEASURES`], and how many other warnings it printed.
type Done = BTreeMap<u64, ([Said; 5], usize)>;

fn line(group: u64, said: &[Said; 5], others: usize) -> String {
    let mut line = format!("{group} {others}");
    for one in said {
        let Said { value, low, high, effective, warned } = one;
        let _ = write!(line, " {value} {low} {high} {effective} {}", u8::from(*warned));
    }
    line.push('\n');
    line
}

/// A line that was written whole; none of one that was cut off.
fn parsed(line: &str) -> Option<(u64, ([Said; 5], usize))> {
    let words: Vec<f64> = line.split(' ').map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let [group, others, rest @ ..] = &words[..] else { return None };
    let said = |w: &[f64]| Said { value: w[0], low: w[1], high: w[2], effective: w[3], warned: w[4] == 1.0 };
    let said: Vec<Said> = rest.chunks_exact(5).map(said).collect();
    Some((*group as u64, (said.try_into().ok()?, *others as usize)))
}

/// All groups of a system and a length, those of earlier calls from their file.
///
/// No two systems and lengths share a seed: what is rare under one would be rare under all, and count as often.
fn groups(system: &System, seconds: u64, count: u64) -> Done {
    let first = (system.number() * 100 + seconds) * 1_000_000;
    let path = folder().join(format!("{}-{seconds}s.txt", system.name));
    fs::create_dir_all(folder()).expect("the folder can be made");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut done: Done = whole.filter_map(parsed).filter(|(group, _)| *group < count).collect();
    let left: Vec<u64> = (0..count).filter(|group| !done.contains_key(group)).collect();
    for some in left.chunks(16) {
        let new: Vec<(u64, ([Said; 5], usize))> = some
            .par_iter()
            .map(|&group| {
                let (said, warnings) = study(system, seconds, samples(&system.spec(seconds), first + group));
                let others = warnings.iter().filter(|w| !w.contains("independent requests")).count();
                (group, (said, others))
            })
            .collect();
        let text: String = new.iter().map(|(group, (said, others))| line(*group, said, *others)).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(&path).expect("the file can be opened");
        file.write_all(text.as_bytes()).expect("the file can be written");
        done.extend(new);
        eprintln!("{} {seconds} s: {} of {count}", system.name, done.len());
    }
    done
}

#[test]
#[ignore = "a quarter of an hour in release; `cargo xtask soak coverage` starts it"]
fn full() {
    let count = std::env::var("COVERAGE_GROUPS").map_or(580, |n| n.parse().expect("COVERAGE_GROUPS is a number"));
    let mut table = String::from("| measure |");
    let mut pooled = [Tally::default(); 5];
    let mut rows: [String; 5] = Default::default();
    let mut wrong = Vec::new();
    let mut others = 0;
    for system in &SYSTEMS {
        let truths = system.truths();
        for seconds in LENGTHS {
            let done = groups(system, seconds, count);
            others += done.values().map(|(_, others)| others).sum::<usize>();
            let _ = write!(table, " {} {seconds} s |", system.name);
            for (m, measure) in MEASURES.iter().enumerate() {
                let mut tally = Tally::default();
                done.values().for_each(|(said, _)| tally.add(said[m], truths[m]));
                pooled[m] = pooled[m].joined(tally);
                let bias = (tally.value / f64::from(tally.all) - 1.0) * 100.0;
                let _ = match tally.quiet {
                    0 => write!(rows[m], " warned ({bias:+.1} %) |"),
                    quiet => write!(rows[m], " {:.1} % of {quiet} ({bias:+.1} %) |", tally.share() * 100.0),
                };
                // Fewer than thirty intervals make no share.
                if tally.quiet >= 30 && !(0.89..=0.99).contains(&tally.share()) {
                    wrong.push(format!("{measure} of {} over {seconds} s: {tally:?}", system.name));
                }
                let is_asked = matches!(measure, Measure::Mean | Measure::P50 | Measure::P99);
                if seconds == 20 && system.name != "M-G-1" && is_asked && tally.quiet < tally.all {
                    wrong.push(format!("{measure} of {} over {seconds} s is warned of: {tally:?}", system.name));
                }
            }
        }
    }
    let _ = writeln!(table, " all |\n|---|{}---:|", "---:|".repeat(SYSTEMS.len() * LENGTHS.len()));
    for ((measure, row), tally) in MEASURES.iter().zip(&rows).zip(pooled) {
        let _ = writeln!(table, "| {measure} |{row} {:.1} % of {} |", tally.share() * 100.0, tally.quiet);
        if !(0.94..=0.96).contains(&tally.share()) {
            wrong.push(format!("{measure} of all: {tally:?}"));
        }
    }
    println!("{table}\n{count} groups of {SEEDS} seeds each; {others} other warnings");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "one run of 10⁸ requests, some minutes in release"]
fn truth() {
    let spec = SYSTEMS[3].spec(12_500);
    let outcome = world::run(&spec, Seed(20_260_101), &Options::default()).outcome;
    let sample = Sample::of(&outcome, "server").without_heat();
    let samples = (0..SEEDS).map(|_| sample.clone()).collect();
    let (said, _) = study(&SYSTEMS[3], 12_500, samples);
    println!("{} requests: {:?}", sample.count, said.map(|said| said.value));
    for (said, truth) in said.iter().zip(SYSTEMS[3].truths()) {
        // Other draws than those of the day on which it was made may move the last digits.
        assert!((said.value / truth - 1.0).abs() < 2e-3, "{} is not {truth}", said.value);
    }
}
