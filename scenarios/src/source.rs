//! A scenario file on disk: what can be wrong with it before a single character is understood.

use crate::problem::nearest;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read. The largest scenario anyone wrote by hand has a few kilobytes.
pub const SIZE_MAX: u64 = 1024 * 1024;

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it was.
    pub path: PathBuf,
    /// The scenario's short name: the file name without the extension.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Why a file was not read. Nothing else was touched.
#[derive(Debug)]
pub enum ReadError {
    /// There is no such file.
    Missing {
        /// This one.
        path: PathBuf,
        /// Files nearby with a similar name, or scenarios in the same folder.
        near: Vec<String>,
    },
    /// It is a directory.
    Directory {
        /// This one.
        path: PathBuf,
        /// Scenario files in it.
        inside: Vec<String>,
    },
    /// It is neither a file nor a directory: a device, a socket.
    NotAFile(PathBuf),
    /// It is larger than [`SIZE_MAX`].
    TooLarge {
        /// This one.
        path: PathBuf,
        /// How many bytes it has, at least.
        bytes: u64,
    },
    /// It holds nothing.
    Empty(PathBuf),
    /// It is not text.
    NotUtf8 {
        /// This one.
        path: PathBuf,
        /// The first byte that does not belong to any character.
        offset: usize,
    },
    /// It may not be read.
    Forbidden(PathBuf),
    /// The system said something else.
    Io(PathBuf, io::Error),
}

/// Reads a scenario file.
///
/// Looks at the kind and size first, so that a directory, a device or an enormous file costs nothing.
pub fn read(path: impl AsRef<Path>) -> Result<Source, ReadError> {
    let path = path.as_ref();
    let meta = fs::metadata(path).map_err(|error| describe(path, error))?;
    if meta.is_dir() {
        return Err(ReadError::Directory { path: path.to_path_buf(), inside: toml_files(path) });
    }
    if !meta.is_file() {
        return Err(ReadError::NotAFile(path.to_path_buf()));
    }
    if meta.len() > SIZE_MAX {
        return Err(ReadError::TooLarge { path: path.to_path_buf(), bytes: meta.len() });
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    // A file may grow between the two calls; one byte beyond the limit is enough to notice.
    let file = File::open(path).map_err(|error| describe(path, error))?;
    file.take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(|error| describe(path, error))?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(ReadError::TooLarge { path: path.to_path_buf(), bytes: bytes.len() as u64 });
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| ReadError::NotUtf8 { path: path.to_path_buf(), offset: error.utf8_error().valid_up_to() })?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(ReadError::Empty(path.to_path_buf()));
    }
    Ok(Source { path: path.to_path_buf(), name: name_of(path), text })
}

/// The short name of a scenario file: its name without the extension.
pub fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(|| "scenario".to_string(), |stem| stem.to_string_lossy().into_owned())
}

fn describe(path: &Path, error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path: path.to_path_buf(), near: near(path) },
        io::ErrorKind::PermissionDenied => ReadError::Forbidden(path.to_path_buf()),
        _ => ReadError::Io(path.to_path_buf(), error),
    }
}

/// Scenario files that may have been meant: the nearest name in the same folder, else all that are there.
fn near(path: &Path) -> Vec<String> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let files = toml_files(&folder);
    let wanted = name_of(path);
    let stem = |file: &String| name_of(Path::new(file));
    let stems: Vec<String> = files.iter().map(stem).collect();
    match nearest(&wanted, stems.iter().map(String::as_str)) {
        Some(guess) => files.iter().filter(|file| stem(file) == guess).cloned().collect(),
        None => files,
    }
}

/// The scenario files of a folder, at most ten, in order.
fn toml_files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<String> = entries
        .take(10_000)
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|e| e == "toml") && path.file_name().is_some_and(|n| n != "Cargo.toml")
        })
        .map(|path| path.strip_prefix("./").unwrap_or(&path).display().to_string())
        .collect();
    files.sort();
    files.truncate(10);
    files
}

impl ReadError {
    /// What to try next, if there is something.
    pub fn help(&self) -> Option<String> {
        match self {
            ReadError::Missing { near, .. } if near.len() == 1 => Some(format!("did you mean `{}`?", near[0])),
            ReadError::Missing { near, .. } if !near.is_empty() => Some(format!("there are: {}", near.join(", "))),
            ReadError::Directory { inside, .. } if !inside.is_empty() => {
                Some(format!("it holds: {}", inside.join(", ")))
            }
            ReadError::Empty(_) => Some("`windtunnel new NAME` writes a scenario to start from".to_string()),
            _ => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Missing { path, .. } => write!(f, "{}: there is no such file", path.display()),
            ReadError::Directory { path, .. } => write!(f, "{}: is a directory, not a scenario file", path.display()),
            ReadError::NotAFile(path) => write!(f, "{}: is not a regular file", path.display()),
            ReadError::TooLarge { path, bytes } => {
                let mib = *bytes as f64 / (1024.0 * 1024.0);
                write!(f, "{}: has {mib:.1} MiB; a scenario has at most 1 MiB", path.display())
            }
            ReadError::Empty(path) => write!(f, "{}: is empty", path.display()),
            ReadError::NotUtf8 { path, offset } => {
                write!(f, "{}: is not UTF-8 text; the first odd byte is number {}", path.display(), offset + 1)
            }
            ReadError::Forbidden(path) => write!(f, "{}: permission denied", path.display()),
            ReadError::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReadError::Io(_, error) => Some(error),
            _ => None,
        }
    }
}
