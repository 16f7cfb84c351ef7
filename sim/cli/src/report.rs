//! `--out DIR`: the folders and files that runs leave behind.

use crate::file::Loaded;
use crate::stop::Stop;
use reports::page;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use world::Outcome;

/// Makes the folder, before anything runs: a report that cannot be written should not cost a run.
pub(crate) fn prepare(dir: &Path) -> Result<(), Stop> {
    if dir.exists() && !dir.is_dir() {
        return Err(Stop::usage(format!("--out {}: is a file; a report needs a folder", dir.display())));
    }
    fs::create_dir_all(dir).map_err(|error| Stop::unusable(dir, &error))
}

/// Writes the full report of a run into `dir`, which is made where it is missing; answers with the page.
pub(crate) fn write(dir: &Path, file: &Loaded, outcome: &Outcome, wall: Duration) -> Result<PathBuf, Stop> {
    let replay = file.replay(outcome.seed.0, outcome.failure.as_ref());
    let options =
        page::Options { replay: &replay, wall, version: env!("CARGO_PKG_VERSION"), scenario_text: &file.text };
    let written = page::write(dir, outcome, &options).map_err(|e| Stop::output(&dir.display().to_string(), &e))?;
    Ok(written.into_iter().next().unwrap_or_else(|| dir.join("index.html")))
}

/// Writes a file of a sweep.
pub(crate) fn put(path: &Path, text: &str) -> Result<(), Stop> {
    fs::write(path, text).map_err(|error| Stop::output(&path.display().to_string(), &error))
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
