//! Runs the program in a folder of its own, and compares what it said with golden text.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty folder that goes away with its test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("windtunnel-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for the test");
        Folder(path)
    }

    /// A folder with the scenarios of these tests in it.
    pub(crate) fn with_scenarios() -> Folder {
        let folder = Folder::new();
        for entry in fs::read_dir(root().join("tests/scenarios")).expect("the scenarios of these tests") {
            let path = entry.expect("a scenario").path();
            fs::copy(&path, folder.path(path.file_name().expect("a name").to_str().expect("text"))).expect("a copy");
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the test");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of everything in it, folders with a slash, in order.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let name = |entry: fs::DirEntry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        };
        let mut names: Vec<String> = entries.flatten().map(name).collect();
        names.sort();
        names
    }

    /// Runs `windtunnel` in it; `line` is split at spaces.
    pub(crate) fn run(&self, line: &str) -> Said {
        Said::of(self.command(line).output().expect("the program starts"))
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
        command.args(line.split_whitespace()).current_dir(&self.0).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(name);
        }
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a process said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Said {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        let code = output.status.code().expect("the program ends by itself");
        Said { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The lines of standard output as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// Standard output as one value of JSON, over several lines.
    pub(crate) fn json_text(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// `seed fingerprint` of each run in standard output.
    pub(crate) fn fingerprints(&self) -> Vec<String> {
        let text = |run: &Value, key: &str| run[key].as_str().unwrap_or_else(|| panic!("no {key}: {run}")).to_string();
        self.json().iter().map(|run| format!("{} {}", text(run, "seed"), text(run, "fingerprint"))).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares what commands said with the golden file `tests/golden/NAME.txt`; with `BLESS=1` the file is rewritten.
pub(crate) fn golden(name: &str, text: &str) {
    let path = root().join(format!("tests/golden/{name}.txt"));
    if std::env::var("BLESS").is_ok_and(|bless| bless == "1") {
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let differs = expected.lines().zip(text.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(text.lines().count()));
    let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_string();
    assert!(
        expected == text,
        "{} differs from line {}:\n- {}\n+ {}\n(BLESS=1 rewrites it)",
        path.display(),
        line + 1,
        show(&expected),
        show(text)
    );
}

/// Commands and what they said, as a person would have seen it.
pub(crate) fn session(folder: &Folder, commands: &[&str]) -> String {
    let mut text = String::new();
    for command in commands {
        let said = folder.run(command);
        text.push_str(&format!("$ windtunnel {command}\n{}{}[exit {}]\n\n", said.stdout, said.stderr, said.code));
    }
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// Commands that all end with one number, and what they said, as golden text.
pub(crate) fn all_exit(code: i32, folder: &Folder, name: &str, commands: &[&str]) {
    let text = session(folder, commands);
    assert_eq!(text.matches(&format!("[exit {code}]")).count(), commands.len(), "{text}");
    golden(name, &text);
}

/// The shape of a text: every number is `N`, and the width of columns does not count.
pub(crate) fn shape(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<String> = line.split_whitespace().map(shape_of_word).collect();
        out.push_str(&format!("{}{}\n", " ".repeat(indent.min(4)), words.join(" ")));
    }
    out
}

fn shape_of_word(word: &str) -> String {
    let hex = word.len() == 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
    if hex {
        return "FINGERPRINT".into();
    }
    let mut out = String::new();
    for c in word.chars() {
        let part_of_number = c.is_ascii_digit() || (matches!(c, '.' | ',') && out.ends_with('N'));
        match part_of_number {
            true if out.ends_with('N') => {}
            true => out.push('N'),
            false => out.push(c),
        }
    }
    out
}
