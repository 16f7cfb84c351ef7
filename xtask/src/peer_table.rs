//! The tables of the peers: one an operation, a family of contenders after the other, a column a size.
//!
//! The first row of a family is ours, in its own unit; the others say how many times as much a peer takes, so what is
//! above one is in our favour. A machine on which others work as well makes everything slower now and then and nothing
//! faster, so it is the least of all samples that is compared.

use crate::bench_table::grouped;
use crate::criterion::Measurement;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

/// The groups that compare with peers, in the order in which they are printed, and what they are.
const OPERATIONS: [(&str, &str); 5] = [
    ("lookup", "Lookup or pick"),
    ("lookup_in_cache", "The same with keys that stay in the cache"),
    ("build", "Build"),
    ("update", "One host leaves and comes back"),
    ("memory", "Memory a host"),
];

/// Whether `m` is a figure of these tables.
pub(crate) fn is_of_peers(m: &Measurement) -> bool {
    OPERATIONS.iter().any(|(group, _)| *group == m.group)
}

/// The measurements of this round with the least of what they were `before`.
pub(crate) fn least(mut now: Vec<Measurement>, before: &[Measurement]) -> Vec<Measurement> {
    for m in &mut now {
        let same =
            |other: &&Measurement| (&other.group, &other.function, other.size) == (&m.group, &m.function, m.size);
        m.least = before.iter().find(same).map_or(m.least, |other| m.least.min(other.least));
    }
    now
}

/// All tables in Markdown, each with what it is about above it, and a count of what is behind at the end.
pub(crate) fn tables(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    let mut verdicts = Verdicts::default();
    for (group, title) in OPERATIONS {
        let of_group: Vec<_> = measurements.iter().filter(|m| m.group == group).collect();
        if of_group.is_empty() {
            continue;
        }
        let sizes: BTreeSet<u64> = of_group.iter().filter_map(|m| m.size).collect();
        let columns: Vec<String> = sizes.iter().map(|size| grouped(*size)).collect();
        writeln!(text, "**{title}**\n\n| | {} |", columns.join(" | ")).expect("writing to a string cannot fail");
        writeln!(text, "| --- |{}", " ---: |".repeat(columns.len())).expect("writing to a string cannot fail");
        for (family, name) in rows(&of_group) {
            let at = |name: &str, size: u64| {
                let function = format!("{family}/{name}");
                of_group.iter().find(|m| m.function == function && m.size == Some(size)).map(|m| m.least)
            };
            let mut cell = |size: &u64| match (at(name, *size), at("ours", *size)) {
                (Some(ours), _) if name == "ours" => amount(ours, group),
                (Some(theirs), Some(ours)) => {
                    let ratio = theirs / ours;
                    if !name.starts_with("ours") {
                        verdicts.add(format!("{group} {family}/{name}"), *size, ratio);
                    }
                    times(ratio)
                }
                _ => String::new(),
            };
            let cells: Vec<String> = sizes.iter().map(&mut cell).collect();
            let row = if name == "ours" { format!("**{family}**, ours") } else { name.replace("ours.", "ours, ") };
            writeln!(text, "| {row} | {} |", cells.join(" | ")).expect("writing to a string cannot fail");
        }
        text.push('\n');
    }
    text.push_str(&verdicts.to_string());
    text
}

/// How close is even: what separates two runs of one program.
const EVEN: f64 = 0.05;

/// How many comparisons end how, and which of them end badly.
#[derive(Default)]
struct Verdicts {
    ahead: usize,
    even: usize,
    /// What, and at which sizes.
    behind: Vec<(String, Vec<u64>)>,
}

impl Verdicts {
    fn add(&mut self, what: String, size: u64, ratio: f64) {
        if ratio >= 1.0 + EVEN {
            self.ahead += 1;
        } else if ratio > 1.0 - EVEN {
            self.even += 1;
        } else if let Some((_, sizes)) = self.behind.last_mut().filter(|(last, _)| *last == what) {
            sizes.push(size);
        } else {
            self.behind.push((what, vec![size]));
        }
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind: usize = self.behind.iter().map(|(_, sizes)| sizes.len()).sum();
        writeln!(f, "{} comparisons ahead, {} even to {} %, {behind} behind.", self.ahead, self.even, EVEN * 100.0)?;
        for (what, sizes) in &self.behind {
            let sizes: Vec<String> = sizes.iter().map(|size| grouped(*size)).collect();
            writeln!(f, "- behind: {what} at {}", sizes.join("; "))?;
        }
        Ok(())
    }
}

/// Families and the contenders in them, ours first.
fn rows<'a>(measurements: &[&'a Measurement]) -> Vec<(&'a str, &'a str)> {
    let split = |m: &&'a Measurement| m.function.split_once('/');
    let mut rows: Vec<_> = measurements.iter().filter_map(split).collect();
    rows.sort_by_key(|(family, name)| (*family, !name.starts_with("ours"), *name));
    rows.dedup();
    rows
}

/// A ratio with two or three digits, and in bold where the peer is ahead.
fn times(ratio: f64) -> String {
    match ratio {
        r if r <= 1.0 - EVEN => format!("**{r:.2}**"),
        r if r < 1.0 + EVEN => format!("{r:.2}"),
        r if r < 9.95 => format!("{r:.1}"),
        r => grouped(r.round() as u64),
    }
}

/// Nanoseconds in the unit that leaves few digits; bytes for the group `memory`.
fn amount(value: f64, group: &str) -> String {
    let (value, unit) = match value {
        bytes if group == "memory" => (bytes, "B"),
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{} {unit}", grouped(value.round() as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(group: &str, function: &str, size: u64, least: f64) -> Measurement {
        Measurement {
            group: group.into(),
            function: function.into(),
            size: Some(size),
            rate: 1e9 / least,
            rate_between: (1e9 / least, 1e9 / least),
            least,
        }
    }

    #[test]
    fn a_family_is_ours_and_then_how_many_times_as_much_the_others_take() {
        let text = tables(&[
            measured("memory", "ring/ours", 3, 1_920.0),
            measured("memory", "ring/conhash", 3, 19_200.0),
            measured("lookup", "wrr/peer", 3, 6.0),
            measured("lookup", "wrr/ours.edf", 3, 8.0),
            measured("lookup", "wrr/ours", 3, 4.0),
            measured("lookup", "ring/ours", 3, 12.0),
            measured("lookup", "ring/ours", 1_000, 2_100.0),
            measured("lookup", "ring/conhash", 3, 6.0),
            measured("lookup", "ring/conhash", 10, 9.0),
            measured("lookup", "ring/conhash", 1_000, 2_070.0),
        ]);
        let expected = "\
**Lookup or pick**

| | 3 | 10 | 1,000 |
| --- | ---: | ---: | ---: |
| **ring**, ours | 12 ns |  | 2.1 µs |
| conhash | **0.50** |  | 0.99 |
| **wrr**, ours | 4.0 ns |  |  |
| ours, edf | 2.0 |  |  |
| peer | 1.5 |  |  |

**Memory a host**

| | 3 |
| --- | ---: |
| **ring**, ours | 1,920 B |
| conhash | 10 |

2 comparisons ahead, 1 even to 5 %, 1 behind.
- behind: lookup ring/conhash at 3
";
        assert_eq!(text, expected);
    }

    #[test]
    fn of_several_rounds_the_least_is_kept() {
        let first = [measured("build", "ring/ours", 3, 5.0), measured("build", "ring/ours", 10, 5.0)];
        let second = vec![measured("build", "ring/ours", 3, 7.0), measured("build", "ring/ours", 10, 4.0)];
        let least: Vec<f64> = least(second, &first).iter().map(|m| m.least).collect();
        assert_eq!(least, [5.0, 4.0]);
        assert!(is_of_peers(&first[0]) && !is_of_peers(&measured("study", "world", 3, 1.0)));
    }
}
