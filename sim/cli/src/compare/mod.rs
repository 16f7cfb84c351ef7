//! `windtunnel compare`: a study from its file to its report.
//!
//! ```text
//!   study file ─▶ plan, contents of cells ─▶ items: a cell under a seed ─┬─▶ run ─▶ sample ─▶ DIR/samples ─┐
//!                                                                        └─▶ kept from before, or merged ──┴─▶ results
//!   results ─▶ report
//! ```
//!
//! What always holds: an item's sample depends on what its cell lowers to, its seed, and the sources that a run is made
//! of, and these are its identity. So a study that was killed goes on where it stopped, one that was changed runs again
//! what the change concerns, shards merge, and in the end equal studies leave equal bytes, whoever ran them and in
//! which order.

mod failures;
mod items;
mod load;
mod picks;
mod store;

pub(crate) use load::check;

use crate::args::{CompareArgs, Shard};
use crate::console::{Console, Look, count, counted, plain};
use crate::crew::{self, Ended};
use crate::exit::Exit;
use crate::file::quoted;
use crate::job::NoOutcome;
use crate::progress::Progress;
use crate::report::{self, Draft};
use crate::stop::Stop;
use base::Seed;
use items::Item;
use load::Loaded;
use scenarios::study::Content;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use store::{Kept, Store};
use study::{Kind, Origin, Plan, Results, Unusable};

/// Runs a study, a shard of it, or merges shards.
pub(crate) fn compare(args: &CompareArgs, console: &mut Console) -> Result<Exit, Stop> {
    if args.shard.is_some() && args.out.is_none() {
        return Err(Stop::usage("--shard leaves samples to be merged, and has nowhere to leave them").help("--out DIR"));
    }
    let mut loaded = load::load(&args.study, console)?;
    if let Some(seeds) = &args.seeds {
        loaded.study.plan.seeds = seeds.iter().map(Seed).collect();
    }
    let loaded = Arc::new(loaded);
    let plan = loaded.study.plan.clone();
    let items = items::all(&loaded.study);
    for dir in &args.merge {
        if !Store::of(dir).is_there() {
            return Err(Stop::usage(format!("--merge {}: holds no samples", dir.display()))
                .help("each is a folder that --out named, with samples/ in it"));
        }
    }
    if let Some(out) = &args.out {
        report::check(out, report::Kind::Study, args.force)?;
        has_no_other_study(out, &plan, args.force)?;
    }
    let mut study = Comparison {
        loaded: &loaded,
        args,
        results: Results { origin: origin(&loaded), plan, samples: BTreeMap::new(), picks: Vec::new() },
        crashed: Vec::new(),
    };
    if !args.merge.is_empty() {
        study.merge(&items)?;
    } else if study.run(&items, console)? == Ended::Interrupted {
        return Err(study.interrupted(&items, console.look));
    }
    if args.time_picks {
        study.results.picks = picks::times(&loaded.study);
    }
    match args.shard {
        Some(shard) => study.close_shard(shard, &items, console),
        None => study.close(console),
    }
}

/// Refuses the folder of another study: its samples may be the work of hours.
fn has_no_other_study(out: &Path, plan: &Plan, force: bool) -> Result<(), Stop> {
    let store = Store::of(out);
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("study.json")).unwrap_or_default()).unwrap_or_default();
    let named = report["study"].as_str().filter(|name| *name != plan.name);
    if force || (named.is_none() && !store.is_of_another(plan)?) {
        return Ok(());
    }
    let of = named.map_or("samples of another study".to_string(), |name| format!("the report of the study `{name}`"));
    Err(Stop::usage(format!("--out {}: holds something else: {of}", out.display()))
        .help("name another folder, which is made where it is missing")
        .help("--force replaces that study, its samples too"))
}

/// Where a report says that it came from, and the commands that run its cells again.
fn origin(loaded: &Loaded) -> Origin {
    let plan = &loaded.study.plan;
    let first = plan.seeds.first().map_or(0, |seed| seed.0);
    let command = |key: &str| match plan.kind {
        // From within the folder of the report, wherever that is.
        Kind::World => format!("windtunnel run cells/{key}.toml --seed {first}"),
        Kind::Hashing => format!("windtunnel compare {} --seeds {first}..={first}", quoted(&loaded.given)),
    };
    Origin {
        version: items::VERSION.into(),
        file: loaded.given.display().to_string(),
        text: loaded.text.clone(),
        commands: plan.cells.iter().map(|cell| command(&cell.key)).collect(),
    }
}

/// A study under way.
struct Comparison<'a> {
    loaded: &'a Arc<Loaded>,
    args: &'a CompareArgs,
    results: Results,
    /// Runs without a sample: cell, seed, and why.
    crashed: Vec<(usize, usize, NoOutcome)>,
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
    fn run(&mut self, items: &[Item], console: &Console) -> Result<Ended, Stop> {
        let store = self.args.out.as_deref().map(Store::of);
        if let Some(store) = &store {
            store.prepare()?;
            if self.args.force {
                store.clear_strangers(self.plan())?;
            }
        }
        let mut left = Vec::new();
        let mut refused = Vec::new();
        for item in self.share(items) {
            match store.as_ref().map_or(Kept::Nothing, |store| store.read(item)) {
                Kept::Fits(sample) => {
                    self.results.samples.insert(item.place(), *sample);
                }
                Kept::Refused(file) => {
                    refused.push(file);
                    left.push(item.clone());
                }
                Kept::Nothing => left.push(item.clone()),
            }
        }
        // That a study was changed is known to whoever changed it.
        refused.retain(|file| file.why != Unusable::OtherStudy);
        if !refused.is_empty() {
            let run_again = if refused.len() == 1 { "is run again" } else { "are run again" };
            let text = format!("warning: {} {run_again}\n", counted(refused.len() as u64, "sample"));
            let names: Vec<String> = refused.iter().map(ToString::to_string).collect();
            console.note(&few(&names).iter().fold(text, |text, name| text + &format!("  {name}\n")));
        }
        let progress = Progress::of(left.len(), &plain(&self.plan().name));
        let loaded = self.loaded.clone();
        let run = move |item: Item| {
            let result = item.run(&loaded.study);
            let kept = match (&result, &store) {
                (Ok(sample), Some(store)) => store.write(&item, sample),
                _ => Ok(()),
            };
            (item, kept.map(|()| result))
        };
        let ended = crew::each(self.args.jobs, left.into_iter(), run, |_, (item, result)| {
            progress.step(match result? {
                Ok(sample) => {
                    self.results.samples.insert(item.place(), sample);
                    false
                }
                Err(why) => {
                    self.crashed.push((item.cell, item.seed_index, why));
                    true
                }
            });
            Ok(())
        })?;
        // An interrupt that comes with the last run is late.
        let done = self.results.samples.len() + self.crashed.len();
        Ok(if done == self.share(items).len() { Ended::Done } else { ended })
    }

    /// How far it came, and how to go on.
    fn interrupted(&self, items: &[Item], look: Look) -> Stop {
        let all = self.share(items).len() as u64;
        let done = counted((self.results.samples.len() + self.crashed.len()) as u64, "run");
        let again = self.command(look);
        match &self.args.out {
            Some(out) => {
                let samples = out.join("samples");
                Stop::interrupted(format!("{done} of {} are done and kept in {}", count(all), samples.display()))
                    .help(format!("run it again to continue: `{again}`"))
            }
            None => Stop::interrupted(format!("{done} of {} were done, and nothing is kept without --out", count(all)))
                .help(format!("what is kept is not run again: `{again} --out DIR`")),
        }
    }

    /// The command that this process was given.
    fn command(&self, look: Look) -> String {
        let args = self.args;
        let mut command = format!("windtunnel compare {}", quoted(&args.study));
        let mut flag = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                command.push_str(&format!(" --{name} {value}"));
            }
        };
        flag("seeds", args.seeds.as_ref().map(ToString::to_string));
        flag("jobs", args.jobs.map(|jobs| jobs.to_string()));
        flag("shard", args.shard.map(|shard| format!("{}/{}", shard.number, shard.of)));
        flag("out", args.out.as_deref().map(quoted));
        flag("format", look.json().then(|| "json".to_string()));
        if args.time_picks {
            command.push_str(" --time-picks");
        }
        command
    }

    /// Takes every sample from the folders of shards.
    fn merge(&mut self, items: &[Item]) -> Result<(), Stop> {
        let stores: Vec<Store> = self.args.merge.iter().map(|dir| Store::of(dir)).collect();
        for store in &stores {
            if let Some(other) = store.stranger(self.plan())? {
                return Err(Stop::usage(format!("{}: holds samples of another study", store.shown()))
                    .help(format!("`{}` has no cell for {other}", self.plan().name)));
            }
        }
        let (mut missing, mut stale) = (Vec::new(), Vec::new());
        for item in items {
            let mut kept = stores.iter().map(|store| store.read(item));
            let mut other = None;
            let found = kept.find_map(|kept| match kept {
                Kept::Fits(sample) => Some(*sample),
                Kept::Refused(file) => {
                    other = Some(file.to_string());
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
            let text = format!("{} not to be used", are(stale.len(), "sample"));
            return Err(few(&stale).into_iter().fold(Stop::usage(text), Stop::help).help(
                "all shards are run with the same study file, seeds and build of the program; run again, a shard \
                       replaces what is damaged",
            ));
        }
        if !missing.is_empty() {
            let text = format!("{} missing of {}", are(missing.len(), "sample"), items.len());
            return Err(Stop::usage(text)
                .help(few(&missing).join(", "))
                .help("run the shards that have them, or name their folders too"));
        }
        // Only now: shards that do not fit together leave nothing behind.
        if let Some(out) = &self.args.out {
            let store = Store::of(out);
            store.prepare()?;
            if self.args.force {
                store.clear_strangers(self.plan())?;
            }
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
            let draft = Draft::begin(out)?;
            self.write_cells(&draft)?;
            reports::study::write(&self.results, draft.folder()).map_err(|error| draft.failed(&error))?;
            draft.publish()?;
            page = Some(out.join("index.html"));
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
    fn write_cells(&self, draft: &Draft) -> Result<(), Stop> {
        let study = &self.loaded.study;
        for (cell, content) in study.plan.cells.iter().zip(&study.contents) {
            if let Content::World(scenario) = content {
                draft.put(&format!("cells/{}.toml", cell.key), &scenarios::to_toml(scenario))?;
            }
        }
        Ok(())
    }
}

/// Failing runs that are listed by name.
const LISTED: usize = 10;

fn are(n: usize, noun: &str) -> String {
    format!("{} {}", counted(n as u64, noun), if n == 1 { "is" } else { "are" })
}

/// The first few names, and how many more there are.
fn few(names: &[String]) -> Vec<String> {
    let mut few: Vec<String> = names.iter().take(LISTED).cloned().collect();
    if names.len() > LISTED {
        few.push(format!("and {} more", names.len() - LISTED));
    }
    few
}
