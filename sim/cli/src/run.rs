//! `windtunnel run`: scenarios and seeds in, results out, in the order in which they were asked for.

use crate::args::{RunArgs, TracePath};
use crate::console::{Console, Look, count, plain, wrap};
use crate::exit::Exit;
use crate::file::{self, Loaded};
use crate::job::{self, Finished, NoOutcome, Panic};
use crate::names::Names;
use crate::progress::Progress;
use crate::report::{self, Draft, DraftFile, Kind};
use crate::seeds::{self, Seeds};
use crate::stop::Stop;
use crate::sweep;
use reports::console as summary;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use world::kernel::trace::{Entry, Level, Trace, Window, chrome, json};
use world::{Options, Run, Spec};

/// Entries of a trace that are kept; at about 150 bytes each, this stays below a gigabyte.
pub(crate) const TRACE_MAX: usize = 4_000_000;

/// Runs every file under every seed.
pub(crate) fn run(args: &RunArgs, console: &mut Console) -> Result<Exit, Stop> {
    let files = file::load(&args.files, console)?;
    let seeds = args.seeds.clone().unwrap_or_else(|| Seeds::one(args.seed.unwrap_or_else(seeds::fresh)));
    let alone = files.len() == 1 && seeds.count() == 1;
    if args.trace.is_some() && !alone {
        return Err(Stop::usage("--trace writes one run, and these are several files").help("trace them one by one"));
    }
    if let Some(trace) = &args.trace {
        has_folder(trace.path())?;
    }
    if let Some(out) = &args.out {
        report::check(out, if alone { Kind::Run } else { Kind::Sweep }, args.force)?;
    }
    if args.seed.is_none() && args.seeds.is_none() {
        announce(seeds.first(), console)?;
    }
    match files.first() {
        Some(file) if alone => one(file, seeds.first(), args, console),
        _ => sweep::sweep(files, seeds, args, console),
    }
}

/// A trace goes into a folder that is there. Looked at before a folder is made for the report, so that nothing is
/// written when one of the two is wrong.
fn has_folder(path: &Path) -> Result<(), Stop> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(Stop::usage(format!("--trace {}: there is no folder {}", path.display(), folder.display()))
                .help(format!("mkdir -p {}", file::quoted(folder))))
        }
        _ if path.is_dir() => Err(Stop::usage(format!("--trace {}: is a folder", path.display()))),
        _ => Ok(()),
    }
}

/// The first thing to know about a run whose seed nobody chose. Standard output holds JSON and nothing else when it is
/// for programs, so there it goes to standard error.
fn announce(seed: u64, console: &mut Console) -> Result<(), Stop> {
    if console.look.json() {
        console.note(&format!("seed {seed}, drawn\n"));
        return Ok(());
    }
    let text = format!("  seed {seed}   drawn; --seed {seed} gives the same run again\n\n");
    let text = console.look.quiet(text.trim_end()) + "\n\n";
    console.print(&text)
}

/// A single run, with its trace and its report.
fn one(file: &Loaded, seed: u64, args: &RunArgs, console: &mut Console) -> Result<Exit, Stop> {
    let trace = args.trace.as_ref().map(TraceFile::create).transpose()?;
    let draft = args.out.as_deref().map(Draft::begin).transpose()?;
    let level = match &trace {
        Some(_) => Level::Entries { window: Window::ALL, cap: TRACE_MAX, without: &[] },
        None => Level::Fingerprint,
    };
    let progress = Progress::of_one(&plain(&file.scenario.name));
    let options = Options { trace: level, progress: Some(progress.simulated()), ..Options::default() };
    let finished = job::execute(file, seed, &options, args.twice);
    drop(progress);
    if let Err(NoOutcome::Standstill { message, advice }) = &finished.result {
        return Err(Stop::standstill(file, message, advice));
    }
    console.print(&told(file, seed, &finished, console.look))?;
    let mut written = Vec::new();
    // A run that panicked has neither, and the drafts of both go away by themselves.
    if let (Ok(run), Some(trace)) = (&finished.result, trace) {
        written.push(trace.write(run, &file.lower(seed), console)?);
    }
    if let (Ok(run), Some(draft), Some(out)) = (&finished.result, draft, &args.out) {
        report::write(draft.folder(), file, &run.outcome, finished.wall).map_err(|error| draft.failed(&error))?;
        draft.publish()?;
        written.insert(0, format!("report       {}", out.join("index.html").display()));
    }
    if !console.look.json() {
        for line in &written {
            console.print(&format!("    {line}\n"))?;
        }
    }
    Ok(finished.exit())
}

/// A run as results are written: a summary for people, or a line of JSON.
pub(crate) fn told(file: &Loaded, seed: u64, finished: &Finished, look: Look) -> String {
    match &finished.result {
        Err(why) if look.json() => no_outcome_json(file, seed, why, finished) + "\n",
        Err(why) => no_outcome(file, seed, why, look),
        Ok(run) => {
            let replay = file.replay(seed, run.outcome.failure.as_ref());
            if look.json() {
                return outcome_json(run, &replay, finished) + "\n";
            }
            let options = summary::Options { colour: look.colour, width: look.width, replay, wall: finished.wall };
            let mut text = summary::summary(&run.outcome, &options);
            if let Some(second) = finished.diverged {
                let word = look.paint("1;31", "✗ DIVERGED");
                text.push_str(&format!("\n  {word}   the same seed again gave fingerprint {second}\n"));
            }
            text
        }
    }
}

fn outcome_json(run: &Run, replay: &str, finished: &Finished) -> String {
    let line = reports::json::run(&run.outcome, replay, finished.wall);
    let Some(second) = finished.diverged else { return line };
    let mut object: serde_json::Value = serde_json::from_str(&line).expect("what was just written can be read");
    object["diverged_fingerprint"] = second.to_string().into();
    if finished.exit() == Exit::Divergence {
        let message = format!("the same seed again gave fingerprint {second}");
        object["verdict"] = Exit::Divergence.name().into();
        object["exit_code"] = Exit::Divergence.code().into();
        object["failure"] = failure_json(Exit::Divergence, "fingerprint", &message, replay);
    }
    object.to_string()
}

fn no_outcome_json(file: &Loaded, seed: u64, why: &NoOutcome, finished: &Finished) -> String {
    let replay = file.replay(seed, None);
    let exit = why.exit();
    let name = if exit == Exit::Crash { "panic" } else { "standstill" };
    serde_json::json!({
        "scenario": file.scenario.name,
        "seed": seed.to_string(),
        "fingerprint": null,
        "verdict": exit.name(),
        "exit_code": exit.code(),
        "failure": failure_json(exit, name, &why.message(), &replay),
        "wall_s": finished.wall.as_secs_f64(),
        "replay": replay,
    })
    .to_string()
}

fn failure_json(exit: Exit, name: &str, message: &str, replay: &str) -> serde_json::Value {
    serde_json::json!({"kind": exit.name(), "name": name, "at_s": null, "message": message, "replay": replay})
}

/// Why a run left nothing, as people read it.
pub(crate) fn no_outcome(file: &Loaded, seed: u64, why: &NoOutcome, look: Look) -> String {
    match why {
        NoOutcome::Panic(panic) => crash(file, seed, panic, look),
        NoOutcome::Standstill { message, advice } => {
            let mut text = format!("  {}   seed {seed}\n\n", look.strong(&plain(&file.scenario.name)));
            text.push_str(&format!("  {}\n", look.paint("1;31", "✗ STOPPED   the scenario cannot be run")));
            for line in wrap(&plain(&format!("{message}; {advice}")), look.width - 4) {
                text.push_str(&format!("    {line}\n"));
            }
            text.push_str(&format!("    again        {}\n", look.strong(&file.again(seed))));
            text
        }
    }
}

/// A panic as people read it.
fn crash(file: &Loaded, seed: u64, panic: &Panic, look: Look) -> String {
    let mut text = format!("  {}   seed {seed}\n\n", look.strong(&plain(&file.scenario.name)));
    text.push_str(&format!("  {}   a bug in windtunnel, at {}\n", look.paint("1;31", "✗ CRASHED"), panic.place));
    for line in wrap(&plain(&panic.message), look.width - 4) {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str(&format!("    replay       {}\n", look.strong(&file.replay(seed, None))));
    text
}

/// A trace's file, opened before the run so that a name that cannot be written costs nothing.
struct TraceFile<'a> {
    to: &'a TracePath,
    draft: DraftFile,
    file: File,
}

impl TraceFile<'_> {
    fn create(to: &TracePath) -> Result<TraceFile<'_>, Stop> {
        let (draft, file) = DraftFile::create(to.path()).map_err(|error| Stop::unusable(to.path(), &error))?;
        Ok(TraceFile { to, draft, file })
    }

    /// Writes the trace; answers with a line on where it is.
    fn write(self, run: &Run, spec: &Spec, console: &Console) -> Result<String, Stop> {
        let path = self.to.path();
        let mut out = BufWriter::new(self.file);
        put(self.to, run, spec, &mut out)
            .and_then(|()| out.flush())
            .and_then(|()| self.draft.publish())
            .map_err(|error| Stop::output(&path.display().to_string(), &error))?;
        console.note(&left_out(&run.trace));
        let opened_by = match self.to {
            TracePath::Lines(_) => "",
            TracePath::Perfetto(_) => "   (opens at https://ui.perfetto.dev)",
        };
        Ok(format!("trace        {}{opened_by}", path.display()))
    }
}

fn put(to: &TracePath, run: &Run, spec: &Spec, out: &mut impl Write) -> io::Result<()> {
    let names = Names::of(run, spec);
    let text = |entry: &Entry| names.text(entry);
    let telling = names.telling(run, &text);
    match to {
        TracePath::Lines(_) => json::write(&run.trace, &telling, out),
        TracePath::Perfetto(_) => chrome::write(&run.trace, &telling, out),
    }
}

/// What to say about entries that were not kept; nothing when all were.
pub(crate) fn left_out(trace: &Trace) -> String {
    match trace.recorder().map_or(0, |recorder| recorder.left_out()) {
        0 => String::new(),
        n => format!(
            "warning: the trace keeps its first {} entries; {} more were left out\n  \
             help: `windtunnel replay FILE --seed N --around T` tells any moment in full\n",
            count(TRACE_MAX as u64),
            count(n)
        ),
    }
}
