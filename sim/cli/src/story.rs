//! A run as a story: one line for what happened, in the order in which it happened.
//!
//! ```text
//!    30.320000s  backend-7   down      its machine is gone: silence
//!    40.041201s  registry-1  registry  backend-7 expired from backend with lease3 at r31
//!    40.042377s  gateway-1   view      backend at r31: 11 open (and 5 others)
//!    44.018000s              ✗ always  rollout_within_budget broken: …
//! ```
//!
//! The trace gives the lines; broken promises, which the world keeps in its outcome, are put in where they happened. A
//! story of landmarks leaves out what happens to single requests and clients, and tells of a view that many callers
//! come to have in small steps only where it came to rest.

use crate::console::{Look, plain, wrap};
use crate::names::Names;
use base::{Duration, Instant};
use std::collections::BTreeMap;
use std::io::{self, Write};
use world::kernel::trace::{Entry, Recorder, Window};
use world::outcome::{CheckKind, Violation};
use world::{Run, Spec};

/// What is not told among landmarks: each request, and each client's dealings with the registry, whose own notes say
/// the same once.
pub(crate) const SMALL: [&str; 4] = ["send", "request", "resolver", "registration"];
/// A view that changes again within this was only passing.
const REST: Duration = Duration::secs(1);

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What is worth telling about a whole run.
    Landmarks,
    /// All that was noted.
    Everything,
}

/// Lines about a run, ready to be told.
#[derive(Debug)]
pub(crate) struct Story {
    lines: Vec<Line>,
    passed_over: u64,
}

/// One thing that happened.
#[derive(Debug)]
struct Line {
    at: Instant,
    node: String,
    kind: &'static str,
    text: String,
    /// Other nodes of which the same was to be told at about the same time.
    others: usize,
}

impl Story {
    /// The story of what was recorded of `run`.
    pub(crate) fn of(run: &Run, spec: &Spec, window: Window, scope: Scope) -> Self {
        let names = Names::of(run, spec);
        // What a story of landmarks leaves out is not even recorded, only counted.
        let passed_over = run.trace.recorder().map_or(0, Recorder::passed_over);
        let mut story = Story { lines: Vec::new(), passed_over };
        let broken = run.outcome.checks.iter().filter(|check| check.kind != CheckKind::Sometimes);
        let broken = broken.filter_map(|check| Some((check, check.first.as_ref()?)));
        let mut broken: Vec<_> = broken.filter(|(_, first)| window.contains(first.at)).collect();
        broken.sort_by_key(|(_, first)| first.event);
        let mut broken = broken.into_iter().peekable();
        let resting = if scope == Scope::Landmarks { resting(run.trace.entries()) } else { Vec::new() };
        for (index, entry) in run.trace.entries().iter().enumerate() {
            while let Some((check, first)) = broken.next_if(|(_, first)| first.event < entry.seq) {
                story.broken(check.kind, check.name, first, &names);
            }
            if scope == Scope::Landmarks && !resting[index] {
                story.passed_over += 1;
            } else {
                story.happened(entry, &names, scope);
            }
        }
        broken.for_each(|(check, first)| story.broken(check.kind, check.name, first, &names));
        story
    }

    /// How many lines there are.
    pub(crate) fn told(&self) -> usize {
        self.lines.len()
    }

    /// How many entries were left out.
    pub(crate) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    fn broken(&mut self, kind: CheckKind, name: &str, first: &Violation, names: &Names<'_>) {
        let kind = if kind == CheckKind::Always { "✗ always" } else { "✗ eventually" };
        let text = format!("{name} broken: {}", names.put_into(&first.message));
        self.lines.push(Line { at: first.at, node: String::new(), kind, text, others: 0 });
    }

    fn happened(&mut self, entry: &Entry, names: &Names<'_>, scope: Scope) {
        let node = entry.node.map_or(String::new(), |node| names.node(node.index()));
        let mut text = names.text(entry);
        let mut at = entry.at;
        if let Some(span) = entry.span {
            // Told at its end, so that the story only ever goes forward.
            at = at.saturating_add(span);
            text.push_str(&format!(" ({})", Duration::us(span.as_nanos() / 1_000)));
        }
        if scope == Scope::Landmarks
            && entry.kind == "view"
            && let Some(same) =
                self.lines.iter_mut().rev().take_while(|line| line.kind == "view").find(|l| l.text == text)
            && at.saturating_since(same.at) < REST
        {
            same.others += 1;
            return;
        }
        self.lines.push(Line { at, node, kind: entry.kind, text, others: 0 });
    }

    /// Writes the lines.
    pub(crate) fn tell(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let longest = |width: fn(&Line) -> usize| self.lines.iter().map(width).max().unwrap_or(0);
        let at_width = longest(|line| moment(line.at).len());
        let node_width = longest(|line| line.node.chars().count()).min(32);
        let kind_width = longest(|line| line.kind.chars().count());
        let indent = 2 + at_width + 2 + node_width + 2 + kind_width + 2;
        let mut others = String::new();
        for line in &self.lines {
            others.clear();
            if line.others > 0 {
                others = format!(" (and {} other{})", line.others, if line.others == 1 { "" } else { "s" });
            }
            let text = format!("{}{others}", plain(&line.text));
            let at = look.quiet(&format!("{:>at_width$}", moment(line.at)));
            let node = format!("{:<node_width$}", plain(&line.node));
            let kind = look.paint(line.colour(), &format!("{:<kind_width$}", line.kind));
            for (i, piece) in wrap(&text, look.width.saturating_sub(indent).max(40)).iter().enumerate() {
                match i {
                    0 => writeln!(out, "{}", format!("  {at}  {node}  {kind}  {piece}").trim_end())?,
                    _ => writeln!(out, "{:indent$}{piece}", "")?,
                }
            }
        }
        Ok(())
    }
}

impl Line {
    /// What goes wrong is red, what is put right is green, what is decided is bold; the kind says the same in words.
    fn colour(&self) -> &'static str {
        match self.kind {
            kind if kind.starts_with('✗') => "1;31",
            "fault" | "down" => "31",
            "up" => "32",
            "rollout" | "lock" => "1",
            kind if SMALL.contains(&kind) => "2",
            _ => "36",
        }
    }
}

/// A moment to the microsecond: fine enough to tell events apart, short enough to read.
fn moment(at: Instant) -> String {
    let us = at.as_nanos() / 1_000;
    format!("{}.{:06}s", us / 1_000_000, us % 1_000_000)
}

/// For each entry, whether it is anything but a passing view: one that the same node replaced within [`REST`].
fn resting(entries: &[Entry]) -> Vec<bool> {
    let mut resting = vec![true; entries.len()];
    let mut next: BTreeMap<(Option<u32>, &str), Instant> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate().rev().filter(|(_, entry)| entry.kind == "view") {
        let service = entry.text.split(' ').next().unwrap_or_default();
        let later = next.insert((entry.node.map(|node| node.0), service), entry.at);
        resting[index] = later.is_none_or(|later| later.saturating_since(entry.at) >= REST);
    }
    resting
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::NodeId;

    fn view(at_ms: u64, node: u32, text: &str) -> Entry {
        Entry {
            seq: at_ms,
            at: Instant::from_millis(at_ms),
            node: Some(NodeId(node)),
            kind: "view",
            text: text.into(),
            span: None,
            flow: None,
        }
    }

    #[test]
    fn only_a_view_that_stays_is_told() {
        let entries = [
            view(0, 1, "svc0 at r1: 1 open"),
            view(1, 2, "svc0 at r1: 1 open"),
            view(2, 1, "svc0 at r2: 2 open"),
            view(3, 1, "svc1 at r2: 1 open"),
            view(1_002, 1, "svc0 at r3: 3 open"),
            view(2_001, 1, "svc0 at r4: 4 open"),
        ];
        // The first was replaced after 2 ms; the third after exactly a second; the fifth a millisecond too early.
        assert_eq!(resting(&entries), [false, true, true, true, false, true]);
    }

    #[test]
    fn moments_have_six_digits_and_none_is_rounded_up() {
        assert_eq!(moment(Instant::from_nanos(30_004_344_999)), "30.004344s");
        assert_eq!(moment(Instant::ZERO), "0.000000s");
    }
}
