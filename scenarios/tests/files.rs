//! What can be wrong with a file before a character of it is understood.

use scenarios::{ReadError, SIZE_MAX};
use std::fs;
use std::path::PathBuf;

/// A folder of its own for a test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("windtunnel-files-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(path: PathBuf) -> (ReadError, String, String) {
    let error = scenarios::read(&path).expect_err("it is refused");
    let message = error.to_string().replace(&path.parent().expect("a folder").display().to_string(), "…");
    let help = error.help().unwrap_or_default();
    (error, message, help)
}

#[test]
fn a_missing_file_names_its_neighbours() {
    let folder = Folder::new("missing");
    folder.file("weather.toml", b"x = 1");
    folder.file("steady.toml", b"x = 1");
    let (_, message, help) = refused(folder.0.join("wether.toml"));
    assert_eq!(message, "…/wether.toml: there is no such file");
    assert_eq!(help, format!("did you mean `{}`?", folder.0.join("weather.toml").display()));
    let (_, _, help) = refused(folder.0.join("something-else.toml"));
    assert!(help.starts_with("there are: ") && help.contains("steady.toml") && help.contains("weather.toml"));
    let (_, _, help) = refused(folder.0.join("no/such/folder.toml"));
    assert_eq!(help, "");
}

#[test]
fn a_directory_is_not_a_file_but_may_hold_some() {
    let folder = Folder::new("directory");
    folder.file("inner.toml", b"x = 1");
    let (error, message, help) = refused(folder.0.clone());
    assert!(matches!(error, ReadError::Directory { .. }) && message.ends_with("is a directory, not a scenario file"));
    assert!(help.starts_with("it holds: ") && help.contains("inner.toml"));
}

#[test]
fn the_size_limit_is_exact_and_an_enormous_file_costs_nothing() {
    let folder = Folder::new("size");
    let fits = folder.file("fits.toml", &vec![b' '; SIZE_MAX as usize]);
    assert!(matches!(scenarios::read(fits), Err(ReadError::Empty(_))), "read, and found to hold nothing");
    let over = folder.file("over.toml", &vec![b'#'; SIZE_MAX as usize + 1]);
    assert!(matches!(scenarios::read(over), Err(ReadError::TooLarge { bytes, .. }) if bytes == SIZE_MAX + 1));
    // A hole of 100 GB takes no room on disk and would not fit into memory.
    let hole = folder.file("hole.toml", b"");
    fs::File::options().write(true).open(&hole).and_then(|f| f.set_len(100 << 30)).expect("a sparse file");
    let (_, message, _) = refused(hole);
    assert_eq!(message, "…/hole.toml: has 102400.0 MiB; a scenario has at most 1 MiB");
}

#[test]
fn what_is_not_text_or_nothing_at_all_is_refused() {
    let folder = Folder::new("text");
    let (_, message, _) = refused(folder.file("latin1.toml", b"title = \"caf\xe9\""));
    assert_eq!(message, "…/latin1.toml: is not UTF-8 text; the first odd byte is number 13");
    let (_, message, help) = refused(folder.file("empty.toml", b" \n\n"));
    assert_eq!(message, "…/empty.toml: is empty");
    assert!(help.contains("windtunnel new"));
    #[cfg(unix)]
    assert!(matches!(scenarios::read("/dev/null"), Err(ReadError::NotAFile(_))));
}

#[test]
fn a_file_that_can_be_read_has_a_name_and_a_text() {
    let folder = Folder::new("good");
    let source = scenarios::read(folder.file("my-shop.v2.toml", "title = \"ü\"\n".as_bytes())).expect("it is read");
    assert_eq!((source.name.as_str(), source.text.as_str()), ("my-shop.v2", "title = \"ü\"\n"));
}
