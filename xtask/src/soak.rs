//! `cargo xtask soak`: the explorations that are too long for the gate, one after the other, and the table of their
//! figures.
//!
//! An exploration is an ignored test of some crate, beside the small version of it that the gate runs; scenarios,
//! generators and statistics live there. This starts it in the profile `sim` (release speed with every check on), gives
//! it a folder in which it keeps what it has so that it can be stopped and gone on with, and takes the last row it
//! prints into `benches/soak.md`.

use crate::shell::{self, Result};
use std::fs;

pub(crate) const HELP: &str = "\
runs the long explorations and writes their figures into benches/soak.md

  cargo xtask soak                 lists them
  cargo xtask soak NAME…           runs these
  cargo xtask soak all             runs all of them: hours on two cores

An exploration that was stopped goes on where it was: what it has is kept in target/soak/NAME, until that folder is removed
or what is explored changes. SOAK_SEEDS (or what else the exploration counts) and SOAK_JOBS may be set to make it smaller or wider; the
table takes only what is whole.
";

/// An exploration: its name, the test that is it, and what it prints.
struct Exploration {
    name: &'static str,
    package: &'static str,
    program: &'static str,
    test: &'static str,
    prints: Prints,
}

/// What of an exploration's lines goes into the table.
#[derive(Clone, Copy)]
enum Prints {
    /// The last row that begins with its name, below a head of these columns.
    Row(&'static str),
    /// All rows: a table of its own, below its heading.
    Table,
}

const FIGURES: &str = "seeds | least | mean | deviation | most | expected";
const VERDICTS: &str = "seeds | passed | failed | expected";
const ENDS: &str = "scenarios | ended | stood still | failed | mean events | most events | things said | expected";

const EXPLORATIONS: &[Exploration] = &[
    library("weather"),
    library("counter"),
    library("steady"),
    exposure("eureka-exposure", "exposure::eureka_exposure"),
    exposure("consul-exposure", "exposure::consul_exposure"),
    Exploration {
        name: "generated",
        package: "scenarios",
        program: "explorations",
        test: "generated::ten_thousand",
        prints: Prints::Row(ENDS),
    },
    Exploration { name: "coverage", package: "cli", program: "coverage", test: "full", prints: Prints::Table },
];

const fn library(name: &'static str) -> Exploration {
    let test = match name.as_bytes()[0] {
        b'w' => "library::weather_passes",
        b'c' => "library::counter_passes",
        _ => "library::steady_passes",
    };
    Exploration { name, package: "scenarios", program: "explorations", test, prints: Prints::Row(VERDICTS) }
}

const fn exposure(name: &'static str, test: &'static str) -> Exploration {
    Exploration { name, package: "scenarios", program: "explorations", test, prints: Prints::Row(FIGURES) }
}

/// The table, from the root.
const TABLE: &str = "benches/soak.md";

pub(crate) fn run(args: &[String]) -> Result<()> {
    let wanted: Vec<&Exploration> = match args {
        [] => {
            for exploration in EXPLORATIONS {
                println!("  {:<20}{}::{}", exploration.name, exploration.package, exploration.test);
            }
            println!("\n`cargo xtask soak NAME…` runs some of them, `cargo xtask soak all` all.");
            return Ok(());
        }
        [all] if all == "all" => EXPLORATIONS.iter().collect(),
        names => names.iter().map(|name| find(name)).collect::<Result<_>>()?,
    };
    let whole = ["SOAK_SEEDS", "COVERAGE_GROUPS"].iter().all(|name| std::env::var_os(name).is_none());
    for exploration in wanted {
        let rows = explore(exploration)?;
        if whole {
            let path = shell::root().join(TABLE);
            let text = fs::read_to_string(&path).map_err(|e| format!("{TABLE} cannot be read: {e}"))?;
            let text = with_rows(&text, exploration, &rows)?;
            fs::write(&path, text).map_err(|e| format!("{TABLE} cannot be written: {e}"))?;
        } else {
            println!("{TABLE} stays as it is: this was not the whole exploration");
        }
    }
    Ok(())
}

fn find(name: &str) -> Result<&'static Exploration> {
    EXPLORATIONS.iter().find(|exploration| exploration.name == name).ok_or_else(|| {
        let names: Vec<&str> = EXPLORATIONS.iter().map(|exploration| exploration.name).collect();
        format!("there is no exploration `{name}`; there are {}", names.join(", "))
    })
}

/// Runs one to its end and gives its rows.
fn explore(exploration: &Exploration) -> Result<Vec<String>> {
    let Exploration { name, package, program, test, .. } = exploration;
    let folder = shell::root().join("target/soak").join(name);
    fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    let mut command = shell::cargo(&["test", "--profile", "sim", "--package", package, "--test", program, "--"]);
    command.args(["--ignored", "--exact", "--nocapture", test]);
    command.env("SOAK_FOLDER", &folder).env("COVERAGE_DIR", &folder);
    if std::env::var_os("SOAK_JOBS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        command.env("SOAK_JOBS", cores.to_string());
    }
    let mut rows = Vec::new();
    shell::watch(&mut command, |line| match exploration.prints {
        Prints::Row(_) if line.starts_with(&format!("| {name} |")) => rows = vec![line.to_string()],
        Prints::Table if line.starts_with('|') => rows.push(line.to_string()),
        _ => {}
    })?;
    if rows.is_empty() { Err(format!("`{test}` printed no row for {name}")) } else { Ok(rows) }
}

/// The text with these rows in the place of those that are there, or below their head or heading.
fn with_rows(text: &str, exploration: &Exploration, rows: &[String]) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let Prints::Row(columns) = exploration.prints else {
        let heading = format!("<!-- {} -->", exploration.name);
        let at = lines.iter().position(|line| **line == heading);
        let at = at.ok_or_else(|| format!("{TABLE} has no line `{heading}`"))? + 1;
        let old = lines[at..].iter().take_while(|line| line.starts_with('|')).count();
        lines.splice(at..at + old, rows.iter().map(String::as_str));
        return Ok(lines.join("\n") + "\n");
    };
    let row = rows.last().map_or("", String::as_str);
    let start = format!("| {} |", exploration.name);
    let heading = format!("| exploration | {columns} |");
    if let Some(at) = lines.iter().position(|line| line.starts_with(&start)) {
        lines[at] = row;
    } else {
        let head = lines.iter().position(|line| **line == heading);
        let head = head.ok_or_else(|| format!("{TABLE} has no table headed `{heading}`"))?;
        let rows = lines[head..].iter().take_while(|line| line.starts_with('|')).count();
        lines.insert(head + rows, row);
    }
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_place_of_the_one_before() {
        let text = format!("# Soak\n\n| exploration | {VERDICTS} |\n| --- | ---: |\n| a | 1 |\n\nEnd.\n");
        let weather = find("weather").expect("there is one");
        let row = |text: &str, row: &str| with_rows(text, weather, &[row.to_string()]);
        let once = row(&text, "| weather | 10 |").expect("its table is there");
        assert!(once.contains("| a | 1 |\n| weather | 10 |\n\nEnd."), "{once}");
        let twice = row(&once, "| weather | 20 |").expect("its row is there");
        assert_eq!(twice, once.replace("10", "20"));
        assert!(row("", "").is_err());
    }

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let coverage = find("coverage").expect("there is one");
        let rows = |text: &str, rows: &[&str]| {
            with_rows(text, coverage, &rows.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let once = rows("a\n<!-- coverage -->\n\nb\n", &["| x |", "| 1 |"]).expect("its place is there");
        assert_eq!(once, "a\n<!-- coverage -->\n| x |\n| 1 |\n\nb\n");
        assert_eq!(rows(&once, &["| y |"]).expect("and still is"), "a\n<!-- coverage -->\n| y |\n\nb\n");
    }

    #[test]
    fn every_exploration_has_its_table_and_its_test() {
        let table = fs::read_to_string(shell::root().join(TABLE)).expect("it is committed");
        for exploration in EXPLORATIONS {
            assert!(with_rows(&table, exploration, &[String::new()]).is_ok(), "{}", exploration.name);
            let (module, test) = exploration.test.split_once("::").unwrap_or(("main", exploration.test));
            let folder = if exploration.package == "scenarios" { "scenarios" } else { "sim/cli" };
            let path = format!("{folder}/tests/{}/{module}.rs", exploration.program);
            let text = fs::read_to_string(shell::root().join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert!(text.contains(&format!("fn {test}()")), "{path} has no test `{test}`");
        }
    }
}
