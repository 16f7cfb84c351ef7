//! `windtunnel decide`: what an engine would do next, without a simulation.
//!
//! Cases come from a file or, one per line, from standard input; one line of JSON is printed per case as soon as it is
//! decided, so a program can ask and wait for the answer. A case that is wrong costs its own line and nobody else's.

use crate::args::DecideArgs;
use crate::console::{Console, plain};
use crate::exit::Exit;
use crate::route::input;
use crate::stop::Stop;
use scenarios::decide::{self, Answered, Engine};
use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::path::Path;

/// The longest case that is read, in bytes, as of a scenario.
const CASE_MAX: u64 = scenarios::SIZE_MAX;

/// How a text holds cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Toml,
    Json,
    Lines,
}

/// Decides every case that is given.
pub(crate) fn decide(args: &DecideArgs, console: &mut Console) -> Result<Exit, Stop> {
    let engine = engine(&args.engine)?;
    let Some(path) = &args.file else {
        if io::stdin().is_terminal() {
            console.note(&format!(
                "one case per line, in JSON; Ctrl-D ends. `windtunnel explain {}` shows the shape of a case\n",
                engine.name
            ));
        }
        return lines(engine, &mut io::stdin().lock(), console);
    };
    let bytes = input::read(path)?;
    let format = format_of(path, &bytes);
    if format == Format::Lines {
        return lines(engine, &mut bytes.as_slice(), console);
    }
    let shown = input::shown(path);
    if bytes.len() as u64 > CASE_MAX {
        return Err(Stop::usage(format!("{shown}: {}", too_long())));
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        Stop::usage(format!("{shown}: is not UTF-8 text; the first odd byte is number {}", error.valid_up_to() + 1))
    })?;
    let answered = match format {
        Format::Toml => engine.toml(text),
        Format::Json | Format::Lines => engine.json(text),
    };
    if format == Format::Toml {
        let rendered = scenarios::render(&answered.problems, &shown, text, console.colour_of_problems);
        console.note(&rendered);
    }
    print(&answered, console)
}

/// The engine of this name.
pub(crate) fn engine(name: &str) -> Result<&'static Engine, Stop> {
    decide::find(name).ok_or_else(|| {
        let stop = Stop::usage(format!("there is no engine `{}`", plain(name)));
        stop.help("`windtunnel list engines` shows what there is")
    })
}

/// By the name of the file; where that says nothing, by how it begins.
fn format_of(path: &Path, bytes: &[u8]) -> Format {
    let is_json = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => return Format::Toml,
        Some("jsonl" | "ndjson") => return Format::Lines,
        Some("json") => true,
        _ => bytes.trim_ascii_start().starts_with(b"{"),
    };
    if !is_json {
        return Format::Toml;
    }
    // Several objects, each in a line of its own, are as many cases.
    let mut whole = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = whole.next().is_some_and(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok());
    if first && whole.next().is_some() { Format::Lines } else { Format::Json }
}

/// Decides one case per line; empty lines are none.
fn lines(engine: &Engine, cases: &mut dyn BufRead, console: &mut Console) -> Result<Exit, Stop> {
    let mut worst = Exit::Passed;
    let mut line = Vec::new();
    while !console.reader_is_gone() {
        line.clear();
        let read = cases.take(CASE_MAX + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| Stop::usage(format!("standard input: cannot be read: {error}")))? == 0 {
            break;
        }
        let answered = if line.len() as u64 > CASE_MAX {
            skip_line(cases).map_err(|error| Stop::usage(format!("standard input: cannot be read: {error}")))?;
            Answered::refused(too_long())
        } else {
            match std::str::from_utf8(line.trim_ascii()) {
                Ok("") => continue,
                Ok(text) => engine.json(text),
                Err(_) => Answered::refused("not a case in JSON: it is not UTF-8 text"),
            }
        };
        worst = worst.worst(print(&answered, console)?);
    }
    Ok(worst)
}

/// Leaves out what is left of a line.
fn skip_line(cases: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = cases.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        cases.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn too_long() -> String {
    format!("a case has at most {} MiB", CASE_MAX >> 20)
}

fn print(answered: &Answered, console: &mut Console) -> Result<Exit, Stop> {
    console.print(&format!("{}\n", answered.line))?;
    Ok(if answered.problems.is_empty() { Exit::Passed } else { Exit::Usage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format_and_else_the_beginning() {
        let of = |name: &str, text: &str| format_of(Path::new(name), text.as_bytes());
        assert_eq!(of("a.toml", "{"), Format::Toml);
        assert_eq!(of("a.jsonl", ""), Format::Lines);
        assert_eq!(
            (of("a.json", "{\n}"), of("-", " {\n\"a\":1}"), of("a.json", "[")),
            (Format::Json, Format::Json, Format::Json)
        );
        assert_eq!(
            (of("-", "{}\n\n{}\n"), of("a.json", "{}\n{"), of("-", "{}\n\n")),
            (Format::Lines, Format::Lines, Format::Json)
        );
        assert_eq!((of("-", "a = 1"), of("case", ""), of("-", "[new]")), (Format::Toml, Format::Toml, Format::Toml));
    }

    #[test]
    fn a_line_that_is_too_long_ends_where_it_ends() {
        let mut rest: &[u8] = b"aaa\nb\n";
        skip_line(&mut rest).expect("bytes can be read");
        assert_eq!(rest, b"b\n");
        skip_line(&mut rest).and_then(|()| skip_line(&mut rest)).expect("the end is no error");
        assert_eq!(rest, b"");
    }
}
