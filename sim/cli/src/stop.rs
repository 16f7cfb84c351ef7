//! Why a command stopped before it had done what it was asked for, in words for whoever asked.
//!
//! A message is a lower-case fragment that names what is wrong; the lines of advice under it say what exists instead
//! and what to try next. Everything here goes to standard error.

use crate::exit::Exit;
use crate::file::Loaded;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The number of the process.
    pub(crate) exit: Exit,
    /// What to print, ready made.
    text: String,
}

impl Stop {
    /// The flags or names given cannot be meant: nothing ran, nothing was written.
    pub(crate) fn usage(message: impl AsRef<str>) -> Stop {
        Stop { exit: Exit::Usage, text: format!("error: {}\n", message.as_ref()) }
    }

    /// A scenario is wrong; `text` is the problems as `scenarios::render` shows them.
    pub(crate) fn problems(text: String) -> Stop {
        Stop { exit: Exit::Usage, text }
    }

    /// `path` could not be made or opened before anything ran.
    pub(crate) fn unusable(path: &Path, error: &io::Error) -> Stop {
        Stop::usage(format!("{}: cannot be written: {error}", path.display()))
    }

    /// The scenario ran into an instant that it does not leave; see [`world::Standstill`].
    pub(crate) fn standstill(file: &Loaded, message: &str, advice: &str) -> Stop {
        Stop::usage(format!("{}: {message}", file.given.display())).help(advice)
    }

    /// What was computed could not be written to `place`.
    pub(crate) fn output(place: &str, error: &io::Error) -> Stop {
        Stop { exit: Exit::Output, text: format!("error: {place}: cannot be written: {error}\n") }
    }

    /// Somebody interrupted the command; `progress` says how far it came.
    pub(crate) fn interrupted(progress: impl AsRef<str>) -> Stop {
        Stop { exit: Exit::Interrupted, text: format!("interrupted: {}\n", progress.as_ref()) }
    }

    /// With a line of advice.
    #[must_use]
    pub(crate) fn help(mut self, advice: impl AsRef<str>) -> Stop {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "  help: {}", advice.as_ref());
        self
    }

    /// What to print on standard error.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
