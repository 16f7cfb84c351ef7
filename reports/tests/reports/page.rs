//! The page and its pictures: well-formed, complete, safe against any text, the same bytes every time, and sensible
//! when there is nothing, one, or very much to show.

use crate::fixture;
use crate::markup::balanced;
use reports::{page, plot};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration as WallTime;
use world::outcome::Outcome;

const SCENARIO: &str = "title = \"A forecast canary\"\n[topology]\nzones = [\"a\", \"b\", \"c\"] # <three>\n";

fn options(wall: u64) -> page::Options<'static> {
    page::Options {
        replay: "windtunnel replay scenarios/weather.toml --seed 42",
        wall: WallTime::from_millis(wall),
        version: "0.1.0",
        scenario_text: SCENARIO,
    }
}

/// A fresh folder under the build's own.
fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports").join(name);
    let _ = fs::remove_dir_all(&dir);
    dir
}

fn write(name: &str, outcome: &Outcome) -> (PathBuf, Vec<PathBuf>) {
    let dir = folder(name);
    let written = page::write(&dir, outcome, &options(310)).expect("the build folder can be written");
    (dir, written)
}

#[test]
fn a_report_is_a_folder_with_a_page_and_everything_on_it_as_data() {
    let (dir, written) = write("weather", &fixture::weather());
    assert_eq!(written[0], dir.join("index.html"));
    assert!(written.iter().all(|path| path.is_file()), "{written:?}");
    let html = fs::read_to_string(&written[0]).unwrap();
    balanced(&html, "index.html");
    for plot in plot::all(&fixture::weather()) {
        assert!(html.contains(&format!("<figure id=\"{}\">", plot.id)));
        for link in [format!("data/{}.csv", plot.file()), format!("plots/{}.svg", plot.file())] {
            assert!(html.contains(&format!("href=\"{link}\"")), "no link to {link}");
            assert!(dir.join(&link).is_file(), "{link} was not written");
        }
    }
    let manifest = html.split("id=\"plots\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    let ids: Vec<String> = serde_json::from_str(manifest).unwrap();
    assert_eq!(ids.len(), 7, "{ids:?}");
    assert!(html.contains("# &lt;three&gt;"), "the scenario's text is on the page");
}

#[test]
fn a_page_fetches_nothing() {
    let (dir, _) = write("fetches-nothing", &fixture::broken());
    let html = fs::read_to_string(dir.join("index.html")).unwrap();
    for needle in ["src=", "@import", "url(", "<img", "<iframe", "https://", "<script>"] {
        assert!(!html.contains(needle), "{needle} on the page");
    }
    let http = html.matches("http://").count();
    let namespaces = html.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    assert_eq!(http, namespaces, "an address other than SVG's namespace");
    let targets = html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    for target in targets {
        let kept = target == "data:," || target.starts_with('#') || dir.join(target).is_file();
        assert!(kept, "a link leads nowhere: {target}");
        if let Some(id) = target.strip_prefix('#') {
            assert!(html.contains(&format!("id=\"{id}\"")), "no such place on the page: {target}");
        }
    }
}

#[test]
fn ids_are_unique_on_a_page() {
    let (dir, _) = write("ids", &fixture::weather());
    let html = fs::read_to_string(dir.join("index.html")).unwrap();
    let mut seen = BTreeSet::new();
    for id in html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
        assert!(seen.insert(id), "{id} is there twice");
    }
}

#[test]
fn every_picture_is_well_formed_and_shows_something() {
    for plot in plot::all(&fixture::weather()) {
        let tags = balanced(&plot.svg, plot.id);
        let shapes = tags.iter().filter(|t| *t == "path").count();
        assert!(shapes >= 4, "{}: only {shapes} shapes", plot.id);
        assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf"), "{}: not a number", plot.id);
        assert!(plot.svg.contains("class=\"s-axis\""), "{}: no axis, or inks lost their classes", plot.id);
        for line in plot.svg.lines().filter(|l| l.contains("#")) {
            assert!(line.contains("class=\""), "{}: a colour without a name: {line}", plot.id);
        }
    }
}

#[test]
fn the_names_of_faults_stand_in_every_picture_over_time() {
    for plot in plot::all(&fixture::weather()) {
        let over_time = plot.id != "plot-latency-distribution";
        for name in ["crash-1", "partition-1", "warm-up", "storm", "calm"] {
            let named = plot.svg.contains(&format!(">{name}</text>"));
            assert!(named == over_time || name == "warm-up", "{}: {name} {named}", plot.id);
        }
    }
}

#[test]
fn nothing_is_drawn_beyond_the_edge_of_the_sheet() {
    for outcome in [
        fixture::weather(),
        fixture::hostile(),
        fixture::with_instances(200),
        fixture::with_faults(60),
        fixture::empty(),
    ] {
        for plot in plot::all(&outcome) {
            let size = plot.svg.split("viewBox=\"0 0 ").nth(1).and_then(|s| s.split('"').next()).unwrap();
            let (w, h) = size.split_once(' ').unwrap();
            let (w, h): (f64, f64) = (w.parse().unwrap(), h.parse().unwrap());
            for d in plot.svg.split(" d=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
                for point in d.split(['M', 'L']).filter(|p| !p.is_empty()) {
                    let mut at = point.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
                    let x: f64 = at.next().unwrap().parse().unwrap();
                    let y: f64 = at.next().unwrap().parse().unwrap();
                    assert!((0.0..=w).contains(&x) && (0.0..=h).contains(&y), "{}: {x},{y} of {w},{h}", plot.id);
                }
            }
        }
    }
}

#[test]
fn a_table_of_data_has_a_row_a_step_and_units_in_its_head() {
    let outcome = fixture::weather();
    let heads = [
        ("latency-time", "t_s,p50_ms,p99_ms,max_ms", 250),
        ("latency-distribution", "of,share,latency_ms", 3 * outcome.latency.curve.len()),
        ("outcomes", "t_s,arrived,succeeded,failed_timeout,failed_unavailable,failed_error", 250),
        ("version-share", "t_s,service,version,attempts,share,configured_weight", 2 * 250),
        ("instance-load", "t_s,service,instance,version,zone,requests", 11 * 250),
        ("in-flight", "t_s,in_flight", 250),
        ("processes", "t_s,measure,process,value", 6),
    ];
    let plots = plot::all(&outcome);
    assert_eq!(plots.len(), heads.len());
    for (file, head, rows) in heads {
        let plot = plots.iter().find(|p| p.file() == file).unwrap_or_else(|| panic!("no plot {file}"));
        let mut lines = plot.csv.text().lines();
        assert_eq!(lines.next(), Some(head), "{file}");
        assert_eq!(lines.count(), rows, "{file}");
    }
    let csv = plots.iter().find(|p| p.file() == "version-share").unwrap().csv.text();
    let row = csv.lines().find(|l| l.starts_with("80,backend,1.1.0")).expect("there is a row for second 80");
    assert!(row.ends_with(",0.25"), "the weight set at 74 s holds at 80 s: {row}");
}

#[test]
fn what_processes_tell_is_on_the_page_and_beside_it_as_data() {
    let (dir, written) = write("sections", &fixture::weather());
    let html = fs::read_to_string(&written[0]).unwrap();
    for needle in
        ["<h2>Registry</h2>", "<td class=\"any\">registry-2</td>", "<td class=\"n\">9,341</td>", "412 µs", "98.0 %"]
    {
        assert!(html.contains(needle), "{needle}");
    }
    let csv = fs::read_to_string(dir.join("data/process-registry-servers.csv")).unwrap();
    let rows = "registry-1,9341,0.000412,0.98,0.5\nregistry-2,7,0.000412,0.98,0.5\n";
    assert_eq!(csv, format!("server,listed,answer_s,kept,log_mb\n{rows}"));
    let (dir, written) = write("sections", &fixture::empty());
    assert!(!fs::read_to_string(&written[0]).unwrap().contains("section-"));
    assert!(!dir.join("data/process-registry-servers.csv").exists(), "of the run before");
}

#[test]
fn equal_outcomes_give_equal_bytes_and_the_wall_clock_stays_out_of_them() {
    let (a, b) = (folder("same-a"), folder("same-b"));
    let first = page::write(&a, &fixture::broken(), &options(310)).unwrap();
    let second = page::write(&b, &fixture::broken(), &options(999)).unwrap();
    assert_eq!(first.len(), second.len());
    for (x, y) in first.iter().zip(&second) {
        let same = fs::read(x).unwrap() == fs::read(y).unwrap();
        assert_eq!(same, !x.ends_with("outcome.json"), "{} and {}", x.display(), y.display());
    }
}

#[test]
fn no_name_can_become_markup() {
    let (dir, written) = write("hostile", &fixture::hostile());
    let html = fs::read_to_string(dir.join("index.html")).unwrap();
    balanced(&html, "hostile page");
    assert!(!html.contains("<script>"), "a name became a script");
    assert!(html.contains("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)"), "the name is shown as it is");
    assert_eq!(html.matches("<script").count(), 1, "the manifest only");
    for path in written.iter().filter(|p| p.extension().is_some_and(|e| e == "svg")) {
        let svg = fs::read_to_string(path).unwrap();
        balanced(&svg, &path.display().to_string());
        assert!(!svg.contains('\u{1b}'), "{}: a control character in XML", path.display());
    }
}

#[test]
fn a_run_in_which_nothing_happened_gives_a_page_of_empty_axes() {
    let (dir, _) = write("empty", &fixture::empty());
    let html = fs::read_to_string(dir.join("index.html")).unwrap();
    balanced(&html, "empty page");
    assert!(!html.contains("NaN"), "a division by nothing");
    assert_eq!(plot::all(&fixture::empty()).len(), 5, "no service, so no versions");
}

#[test]
fn a_timeline_without_counts_is_as_good_as_none() {
    // Vectors shorter than the number of steps are a bug of the world, but a report must not make it worse.
    let mut outcome = fixture::weather();
    outcome.timeline.succeeded.clear();
    outcome.timeline.failed.clear();
    outcome.timeline.p50.truncate(3);
    outcome.services[1].versions[0].attempts_per_step.clear();
    for plot in plot::all(&outcome) {
        balanced(&plot.svg, plot.id);
    }
}

#[test]
fn one_instance_and_two_hundred_both_fit() {
    for (n, name) in [(1, "one"), (48, "many"), (200, "crowd"), (700, "multitude")] {
        let outcome = fixture::with_instances(n);
        let (_, written) = write(name, &outcome);
        let load = plot::all(&outcome).into_iter().find(|p| p.id == "plot-instance-load").unwrap();
        balanced(&load.svg, name);
        assert!(load.svg.len() < 700_000, "{n} instances take {} bytes", load.svg.len());
        assert_eq!(load.svg.contains(">frontend-0</text>"), n <= 48, "{n} instances: names only where there is room");
        assert!(!written.is_empty());
    }
}

#[test]
fn sixty_faults_are_all_drawn_and_named_while_there_is_room() {
    let outcome = fixture::with_faults(60);
    write("sixty-faults", &outcome);
    let plot = plot::all(&outcome).remove(0);
    let named = outcome.faults.iter().filter(|f| plot.svg.contains(&format!(">{}</text>", f.name))).count();
    assert!((5..60).contains(&named), "{named} of 60 names");
    let few = fixture::with_faults(9);
    let plot = plot::all(&few).remove(0);
    assert!(few.faults.iter().all(|f| plot.svg.contains(&format!(">{}</text>", f.name))), "nine names have room");
}

#[test]
fn a_report_over_an_earlier_one_leaves_nothing_of_it() {
    let (dir, _) = write("twice", &fixture::weather());
    assert!(dir.join("data/version-share.csv").exists());
    page::write(&dir, &fixture::empty(), &options(1)).unwrap();
    assert!(!dir.join("data/version-share.csv").exists(), "numbers of the earlier run are still there");
    assert!(!dir.join("plots/version-share.svg").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_and_not_a_panic() {
    let dir = folder("in-the-way");
    fs::create_dir_all(dir.parent().unwrap()).unwrap();
    fs::write(&dir, "a file").unwrap();
    assert!(page::write(&dir, &fixture::weather(), &options(1)).is_err());
    fs::remove_file(&dir).unwrap();
}
