//! The page of a study and its pictures: well-formed, complete, safe against any text, the same bytes every time.

use crate::fixture;
use crate::markup::balanced;
use reports::study::write;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use study::{Measure, PickTime, PlotKind, PlotSpec, Results, Theory};

/// Writes a report into a fresh folder under the build's own.
fn report(name: &str, results: &Results) -> (PathBuf, Vec<PathBuf>, String) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("studies").join(name);
    let _ = fs::remove_dir_all(&dir);
    let written = write(results, &dir).expect("the build folder can be written");
    let html = fs::read_to_string(&written[0]).unwrap();
    (dir, written, html)
}

fn theory() -> Results {
    let mut results = fixture::sweep();
    let spec = |measure| PlotSpec {
        kind: PlotKind::ByAxis,
        title: String::new(),
        x: None,
        series: None,
        measure: Some(measure),
        theory: vec![Theory::Mm1, Theory::RoundRobin(None), Theory::Supermarket(2), Theory::Mmc(None)],
    };
    results.plan.plots = vec![
        spec(Measure::P99),
        spec(Measure::Mean),
        PlotSpec { kind: PlotKind::Tail, theory: vec![Theory::Supermarket(2)], ..spec(Measure::Mean) },
        PlotSpec { kind: PlotKind::HeatMap, ..spec(Measure::Mean) },
        PlotSpec { kind: PlotKind::Queues, ..spec(Measure::Mean) },
    ];
    results
}

/// Twenty-six strategies, as many as there are.
fn crowd() -> Results {
    let names: Vec<String> = (0..26)
        .map(|i| {
            let known = fixture::STRATEGIES.get(i).map(|(name, _)| (*name).to_string());
            known.unwrap_or_else(|| format!("strategy {i} with its parameters"))
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture::sweep_of(&names, &["50%", "70%", "80%", "90%", "95%", "99%", "100%"], 5)
}

/// Two loads of the same strategies, over two sizes of fleets, and what their picks took.
fn timed() -> Results {
    let mut results = fixture::sweep_of(&["random", "p2c"], &["50%"], 3);
    let pick = |what: &str, hosts, nanoseconds| PickTime { what: what.into(), hosts, nanoseconds };
    results.picks = vec![pick("random", 10, 12.4), pick("p2c <x>", 10, 19.6), pick("p2c <x>", 1_000, 31.0)];
    results
}

#[test]
fn the_time_of_picks_is_there_when_it_was_taken_and_only_then() {
    let (dir, _, html) = report("timed-picks", &timed());
    assert!(html.contains("Time of a pick") && html.contains("p2c &lt;x&gt;"), "a section of its own, escaped");
    assert!(html.contains(">12<") && html.contains(">20<") && html.contains(">31<"), "rounded to nanoseconds");
    let data = fs::read_to_string(dir.join("data/picks.csv")).unwrap();
    assert_eq!(data, "what,hosts,pick_ns\nrandom,10,12.4\np2c <x>,10,19.6\np2c <x>,1000,31\n");
    let told = reports::study::console(&timed(), false, 100);
    assert!(told.contains("time of a pick") && told.contains("1,000 hosts"), "{told}");
    assert_eq!(reports::study::json(&timed())["picks"][2]["pick_ns"], 31.0);
    let (dir, _, html) = report("untimed-picks", &fixture::sweep());
    assert!(!html.contains("Time of a pick") && !dir.join("data/picks.csv").exists());
    assert!(reports::study::json(&fixture::sweep())["picks"].is_null());
}

fn all() -> Vec<(&'static str, Results)> {
    vec![
        ("timed", timed()),
        ("sweep", theory()),
        ("crowd", crowd()),
        ("failure", fixture::failure()),
        ("hashing", fixture::hashing()),
        ("hostile", fixture::hostile()),
        ("one-seed", fixture::sweep_of(&["random", "p2c"], &["50%"], 1)),
    ]
}

fn pictures(written: &[PathBuf]) -> Vec<(String, String)> {
    let svg = written.iter().filter(|p| p.extension().is_some_and(|e| e == "svg"));
    svg.map(|p| (p.display().to_string(), fs::read_to_string(p).unwrap())).collect()
}

#[test]
fn a_report_is_a_folder_with_a_page_and_everything_on_it_as_data() {
    for (name, results) in all() {
        let (dir, written, html) = report(name, &results);
        assert_eq!(written[0], dir.join("index.html"));
        assert!(written.iter().all(|path| path.is_file()), "{written:?}");
        balanced(&html, name);
        let manifest = html.split("id=\"plots\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
        let ids: Vec<String> = serde_json::from_str(manifest).unwrap();
        assert!(!ids.is_empty(), "{name} has no picture");
        for id in ids {
            let file = id.strip_prefix("plot-").unwrap();
            assert!(html.contains(&format!("<figure id=\"{id}\">")));
            for link in [format!("data/{file}.csv"), format!("plots/{file}.svg")] {
                assert!(html.contains(&format!("href=\"{link}\"")), "no link to {link}");
                assert!(dir.join(&link).is_file(), "{link} was not written");
            }
        }
    }
}

#[test]
fn a_page_fetches_nothing_and_its_links_lead_somewhere() {
    for (name, results) in all() {
        let (dir, _, html) = report(&format!("links-{name}"), &results);
        for needle in ["src=", "@import", "url(", "<img", "<iframe", "https://", "<script>"] {
            assert!(!html.contains(needle), "{name}: {needle} on the page");
        }
        let targets = html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
        for target in targets {
            let kept = target == "data:," || target.starts_with('#') || dir.join(target).is_file();
            assert!(kept, "{name}: a link leads nowhere: {target}");
            if let Some(id) = target.strip_prefix('#') {
                assert!(html.contains(&format!("id=\"{id}\"")), "{name}: no such place on the page: {target}");
            }
        }
        let mut seen = BTreeSet::new();
        for id in html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
            assert!(seen.insert(id), "{name}: {id} is there twice");
        }
    }
}

#[test]
fn every_picture_is_well_formed_within_its_sheet_and_shows_something() {
    for (name, results) in all() {
        let (_, written, _) = report(&format!("pictures-{name}"), &results);
        for (path, svg) in pictures(&written) {
            let tags = balanced(&svg, &path);
            assert!(tags.iter().filter(|t| *t == "path").count() >= 2, "{path}: nothing is drawn");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{path}: not a number");
            for line in svg.lines().filter(|l| l.contains("=\"#")) {
                assert!(line.contains("class=\""), "{path}: a colour without a name: {line}");
            }
            let size = svg.split("viewBox=\"0 0 ").nth(1).and_then(|s| s.split('"').next()).unwrap();
            let (w, h) = size.split_once(' ').unwrap();
            let (w, h): (f64, f64) = (w.parse().unwrap(), h.parse().unwrap());
            for d in svg.split(" d=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
                for point in d.split(['M', 'L']).filter(|p| !p.is_empty()) {
                    let mut at = point.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
                    let x: f64 = at.next().unwrap().parse().unwrap();
                    let y: f64 = at.next().unwrap().parse().unwrap();
                    assert!((0.0..=w).contains(&x) && (0.0..=h).contains(&y), "{path}: {x},{y} of {w},{h}");
                }
            }
        }
    }
}

#[test]
fn what_could_not_be_run_is_said_everywhere_and_drawn_nowhere() {
    let (dir, _, html) = report("unstable", &theory());
    assert!(html.contains("unstable: load 105 %"), "in the tables");
    assert!(html.contains("<section id=\"unstable\">"), "in a section of its own");
    for file in ["data/p99-by-load.csv", "data/estimates.csv"] {
        let csv = fs::read_to_string(dir.join(file)).unwrap();
        let of_it: Vec<&str> = csv.lines().filter(|l| l.contains("105%")).collect();
        assert_eq!(of_it.len(), 6, "{file}");
        assert!(of_it.iter().all(|l| l.contains("unstable: load 1.05, not run")), "{file}: {of_it:?}");
    }
    let svg = fs::read_to_string(dir.join("plots/p99-by-load.svg")).unwrap();
    assert!(svg.contains("not run: the load is 100 % or more"), "on the picture");
}

#[test]
fn theory_stands_beside_results_in_picture_and_data() {
    let (dir, _, _) = report("theory", &theory());
    let csv = fs::read_to_string(dir.join("data/mean-by-load.csv")).unwrap();
    assert!(csv.contains("90%,M/M/1,,100,,,theory"), "{csv}");
    assert!(csv.contains("\"supermarket model, d = 2\",,26.140574,,,theory"), "{csv}");
    assert!(!csv.contains("105%,M/M/1"), "theory says nothing where nothing settles");
    let svg = fs::read_to_string(dir.join("plots/mean-by-load.svg")).unwrap();
    assert!(svg.contains(">supermarket model, d = 2</text>"), "named beside its curve");
}

#[test]
fn every_strategy_of_a_crowd_is_named_beside_its_line() {
    let results = crowd();
    let (dir, ..) = report("names", &results);
    let svg = fs::read_to_string(dir.join("plots/p99-by-load.svg")).unwrap();
    for name in &results.plan.axes[1].labels {
        assert!(svg.contains(&format!(">{name}</text>")), "{name} is not named");
    }
}

#[test]
fn equal_results_give_equal_bytes() {
    let (_, first, _) = report("same-a", &fixture::failure());
    let (_, second, _) = report("same-b", &fixture::failure());
    assert_eq!(first.len(), second.len());
    for (x, y) in first.iter().zip(&second) {
        assert!(fs::read(x).unwrap() == fs::read(y).unwrap(), "{} and {}", x.display(), y.display());
    }
}

#[test]
fn no_name_can_become_markup() {
    let (_, written, html) = report("markup", &fixture::hostile());
    assert_eq!(html.matches("<script").count(), 1, "the manifest only");
    assert!(html.contains("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)"), "the name is shown as it is");
    for (path, svg) in pictures(&written) {
        balanced(&svg, &path);
        assert!(!svg.contains('\u{1b}'), "{path}: a control character in XML");
    }
    let console = reports::study::console(&fixture::hostile(), false, 100);
    assert!(!console.contains('\u{1b}'), "a name must not move the cursor");
}

#[test]
fn a_report_over_an_earlier_one_leaves_nothing_of_it() {
    let (dir, ..) = report("twice", &theory());
    assert!(dir.join("data/p99-by-load.csv").exists());
    fs::write(dir.join("notes.txt"), "kept").unwrap();
    write(&fixture::hashing(), &dir).unwrap();
    assert!(!dir.join("data/p99-by-load.csv").exists(), "numbers of the earlier study are still there");
    assert!(!dir.join("plots/p99-by-load.svg").exists());
    assert!(dir.join("notes.txt").exists(), "what is not ours stays");
}

#[test]
fn a_study_without_a_single_run_gives_a_page_that_says_so() {
    let mut results = fixture::sweep();
    results.samples.clear();
    let (_, _, html) = report("nothing", &results);
    balanced(&html, "a page of nothing");
    assert!(html.contains("90 runs of 90 missing"), "the warning");
    assert!(!html.contains("NaN"));
}
