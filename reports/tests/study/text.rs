//! What is said about a study on the console and in data, as golden text.

use crate::fixture;
use reports::study::{console, json};
use study::{Fault, Measure, Results, Sample};

fn study(name: &str) -> Results {
    match name {
        "sweep" => fixture::sweep(),
        "failure" => fixture::failure(),
        "hashing" => fixture::hashing(),
        "one-seed" => fixture::sweep_of(&["random", "p2c"], &["50%"], 1),
        other => panic!("there is no study `{other}`"),
    }
}

#[test]
fn the_console_says_what_the_seeds_can_tell() {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "tests/golden/study-console.txt", |command| {
        let mut words = command.split_whitespace();
        let name = words.next().unwrap();
        let width = words.next().map_or(100, |w| w.strip_prefix("width=").unwrap().parse().unwrap());
        // A blank line would end a golden block.
        console(&study(name), false, width)
            .lines()
            .map(|l| if l.is_empty() { "." } else { l }.to_string() + "\n")
            .collect()
    });
}

#[test]
fn no_line_of_prose_or_table_passes_the_width() {
    for name in ["sweep", "failure", "hashing", "one-seed"] {
        for width in [60, 80, 120] {
            for line in console(&study(name), false, width).lines() {
                assert!(line.chars().count() <= width, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn nothing_is_left_out_where_there_is_little_room() {
    for name in ["sweep", "failure", "hashing", "one-seed"] {
        let words = |width| -> std::collections::BTreeSet<String> {
            console(&study(name), false, width).split_whitespace().map(String::from).collect()
        };
        let (narrow, wide) = (words(60), words(1_000));
        let missing: Vec<&String> = wide.difference(&narrow).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}\n{}", console(&study(name), false, 60));
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let results = fixture::sweep();
    let coloured = console(&results, true, 100);
    let mut bare = String::new();
    let mut parts = coloured.split("\x1b[");
    bare.push_str(parts.next().unwrap());
    parts.for_each(|part| bare.push_str(part.split_once('m').unwrap().1));
    assert_eq!(bare, console(&results, false, 100));
    assert!(coloured.len() > bare.len());
}

#[test]
fn a_sample_reads_back_as_equal_bits() {
    for results in [fixture::sweep(), fixture::failure(), fixture::hashing()] {
        for sample in results.samples.values() {
            let text = sample.to_json();
            let again = Sample::from_json(&text).unwrap();
            assert_eq!(&again, sample);
            assert_eq!(again.to_json(), text);
        }
    }
    let mut sample = Sample::default();
    sample.set(Measure::Mean, 0.1 + 0.2);
    sample.set(Measure::P99, f64::NAN);
    assert_eq!(Sample::from_json(&sample.to_json()), Ok(sample.clone()));
    assert_eq!(sample.measures.len(), 1, "what is not a number is left out");
    assert!(Sample::from_json("{").unwrap_err().starts_with("this is no sample of a study: "));
}

#[test]
fn json_has_every_run_and_every_pair() {
    let results = fixture::sweep();
    let value = json(&results);
    assert_eq!(value["cells"].as_array().unwrap().len(), 24);
    assert_eq!(value["cells"][0]["runs"].as_array().unwrap().len(), 5);
    assert_eq!(value["cells"][23]["unstable"], 1.05);
    assert_eq!(value["cells"][23]["runs"].as_array().unwrap().len(), 0);
    assert_eq!(value["rankings"][0]["pairs"].as_array().unwrap().len(), 15);
    assert_eq!(value["seeds"][0], "1", "seeds are text: doubles would round them");
}

#[test]
fn the_tables_of_data_are_complete_and_have_units_in_their_heads() {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "tests/golden/study-data.txt", |command| {
        let (name, file) = command.trim().split_once(' ').unwrap();
        let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("studies").join(format!("data-{name}"));
        reports::study::write(&study(name), &dir).expect("the build folder can be written");
        let text = std::fs::read_to_string(dir.join("data").join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        // The head and the first dozen rows.
        text.lines().take(13).map(|line| format!("{line}\n")).collect()
    });
}

#[test]
fn a_warm_up_that_is_too_short_is_found_and_one_that_is_long_enough_is_not() {
    let quiet = fixture::sweep_of(&["random", "p2c"], &["50%", "70%"], 5);
    assert!(!console(&quiet, false, 100).contains("warm-up"), "{}", console(&quiet, false, 100));
    let mut filling = quiet.clone();
    for ((cell, _), sample) in &mut filling.samples {
        if *cell == 1 {
            // Settles with a time constant of 25 s; warm-up takes away ten.
            for (step, ns) in sample.series.mean_ns.iter_mut().enumerate() {
                *ns = (*ns as f64 * (1.0 - 0.8 * base::math::exp(-(step as f64) / 25.0))) as u64;
            }
        }
    }
    let said = console(&filling, false, 100).replace("\n    ", " ");
    assert!(said.contains("the warm-up of 10 s looks too short in 1 of 4 cells (load 50%, strategy p2c)"), "{said}");
    // Another cell's warm-up is no matter of this one; its own is, even where an axis sets it.
    let mut longer = filling.clone();
    longer.plan.cells[1].phases.warmup = base::Duration::secs(100);
    assert!(!console(&longer, false, 100).contains("looks too short"), "{}", console(&longer, false, 100));
    // A fault that moves latency is no matter of warm-up.
    for sample in filling.samples.values_mut() {
        sample.faults = vec![Fault { name: "crash".into(), from_ns: 12_000_000_000, until_ns: 20_000_000_000 }];
    }
    assert!(!console(&filling, false, 100).contains("looks too short"));
}
