//! The names of all streams of chance of a run, and what each decides: one seed, as many streams as there are names.
//!
//! A name is a pattern whose words in capitals are places. Two streams meet only where two patterns can become the same
//! text, so they stand here side by side; `ARCHITECTURE.md` has the same table, and a test compares them.

use std::fmt::{Display, Write};

/// The name of a stream, or of one for each of many.
#[derive(Clone, Copy, Debug)]
pub struct StreamName {
    /// The name, with words in capitals for what it is filled with.
    pub pattern: &'static str,
    /// What tells streams of one name apart; empty where there is one. See [`Seed::nth`](crate::Seed::nth).
    pub ordinal: &'static str,
    /// What it decides.
    pub decides: &'static str,
}

impl StreamName {
    /// The name with its places filled in order. Panics where places and values are not equally many.
    pub fn of(&self, values: &[&dyn Display]) -> String {
        let mut values = values.iter();
        let mut name = String::with_capacity(self.pattern.len() + 16);
        let mut in_place = false;
        for letter in self.pattern.chars() {
            if !letter.is_ascii_uppercase() {
                name.push(letter);
            } else if !in_place {
                let value = values.next().unwrap_or_else(|| panic!("{} has more places than values", self.pattern));
                let _ = write!(name, "{value}");
            }
            in_place = letter.is_ascii_uppercase();
        }
        assert!(values.next().is_none(), "{} has fewer places than values", self.pattern);
        name
    }
}

macro_rules! streams {
    ($($name:ident $pattern:literal $ordinal:literal $decides:literal;)*) => {
        $(
            #[doc = concat!("`", $pattern, "`: ", $decides, ".")]
            pub const $name: StreamName =
                StreamName { pattern: $pattern, ordinal: $ordinal, decides: $decides };
        )*

        /// All of them, in the order of the table.
        pub const ALL: &[StreamName] = &[$($name),*];
    };
}

streams! {
    SCENARIO "scenario/KEY" ""
        "the value of a range in the file, such as `scenario/load/shoppers/rate`; it is printed";
    LOAD_GAPS "load/NAME/gaps" ""
        "when a source's requests arrive, and how long closed users think";
    LOAD_KEYS "load/NAME/keys" ""
        "one `Key` for each of its requests, from which its source follows";
    LOAD_USERS "load/NAME/users" ""
        "from which source each closed user asks";
    BALANCER "caller/NODE/LIFE/SERVICE/balancer" ""
        "a caller's picks; one more for each version that is split off";
    BOARD "service/SERVICE/board" ""
        "at whose desk an idle instance is noted";
    RESOLVER "resolver/NODE" "life"
        "jitter and backoff of a caller's resolver";
    REGISTRATION "INSTANCE/registration/SERVER" "life"
        "jitter and backoff of an instance's registration at a server";
    REGISTRY_SERVER "registry-N" "life"
        "a registry server";
    NODE "kernel/node/NODE" ""
        "a node's disk: how long a sync takes, what a crash tears";
    MESSAGES "messages/NODE" ""
        "the key from which a node's messages to registry, lock store and callers take theirs";
    PHASE "NAME/phase" ""
        "how long the process NAME has been running when the run begins, from which its periods count";
    DATE "date" ""
        "what time of day it is when the run begins";
    KEEPALIVE "NAME/keepalive/SERVER" "life of the server"
        "when a watcher's connection is probed next after the server's machine came back";
    BOUNCES "kernel/bounces" ""
        "the way back of refusals and resets";
    FAULT "kernel/fault/NAME" ""
        "whom a fault hits, where that is drawn, and when a swizzle clogs whom";
    FAULT_RULE "kernel/fault/rules/NAME" "rule"
        "the salt of each of its network rules";
    HASHING_KEYS "study/hashing/keys" ""
        "of a study of hashing: the keys";
    HASHING_LEAVES "study/hashing/leaves" ""
        "of a study of hashing: which backend leaves";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_order() {
        assert_eq!(BALANCER.of(&[&"gateway-1", &2, &"shop"]), "caller/gateway-1/2/shop/balancer");
        assert_eq!((REGISTRY_SERVER.of(&[&3]), DATE.of(&[])), ("registry-3".into(), "date".into()));
    }

    #[test]
    fn the_table_of_the_architecture_is_this_one() {
        let text = include_str!("../../../ARCHITECTURE.md");
        for StreamName { pattern, ordinal, decides } in ALL {
            let row = format!("| `{pattern}` | {ordinal}{}| {decides} |", if ordinal.is_empty() { "" } else { " " });
            assert!(text.contains(&row), "ARCHITECTURE.md lacks the row\n{row}");
        }
        let rows = text.lines().skip_while(|line| !line.trim().starts_with("| stream |")).skip(2);
        let rows = rows.take_while(|line| line.trim().starts_with('|')).count();
        assert_eq!(rows, ALL.len(), "ARCHITECTURE.md has rows that are no streams");
    }
}
