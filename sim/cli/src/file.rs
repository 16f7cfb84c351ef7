//! From what a person typed to a scenario that can run.
//!
//! A file that exists is taken; otherwise the library is asked for a scenario of that name, and otherwise the message
//! says what was probably meant. Nothing is written and nothing runs before every file of a command has been read and
//! found right.

use crate::console::Console;
use crate::stop::Stop;
use crate::suggest::nearest;
use base::Seed;
use scenarios::{ReadError, Scenario};
use std::path::{Path, PathBuf};
use world::Spec;
use world::outcome::{Failure, Verdict};

/// A scenario that can run.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the person typed.
    pub(crate) given: PathBuf,
    /// The file as it was read.
    pub(crate) text: String,
    /// What it says.
    pub(crate) scenario: Scenario,
}

impl Loaded {
    /// The world under this seed.
    pub(crate) fn lower(&self, seed: u64) -> Spec {
        self.scenario.lower(Seed(seed)).unwrap_or_else(|problems| {
            panic!("a scenario that was found right does not lower with seed {seed}: {}", problems[0].message)
        })
    }

    /// The command that runs a seed of it again, at the moment that matters when there is one.
    pub(crate) fn replay(&self, seed: u64, failure: Option<&Failure>) -> String {
        let file = quoted(&self.given);
        match failure {
            // What was missed over a whole run, or never seen in it, has no moment.
            Some(f) if matches!(f.verdict, Verdict::Safety | Verdict::Liveness) => {
                format!("windtunnel replay {file} --seed {seed} --around {}", f.at)
            }
            _ => format!("windtunnel replay {file} --seed {seed}"),
        }
    }

    /// The command that judges a seed of it again.
    pub(crate) fn again(&self, seed: u64) -> String {
        format!("windtunnel run {} --seed {seed}", quoted(&self.given))
    }
}

/// Reads and checks all of `files`; warnings are printed. On a problem in any of them, all problems of all of them are
/// reported.
pub(crate) fn load(files: &[PathBuf], console: &Console) -> Result<Vec<Loaded>, Stop> {
    let mut loaded = Vec::new();
    let mut problems = String::new();
    for given in files {
        match read(given) {
            Err(why) => problems.push_str(&not_read(given, &why)),
            Ok(source) => {
                if scenarios::study::is_study(&source.text) {
                    let run = quoted(given);
                    problems.push_str(&format!(
                        "error: {} is a study, not a scenario\n  help: `windtunnel compare {run}` runs it\n",
                        source.shown
                    ));
                    continue;
                }
                let checked = source.check();
                let rendered = source.render(&checked.problems, console.colour_of_problems);
                match checked.scenario {
                    Some(scenario) => {
                        console.note(&rendered);
                        loaded.push(Loaded { given: given.clone(), text: source.text, scenario });
                    }
                    None => problems.push_str(&rendered),
                }
            }
        }
    }
    if problems.is_empty() { Ok(loaded) } else { Err(Stop::problems(problems)) }
}

/// A text that may be a scenario, and where it came from.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    shown: String,
    pub(crate) text: String,
}

impl Source {
    /// What the text turned out to be.
    pub(crate) fn check(&self) -> scenarios::Checked {
        scenarios::check(&self.text, &self.name)
    }

    /// Problems as text, pointing into the file.
    pub(crate) fn render(&self, problems: &[scenarios::Problem], colour: bool) -> String {
        scenarios::render(problems, &self.shown, &self.text, colour)
    }

    /// Its short name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How messages call it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// The scenario of the library with this name, or with this last part of its name: `mm1` is `theory/mm1`.
pub(crate) fn in_library(name: &str) -> Option<&'static scenarios::Entry> {
    let last = |entry: &&scenarios::Entry| entry.name.rsplit('/').next() == Some(name);
    scenarios::find(name).or_else(|| scenarios::library().iter().find(last))
}

/// Reads a file, or the scenario or study of the library with this name.
pub(crate) fn read(given: &Path) -> Result<Source, ReadError> {
    if !given.is_file()
        && let Some(entry) = given.to_str().and_then(|name| in_library(name).or_else(|| scenarios::study::find(name)))
    {
        let name = scenarios::name_of(Path::new(entry.name));
        return Ok(Source { name, shown: format!("{} (library)", entry.name), text: entry.text.to_string() });
    }
    let source = scenarios::read(given)?;
    Ok(Source { name: source.name, shown: given.display().to_string(), text: source.text })
}

/// Why a file was not read, and what to try instead.
pub(crate) fn not_read(given: &Path, why: &ReadError) -> String {
    let mut text = format!("error: {why}\n");
    let mut help = |line: &str| text.push_str(&format!("  help: {line}\n"));
    if !matches!(why, ReadError::Missing { .. }) {
        why.help().iter().for_each(|line| help(line));
        return text;
    }
    // A bare name means the library, a path means the disk.
    let is_bare = given.components().count() == 1 && given.extension().is_none();
    if !is_bare {
        why.help().iter().for_each(|line| help(line));
    }
    let whole = scenarios::library().iter().chain(scenarios::study::library()).map(|entry| entry.name);
    let last = whole.clone().filter_map(|name| name.rsplit('/').next());
    match nearest(&given.with_extension("").to_string_lossy(), whole.chain(last)) {
        Some(name) => help(&format!("the library has `{name}`, which needs no path")),
        None => help("`windtunnel list scenarios` shows what needs no path"),
    }
    text
}

/// A path as a shell takes it: as it is when it holds nothing special, else in single quotes.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let harmless = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    // A name that begins with a dash would be taken for a flag.
    let text = if text.starts_with('-') { format!("./{text}").into() } else { text };
    if !text.is_empty() && text.chars().all(harmless) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_the_shell() {
        let quoted = |text: &str| quoted(Path::new(text));
        assert_eq!(quoted("scenarios/weather.toml"), "scenarios/weather.toml");
        assert_eq!(quoted("my files/a.toml"), "'my files/a.toml'");
        assert_eq!(quoted("it's.toml"), r"'it'\''s.toml'");
        assert_eq!(quoted("$HOME;rm"), "'$HOME;rm'");
        assert_eq!(quoted("-x.toml"), "./-x.toml");
        assert_eq!(quoted(""), "''");
    }
}
