//! The studies that come with the program.

use crate::Entry;

macro_rules! entries {
    ($($name:literal),* $(,)?) => {
        &[$(Entry { name: $name, text: include_str!(concat!("../../studies/", $name, ".toml")) }),*]
    };
}

const LIBRARY: &[Entry] = entries![];

/// All of them, in the order in which they are best read.
pub const fn library() -> &'static [Entry] {
    LIBRARY
}

/// The study of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    LIBRARY.iter().find(|entry| entry.name == name)
}
