//! Many runs at once: every file under every seed, on as many threads as there are jobs.
//!
//! Results are printed and written in the order of files and seeds, as soon as all before them are there, so the number
//! of jobs changes nothing but the time it takes. What is kept of a run is a row; the few that deserve a full report
//! are simply run again, which is what determinism is for. A sweep that is interrupted shows and writes the rows that
//! are there, and names the seeds that are not.

use crate::args::RunArgs;
use crate::console::{Console, Look, count, counted, plain};
use crate::crew::{self, Ended};
use crate::exit::Exit;
use crate::file::{Loaded, quoted};
use crate::job::{self, NoOutcome};
use crate::progress::Progress;
use crate::report::{self, Draft};
use crate::run::{no_outcome, told};
use crate::seeds::Seeds;
use crate::stop::Stop;
use reports::console::SweepRow;
use reports::csv::Sheet;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use world::Options;

/// What is kept of a run.
struct Row {
    file: usize,
    seed: u64,
    exit: Exit,
    /// The row of the table, or why there is none.
    row: Result<SweepRow, NoOutcome>,
    /// What to print about the run by itself; nothing for people who asked for many seeds.
    told: String,
    /// What went wrong when its report was written.
    stop: Option<io::Error>,
}

/// Runs every file under every seed.
pub(crate) fn sweep(files: Vec<Loaded>, seeds: Seeds, args: &RunArgs, console: &mut Console) -> Result<Exit, Stop> {
    let one_by_one = seeds.count() == 1;
    let draft = args.out.as_deref().map(Draft::begin).transpose()?;
    let folder = draft.as_ref().map(|draft| draft.folder().to_path_buf());
    let folder = RwLock::new(folder);
    let plan = Arc::new(Plan { names: report::names(&files), files, seeds, args: args.clone(), folder, one_by_one });
    let ended = Closing(plan.clone());
    let progress = Progress::of(plan.runs() as usize, "");
    let (runner, look) = (plan.clone(), console.look);
    let mut rows = InOrder::default();
    let crew = crew::each(
        args.jobs,
        plan.pairs(),
        move |(file, seed)| runner.run(file, seed, look),
        |index, row| rows.add(index, row, |row, rows| plan.take(row, rows, console, &progress)),
    )?;
    if crew == Ended::Interrupted {
        // What was done before something earlier was: it is shown too, behind the gap.
        rows.close_gaps(|row, rows| plan.take(row, rows, console, &progress))?;
    }
    drop(progress);
    drop(ended);
    let rows = rows.taken;
    if (rows.len() as u64) < plan.runs() {
        return plan.interrupted(&rows, draft, console);
    }
    plan.close(&rows, draft, console)
}

/// Results in the order of their numbers, whatever the order in which they come.
struct InOrder<T> {
    taken: Vec<T>,
    early: BTreeMap<usize, T>,
    next: usize,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder { taken: Vec::new(), early: BTreeMap::new(), next: 0 }
    }
}

impl<T> InOrder<T> {
    /// One more is there: it, and what waited for it alone, is shown by `show`, which also gets to see those before it.
    fn add(
        &mut self,
        index: usize,
        result: T,
        mut show: impl FnMut(&mut T, &[T]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.early.insert(index, result);
        while let Some(mut result) = self.early.remove(&self.next) {
            self.next += 1;
            show(&mut result, &self.taken)?;
            self.taken.push(result);
        }
        Ok(())
    }

    /// Shows what still waits for something that will not come.
    fn close_gaps(&mut self, mut show: impl FnMut(&mut T, &[T]) -> Result<(), Stop>) -> Result<(), Stop> {
        for (_, mut result) in std::mem::take(&mut self.early) {
            show(&mut result, &self.taken)?;
            self.taken.push(result);
        }
        Ok(())
    }
}

/// What is run, and what is kept of it.
struct Plan {
    files: Vec<Loaded>,
    seeds: Seeds,
    /// A folder's name for each file.
    names: Vec<String>,
    args: RunArgs,
    /// Where reports are written before they are published. None once the sweep has ended: runs that were abandoned
    /// must not write into a folder that is being taken away.
    folder: RwLock<Option<PathBuf>>,
    /// One seed, several files: each run is shown and reported in full.
    one_by_one: bool,
}

/// When it is dropped, no run writes a report any more: what is being written is written first.
struct Closing(Arc<Plan>);

impl Drop for Closing {
    fn drop(&mut self) {
        *self.0.folder.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Plan {
    /// How many runs there are.
    fn runs(&self) -> u64 {
        self.files.len() as u64 * self.seeds.count()
    }

    /// Every file under every seed, in order.
    fn pairs(&self) -> impl Iterator<Item = (usize, u64)> + Send + use<> {
        let seeds = self.seeds.clone();
        (0..self.files.len()).flat_map(move |file| seeds.iter().map(move |seed| (file, seed)))
    }

    /// Runs one seed of one file. Called from many threads.
    fn run(&self, index: usize, seed: u64, look: Look) -> Row {
        let file = &self.files[index];
        let finished = job::execute(file, seed, &Options::default(), self.args.twice);
        let mut stop = None;
        if self.one_by_one
            && let (Some(folder), Ok(run)) =
                (&*self.folder.read().unwrap_or_else(PoisonError::into_inner), &finished.result)
        {
            stop = report::write(&folder.join(self.name(index, seed)), file, &run.outcome, finished.wall).err();
        }
        let told = if self.one_by_one || look.json() { told(file, seed, &finished, look) } else { String::new() };
        let exit = finished.exit();
        let row = finished.result.map(|run| {
            let replay = file.replay(seed, run.outcome.failure.as_ref());
            SweepRow::of(&run.outcome, replay)
        });
        Row { file: index, seed, exit, row, told, stop }
    }

    /// Shows a row, in order.
    fn take(&self, row: &mut Row, before: &[Row], console: &mut Console, progress: &Progress) -> Result<(), Stop> {
        if let (Some(error), Some(out)) = (&row.stop, &self.args.out) {
            return Err(Stop::output(&out.display().to_string(), error).help("nothing that was there has changed"));
        }
        let mut told = std::mem::take(&mut row.told);
        if !told.is_empty() {
            if !console.look.json() && !before.is_empty() {
                told.insert(0, '\n');
            }
            progress.aside(|| console.print(&told))?;
        }
        progress.step(row.exit != Exit::Passed);
        Ok(())
    }

    /// When all rows are there: the tables, the files, the verdict.
    fn close(&self, rows: &[Row], draft: Option<Draft>, console: &mut Console) -> Result<Exit, Stop> {
        self.summary(rows, console)?;
        if let (Some(out), Some(draft)) = (&self.args.out, draft) {
            self.put_tables(rows, &draft)?;
            if !self.one_by_one {
                self.reports(rows, &draft)?;
            }
            draft.publish()?;
            if !console.look.json() {
                console.print(&format!("\n    report       {}\n", out.join("sweep.csv").display()))?;
            }
        }
        Ok(rows.iter().map(|row| row.exit).fold(Exit::Passed, Exit::worst))
    }

    /// When somebody stopped it: the same about the rows that are there, and what is left.
    fn interrupted(&self, rows: &[Row], draft: Option<Draft>, console: &mut Console) -> Result<Exit, Stop> {
        self.summary(rows, console)?;
        let mut kept = String::new();
        if let (Some(out), Some(draft)) = (&self.args.out, draft) {
            self.put_tables(rows, &draft)?;
            // A run that is still under way may be writing its report.
            let done: Vec<PathBuf> = rows.iter().map(|row| PathBuf::from(self.name(row.file, row.seed))).collect();
            draft.publish_those(|name| {
                name.components().count() == 1 || done.iter().any(|done| name.starts_with(done))
            })?;
            kept = format!(" and stand in {}", out.join("sweep.csv").display());
        }
        let done = counted(rows.len() as u64, "run");
        let mut stop = Stop::interrupted(format!("{done} of {} are done{kept}", count(self.runs())));
        for command in self.rest(rows, console.look) {
            stop = stop.help(format!("to go on: `{command}`"));
        }
        Err(stop)
    }

    fn put_tables(&self, rows: &[Row], draft: &Draft) -> Result<(), Stop> {
        draft.put("sweep.csv", sheet(&self.files, rows).text())?;
        draft.put("sweep.json", &list(&self.files, rows))
    }

    /// The commands that run what is left: one for all files that lack the same seeds.
    fn rest(&self, rows: &[Row], look: Look) -> Vec<String> {
        let done: BTreeSet<(usize, u64)> = rows.iter().map(|row| (row.file, row.seed)).collect();
        let mut left: Vec<(Seeds, Vec<&Path>)> = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let Some(seeds) = Seeds::of(self.seeds.iter().filter(|seed| !done.contains(&(index, *seed)))) else {
                continue;
            };
            match left.iter_mut().find(|(same, _)| *same == seeds) {
                Some((_, files)) => files.push(&file.given),
                None => left.push((seeds, vec![&file.given])),
            }
        }
        let commands = left.len();
        let command = |(index, (seeds, files)): (usize, (Seeds, Vec<&Path>))| {
            let files: Vec<String> = files.into_iter().map(quoted).collect();
            let mut command = format!("windtunnel run {}", files.join(" "));
            command.push_str(&match self.one_by_one {
                true => format!(" --seed {}", seeds.first()),
                false => format!(" --seeds {seeds}"),
            });
            if let Some(jobs) = self.args.jobs {
                command.push_str(&format!(" --jobs {jobs}"));
            }
            if let Some(out) = &self.args.out {
                // A folder of its own: this one's table is not to be written over by the rest of it.
                let number = if commands > 1 { format!("-{}", index + 1) } else { String::new() };
                let mut name = out.as_os_str().to_os_string();
                name.push(format!("-rest{number}"));
                command.push_str(&format!(" --out {}", quoted(Path::new(&name))));
            }
            if self.args.twice {
                command.push_str(" --twice");
            }
            if look.json() {
                command.push_str(" --format json");
            }
            command
        };
        left.into_iter().enumerate().map(command).collect()
    }

    /// The tables for people.
    fn summary(&self, rows: &[Row], console: &mut Console) -> Result<(), Stop> {
        if console.look.json() || rows.is_empty() {
            return Ok(());
        }
        if !self.one_by_one {
            self.tables(rows, console)?;
        }
        if self.files.len() > 1 {
            console.print(&total(rows, self.one_by_one, console.look))?;
        }
        Ok(())
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
                if let Err(why) = &row.row {
                    text.push('\n');
                    text.push_str(&no_outcome(file, row.seed, why, look));
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

    /// Full reports of each file's first seed that failed and first that passed. They are run again: keeping everything
    /// of every run, in case it turns out to be one of these, would take more memory than time is saved.
    fn reports(&self, rows: &[Row], draft: &Draft) -> Result<(), Stop> {
        for (index, file) in self.files.iter().enumerate() {
            let ran = || rows.iter().filter(|row| row.file == index && row.row.is_ok());
            let failed = ran().find(|row| row.exit != Exit::Passed);
            let passed = ran().find(|row| row.exit == Exit::Passed);
            for row in failed.into_iter().chain(passed) {
                let finished = job::execute(file, row.seed, &Options::default(), false);
                if let Ok(run) = &finished.result {
                    let folder = draft.folder().join(self.name(index, row.seed));
                    report::write(&folder, file, &run.outcome, finished.wall).map_err(|error| draft.failed(&error))?;
                }
            }
        }
        Ok(())
    }

    /// The folder of a run within the report.
    fn name(&self, file: usize, seed: u64) -> String {
        format!("{}-{seed}", self.names[file])
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
        Err(why) => serde_json::json!({"failure": why.message(), "replay": replay}),
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
    fn results_are_shown_in_order_as_soon_as_they_can_be() {
        let mut rows = InOrder::default();
        let mut shown = Vec::new();
        for index in [2, 0, 1, 4, 3, 6] {
            let show = |result: &mut usize, before: &[usize]| {
                shown.push((*result, before.len()));
                Ok(())
            };
            rows.add(index, index * 10, show).expect("nothing stopped it");
        }
        assert_eq!(shown, [(0, 0), (10, 1), (20, 2), (30, 3), (40, 4)]);
        rows.close_gaps(|_, _| Ok(())).expect("nothing stopped it");
        assert_eq!(rows.taken, [0, 10, 20, 30, 40, 60], "what waited for a run that will not come is kept");
    }

    #[test]
    fn the_first_that_stops_ends_it() {
        let mut rows = InOrder::default();
        let stopped = rows.add(0, 0, |_, _| Err(Stop::usage("enough")));
        assert!(stopped.is_err() && rows.taken.is_empty());
    }
}
