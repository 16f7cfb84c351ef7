//! Seeds as people give them.
//!
//! A seed is a 64-bit number, written in decimal or as `0x…`. A git hash of 40 digits is taken too, so that a pipeline
//! can use the commit it tests as its seed; it is folded to 64 bits, and from then on the decimal number is the seed.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};

/// Most seeds of one command: a sweep keeps a row for each.
const SEEDS_MAX: u64 = 1_000_000;

/// Seeds in rising order, as ranges: never empty, and none of them twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    ranges: Vec<Range>,
}

/// `count` seeds from `first`. Their sum is at most 2⁶⁴: the last seed can be written, the one behind it perhaps not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    count: u64,
}

impl Range {
    fn last(self) -> u64 {
        self.first + (self.count - 1)
    }
}

impl Seeds {
    /// A single seed.
    pub(crate) fn one(seed: u64) -> Seeds {
        Seeds { ranges: vec![Range { first: seed, count: 1 }] }
    }

    /// These seeds; `None` when there are none. They must rise.
    pub(crate) fn of(seeds: impl IntoIterator<Item = u64>) -> Option<Seeds> {
        let mut ranges: Vec<Range> = Vec::new();
        for seed in seeds {
            match ranges.last_mut() {
                Some(range) if range.last().checked_add(1) == Some(seed) => range.count += 1,
                _ => ranges.push(Range { first: seed, count: 1 }),
            }
        }
        if ranges.is_empty() { None } else { Some(Seeds { ranges }) }
    }

    /// The first of them.
    pub(crate) fn first(&self) -> u64 {
        self.ranges[0].first
    }

    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.ranges.iter().map(|range| range.count).sum()
    }

    /// The seeds in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + Send + use<> {
        self.ranges.clone().into_iter().flat_map(|range| (0..range.count).map(move |n| range.first + n))
    }
}

impl fmt::Display for Seeds {
    /// As `--seeds` reads them: `0..17,18..100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match range.last().checked_add(1) {
                Some(end) => write!(f, "{comma}{}..{end}", range.first)?,
                None => write!(f, "{comma}{}..={}", range.first, range.last())?,
            }
        }
        Ok(())
    }
}

/// Reads one seed.
pub(crate) fn parse_seed(text: &str) -> Result<u64, String> {
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(fold(text));
    }
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let read = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16),
        None if !digits.starts_with('+') => digits.parse(),
        _ => return Err(NOT_A_SEED.into()),
    };
    read.map_err(|error| match error.kind() {
        std::num::IntErrorKind::PosOverflow => "a seed has 64 bits: at most 18446744073709551615".into(),
        _ => NOT_A_SEED.into(),
    })
}

const NOT_A_SEED: &str = "a seed is a whole number such as 42 or 0x2a, or a git hash of 40 digits";

/// The three words of a hash of 160 bits, combined by exclusive or.
fn fold(hash: &str) -> u64 {
    let word = |digits: &str| u64::from_str_radix(digits, 16).expect("all digits are hexadecimal");
    word(&hash[..16]) ^ word(&hash[16..32]) ^ word(&hash[32..])
}

/// Reads ranges of seeds with commas between them; see [`parse_range`].
pub(crate) fn parse_ranges(text: &str) -> Result<Seeds, String> {
    let mut ranges: Vec<Range> = Vec::new();
    for part in text.split(',') {
        let range = parse_range(part.trim())?;
        if let Some(before) = ranges.last().filter(|before| before.last() >= range.first) {
            return Err(format!(
                "`{}` begins before {} has ended: ranges rise, and no seed is in two of them",
                part.trim(),
                before.last()
            ));
        }
        ranges.push(range);
    }
    let seeds = Seeds { ranges };
    // No sum of counts overflows: the ranges do not overlap, and none has more than the limit.
    if seeds.count() <= SEEDS_MAX { Ok(seeds) } else { Err(format!("at most {SEEDS_MAX} seeds in one command")) }
}

/// Reads `A..B` (B is left out) or `A..=B` (B is run).
fn parse_range(text: &str) -> Result<Range, String> {
    let (from, to) = text.split_once("..").ok_or("a range of seeds is written A..B, such as 0..100")?;
    let (to, closed) = to.strip_prefix('=').map_or((to, false), |to| (to, true));
    let first = parse_seed(from.trim()).map_err(|why| format!("`{from}`: {why}"))?;
    let last = parse_seed(to.trim()).map_err(|why| format!("`{to}`: {why}"))?;
    match last.checked_sub(first) {
        None => Err(format!("the range runs backwards: did you mean {last}..{first}?")),
        Some(0) if !closed => {
            Err(format!("the range is empty, as its end is left out: did you mean {first}..={last}?"))
        }
        Some(span) => match span.saturating_add(u64::from(closed)) {
            count if count <= SEEDS_MAX => Ok(Range { first, count }),
            _ => Err(format!("at most {SEEDS_MAX} seeds in one command")),
        },
    }
}

/// A seed nobody chose: 32 bits, so that it can be read aloud. The only chance in the program that comes from outside.
pub(crate) fn fresh() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    hasher.write_u128(since_1970.map_or(0, |d| d.as_nanos()));
    hasher.finish() >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_or_a_commit() {
        assert_eq!(parse_seed("42"), Ok(42));
        assert_eq!(parse_seed("0x2a"), Ok(42));
        assert_eq!(parse_seed("1_000"), Ok(1000));
        assert_eq!(parse_seed("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(parse_seed("0000000000000001000000000000000200000004"), Ok(7));
        // All decimal digits, and still a hash: no seed has forty.
        assert_eq!(parse_seed(&"1".repeat(40)), Ok(0x1111_1111));
        assert!(parse_seed("18446744073709551616").unwrap_err().contains("64 bits"));
        for wrong in ["", "-1", "+1", "0x", "0x+1", "4.2", "seed", "0xg", "39a"] {
            assert_eq!(parse_seed(wrong), Err(NOT_A_SEED.to_string()), "{wrong}");
        }
    }

    #[test]
    fn a_range_leaves_its_end_out_unless_told() {
        let seeds = |text| parse_ranges(text).map(|seeds| seeds.iter().collect::<Vec<u64>>());
        assert_eq!(seeds("1..3"), Ok(vec![1, 2]));
        assert_eq!(seeds("1..=3"), Ok(vec![1, 2, 3]));
        assert_eq!(seeds("5..=5"), Ok(vec![5]));
        assert_eq!(seeds("0xfffffffffffffffe..=0xffffffffffffffff"), Ok(vec![u64::MAX - 1, u64::MAX]));
        assert!(seeds("5..5").unwrap_err().contains("did you mean 5..=5?"));
        assert!(seeds("9..3").unwrap_err().contains("did you mean 3..9?"));
        assert!(seeds("0..2000000").unwrap_err().contains("at most 1000000 seeds"));
        assert!(seeds("0..=18446744073709551615").is_err());
        assert!(seeds("10").unwrap_err().contains("A..B"));
        assert!(seeds("a..3").unwrap_err().starts_with("`a`"));
    }

    #[test]
    fn several_ranges_rise_and_read_back() {
        let read = |text| parse_ranges(text).map(|seeds| (seeds.to_string(), seeds.count()));
        assert_eq!(read("3..5, 7..8,9..=10"), Ok(("3..5,7..8,9..11".into(), 5)));
        assert_eq!(
            read("18446744073709551615..=18446744073709551615").map(|(text, _)| text).as_deref(),
            Ok("18446744073709551615..=18446744073709551615")
        );
        assert!(read("3..5,4..9").unwrap_err().contains("begins before 4 has ended"));
        assert!(read("3..5,1..2").is_err() && read("1..2,").is_err() && read(",").is_err());
        assert!(read("0..600000,600000..1200000").unwrap_err().contains("at most 1000000 seeds"));
        let of = |seeds: &[u64]| Seeds::of(seeds.iter().copied()).map(|seeds| seeds.to_string());
        assert_eq!(
            of(&[2, 3, 4, 9, u64::MAX]).as_deref(),
            Some("2..5,9..10,18446744073709551615..=18446744073709551615")
        );
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_largest_range_is_allowed_and_one_more_is_not() {
        assert!(parse_ranges("0..1000000").is_ok());
        assert!(parse_ranges("0..1000001").is_err());
    }
}
