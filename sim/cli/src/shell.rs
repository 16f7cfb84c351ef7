//! What belongs to shells and editors: reading the command line, completions, manual pages, the schema.

use crate::args::Cli;
use crate::console::Console;
use crate::decide;
use crate::exit::Exit;
use crate::stop::Stop;
use crate::suggest::nearest;
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};
use clap_complete::Shell;
use std::ffi::OsString;

/// Reads the command line; what cannot be understood, and `--help`, end the process here.
///
/// `--color` must be known before anything is parsed, because it also colours what clap says about the rest.
pub(crate) fn parse() -> Cli {
    let args: Vec<OsString> = std::env::args_os().collect();
    let matches = Cli::command().color(color(&args)).get_matches_from(args);
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn color(args: &[OsString]) -> ColorChoice {
    let after = |arg: &OsString, next: Option<&OsString>| match arg.to_str()?.strip_prefix("--color")? {
        "" => next?.to_str().map(String::from),
        value => value.strip_prefix('=').map(String::from),
    };
    let before_dashes = args.iter().take_while(|arg| *arg != "--").count();
    let given = (1..before_dashes).rev().find_map(|i| after(&args[i], args.get(i + 1)));
    match given.as_deref() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// Prints completions for a shell.
pub(crate) fn completions(shell: Shell, console: &mut Console) -> Result<Exit, Stop> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "windtunnel", &mut text);
    console.write(|out| out.write_all(&text))?;
    Ok(Exit::Passed)
}

/// Prints the manual page of the program, or that of one command.
pub(crate) fn man(command: Option<&str>, console: &mut Console) -> Result<Exit, Stop> {
    let mut program = Cli::command();
    // Commands inherit the global flags only once the whole is built.
    program.build();
    let page = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone().display_name(format!("windtunnel-{name}")),
            None => return Err(no_command(&program, name)),
        },
    };
    let man = clap_mangen::Man::new(page).source(format!("windtunnel {}", env!("CARGO_PKG_VERSION")));
    console.write(|mut out| man.render(&mut out))?;
    Ok(Exit::Passed)
}

fn no_command(program: &clap::Command, name: &str) -> Stop {
    let names: Vec<&str> = program.get_subcommands().map(|command| command.get_name()).collect();
    let stop = Stop::usage(format!("there is no command `{name}`"));
    match nearest(name, names.iter().copied()) {
        Some(guess) => stop.help(format!("did you mean `windtunnel man {guess}`?")),
        None => stop.help(format!("commands are: {}", names.join(", "))),
    }
}

/// Prints the JSON Schema of scenario files, that of study files, or that of the cases of an engine.
pub(crate) fn schema(study: bool, engine: Option<&str>, console: &mut Console) -> Result<Exit, Stop> {
    let schema = match engine {
        Some(name) => decide::engine(name)?.schema(),
        None if study => scenarios::study::schema(),
        None => scenarios::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    console.print(&(text + "\n"))?;
    Ok(Exit::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_known_before_the_rest() {
        let of = |args: &[&str]| color(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["windtunnel", "--color", "always", "run"]), ColorChoice::Always);
        assert_eq!(of(&["windtunnel", "run", "--color=never"]), ColorChoice::Never);
        assert_eq!(of(&["windtunnel", "run", "--", "--color=never"]), ColorChoice::Auto);
        assert_eq!(of(&["windtunnel", "--color"]), ColorChoice::Auto);
        assert_eq!(of(&["windtunnel"]), ColorChoice::Auto);
    }
}
