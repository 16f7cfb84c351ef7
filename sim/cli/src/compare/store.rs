//! `DIR/samples`: what is kept of every run, a file each.
//!
//! A file is two lines of JSON: what it is a sample of, and the sample. It appears whole or not at all, because it is
//! written under another name first; so a study may be killed at any moment. It is taken only where its identity is
//! the one that the study has now.

use super::items::Item;
use crate::stop::Stop;
use reports::study::{Plan, Sample};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of samples within the folder of a report.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// What there is of an item.
pub(crate) enum Kept {
    /// Nothing.
    Nothing,
    /// Something that belongs to another study, another state of this one or another version; or that cannot be read. Says
    /// which file.
    Stale(String),
    /// Its sample.
    Fits(Box<Sample>),
}

/// The word by which a sample is known.
const FORMAT: &str = "windtunnel-sample";

impl Store {
    /// The samples of a report.
    pub(crate) fn of(report: &Path) -> Store {
        Store { folder: report.join("samples") }
    }

    /// Whether there is one.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Makes the folder.
    pub(crate) fn prepare(&self) -> Result<(), Stop> {
        fs::create_dir_all(&self.folder).map_err(|error| Stop::unusable(&self.folder, &error))
    }

    /// Looks for the sample of an item.
    pub(crate) fn read(&self, item: &Item) -> Kept {
        let path = self.folder.join(item.file_name());
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::Nothing,
            Err(_) => return Kept::Stale(path.display().to_string()),
        };
        let sample = text.split_once('\n').and_then(|(head, sample)| {
            let head: Value = serde_json::from_str(head).ok()?;
            let fits = head["format"] == FORMAT && head["identity"] == item.identity.as_str();
            if fits { Sample::from_json(sample.trim_end()).ok() } else { None }
        });
        sample.map_or_else(|| Kept::Stale(path.display().to_string()), |sample| Kept::Fits(Box::new(sample)))
    }

    /// Keeps the sample of an item.
    pub(crate) fn write(&self, item: &Item, sample: &Sample) -> Result<(), Stop> {
        let name = item.file_name();
        let head = serde_json::json!({
            "format": FORMAT,
            "cell": item.key,
            "seed": item.seed.to_string(),
            "identity": item.identity,
        });
        let text = format!("{head}\n{}\n", sample.to_json());
        let path = self.folder.join(&name);
        // Two processes may write the same sample at once; each under a name of its own, and both the same.
        let draft = self.folder.join(format!(".{name}.{}", std::process::id()));
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|error| Stop::output(&path.display().to_string(), &error))
    }

    /// Refuses a folder with samples that no cell of this study has: somebody else's, which were named by mistake.
    pub(crate) fn is_of(&self, plan: &Plan) -> Result<(), Stop> {
        let entries = fs::read_dir(&self.folder).map_err(|error| Stop::unusable(&self.folder, &error))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".jsonl") && !name.starts_with('.')).collect();
        names.sort();
        let has = |name: &String| {
            let cell = name.rsplit_once('-').map_or(name.as_str(), |(cell, _)| cell);
            plan.cells.iter().any(|known| known.key == cell)
        };
        match names.iter().find(|name| !has(name)) {
            None => Ok(()),
            Some(other) => Err(Stop::usage(format!("{}: holds samples of another study", self.folder.display()))
                .help(format!("`{}` has no cell for {other}", plan.name))),
        }
    }
}
