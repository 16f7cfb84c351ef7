//! `windtunnel compare`: a study from its file to its report.
//!
//! ```text
//!   study file ─▶ study ─▶ plan ─▶ items: a cell under a seed ─┬─▶ run ─▶ sample ─▶ DIR/samples ─┐
//!                                                              └─▶ kept from before, or merged ──┴─▶ results ─▶ report
//! ```
//!
//! What always holds: an item's sample depends on what its cell lowers to, its seed and the version of the program, and these are
//! its identity. So a study that was killed goes on where it stopped, one that was changed runs again what the change
//! concerns, shards merge, and in the end equal studies leave equal bytes, whoever ran them and in which order.

mod hashing;
mod items;
mod load;
mod picks;
mod plan;
mod store;

pub(crate) use load::check;

use crate::args::{CompareArgs, Shard};
use crate::console::{Console, counted, plain};
use crate::exit::Exit;
use crate::file::quoted;
use crate::job::Panic;
use crate::progress::Progress;
use crate::report;
use crate::stop::Stop;
use items::Item;
use load::Loaded;
use rayon::prelude::*;
use reports::study::{Plan, Results, Sample};
use scenarios::study::Content;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use store::{Kept, Store};

/// Runs a study, a shard of it, or merges shards.
pub(crate) fn compare(args: &CompareArgs, console: &mut Console) -> Result<Exit, Stop> {
    if args.shard.is_some() && args.out.is_none() {
        return Err(Stop::usage("--shard leaves samples to be merged, and has nowhere to leave them").help("--out DIR"));
    }
    let loaded = load::load(&args.study, console)?;
    let plan = plan::plan(&loaded, args.seeds);
    let items = items::all(&loaded.study, &plan);
    for dir in &args.merge {
        if !Store::of(dir).is_there() {
            return Err(Stop::usage(format!("--merge {}: holds no samples", dir.display()))
                .help("each is a folder that --out named, with samples/ in it"));
        }
    }
    if let Some(out) = args.out.as_ref().filter(|_| args.merge.is_empty()) {
        report::prepare(out)?;
    }
    let mut study = Comparison {
        loaded: &loaded,
        args,
        results: Results { plan, samples: BTreeMap::new(), picks: Vec::new() },
        crashed: Vec::new(),
    };
    if !args.merge.is_empty() {
        study.merge(&items)?;
    } else {
        study.run(&items)?;
    }
    if args.time_picks {
        study.results.picks = picks::times(&loaded.study);
    }
    match args.shard {
        Some(shard) => study.close_shard(shard, &items, console),
        None => study.close(console),
    }
}

/// A study under way.
struct Comparison<'a> {
    loaded: &'a Loaded,
    args: &'a CompareArgs,
    results: Results,
    crashed: Vec<(usize, usize, Panic)>,
}

impl Comparison<'_> {
    fn plan(&self) -> &Plan {
        &self.results.plan
    }

    /// The items that this process is to see to.
    fn share<'i>(&self, items: &'i [Item]) -> Vec<&'i Item> {
        let is_own = |index: &usize| self.args.shard.is_none_or(|shard| index % shard.of == shard.number - 1);
        items.iter().enumerate().filter(|(index, _)| is_own(index)).map(|(_, item)| item).collect()
    }

    /// Runs what is not there yet.
    fn run(&mut self, items: &[Item]) -> Result<(), Stop> {
        let store = self.args.out.as_deref().map(Store::of);
        if let Some(store) = &store {
            store.prepare()?;
        }
        let mut left = Vec::new();
        for item in self.share(items) {
            match store.as_ref().map_or(Kept::Nothing, |store| store.read(item)) {
                Kept::Fits(sample) => {
                    self.results.samples.insert(item.place(), *sample);
                }
                // What is there belongs to a study that was another then; it is written over.
                Kept::Stale(_) | Kept::Nothing => left.push(item),
            }
        }
        let threads = self.args.jobs.unwrap_or(0);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| Stop::usage(format!("--jobs {threads}: {error}")))?;
        let progress = Progress::of(left.len(), &plain(&self.plan().name));
        let loaded = self.loaded;
        thread::scope(|scope| {
            let (done, results) = mpsc::channel();
            let store = store.as_ref();
            scope.spawn(move || {
                pool.install(|| {
                    // When nobody listens any more, the command has stopped, and the rest is not worth running.
                    let _ = left.into_iter().par_bridge().try_for_each_with(done, |done, item| {
                        let result = item.run(&loaded.study);
                        let kept = match (&result, store) {
                            (Ok(sample), Some(store)) => store.write(item, sample),
                            _ => Ok(()),
                        };
                        done.send((item, kept.map(|()| result))).map_err(drop)
                    });
                });
            });
            for (item, result) in results {
                match result? {
                    Ok(sample) => {
                        self.results.samples.insert(item.place(), sample);
                    }
                    Err(panic) => self.crashed.push((item.cell, item.seed_index, panic)),
                }
                progress.step(self.crashed.len());
            }
            Ok(())
        })
    }

    /// Takes every sample from the folders of shards.
    fn merge(&mut self, items: &[Item]) -> Result<(), Stop> {
        let stores: Vec<Store> = self.args.merge.iter().map(|dir| Store::of(dir)).collect();
        for store in &stores {
            store.is_of(self.plan())?;
        }
        let (mut missing, mut stale) = (Vec::new(), Vec::new());
        for item in items {
            let mut kept = stores.iter().map(|store| store.read(item));
            let mut other = None;
            let found = kept.find_map(|kept| match kept {
                Kept::Fits(sample) => Some(*sample),
                Kept::Stale(why) => {
                    other = Some(why);
                    None
                }
                Kept::Nothing => None,
            });
            match (found, other) {
                (Some(sample), _) => {
                    self.results.samples.insert(item.place(), sample);
                }
                (None, Some(why)) => stale.push(why),
                (None, None) => missing.push(item.file_name()),
            }
        }
        if !stale.is_empty() {
            let text = format!("{} of another state of this study", are(stale.len(), "sample"));
            return Err(listed(Stop::usage(text), &stale)
                .help("all shards are run with the same study file, seeds and version of the program"));
        }
        if !missing.is_empty() {
            let text = format!("{} missing of {}", are(missing.len(), "sample"), items.len());
            return Err(
                listed(Stop::usage(text), &missing).help("run the shards that have them, or name their folders too")
            );
        }
        // Only now: shards that do not fit together leave nothing behind.
        if let Some(out) = &self.args.out {
            report::prepare(out)?;
            let store = Store::of(out);
            store.prepare()?;
            for item in items {
                store.write(item, &self.results.samples[&item.place()])?;
            }
        }
        Ok(())
    }

    /// Says what a shard has left behind.
    fn close_shard(self, shard: Shard, items: &[Item], console: &mut Console) -> Result<Exit, Stop> {
        let own = self.share(items).len();
        let out = self.args.out.as_deref().unwrap_or(Path::new("."));
        let samples = out.join("samples");
        let exit = self.exit();
        if console.look.json() {
            let object = serde_json::json!({
                "study": self.plan().name, "shard": shard.number, "of": shard.of, "samples": own, "runs": items.len(),
                "folder": samples.display().to_string(), "verdict": exit.name(), "failures": self.failures(),
            });
            console.print(&format!("{object}\n"))?;
            return Ok(exit);
        }
        let runs = counted(items.len() as u64, "run");
        let mut text = format!(
            "  {}   shard {} of {}: {} of {runs}\n\n    samples      {}\n",
            console.look.strong(&plain(&self.plan().name)),
            shard.number,
            shard.of,
            own,
            samples.display()
        );
        text.push_str(&format!(
            "    merge        windtunnel compare {} --merge DIR… --out REPORT\n",
            quoted(&self.args.study)
        ));
        text.push_str(&self.told_failures(console));
        console.print(&text)?;
        Ok(exit)
    }

    /// Writes and prints what came out.
    fn close(self, console: &mut Console) -> Result<Exit, Stop> {
        let exit = self.exit();
        let mut page = None;
        if let Some(out) = &self.args.out {
            self.write_cells(out)?;
            let failed = |error| Stop::output(&out.display().to_string(), &error);
            page = reports::study::write(&self.results, out).map_err(failed)?.into_iter().next();
        }
        if console.look.json() {
            let mut object = reports::study::json(&self.results);
            object["verdict"] = exit.name().into();
            object["exit_code"] = exit.code().into();
            object["failures"] = self.failures();
            console.print(&format!("{object}\n"))?;
            return Ok(exit);
        }
        let mut text = reports::study::console(&self.results, console.look.colour, console.look.width);
        text.push_str(&self.told_failures(console));
        if let Some(page) = page {
            text.push_str(&format!("\n    report       {}\n", page.display()));
        }
        console.print(&text)?;
        Ok(exit)
    }

    /// The scenario of every cell, so that each can be run, replayed and changed by itself.
    fn write_cells(&self, out: &Path) -> Result<(), Stop> {
        let folder = out.join("cells");
        report::prepare(&folder)?;
        for cell in &self.loaded.study.cells {
            if let Content::World { scenario, .. } = &cell.content {
                report::put(&folder.join(format!("{}.toml", cell.key)), &scenarios::to_toml(scenario))?;
            }
        }
        Ok(())
    }

    /// The worst that happened to any run.
    fn exit(&self) -> Exit {
        let crashed = if self.crashed.is_empty() { Exit::Passed } else { Exit::Crash };
        self.results.samples.values().map(verdict).fold(crashed, Exit::worst)
    }

    /// Runs that did not pass: how, cell and seed, the command that runs them again, and what a panic said.
    fn failed(&self) -> Vec<(Exit, usize, usize, String)> {
        let ran = self.results.samples.iter().map(|(place, sample)| (verdict(sample), *place, String::new()));
        let crashed = self
            .crashed
            .iter()
            .map(|(cell, seed, panic)| (Exit::Crash, (*cell, *seed), format!("{} ({})", panic.message, panic.place)));
        let mut all: Vec<(Exit, usize, usize, String)> = ran
            .chain(crashed)
            .filter(|(exit, ..)| *exit != Exit::Passed)
            .map(|(exit, (cell, seed), said)| (exit, cell, seed, said))
            .collect();
        all.sort_by_key(|(_, cell, seed, _)| (*cell, *seed));
        all
    }

    fn replay(&self, cell: usize, seed: usize) -> String {
        let plan = self.plan();
        let key = &plan.cells[cell].key;
        match &self.args.out {
            Some(out) if self.args.shard.is_none() => {
                let file = quoted(&out.join("cells").join(format!("{key}.toml")));
                format!("windtunnel replay {file} --seed {}", plan.seeds[seed].0)
            }
            _ => format!(
                "windtunnel compare {} --out DIR, then windtunnel replay DIR/cells/{key}.toml --seed {}",
                quoted(&self.args.study),
                plan.seeds[seed].0
            ),
        }
    }

    fn failures(&self) -> serde_json::Value {
        let object = |(exit, cell, seed, said): (Exit, usize, usize, String)| {
            serde_json::json!({
                "kind": exit.name(), "cell": self.plan().cells[cell].key, "seed": self.plan().seeds[seed].0.to_string(),
                "message": said, "replay": self.replay(cell, seed),
            })
        };
        self.failed().into_iter().map(object).collect()
    }

    fn told_failures(&self, console: &Console) -> String {
        let failed = self.failed();
        if failed.is_empty() {
            return String::new();
        }
        let look = console.look;
        let runs = counted(self.results.samples.len() as u64 + self.crashed.len() as u64, "run");
        let mut text = format!("\n  {}\n", look.paint("1;31", &format!("✗ FAILED   {} of {runs}", failed.len())));
        for (exit, cell, seed, said) in failed.iter().take(LISTED) {
            let said = if said.is_empty() { String::new() } else { format!("   {}", plain(said)) };
            let name = &self.plan().cells[*cell].key;
            text.push_str(&format!("    {:<10}  {name}   seed {}{said}\n", exit.name(), self.plan().seeds[*seed].0));
            text.push_str(&format!("                {}\n", look.strong(&self.replay(*cell, *seed))));
        }
        if failed.len() > LISTED {
            text.push_str(&format!("    and {} more\n", failed.len() - LISTED));
        }
        text
    }
}

/// Failing runs that are listed by name.
const LISTED: usize = 10;

/// How the run behind a sample ended.
fn verdict(sample: &Sample) -> Exit {
    Exit::ALL.into_iter().find(|exit| exit.name() == sample.verdict).unwrap_or(Exit::Passed)
}

fn are(n: usize, noun: &str) -> String {
    format!("{} {}", counted(n as u64, noun), if n == 1 { "is" } else { "are" })
}

/// With the first few names as advice.
fn listed(stop: Stop, names: &[String]) -> Stop {
    let few = names.iter().take(LISTED).map(String::as_str).collect::<Vec<&str>>().join(", ");
    match names.len() - names.len().min(LISTED) {
        0 => stop.help(few),
        more => stop.help(format!("{few} and {more} more")),
    }
}
