//! `windtunnel`: the program around the simulator.
//!
//! Everything that a run must not know lives here: flags, files, threads, the clock on the wall, colours, the process.
//! The rest of this file is the table of contents.

mod args;
mod exit;
mod stop;

mod console;
mod progress;

mod file;
mod seeds;
mod suggest;

mod compare;
mod crew;
mod job;
mod report;
mod run;
mod sweep;

mod names;
mod replay;
mod story;

mod decide;
mod explain;
mod list;
mod new;
mod route;
mod shell;
mod validate;
mod words;

use args::Command;
use console::Console;
use exit::Exit;
use stop::Stop;

fn main() -> std::process::ExitCode {
    let cli = shell::parse();
    let mut console = Console::new(cli.format, cli.color);
    let exit = command(&cli.command, &mut console).unwrap_or_else(|stop| {
        console.note(stop.text());
        stop.exit
    });
    exit.code().into()
}

fn command(command: &Command, console: &mut Console) -> Result<Exit, Stop> {
    match command {
        Command::Run(args) => run::run(args, console),
        Command::Replay(args) => replay::replay(args, console),
        Command::Compare(args) => compare::compare(args, console),
        Command::Validate(args) => validate::validate(args, console),
        Command::List(args) => list::list(args, console),
        Command::Explain(args) => explain::explain(args, console),
        Command::Decide(args) => decide::decide(args, console),
        Command::Route(args) => route::route(args, console),
        Command::New(args) => new::new(args, console),
        Command::Schema { study, decide } => shell::schema(*study, decide.as_deref(), console),
        Command::Completions { shell } => shell::completions(*shell, console),
        Command::Man { command } => shell::man(command.as_deref(), console),
    }
}
