//! Running other programs: always from the root of the repository, never with a keyboard, and with the command shown.
//!
//! A command that fails becomes a sentence with the command in it, so that the last line of a failed chore can be
//! pasted into a terminal.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a chore gives: its result, or a sentence for the person who started it.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_path_buf()
}

/// A program that will run in the root, without a keyboard.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that started us, or the one on the path.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    command.args(args);
    command
}

/// Runs `command` with its output on our console; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = announce(command);
    let status = command.status().map_err(|e| format!("`{shown}` could not be started: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// Runs `command` with its output on our console and hands each line of its standard output to `see`.
pub(crate) fn watch(command: &mut Command, see: impl FnMut(&str)) -> Result<()> {
    watch_on(&mut std::io::stdout().lock(), command, see)
}

fn watch_on(console: &mut impl Write, command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    let shown = show(command);
    // A closed console is no reason to leave a half-run test suite behind: failing to write is ignored throughout.
    let _ = writeln!(console, "$ {shown}");
    let mut child =
        command.stdout(Stdio::piped()).spawn().map_err(|e| format!("`{shown}` could not be started: {e}"))?;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(|e| format!("`{shown}` cannot be read: {e}"))? > 0 {
        let _ = console.write_all(&line).and_then(|()| console.flush());
        see(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    let status = child.wait().map_err(|e| format!("`{shown}` was lost: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// Runs `command` silently and gives its standard output; on failure its standard error is in the sentence.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().map_err(|e| format!("`{shown}` could not be started: {e}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{shown}` failed ({}):\n{}", output.status, said.trim_end()))
    }
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|e| format!("`cargo metadata`: {e}"))?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target")))
}

/// The command line as the tests build it: a build of `cli` by itself would choose other features of what it uses, and
/// compile half the workspace once more.
pub(crate) fn windtunnel() -> Result<Command> {
    run(&mut cargo(&["test", "--quiet", "--workspace", "--no-run", "--test", "program"]))?;
    Ok(program(&target()?.join("debug/windtunnel").to_string_lossy()))
}

/// Refuses words after the name of a command that takes none.
pub(crate) fn no_options(name: &str, args: &[String]) -> Result<()> {
    match args.first() {
        None => Ok(()),
        Some(word) => Err(format!("`{word}` is not understood: `cargo xtask {name}` takes no options")),
    }
}

/// A line for the person who waits.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// A chore made of named steps, each under its heading and with its time; the first failure ends it.
pub(crate) struct Steps {
    begun: Instant,
    names: Vec<&'static str>,
}

impl Steps {
    /// No step yet; the clock runs from here.
    pub(crate) fn begin() -> Self {
        Steps { begun: Instant::now(), names: Vec::new() }
    }

    /// Does one step.
    pub(crate) fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.names.push(name);
        println!("\n━━ {}. {name}", self.names.len());
        let begun = Instant::now();
        let result = work();
        let seconds = begun.elapsed().as_secs_f64();
        match &result {
            Ok(_) => println!("━━ {name}: done in {seconds:.1} s"),
            Err(_) => println!("━━ {name}: FAILED after {seconds:.1} s"),
        }
        result.map_err(|message| format!("step `{name}`: {message}"))
    }

    /// How long it has taken until now, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

fn announce(command: &Command) -> String {
    let shown = show(command);
    println!("$ {shown}");
    shown
}

/// The command as one would type it, with the environment it adds.
fn show(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())));
        }
    }
    let name = Path::new(command.get_program());
    words.push(name.file_name().unwrap_or(name.as_os_str()).to_string_lossy().into_owned());
    words.extend(command.get_args().map(|arg| quoted(&arg.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_string() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_a_sentence_that_can_be_pasted() {
        let mut command = program("/bin/false");
        command.env("MOOD", "two words").arg("--what");
        assert_eq!(output(&mut command).unwrap_err(), "`MOOD='two words' false --what` failed (exit status: 1):\n");
        let missing = output(&mut program("there-is-no-such-program")).unwrap_err();
        assert!(missing.starts_with("`there-is-no-such-program` could not be started"), "{missing}");
    }

    #[test]
    fn every_line_of_a_watched_command_is_seen() {
        let (mut console, mut seen) = (Vec::new(), Vec::new());
        let mut command = program("sh");
        command.args(["-c", "echo one; printf two; exit 3"]);
        let result = watch_on(&mut console, &mut command, |line| seen.push(line.to_string()));
        assert_eq!(seen, ["one", "two"]);
        assert_eq!(String::from_utf8_lossy(&console), "$ sh -c 'echo one; printf two; exit 3'\none\ntwo");
        assert!(result.unwrap_err().contains("exit status: 3"));
    }
}
