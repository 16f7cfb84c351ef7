//! A run as a story: one line for what happened, in the order in which it happened.
//!
//! ```text
//!    31.204s  backend-4    down          Machine
//!    41.530s  registry-1   registry      lease of backend-4 expired
//!    44.018s               ✗ always      rollout_within_budget: …
//! ```
//!
//! The trace gives the lines; broken promises, which the world keeps in its outcome, are put in where they happened.

use crate::console::{Look, plain, wrap};
use base::Instant;
use std::io::{self, Write};
use world::Run;
use world::kernel::trace::{Entry, Window};
use world::outcome::{Check, CheckKind};

/// What happens hundreds of times a second, once for each request.
const PER_REQUEST: [&str; 2] = ["send", "request"];

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
pub(crate) struct Story<'a> {
    lines: Vec<Line<'a>>,
    nodes: &'a [String],
    passed_over: u64,
}

#[derive(Debug)]
enum Line<'a> {
    Happened(&'a Entry),
    /// A promise was broken for the first time.
    Broken(&'a Check, &'a world::outcome::Violation),
}

impl<'a> Story<'a> {
    /// The story of what was recorded of `run`.
    pub(crate) fn of(run: &'a Run, window: Window, scope: Scope) -> Self {
        let mut story = Story { lines: Vec::new(), nodes: &run.nodes, passed_over: 0 };
        let mut broken: Vec<_> = run.outcome.checks.iter().filter_map(|c| Some((c, c.first.as_ref()?))).collect();
        // A run that is cut short has not broken what it had time for until the end.
        broken.retain(|(check, first)| check.kind == CheckKind::Always && window.contains(first.at));
        broken.sort_by_key(|(_, first)| first.event);
        let mut broken = broken.into_iter().peekable();
        for entry in run.trace.entries() {
            while let Some((check, first)) = broken.next_if(|(_, first)| first.event < entry.seq) {
                story.lines.push(Line::Broken(check, first));
            }
            // What was over before the window began is recorded for the part that reaches into it.
            if scope == Scope::Everything || !PER_REQUEST.contains(&entry.kind) {
                story.lines.push(Line::Happened(entry));
            } else {
                story.passed_over += 1;
            }
        }
        story.lines.extend(broken.map(|(check, first)| Line::Broken(check, first)));
        story
    }

    /// How many lines there are.
    pub(crate) fn told(&self) -> usize {
        self.lines.len()
    }

    /// How many were left out.
    pub(crate) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Writes the lines.
    pub(crate) fn tell(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let widths = self.widths();
        for line in &self.lines {
            let (at, node, kind, text) = self.columns(line);
            let prose = wrap(&plain(&text), look.width.saturating_sub(widths.indent()).max(40));
            let node = format!("{:<w$}", plain(&node), w = widths.node);
            let kind = look.paint(line.colour(), &format!("{kind:<w$}", w = widths.kind));
            let at = look.quiet(&format!("{:>w$}", at.to_string(), w = widths.at));
            for (i, piece) in prose.iter().enumerate() {
                if i == 0 {
                    writeln!(out, "{}", format!("  {at}  {node}  {kind}  {piece}").trim_end())?;
                } else {
                    writeln!(out, "{}{piece}", " ".repeat(widths.indent()))?;
                }
            }
        }
        Ok(())
    }

    fn columns(&self, line: &Line<'_>) -> (Instant, String, &'static str, String) {
        match line {
            Line::Broken(check, first) => (first.at, String::new(), "✗ always", format!("{} broken: {}", check.name, first.message)),
            Line::Happened(entry) => {
                let name = entry.node.map(|n| self.nodes.get(n.index()).cloned().unwrap_or_else(|| n.to_string()));
                let (at, text) = match entry.span {
                    None => (entry.at, entry.text.clone()),
                    // Told at its end, so that the story only ever goes forward.
                    Some(span) => (entry.at.saturating_add(span), format!("{} ({span})", entry.text)),
                };
                (at, name.unwrap_or_default(), entry.kind, text)
            }
        }
    }

    fn widths(&self) -> Widths {
        let mut widths = Widths { at: 8, node: 4, kind: 4 };
        for line in &self.lines {
            let (at, node, kind, _) = self.columns(line);
            widths.at = widths.at.max(at.to_string().len());
            widths.node = widths.node.max(node.chars().count()).min(32);
            widths.kind = widths.kind.max(kind.chars().count());
        }
        widths
    }
}

/// Columns of the story.
struct Widths {
    at: usize,
    node: usize,
    kind: usize,
}

impl Widths {
    /// Where the text begins.
    fn indent(&self) -> usize {
        2 + self.at + 2 + self.node + 2 + self.kind + 2
    }
}

impl Line<'_> {
    /// What goes wrong is red, what is put right is green, what is decided is bold.
    fn colour(&self) -> &'static str {
        match self {
            Line::Broken(..) => "1;31",
            Line::Happened(entry) => match entry.kind {
                "fault" | "down" => "31",
                "up" => "32",
                "rollout" | "lock" => "1",
                kind if PER_REQUEST.contains(&kind) => "2",
                _ => "36",
            },
        }
    }
}
