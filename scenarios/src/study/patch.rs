//! Setting a key deep in a scenario by its path: `load.users.utilization`, `service.shop.version."1.1.0".slowdown`, `fault.0.at`.
//!
//! What is set keeps the place at which it stands in the study, and so does each part of the path; a scenario that turns out
//! wrong because of it is therefore pointed out there.

use crate::At;
use crate::problem::{Problem, known};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value in a tree.
pub(crate) type Tree<'a> = Spanned<DeValue<'a>>;

/// The way to a key, each part with its place in the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) keys: Vec<(String, Option<Range<usize>>)>,
}

/// Tables whose keys are names that others refer to: a path does not invent one.
const NAMED: [&str; 2] = ["service", "load"];

impl Path {
    /// Reads a path as TOML reads the left side of an equation. `text` is the file it stands in.
    pub(crate) fn parse(written: &At<String>, text: &str) -> Result<Path, Box<Problem>> {
        let wrong = || {
            let problem = Problem::at(written, format!("`{}` is not a path", written.value));
            Box::new(problem.label("keys with dots between them, as in TOML: load.users.rate"))
        };
        let equation = format!("{} = 0", written.value);
        let table = DeTable::parse(&equation).map_err(|_| wrong())?;
        // Where the quotes hold exactly what was read, a part of the path has a place of its own.
        let inside = written.span.clone().filter(|span| {
            let quoted = text.get(span.clone()).and_then(|quoted| quoted.get(1..quoted.len().max(1) - 1));
            quoted == Some(written.value.as_str())
        });
        let mut keys = Vec::new();
        let mut table = table.get_ref();
        loop {
            let (Some((key, value)), 1) = (table.iter().next(), table.len()) else { return Err(wrong()) };
            let place = match &inside {
                Some(span) => Some(span.start + 1 + key.span().start..span.start + 1 + key.span().end),
                None => written.span.clone(),
            };
            keys.push((key.get_ref().to_string(), place));
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                // Something like `a = 1 #` is no path, although it makes an equation.
                _ if value.span().end == equation.len() && !written.value.contains('\n') => return Ok(Path { keys }),
                _ => return Err(wrong()),
            }
        }
    }

    /// The last part.
    pub(crate) fn last(&self) -> &str {
        self.keys.last().map_or("", |(key, _)| key)
    }

    fn place(&self) -> Option<Range<usize>> {
        let first = self.keys.first()?.1.clone()?;
        let last = self.keys.last()?.1.clone()?;
        Some(first.start..last.end)
    }

    fn up_to(&self, n: usize) -> String {
        self.keys[..n].iter().map(|(key, _)| key.as_str()).collect::<Vec<&str>>().join(".")
    }

    /// Puts `value` at this path, in place of what was there. Tables on the way are made where they are missing.
    pub(crate) fn set<'a>(&self, root: &mut DeTable<'a>, value: &Tree<'a>) -> Result<(), Box<Problem>> {
        if let [(section, _), (name, place), _, ..] = self.keys.as_slice()
            && NAMED.contains(&section.as_str())
        {
            let names: Vec<&str> = match root.get(section.as_str()).map(Spanned::get_ref) {
                Some(DeValue::Table(table)) => table.keys().map(|key| key.get_ref().as_ref()).collect(),
                _ => Vec::new(),
            };
            if !names.contains(&name.as_str()) {
                return Err(Box::new(
                    Problem::new(format!("the base has no {section} `{name}`"))
                        .label(known(name, &names))
                        .span(place.clone()),
                ));
            }
        }
        let mut table = root;
        let last = self.keys.len() - 1;
        let mut at = 0;
        loop {
            let (key, place) = &self.keys[at];
            let span = place.clone().unwrap_or(0..0);
            if at == last {
                // The key is put in anew, so that it has the place of this path.
                table.remove(key.as_str());
                table.insert(Spanned::new(span, Cow::Owned(key.clone())), value.clone());
                return Ok(());
            }
            if table.get(key.as_str()).is_none() {
                let empty = Spanned::new(span.clone(), DeValue::Table(DeTable::new()));
                table.insert(Spanned::new(span, Cow::Owned(key.clone())), empty);
            }
            let found = table.get_mut(key.as_str()).expect("it is there by now");
            at += 1;
            let mut inner = found.get_mut();
            // Numbers lead into an array.
            while let DeValue::Array(array) = inner {
                let (key, place) = &self.keys[at];
                let length = array.len();
                let item = key.parse::<usize>().ok().and_then(|index| array.get_mut(index));
                let Some(item) = item else {
                    return Err(Box::new(
                        Problem::new(format!("`{}` is an array in the base", self.up_to(at)))
                            .label(format!("the place in it as a number, from 0 to {}", length.max(1) - 1))
                            .span(place.clone()),
                    ));
                };
                if at == last {
                    *item = value.clone();
                    return Ok(());
                }
                at += 1;
                inner = item.get_mut();
            }
            table = match inner {
                DeValue::Table(inner) => inner,
                _ => {
                    return Err(Box::new(
                        Problem::new(format!("`{}` is no table in the base", self.up_to(at)))
                            .label(format!("`{}` cannot be set in it; set the whole of it", self.keys[at].0))
                            .span(self.place()),
                    ));
                }
            };
        }
    }

    /// Takes away what is at this path; nothing when nothing is there.
    pub(crate) fn unset(&self, root: &mut DeTable<'_>) {
        let mut table = root;
        for (key, _) in &self.keys[..self.keys.len() - 1] {
            match table.get_mut(key.as_str()).map(Spanned::get_mut) {
                Some(DeValue::Table(inner)) => table = inner,
                _ => return,
            }
        }
        table.remove(self.last());
    }
}

/// The same tree with every place moved by so many bytes.
pub(crate) fn moved<'a>(tree: &DeTable<'a>, by: usize) -> DeTable<'a> {
    let at = |span: Range<usize>| span.start + by..span.end + by;
    let of = |tree: &Tree<'a>| Spanned::new(at(tree.span()), moved_value(tree.get_ref(), by));
    tree.iter().map(|(key, value)| (Spanned::new(at(key.span()), key.get_ref().clone()), of(value))).collect()
}

fn moved_value<'a>(value: &DeValue<'a>, by: usize) -> DeValue<'a> {
    match value {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(array) => {
            let of = |item: &Tree<'a>| {
                Spanned::new(item.span().start + by..item.span().end + by, moved_value(item.get_ref(), by))
            };
            DeValue::Array(array.iter().map(of).collect())
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Spanned<DeTable<'static>> {
        DeTable::parse("balancer = \"p2c\"\nload.users.rate = \"1/s\"\nfault = [{ at = \"1s\" }]\n").expect("TOML")
    }

    fn after(path: &str) -> Result<String, String> {
        let mut root = base();
        let path = Path::parse(&At::new(path.to_string()), "").map_err(|problem| problem.message)?;
        let value = DeValue::parse("\"new\"").expect("a value");
        path.set(root.get_mut(), &value).map_err(|problem| format!("{}: {}", problem.message, problem.label))?;
        let tree: toml::Table =
            serde::Deserialize::deserialize(toml::de::Deserializer::from(root)).expect("any tree is a table");
        Ok(tree.to_string().replace('\n', " ").trim().to_string())
    }

    #[test]
    fn a_path_reaches_tables_arrays_and_what_is_not_there_yet() {
        let all = |balancer: &str, fault: &str, load: &str, rest: &str| {
            let text = format!("balancer = {balancer}\nload.users = {load}\nfault = {fault}\n{rest}");
            text.parse::<toml::Table>().expect("TOML").to_string().replace('\n', " ").trim().to_string()
        };
        let (fault, load) = ("[{ at = \"1s\" }]", "{ rate = \"1/s\" }");
        assert_eq!(after("balancer"), Ok(all("\"new\"", fault, load, "")));
        assert_eq!(after("fault.0.at"), Ok(all("\"p2c\"", "[{ at = \"new\" }]", load, "")));
        assert_eq!(after("fault.0"), Ok(all("\"p2c\"", "[\"new\"]", load, "")));
        assert_eq!(after("load.users.rate"), Ok(all("\"p2c\"", fault, "{ rate = \"new\" }", "")));
        assert_eq!(after("a.\"b.c\""), Ok(all("\"p2c\"", fault, load, "a.\"b.c\" = \"new\"")));
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_ends() {
        assert_eq!(
            after("fault.1.at"),
            Err("`fault` is an array in the base: the place in it as a number, from 0 to 0".into())
        );
        assert_eq!(
            after("balancer.choices"),
            Err("`balancer` is no table in the base: `choices` cannot be set in it; set the whole of it".into())
        );
        assert_eq!(
            after("load.user.rate"),
            Err("the base has no load `user`: did you mean `users`? known: users".into())
        );
        for wrong in ["", ".", "a.", "a b", "a = 1 #", "a=1\nb", "[a]", "#"] {
            assert_eq!(after(wrong), Err(format!("`{wrong}` is not a path")));
        }
    }
}
