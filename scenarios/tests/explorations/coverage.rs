//! What of all that a file can say came up in some files, and how often: asked of the JSON Schema, which knows every
//! key, every word and every parameter, so that something new is missed here until it is drawn.

use serde_json::Value;
use std::collections::BTreeMap;
use world::Spec;
use world::kernel::fault::Concerned;
use world::kernel::select::Selector;

/// Everything there is, and how often it was seen.
pub(crate) struct Coverage {
    schema: Value,
    seen: BTreeMap<String, u64>,
}

const SELECTORS: [&str; 9] =
    ["everything", "a node", "a group", "a zone", "one of", "a share of", "several", "within", "all but"];

impl Coverage {
    pub(crate) fn new() -> Self {
        let schema = scenarios::schema();
        let mut seen: BTreeMap<String, u64> = SELECTORS.iter().map(|name| (format!("selector {name}"), 0)).collect();
        collect(&schema, "Scenario", &mut seen);
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            collect(definition, name, &mut seen);
        }
        // An editor may offer more than one spelling, and a file has only what it writes.
        Coverage { schema, seen }
    }

    /// Counts what a file says, and what it became.
    pub(crate) fn see(&mut self, text: &str, spec: &Spec) {
        let table: toml::Table = text.parse().expect("it was read before");
        let value = serde_json::to_value(table).expect("TOML without dates is JSON");
        walk(&self.schema, &self.schema, "Scenario", &value, &mut self.seen);
        for fault in &spec.faults {
            match fault.kind.concerns() {
                Concerned::Nodes(whom) => self.selector(whom),
                Concerned::Packets(path) => [&path.from, &path.to].into_iter().for_each(|set| self.selector(set)),
            }
        }
    }

    fn selector(&mut self, set: &Selector) {
        let (index, parts): (usize, Vec<&Selector>) = match set {
            Selector::All => (0, Vec::new()),
            Selector::Name(_) => (1, Vec::new()),
            Selector::Tag(_) => (2, Vec::new()),
            Selector::Zone(_) => (3, Vec::new()),
            Selector::OneOf(set) => (4, vec![set]),
            Selector::Share(_, set) => (5, vec![set]),
            Selector::Any(sets) => (6, sets.iter().collect()),
            Selector::Both(sets) => (7, sets.iter().collect()),
            Selector::Not(set) => (8, vec![set]),
        };
        *self.seen.entry(format!("selector {}", SELECTORS[index])).or_default() += 1;
        parts.into_iter().for_each(|part| self.selector(part));
    }

    /// What never came up.
    pub(crate) fn missing(&self) -> Vec<&str> {
        self.seen.iter().filter(|(_, times)| **times == 0).map(|(name, _)| name.as_str()).collect()
    }

    /// How often each thing came up, a line for each.
    pub(crate) fn told(&self) -> String {
        self.seen.iter().map(|(name, times)| format!("{times:>8} {name}\n")).collect()
    }

    /// How many things there are.
    pub(crate) fn size(&self) -> usize {
        self.seen.len()
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The parts of a schema that are schemas for the same value.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// The strategy that a table of a balancer is about, or the kind of a fault, and the key that says so: the other keys
/// are the parameters of that one.
fn declared(schema: &Value) -> Option<(&str, &str)> {
    ["strategy", "kind"].into_iter().find_map(|key| Some((key, schema["properties"][key]["const"].as_str()?)))
}

/// Puts every key and word of a schema into `seen`, uncounted.
fn collect(schema: &Value, name: &str, seen: &mut BTreeMap<String, u64>) {
    let name = declared(schema).map_or(name, |(_, of)| of);
    for word in texts(schema.get("enum")).chain(schema.get("const").and_then(Value::as_str)) {
        seen.insert(format!("{name} = {word}"), 0);
    }
    for (key, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        seen.insert(format!("{name}.{key}"), 0);
        collect(part, name, seen);
    }
    for part in alternatives(schema).chain(schema.get("items")).chain(schema.get("additionalProperties")) {
        collect(part, name, seen);
    }
}

/// Counts what `value` has of a schema.
fn walk(root: &Value, schema: &Value, name: &str, value: &Value, seen: &mut BTreeMap<String, u64>) {
    if let Some(definition) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        return walk(root, &root["$defs"][definition], definition, value, seen);
    }
    let of = declared(schema);
    if of.is_some_and(|(key, of)| value.get(key).and_then(Value::as_str) != Some(of)) {
        return;
    }
    let name = of.map_or(name, |(_, of)| of);
    if let Some(text) = value.as_str()
        && texts(schema.get("enum")).chain(schema.get("const").and_then(Value::as_str)).any(|word| word == text)
    {
        *seen.entry(format!("{name} = {text}")).or_default() += 1;
    }
    for (key, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.get(key) {
            *seen.entry(format!("{name}.{key}")).or_default() += 1;
            walk(root, part, name, value, seen);
        }
    }
    for part in alternatives(schema) {
        walk(root, part, name, value, seen);
    }
    if let (Some(part), Some(values)) = (schema.get("items"), value.as_array()) {
        values.iter().for_each(|value| walk(root, part, name, value, seen));
    }
    if let (Some(part), Some(values)) = (schema.get("additionalProperties"), value.as_object()) {
        values.values().for_each(|value| walk(root, part, name, value, seen));
    }
}
