//! `DIR/samples`: what is kept of every run, a file each.
//!
//! A file has the text that [`study::record`] describes. It appears whole or not at all, because it is written under
//! another name first; so a study may be killed at any moment. It is taken only where it is undamaged, was left by this
//! state of the program, and is of the run that the study has now; whatever else is found is named, and run again.

use super::items::{Item, SOURCES};
use crate::stop::Stop;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use study::{Plan, Sample, Unusable, record};

/// The folder of samples within the folder of a report.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// What there is of an item.
pub(crate) enum Kept {
    /// Nothing.
    Nothing,
    /// A file that is not taken.
    Refused(Refused),
    /// Its sample.
    Fits(Box<Sample>),
}

/// A file of a sample that is not taken.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) path: PathBuf,
    pub(crate) why: Unusable,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

/// How often a file is written anew whose draft somebody else cleared away.
const TRIES: usize = 3;

impl Store {
    /// The samples of a report.
    pub(crate) fn of(report: &Path) -> Store {
        Store { folder: report.join("samples") }
    }

    /// Whether there is one.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Makes the folder, and clears away what interrupted writes have left in it.
    pub(crate) fn prepare(&self) -> Result<(), Stop> {
        let unusable = |error| Stop::unusable(&self.folder, &error);
        fs::create_dir_all(&self.folder).map_err(unusable)?;
        for name in self.names()?.iter().filter(|name| is_draft(name)) {
            // Another process may have cleared it, or have finished it.
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks for the sample of an item.
    pub(crate) fn read(&self, item: &Item) -> Kept {
        let path = self.folder.join(item.file_name());
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::Nothing,
            Err(_) => return Kept::Refused(Refused { path, why: Unusable::Damaged }),
        };
        match record::read(&text, &item.identity, SOURCES) {
            Ok(sample) => Kept::Fits(Box::new(sample)),
            Err(why) => Kept::Refused(Refused { path, why }),
        }
    }

    /// Keeps the sample of an item.
    pub(crate) fn write(&self, item: &Item, sample: &Sample) -> Result<(), Stop> {
        let name = item.file_name();
        let text = record::write(sample, &item.identity, SOURCES);
        let path = self.folder.join(&name);
        // Two processes may write the same sample at once; each under a name of its own, and both the same. A third
        // that begins may take a draft for one that was interrupted.
        let draft = self.folder.join(format!(".{name}.{}", std::process::id()));
        let write = || fs::write(&draft, &text).and_then(|()| fs::rename(&draft, &path));
        let mut written = write();
        for _ in 1..TRIES {
            if !written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                break;
            }
            written = write();
        }
        written.map_err(|error| {
            // What there was no room for is not left behind.
            let _ = fs::remove_file(&draft);
            Stop::output(&path.display().to_string(), &error)
        })
    }

    /// The first of its samples that no cell of this study has, as it may be somebody else's folder that was named by
    /// mistake.
    pub(crate) fn stranger(&self, plan: &Plan) -> Result<Option<String>, Stop> {
        Ok(self.names()?.into_iter().find(|name| is_sample(name) && !is_of(plan, name)))
    }

    /// Whether there are samples and none of them is of a cell of this study.
    pub(crate) fn is_of_another(&self, plan: &Plan) -> Result<bool, Stop> {
        if !self.is_there() {
            return Ok(false);
        }
        let names = self.names()?;
        let mut samples = names.iter().filter(|name| is_sample(name)).peekable();
        Ok(samples.peek().is_some() && !samples.any(|name| is_of(plan, name)))
    }

    /// Takes away the samples that no cell of this study has.
    pub(crate) fn clear_strangers(&self, plan: &Plan) -> Result<(), Stop> {
        for name in self.names()?.iter().filter(|name| is_sample(name) && !is_of(plan, name)) {
            fs::remove_file(self.folder.join(name)).map_err(|error| Stop::unusable(&self.folder, &error))?;
        }
        Ok(())
    }

    /// The folder, for messages.
    pub(crate) fn shown(&self) -> String {
        self.folder.display().to_string()
    }

    fn names(&self) -> Result<Vec<String>, Stop> {
        let entries = fs::read_dir(&self.folder).map_err(|error| Stop::unusable(&self.folder, &error))?;
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Ok(names)
    }
}

fn is_sample(name: &str) -> bool {
    name.ends_with(".jsonl") && !name.starts_with('.')
}

/// Whether a name is one under which [`Store::write`] writes first.
fn is_draft(name: &str) -> bool {
    let process = name.strip_prefix('.').and_then(|name| name.rsplit_once(".jsonl."));
    process.is_some_and(|(_, process)| !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit()))
}

fn is_of(plan: &Plan, name: &str) -> bool {
    let cell = name.rsplit_once('-').map_or(name, |(cell, _)| cell);
    plan.cells.iter().any(|known| known.key == cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_of_interrupted_writes_are_cleared_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("windtunnel-store-{}", std::process::id()));
        let store = Store::of(&folder);
        store.prepare().expect("a folder");
        for name in [".a_b-8.jsonl.4711", ".mine", "notes.txt", ".a_b-8.jsonl.mine", "a_b-7.jsonl"] {
            fs::write(store.folder.join(name), "half a sam").expect("a file");
        }
        store.prepare().expect("a folder");
        assert_eq!(store.names().expect("a folder"), [".a_b-8.jsonl.mine", ".mine", "a_b-7.jsonl", "notes.txt"]);
        fs::remove_dir_all(folder).expect("it is there");
    }
}
