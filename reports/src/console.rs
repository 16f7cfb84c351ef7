//! What a person reads after a run: the facts in a fixed order, and the verdict last, where the eye ends.
//!
//! Every mark comes with a word and every colour with a mark, so a log file, a screen reader and a reader who does not
//! see red lose nothing. Names come from scenario files and may hold anything; control characters are shown, never sent
//! to the terminal. Nothing here prints: the command line owns the console.

mod sections;
mod sweep;
pub(crate) mod table;

pub use sweep::{SweepRow, sweep};

use crate::number::{Unit, at, count, counted, decimal, share, span};
use std::time::Duration as WallTime;
use table::{Cell, Table, label, wrap};
use world::outcome::{Check, CheckKind, Distribution, FaultWindow, Outcome, Requests, Verdict};

/// How to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Columns of the terminal; prose is broken to fit, tables are not. At least 40 are used.
    pub width: usize,
    /// The command that runs this again.
    pub replay: String,
    /// How long the run took on this machine.
    pub wall: WallTime,
}

/// One run, as text that ends in a line break.
pub fn summary(outcome: &Outcome, options: &Options) -> String {
    let mut page = Page { text: String::new(), paint: Paint(options.colour), width: options.width.max(40) };
    page.header(outcome, options.wall);
    page.drawn(outcome);
    page.requests(&outcome.requests, &outcome.latency);
    page.services(outcome);
    page.rollouts(outcome);
    page.sections(outcome);
    page.faults(outcome);
    page.exposure(outcome);
    page.checks(&outcome.checks);
    page.objectives(outcome);
    page.verdict(outcome, &options.replay);
    page.text
}

/// Text with or without ANSI colours.
#[derive(Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

/// What a piece of text is, for colour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Quiet,
    Good,
    Bad,
    Doubt,
}

impl Paint {
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.into(),
            Tone::Strong => "1",
            Tone::Quiet => "2",
            Tone::Good => "1;32",
            Tone::Bad => "1;31",
            Tone::Doubt => "33",
        };
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }
}

/// `text` with control characters made visible, so that a scenario's names cannot move the cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

struct Page {
    text: String,
    paint: Paint,
    width: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A table under a label in the left margin.
    fn block(&mut self, name: &str, table: &Table) {
        for (i, row) in table.lines(self.paint).into_iter().enumerate() {
            let margin = label(if i == 0 { name } else { "" });
            let line = format!("  {}{row}", self.paint.tone(Tone::Quiet, &margin));
            self.line(&line);
        }
    }

    fn header(&mut self, outcome: &Outcome, wall: WallTime) {
        let phases = outcome.run.phases;
        let instances: usize = outcome.services.iter().map(|s| s.instances.len()).sum();
        let line = format!(
            "  {}   seed {}   {}   warm-up {}, storm {}, calm {}",
            self.paint.tone(Tone::Strong, &plain(&outcome.run.scenario)),
            outcome.run.seed,
            counted(instances as u64, "instance", "instances"),
            span(phases.warmup),
            span(phases.storm),
            span(phases.calm),
        );
        self.line(&line);
        for line in wrap(&plain(&outcome.run.title), self.width - 2).iter().filter(|line| !line.is_empty()) {
            self.line(&format!("  {line}"));
        }
        let seconds = wall.as_secs_f64();
        let mut pace = format!(
            "  simulated {} in {} s, {}",
            span(outcome.run.simulated),
            decimal(seconds, if seconds < 10.0 { 2 } else { 0 }),
            counted(outcome.run.events, "event", "events")
        );
        if seconds > 0.0 {
            pace.push_str(&format!(" ({} a second)", count((outcome.run.events as f64 / seconds) as u64)));
        }
        let pace = self.paint.tone(Tone::Quiet, &pace);
        self.line(&pace);
    }

    fn drawn(&mut self, outcome: &Outcome) {
        if outcome.run.drawn.is_empty() {
            return;
        }
        self.gap();
        let mut table = Table::bare("ll");
        for (name, value) in &outcome.run.drawn {
            table.row([Cell::plain(plain(name)), Cell::plain(plain(value))]);
        }
        self.block("drawn", &table);
    }

    fn requests(&mut self, requests: &Requests, latency: &Distribution) {
        self.gap();
        let unfinished = match requests.unfinished {
            0 => String::new(),
            n => format!("{} unfinished   ", count(n)),
        };
        let mut table = Table::bare("l");
        table.row([Cell::plain(format!(
            "{} sent   {} succeeded ({})   {} failed   {}{}",
            count(requests.sent),
            count(requests.succeeded),
            share(requests.succeeded, requests.sent),
            count(requests.failed),
            unfinished,
            counted(requests.retries, "retry", "retries"),
        ))]);
        if !requests.errors.is_empty() {
            let names: Vec<_> = requests.errors.iter().map(|(name, n)| format!("{name} {}", count(*n))).collect();
            table.row([Cell::plain(names.join("   "))]);
        }
        self.block("requests", &table);
        let mut table = Table::bare("l");
        if latency.count == 0 {
            table.row([Cell::plain("no request was measured")]);
        } else {
            let unit = Unit::for_spans([latency.p50]);
            let points = [
                ("mean", latency.mean),
                ("p50", latency.p50),
                ("p90", latency.p90),
                ("p99", latency.p99),
                ("p99.9", latency.p999),
                ("max", latency.max),
            ];
            let points = points.map(|(name, at)| format!("{name} {}{}", at_least(latency, name, at), unit.cell(at)));
            table.row([Cell::plain(format!("{}   {}", points.join("   "), unit.name()))]);
        }
        self.block("latency", &table);
        if let Some(warning) = unfinished_warning(requests, latency) {
            self.gap();
            for (i, line) in wrap(&warning, self.width.saturating_sub(16)).into_iter().enumerate() {
                let mark = if i == 0 { label("⚠") } else { label("") };
                let line = self.paint.tone(Tone::Doubt, &format!("{mark}{line}"));
                self.line(&format!("  {line}"));
            }
        }
    }

    fn services(&mut self, outcome: &Outcome) {
        if outcome.services.is_empty() {
            return;
        }
        self.gap();
        let spans = |pick: fn(&Distribution) -> base::Duration| -> Vec<base::Duration> {
            outcome.services.iter().map(|s| pick(&s.latency)).collect()
        };
        let unit = Unit::for_spans(outcome.services.iter().map(|s| s.latency.p50));
        let points = [
            ("mean", spans(|d| d.mean)),
            ("p50", spans(|d| d.p50)),
            ("p99", spans(|d| d.p99)),
            ("max", spans(|d| d.max)),
        ];
        let columns = points.each_ref().map(|(name, spans)| {
            let figures = outcome.services.iter().zip(spans).zip(unit.column(spans));
            figures.map(|((s, &span), figure)| at_least(&s.latency, name, span).to_string() + &figure).collect()
        });
        let columns: [Vec<String>; 4] = columns;
        let is_unfinished = outcome.services.iter().any(|s| s.requests.unfinished > 0);
        let unfinished = |cell: Cell| is_unfinished.then_some(cell);
        let heads = ["service", "requests", "failed"].into_iter().chain(is_unfinished.then_some("unfinished"));
        let heads = heads.chain(["success"]).map(String::from);
        let heads = heads.chain(points.iter().map(|(name, _)| format!("{name} {}", unit.name())));
        let mut table = Table::new(if is_unfinished { "lrrrrrrrr" } else { "lrrrrrrr" }, heads);
        for (i, service) in outcome.services.iter().enumerate() {
            let r = &service.requests;
            let mut row =
                vec![Cell::strong(plain(&service.name)), Cell::plain(count(r.sent)), Cell::plain(count(r.failed))];
            row.extend(unfinished(Cell::plain(count(r.unfinished))));
            row.push(Cell::plain(share(r.succeeded, r.sent)));
            row.extend(columns.iter().map(|c| Cell::plain(c[i].clone())));
            table.row(row);
            for v in &service.versions {
                let mut row = vec![
                    Cell::plain(format!("  {}", plain(&v.version))),
                    Cell::plain(count(v.attempts)),
                    Cell::plain(count(v.failed)),
                ];
                row.extend(unfinished(Cell::plain(String::new())));
                row.push(Cell::plain(share(v.attempts.saturating_sub(v.failed), v.attempts)));
                table.row(row);
            }
        }
        self.block("services", &table);
        let note = "  requests as callers saw them; under a service, the attempts that ended at each version";
        let note = self.paint.tone(Tone::Quiet, &format!("  {}{}", label(""), note.trim_start()));
        self.line(&note);
    }

    /// What processes have to tell.
    fn sections(&mut self, outcome: &Outcome) {
        for (title, table) in sections::blocks(outcome) {
            self.gap();
            self.block(title, &table);
        }
    }

    fn rollouts(&mut self, outcome: &Outcome) {
        for rollout in &outcome.rollouts {
            self.gap();
            let mut table = Table::bare("l");
            table.row([Cell::plain(format!(
                "{} {} → {}   {}",
                plain(&rollout.service),
                plain(&rollout.from),
                plain(&rollout.to),
                self.paint.tone(Tone::Strong, rollout.phase),
            ))]);
            self.block("rollout", &table);
            let mut story = Table::bare("rl");
            for (moment, what) in &rollout.history {
                for (i, line) in wrap(&plain(what), self.width.saturating_sub(28)).into_iter().enumerate() {
                    story.row([Cell::quiet(if i == 0 { at(*moment) } else { String::new() }), Cell::plain(line)]);
                }
            }
            self.block("", &story);
        }
    }

    fn faults(&mut self, outcome: &Outcome) {
        if outcome.faults.is_empty() {
            return;
        }
        self.gap();
        let end = base::Instant::ZERO.saturating_add(outcome.run.phases.total());
        let mut table = Table::bare("lrl");
        for fault in &outcome.faults {
            let lasted = if fault.until == fault.from {
                "at once".into()
            } else if fault.until >= end {
                "to the end".into()
            } else {
                format!("for {}", span(fault.until.saturating_since(fault.from)))
            };
            table.row([
                Cell::plain(plain(&fault.name)),
                Cell::quiet(at(fault.from)),
                Cell::plain(format!("{lasted}   {}{}", plain(&fault.text), plain(&hit(fault)))),
            ]);
        }
        self.block("faults", &table);
    }

    fn exposure(&mut self, outcome: &Outcome) {
        if outcome.exposure.is_empty() {
            return;
        }
        self.gap();
        let mut table = Table::bare("lrl");
        for e in &outcome.exposure {
            let sent = match e.last_sent {
                Some(last) if e.attempts > 0 => format!(
                    "sent {} more, the last {} after its death",
                    counted(e.attempts, "attempt", "attempts"),
                    span(round(last.saturating_since(e.died)))
                ),
                _ => "sent nothing after its death".into(),
            };
            table.row([Cell::plain(plain(&e.instance)), Cell::quiet(at(e.died)), Cell::plain(sent)]);
        }
        self.block("exposure", &table);
    }

    fn checks(&mut self, checks: &[Check]) {
        if checks.is_empty() {
            return;
        }
        self.gap();
        let mut table = Table::bare("lllrl");
        for check in checks {
            let said = Said::of(check);
            table.row([
                Cell::toned(said.tone, said.mark),
                Cell::quiet(check.kind.name()),
                Cell::plain(plain(check.name)),
                Cell::plain(said.count),
                Cell::toned(said.tone, said.note),
            ]);
        }
        self.block("checks", &table);
    }

    fn objectives(&mut self, outcome: &Outcome) {
        if outcome.objectives.is_empty() {
            return;
        }
        self.gap();
        let mut table = Table::bare("lllrl");
        for o in &outcome.objectives {
            let (tone, mark, word) = if o.met { (Tone::Good, "✓", "met") } else { (Tone::Bad, "✗", "missed") };
            table.row([
                Cell::toned(tone, mark),
                Cell::plain(plain(&o.service)),
                Cell::plain(plain(&o.asked)),
                Cell::plain(plain(&o.reached)),
                Cell::toned(if o.met { Tone::Plain } else { tone }, word),
            ]);
        }
        self.block("objectives", &table);
    }

    fn verdict(&mut self, outcome: &Outcome, replay: &str) {
        self.gap();
        let (tone, words) = match outcome.verdict {
            Verdict::Passed => (Tone::Good, "✓ PASSED".to_string()),
            other => (Tone::Bad, format!("✗ FAILED   {}", other.name())),
        };
        let mut line = format!("  {}", self.paint.tone(tone, &words));
        if let Some(failure) = &outcome.failure {
            line.push_str(&format!(
                "   {} at {} (event {})",
                plain(&failure.name),
                at(failure.at),
                count(failure.event)
            ));
        }
        self.line(&line);
        if let Some(failure) = &outcome.failure {
            for line in wrap(&plain(&failure.message), self.width - 4) {
                self.line(&format!("    {line}"));
            }
        }
        let fingerprint = format!("    {}{}", label("fingerprint"), outcome.run.fingerprint);
        self.line(&fingerprint);
        let replay = format!("    {}{}", label("replay"), self.paint.tone(Tone::Strong, &plain(replay)));
        self.line(&replay);
    }
}

/// `≥ ` before a figure that would be greater if everything had ended.
pub(crate) fn at_least(latency: &Distribution, name: &str, figure: base::Duration) -> &'static str {
    let is_bound = match name {
        "mean" => latency.exact_below.is_some(),
        _ => latency.is_lower_bound(figure),
    };
    if is_bound { "≥ " } else { "" }
}

/// What is to be known of a run that ended before its requests did.
pub(crate) fn unfinished_warning(requests: &Requests, latency: &Distribution) -> Option<String> {
    let unfinished = requests.unfinished;
    let bound = latency.exact_below?;
    (unfinished > 0).then(|| {
        format!(
            "{} had not ended when the run did: queued, at work, or on the way. They count as sent and not as succeeded, \
             and their ages as latencies, so the mean and every figure from {} up are lower bounds.",
            counted(unfinished, "request", "requests"),
            span(round(bound)),
        )
    })
}

/// Whom a fault met, behind what it did; empty where the scenario says so by itself.
fn hit(fault: &FaultWindow) -> String {
    fault.hit.as_ref().map_or(String::new(), |hit| format!(": {hit}"))
}

/// What is said about one check.
pub(crate) struct Said {
    tone: Tone,
    /// `✓`, `✗`, or `–` for what was never put to the test.
    pub(crate) mark: &'static str,
    /// How often it was tested or reached.
    pub(crate) count: String,
    /// What went wrong; empty when nothing did.
    pub(crate) note: String,
}

impl Said {
    pub(crate) fn of(check: &Check) -> Said {
        let count = match (check.kind, check.tested) {
            (CheckKind::Sometimes, 0) => String::new(),
            (CheckKind::Sometimes, n) => counted(n, "time", "times"),
            (_, n) => counted(n, "check", "checks"),
        };
        let first = check.first.as_ref().map_or(String::new(), |v| format!(", first at {}", at(v.at)));
        let (tone, mark, note) = match (check.kind, check.violations, check.tested) {
            (CheckKind::Sometimes, 0, 1..) => (Tone::Good, "✓", String::new()),
            (CheckKind::Sometimes, _, _) => (Tone::Bad, "✗", "never reached".into()),
            (_, 0, 0) => (Tone::Doubt, "–", "never tested".into()),
            (_, 0, _) => (Tone::Good, "✓", String::new()),
            (CheckKind::Eventually, _, _) => (Tone::Bad, "✗", "did not hold at the end of calm".into()),
            (CheckKind::Always, n, _) => (Tone::Bad, "✗", format!("broken {}{first}", counted(n, "time", "times"))),
        };
        Said { tone, mark, count, note }
    }
}

/// A span to the millisecond when it is longer than that: enough for prose.
pub(crate) fn round(span: base::Duration) -> base::Duration {
    let ms = 1_000_000;
    if span.as_nanos() < ms { span } else { base::Duration::ns((span.as_nanos() + ms / 2) / ms * ms) }
}
