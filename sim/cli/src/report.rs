//! `--out DIR`: the folders and files that runs leave behind.
//!
//! A report appears whole or not at all. It is written into a hidden folder within DIR, on the same file system, and
//! moved from there when all of it is written; a disk that is full, or a process that is killed, leaves what was there
//! before. While files are moved, DIR has no page and no table of a sweep, so one never stands beside the numbers of
//! another run.
//!
//! What DIR held before is replaced only where it is a report of the same kind; anything else is refused without
//! `--force`, and with it only the files of reports are replaced.

use crate::file::Loaded;
use crate::stop::Stop;
use reports::page;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use world::Outcome;

/// What a folder is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One run.
    Run,
    /// Several files, or many seeds.
    Sweep,
    /// A study.
    Study,
}

/// What is read first, and says by itself which report a folder holds.
const HEADS: [&str; 3] = ["index.html", "sweep.csv", "sweep.json"];
/// What hidden folders of reports under way begin with.
const DRAFT: &str = ".windtunnel-draft-";
/// Names that are listed where a folder is refused.
const LISTED: usize = 5;

impl Kind {
    const ALL: [Kind; 3] = [Kind::Run, Kind::Sweep, Kind::Study];

    fn name(self) -> &'static str {
        match self {
            Kind::Run => "a run",
            Kind::Sweep => "a sweep",
            Kind::Study => "a study",
        }
    }

    /// Whether the folder holds a report of this kind, perhaps among other things.
    fn is_in(self, dir: &Path) -> bool {
        let has = |name: &str, keys: [&str; 2]| {
            let text = fs::read_to_string(dir.join(name)).unwrap_or_default();
            serde_json::from_str::<Value>(&text).is_ok_and(|value| keys.iter().all(|key| !value[*key].is_null()))
        };
        match self {
            Kind::Run => has("outcome.json", ["fingerprint", "verdict"]),
            Kind::Sweep => {
                let table = fs::read_to_string(dir.join("sweep.csv")).unwrap_or_default();
                table.starts_with("scenario,seed,verdict,")
            }
            Kind::Study => has("study.json", ["study", "cells"]) || dir.join("samples").is_dir(),
        }
    }

    /// Whether a report of this kind has an entry of this name.
    fn has(self, dir: &Path, name: &str) -> bool {
        match self {
            Kind::Run => ["index.html", "outcome.json", "data", "plots"].contains(&name),
            Kind::Sweep => ["sweep.csv", "sweep.json"].contains(&name) || Kind::Run.is_in(&dir.join(name)),
            Kind::Study => ["index.html", "study.json", "data", "plots", "cells", "samples"].contains(&name),
        }
    }
}

/// Refuses a folder that cannot hold the report, or that holds something else; nothing is written. Called before
/// anything runs: a report that has no place should not cost a run.
pub(crate) fn check(dir: &Path, kind: Kind, force: bool) -> Result<(), Stop> {
    if dir.exists() && !dir.is_dir() {
        return Err(Stop::usage(format!("--out {}: is a file; a report needs a folder", dir.display())));
    }
    if force || !dir.exists() {
        return Ok(());
    }
    let present = entries(dir).map_err(|error| Stop::unusable(dir, &error))?;
    let is_same = kind.is_in(dir);
    let others: Vec<&String> = present.iter().filter(|name| !(is_same && kind.has(dir, name))).collect();
    if others.is_empty() {
        return Ok(());
    }
    let what = match Kind::ALL.into_iter().find(|other| *other != kind && other.is_in(dir)) {
        Some(other) => format!("the report of {}", other.name()),
        None => {
            let few: Vec<&str> = others.iter().take(LISTED).map(|name| name.as_str()).collect();
            let more = others.len().saturating_sub(LISTED);
            few.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
        }
    };
    Err(Stop::usage(format!("--out {}: holds something else: {what}", dir.display()))
        .help("name another folder, which is made where it is missing")
        .help("--force writes into this one, and replaces what reports have left there"))
}

/// The names in a folder, in order, without hidden reports under way.
fn entries(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with(DRAFT) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A report under way. Dropped before it is published, it takes away what it has written, and the folder that it made.
#[derive(Debug)]
pub(crate) struct Draft {
    dir: PathBuf,
    /// The hidden folder within it.
    folder: PathBuf,
    /// The folders that were missing, the outermost last.
    made: Vec<PathBuf>,
}

impl Draft {
    /// Makes the folder where it is missing, clears what killed processes left in it, and begins.
    pub(crate) fn begin(dir: &Path) -> Result<Draft, Stop> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made = dir.ancestors().take_while(missing).map(Path::to_path_buf).collect();
        let folder = dir.join(format!("{DRAFT}{}", std::process::id()));
        let draft = Draft { dir: dir.to_path_buf(), folder, made };
        let begin = || {
            fs::create_dir_all(dir)?;
            for entry in fs::read_dir(dir)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with(DRAFT) {
                    fs::remove_dir_all(entry.path())?;
                }
            }
            fs::create_dir(&draft.folder)
        };
        begin().map_err(|error| Stop::unusable(dir, &error))?;
        Ok(draft)
    }

    /// The hidden folder, to write into.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file, by its name within the report.
    pub(crate) fn put(&self, name: &str, text: &str) -> Result<(), Stop> {
        let path = self.folder.join(name);
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, text)
        };
        write().map_err(|error| self.failed(&error))
    }

    /// That the report could not be written, by the name of its own folder.
    pub(crate) fn failed(&self, error: &io::Error) -> Stop {
        Stop::output(&self.dir.display().to_string(), error).help("nothing that was there has changed")
    }

    /// Moves everything into place, and takes away what earlier reports have left there and this one does not have.
    pub(crate) fn publish(self) -> Result<(), Stop> {
        self.publish_those(|_| true)
    }

    /// The same with those files alone whose names within the report are complete, as `is_complete` says.
    pub(crate) fn publish_those(mut self, is_complete: impl Fn(&Path) -> bool) -> Result<(), Stop> {
        let move_all = || -> io::Result<()> {
            let new: Vec<PathBuf> = files(&self.folder)?.into_iter().filter(|name| is_complete(name)).collect();
            let old = left_by_reports(&self.dir)?;
            for head in HEADS.iter().map(|head| self.dir.join(head)).filter(|head| old.contains(head)) {
                fs::remove_file(head)?;
            }
            let is_head = |name: &PathBuf| HEADS.iter().any(|head| name == Path::new(head));
            let (heads, rest): (Vec<&PathBuf>, Vec<&PathBuf>) = new.iter().partition(|name| is_head(name));
            let kept: BTreeSet<PathBuf> = new.iter().map(|name| self.dir.join(name)).collect();
            for stale in old.difference(&kept).filter(|path| path.exists()) {
                fs::remove_file(stale)?;
                // Folders that are empty by that go too; one that holds something else stays.
                let within = stale.ancestors().skip(1).take_while(|folder| *folder != self.dir);
                let _ = within.map(fs::remove_dir).take_while(Result::is_ok).count();
            }
            for name in rest.into_iter().chain(heads) {
                let to = self.dir.join(name);
                to.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::rename(self.folder.join(name), to)?;
            }
            Ok(())
        };
        let moved = move_all().map_err(|error| Stop::output(&self.dir.display().to_string(), &error));
        if moved.is_ok() {
            self.made.clear();
        }
        moved
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Nothing to complain to: what cannot be taken away is cleared by the next report in this folder.
        let _ = fs::remove_dir_all(&self.folder);
        for folder in &self.made {
            // Only where it is empty.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// All files in a folder, by their paths within it, in order.
fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() { left.push(name) } else { files.push(name) }
        }
    }
    files.sort();
    Ok(files)
}

/// The files that reports have left in a folder: the pages, data, pictures and cells of a run or a study, and of a
/// sweep its tables and the reports of its runs. Samples are no part of a report. Where there is no report, nothing is
/// one's file.
fn left_by_reports(dir: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut left = BTreeSet::new();
    let is_page = Kind::Run.is_in(dir) || dir.join("study.json").is_file() && Kind::Study.is_in(dir);
    if is_page {
        left.extend(["index.html", "outcome.json", "study.json"].map(|name| dir.join(name)));
        for (folder, extension) in [("data", "csv"), ("plots", "svg"), ("cells", "toml")] {
            let Ok(entries) = fs::read_dir(dir.join(folder)) else { continue };
            let paths = entries.flatten().map(|entry| entry.path());
            left.extend(paths.filter(|path| path.extension().is_some_and(|e| e == extension)));
        }
    }
    if Kind::Sweep.is_in(dir) {
        left.extend(["sweep.csv", "sweep.json"].map(|name| dir.join(name)));
        for folder in entries(dir)?.into_iter().map(|name| dir.join(name)).filter(|folder| folder.is_dir()) {
            if Kind::Run.is_in(&folder) {
                left.extend(left_by_reports(&folder)?);
            }
        }
    }
    Ok(left.into_iter().filter(|path| path.is_file()).collect())
}

/// Writes the full report of a run into `dir`, which is made where it is missing.
pub(crate) fn write(dir: &Path, file: &Loaded, outcome: &Outcome, wall: Duration) -> io::Result<()> {
    let replay = file.replay(outcome.run.seed.0, outcome.failure.as_ref());
    let options =
        page::Options { replay: &replay, wall, version: env!("CARGO_PKG_VERSION"), scenario_text: &file.text };
    page::write(dir, outcome, &options).map(drop)
}

/// A folder for each file's runs: the scenario's name, with a number where two files have the same.
pub(crate) fn names(files: &[Loaded]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for file in files {
        let name = &file.scenario.name;
        let free = |candidate: &String| !names.contains(candidate);
        let numbered = (2..).map(|n| format!("{name}.{n}"));
        let unique = std::iter::once(name.clone()).chain(numbered).find(free);
        names.push(unique.expect("there are more numbers than files"));
    }
    names
}

/// A single file that appears whole or not at all: written under a hidden name beside it, and moved when it is
/// complete. What is no regular file, such as a pipe, is written to as it is.
#[derive(Debug)]
pub(crate) struct DraftFile {
    path: PathBuf,
    draft: Option<PathBuf>,
}

impl DraftFile {
    /// Opens it before anything runs, so that a name that cannot be written costs nothing.
    pub(crate) fn create(path: &Path) -> io::Result<(DraftFile, fs::File)> {
        if path.exists() && !path.is_file() {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            return Ok((DraftFile { path: path.to_path_buf(), draft: None }, file));
        }
        if path.exists() {
            // Whether it may be written over is a matter of the file, and not of its folder alone.
            fs::OpenOptions::new().write(true).open(path)?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let file = fs::File::create(&draft)?;
        Ok((DraftFile { path: path.to_path_buf(), draft: Some(draft) }, file))
    }

    /// It is complete.
    pub(crate) fn publish(mut self) -> io::Result<()> {
        match self.draft.take() {
            Some(draft) => fs::rename(&draft, &self.path).inspect_err(|_| _ = fs::remove_file(&draft)),
            None => Ok(()),
        }
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        if let Some(draft) = &self.draft {
            // A hidden file that cannot be taken away is in the way of nobody.
            let _ = fs::remove_file(draft);
        }
    }
}
