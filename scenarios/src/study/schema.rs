//! What a study file may say.
//!
//! As with scenarios, unknown keys are errors and everything that can be wrong later knows its place. Values on an axis
//! may be anything that the scenario can hold at that path, so here they are only kept for their places; what stands
//! there is read from the tree of the file, and judged when a cell is lowered.

use crate::At;
use crate::scalar::{Count, Misread, Percent, Scalar, scalar};
use crate::section::Scenario;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A Windtunnel study: a scenario, what is varied about it, and what is compared.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a study")]
#[schemars(title = "Windtunnel study")]
pub(crate) struct StudyFile {
    /// One line on what the study is about.
    pub(crate) title: Option<At<String>>,
    /// The question, and where it came from; printed in the report. Blank lines part paragraphs.
    pub(crate) question: Option<At<String>>,
    /// How often each cell is run, each time under another seed: a number, which counts seeds from 1, or a range such
    /// as "1..11" (which ends with 10) or "1..=10". 5 by default.
    pub(crate) seeds: Option<At<Seeds>>,
    /// How sure the intervals are; 95% by default.
    pub(crate) confidence: Option<At<Percent>>,
    /// The service that is measured; by default the one that the load asks.
    pub(crate) service: Option<At<String>>,
    /// The scenario that is varied: a whole one, the name of one of the library, or a path beside this file.
    pub(crate) base: Option<At<Base>>,
    /// Instead of a scenario: a hashing structure, its backends and its keys. No world is run.
    pub(crate) hashing: Option<At<HashingTable>>,
    /// What is varied. Every combination of the points of all axes is a cell.
    pub(crate) axis: Vec<At<Axis>>,
    /// What is ranked.
    pub(crate) compare: Option<At<Compare>>,
    /// What stands in the tables beside what is compared: mean, p50, p99, goodput, errors, ...
    pub(crate) measures: Option<At<Vec<At<String>>>>,
    /// What is drawn. Sensible pictures are drawn without it.
    pub(crate) plot: Vec<At<Plot>>,
}

/// The scenario that is varied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Base {
    /// The name of a scenario, or a path.
    Name(String),
    /// A scenario, which is read from the tree.
    Table,
}

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BaseVisitor;
        impl<'de> Visitor<'de> for BaseVisitor {
            type Value = Base;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a scenario: its table, its name or its path")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Base, E> {
                Ok(Base::Name(name.to_string()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Base, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Base::Table)
            }
        }
        deserializer.deserialize_any(BaseVisitor)
    }
}

impl JsonSchema for Base {
    fn schema_name() -> Cow<'static, str> {
        "Base".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Scenario>();
        json_schema!({"description": "A scenario: its table, its name in the library, or a path beside the study file.",
            "anyOf": [{"type": "string"}, table]})
    }
}

/// Anything TOML can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Anything)
    }
}

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// One thing that is varied.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes an axis")]
pub(crate) struct Axis {
    /// What people call it; by default the last part of `set`.
    pub(crate) name: Option<At<String>>,
    /// The path of the key that is varied, with dots as in TOML: "load.users.utilization". Together with `values`.
    pub(crate) set: Option<At<String>>,
    /// What it is set to, point by point: anything that may stand at that path, or { label = "...", value = ..., x = 1
    /// } to call it by another name.
    pub(crate) values: Option<At<Vec<At<Anything>>>>,
    /// Instead of `set` and `values`: points that each set several keys, or add and remove faults and rollouts.
    pub(crate) points: Option<At<Vec<At<Point>>>>,
}

/// A point that sets several keys.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with label, set, unset, add and remove")]
pub(crate) struct Point {
    /// What people call it.
    #[schemars(required)]
    pub(crate) label: Option<At<String>>,
    /// Its number, when it is one: where it stands on an axis of numbers.
    pub(crate) x: Option<At<f64>>,
    /// What it sets: paths and values.
    pub(crate) set: Option<At<BTreeMap<At<String>, At<Anything>>>>,
    /// Keys it takes away: paths of what is there.
    pub(crate) unset: Vec<At<String>>,
    /// Faults, rollouts and other items of arrays that it adds: paths of the arrays, and an item or several each.
    pub(crate) add: Option<At<BTreeMap<At<String>, At<Anything>>>>,
    /// Items of arrays that it takes out, by number or name: "fault.0", "fault.outage", "rollout.checkout". Numbers are
    /// those of the base.
    pub(crate) remove: Vec<At<String>>,
}

/// What is ranked: the points of one axis, within each combination of the points of the others.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with axis, measure and against")]
pub(crate) struct Compare {
    /// Whose points are ranked; the last axis by default.
    pub(crate) axis: Option<At<String>>,
    /// By what, the most important first: a measure or several. p99 and mean by default; balance for hashing.
    pub(crate) measure: Option<At<Words>>,
    /// The point that others are shown against; without it, every pair is compared.
    pub(crate) against: Option<At<Label>>,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a plot")]
pub(crate) struct Plot {
    /// What to draw: by_axis, distribution, tail, heat_map, queues, over_time, keys_per_backend.
    #[schemars(required)]
    pub(crate) kind: Option<At<String>>,
    /// Its heading.
    pub(crate) title: Option<At<String>>,
    /// The axis along the picture; the first axis of numbers by default.
    pub(crate) x: Option<At<String>>,
    /// The axis whose points are the lines; the compared axis by default.
    pub(crate) series: Option<At<String>>,
    /// What is drawn upwards.
    pub(crate) measure: Option<At<String>>,
    /// Curves of theory to draw beside the results, such as "mm1" or ["supermarket 2", "jsq 2"].
    pub(crate) theory: Option<At<Words>>,
}

/// A hashing structure, its backends and its keys. Axes vary any of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table that describes a hashing structure")]
pub(crate) struct HashingTable {
    /// Which one; `windtunnel route --help` lists them.
    pub(crate) structure: Option<At<String>>,
    /// How many backends; 10 by default.
    pub(crate) backends: Option<At<Count>>,
    /// What they weigh, in turn; 1 each by default.
    pub(crate) weights: Option<At<Vec<At<Count>>>>,
    /// How many keys are looked up, another set under each seed; 100000 by default.
    pub(crate) keys: Option<At<Count>>,
    /// The hash function of keys and points: xxh64, murmur2, md5, crc32; by default the structure's own.
    pub(crate) hash: Option<At<String>>,
    /// Least number of points of `ring`.
    pub(crate) min_ring: Option<At<Count>>,
    /// Greatest number of points of `ring`.
    pub(crate) max_ring: Option<At<Count>>,
    /// Number of entries of `maglev`, a prime.
    pub(crate) table_size: Option<At<Count>>,
    /// Number of probes of `multi_probe`.
    pub(crate) probes: Option<At<Count>>,
    /// Number of points of `karger` for each unit of weight, of `dubbo_consistent_hash` a backend.
    pub(crate) points: Option<At<Count>>,
    /// Number of places of `anchor` and `dx`, as a multiple of the backends; 2 by default.
    pub(crate) spare: Option<At<Count>>,
}

/// A text, or a number that serves as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Label(pub(crate) String);

impl Scalar for Label {
    const EXPECTED: &'static str = "the label of a point";

    fn from_text(text: &str) -> Result<Self, Misread> {
        Ok(Label(text.to_string()))
    }

    fn from_number(_: f64, written: &str) -> Result<Self, Misread> {
        Ok(Label(written.to_string()))
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "number"}]})
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seeds: how many, or from which to which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) count: u64,
}

/// More replications than anybody waits for.
const SEEDS_MAX: u64 = 10_000;

impl Scalar for Seeds {
    const EXPECTED: &'static str = "a number of seeds such as 10, or a range such as \"1..11\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        let wrong = |label: &str| Err(Misread::new(format!("`{text}` is not a range of seeds"), label));
        let Some((from, to)) = text.split_once("..") else { return wrong("such as \"1..11\", or a number of seeds") };
        let (to, closed) = to.strip_prefix('=').map_or((to, 0), |to| (to, 1));
        let (Ok(first), Ok(last)) = (from.trim().parse::<u64>(), to.trim().parse::<u64>()) else {
            return wrong("two whole numbers, such as \"1..11\", which ends with 10");
        };
        match last.checked_sub(first).map(|n| n.saturating_add(closed)) {
            None => wrong("it runs backwards"),
            Some(0) => wrong("it is empty, as its end is left out"),
            Some(count) if count > SEEDS_MAX => wrong("at most 10000 seeds"),
            Some(count) => Ok(Seeds { first, count }),
        }
    }

    fn from_number(number: f64, written: &str) -> Result<Self, Misread> {
        if number.fract() == 0.0 && (1.0..=SEEDS_MAX as f64).contains(&number) {
            return Ok(Seeds { first: 1, count: number as u64 });
        }
        Err(Misread::new(format!("`{written}` is not a number of seeds"), "from 1 to 10000"))
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 1, "maximum": SEEDS_MAX},
            {"type": "string", "pattern": r"^\s*[0-9]+\s*\.\.=?\s*[0-9]+\s*$"}]})
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.first + self.count - 1)
    }
}

scalar!(Label, Seeds);

/// A word, or several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Words(pub(crate) Vec<At<String>>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordsVisitor;
        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = Words;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or an array of names")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Words, E> {
                Ok(Words(vec![At::new(word.to_string())]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element()? {
                    words.push(word);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(WordsVisitor)
    }
}

impl JsonSchema for Words {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    }
}

impl At<Words> {
    /// The words, each with the best place known of it.
    pub(crate) fn each(&self) -> impl Iterator<Item = At<String>> + '_ {
        let with_place =
            |word: &At<String>| At { value: word.value.clone(), span: word.span.clone().or_else(|| self.span.clone()) };
        self.value.0.iter().map(with_place)
    }
}
