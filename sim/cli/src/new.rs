//! `windtunnel new`: a scenario that runs as it is, to be changed into the one that is wanted.

use crate::args::NewArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::file::quoted;
use crate::stop::Stop;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes `NAME.toml`; a file that is there is never touched.
pub(crate) fn new(args: &NewArgs, console: &mut Console) -> Result<Exit, Stop> {
    let path = path_of(&args.name)?;
    let name = scenarios::name_of(&path);
    // Asking first and writing then would overwrite what somebody else wrote between the two.
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Stop::usage(format!("{}: is already there, and was left as it is", path.display()))
                .help("choose another name, or edit the file"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("."));
            return Err(Stop::usage(format!("{}: there is no such folder", folder.display()))
                .help(format!("mkdir -p {}", quoted(folder))));
        }
        Err(error) => return Err(Stop::unusable(&path, &error)),
    };
    file.write_all(scenarios::template(&name).as_bytes())
        .map_err(|error| Stop::output(&path.display().to_string(), &error))?;
    let shown = quoted(&path);
    if console.look.json() {
        console.print(&format!("{}\n", serde_json::json!({"written": path.to_string_lossy()})))?;
    } else {
        let step = |command: String, what: &str| {
            format!("    {}   {what}\n", console.look.strong(&format!("{command:<w$}", w = 42)))
        };
        let text = format!(
            "  written to {shown}\n\n{}{}{}",
            step(format!("windtunnel run {shown} --seed 1"), "runs it as it is"),
            step(format!("windtunnel validate {shown}"), "checks it after every change"),
            step("windtunnel list".into(), "shows what else can be in it"),
        );
        console.print(&text)?;
    }
    Ok(Exit::Passed)
}

/// The file of this name.
fn path_of(name: &Path) -> Result<PathBuf, Stop> {
    let stem = name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = stem.strip_suffix(".toml").unwrap_or(stem);
    if stem.is_empty() || stem.starts_with(['.', '-']) || stem.chars().any(char::is_control) {
        return Err(Stop::usage(format!("`{}` cannot be a scenario's name", name.display()))
            .help("a name such as `mine` makes the file mine.toml"));
    }
    Ok(name.with_file_name(format!("{stem}.toml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_file() {
        let file = |name: &str| path_of(Path::new(name)).ok();
        assert_eq!(file("mine"), Some("mine.toml".into()));
        assert_eq!(file("mine.toml"), Some("mine.toml".into()));
        assert_eq!(file("some/where/mine"), Some("some/where/mine.toml".into()));
        assert_eq!(file("v1.2"), Some("v1.2.toml".into()));
        assert_eq!([".", "..", "", "/", ".toml", "-x"].map(file), [const { None }; 6]);
    }
}
