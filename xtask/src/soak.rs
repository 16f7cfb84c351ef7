//! `cargo xtask soak`: the explorations that are too long for the gate, one after the other, and the table of their figures.
//!
//! An exploration is an ignored test of some crate, beside the small version of it that the gate runs; scenarios, generators
//! and statistics live there. This starts it in the profile `sim` (release speed with every check on), gives it a folder
//! in which it keeps what it has so that it can be stopped and gone on with, and takes the last row it prints into
//! `benches/soak.md`.

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

/// An exploration: its name, the test that is it, and what the columns of its row are beyond the name.
struct Exploration {
    name: &'static str,
    package: &'static str,
    program: &'static str,
    test: &'static str,
    columns: &'static str,
}

const FIGURES: &str = "seeds | least | mean | deviation | most | expected";
const VERDICTS: &str = "seeds | passed | failed | expected";

const EXPLORATIONS: &[Exploration] = &[
    library("weather"),
    library("counter"),
    library("steady"),
    exposure("eureka-exposure", "exposure::eureka_exposure"),
    exposure("consul-exposure", "exposure::consul_exposure"),
];

const fn library(name: &'static str) -> Exploration {
    let test = match name.as_bytes()[0] {
        b'w' => "library::weather_passes",
        b'c' => "library::counter_passes",
        _ => "library::steady_passes",
    };
    Exploration { name, package: "scenarios", program: "explorations", test, columns: VERDICTS }
}

const fn exposure(name: &'static str, test: &'static str) -> Exploration {
    Exploration { name, package: "scenarios", program: "explorations", test, columns: FIGURES }
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
    let whole = std::env::var_os("SOAK_SEEDS").is_none();
    for exploration in wanted {
        let row = explore(exploration)?;
        if whole {
            let path = shell::root().join(TABLE);
            let text = fs::read_to_string(&path).map_err(|e| format!("{TABLE} cannot be read: {e}"))?;
            let text = with_row(&text, exploration, &row)?;
            fs::write(&path, text).map_err(|e| format!("{TABLE} cannot be written: {e}"))?;
        } else {
            println!("{TABLE} stays as it is: SOAK_SEEDS is set");
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

/// Runs one to its end and gives its row.
fn explore(exploration: &Exploration) -> Result<String> {
    let Exploration { name, package, program, test, .. } = exploration;
    let folder = shell::root().join("target/soak").join(name);
    fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    let mut command = shell::cargo(&["test", "--profile", "sim", "--package", package, "--test", program, "--"]);
    command.args(["--ignored", "--exact", "--nocapture", test]).env("SOAK_FOLDER", &folder);
    if std::env::var_os("SOAK_JOBS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        command.env("SOAK_JOBS", cores.to_string());
    }
    let mut row = None;
    shell::watch(&mut command, |line| {
        if line.starts_with(&format!("| {name} |")) {
            row = Some(line.to_string());
        }
    })?;
    row.ok_or_else(|| format!("`{test}` printed no row that begins with `| {name} |`"))
}

/// The table's text with this row in the place of the one of that name, or below the heading of its columns.
fn with_row(text: &str, exploration: &Exploration, row: &str) -> Result<String> {
    let start = format!("| {} |", exploration.name);
    let heading = format!("| exploration | {} |", exploration.columns);
    let mut lines: Vec<&str> = text.lines().collect();
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
        let once = with_row(&text, weather, "| weather | 10 |").expect("its table is there");
        assert!(once.contains("| a | 1 |\n| weather | 10 |\n\nEnd."), "{once}");
        let twice = with_row(&once, weather, "| weather | 20 |").expect("its row is there");
        assert_eq!(twice, once.replace("10", "20"));
        assert!(with_row("", weather, "").is_err());
    }

    #[test]
    fn every_exploration_has_its_table_and_its_test() {
        let table = fs::read_to_string(shell::root().join(TABLE)).expect("it is committed");
        for exploration in EXPLORATIONS {
            assert!(with_row(&table, exploration, "").is_ok(), "{}", exploration.name);
            let (module, test) = exploration.test.split_once("::").expect("a module and a test");
            let folder = if exploration.package == "scenarios" { "scenarios" } else { "sim" };
            let path = format!("{folder}/tests/{}/{module}.rs", exploration.program);
            let text = fs::read_to_string(shell::root().join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert!(text.contains(&format!("fn {test}()")), "{path} has no test `{test}`");
        }
    }
}
