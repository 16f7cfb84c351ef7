//! From `[[axis]]` tables to points: a label, perhaps a number, and what each sets in the base.

use super::patch::{Path, Tree};
use super::schema::{self, Point as PointTable};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Rate, Scalar, Span};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// An axis as a study sees it, ready to be applied to a base.
pub(crate) struct Axis<'a> {
    pub(crate) name: String,
    pub(crate) points: Vec<Point<'a>>,
}

/// A point of an axis.
pub(crate) struct Point<'a> {
    pub(crate) label: String,
    pub(crate) number: Option<f64>,
    /// What it takes away, before it sets anything.
    pub(crate) unset: Vec<Path>,
    pub(crate) set: Vec<(Path, Tree<'a>)>,
    /// Items of arrays that it takes out, numbered as they are before any point removes one.
    pub(crate) remove: Vec<Path>,
    /// Items that it puts behind those of arrays, after everything else.
    pub(crate) add: Vec<(Path, Tree<'a>)>,
    pub(crate) span: Range<usize>,
}

/// More points than a picture could show.
const POINTS_MAX: usize = 1_000;

/// Reads an axis; what cannot be read of it is reported and left out.
pub(crate) fn read<'a>(
    axis: &At<schema::Axis>,
    tree: &DeTable<'a>,
    text: &str,
    report: &mut Vec<Problem>,
) -> Option<Axis<'a>> {
    let path = axis.set.as_ref().and_then(|at| Path::parse(at, text).map_err(|problem| report.push(*problem)).ok());
    let missing = |what: &str| Problem::at(axis, what).unless_lost_within();
    let points = match (&axis.set, &axis.values, &axis.points) {
        (Some(_), Some(_), None) => {
            let values = array(tree, "values");
            let path = path.clone()?;
            values.iter().filter_map(|value| labelled(value, &path, report)).collect()
        }
        (None, None, Some(points)) => {
            let trees = array(tree, "points");
            points.value.iter().zip(trees).filter_map(|(at, tree)| point(at, tree, text, report)).collect()
        }
        (_, _, Some(points)) => {
            let message = "an axis has `set` and `values`, or `points`";
            report.push(Problem::at(points, message).label("the points say themselves what they set"));
            return None;
        }
        (None, Some(values), None) => {
            report
                .push(Problem::at(values, "values of what?").label("`set` names the key: \"load.users.utilization\""));
            return None;
        }
        (Some(set), None, None) => {
            report.push(
                Problem::at(set, "an axis without `values`").label("which values shall it have?").unless_lost("axis"),
            );
            return None;
        }
        (None, None, None) => {
            report.push(missing("an axis needs `set` and `values`, or `points`"));
            return None;
        }
    };
    let points: Vec<Point<'a>> = points;
    let name = match (&axis.name, &path) {
        (Some(name), _) => name.value.clone(),
        (None, Some(path)) => path.last().to_string(),
        (None, None) => {
            report.push(missing("an axis of points needs a `name`"));
            return None;
        }
    };
    if points.is_empty() {
        report.push(Problem::at(axis, format!("the axis `{name}` has no points")).unless_lost_within());
        return None;
    }
    if points.len() > POINTS_MAX {
        report.push(Problem::at(axis, format!("the axis `{name}` has more than {POINTS_MAX} points")));
        return None;
    }
    for (index, point) in points.iter().enumerate() {
        if let Some(earlier) = points[..index].iter().find(|other| other.label == point.label) {
            let text = format!("the axis `{name}` has two points called `{}`", point.label);
            let help = "{ label = \"…\", value = … } gives a value another name";
            let same = earlier.set.iter().map(|(_, v)| plain(v)).eq(point.set.iter().map(|(_, v)| plain(v)));
            let label = if same { "the same as before" } else { "the second one" };
            report.push(Problem::new(text).label(label).help(help).span(Some(point.span.clone())));
        }
    }
    Some(Axis { name, points })
}

fn array<'t, 'a>(tree: &'t DeTable<'a>, key: &str) -> &'t [Tree<'a>] {
    match tree.get(key).map(Spanned::get_ref) {
        Some(DeValue::Array(array)) => array,
        _ => &[],
    }
}

/// A value, with a label and a number of its own where it is wrapped in a table that says so.
fn labelled<'a>(value: &Tree<'a>, path: &Path, report: &mut Vec<Problem>) -> Option<Point<'a>> {
    let span = value.span();
    let point = |label: String, number: Option<f64>, value: &Tree<'a>| {
        let set = vec![(path.clone(), value.clone())];
        let (unset, remove, add) = (Vec::new(), Vec::new(), Vec::new());
        Some(Point { label, number, unset, set, remove, add, span: span.clone() })
    };
    let DeValue::Table(table) = value.get_ref() else { return point(plain(value), number(value), value) };
    let wraps = table.contains_key("value")
        && table.keys().all(|key| ["label", "value", "x"].contains(&key.get_ref().as_ref()));
    if !wraps {
        return point(plain(value), None, value);
    }
    let inner = table.get("value")?;
    let x = match table.get("x") {
        None => number(inner),
        Some(x) => match number(x) {
            Some(number) => Some(number),
            None => {
                report.push(
                    Problem::new("expected a number")
                        .label("where it stands on an axis of numbers")
                        .span(Some(x.span())),
                );
                return None;
            }
        },
    };
    match table.get("label") {
        None => point(plain(inner), x, inner),
        Some(label) => match label.get_ref() {
            DeValue::String(text) => point(text.to_string(), x, inner),
            DeValue::Integer(_) | DeValue::Float(_) => point(plain(label), x, inner),
            _ => {
                report.push(
                    Problem::new("expected a text").label("what people call this point").span(Some(label.span())),
                );
                None
            }
        },
    }
}

/// A point that sets several keys.
fn point<'a>(at: &At<PointTable>, tree: &Tree<'a>, text: &str, report: &mut Vec<Problem>) -> Option<Point<'a>> {
    let span = tree.span();
    let Some(label) = &at.label else {
        report.push(
            Problem::at(at, "a point needs a `label`")
                .label("such as { label = \"100 gateways\", set = { … } }")
                .unless_lost_within(),
        );
        return None;
    };
    let mut read = |written: &At<String>| Path::parse(written, text).map_err(|problem| report.push(*problem)).ok();
    let unset = at.unset.iter().filter_map(&mut read).collect();
    let remove = at.remove.iter().filter_map(&mut read).collect();
    let mut paths_and_values = |key: &str| {
        let mut out = Vec::new();
        if let DeValue::Table(table) = tree.get_ref()
            && let Some(DeValue::Table(table)) = table.get(key).map(Spanned::get_ref)
        {
            settings(table, text, &mut Path { keys: Vec::new() }, &mut read, &mut out);
        }
        out
    };
    let (set, add) = (paths_and_values("set"), paths_and_values("add"));
    let number = at.x.as_ref().map(|x| x.value);
    Some(Point { label: label.value.clone(), number, unset, set, remove, add, span })
}

/// What a `set` or `add` table says. Its keys are paths in quotes; without quotes, TOML has already made tables of
/// them, which are told from tables that are values by the dot that follows.
fn settings<'a>(
    table: &DeTable<'a>,
    text: &str,
    prefix: &mut Path,
    read: &mut impl FnMut(&At<String>) -> Option<Path>,
    out: &mut Vec<(Path, Tree<'a>)>,
) {
    for (key, value) in table {
        let is_dotted = text.get(key.span().end..).is_some_and(|rest| rest.trim_start().starts_with('.'));
        let keys = if prefix.keys.is_empty() && !is_dotted {
            let written = At { value: key.get_ref().to_string(), span: Some(key.span()) };
            match read(&written) {
                Some(path) => path.keys,
                None => continue,
            }
        } else {
            vec![(key.get_ref().to_string(), Some(key.span()))]
        };
        let depth = prefix.keys.len();
        prefix.keys.extend(keys);
        match value.get_ref() {
            DeValue::Table(inner) if is_dotted => settings(inner, text, prefix, read, out),
            _ => out.push((prefix.clone(), value.clone())),
        }
        prefix.keys.truncate(depth);
    }
}

/// A value as a person would call it: a text as it is, a table by its name and what goes with it.
pub(crate) fn plain(value: &Tree<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string().replace('_', ""),
        DeValue::Float(number) => number.as_str().replace('_', ""),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<String>>().join(", ")),
        DeValue::Table(table) => {
            let naming = ["strategy", "preset", "distribution", "kind", "structure"];
            let name = naming.iter().find_map(|key| table.get(*key).map(|value| (*key, plain(value))));
            // In the order in which they were written, not in that of the alphabet.
            let mut rest: Vec<_> =
                table.iter().filter(|(key, _)| name.as_ref().is_none_or(|(n, _)| *n != key.get_ref())).collect();
            rest.sort_by_key(|(key, _)| key.span().start);
            let rest = rest.into_iter().map(|(key, value)| format!("{} {}", key.get_ref(), plain(value)));
            name.map(|(_, name)| name).into_iter().chain(rest).collect::<Vec<String>>().join(", ")
        }
    }
}

/// A value as a number: shares between 0 and 1, spans in seconds, rates per second.
fn number(value: &Tree<'_>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Integer(number) => number.to_string().replace('_', "").parse().ok(),
        DeValue::Float(number) => number.as_str().replace('_', "").parse().ok().filter(|x: &f64| x.is_finite()),
        DeValue::String(text) => {
            let share = || text.trim().strip_suffix('%').and_then(|n| n.trim().parse::<f64>().ok()).map(|x| x / 100.0);
            let span = || Span::from_text(text).ok().map(|span| span.0.as_secs_f64());
            let rate = || Rate::from_text(text).ok().map(|rate| rate.0);
            share().or_else(span).or_else(rate)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_names_and_numbers() {
        let of = |text: &str| {
            let value = DeValue::parse(text).expect("TOML");
            (plain(&value), number(&value))
        };
        assert_eq!(of("\"90%\""), ("90%".into(), Some(0.9)));
        assert_eq!(of("1_000"), ("1000".into(), Some(1000.0)));
        assert_eq!(of("2.5"), ("2.5".into(), Some(2.5)));
        assert_eq!(of("\"250ms\""), ("250ms".into(), Some(0.25)));
        assert_eq!(of("\"600/min\""), ("600/min".into(), Some(10.0)));
        assert_eq!(of("\"p2c\""), ("p2c".into(), None));
        assert_eq!(of("{ choices = 3, strategy = \"p2c\", bias = 1 }"), ("p2c, choices 3, bias 1".into(), None));
        assert_eq!(of("[1, 0.2]"), ("[1, 0.2]".into(), None));
    }
}
