//! `DIR/samples`: what is kept of every run, a file each.
//!
//! A file is three lines of JSON: what it is a sample of, the sample, and a checksum of these two lines as they stand.
//! It appears whole or not at all, because it is written under another name first; so a study may be killed at any
//! moment. It is taken only where it is undamaged, was left by this state of the program, and is of the run that the
//! study has now; whatever else is found is named, and run again.

use super::items::{Item, SOURCES};
use crate::stop::Stop;
use base::Fingerprint;
use reports::study::{Plan, Sample};
use serde_json::Value;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    pub(crate) why: Why,
}

/// Why a file of a sample is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is not what was written: cut off, changed, or never a sample.
    Damaged,
    /// Another state of the program left it behind.
    OtherBuild,
    /// It belongs to another study, or to another state of this one.
    OtherStudy,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Damaged => "damaged",
            Why::OtherBuild => "left by another build of windtunnel",
            Why::OtherStudy => "of another state of this study",
        };
        write!(f, "{}: {why}", self.path.display())
    }
}

/// The word by which a sample is known. The number goes up when the meaning of a line changes.
const FORMAT: &str = "windtunnel-sample-2";

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
            Err(_) => return Kept::Refused(Refused { path, why: Why::Damaged }),
        };
        match sample(&text, item) {
            Ok(sample) => Kept::Fits(Box::new(sample)),
            Err(why) => Kept::Refused(Refused { path, why }),
        }
    }

    /// Keeps the sample of an item.
    pub(crate) fn write(&self, item: &Item, sample: &Sample) -> Result<(), Stop> {
        let name = item.file_name();
        let head = serde_json::json!({
            "format": FORMAT,
            "cell": item.key,
            "seed": item.seed.to_string(),
            "sources": SOURCES,
            "identity": item.identity,
        });
        let lines = format!("{head}\n{}\n", sample.to_json());
        let text = format!("{lines}{}", last_line(&lines));
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

/// The sample in a file, if it is the one of this item.
fn sample(text: &[u8], item: &Item) -> Result<Sample, Why> {
    let text = str::from_utf8(text).map_err(|_| Why::Damaged)?;
    let end = text.trim_end_matches('\n').rfind('\n').ok_or(Why::Damaged)? + 1;
    let (lines, checksum) = text.split_at(end);
    if checksum != last_line(lines) {
        // What an older version wrote has no checksum, and says by its first line what it is.
        let head: Value = serde_json::from_str(lines.lines().next().unwrap_or("")).unwrap_or_default();
        return Err(if head["format"] == "windtunnel-sample" { Why::OtherBuild } else { Why::Damaged });
    }
    let (head, sample) = lines.split_once('\n').ok_or(Why::Damaged)?;
    let head: Value = serde_json::from_str(head).map_err(|_| Why::Damaged)?;
    if head["format"] != FORMAT || head["sources"] != SOURCES {
        return Err(Why::OtherBuild);
    }
    let is_its = head["cell"] == item.key.as_str()
        && head["seed"] == item.seed.to_string().as_str()
        && head["identity"] == item.identity.as_str();
    if !is_its {
        return Err(Why::OtherStudy);
    }
    Sample::from_json(sample.trim_end()).map_err(|_| Why::Damaged)
}

/// The line that ends a file whose other lines are `lines`.
fn last_line(lines: &str) -> String {
    let mut checksum = Fingerprint::default();
    checksum.fold_text(lines);
    format!("{{\"checksum\":\"{checksum}\"}}\n")
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

    fn item() -> Item {
        Item::of_test("a_b", 7, "0123456789abcdef")
    }

    fn written() -> (String, PathBuf) {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("windtunnel-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        let store = Store::of(&folder);
        store.prepare().expect("a folder");
        let sample = Sample { count: 3, verdict: "passed".into(), ..Sample::default() };
        store.write(&item(), &sample).expect("a sample");
        let text = fs::read_to_string(store.folder.join("a_b-7.jsonl")).expect("it is there");
        (text, folder)
    }

    #[test]
    fn every_bit_that_flips_is_found() {
        let (text, folder) = written();
        assert!(sample(text.as_bytes(), &item()).is_ok_and(|sample| sample.count == 3));
        for place in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone().into_bytes();
                flipped[place] ^= 1 << bit;
                assert!(sample(&flipped, &item()).is_err(), "bit {bit} of byte {place} of {text}");
            }
        }
        (0..text.len()).for_each(|end| assert!(sample(&text.as_bytes()[..end], &item()).is_err(), "cut at {end}"));
        fs::remove_dir_all(folder).expect("it is there");
    }

    #[test]
    fn what_is_not_taken_is_told_apart() {
        let (text, folder) = written();
        // With a checksum that fits: what somebody else wrote, not what was damaged.
        let other = |from: &str, to: &str| {
            let (lines, _) = text.split_at(text.trim_end().rfind('\n').expect("three lines") + 1);
            assert!(lines.contains(from), "{lines}");
            let lines = lines.replace(from, to);
            sample(format!("{lines}{}", last_line(&lines)).as_bytes(), &item()).expect_err("it is another")
        };
        assert_eq!(other(SOURCES, "0000000000000000"), Why::OtherBuild);
        assert_eq!(other(FORMAT, "windtunnel-sample-3"), Why::OtherBuild);
        assert_eq!(other("0123456789abcdef", "0123456789abcdee"), Why::OtherStudy);
        assert_eq!(other("\"7\"", "\"8\""), Why::OtherStudy);
        let first = "{\"cell\":\"a_b\",\"format\":\"windtunnel-sample\",\"identity\":\"00\",\"seed\":\"7\"}\n{}\n";
        assert_eq!(sample(first.as_bytes(), &item()).expect_err("it is older"), Why::OtherBuild);
        fs::remove_dir_all(folder).expect("it is there");
    }

    #[test]
    fn drafts_of_interrupted_writes_are_cleared_and_nothing_else() {
        let (_, folder) = written();
        for name in [".a_b-8.jsonl.4711", ".mine", "notes.txt", ".a_b-8.jsonl.mine"] {
            fs::write(folder.join("samples").join(name), "half a sam").expect("a file");
        }
        let store = Store::of(&folder);
        store.prepare().expect("a folder");
        assert_eq!(store.names().expect("a folder"), [".a_b-8.jsonl.mine", ".mine", "a_b-7.jsonl", "notes.txt"]);
        fs::remove_dir_all(folder).expect("it is there");
    }
}
