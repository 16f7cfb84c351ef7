//! From what a person typed to a study that can run.

use crate::console::Console;
use crate::file::{self, Source};
use crate::stop::Stop;
use scenarios::ReadError;
use scenarios::study::{self, Checked, Study};
use std::path::{Path, PathBuf};

/// A study that can run.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the person typed.
    pub(crate) given: PathBuf,
    /// The file as it was read.
    pub(crate) text: String,
    /// What it says.
    pub(crate) study: Study,
}

/// Reads and checks a study; warnings are printed.
pub(crate) fn load(given: &Path, console: &Console) -> Result<Loaded, Stop> {
    let source = file::read(given).map_err(|why| match why {
        ReadError::Missing { .. } => Stop::problems(file::not_read(given, &why))
            .help("`windtunnel list studies` shows the studies that need no path"),
        why => Stop::problems(file::not_read(given, &why)),
    })?;
    if !study::is_study(&source.text) {
        let stop = Stop::usage(format!("{} is a scenario, not a study", source.shown()));
        return Err(stop
            .help(format!("`windtunnel run {}` runs it", file::quoted(given)))
            .help("a study has [[axis]] tables and a `base`, which may be this scenario"));
    }
    let Checked { study, problems } = check(&source, given);
    let rendered = source.render(&problems, console.colour_of_problems);
    match study {
        Some(study) => {
            console.note(&rendered);
            Ok(Loaded { given: given.to_path_buf(), text: source.text, study })
        }
        None => Err(Stop::problems(rendered)),
    }
}

/// What a study file turned out to be.
pub(crate) fn check(source: &Source, given: &Path) -> Checked {
    let folder = if given.is_file() { given.parent().map(Path::to_path_buf) } else { None };
    study::check(&source.text, source.name(), |name| base(name, folder.as_deref()))
}

/// The text of the scenario that a study names: a file beside the study, or a name of the library.
fn base(name: &str, folder: Option<&Path>) -> Result<String, String> {
    if let Some(folder) = folder
        && folder.join(name).is_file()
    {
        return scenarios::read(folder.join(name)).map(|source| source.text).map_err(|why| why.to_string());
    }
    match file::in_library(name) {
        Some(entry) => Ok(entry.text.to_string()),
        None => {
            let names = scenarios::library().iter().map(|entry| entry.name);
            let guess = crate::suggest::nearest(name, names).map(|name| format!("; did you mean `{name}`?"));
            Err(format!(
                "there is no scenario `{name}`, neither beside the study nor in the library{}",
                guess.unwrap_or_default()
            ))
        }
    }
}
