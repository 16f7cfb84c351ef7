//! What is wrong with a scenario, and where.

use crate::At;
use std::ops::Range;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario cannot run.
    Error,
    /// It runs, but probably not as its author thinks.
    Warning,
}

/// One problem of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// The bytes it is about.
    pub span: Option<Range<usize>>,
    /// What to read beside the underlined bytes; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// What explains this one when it was itself a problem, so that it need not be told.
    pub(crate) unless_lost: Option<Lost>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// What stands at this path, or within it.
    Path(String),
    /// What stands within the problem's own bytes.
    Within,
}

/// Most bytes of a message and of what stands beside the underlined bytes: a name of 70,000 bytes is quoted by its
/// beginning.
const MESSAGE_MAX: usize = 240;
const LABEL_MAX: usize = 4_000;

/// A text, or its beginning.
fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Problem {
    /// An error without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Problem {
            severity: Severity::Error,
            message: shortened(message.into(), MESSAGE_MAX),
            span: None,
            label: String::new(),
            help: None,
            unless_lost: None,
        }
    }

    /// An error about something in the file.
    pub fn at<T>(place: &At<T>, message: impl Into<String>) -> Self {
        Problem { span: place.span.clone(), ..Problem::new(message) }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(self) -> Self {
        Problem { severity: Severity::Warning, ..self }
    }

    /// With words beside the underlined bytes.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Problem { label: shortened(label.into(), LABEL_MAX), ..self }
    }

    /// With advice.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Problem { help: Some(help.into()), ..self }
    }

    /// With the bytes it is about.
    #[must_use]
    pub fn span(self, span: Option<Range<usize>>) -> Self {
        Problem { span, ..self }
    }

    /// Not worth telling when what stands at this path was itself a problem.
    #[must_use]
    pub(crate) fn unless_lost(self, path: impl Into<String>) -> Self {
        Problem { unless_lost: Some(Lost::Path(path.into())), ..self }
    }

    /// Not worth telling when something within the table it points at was itself a problem.
    #[must_use]
    pub(crate) fn unless_lost_within(self) -> Self {
        Problem { unless_lost: Some(Lost::Within), ..self }
    }
}

/// In the order of the file, each once.
pub(crate) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.span.as_ref().map_or(usize::MAX, |span| span.start), problem.severity));
    problems.dedup();
    problems
}

/// The name that was probably meant, if any is near enough.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    // A name of two letters may be off by one, of six by two; beyond a third of it, a guess only distracts.
    let limit = match name.chars().count() {
        0 | 1 => 0,
        n => (n / 3).max(1),
    };
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The most names that are listed beside a guess; a longer list would hide it.
const LIST_MAX: usize = 12;

/// `did you mean `x`? known: a, b, c`.
pub(crate) fn known<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    let list = || known.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    if known.is_empty() {
        return "there are none".to_string();
    }
    match nearest(name, known.iter().map(AsRef::as_ref)) {
        Some(guess) if known.len() > LIST_MAX => format!("did you mean `{guess}`?"),
        Some(guess) => format!("did you mean `{guess}`? known: {}", list()),
        None => format!("known: {}", list()),
    }
}

/// `1 service`, `2 services`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_near_or_not_made() {
        let names = ["checkout", "catalogue", "cart"];
        assert_eq!(nearest("chekout", names), Some("checkout"));
        assert_eq!(nearest("Cart", names), Some("cart"));
        assert_eq!(nearest("crat", names), Some("cart"), "a swap is one step");
        assert_eq!(nearest("billing", names), None);
        assert_eq!(known("chekout", &names), "did you mean `checkout`? known: checkout, catalogue, cart");
        assert_eq!(known::<&str>("x", &[]), "there are none");
    }
}
