//! Changing a scenario deep inside by paths: `load.users.utilization`, `service.shop.version."1.1.0".slowdown`,
//! `fault.0.at`.
//!
//! A path leads into an array by a zero-based number or by a name: that of a fault (its own, or its kind and whom it
//! concerns), or the service of a rollout. Keys are set and unset; items of arrays are added and removed, and numbers
//! always are those of the base, because items go after everything is set and come after that.
//!
//! What is set keeps the place at which it stands in the study, and so does each part of the path; a scenario that
//! turns out wrong because of it is therefore pointed out there.

use crate::At;
use crate::problem::{Problem, known};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

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
            while let DeValue::Array(array) = inner {
                let index = self.item(at, array)?;
                let item = array.get_mut(index).expect("it has just been found");
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

    /// Takes away the key at this path.
    pub(crate) fn unset(&self, root: &mut DeTable<'_>) -> Result<(), Box<Problem>> {
        let last = self.keys.len() - 1;
        match self.find(root, last)? {
            Found::Table(table) if table.contains_key(self.last()) => {
                table.remove(self.last());
                Ok(())
            }
            Found::Table(table) => Err(self.missing(last, table)),
            Found::Array(array) => {
                // A wrong item is told first; it would be wrong for `remove` too.
                self.item(last, array)?;
                let problem = Problem::new(format!("`{}` is an array in the base", self.up_to(last)));
                let help = format!("remove = [\"{}\"] takes an item out of it", self.written());
                Err(Box::new(problem.label("`unset` takes keys away, not items").help(help).span(self.place())))
            }
            Found::Plain => Err(self.no_table(last)),
        }
    }

    /// The item of an array that this path names: the way to the array, and the item's place in it.
    pub(crate) fn removed(&self, root: &mut DeTable<'_>) -> Result<(Path, usize), Box<Problem>> {
        let last = self.keys.len() - 1;
        match self.find(root, last)? {
            Found::Array(array) => {
                let index = self.item(last, array)?;
                Ok((Path { keys: self.keys[..last].to_vec() }, index))
            }
            Found::Table(table) if !table.contains_key(self.last()) => Err(self.missing(last, table)),
            Found::Table(table) => {
                let is_array = matches!(table.get(self.last()).map(Spanned::get_ref), Some(DeValue::Array(_)));
                let problem = Problem::new(match is_array {
                    true => format!("which item of `{}`?", self.written()),
                    false => format!("`{}` is no item of an array", self.written()),
                });
                let label = "`remove` takes items out of arrays: \"fault.0\", or \"fault.NAME\"";
                let help = format!("unset = [\"{}\"] takes the whole of it away", self.written());
                Err(Box::new(problem.label(label).help(help).span(self.place())))
            }
            Found::Plain => Err(self.no_table(last)),
        }
    }

    /// Takes items out of the array at this path, all at once, by their places in it.
    pub(crate) fn take_out(&self, root: &mut DeTable<'_>, places: &BTreeSet<usize>) -> Result<(), Box<Problem>> {
        if let Found::Array(array) = self.find(root, self.keys.len())? {
            let all = std::mem::replace(array, DeArray::new()).into_iter().enumerate();
            *array = all.filter(|(index, _)| !places.contains(index)).map(|(_, item)| item).collect();
        }
        Ok(())
    }

    /// Puts an item, or every item of an array, behind those of the array at this path. The array is made where it is
    /// missing.
    pub(crate) fn add<'a>(&self, root: &mut DeTable<'a>, value: &Tree<'a>) -> Result<(), Box<Problem>> {
        let last = self.keys.len() - 1;
        // What leads to the array may be missing too; `set` makes it, or says what stands in the way.
        let is_missing = match self.find(root, last) {
            Ok(Found::Table(table)) => !table.contains_key(self.last()),
            Ok(Found::Array(_) | Found::Plain) => false,
            Err(_) => true,
        };
        if is_missing {
            self.set(root, &Spanned::new(value.span(), DeValue::Array(DeArray::new())))?;
        }
        match self.find(root, self.keys.len())? {
            Found::Array(array) => {
                match value.get_ref() {
                    DeValue::Array(items) => items.iter().for_each(|item| array.push(item.clone())),
                    _ => array.push(value.clone()),
                }
                Ok(())
            }
            Found::Table(_) | Found::Plain => {
                let problem = Problem::new(format!("`{}` is no array in the base", self.written()));
                Err(Box::new(
                    problem
                        .label("`add` puts items behind those of an array; `set` the whole of it")
                        .span(self.place()),
                ))
            }
        }
    }

    /// What is at the first `n` parts of this path.
    fn find<'t, 'a>(&self, root: &'t mut DeTable<'a>, n: usize) -> Result<Found<'t, 'a>, Box<Problem>> {
        let mut found = Found::Table(root);
        for at in 0..n {
            let value = match found {
                Found::Table(table) if !table.contains_key(self.keys[at].0.as_str()) => {
                    return Err(self.missing(at, table));
                }
                Found::Table(table) => table.get_mut(self.keys[at].0.as_str()).expect("it is there"),
                Found::Array(array) => {
                    let index = self.item(at, array)?;
                    array.get_mut(index).expect("it has just been found")
                }
                Found::Plain => return Err(self.no_table(at)),
            };
            found = match value.get_mut() {
                DeValue::Table(table) => Found::Table(table),
                DeValue::Array(array) => Found::Array(array),
                _ => Found::Plain,
            };
        }
        Ok(found)
    }

    /// The place in `array` of the item that part `at` names: by its zero-based number, or by its name.
    fn item(&self, at: usize, array: &DeArray<'_>) -> Result<usize, Box<Problem>> {
        let (key, place) = &self.keys[at];
        if let Some(index) = key.parse::<usize>().ok().filter(|index| *index < array.len()) {
            return Ok(index);
        }
        let names: Vec<Vec<String>> = array.iter().map(item_names).collect();
        let named: Vec<usize> = (0..names.len()).filter(|index| names[*index].contains(key)).collect();
        let problem = match named[..] {
            [index] => return Ok(index),
            [] => Problem::new(format!("`{}` is an array in the base", self.up_to(at))),
            _ => Problem::new(format!("{} items of `{}` are called `{key}`", named.len(), self.up_to(at))),
        };
        let numbers = match array.len() {
            0 => "it has no items".to_string(),
            1 => "its only item is number 0".to_string(),
            n => format!("an item by its number, from 0 to {}", n - 1),
        };
        let known: Vec<&str> = names.iter().filter_map(|names| Some(names.first()?.as_str())).collect();
        let known = if known.is_empty() { String::new() } else { format!("; by name: {}", known.join(", ")) };
        Err(Box::new(problem.label(format!("{numbers}{known}")).span(place.clone())))
    }

    fn missing(&self, at: usize, table: &DeTable<'_>) -> Box<Problem> {
        let (key, place) = &self.keys[at];
        let keys: Vec<&str> = table.keys().map(|key| key.get_ref().as_ref()).collect();
        Box::new(
            Problem::new(format!("the base has no `{}`", self.up_to(at + 1)))
                .label(known(key, &keys))
                .span(place.clone()),
        )
    }

    fn no_table(&self, at: usize) -> Box<Problem> {
        let problem = Problem::new(format!("`{}` is no table in the base", self.up_to(at)));
        Box::new(problem.label(format!("there is no `{}` in it", self.keys[at].0)).span(self.place()))
    }

    /// The whole path as TOML writes it.
    fn written(&self) -> String {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let part = |(key, _): &(String, Option<Range<usize>>)| match !key.is_empty() && key.chars().all(is_bare) {
            true => key.clone(),
            false => format!("'{key}'"),
        };
        self.keys.iter().map(part).collect::<Vec<String>>().join(".")
    }
}

/// What a path leads to.
enum Found<'t, 'a> {
    Table(&'t mut DeTable<'a>),
    Array(&'t mut DeArray<'a>),
    /// Something that holds nothing else.
    Plain,
}

/// What an item of an array may be called: its `name`; a fault without one by its kind and whom it concerns; a rollout
/// by its service, or by service and version. The first is the one to show.
fn item_names(item: &Tree<'_>) -> Vec<String> {
    let DeValue::Table(table) = item.get_ref() else {
        return match item.get_ref() {
            DeValue::String(text) => vec![text.to_string()],
            _ => Vec::new(),
        };
    };
    let text = |key: &str| match table.get(key).map(Spanned::get_ref) {
        Some(DeValue::String(text)) => Some(text.split_whitespace().collect::<Vec<&str>>().join(" ")),
        _ => None,
    };
    let of_fault = || Some(format!("{} {}", text("kind")?, text("what")?));
    let of_rollout = || Some(format!("{} {}", text("service")?, text("to")?));
    match text("name") {
        Some(name) => vec![name],
        None => of_fault()
            .into_iter()
            .chain(text("service").filter(|_| of_rollout().is_some()))
            .chain(of_rollout())
            .collect(),
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

    /// A base with faults and rollouts after `change`, or what is wrong with it.
    fn changed(change: impl Fn(&Path, &mut DeTable<'static>) -> Result<(), Box<Problem>>, path: &str) -> String {
        let text = "policy = \"none\"\nfault = [{ kind = \"crash\", what = \"shop\" }, { name = \"slow day\" }]\n\
                    rollout = [{ service = \"shop\", to = \"2\" }, { service = \"shop\", to = \"3\" }, { service = \"api\", to = \"2\" }]\n";
        let mut root = DeTable::parse(text).expect("TOML");
        let path = Path::parse(&At::new(path.to_string()), "").expect("a path");
        if let Err(problem) = change(&path, root.get_mut()) {
            return format!("{}: {}", problem.message, problem.label);
        }
        let tree: toml::Table =
            serde::Deserialize::deserialize(toml::de::Deserializer::from(root)).expect("any tree is a table");
        let items = |key: &str| tree.get(key).and_then(toml::Value::as_array).map_or(0, Vec::len);
        format!("{} faults, {} rollouts, {} keys", items("fault"), items("rollout"), tree.len())
    }

    #[test]
    fn keys_are_unset_and_items_are_not() {
        let unset = |path| changed(|path, root| path.unset(root), path);
        assert_eq!(unset("policy"), "2 faults, 3 rollouts, 2 keys");
        assert_eq!(unset("fault.0.what"), "2 faults, 3 rollouts, 3 keys");
        assert_eq!(unset("fault.0"), "`fault` is an array in the base: `unset` takes keys away, not items");
        assert_eq!(unset("polizy"), "the base has no `polizy`: did you mean `policy`? known: fault, policy, rollout");
        assert_eq!(unset("fault.0.when"), "the base has no `fault.0.when`: known: kind, what");
        assert_eq!(unset("policy.retries"), "`policy` is no table in the base: there is no `retries` in it");
    }

    #[test]
    fn items_are_removed_by_number_and_by_name() {
        let removed = |path| {
            let remove = |path: &Path, root: &mut DeTable<'static>| {
                let (array, index) = path.removed(root)?;
                array.take_out(root, &BTreeSet::from([index]))
            };
            changed(remove, path)
        };
        assert_eq!(removed("fault.1"), "1 faults, 3 rollouts, 3 keys");
        assert_eq!(removed("fault.'crash shop'"), "1 faults, 3 rollouts, 3 keys");
        assert_eq!(removed("fault.\"slow day\""), "1 faults, 3 rollouts, 3 keys");
        assert_eq!(removed("rollout.api"), "2 faults, 2 rollouts, 3 keys");
        assert_eq!(removed("rollout.'shop 3'"), "2 faults, 2 rollouts, 3 keys");
        assert_eq!(
            removed("fault.2"),
            "`fault` is an array in the base: an item by its number, from 0 to 1; by name: crash shop, slow day"
        );
        assert_eq!(
            removed("rollout.shop"),
            "2 items of `rollout` are called `shop`: an item by its number, from 0 to 2; by name: shop, shop, api"
        );
        assert_eq!(
            removed("fault"),
            "which item of `fault`?: `remove` takes items out of arrays: \"fault.0\", or \"fault.NAME\""
        );
        assert_eq!(
            removed("policy"),
            "`policy` is no item of an array: `remove` takes items out of arrays: \"fault.0\", or \"fault.NAME\""
        );
    }

    #[test]
    fn items_are_added_behind_those_that_are_there() {
        let added = |path, value: &'static str| {
            let value = DeValue::parse(value).expect("a value");
            changed(|path, root| path.add(root, &value), path)
        };
        assert_eq!(added("fault", "{ kind = \"pause\" }"), "3 faults, 3 rollouts, 3 keys");
        assert_eq!(added("fault", "[{ kind = \"pause\" }, { kind = \"slow\" }]"), "4 faults, 3 rollouts, 3 keys");
        assert_eq!(added("expect.always", "\"views_converge\""), "2 faults, 3 rollouts, 4 keys");
        assert_eq!(
            added("policy", "1"),
            "`policy` is no array in the base: `add` puts items behind those of an array; `set` the whole of it"
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_ends() {
        assert_eq!(after("fault.1.at"), Err("`fault` is an array in the base: its only item is number 0".into()));
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
