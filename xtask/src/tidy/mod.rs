//! `cargo xtask tidy`: the rules about the code itself that no compiler knows, executed.
//!
//! Each rule is a function from a [`Tree`] (all files of the repository, held in memory) to findings, so that a test
//! can plant a fault and see it found. The repository itself is judged by a test too, so `cargo test` is enough to keep
//! them.

mod edges;
mod invariants;
mod layout;
mod licences;
mod recipes;
mod sources;

use crate::shell::{self, Result};
use serde_json::Value;
use std::fmt;
use std::path::Path;

pub(crate) const HELP: &str = "\
checks the rules about the code itself: edges, headers, licences, layout

The rules, each of which is also a test of this crate:

  edges        which crate uses which is what ARCHITECTURE.md draws: none more, none less
  sources      each .rs file opens with prose and has at most 600 lines; comments wrap; no leftovers, tabs or trailing whitespace
  invariants   each file in sim/world/src/invariant/ is used by a scenario of the library; each planted bug by a test
  recipes      a kind of engine, process or fault is its files and its line, and no other source names it
  licences     every dependency's licence is permitted by deny.toml, and none is a crate it bans
  layout       the top level holds what ARCHITECTURE.md says; each crate inherits the workspace's lints

A finding names the file and line, and what to do about it.
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    shell::no_options("tidy", args)?;
    let findings = check()?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: nothing to do");
            Ok(())
        }
        1 => Err("tidy found 1 thing to do".into()),
        n => Err(format!("tidy found {n} things to do")),
    }
}

/// All findings about this repository, in the order of their places.
pub(crate) fn check() -> Result<Vec<Finding>> {
    let tree = Tree::load(&shell::root())?;
    let members = metadata(&["--no-deps"])?;
    let packages = metadata(&[])?;
    let mut findings = edges::check(&tree, &members);
    findings.extend(sources::check(&tree));
    findings.extend(invariants::check(&tree));
    findings.extend(invariants::check_bugs(&tree));
    findings.extend(recipes::check(&tree));
    findings.extend(licences::check(&tree, &packages));
    findings.extend(layout::check(&tree, &members));
    findings.sort();
    Ok(findings)
}

fn metadata(options: &[&str]) -> Result<Value> {
    let text = shell::output(shell::cargo(&["metadata", "--format-version", "1"]).args(options))?;
    serde_json::from_str(&text).map_err(|e| format!("`cargo metadata` wrote something else than JSON: {e}"))
}

/// Something to do, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl Finding {
    /// Line 0 speaks of the whole file.
    fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Finding { file: file.to_string(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

/// The files of the repository with their text: what is tracked and what could be, but nothing that is ignored.
pub(crate) struct Tree {
    files: Vec<File>,
}

/// A file, by its path from the root with `/` between the parts.
struct File {
    path: String,
    /// Nothing for what is not text.
    text: Option<String>,
}

impl Tree {
    fn load(root: &Path) -> Result<Tree> {
        let list = shell::output(shell::program("git").args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]));
        let mut paths: Vec<String> = match list {
            Ok(list) => list.split('\0').filter(|path| !path.is_empty()).map(String::from).collect(),
            // An unpacked archive, or a machine without git: what lies there is what there is.
            Err(_) => walk(root, "")?,
        };
        paths.sort();
        let read = |path: String| {
            // A file that was deleted but not yet committed is still in git's list.
            let bytes = std::fs::read(root.join(&path)).ok()?;
            Some(File { path, text: String::from_utf8(bytes).ok() })
        };
        Ok(Tree { files: paths.into_iter().filter_map(read).collect() })
    }

    /// Paths and texts of the files that are text.
    fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.texts().find(|(p, _)| *p == path).map(|(_, text)| text)
    }

    #[cfg(test)]
    fn planted(files: &[(&str, &str)]) -> Tree {
        let plant = |&(path, text): &(&str, &str)| File { path: path.into(), text: Some(text.into()) };
        Tree { files: files.iter().map(plant).collect() }
    }
}

/// The Rust files of the repository, by their paths from the root.
pub(crate) fn sources() -> Result<Vec<String>> {
    let tree = Tree::load(&shell::root())?;
    Ok(tree.paths().filter(|path| path.ends_with(".rs")).map(String::from).collect())
}

/// Every file under `root/under`, without what builds and git leave there.
fn walk(root: &Path, under: &str) -> Result<Vec<String>> {
    let complain = |e: std::io::Error| format!("{} cannot be listed: {e}", root.join(under).display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(root.join(under)).map_err(complain)? {
        let entry = entry.map_err(complain)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == ".git" || name.starts_with("target") && under.is_empty() {
            continue;
        }
        let path = if under.is_empty() { name } else { format!("{under}/{name}") };
        if entry.file_type().map_err(complain)?.is_dir() {
            paths.extend(walk(root, &path)?);
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The path of `absolute` from the root of the workspace that `metadata` speaks of.
fn relative(metadata: &Value, absolute: &str) -> String {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    absolute.strip_prefix(root).unwrap_or(absolute).trim_start_matches(['/', '\\']).replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let findings = check().unwrap();
        let list: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "`cargo xtask tidy` has something to say:\n{}\n", list.join("\n"));
    }

    #[test]
    fn without_git_the_same_sources_are_found() {
        let root = shell::root();
        let walked = walk(&root, "").unwrap();
        for path in Tree::load(&root).unwrap().paths() {
            assert!(walked.iter().any(|other| other == path), "{path} was not found by walking");
        }
        assert!(!walked.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
    }

    #[test]
    fn a_finding_points_at_its_line() {
        assert_eq!(Finding::new("a/b.rs", 7, "do this").to_string(), "a/b.rs:7: do this");
        assert_eq!(Finding::new("a/b.rs", 0, "do this").to_string(), "a/b.rs: do this");
    }
}
