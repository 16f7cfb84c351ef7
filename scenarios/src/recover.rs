//! Every problem of a file, not only the first.
//!
//! The TOML parser already goes on after a syntax error. Serde does not: it stops at the first value that does not fit.
//! So the file is parsed into a tree whose keys and values know their places; when serde objects to something, that key
//! is taken out of the tree, the objection is kept, and serde reads what is left. This ends, because each round takes
//! something out.
//!
//! What was taken out is remembered by its path. A later check that misses exactly that (no `rate`, because the
//! `rate` could not be read) keeps silent: its problem is already told.

use crate::problem::{Lost, Problem, known, nearest};
use crate::scalar::SEPARATOR;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Nobody reads more, and each costs a round.
const PROBLEMS_MAX: usize = 50;

/// What could be read of a file.
pub(crate) struct Recovered<T> {
    /// What the file describes, without what could not be read.
    pub(crate) value: T,
    /// What could not be read, and why.
    pub(crate) problems: Vec<Problem>,
    /// Paths of what was taken out, such as `load/shoppers/rate`.
    pub(crate) lost: BTreeSet<String>,
    /// Where it stood.
    pub(crate) lost_spans: Vec<Range<usize>>,
    /// Whether the file is TOML at all; if not, nothing may be concluded from what is missing.
    pub(crate) is_toml: bool,
}

/// Reads as much of `text` as can be read.
pub(crate) fn read<T: DeserializeOwned + Default>(text: &str) -> Recovered<T> {
    let (root, syntax) = tree(text);
    let broken: BTreeSet<usize> = syntax.iter().filter_map(|p| Some(line_of(text, p.span.as_ref()?.start))).collect();
    // A line that is not TOML explains whatever else is odd about it, and whatever the file as a whole lacks.
    let whole = root.span();
    let lacks = |span: &Range<usize>| !broken.is_empty() && *span == whole;
    let mut recovered = from_tree(root, |span| lacks(span) || broken.contains(&line_of(text, span.start)));
    recovered.is_toml = syntax.is_empty();
    recovered.problems.splice(0..0, syntax);
    recovered
}

/// A text as a tree that knows where everything stands, and what in it is not TOML.
pub(crate) fn tree(text: &str) -> (Spanned<DeTable<'_>>, Vec<Problem>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let problems = errors.iter().take(PROBLEMS_MAX).map(|error| syntax(text, error.message(), error.span()));
    (root, problems.collect())
}

/// Reads as much of a tree as can be read; nothing is said of places that are `explained` otherwise.
pub(crate) fn from_tree<T: DeserializeOwned + Default>(
    mut root: Spanned<DeTable<'_>>,
    explained: impl Fn(&Range<usize>) -> bool,
) -> Recovered<T> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut lost = BTreeSet::new();
    let mut lost_spans = Vec::new();
    let value = loop {
        let error = match T::deserialize(toml::de::Deserializer::from(root.clone())) {
            Ok(value) => break value,
            Err(error) => error,
        };
        let span = error.span();
        let taken = span.clone().and_then(|span| take_out(root.get_mut(), &span, String::new()));
        if !span.as_ref().is_some_and(&explained) {
            // A key that is missing from the whole file is missing nowhere in particular.
            let place = span.clone().filter(|span| !(error.message().starts_with(MISSING) && *span == root.span()));
            problems.push(structure(error.message(), place));
        }
        lost_spans.extend(span);
        match taken {
            Some(path) if problems.len() < PROBLEMS_MAX => lost.insert(path),
            _ => break T::default(),
        };
    };
    Recovered { value, problems, lost, lost_spans, is_toml: true }
}

impl<T> Recovered<T> {
    /// Whether a problem is explained by something that was taken out.
    pub(crate) fn explains(&self, problem: &Problem) -> bool {
        let path = match &problem.unless_lost {
            None => return false,
            Some(Lost::Path(path)) => path,
            Some(Lost::Within) => {
                let Some(span) = &problem.span else { return false };
                return self.lost_spans.iter().any(|lost| span.start <= lost.start && lost.end <= span.end);
            }
        };
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.lost.iter().any(|lost| inside(lost, path) || inside(path, lost))
    }
}

/// The key whose value or name stands at `span`, as a path such as `old[1].total`; the innermost there is.
pub(crate) fn key_at(text: &str, span: &Range<usize>) -> Option<String> {
    key_in_table(DeTable::parse_recoverable(text).0.get_ref(), span, "")
}

fn key_in_table(table: &DeTable<'_>, span: &Range<usize>, path: &str) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = format!("{path}{}{}", if path.is_empty() { "" } else { "." }, key.get_ref());
        key_in_value(value, span, &name).or_else(|| is_within(span, &key.span()).then_some(name))
    })
}

/// A table under a header stands at the header, and what is in it somewhere else: so everything is looked through.
fn key_in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>, path: &str) -> Option<String> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => key_in_table(table, span, path),
        DeValue::Array(array) => {
            array.iter().enumerate().find_map(|(i, item)| key_in_value(item, span, &format!("{path}[{i}]")))
        }
        _ => None,
    };
    inner.or_else(|| is_within(span, &value.span()).then(|| path.to_string()))
}

fn is_within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&b| b == b'\n').count()
}

/// Whether something has been told of the line on which a problem begins: a line that is not TOML explains whatever
/// else is odd about it.
pub(crate) fn is_told(text: &str, told: &[Problem], problem: &Problem) -> bool {
    let line = |problem: &Problem| Some(line_of(text, problem.span.as_ref()?.start));
    told.iter().any(|told| line(told) == line(problem))
}

/// Takes out the entry that `span` points at: by its key, or else by its value, the innermost first. Returns its path.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>, path: String) -> Option<String> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let name = format!("{path}{}{}", if path.is_empty() { "" } else { "/" }, key.get_ref());
        if key.span() == *span {
            found = Some((key.clone(), name));
            break;
        }
        let whole = value.span() == *span;
        if let Some(inner) = take_out_of_value(value, span, name.clone()) {
            return Some(inner);
        }
        if whole {
            found = Some((key.clone(), name));
            break;
        }
    }
    let (key, name) = found?;
    table.remove(&key);
    Some(name)
}

fn take_out_of_value(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>, path: String) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => take_out(table, span, path),
        DeValue::Array(array) => {
            for index in 0..array.len() {
                let name = format!("{path}/{index}");
                let Some(item) = array.get_mut(index) else { break };
                let whole = item.span() == *span;
                if let Some(inner) = take_out_of_value(item, span, name.clone()) {
                    return Some(inner);
                }
                if whole {
                    let rest = array.iter().enumerate().filter(|(i, _)| *i != index);
                    *array = rest.map(|(_, item)| item.clone()).collect();
                    return Some(name);
                }
            }
            None
        }
        _ => None,
    }
}

/// A syntax error in the words of this project.
fn syntax(text: &str, message: &str, span: Option<Range<usize>>) -> Problem {
    let span = span.map(|span| {
        // An error at the end of a line is shown on that line.
        let start = span.start.min(text.len());
        start..span.end.clamp(start, text.len())
    });
    let (message, label) = match message.split_once(", expected ") {
        Some((message, expected)) => (message.to_string(), format!("expected {expected}")),
        None => (message.to_string(), String::new()),
    };
    Problem::new(message).label(label).span(span)
}

/// How serde begins to say that a key is not there.
const MISSING: &str = "missing field";

/// What serde said, in the words of this project.
fn structure(message: &str, span: Option<Range<usize>>) -> Problem {
    if let Some((message, label)) = message.split_once(SEPARATOR) {
        return Problem::new(message).label(label).span(span);
    }
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let expected = if expected == "a sequence" { "an array" } else { expected };
    let quoted = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_string).collect() };
    if what.starts_with("unknown field") {
        let name = quoted(what).concat();
        let mut names = quoted(expected);
        names.sort();
        return Problem::new(format!("unknown key `{name}`")).label(advice(&name, &names)).span(span);
    }
    if what.starts_with(MISSING) {
        return Problem::new(format!("`{}` is missing", quoted(what).concat())).span(span);
    }
    if what.starts_with("unknown variant") {
        let name = quoted(what).concat();
        return Problem::new(format!("unknown name `{name}`")).label(known(&name, &quoted(expected))).span(span);
    }
    if let Some(found) = what.strip_prefix("invalid type: ") {
        return Problem::new(format!("expected {expected}")).label(format!("this is {}", found_kind(found))).span(span);
    }
    if let Some(found) = what.strip_prefix("invalid value: ") {
        return Problem::new(format!("expected {expected}")).label(format!("this is {}", found_kind(found))).span(span);
    }
    Problem::new(message).span(span)
}

/// Names that exist, the nearest first; the list is cut where it would fill the screen.
fn advice(name: &str, names: &[String]) -> String {
    match nearest(name, names.iter().map(String::as_str)) {
        Some(guess) if names.len() > 12 => format!("did you mean `{guess}`?"),
        _ => known(name, names),
    }
}

/// Serde's word for what it found, in TOML's words.
fn found_kind(found: &str) -> String {
    match found {
        "map" => "a table".to_string(),
        "sequence" => "an array".to_string(),
        other => match other.split_once(' ') {
            Some(("integer", value)) => format!("the integer {}", value.trim_matches('`')),
            Some(("boolean", value)) => format!("the boolean {}", value.trim_matches('`')),
            Some(("string", value)) => format!("the string {value}"),
            Some(("floating", value)) => format!("the number {}", value.trim_start_matches("point ").trim_matches('`')),
            _ => other.to_string(),
        },
    }
}
