//! Many runs at once: every file under every seed, on as many threads as there are jobs.
//!
//! Results are printed and written in the order of files and seeds, as soon as all before them are there, so the number of
//! jobs changes nothing but the time it takes. What is kept of a run is a row; the few that deserve a full report are
//! simply run again, which is what determinism is for.

use crate::args::RunArgs;
use crate::console::{Console, Look, counted, plain};
use crate::exit::Exit;
use crate::file::Loaded;
use crate::job::{self, Panic};
use crate::progress::Progress;
use crate::report;
use crate::run::{crash, told};
use crate::seeds::Seeds;
use crate::stop::Stop;
use rayon::prelude::*;
use reports::console::SweepRow;
use reports::csv::Sheet;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use world::Options;

/// What is kept of a run.
struct Row {
    file: usize,
    seed: u64,
    exit: Exit,
    /// The row of the table; none when the run crashed.
    row: Result<SweepRow, Panic>,
    /// What to print about the run by itself; nothing for people who asked for many seeds.
    told: String,
    /// What went wrong when its report was written.
    stop: Option<Stop>,
}

/// Runs every file under every seed.
pub(crate) fn sweep(files: &[Loaded], seeds: Seeds, args: &RunArgs, console: &mut Console) -> Result<Exit, Stop> {
    let plan = Plan { files, names: report::names(files), args, one_by_one: seeds.count() == 1 };
    let threads = args.jobs.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Stop::usage(format!("--jobs {threads}: {error}")))?;
    let runs = files.len() as u64 * seeds.count();
    let progress = Progress::of(runs as usize, "");
    let mut rows = Vec::new();
    thread::scope(|scope| {
        let (done, results) = mpsc::channel();
        let (plan, look) = (&plan, console.look);
        let work = (0..files.len()).flat_map(move |file| seeds.iter().map(move |seed| (file, seed)));
        scope.spawn(move || {
            pool.install(|| {
                // One at a time from the front, so that results come about in order and few have to wait.
                // When nobody listens any more, the command has stopped, and the rest is not worth running.
                let _ = work.enumerate().par_bridge().try_for_each_with(done, |done, (index, (file, seed))| {
                    done.send((index, plan.run(file, seed, look))).map_err(drop)
                });
            });
        });
        in_order(results, |row: Row| plan.take(row, &mut rows, console, &progress))
    })?;
    drop(progress);
    plan.close(&rows, console)
}

/// Hands results on in the order of their numbers, whatever the order in which they come.
fn in_order<T>(results: mpsc::Receiver<(usize, T)>, mut take: impl FnMut(T) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (index, result) in results {
        early.insert(index, result);
        while let Some(result) = early.remove(&next) {
            next += 1;
            take(result)?;
        }
    }
    Ok(())
}

/// What is run, and what is kept of it.
struct Plan<'a> {
    files: &'a [Loaded],
    /// A folder's name for each file.
    names: Vec<String>,
    args: &'a RunArgs,
    /// One seed, several files: each run is shown and reported in full.
    one_by_one: bool,
}

impl Plan<'_> {
    /// Runs one seed of one file. Called from many threads.
    fn run(&self, index: usize, seed: u64, look: Look) -> Row {
        let file = &self.files[index];
        let finished = job::execute(file, seed, &Options::default(), self.args.twice);
        let mut stop = None;
        if self.one_by_one
            && let (Some(out), Ok(run)) = (&self.args.out, &finished.result)
        {
            stop = report::write(&self.folder(out, index, seed), file, &run.outcome, finished.wall).err();
        }
        let told = if self.one_by_one || look.json() { told(file, seed, &finished, look) } else { String::new() };
        let exit = finished.exit();
        let row = finished.result.map(|run| {
            let replay = file.replay(seed, run.outcome.failure.as_ref());
            SweepRow::of(&run.outcome, replay)
        });
        Row { file: index, seed, exit, row, told, stop }
    }

    /// Shows a row, in order, and keeps it.
    fn take(&self, mut row: Row, rows: &mut Vec<Row>, console: &mut Console, progress: &Progress) -> Result<(), Stop> {
        if let Some(stop) = row.stop.take() {
            return Err(stop);
        }
        let mut told = std::mem::take(&mut row.told);
        if !told.is_empty() {
            if !console.look.json() && !rows.is_empty() {
                told.insert(0, '\n');
            }
            progress.aside(|| console.print(&told))?;
        }
        rows.push(row);
        progress.step(rows.iter().filter(|row| row.exit != Exit::Passed).count());
        Ok(())
    }

    /// When all rows are there: the tables, the files, the verdict.
    fn close(&self, rows: &[Row], console: &mut Console) -> Result<Exit, Stop> {
        if !console.look.json() {
            if !self.one_by_one {
                self.tables(rows, console)?;
            }
            if self.files.len() > 1 {
                console.print(&total(rows, self.one_by_one, console.look))?;
            }
        }
        if let Some(out) = &self.args.out {
            report::put(&out.join("sweep.csv"), sheet(self.files, rows).text())?;
            report::put(&out.join("sweep.json"), &list(self.files, rows))?;
            if !self.one_by_one {
                self.reports(rows, out)?;
            }
            if !console.look.json() {
                console.print(&format!("\n    report       {}\n", out.join("sweep.csv").display()))?;
            }
        }
        Ok(rows.iter().map(|row| row.exit).fold(Exit::Passed, Exit::worst))
    }

    /// Each file's seeds as a table, and below it what the table has no word for.
    fn tables(&self, rows: &[Row], console: &mut Console) -> Result<(), Stop> {
        let look = console.look;
        for (index, file) in self.files.iter().enumerate() {
            let mut text = String::from(if index == 0 { "" } else { "\n" });
            let of_file = || rows.iter().filter(|row| row.file == index);
            let table: Vec<SweepRow> = of_file().filter_map(|row| row.row.clone().ok()).collect();
            if !table.is_empty() {
                text.push_str(&reports::console::sweep(&table, look.colour));
            }
            for row in of_file() {
                if let Err(panic) = &row.row {
                    text.push('\n');
                    text.push_str(&crash(file, row.seed, panic, look));
                }
                if row.exit == Exit::Divergence {
                    let word = look.paint("1;31", "✗ DIVERGED");
                    let replay = look.strong(&format!("{} --twice", file.again(row.seed)));
                    text.push_str(&format!("\n  {word}   seed {} gave two fingerprints\n    {replay}\n", row.seed));
                }
            }
            console.print(&text)?;
        }
        Ok(())
    }

    /// Full reports of each file's first seed that failed and first that passed. They are run again: keeping everything of
    /// every run, in case it turns out to be one of these, would take more memory than time is saved.
    fn reports(&self, rows: &[Row], out: &Path) -> Result<(), Stop> {
        for (index, file) in self.files.iter().enumerate() {
            let ran = || rows.iter().filter(|row| row.file == index && row.row.is_ok());
            let failed = ran().find(|row| row.exit != Exit::Passed);
            let passed = ran().find(|row| row.exit == Exit::Passed);
            for row in failed.into_iter().chain(passed) {
                let finished = job::execute(file, row.seed, &Options::default(), false);
                if let Ok(run) = &finished.result {
                    report::write(&self.folder(out, index, row.seed), file, &run.outcome, finished.wall)?;
                }
            }
        }
        Ok(())
    }

    fn folder(&self, out: &Path, file: usize, seed: u64) -> std::path::PathBuf {
        out.join(format!("{}-{seed}", self.names[file]))
    }
}

/// How all files together went; with the runs that failed, unless their tables have listed them already.
fn total(rows: &[Row], listing: bool, look: Look) -> String {
    let failed = rows.iter().filter(|row| row.exit != Exit::Passed).count();
    let runs = counted(rows.len() as u64, "run");
    let words = match failed {
        0 => look.paint("1;32", &format!("✓ PASSED   all of {runs}")),
        n => look.paint("1;31", &format!("✗ FAILED   {n} of {runs}")),
    };
    let mut text = format!("\n  {words}\n");
    if !listing {
        return text;
    }
    for row in rows.iter().filter(|row| row.exit != Exit::Passed).take(LISTED) {
        let (name, replay) = match &row.row {
            Ok(row) => (plain(&row.scenario), row.replay.as_str()),
            Err(_) => (String::new(), ""),
        };
        text.push_str(format!("    {:<10}  {name}   {}", row.exit.name(), look.strong(replay)).trim_end());
        text.push('\n');
    }
    if failed > LISTED {
        text.push_str(&format!("    and {} more\n", failed - LISTED));
    }
    text
}

/// Failing runs that are listed by name.
const LISTED: usize = 20;

/// A row for each run, for spreadsheets.
fn sheet(files: &[Loaded], rows: &[Row]) -> Sheet {
    let mut sheet = Sheet::new([
        "scenario",
        "seed",
        "verdict",
        "failure",
        "fingerprint",
        "events",
        "requests",
        "success_percent",
        "p50_ms",
        "p99_ms",
        "max_ms",
        "replay",
    ]);
    for row in rows {
        let object = object(files, row);
        // The order of a JSON object is not that of the columns, so each is asked for by name.
        let columns =
            ["scenario", "seed", "verdict", "failure", "fingerprint", "events", "requests", "success_percent"];
        let columns = columns.into_iter().chain(["p50_ms", "p99_ms", "max_ms", "replay"]);
        sheet.row(columns.map(|name| match &object[name] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            number => number.to_string(),
        }));
    }
    sheet
}

/// The same as a JSON array, one run a line.
fn list(files: &[Loaded], rows: &[Row]) -> String {
    let lines: Vec<String> = rows.iter().map(|row| object(files, row).to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn object(files: &[Loaded], row: &Row) -> serde_json::Value {
    let file = &files[row.file];
    let replay = file.replay(row.seed, None);
    let mut object = serde_json::json!({
        "scenario": file.scenario.name,
        "seed": row.seed.to_string(),
        "verdict": row.exit.name(),
    });
    let rest = match &row.row {
        Err(panic) => serde_json::json!({"failure": panic.message, "replay": replay}),
        Ok(row) => serde_json::json!({
            "failure": row.failure,
            "fingerprint": row.fingerprint,
            "events": row.events,
            "requests": row.sent,
            "success_percent": row.success_percent.map(round),
            "p50_ms": row.p50_ms.map(round),
            "p99_ms": row.p99_ms.map(round),
            "max_ms": row.max_ms.map(round),
            "replay": row.replay,
        }),
    };
    for (key, value) in rest.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    object
}

/// To six decimals: enough for a nanosecond of a millisecond, and without the noise of a percentage.
fn round(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_handed_on_in_order_as_soon_as_they_can_be() {
        let (send, results) = mpsc::channel();
        for index in [2, 0, 1, 4, 3] {
            send.send((index, index * 10)).expect("the receiver is there");
        }
        drop(send);
        let mut taken = Vec::new();
        in_order(results, |result| {
            taken.push(result);
            Ok(())
        })
        .expect("nothing stopped it");
        assert_eq!(taken, [0, 10, 20, 30, 40]);
    }

    #[test]
    fn the_first_that_stops_ends_it() {
        let (send, results) = mpsc::channel();
        (0..3).for_each(|index| send.send((index, index)).expect("the receiver is there"));
        drop(send);
        let mut taken = 0;
        let stopped = in_order(results, |_| {
            taken += 1;
            Err(Stop::usage("enough"))
        });
        assert!(stopped.is_err() && taken == 1);
    }
}
