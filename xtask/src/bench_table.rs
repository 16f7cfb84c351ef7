//! `cargo xtask bench-table`: the figures of one criterion run as ratios, beside what they must reach.
//!
//! A machine that is busy or slow moves a figure and its yardstick together, so the ratio of the two stays. The
//! yardstick is `heap_loop`, the same model written by hand (`benches/`); a kernel's figure at many pending events is
//! measured against its own at few, and so is a registry's at many instances. Crates that do what one of ours does are
//! the business of [`peer_table`].

use crate::criterion::{self, Measurement};
use crate::peer_table;
use crate::shell::{self, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

pub(crate) const HELP: &str = "\
runs the benches and prints their figures as ratios, beside what they must reach

Runs `cargo bench --package benches` and prints tables in Markdown from what criterion left in target/criterion. In the
first, a ratio is taken to `heap_loop` of the same group and size; in the groups `kernel` and `registry`, to the smallest size.
In those of the peers it is a peer's least time to ours.

  cargo xtask bench-table               measures everything, then prints
  cargo xtask bench-table FILTER        measures the benches whose names contain FILTER
  cargo xtask bench-table --rounds 3    measures the peers three times, and keeps the least of each
  cargo xtask bench-table --no-run      prints what earlier runs left, measures nothing
  cargo xtask bench-table --write       also puts each table of which something was measured between its markers
                                        in benches/README.md
";

const README: &str = "benches/README.md";
/// The hand-written loop that others are measured against.
const YARDSTICK: &str = "heap_loop";

/// What a row must reach: ratios to its yardstick.
struct Goal {
    group: &'static str,
    function: &'static str,
    size: Option<u64>,
    target: f64,
    aim: f64,
}

/// The goals of the design, by group, function and size; a goal without a size holds at every size.
const GOALS: [Goal; 5] = [
    Goal { group: "kernel", function: "", size: Some(1_000_000), target: 0.5, aim: 0.8 },
    Goal { group: "study", function: "world", size: Some(1_000), target: 1.0, aim: 1.5 },
    Goal { group: "study", function: "world", size: Some(10_000), target: 1.0, aim: 1.5 },
    Goal { group: "full_stack", function: "world", size: None, target: 0.3, aim: 0.5 },
    Goal { group: "registry", function: "", size: Some(100_000), target: 0.3, aim: 0.6 },
];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut measure, mut write, mut filter, mut rounds) = (true, false, None, 1);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--no-run" => measure = false,
            "--write" => write = true,
            "--rounds" => {
                let number = words.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                rounds = number.ok_or("`--rounds` wants a number above zero")?;
            }
            option if option.starts_with('-') => {
                return Err(format!("`{option}` is not understood: see `cargo xtask help bench-table`"));
            }
            name if filter.is_none() => filter = Some(name),
            name => return Err(format!("`{name}` is a second filter: one is enough")),
        }
    }
    if filter.is_some() && (write || !measure) {
        return Err("a filter measures only a part: it goes with neither --write nor --no-run".into());
    }
    let folder = shell::root().join("target/criterion");
    let mut measurements = Vec::new();
    if measure {
        let since = SystemTime::now();
        for round in 0..rounds {
            // The peers alone have a use for more rounds.
            let only: &[&str] = if round == 0 { &[] } else { &["--bench", "peers"] };
            let mut command = shell::cargo(&["bench", "--package", "benches"]);
            // A home given from outside would hide the figures from the reader below.
            command.env("CRITERION_HOME", &folder).args(only);
            command.args(filter.map(|name| ["--", name]).into_iter().flatten());
            shell::run(&mut command)?;
            measurements = peer_table::least(criterion::read(&folder, since), &measurements);
        }
    } else {
        measurements = criterion::read(&folder, SystemTime::UNIX_EPOCH);
    }
    if measurements.is_empty() {
        return Err(match measure {
            true => {
                "the crate `benches` measured nothing: it has no criterion bench, or the filter matched none".into()
            }
            false => format!("{} holds no figures: run `cargo xtask bench-table`", folder.display()),
        });
    }
    let (peers, measurements): (Vec<_>, Vec<_>) = measurements.into_iter().partition(peer_table::is_of_peers);
    let heading = heading()?;
    let mut texts = Vec::new();
    if !measurements.is_empty() {
        let how = "medians, ± half of the 95 % confidence interval";
        texts.push(("bench-table", format!("{heading}; {how}.\n\n{}", table(&measurements))));
    }
    if !peers.is_empty() {
        texts.push(("peer-table", format!("{heading}; the least of all samples.\n\n{}", peer_table::tables(&peers))));
    }
    for (name, text) in &texts {
        println!("\n{text}");
        if write {
            put(&shell::root().join(README), name, text)?;
            println!("written to {README}, {name}");
        }
    }
    for missing in missing(&measurements).filter(|_| filter.is_none()) {
        println!("not measured: {missing}");
    }
    Ok(())
}

/// Where and when: a figure without its machine says nothing.
fn heading() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = |line: &str| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_string());
    let processor = info.lines().find_map(model).unwrap_or_else(|| "an unnamed processor".into());
    let date = shell::output(shell::program("date").args(["-u", "+%Y-%m-%d"]))?;
    Ok(format!("Measured on {processor}, {}", date.trim()))
}

/// The measurements as a table in Markdown.
fn table(measurements: &[Measurement]) -> String {
    let mut text = String::from(
        "| bench | size | elements/s | | ratio | to | target | aim | |\n| --- | ---: | ---: | --- | ---: | --- | ---: | ---: | --- |\n",
    );
    for m in measurements {
        let size = m.size.map(grouped).unwrap_or_default();
        let (low, high) = m.rate_between;
        let spread = format!("± {:.1} %", (high - low) / 2.0 / m.rate * 100.0);
        let name = if m.function.is_empty() { m.group.clone() } else { format!("{} / {}", m.group, m.function) };
        let yardstick = yardstick(measurements, m);
        let (ratio, to) = match yardstick {
            Some(y) if y == m => (String::new(), "is the yardstick".into()),
            Some(y) => {
                let own = own_yardstick(&m.group).map(|unit| format!("{} {unit}", grouped(y.size.unwrap_or(0))));
                (format!("{:.2}", m.rate / y.rate), own.unwrap_or_else(|| format!("`{YARDSTICK}`")))
            }
            None => Default::default(),
        };
        let (target, aim, verdict) = match (goal(m), yardstick) {
            (Some(g), Some(y)) => (format!("{:.1}", g.target), format!("{:.1}", g.aim), verdict(m.rate / y.rate, g)),
            (Some(g), None) => (format!("{:.1}", g.target), format!("{:.1}", g.aim), "no yardstick".into()),
            (None, _) => Default::default(),
        };
        let cells = [name, size, grouped(m.rate.round() as u64), spread, ratio, to, target, aim, verdict];
        writeln!(text, "| {} |", cells.join(" | ")).expect("writing to a string cannot fail");
    }
    text
}

/// Of what a group has the fewest where it is its own yardstick.
fn own_yardstick(group: &str) -> Option<&'static str> {
    match group {
        "kernel" => Some("pending"),
        "registry" => Some("instances"),
        _ => None,
    }
}

/// What `m` is measured against: the loop of its group and size, or its own group at the smallest size.
fn yardstick<'a>(all: &'a [Measurement], m: &Measurement) -> Option<&'a Measurement> {
    let of_group = || all.iter().filter(|other| other.group == m.group);
    if own_yardstick(&m.group).is_some() {
        return of_group().filter(|other| other.function == m.function && other.size.is_some()).min_by_key(|o| o.size);
    }
    of_group().find(|other| other.function == YARDSTICK && other.size == m.size)
}

fn goal(m: &Measurement) -> Option<&'static Goal> {
    // The kernel's benches are all of its own; elsewhere only the world itself has a goal.
    let fits = |g: &&Goal| {
        g.group == m.group
            && (g.function.is_empty() || g.function == m.function)
            && (g.size.is_none() || g.size == m.size)
    };
    GOALS.iter().find(fits)
}

fn verdict(ratio: f64, goal: &Goal) -> String {
    match ratio {
        r if r >= goal.aim => "aim met".into(),
        r if r >= goal.target => "target met".into(),
        r => format!("**missed by {:.0} %**", (1.0 - r / goal.target) * 100.0),
    }
}

/// Goals for which nothing was measured, as sentences.
fn missing(measurements: &[Measurement]) -> impl Iterator<Item = String> + '_ {
    let is_missing = |g: &&Goal| !measurements.iter().any(|m| goal(m).is_some_and(|other| std::ptr::eq(other, *g)));
    GOALS.iter().filter(is_missing).map(|g| {
        let size = g.size.map(|size| format!(" at {}", grouped(size))).unwrap_or_default();
        format!("group `{}`, function `{}`{size}", g.group, if g.function.is_empty() { "any" } else { g.function })
    })
}

/// Digits in threes.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Replaces what stands between the markers `name` of the file at `path`.
fn put(path: &Path, name: &str, table: &str) -> Result<()> {
    let [begin, end] = ["begin", "end"].map(|which| format!("<!-- {name}: {which} -->"));
    let complain = |e: std::io::Error| format!("{}: {e}", path.display());
    let text = fs::read_to_string(path).map_err(complain)?;
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or_else(|| {
        format!("{} lacks the lines `{begin}` and `{end}`: put them where the table goes", path.display())
    })?;
    fs::write(path, format!("{before}{begin}\n{}\n{end}{after}", table.trim_end())).map_err(complain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    /// A folder of its own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-bench-table-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        /// Leaves what criterion leaves for a bench that takes `ns` for 1,000 elements.
        fn bench(&self, group: &str, function: Option<&str>, value: Option<&str>, ns: f64) {
            let names = [Some(group), function, value];
            let folder = names.into_iter().flatten().fold(self.0.clone(), |path, name| path.join(name)).join("new");
            fs::create_dir_all(&folder).unwrap();
            let benchmark = json!({
                "group_id": group, "function_id": function, "value_str": value, "throughput": {"Elements": 1_000},
            });
            let interval = json!({"lower_bound": ns * 0.99, "upper_bound": ns * 1.01});
            let estimates = json!({"median": {"point_estimate": ns, "confidence_interval": interval}});
            fs::write(folder.join("benchmark.json"), benchmark.to_string()).unwrap();
            fs::write(folder.join("estimates.json"), estimates.to_string()).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_table_says_what_was_met_and_by_how_much_it_was_missed() {
        let folder = Folder::new("table");
        folder.bench("kernel", None, Some("1000"), 10_000.0);
        folder.bench("kernel", None, Some("1000000"), 16_000.0);
        folder.bench("study", Some("heap_loop"), Some("1000"), 100_000.0);
        folder.bench("study", Some("world"), Some("1000"), 50_000.0);
        folder.bench("study", Some("heap_loop"), Some("10000"), 100_000.0);
        folder.bench("study", Some("world"), Some("10000"), 125_000.0);
        folder.bench("full_stack", Some("world"), None, 250_000.0);
        folder.bench("registry", Some("watched"), Some("1000"), 20_000.0);
        folder.bench("registry", Some("watched"), Some("100000"), 40_000.0);
        folder.bench("pick", Some("two_choices"), None, 20_000.0);
        // What an interrupted run leaves, and criterion's own report.
        fs::create_dir_all(folder.0.join("study/half/new")).unwrap();
        fs::create_dir_all(folder.0.join("report")).unwrap();

        let measurements = criterion::read(&folder.0, SystemTime::UNIX_EPOCH);
        let lines: Vec<String> = table(&measurements).lines().skip(2).map(String::from).collect();
        assert_eq!(
            lines,
            [
                "| full_stack / world |  | 4,000,000 | ± 1.0 % |  |  | 0.3 | 0.5 | no yardstick |",
                "| kernel | 1,000 | 100,000,000 | ± 1.0 % |  | is the yardstick |  |  |  |",
                "| kernel | 1,000,000 | 62,500,000 | ± 1.0 % | 0.62 | 1,000 pending | 0.5 | 0.8 | target met |",
                "| pick / two_choices |  | 50,000,000 | ± 1.0 % |  |  |  |  |  |",
                "| registry / watched | 1,000 | 50,000,000 | ± 1.0 % |  | is the yardstick |  |  |  |",
                "| registry / watched | 100,000 | 25,000,000 | ± 1.0 % | 0.50 | 1,000 instances | 0.3 | 0.6 | target met |",
                "| study / heap_loop | 1,000 | 10,000,000 | ± 1.0 % |  | is the yardstick |  |  |  |",
                "| study / world | 1,000 | 20,000,000 | ± 1.0 % | 2.00 | `heap_loop` | 1.0 | 1.5 | aim met |",
                "| study / heap_loop | 10,000 | 10,000,000 | ± 1.0 % |  | is the yardstick |  |  |  |",
                "| study / world | 10,000 | 8,000,000 | ± 1.0 % | 0.80 | `heap_loop` | 1.0 | 1.5 | **missed by 20 %** |",
            ]
        );
        assert_eq!(missing(&measurements).count(), 0);
        let without_world: Vec<_> = measurements.into_iter().filter(|m| m.group != "full_stack").collect();
        assert_eq!(missing(&without_world).collect::<Vec<_>>(), ["group `full_stack`, function `world`"]);
    }

    #[test]
    fn figures_from_before_the_run_do_not_count() {
        let folder = Folder::new("stale");
        folder.bench("study", Some("world"), Some("1000"), 50_000.0);
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(criterion::read(&folder.0, later), []);
        assert_eq!(criterion::read(&folder.0.join("nowhere"), SystemTime::UNIX_EPOCH), []);
    }

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let folder = Folder::new("markers");
        let readme = folder.0.join("README.md");
        let with =
            |text: &str| format!("before\n<!-- b: begin -->\n<!-- a: begin -->\n{text}\n<!-- a: end -->\nafter\n");
        fs::write(&readme, with("old")).unwrap();
        put(&readme, "a", "new\n").unwrap();
        let once = fs::read_to_string(&readme).unwrap();
        assert_eq!(once, with("new"));
        put(&readme, "a", "new\n").unwrap();
        assert_eq!(fs::read_to_string(&readme).unwrap(), once, "the second time changes nothing");
        assert!(put(&readme, "b", "new").unwrap_err().contains("lacks the lines"), "a marker alone is not enough");
    }

    #[test]
    fn verdicts_turn_exactly_at_target_and_aim() {
        let goal = &GOALS[1];
        assert_eq!(verdict(1.5, goal), "aim met");
        assert_eq!(verdict(1.499, goal), "target met");
        assert_eq!(verdict(1.0, goal), "target met");
        assert_eq!(verdict(0.97, goal), "**missed by 3 %**");
    }
}
