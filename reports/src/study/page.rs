//! One folder a study: a page to read, and everything on it as data.
//!
//! ```text
//! index.html        the report: question, ranking, pictures, tables, method; needs no other file, network or script
//! study.json        the results as one object: every run, estimate, ranking and pair
//! data/*.csv        the numbers behind each picture, and the tables
//! plots/*.svg       each picture by itself
//! ```
//!
//! Equal results give equal files. All text from study files is escaped on its way to the page.

mod tables;

use super::data;
use super::plot::{self, Figure, sentence};
use super::words::{self, unstable_cells};
use crate::number::{count, counted, percent, span};
use crate::page::{escape, style};
use base::Duration;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};
use study::{Analysis, Kind, Results};
use world::outcome::Phases;

/// Writes the report into `dir`, which is made where it is missing, and gives the paths written, the page first.
///
/// CSV and SVG files of an earlier report in the same folder are removed, so that it never holds the numbers of two
/// studies; other files stay. On an error some files may have been written.
pub fn write(results: &Results, dir: &Path) -> io::Result<Vec<PathBuf>> {
    let analysis = Analysis::of(results);
    let figures = plot::all(&analysis);
    for (folder, extension) in [("data", "csv"), ("plots", "svg")] {
        let folder = dir.join(folder);
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == extension) {
                fs::remove_file(path)?;
            }
        }
    }
    let mut written = Vec::new();
    let mut put = |name: String, text: &str| -> io::Result<()> {
        let path = dir.join(name);
        fs::write(&path, text)?;
        written.push(path);
        Ok(())
    };
    put("index.html".into(), &html(&analysis, &figures))?;
    put("study.json".into(), &format!("{:#}\n", data::object(&analysis)))?;
    for figure in &figures {
        put(format!("data/{}.csv", figure.file()), figure.csv.text())?;
        put(format!("plots/{}.svg", figure.file()), &figure.svg)?;
    }
    for (name, sheet) in data::sheets(&analysis) {
        put(format!("data/{name}.csv"), sheet.text())?;
    }
    Ok(written)
}

fn html(analysis: &Analysis<'_>, figures: &[Figure]) -> String {
    let plan = analysis.plan();
    let mut out = String::new();
    let name = escape(&plan.name);
    let heading = escape(if plan.title.is_empty() { &plan.name } else { &plan.title });
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Study: {name}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{}</style>\n</head>\n<body>\n",
        style::sheet()
    );
    let runs = match plan.kind {
        Kind::World => counted(analysis.plan().runs() as u64, "run", "runs"),
        Kind::Hashing => counted(analysis.plan().runs() as u64, "filling", "fillings"),
    };
    let _ = write!(
        out,
        "<header>\n<p class=\"kicker\">Windtunnel study report</p>\n<h1>{heading}</h1>\n\
         <p class=\"facts\"><span>study <b>{name}</b></span> <span>{}</span> <span>{}</span> <span>{runs}</span> \
         <span>{} intervals</span></p>\n</header>\n<main>\n",
        counted(plan.cells.len() as u64, "cell", "cells"),
        counted(plan.seeds.len() as u64, "seed", "seeds"),
        percent(plan.confidence, 0),
    );
    for paragraph in plan.question.split("\n\n").filter(|p| !p.trim().is_empty()) {
        let _ = writeln!(out, "<p class=\"question\">{}</p>", escape(paragraph.trim()));
    }
    beware(&mut out, analysis);
    contents(&mut out, analysis, figures);
    out.push_str(&tables::in_short(analysis));
    out.push_str(&tables::rankings(analysis));
    if !figures.is_empty() {
        out.push_str("<section id=\"plots-section\">\n<h2>Pictures</h2>\n");
        figures.iter().for_each(|f| figure(&mut out, f));
        out.push_str("</section>\n");
    }
    out.push_str(&tables::cells(analysis));
    out.push_str(&tables::unstable(analysis));
    out.push_str(&tables::picks(analysis));
    method(&mut out, analysis);
    let ids: Vec<&str> = figures.iter().map(|f| f.id.as_str()).collect();
    let ids = serde_json::to_string(&ids).expect("a list of names");
    let _ = write!(out, "</main>\n<script type=\"application/json\" id=\"plots\">{ids}</script>\n</body>\n</html>\n");
    out
}

/// What a reader must know before trusting a number.
fn beware(out: &mut String, analysis: &Analysis<'_>) {
    if analysis.warnings.is_empty() {
        return;
    }
    out.push_str("<section id=\"beware\" class=\"beware\">\n<p><span aria-hidden=\"true\">!</span> Beware</p>\n<ul>");
    for warning in words::warnings(analysis) {
        let _ = write!(out, "<li>{}</li>", escape(&sentence(&warning)));
    }
    out.push_str("</ul>\n</section>\n");
}

/// Links to whatever the page has.
fn contents(out: &mut String, analysis: &Analysis<'_>, figures: &[Figure]) {
    let mut links: Vec<(&str, String)> = Vec::new();
    if analysis.plan().comparison.is_some() {
        links.extend([("in-short", "In short".into()), ("rankings", "Rankings".into())]);
    }
    links.extend(figures.iter().map(|f| (f.id.as_str(), f.short.clone())));
    links.push(("cells", "All cells".into()));
    if unstable_cells(analysis.plan()) > 0 {
        links.push(("unstable", "Not run".into()));
    }
    if !analysis.results.picks.is_empty() {
        links.push(("picks", "Time of a pick".into()));
    }
    links.push(("method", "Method".into()));
    out.push_str("<nav aria-label=\"Contents\">");
    for (id, text) in links {
        let _ = write!(out, "<a href=\"#{id}\">{}</a> ", escape(&text));
    }
    out.push_str("</nav>\n");
}

fn figure(out: &mut String, figure: &Figure) {
    let file = figure.file();
    let _ = write!(
        out,
        "<figure id=\"{}\">\n<h3>{}</h3>\n<div class=\"plot\">\n{}</div>\n<figcaption>{} \
         <span class=\"files\">Data: <a href=\"data/{file}.csv\">CSV</a>, picture: <a href=\"plots/{file}.svg\">SVG</a>, \
         again: <code>{}</code></span></figcaption>\n</figure>\n",
        figure.id,
        escape(&figure.title),
        figure.svg,
        escape(&figure.caption),
        escape(&figure.reproduce)
    );
}

fn method(out: &mut String, analysis: &Analysis<'_>) {
    let (plan, origin) = (analysis.plan(), &analysis.results.origin);
    let _ = write!(out, "<section id=\"method\">\n<h2>Method</h2>\n{}", design(analysis));
    let level = percent(plan.confidence, 0);
    if plan.seeds.len() > 1 {
        let _ = writeln!(
            out,
            "<p>A replication, one {} under one seed, is the unit of all statistics; seeds {}. Intervals are at {level} and \
             rest on how the {} replications differ; numbers per call are weighted by calls, other averages count every \
             replication alike, and the intervals of both are Student’s, held within what is possible.</p>",
            if plan.kind == Kind::World { "run" } else { "set of keys" },
            escape(&seeds(analysis)),
            plan.seeds.len(),
        );
        if plan.kind == Kind::World {
            out.push_str(
                "<p>Latencies are pooled: the requests of all replications are one distribution, from which mean and percentiles \
                 are taken, because the mean of percentiles of short runs is biased. The interval of a percentile is Woodruff’s \
                 (1952): the share of requests beyond it varies between replications, and the two shares that far away are read \
                 off the pooled distribution; so it may reach further on one side. That of the mean is symmetric in its \
                 logarithm. Requests that queue behind one another do not count in full: effective are as many as independent \
                 requests would vary as much, and where fewer than five of them decide, the page says so above.</p>\n",
            );
        }
    } else {
        let _ = writeln!(out, "<p>There is one seed ({}), so there are no intervals.</p>", escape(&seeds(analysis)));
    }
    if plan.comparison.is_some() && plan.seeds.len() > 1 {
        let _ = writeln!(
            out,
            "<p>Under one seed all compared points meet the same chance, so differences are taken seed by seed, and Student’s \
             t is applied to them. Within each ranking, that is each measure under each combination of the other axes, all \
             pairs are corrected together by Holm’s step-down procedure: the chance that any two truly equal ones are told \
             apart is at most {}. One stands certainly before another only where the corrected interval of their difference \
             leaves out zero; everything else is “cannot tell”. Beside it stand the simultaneous intervals (Bonferroni), which \
             hold all differences of a ranking together at {level}. Nothing is corrected across rankings.</p>",
            percent(analysis.alpha, 0)
        );
    }
    warm_up(out, analysis);
    let _ = write!(
        out,
        "<p>Everything again, byte by byte{}, with the same version and file, in a folder of its own: <code>{}</code>. A \
         single cell: the commands under the table of all cells.</p>\n\
         <p class=\"files\">windtunnel {}. Everything on this page as data: <a href=\"study.json\">study.json</a>, {}, and the \
         CSV file named under each picture.</p>\n",
        if analysis.results.picks.is_empty() { "" } else { " but for the time of picks" },
        escape(&data::reproduce(analysis)),
        escape(&origin.version),
        data::sheets(analysis)
            .iter()
            .map(|(name, _)| format!("<a href=\"data/{name}.csv\">{name}.csv</a>"))
            .collect::<Vec<_>>()
            .join(", "),
    );
    if !origin.text.is_empty() {
        let _ = write!(
            out,
            "<details id=\"study\"><summary>The study file</summary>\n<pre><code>{}</code></pre></details>\n",
            escape(&origin.text)
        );
    }
    out.push_str("</section>\n");
}

/// What was run: the axes and their points.
fn design(analysis: &Analysis<'_>) -> String {
    let plan = analysis.plan();
    let mut out = String::from(match plan.kind {
        Kind::World => {
            "<p>Every cell is a scenario: the base of the study with one point of each axis put in, run in a discrete-event \
             simulation once for every seed. All chance comes from the seed, stream by stream, so that arrivals and service \
             times are the same in every cell unless an axis changes them. Times are simulated; nothing on this page depends \
             on how fast the machine was.</p>\n"
        }
        Kind::Hashing => {
            "<p>Every cell is a structure over a number of backends, filled with one set of keys for every seed; no traffic is \
             simulated. What moves is counted key by key, before and after one backend is removed or added.</p>\n"
        }
    });
    let axes: Vec<String> = plan
        .axes
        .iter()
        .map(|a| format!("<dt>{}</dt><dd>{}</dd>", escape(&a.name), escape(&a.labels.join(", "))))
        .collect();
    let _ = write!(out, "<dl class=\"keys\">{}", axes.concat());
    if plan.kind == Kind::World {
        let phase = |of: fn(&Phases) -> Duration| {
            let all = plan.cells.iter().map(|c| of(&c.phases));
            let (low, high) = (all.clone().min().unwrap_or_default(), all.max().unwrap_or_default());
            if low == high { span(low) } else { format!("{} to {}", span(low), span(high)) }
        };
        let _ = write!(
            out,
            "<dt>measured</dt><dd>calls to {}, as callers saw them, failures included</dd>\
             <dt>phases</dt><dd>{} warm-up, {} storm, {} calm</dd>",
            escape(&plan.service),
            phase(|p| p.warmup),
            phase(|p| p.storm),
            phase(|p| p.calm)
        );
    }
    out.push_str("</dl>\n");
    out
}

fn seeds(analysis: &Analysis<'_>) -> String {
    let seeds = &analysis.plan().seeds;
    let in_a_row = seeds.windows(2).all(|w| w[1].0 == w[0].0.wrapping_add(1));
    match (seeds.first(), seeds.last()) {
        (Some(first), Some(last)) if in_a_row && seeds.len() > 2 => format!("{first} to {last}"),
        _ => seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// The rule, and what the check of it found.
fn warm_up(out: &mut String, analysis: &Analysis<'_>) {
    let plan = analysis.plan();
    let found = &analysis.warm_up;
    if plan.kind == Kind::Hashing || found.checked == 0 {
        return;
    }
    let warmups: Vec<Duration> = plan.cells.iter().map(|c| c.phases.warmup).collect();
    let (low, high) = (warmups.iter().min(), warmups.iter().max());
    let how_long = match (low, high) {
        (Some(low), Some(high)) if low != high => {
            format!("{} to {} of a run, as its cell says,", span(*low), span(*high))
        }
        (low, _) => format!("{} of every run", span(low.copied().unwrap_or_default())),
    };
    let _ = write!(
        out,
        "<p id=\"warm-up\">Warm-up is removed by rule: requests that arrive in the first {} count nowhere but in \
         pictures over time. The rule is checked by MSER-5 (White, 1997) on the mean latency of each step, averaged over \
         seeds, up to the first fault: in {} of {} cells it would cut no later",
        how_long,
        count((found.checked - found.late.len() - found.harmless - found.too_short) as u64),
        count(found.checked as u64)
    );
    if found.too_short > 0 {
        let _ = write!(out, ", in {} there are too few steps to say", count(found.too_short as u64));
    }
    if found.harmless > 0 {
        let _ = write!(
            out,
            ", in {} it would, but there the first half of what is measured cannot be told from the second",
            count(found.harmless as u64)
        );
    }
    if found.late.is_empty() {
        out.push_str(".</p>\n");
        return;
    }
    out.push_str(
        ". In these cells it would cut later, and the first half of what is measured differs from the second, seed by seed:</p>\n<ul>",
    );
    for (cell, after) in found.late.iter().take(20) {
        let when = after.map_or("does not settle".into(), |s| format!("settles after about {} s", s.round()));
        let _ = write!(out, "<li>{}: {when}</li>", escape(&analysis.plan().label(*cell)));
    }
    if found.late.len() > 20 {
        let _ = write!(out, "<li>and {} more</li>", found.late.len() - 20);
    }
    out.push_str("</ul>\n");
}
