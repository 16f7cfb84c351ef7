//! `windtunnel validate`: every problem of every file, where it stands and what to write instead.
//!
//! Nothing runs. Here the problems are the result, so they go to standard output.

use crate::args::ValidateArgs;
use crate::compare;
use crate::console::{Console, counted};
use crate::exit::Exit;
use crate::file;
use crate::stop::Stop;
use scenarios::study::Study;
use scenarios::{Problem, Severity};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into; whoever has more has a loop of links.
const DEPTH_MAX: usize = 16;

/// Checks every file, and every file in every folder.
pub(crate) fn validate(args: &ValidateArgs, console: &mut Console) -> Result<Exit, Stop> {
    let mut files = Vec::new();
    for path in &args.paths {
        if path.is_dir() && path.to_str().and_then(file::in_library).is_none() {
            let before = files.len();
            scenario_files(path, DEPTH_MAX, &mut files);
            if files.len() == before {
                return Err(Stop::usage(format!("{}: holds no scenario files", path.display()))
                    .help("scenario files end in .toml; `windtunnel new NAME` writes one"));
            }
        } else {
            files.push(path.clone());
        }
    }
    let mut wrong = 0;
    for path in &files {
        let (text, fits) = one(path, console);
        wrong += usize::from(!fits);
        console.print(&text)?;
    }
    if files.len() > 1 && !console.look.json() {
        let files = counted(files.len() as u64, "file");
        let verdict = match wrong {
            0 => console.look.paint("1;32", &format!("✓ {files}, all can run")),
            n => console.look.paint("1;31", &format!("✗ {n} of {files} cannot run")),
        };
        console.print(&format!("\n  {verdict}\n"))?;
    }
    Ok(if wrong == 0 { Exit::Passed } else { Exit::Usage })
}

/// What to print about a file, and whether it can run.
fn one(path: &Path, console: &Console) -> (String, bool) {
    let look = console.look;
    let source = match file::read(path) {
        Ok(source) => source,
        Err(why) if look.json() => {
            let problem = serde_json::json!({"severity": "error", "message": why.to_string(), "help": why.help()});
            return (line(&path.display().to_string(), false, None, vec![problem]), false);
        }
        Err(why) => return (file::not_read(path, &why), false),
    };
    let (problems, summary) = if scenarios::study::is_study(&source.text) {
        let checked = compare::check(&source, path);
        (checked.problems, checked.study.as_ref().map(summary_of_study))
    } else {
        let checked = source.check();
        (checked.problems, checked.scenario.as_ref().map(|scenario| scenario.summary().to_string()))
    };
    let fits = summary.is_some();
    if look.json() {
        let problems = problems.iter().map(|problem| object(problem, &source.text)).collect();
        return (line(source.shown(), fits, summary, problems), fits);
    }
    let mut text = source.render(&problems, look.colour);
    if let Some(summary) = summary {
        text.push_str(&format!("  {} {}   {}\n", look.paint("1;32", "✓"), source.shown(), look.quiet(&summary)));
    }
    (text, fits)
}

/// `study: 2 axes, 12 cells, 10 seeds, 1 cell unstable`.
fn summary_of_study(study: &Study) -> String {
    let plan = &study.plan;
    let of = |n: usize, noun: &str| counted(n as u64, noun);
    let axes = if plan.axes.len() == 1 { "1 axis".to_string() } else { format!("{} axes", plan.axes.len()) };
    let unstable = plan.cells.iter().filter(|cell| cell.is_unstable()).count();
    let unstable = if unstable == 0 { String::new() } else { format!(", {} unstable", of(unstable, "cell")) };
    format!("study: {axes}, {}, {}{unstable}", of(plan.cells.len(), "cell"), of(plan.seeds.len(), "seed"))
}

fn line(file: &str, fits: bool, summary: Option<String>, problems: Vec<serde_json::Value>) -> String {
    let object = serde_json::json!({"file": file, "can_run": fits, "summary": summary, "problems": problems});
    format!("{object}\n")
}

fn object(problem: &Problem, text: &str) -> serde_json::Value {
    let place = problem.span.as_ref().map(|span| place(text, span.start));
    serde_json::json!({
        "severity": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": problem.message,
        "label": (!problem.label.is_empty()).then_some(&problem.label),
        "help": problem.help,
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
    })
}

/// Line and column of a byte, both from 1; columns count characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Scenario files in a folder and below, in order. Hidden folders, build results and cargo's own files are passed over.
fn scenario_files(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if depth > 0 && !name.starts_with('.') && name != "target" {
                scenario_files(&path, depth - 1, files);
            }
        } else if name.ends_with(".toml") && !name.starts_with('.') && name != "Cargo.toml" {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_and_in_characters() {
        let text = "a = 1\nü = 2\n";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, 4), (1, 5));
        assert_eq!(place(text, 6), (2, 1));
        assert_eq!(place(text, 8), (2, 2), "ü is two bytes and one column");
        assert_eq!(place(text, 1_000), (3, 1));
    }
}
