//! `windtunnel replay`: a run again, and its story this time.
//!
//! The same seed makes the same run, so a failure that was seen once can be looked at as often and as closely as one
//! likes, without having recorded anything the first time.

use crate::args::{AROUND, ReplayArgs};
use crate::console::{Console, count, plain};
use crate::exit::Exit;
use crate::file;
use crate::job::{self, NoOutcome};
use crate::names::Names;
use crate::progress::Progress;
use crate::run::{self, TRACE_MAX};
use crate::stop::Stop;
use crate::story::{SMALL, Scope, Story};
use base::Instant;
use world::kernel::trace::{Entry, Level, Window, json};
use world::{Options, Run, Spec, Verdict};

/// Runs a seed again and tells it.
pub(crate) fn replay(args: &ReplayArgs, console: &mut Console) -> Result<Exit, Stop> {
    let files = file::load(std::slice::from_ref(&args.file), console)?;
    let Some(file) = files.first() else { return Ok(Exit::Passed) };
    let (window, until) = match (args.around, args.until) {
        (Some(moment), _) => (Window::around(moment, AROUND), Some(moment.saturating_add(AROUND))),
        (None, Some(until)) => (Window { from: Instant::ZERO, until }, Some(until)),
        (None, None) => (Window::ALL, None),
    };
    let landmarks = !(args.all || args.around.is_some() || console.look.json());
    let without: &[&str] = if landmarks { &SMALL } else { &[] };
    let trace = Level::Entries { window, cap: TRACE_MAX, without };
    let progress = Progress::of_one(&plain(&file.scenario.name));
    let options = Options { trace, until, progress: Some(progress.simulated()), ..Options::default() };
    let finished = job::execute(file, args.seed, &options, false);
    drop(progress);
    let run = match &finished.result {
        Ok(run) => run,
        Err(NoOutcome::Standstill { message, advice }) => return Err(Stop::standstill(file, message, advice)),
        Err(NoOutcome::Panic(_)) => {
            console.print(&run::told(file, args.seed, &finished, console.look))?;
            return Ok(Exit::Crash);
        }
    };
    if console.look.json() {
        let spec = file.lower(args.seed);
        let names = Names::of(run, &spec);
        let text = |entry: &Entry| names.text(entry);
        console.write(|mut out| json::write(&run.trace, &names.telling(run, &text), &mut out))?;
    } else {
        tell(args, run, &file.lower(args.seed), window, console)?;
    }
    console.note(&run::left_out(&run.trace));
    // A run that was cut short is not judged.
    Ok(if until.is_none() { finished.exit() } else { Exit::Passed })
}

fn tell(args: &ReplayArgs, run: &Run, spec: &Spec, window: Window, console: &mut Console) -> Result<(), Stop> {
    let look = console.look;
    let outcome = &run.outcome;
    let part = match (args.around, args.until) {
        (Some(moment), _) => format!("from {} to {}: {AROUND} before and after {moment}", window.from, window.until),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "from beginning to end".into(),
    };
    let name = look.strong(&plain(&outcome.run.scenario));
    console.print(&format!("  {name}   seed {}   {part}\n\n", args.seed))?;
    let scope = if args.all || args.around.is_some() { Scope::Everything } else { Scope::Landmarks };
    let story = Story::of(run, spec, window, scope);
    console.write(|out| story.tell(look, out))?;
    let mut close = String::from("\n");
    if story.told() == 0 {
        close.push_str("  nothing happened in that time\n");
    }
    if story.passed_over() > 0 {
        let passed_over = count(story.passed_over());
        let line = format!(
            "  {passed_over} smaller things (each request, what each client did) are not told; --all tells them"
        );
        close.push_str(&look.quiet(&line));
        close.push('\n');
    }
    if args.around.is_none() && args.until.is_none() {
        let (code, word) = match outcome.verdict {
            Verdict::Passed => ("1;32", "✓ PASSED".to_string()),
            other => ("1;31", format!("✗ FAILED   {}", other.name())),
        };
        close.push_str(&format!("  {}", look.paint(code, &word)));
        if let Some(failure) = &outcome.failure {
            close.push_str(&format!("   {}", plain(&failure.name)));
            // What was broken at a moment stands in the story.
            if matches!(failure.verdict, Verdict::Objective | Verdict::Coverage) {
                close.push_str(&format!(": {}", plain(&failure.message)));
            }
        }
        close.push_str(&format!("\n    fingerprint {}\n", outcome.run.fingerprint));
    }
    console.print(&close)
}
