//! `cargo xtask browser`: the report of the weather scenario, opened in a real browser.
//!
//! The page must build every plot it lists and say nothing on its console, in light colours and in dark ones. Before it
//! is judged the judge is: a page with a planted error must be found guilty by this very Chromium, whose log format is
//! nobody's promise.

use crate::chromium::{Chromium, Scheme};
use crate::page;
use crate::shell::{self, Result};
use std::fs;
use std::path::Path;

pub(crate) const HELP: &str = "\
opens the weather report in headless Chromium: no console message, every plot there

Runs scenarios/weather.toml with a report in target/browser/weather, opens its index.html in light and in dark colours,
and fails when the page says anything on its console, when a plot it lists is missing or empty, when it lists fewer than
five, or when it loads anything from outside itself. Pictures of it are left in target/browser/light.png and dark.png.

  cargo xtask browser            the weather report, written anew
  cargo xtask browser PAGE       a page that is there already

Uses chromium, chromium-browser or google-chrome, whichever is found first. Where there is none and apt-get can be used
(as root), Debian's package is installed; otherwise the page is not judged, and the last line says so.
";

/// What a run may answer when its scenario held, failed or missed something: there is a report in each case.
const VERDICTS: [i32; 6] = [0, 10, 11, 12, 13, 14];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let line = match args {
        [] => judge()?,
        [page] if !page.starts_with('-') => {
            let here = std::env::current_dir().map_err(|e| format!("the current directory is gone: {e}"))?;
            judge_page(&here.join(page))?
        }
        _ => return Err("`cargo xtask browser` takes at most one page: see `cargo xtask help browser`".into()),
    };
    println!("{line}");
    Ok(())
}

/// Writes the weather report and judges its page; gives a line that says what was seen, or that nothing was.
pub(crate) fn judge() -> Result<String> {
    let report = shell::root().join("target/browser/weather");
    if report.exists() {
        // A page left over from before would be judged in place of one that was not written.
        fs::remove_dir_all(&report).map_err(|e| format!("{} cannot be removed: {e}", report.display()))?;
    }
    fs::create_dir_all(&report).map_err(|e| format!("{} cannot be made: {e}", report.display()))?;
    let verdict = write_report(&report)?;
    let index = report.join("index.html");
    if index.is_file() {
        return judge_page(&index);
    }
    Err(format!("the run ended with exit code {verdict} and wrote no page at {}", index.display()))
}

fn judge_page(index: &Path) -> Result<String> {
    let folder = shell::root().join("target/browser");
    fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    if !index.is_file() {
        return Err(format!("there is no page at {}", index.display()));
    }
    let mut chromium = match Chromium::find_or_install(folder.clone()) {
        Ok(chromium) => chromium,
        Err(why) => return Ok(format!("browser: SKIPPED, the page was not opened: {why}")),
    };
    println!("{}", chromium.program().display());
    prove_sight(&mut chromium, &folder)?;
    let mut plots = 0;
    for (scheme, name) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
        let opened = chromium.open(index, scheme)?;
        let page = page::judge(&opened.dom);
        let mut faults = page.faults;
        faults.extend(opened.console.iter().map(|line| format!("the page said on its console: {line}")));
        if !faults.is_empty() {
            return Err(format!("{} in {name} colours:\n  {}", index.display(), faults.join("\n  ")));
        }
        plots = page.plots.len();
        chromium.picture(index, scheme, &folder.join(format!("{name}.png")))?;
    }
    Ok(format!("browser: {plots} plots drawn, silent console, in light and in dark; pictures in target/browser"))
}

/// Runs the weather scenario with a report. Whether the weather was good is for other tests to say.
fn write_report(report: &Path) -> Result<i32> {
    let mut command = shell::windtunnel()?;
    command.args(["run", "scenarios/weather.toml", "--seed", "1", "--out"]).arg(report);
    let status = command.status().map_err(|e| format!("windtunnel could not be started: {e}"))?;
    match status.code() {
        Some(code) if VERDICTS.contains(&code) => Ok(code),
        _ => Err(format!(
            "`windtunnel run scenarios/weather.toml --seed 1 --out {}` failed ({status})",
            report.display()
        )),
    }
}

/// Opens a page that lists no plots and throws, and demands that both are seen.
fn prove_sight(chromium: &mut Chromium, folder: &Path) -> Result<()> {
    let probe = folder.join("probe.html");
    let text = "<!doctype html><title>probe</title><p id=\"p\"></p><script>throw new Error('planted')</script>";
    fs::write(&probe, text).map_err(|e| format!("{}: {e}", probe.display()))?;
    let opened = chromium.open(&probe, Scheme::Light)?;
    let heard = opened.console.iter().any(|line| line.contains("planted"));
    if heard && opened.dom.contains("id=\"p\"") && !page::judge(&opened.dom).faults.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this Chromium does not show a planted error ({}), so it would not show a real one: its log or its document has \
         changed, see xtask/src/chromium.rs",
        chromium.program().display()
    ))
}
