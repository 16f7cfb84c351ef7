//! The library: scenario files that come with the program, and that its tests run.
//!
//! They are compiled in, so that `windtunnel list scenarios` and `windtunnel explain NAME` work wherever the binary is.

/// A scenario file of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, such as `weather` or `theory/mm1`: the path in the library without the extension. Of a pair of an
    /// incident and its remedy, `NAME.bug` fails and `NAME.fixed` passes.
    pub name: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

macro_rules! entries {
    ($($name:literal),+ $(,)?) => {
        &[$(Entry { name: $name, text: include_str!(concat!("../", $name, ".toml")) }),+]
    };
}

const LIBRARY: &[Entry] = entries![
    "weather",
    "counter",
    "steady",
    "dated-leases",
    "clock-steps-back.bug",
    "clock-steps-back.fixed",
    "theory/mm1",
    "theory/mmc",
    "theory/md1",
    "theory/mg1",
    "theory/mg1-ps",
    "theory/rr-2",
    "theory/rr-10",
    "theory/p2c-2-replacement",
    "theory/jsq-2",
    "theory/jbsq-10",
    "theory/supermarket",
    "theory/stale-board",
    "theory/closed",
];

/// All of it, in the order in which it is best read.
pub const fn library() -> &'static [Entry] {
    LIBRARY
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    LIBRARY.iter().find(|entry| entry.name == name)
}

impl Entry {
    /// What the comment at the top says, without its `#`.
    pub fn about(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix('#'));
        comment.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<&str>>().join("\n")
    }
}
