//! Problems as text: file, line, column, the bytes underlined, and what to write instead.
//!
//! ```text
//! error: unknown name `cross-zon`
//!   ╭▸ scenarios/weather.toml:3:11
//!   │
//! 3 │ network = "cross-zon"
//!   ╰╴          ━━━━━━━━━━━ did you mean `cross-zone`? known: ideal, lan, cross-zone, wan, lossy
//! ```

use crate::problem::{Problem, Severity};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// Longest line of a file that is shown; a longer one would bury the message.
const LINE_MAX: usize = 400;

/// The problems of the file called `file_name` with this `text`, one after the other, each ended by an empty line.
///
/// Never panics, whatever the spans: they are fitted into the text.
pub fn render(problems: &[Problem], file_name: &str, text: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Unicode).term_width(160);
    let mut out = String::new();
    for problem in problems {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let message = printable(&problem.message);
        let label = printable(&problem.label);
        let help = problem.help.as_deref().map(printable);
        let mut group = level.primary_title(message);
        let place = problem.span.as_ref().map(|span| fit(span, text)).filter(|span| line_is_short(span, text));
        let mut report = match place {
            Some(span) => {
                let annotation = AnnotationKind::Primary.span(span);
                let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
                group_with(&mut group, Snippet::source(text).path(file_name).annotation(annotation))
            }
            None => {
                let group = group.element(Origin::path(file_name));
                if label.is_empty() { group } else { group.element(Level::NOTE.message(label)) }
            }
        };
        if let Some(help) = help {
            report = report.element(Level::HELP.message(help));
        }
        out.push_str(&renderer.render(&[report]));
        out.push_str("\n\n");
    }
    out
}

fn group_with<'a>(
    title: &mut annotate_snippets::Title<'a>,
    snippet: Snippet<'a, annotate_snippets::Annotation<'a>>,
) -> annotate_snippets::Group<'a> {
    title.clone().element(snippet)
}

/// The span inside the text, on character boundaries, and on one line.
fn fit(span: &Range<usize>, text: &str) -> Range<usize> {
    let boundary = |mut offset: usize| {
        offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = boundary(span.start);
    let end = boundary(span.end).max(start);
    // A table that goes over many lines is shown by its first.
    let line_end = text[start..end].find(['\n', '\r']).map_or(end, |n| start + n);
    start..line_end
}

fn line_is_short(span: &Range<usize>, text: &str) -> bool {
    let begin = text[..span.start].rfind('\n').map_or(0, |n| n + 1);
    let end = text[span.start..].find('\n').map_or(text.len(), |n| span.start + n);
    end - begin <= LINE_MAX
}

/// Without control characters, which would let a file paint on the reader's terminal, and not endlessly long.
fn printable(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if text.chars().count() <= LINE_MAX {
        return text.chars().map(clean).collect();
    }
    text.chars().take(LINE_MAX).map(clean).chain(['…']).collect()
}
