//! The tables of a page. Numbers stand right, units in the head, and a mark is never without its word.

use super::escape;
use crate::console::{Said, at_least, round, unfinished_warning};
use crate::number::{Unit, at, count, counted, percent, share, span};
use base::{Duration, Instant};
use std::fmt::Write as _;
use world::outcome::{CheckKind, Outcome, Verdict};

/// A verdict in a word or three.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Passed",
        Verdict::Coverage => "Failed: coverage",
        Verdict::Objective => "Failed: objective",
        Verdict::Liveness => "Failed: liveness",
        Verdict::Safety => "Failed: safety",
    }
}

/// A verdict in a sentence.
pub(super) fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Everything the scenario asked for held in this run.",
        Verdict::Coverage => {
            "Everything held, but something the scenario wants to see at least once never happened, so it tests less than \
             it claims."
        }
        Verdict::Objective => "All invariants held, but a service level objective was missed.",
        Verdict::Liveness => "Calm ended and something that must come to hold by then did not.",
        Verdict::Safety => "Something that must hold at every moment did not.",
    }
}

/// A moment, ready for HTML.
pub(super) fn escaped_time(moment: Instant) -> String {
    format!("{:.3} s", moment.as_secs_f64())
}

/// A table's column: its heading and how its cells stand.
pub(crate) struct Column<'a>(pub(crate) &'a str, pub(crate) Kind);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words, broken where they must be.
    Words,
    /// Words on one line.
    Word,
    /// Numbers, right.
    Number,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::Words => " class=\"any\"",
            Kind::Word => " class=\"w\"",
            Kind::Number => " class=\"n\"",
        }
    }
}

/// A table being written. Cells are HTML already; callers escape what they were given.
pub(crate) struct Table {
    html: String,
    kinds: Vec<Kind>,
}

impl Table {
    pub(crate) fn new(columns: &[Column<'_>]) -> Table {
        let mut html = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
        for Column(name, kind) in columns {
            let class = if *kind == Kind::Number { " class=\"n\"" } else { "" };
            let _ = write!(html, "<th scope=\"col\"{class}>{name}</th>");
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        Table { html, kinds: columns.iter().map(|c| c.1).collect() }
    }

    pub(crate) fn row(&mut self, class: &str, cells: &[String]) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(self.html, "<tr{class}>");
        for (cell, kind) in cells.iter().zip(&self.kinds) {
            let _ = write!(self.html, "<td{}>{cell}</td>", kind.class());
        }
        self.html.push_str("</tr>\n");
    }

    /// A row of one cell from column `from` to the last.
    pub(crate) fn wide(&mut self, class: &str, from: usize, cell: &str) {
        let empty = "<td></td>".repeat(from);
        let _ = writeln!(
            self.html,
            "<tr class=\"{class}\">{empty}<td class=\"any\" colspan=\"{}\">{cell}</td></tr>",
            self.kinds.len() - from
        );
    }

    pub(crate) fn end(self, note: &str) -> String {
        let caption = if note.is_empty() { String::new() } else { format!("<caption>{note}</caption>\n") };
        let html = self.html.replacen("<table>\n", &format!("<table>\n{caption}"), 1);
        format!("{html}</tbody></table></div>\n")
    }
}

pub(crate) fn section(id: &str, heading: &str, body: &str) -> String {
    format!("<section id=\"{id}\">\n<h2>{heading}</h2>\n{body}</section>\n")
}

/// The five numbers most readers come for.
pub(super) fn figures_of_merit(outcome: &Outcome) -> String {
    let (r, l) = (&outcome.requests, &outcome.latency);
    let unit = Unit::for_spans([l.p50]);
    let latency = |span: Duration| match l.count {
        0 => "–".into(),
        _ => format!("{}{} <small>{}</small>", at_least(l, "", span), unit.cell(span), unit.name()),
    };
    let failed = match r.unfinished {
        0 => count(r.failed),
        n => format!("{} <small>and {} unfinished</small>", count(r.failed), count(n)),
    };
    let figures = [
        ("requests measured", count(r.sent)),
        ("succeeded", share(r.succeeded, r.sent)),
        ("failed", failed),
        ("median latency", latency(l.p50)),
        ("99th percentile", latency(l.p99)),
        ("slowest", latency(l.max)),
    ];
    let mut out = String::from("<dl class=\"merit\">");
    for (name, value) in figures {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>\n");
    if let Some(warning) = unfinished_warning(r, l) {
        let _ = writeln!(out, "<p class=\"note\">⚠ {warning}</p>");
    }
    out
}

pub(super) fn checks(outcome: &Outcome) -> String {
    if outcome.checks.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        Column("", Kind::Word),
        Column("kind", Kind::Word),
        Column("invariant", Kind::Word),
        Column("tested", Kind::Number),
        Column("result", Kind::Words),
    ]);
    for check in &outcome.checks {
        let said = Said::of(check);
        let class = match said.mark {
            "✓" => "good",
            "✗" => "bad",
            _ => "doubt",
        };
        let result = match (said.mark, check.kind) {
            ("✓", CheckKind::Sometimes) => "reached".into(),
            ("✓", _) => "held".into(),
            _ => escape(&said.note),
        };
        let broken = check.first.as_ref().filter(|_| check.violations > 0);
        table.row(
            if broken.is_some() { "broken" } else { "" },
            &[
                format!("<span class=\"{class}\">{}</span>", said.mark),
                check.kind.name().into(),
                format!("<code>{}</code>", escape(check.name)),
                said.count,
                format!("<span class=\"{class}\">{result}</span>"),
            ],
        );
        if let Some(first) = broken {
            let why = format!("event {}: {}", count(first.event), escape(&first.message));
            table.wide("why", 2, &why);
        }
    }
    let note = "<code>always</code> holds at every moment, <code>eventually</code> by the end of calm, <code>sometimes</code> \
                is reached at least once. The counts say how often a promise was really put to the test.";
    section("checks", "Checks", &table.end(note))
}

pub(super) fn objectives(outcome: &Outcome) -> String {
    if outcome.objectives.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        Column("", Kind::Word),
        Column("service", Kind::Words),
        Column("asked", Kind::Word),
        Column("reached", Kind::Number),
        Column("result", Kind::Word),
    ]);
    for o in &outcome.objectives {
        let (class, mark, result) = if o.met { ("good", "✓", "met") } else { ("bad", "✗", "missed") };
        table.row(
            "",
            &[
                format!("<span class=\"{class}\">{mark}</span>"),
                escape(&o.service),
                escape(&o.asked),
                escape(&o.reached),
                format!("<span class=\"{class}\">{result}</span>"),
            ],
        );
    }
    section("objectives", "Objectives", &table.end(""))
}

pub(super) fn rollouts(outcome: &Outcome) -> String {
    let mut body = String::new();
    for rollout in &outcome.rollouts {
        let _ = writeln!(
            body,
            "<h3>{}: {} → {}, {}</h3>",
            escape(&rollout.service),
            escape(&rollout.from),
            escape(&rollout.to),
            escape(rollout.phase)
        );
        let mut table = Table::new(&[Column("at, s", Kind::Number), Column("what happened", Kind::Words)]);
        for (moment, what) in &rollout.history {
            table.row("", &[format!("{:.3}", moment.as_secs_f64()), escape(what)]);
        }
        body.push_str(&table.end(""));
    }
    if body.is_empty() { body } else { section("rollouts", "Rollouts", &body) }
}

pub(super) fn services(outcome: &Outcome) -> String {
    if outcome.services.is_empty() {
        return String::new();
    }
    let unit = Unit::for_spans(outcome.services.iter().map(|s| s.latency.p50));
    let mut table = Table::new(&[
        Column("service and version", Kind::Words),
        Column("requests", Kind::Number),
        Column("failed", Kind::Number),
        Column("success", Kind::Number),
        Column("mean", Kind::Number),
        Column("p50", Kind::Number),
        Column("p90", Kind::Number),
        Column("p99", Kind::Number),
        Column("p99.9", Kind::Number),
        Column("max", Kind::Number),
    ]);
    let latencies: Vec<_> = outcome.services.iter().map(|s| &s.latency).collect();
    let column = |pick: fn(&world::outcome::Distribution) -> Duration| {
        unit.column(&latencies.iter().map(|d| pick(d)).collect::<Vec<_>>())
    };
    let columns = [
        column(|d| d.mean),
        column(|d| d.p50),
        column(|d| d.p90),
        column(|d| d.p99),
        column(|d| d.p999),
        column(|d| d.max),
    ];
    for (i, service) in outcome.services.iter().enumerate() {
        let r = &service.requests;
        let mut cells = vec![
            format!("<b>{}</b>", escape(&service.name)),
            count(r.sent),
            count(r.failed),
            share(r.succeeded, r.sent),
        ];
        cells.extend(columns.iter().map(|c| c[i].clone()));
        table.row("", &cells);
        for v in &service.versions {
            let good = v.attempts.saturating_sub(v.failed);
            let cells = [escape(&v.version), count(v.attempts), count(v.failed), share(good, v.attempts)];
            let rest = std::iter::repeat_n(String::new(), 6);
            table.row("sub", &cells.into_iter().chain(rest).collect::<Vec<_>>());
        }
    }
    let mut note = format!(
        "Latencies in {}. A service’s row counts calls as its callers saw them; the rows of its versions count the attempts \
         that ended there, retries included.",
        unit.name()
    );
    for service in outcome.services.iter().filter(|s| s.requests.unfinished > 0) {
        let _ = write!(
            note,
            " {} to {} had not ended; the mean and the latencies from the least age of those up are lower bounds.",
            counted(service.requests.unfinished, "call", "calls"),
            escape(&service.name)
        );
    }
    for service in outcome.services.iter().filter(|s| !s.requests.errors.is_empty()) {
        let errors: Vec<String> =
            service.requests.errors.iter().map(|(name, n)| format!("{} {}", escape(name), count(*n))).collect();
        let _ = write!(note, " Failures of {}: {}.", escape(&service.name), errors.join(", "));
    }
    section("services", "Services and versions", &table.end(&note))
}

pub(super) fn faults(outcome: &Outcome) -> String {
    if outcome.faults.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        Column("fault", Kind::Words),
        Column("kind", Kind::Word),
        Column("from, s", Kind::Number),
        Column("until, s", Kind::Number),
        Column("what it did", Kind::Words),
        Column("whom it met, where that was drawn", Kind::Words),
    ]);
    for f in &outcome.faults {
        let until = if f.until == f.from { "at once".into() } else { format!("{:.3}", f.until.as_secs_f64()) };
        table.row(
            "",
            &[
                escape(&f.name),
                escape(f.kind),
                format!("{:.3}", f.from.as_secs_f64()),
                until,
                escape(&f.text),
                escape(f.hit.as_deref().unwrap_or_default()),
            ],
        );
    }
    section("faults", "Faults", &table.end(""))
}

pub(super) fn exposure(outcome: &Outcome) -> String {
    if outcome.exposure.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        Column("instance", Kind::Words),
        Column("died, s", Kind::Number),
        Column("last sent, s", Kind::Number),
        Column("exposed for", Kind::Number),
        Column("attempts", Kind::Number),
    ]);
    for e in &outcome.exposure {
        let last = e.last_sent;
        table.row(
            "",
            &[
                escape(&e.instance),
                format!("{:.3}", e.died.as_secs_f64()),
                last.map_or("–".into(), |t| at(t).trim_end_matches('s').into()),
                last.map_or("–".into(), |t| span(round(t.saturating_since(e.died)))),
                count(e.attempts),
            ],
        );
    }
    let note = "How long an instance that had died went on being sent requests: the time discovery, health checks and \
                stale views needed together.";
    section("exposure", "Exposure of dead instances", &table.end(note))
}

pub(super) fn instances(outcome: &Outcome) -> String {
    if outcome.services.iter().all(|s| s.instances.is_empty()) {
        return String::new();
    }
    let mut table = Table::new(&[
        Column("service", Kind::Words),
        Column("instance", Kind::Words),
        Column("version", Kind::Word),
        Column("zone", Kind::Word),
        Column("requests", Kind::Number),
        Column("utilisation", Kind::Number),
        Column("in system, mean", Kind::Number),
        Column("most", Kind::Number),
    ]);
    let mut rows = 0;
    for service in &outcome.services {
        for i in &service.instances {
            rows += 1;
            table.row(
                "",
                &[
                    escape(&service.name),
                    escape(&i.name),
                    escape(&i.version),
                    escape(&i.zone),
                    count(i.requests),
                    percent(i.utilisation, 1),
                    crate::number::decimal(i.in_system, 2),
                    count(i.in_system_max.into()),
                ],
            );
        }
    }
    let note = "Utilisation is the share of an instance’s capacity that was busy; in system are requests waiting or being \
                served, as an average over time and at most.";
    let body = table.end(note);
    let open = if rows <= 24 { " open" } else { "" };
    let body =
        format!("<details{open}><summary>{}</summary>\n{body}</details>\n", counted(rows, "instance", "instances"));
    section("instances", "Instances", &body)
}

pub(super) fn drawn(outcome: &Outcome) -> String {
    if outcome.run.drawn.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(&[Column("where the scenario gives a range", Kind::Words), Column("drawn", Kind::Number)]);
    for (name, value) in &outcome.run.drawn {
        table.row("", &[escape(name), escape(value)]);
    }
    section("drawn", "Drawn from the seed", &table.end(""))
}
