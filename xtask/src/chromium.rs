//! A real browser without a window: finding Chromium, installing it where that is possible, opening a page with it.
//!
//! Every page gets a fresh profile and no network features of the browser itself, so what is seen is the page's doing.

use crate::shell::{self, Result};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The names under which Chromium is installed, the one Debian uses first.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// A page takes about a second; a browser that takes this long has hung.
const PATIENCE: Duration = Duration::from_secs(90);

/// The colours a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// An installed Chromium and a directory of ours to work in.
pub(crate) struct Chromium {
    program: PathBuf,
    workshop: PathBuf,
    opened: u32,
}

/// A page as the browser built it.
pub(crate) struct Opened {
    /// The document, written out again after its scripts ran.
    pub(crate) dom: String,
    /// Everything that was said on the page's console, a line each.
    pub(crate) console: Vec<String>,
}

impl Chromium {
    /// The Chromium of this machine, installed first if that is possible; otherwise why there is none.
    pub(crate) fn find_or_install(workshop: PathBuf) -> std::result::Result<Chromium, String> {
        let program = match find() {
            Some(program) => program,
            None => {
                install()?;
                find().ok_or("apt-get installed chromium, but it is not on the path")?
            }
        };
        Ok(Chromium { program, workshop, opened: 0 })
    }

    /// Where it is.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Opens `page`, lets its scripts run for five (virtual) seconds, and gives what became of it.
    pub(crate) fn open(&mut self, page: &Path, scheme: Scheme) -> Result<Opened> {
        let (dom, log) = self.drive(page, scheme, &["--virtual-time-budget=5000", "--dump-dom"])?;
        Ok(Opened { dom, console: console(&log) })
    }

    /// Writes a picture of `page` to `png`.
    pub(crate) fn picture(&mut self, page: &Path, scheme: Scheme, png: &Path) -> Result<()> {
        let screenshot = format!("--screenshot={}", png.display());
        self.drive(page, scheme, &["--window-size=1280,4800", "--hide-scrollbars", &screenshot])?;
        if png.is_file() { Ok(()) } else { Err(format!("Chromium drew no picture at {}", png.display())) }
    }

    /// Runs the browser over `page` and gives its standard output and error.
    fn drive(&mut self, page: &Path, scheme: Scheme, options: &[&str]) -> Result<(String, String)> {
        self.opened += 1;
        let desk = self.workshop.join(format!("chromium-{}-{}", std::process::id(), self.opened));
        let lost = |e: std::io::Error| format!("{}: {e}", desk.display());
        fs::create_dir_all(&desk).map_err(lost)?;
        let (out, log) = (desk.join("stdout"), desk.join("stderr"));
        let mut command = shell::program(&self.program.to_string_lossy());
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--enable-logging=stderr", "--v=0"])
            .arg(format!("--user-data-dir={}", desk.join("profile").display()))
            .args((scheme == Scheme::Dark).then_some("--force-dark-mode"))
            .args(options)
            .arg(url(page))
            .stdout(Stdio::from(File::create(&out).map_err(lost)?))
            .stderr(Stdio::from(File::create(&log).map_err(lost)?));
        let mut child = command.spawn().map_err(|e| format!("{} could not be started: {e}", self.program.display()))?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(lost)? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                // It may have ended by itself this very moment; either way it is gone afterwards.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("Chromium had not finished {} after {PATIENCE:?}", page.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(lost);
        let texts = (read(&out)?, read(&log)?);
        // The browser's helpers may still be writing into the profile; what is left lies under target/.
        let _ = fs::remove_dir_all(&desk);
        if status.success() { Ok(texts) } else { Err(format!("Chromium failed ({status}):\n{}", texts.1.trim_end())) }
    }
}

/// The lines of Chromium's log that come from the page's console.
///
/// For ordinary pages Chromium logs `console.error`, an uncaught exception and `console.log` at one and the same level
/// (`[…:INFO:CONSOLE:4] "Uncaught Error: …", source: …`), so nothing can be said of a line but that it is there.
fn console(log: &str) -> Vec<String> {
    let said = |line: &str| {
        let (head, message) = line.split_once("] ")?;
        head.contains(":CONSOLE").then(|| message.to_string())
    };
    log.lines().filter_map(said).collect()
}

fn url(page: &Path) -> String {
    let path = page.to_string_lossy().replace('%', "%25").replace('#', "%23").replace('?', "%3F").replace(' ', "%20");
    format!("file://{path}")
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    NAMES.iter().find_map(|name| on_path(&path, name))
}

fn on_path(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Installs Debian's package, or says why it cannot.
fn install() -> std::result::Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if on_path(&path, "apt-get").is_none() {
        return Err("no Chromium is installed, and there is no apt-get to install it with".into());
    }
    if shell::output(shell::program("id").arg("-u")).is_ok_and(|id| id.trim() != "0") {
        return Err("no Chromium is installed, and only root can install it (apt-get install chromium)".into());
    }
    let apt = |args: &[&str]| {
        shell::output(shell::program("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
            .map_err(|e| format!("Chromium cannot be installed: {e}"))
    };
    shell::say("Chromium is missing: installing Debian's package");
    apt(&["update"])?;
    apt(&["install", "-y", "--no-install-recommends", "chromium"])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_own_console_is_heard() {
        let log = "\
[17:57:1120/230006.763778:ERROR:dbus/bus.cc:405] Failed to connect to the bus: No such file or directory
[17:17:1120/230007.385909:INFO:CONSOLE:2] \"a note\", source: file:///p.html (2)
[17:17:1120/230007.395879:INFO:CONSOLE(4)] \"Uncaught Error: planted\", source: file:///p.html (4)
";
        let heard = console(log);
        assert_eq!(heard.len(), 2);
        assert_eq!(heard[1], "\"Uncaught Error: planted\", source: file:///p.html (4)");
    }

    #[test]
    fn a_path_with_spaces_is_one_address() {
        assert_eq!(url(Path::new("/a b/50%#1.html")), "file:///a%20b/50%25%231.html");
    }
}
