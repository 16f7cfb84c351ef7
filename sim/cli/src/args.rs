//! The command line as a type. `-h`, `--help`, the man page and shell completions all come from this file, so what they
//! say is what there is.

mod decide;
mod route;

pub(crate) use decide::{DecideArgs, engine_names};
pub(crate) use route::{KeyHash, RouteArgs};

use crate::seeds::{self, Seeds};
use base::{Duration, Instant};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use scenarios::scalar::{Scalar, Span};
use std::path::{Path, PathBuf};
use world::balancer::hashing::Maglev;

/// Simulates service registries, load balancers and rollouts under faults, from a seed.
///
/// A scenario file says what runs, what goes wrong and what must hold. A run of it depends on the file and a seed and
/// on nothing else, so whatever it finds can be found again.
#[derive(Parser, Debug)]
#[command(name = "windtunnel", version, arg_required_else_help = true, max_term_width = 110)]
#[command(disable_help_subcommand = true, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true, value_name = "human|json")]
    #[arg(help_heading = "Output")]
    pub(crate) format: Format,
    /// When to use colours; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    #[arg(value_name = "auto|always|never", help_heading = "Output")]
    pub(crate) color: Color,
}

const AFTER_HELP: &str = "\
A first flight:
  windtunnel run weather --seed 1";

const AFTER_LONG_HELP: &str = "\
A first flight:
  windtunnel list scenarios
  windtunnel run weather --seed 1 --out report
  windtunnel new mine && windtunnel run mine.toml

Results go to standard output. Problems go to standard error, and so does progress, on a terminal only.

Exit codes (of many runs, the worst decides):
    0  passed      all that was asked for held
    1  output      results could not be written: disk full, no permission
    2  usage       flags or scenario wrong; nothing ran, nothing was written
   10  safety      an `always` was broken
   11  liveness    calm ended without an `eventually`
   12  coverage    passed, but a `sometimes` was never seen
   13  divergence  same seed, other fingerprint
   14  objective   an SLO or expectation was missed
  101  crash       a panic: a bug in windtunnel
  130  interrupted stopped by Ctrl-C or a signal; what was done is kept";

/// One variant a command, in the order of `--help`.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run scenarios and judge them
    Run(RunArgs),
    /// Run one seed again and tell what happened, event by event
    Replay(ReplayArgs),
    /// Run a study: strategies, parameters and loads, compared with intervals and plots
    Compare(CompareArgs),
    /// Show every problem of scenario and study files, with line and column
    Validate(ValidateArgs),
    /// Show what exists: strategies, faults, invariants, scenarios, studies and more
    List(ListArgs),
    /// Say what a name means: a strategy, fault, invariant, preset, scenario, study, code
    Explain(ExplainArgs),
    /// Say what an engine would do next with a given spec and state, and by which rule
    Decide(DecideArgs),
    /// Show what a strategy chooses for given hosts and keys, without a simulation
    Route(RouteArgs),
    /// Write a scenario to start from
    New(NewArgs),
    /// Print the JSON Schema of scenario files, of study files or of cases, for editors
    Schema {
        /// That of study files
        #[arg(long, conflicts_with = "decide")]
        study: bool,
        /// That of a case of this engine of `decide`
        #[arg(long, value_name = "ENGINE", value_parser = engine_names(), hide_possible_values = true)]
        decide: Option<String>,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// The page of this command instead of the program's
        command: Option<String>,
    },
}

/// What `windtunnel run` takes.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// Scenario files, or names from `windtunnel list scenarios`
    ///
    /// A file that exists is preferred to a scenario of the library with the same name.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The seed: a number, 0x…, or a git hash of 40 digits [default: drawn, and printed first]
    ///
    /// Everything that chance decides in a run follows from it: the same scenario and seed give the same run on every
    /// machine. A git hash is folded to 64 bits. Without a seed a fresh one is drawn and printed first.
    #[arg(long, value_name = "N", value_parser = seeds::parse_seed, conflicts_with = "seeds")]
    pub(crate) seed: Option<u64>,
    /// Many seeds: 0..100 runs 0 to 99, 0..=100 also runs 100; several ranges with commas between them
    ///
    /// Interrupted with Ctrl-C, a sweep shows and writes what was done, and prints the command that runs the rest.
    #[arg(long, value_name = "A..B", value_parser = seeds::parse_ranges)]
    pub(crate) seeds: Option<Seeds>,
    /// How many runs at once [default: one a processor]
    ///
    /// Changes nothing that is printed or written, only how long it takes.
    #[arg(long, short, value_name = "N", value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    /// Write the report into this folder: a page, pictures and the data behind them
    ///
    /// One run: DIR/index.html, outcome.json, data/*.csv, plots/*.svg. Several files: the same in DIR/SCENARIO-SEED for
    /// each. Many seeds: DIR/sweep.csv and sweep.json with a row for each run, and full reports of each scenario's
    /// first seed that failed and first that passed. The folder is made where it is missing.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write into a folder that holds something else, and replace what reports have left there
    ///
    /// Without it, --out takes a folder that is missing, empty, or holds a report of the same kind, which is replaced
    /// as a whole. Files that no report has left are never touched.
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Write every event of the run: FILE.jsonl as JSON Lines, FILE.json for Perfetto and chrome://tracing
    #[arg(long, value_name = "FILE", value_parser = parse_trace_path, conflicts_with = "seeds")]
    pub(crate) trace: Option<TracePath>,
    /// Run each seed twice and fail when the fingerprints differ
    #[arg(long)]
    pub(crate) twice: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  windtunnel run weather                             one run of a library scenario, seed drawn
  windtunnel run mine.toml --seed 42 --out report    the page is report/index.html
  windtunnel run mine.toml --seeds 0..200 --jobs 4   how often does it fail, how far does it spread?
  windtunnel run *.toml --seed $(git rev-parse HEAD) --format json
  windtunnel run mine.toml --seed 42 --trace run.json       to be opened at https://ui.perfetto.dev

Exit code: 0 when everything held, else that of the worst run; see `windtunnel --help`.";

/// What `windtunnel replay` takes.
#[derive(Args, Debug)]
#[command(after_long_help = REPLAY_EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// A scenario file, or a name from `windtunnel list scenarios`
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The seed of the run
    #[arg(long, value_name = "N", value_parser = seeds::parse_seed)]
    pub(crate) seed: u64,
    /// Stop at this moment, such as 44.018s or 2m
    #[arg(long, value_name = "T", value_parser = parse_moment, conflicts_with = "around")]
    pub(crate) until: Option<Instant>,
    /// Tell everything from one second before this moment to one second after it
    #[arg(long, value_name = "T", value_parser = parse_moment)]
    pub(crate) around: Option<Instant>,
    /// Tell single requests too, and renewals, and whatever else was noted
    #[arg(long)]
    pub(crate) all: bool,
}

const REPLAY_EXAMPLES: &str = "\
Without --around or --all, the story leaves out what happens hundreds of times a second: single requests, and what \
each client says of its dealings with the registry. What lasted stands at the moment at which it ended, with its \
length in brackets. With --format json, everything comes as JSON Lines, as from `run --trace FILE.jsonl`.

Examples:
  windtunnel replay weather --seed 1                    the landmarks of the whole run
  windtunnel replay weather --seed 1 --around 44.018s   everything within a second of that moment
  windtunnel replay weather --seed 1 --until 50s --all | grep gateway-1

Exit code: that of the run when it was told to its end, else 0.";

/// What `windtunnel compare` takes.
#[derive(Args, Debug)]
#[command(after_long_help = COMPARE_EXAMPLES)]
pub(crate) struct CompareArgs {
    /// A study file, or a name from `windtunnel list studies`
    #[arg(value_name = "STUDY")]
    pub(crate) study: PathBuf,
    /// Write the report into this folder: a page, pictures, the data behind them, and a sample of every run
    ///
    /// DIR/samples keeps what each run left behind, so that a study that was interrupted goes on where it stopped, and
    /// one that was changed runs again only what the change concerns. DIR/cells has the scenario of every cell.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write into a folder that holds something else, and replace what reports have left there
    ///
    /// Without it, --out takes a folder that is missing, empty, or holds a report of the same kind, which is replaced
    /// as a whole. Files that no report has left are never touched.
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// How many runs at once [default: one a processor]
    ///
    /// Changes nothing that is printed or written, only how long it takes.
    #[arg(long, short, value_name = "N", value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    /// Other seeds than the study's: 0..100 runs 0 to 99, 0..=100 also runs 100
    #[arg(long, value_name = "A..B", value_parser = seeds::parse_ranges)]
    pub(crate) seeds: Option<Seeds>,
    /// Run a part only, such as 1/3, and leave nothing but its samples
    #[arg(long, value_name = "I/N", value_parser = parse_shard, conflicts_with = "merge")]
    pub(crate) shard: Option<Shard>,
    /// Run nothing, and report on the samples in these folders, which are those that shards wrote to
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub(crate) merge: Vec<PathBuf>,
    /// Afterwards take the time of a pick, on this machine, for everything that is compared
    ///
    /// Of a strategy, with counting the request in and out; of a hashing structure, of a lookup. All other figures of a
    /// report are those of every machine; these differ from day to day, so a report that has them is not the same
    /// twice.
    #[arg(long, conflicts_with = "shard")]
    pub(crate) time_picks: bool,
}

const COMPARE_EXAMPLES: &str = "\
Examples:
  windtunnel compare two-hosts                           a study of the library, its summary
  windtunnel compare mine.toml --out report              the page is report/index.html
  windtunnel compare mine.toml --out a --shard 1/2       on one machine
  windtunnel compare mine.toml --out b --shard 2/2       on another
  windtunnel compare mine.toml --merge a b --out report  the report that one machine would have written

Under one seed every cell meets the same requests, so differences between cells are paired by seed. A cell that is offered \
more work than it can do is not run, and the report says so.

Exit code: 0 when every run passed what its scenario asks for, else that of the worst; see `windtunnel --help`.";

/// What `windtunnel validate` takes.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  windtunnel validate mine.toml
  windtunnel validate scenarios/

Exit code: 0 when every file can be run, 2 when one cannot. Warnings do not change it.")]
pub(crate) struct ValidateArgs {
    /// Scenario and study files, folders with such files in them (at any depth), or library names
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// What `windtunnel list` takes.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Of what [default: everything]
    #[arg(value_enum)]
    pub(crate) what: Option<Kind>,
}

/// What `windtunnel explain` takes.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  windtunnel explain p2c
  windtunnel explain views_converge
  windtunnel explain partition
  windtunnel explain 12")]
pub(crate) struct ExplainArgs {
    /// A strategy, fault, invariant, preset, scenario, study, engine, or exit code by name or number
    pub(crate) name: String,
}

/// What `windtunnel new` takes.
#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// The scenario's name; the file is NAME.toml. May begin with a folder that exists
    pub(crate) name: PathBuf,
}

/// How results are written.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// One object a line.
    Json,
}

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal, unless the environment says no.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Never.
    Never,
}

/// What can be listed.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// How callers choose an instance
    Strategies,
    /// What can go wrong
    Faults,
    /// What can be promised
    Invariants,
    /// What is ready to run
    Scenarios,
    /// What is ready to be compared
    Studies,
    /// What a study can measure
    Measures,
    /// Curves that results can be drawn against
    Theories,
    /// What `decide` can be asked about
    Engines,
}

/// Where a trace goes, and in which format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TracePath {
    /// JSON Lines.
    Lines(PathBuf),
    /// The Trace Event Format.
    Perfetto(PathBuf),
}

impl TracePath {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            TracePath::Lines(path) | TracePath::Perfetto(path) => path,
        }
    }
}

/// More threads than this only wait for each other.
const JOBS_MAX: usize = 1024;

fn parse_jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=JOBS_MAX).contains(&jobs) => Ok(jobs),
        _ => Err(format!("a number of jobs is a whole number from 1 to {JOBS_MAX}")),
    }
}

pub(crate) fn parse_table_size(text: &str) -> Result<u32, String> {
    // What is no such number is as wrong as one that is too large.
    let size = text.parse().unwrap_or(u32::MAX);
    Maglev::check_size(size).map(|()| size)
}

/// A part of a study: the `number`th, from 1, `of` so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which part, from 1.
    pub(crate) number: usize,
    /// Of how many.
    pub(crate) of: usize,
}

/// More parts than any study has runs.
const SHARDS_MAX: usize = 1_000_000;

fn parse_shard(text: &str) -> Result<Shard, String> {
    let wrong = || format!("a shard is written I/N, such as 1/3: from 1/N to N/N, with N up to {SHARDS_MAX}");
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    match (number.trim().parse(), of.trim().parse()) {
        (Ok(number), Ok(of)) if 1 <= number && number <= of && of <= SHARDS_MAX => Ok(Shard { number, of }),
        _ => Err(wrong()),
    }
}

fn parse_trace_path(text: &str) -> Result<TracePath, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|e| e.to_str()) {
        Some("jsonl") => Ok(TracePath::Lines(path)),
        Some("json") => Ok(TracePath::Perfetto(path)),
        _ => Err("the name says the format: end it in .jsonl for JSON Lines or .json for Perfetto".into()),
    }
}

/// Reads a moment of a run, counted from its beginning, as it stands in reports and stories: `44.018s`.
fn parse_moment(text: &str) -> Result<Instant, String> {
    match Span::from_text(text) {
        Ok(span) => Ok(Instant::ZERO + span.0),
        Err(why) if why.label.is_empty() => Err(why.message),
        Err(why) => Err(format!("{}: {}", why.message, why.label)),
    }
}

/// How far `--around` looks to either side.
pub(crate) const AROUND: Duration = Duration::secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_definitions_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn help_lists_the_exit_codes_as_they_are() {
        for exit in Exit::ALL {
            let line = format!("  {:>3}  {:<11} {}", exit.code(), exit.name(), exit.meaning());
            assert!(AFTER_LONG_HELP.lines().any(|l| l == line), "no line `{line}`");
        }
    }

    #[test]
    fn moments_are_written_as_reports_write_them() {
        assert_eq!(parse_moment("44.018s"), Ok(Instant::from_millis(44_018)));
        assert_eq!(parse_moment("2m"), Ok(Instant::from_secs(120)));
        assert_eq!(parse_moment("1500ms"), Ok(Instant::from_millis(1_500)));
        let exact = Instant::from_nanos(5_000_000_250);
        assert_eq!(parse_moment(&exact.to_string()), Ok(exact));
        assert_eq!(parse_moment("44"), Err("`44` has no unit: one of ns, us, ms, s, m, h".into()));
    }

    #[test]
    fn jobs_are_at_least_one_and_not_absurdly_many() {
        assert_eq!((parse_jobs("1"), parse_jobs("1024")), (Ok(1), Ok(1024)));
        assert!(["0", "1025", "-1", "many", "99999999999999999999"].iter().all(|text| parse_jobs(text).is_err()));
    }

    #[test]
    fn a_table_has_a_prime_size() {
        assert_eq!([2, 7, 5_000_011].map(|n: u32| parse_table_size(&n.to_string())), [Ok(2), Ok(7), Ok(5_000_011)]);
        assert_eq!(parse_table_size("8"), Err("the table size must be a prime number; the next one is 11".into()));
        assert!(["0", "1", "-7", "5000023", "many"].iter().all(|text| parse_table_size(text).is_err()));
    }

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!(parse_shard("1/3"), Ok(Shard { number: 1, of: 3 }));
        assert_eq!(parse_shard("3/3"), Ok(Shard { number: 3, of: 3 }));
        assert!(
            ["0/3", "4/3", "1/0", "1", "a/b", "1/2/3", "-1/2", "1/1000001"].iter().all(|t| parse_shard(t).is_err())
        );
    }

    #[test]
    fn a_trace_says_its_format_by_its_name() {
        assert_eq!(parse_trace_path("a/b.jsonl"), Ok(TracePath::Lines("a/b.jsonl".into())));
        assert_eq!(parse_trace_path("run.json"), Ok(TracePath::Perfetto("run.json".into())));
        assert!(parse_trace_path("run").is_err() && parse_trace_path("run.txt").is_err());
    }
}
