//! One folder a run: a page to read, and everything on it as data.
//!
//! ```text
//! index.html        the report: verdict, tables, pictures; needs no other file, no network, no script
//! outcome.json      the run as one object, as in `--format json`
//! data/*.csv        the numbers behind each picture, and the tables
//! plots/*.svg       each picture by itself
//! ```
//!
//! Equal outcomes give equal files, except for the time on the wall, which stands in `outcome.json` only. All text from
//! scenarios and cores is escaped in one place, `escape`.

mod sections;
pub(crate) mod style;
pub(crate) mod tables;

use crate::plot::{self, Plot};
use crate::{csv, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration as WallTime;
use std::{fs, io};
use tables::{escaped_time, meaning, word};
use world::outcome::{Outcome, Verdict};

/// What a page says beyond the outcome.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The command that runs this again.
    pub replay: &'a str,
    /// How long the run took on this machine; goes to `outcome.json` only.
    pub wall: WallTime,
    /// The version of windtunnel that ran it.
    pub version: &'a str,
    /// The scenario file as it was read; empty when there was none.
    pub scenario_text: &'a str,
}

/// Writes the report into `dir`, which is made where it is missing, and gives the paths written, the page first.
///
/// Files of an earlier report in the same folder are overwritten; a picture or table that this run does not have is
/// removed, so that the folder never holds the numbers of two runs. On an error some files may have been written.
pub fn write(dir: &Path, outcome: &Outcome, options: &Options<'_>) -> io::Result<Vec<PathBuf>> {
    let plots = plot::all(outcome);
    fs::create_dir_all(dir.join("data"))?;
    fs::create_dir_all(dir.join("plots"))?;
    for stale in plot::files().filter(|file| plots.iter().all(|p| p.file() != *file)) {
        for path in [dir.join(format!("data/{stale}.csv")), dir.join(format!("plots/{stale}.svg"))] {
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
    }
    for entry in fs::read_dir(dir.join("data"))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(sections::PREFIX)) {
            fs::remove_file(path)?;
        }
    }
    let mut written = Vec::new();
    let mut put = |name: String, text: &str| -> io::Result<()> {
        let path = dir.join(name);
        fs::write(&path, text)?;
        written.push(path);
        Ok(())
    };
    put("index.html".into(), &html(outcome, &plots, options))?;
    put("outcome.json".into(), &json::run_pretty(outcome, options.replay, options.wall))?;
    for plot in &plots {
        put(format!("data/{}.csv", plot.file()), plot.csv.text())?;
        put(format!("plots/{}.svg", plot.file()), &plot.svg)?;
    }
    let named = sheets(outcome).into_iter().map(|(name, sheet)| (name.to_string(), sheet));
    for (name, sheet) in named.chain(sections::sheets(outcome)) {
        put(format!("data/{name}.csv"), sheet.text())?;
    }
    Ok(written)
}

/// The tables that no picture stands for.
fn sheets(outcome: &Outcome) -> Vec<(&'static str, csv::Sheet)> {
    let mut instances = csv::Sheet::new([
        "service",
        "instance",
        "version",
        "zone",
        "requests",
        "utilisation",
        "in_system",
        "in_system_max",
    ]);
    for service in &outcome.services {
        for i in &service.instances {
            instances.row([
                service.name.clone(),
                i.name.clone(),
                i.version.clone(),
                i.zone.clone(),
                i.requests.to_string(),
                csv::number(i.utilisation),
                csv::number(i.in_system),
                i.in_system_max.to_string(),
            ]);
        }
    }
    let mut checks = csv::Sheet::new(["kind", "name", "tested", "violations", "first_at_s", "first_event", "message"]);
    for c in &outcome.checks {
        let first = c.first.as_ref();
        checks.row([
            c.kind.name().into(),
            c.name.into(),
            c.tested.to_string(),
            c.violations.to_string(),
            first.map_or(String::new(), |v| csv::number(v.at.as_secs_f64())),
            first.map_or(String::new(), |v| v.event.to_string()),
            first.map_or(String::new(), |v| v.message.clone()),
        ]);
    }
    vec![("instances", instances), ("checks", checks)]
}

/// `text` for HTML and XML, in elements and in quoted attributes. Control characters, which neither allows, become `�`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn html(outcome: &Outcome, plots: &[Plot], options: &Options<'_>) -> String {
    let mut out = String::new();
    let name = escape(&outcome.run.scenario);
    let heading = escape(if outcome.run.title.is_empty() { &outcome.run.scenario } else { &outcome.run.title });
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}: {name}, seed {}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{}</style>\n</head>\n<body>\n",
        word(outcome.verdict),
        outcome.run.seed,
        style::sheet()
    );
    let _ = write!(
        out,
        "<header>\n<p class=\"kicker\">Windtunnel run report</p>\n<h1>{heading}</h1>\n\
         <p class=\"facts\"><span>scenario <b>{name}</b></span> <span>seed <b>{}</b></span> \
         <span>{} warm-up, {} storm, {} calm</span> <span>{}</span></p>\n</header>\n<main>\n",
        outcome.run.seed,
        crate::number::span(outcome.run.phases.warmup),
        crate::number::span(outcome.run.phases.storm),
        crate::number::span(outcome.run.phases.calm),
        crate::number::counted(outcome.run.events, "event", "events"),
    );
    banner(&mut out, outcome, options.replay);
    out.push_str(&tables::figures_of_merit(outcome));
    contents(&mut out, outcome, plots);
    out.push_str(&tables::checks(outcome));
    out.push_str(&tables::objectives(outcome));
    out.push_str("<section id=\"plots-section\">\n<h2>What happened, over time</h2>\n<p>");
    out.push_str(&how_to_read(outcome));
    out.push_str("</p>\n");
    plots.iter().for_each(|plot| figure(&mut out, plot));
    out.push_str("</section>\n");
    for section in [
        tables::rollouts(outcome),
        tables::services(outcome),
        sections::html(outcome),
        tables::faults(outcome),
        tables::exposure(outcome),
        tables::instances(outcome),
        tables::drawn(outcome),
    ] {
        out.push_str(&section);
    }
    method(&mut out, outcome, options);
    let ids: Vec<&str> = plots.iter().map(|p| p.id).collect();
    let ids = serde_json::to_string(&ids).expect("a list of names");
    let _ = write!(out, "</main>\n<script type=\"application/json\" id=\"plots\">{ids}</script>\n</body>\n</html>\n");
    out
}

/// What the marks on the plots over time mean: those that this run has.
fn how_to_read(outcome: &Outcome) -> String {
    let mut said = Vec::new();
    if !outcome.faults.is_empty() {
        said.push("Shaded columns are faults, named in the strip above each plot; a diamond is a fault of a moment.");
    }
    if !outcome.run.phases.warmup.is_zero() {
        said.push("The grey column on the left is warm-up, which is shown but not measured.");
    }
    if !outcome.run.phases.storm.is_zero() {
        said.push("The short-dashed lines are where one phase of the run ends and the next begins.");
    }
    if outcome.failure.as_ref().is_some_and(|f| f.verdict == Verdict::Safety) {
        said.push("The cross, and the long-dashed line below it, are where an invariant was first broken.");
    }
    said.join(" ")
}

fn banner(out: &mut String, outcome: &Outcome, replay: &str) {
    let passed = outcome.verdict == Verdict::Passed;
    let (class, mark) = if passed { ("passed", "✓") } else { ("failed", "✗") };
    let _ = write!(
        out,
        "<section id=\"verdict\" class=\"verdict {class}\">\n<p class=\"word\"><span aria-hidden=\"true\">{mark}</span> {}</p>\n\
         <p class=\"meaning\">{}</p>\n",
        word(outcome.verdict),
        meaning(outcome.verdict)
    );
    if let Some(failure) = &outcome.failure {
        let _ = write!(
            out,
            "<p class=\"failure\"><b>{}</b> at {}, event {}</p>\n<p class=\"message\">{}</p>\n",
            escape(&failure.name),
            escaped_time(failure.at),
            crate::number::count(failure.event),
            escape(&failure.message)
        );
    }
    let _ = write!(
        out,
        "<dl class=\"keys\"><dt>replay</dt><dd><code id=\"replay\">{}</code></dd>\
         <dt>fingerprint</dt><dd><code id=\"fingerprint\">{}</code></dd></dl>\n</section>\n",
        escape(replay),
        outcome.run.fingerprint
    );
}

/// Links to whatever the page has.
fn contents(out: &mut String, outcome: &Outcome, plots: &[Plot]) {
    let mut links: Vec<(&str, &str)> = Vec::new();
    let mut add = |there: bool, id, text| {
        if there {
            links.push((id, text));
        }
    };
    add(!outcome.checks.is_empty(), "checks", "Checks");
    add(!outcome.objectives.is_empty(), "objectives", "Objectives");
    plots.iter().for_each(|p| add(true, p.id, p.title));
    add(!outcome.rollouts.is_empty(), "rollouts", "Rollouts");
    add(!outcome.services.is_empty(), "services", "Services");
    let headings: Vec<(String, String)> = outcome.sections.iter().map(sections::heading).collect();
    headings.iter().for_each(|(id, heading)| add(true, id, heading));
    add(!outcome.faults.is_empty(), "faults", "Faults");
    add(!outcome.exposure.is_empty(), "exposure", "Exposure");
    add(true, "method", "Method");
    out.push_str("<nav aria-label=\"Contents\">");
    for (id, text) in links {
        let _ = write!(out, "<a href=\"#{id}\">{text}</a> ");
    }
    out.push_str("</nav>\n");
}

fn figure(out: &mut String, plot: &Plot) {
    let file = plot.file();
    let _ = write!(
        out,
        "<figure id=\"{}\">\n<h3>{}</h3>\n<div class=\"plot\">\n{}</div>\n<figcaption>{} \
         <span class=\"files\">Data: <a href=\"data/{file}.csv\">CSV</a>, picture: <a href=\"plots/{file}.svg\">SVG</a>\
         </span></figcaption>\n</figure>\n",
        plot.id,
        plot.title,
        plot.svg,
        escape(&plot.caption)
    );
}

fn method(out: &mut String, outcome: &Outcome, options: &Options<'_>) {
    let _ = write!(
        out,
        "<section id=\"method\">\n<h2>Method</h2>\n\
         <p>This is one run of a discrete-event simulation. All chance in it comes from the seed, so the command above, with \
         the same version and scenario file, gives the same run, event by event. The fingerprint folds every event into 64 \
         bits: runs whose fingerprints differ are different runs. Times are simulated, and nothing on this page \
         depends on how fast the machine was.</p>\n\
         <p>Counts, latencies and shares in the tables are of requests that arrived after warm-up ({}). Latency \
         runs from a request’s arrival to its end as its sender saw it, retries and waiting included, successes and \
         failures alike. Percentiles come from a histogram with bounded relative error; the mean is exact. \
         The plots over time include warm-up, in steps of {}.</p>\n\
         <p>One seed is one sample. How much of a difference is chance shows when the scenario is run over many seeds.</p>\n\
         <p class=\"files\">windtunnel {}. Everything on this page as data: <a href=\"outcome.json\">outcome.json</a>, \
         <a href=\"data/checks.csv\">checks.csv</a>, <a href=\"data/instances.csv\">instances.csv</a>, and the CSV file named \
         under each plot.</p>\n",
        crate::number::span(outcome.run.phases.warmup),
        crate::number::span(outcome.timeline.step),
        escape(options.version)
    );
    if !options.scenario_text.is_empty() {
        let _ = write!(
            out,
            "<details id=\"scenario\"><summary>The scenario file</summary>\n<pre><code>{}</code></pre></details>\n",
            escape(options.scenario_text)
        );
    }
    out.push_str("</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_means_something_to_html_gets_through() {
        assert_eq!(escape("<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
        assert_eq!(escape("a\u{1b}[31m\0\r\n天"), "a\u{fffd}[31m\u{fffd}\n天");
    }
}
