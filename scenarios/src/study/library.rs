//! The studies that come with the program, built into it, so that a name is enough to run one.

use super::schema::StudyFile;
use crate::Entry;
use crate::recover::{self, Recovered};

macro_rules! entries {
    ($($name:literal),* $(,)?) => {
        &[$(Entry { name: $name, text: include_str!(concat!("../../studies/", $name, ".toml")) }),*]
    };
}

const LIBRARY: &[Entry] = entries![
    "load-sweep",
    "two-hosts",
    "many-gateways",
    "queue-or-share",
    "heterogeneous",
    "black-hole",
    "cold-start",
    "hot-keys",
    "ring-balance",
    "zone-outage",
];

/// All of them, in the order in which they are best read.
pub const fn library() -> &'static [Entry] {
    LIBRARY
}

/// The study of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    LIBRARY.iter().find(|entry| entry.name == name)
}

/// What a study of the library says it is about.
pub fn title(entry: &Entry) -> String {
    let file: Recovered<StudyFile> = recover::read(entry.text);
    file.value.title.map_or_else(String::new, |title| title.value)
}
