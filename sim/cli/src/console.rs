//! The two streams of the process.
//!
//! Results go to standard output, everything else to standard error. A reader who has seen enough (`| head`) closes the
//! pipe; that is no failure: the rest of the output is dropped quietly, and the exit code stays what it would have
//! been.

pub(crate) use reports::count;

use crate::args::{Color, Format};
use crate::stop::Stop;
use std::io::{self, IsTerminal, Write};
use std::ops::RangeInclusive;

/// Columns for prose where nobody says how wide the terminal is, and the least and the most that are used. Tables are
/// as wide as they must be.
const WIDTH: usize = 100;
const WIDTHS: RangeInclusive<usize> = 40..=200;

/// Where results go.
#[derive(Debug)]
pub(crate) struct Console {
    /// How results look.
    pub(crate) look: Look,
    /// Whether problems are coloured.
    pub(crate) colour_of_problems: bool,
    reader_is_gone: bool,
}

/// How results look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether results are for people or for programs.
    pub(crate) format: Format,
    /// Whether results are coloured.
    pub(crate) colour: bool,
    /// Columns for prose.
    pub(crate) width: usize,
}

impl Console {
    /// The console as flags and environment want it.
    pub(crate) fn new(format: Format, color: Color) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !dumb && !set("NO_COLOR"),
        };
        let given =
            std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        // What is piped is read elsewhere, so the terminal is asked only when it is where results go.
        let asked = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let look = Look {
            format,
            colour: format == Format::Human && wanted(io::stdout().is_terminal()),
            width: given.or_else(asked).unwrap_or(WIDTH).clamp(*WIDTHS.start(), *WIDTHS.end()),
        };
        Console { look, colour_of_problems: wanted(io::stderr().is_terminal()), reader_is_gone: false }
    }

    /// Prints a part of the result as it is.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Stop> {
        self.write(|out| out.write_all(text.as_bytes()))
    }

    /// Lets `write` write a part of the result in small pieces.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Stop> {
        if self.reader_is_gone {
            return Ok(());
        }
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_is_gone = true;
                // What is still in the buffer must not be tried again.
                let _ = out.into_parts();
                Ok(())
            }
            Err(error) => Err(Stop::output("standard output", &error)),
        }
    }

    /// Whether whoever read the results has stopped reading; what is printed from then on is dropped.
    pub(crate) fn reader_is_gone(&self) -> bool {
        self.reader_is_gone
    }

    /// Says something that is not a result. The words at the head of problems are coloured as clap colours them.
    pub(crate) fn note(&self, text: &str) {
        let text = if self.colour_of_problems { heads_coloured(text) } else { text.to_string() };
        // There is nowhere left to complain to.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

impl Look {
    /// Whether results are for programs.
    pub(crate) fn json(self) -> bool {
        self.format == Format::Json
    }

    /// `text` in bold, where results are coloured.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// `text` dimmed, where results are coloured.
    pub(crate) fn quiet(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// `text` between the ANSI sequence of `code` and its end, where results are coloured.
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

fn heads_coloured(text: &str) -> String {
    let heads = [("error:", "1;31"), ("warning:", "1;33"), ("interrupted:", "1;33"), ("  help:", "36")];
    let colour = |line: &str| match heads.iter().find(|(head, _)| line.starts_with(head)) {
        Some((head, code)) => format!("\x1b[{code}m{head}\x1b[0m{}", &line[head.len()..]),
        None => line.to_string(),
    };
    text.split_inclusive('\n').map(colour).collect()
}

/// `text` with control characters made visible, so that names from files cannot move the cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// `text` as lines of at most `width` columns, broken at spaces.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_string());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// `1 run`, `1,204 runs`, `2 hashes`.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    let ending = match n {
        1 => "",
        _ if noun.ends_with("sh") => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_at_spaces_and_words_stay_whole() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two", 6), ["one", "two"]);
        assert_eq!(wrap("uninterruptible", 4), ["uninterruptible"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(2_000, "run"), "2,000 runs");
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(plain("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }
}
