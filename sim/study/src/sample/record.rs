//! A sample as the text of a file: three lines of JSON, so that it is known what it is a sample of and that it is
//! whole.
//!
//! The first line names the run: cell, seed, the state of the program, and a hash of everything else that the sample
//! depends on. The second is the sample. The third is a checksum over these two lines as they stand. What reads back
//! was written whole, by this state of the program, for this very run; anything else is refused with the reason.

use super::kept::Sample;
use crate::hashing::Hashing;
use base::{Fingerprint, Seed};
use serde_json::Value;
use std::fmt;
use world::Spec;

/// What a sample is a sample of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cell's [`key`](crate::Cell::key).
    pub cell: String,
    /// The seed.
    pub seed: Seed,
    /// A hash of everything that the sample depends on beside the program's sources, 16 hex digits.
    pub inputs: String,
}

/// Why the text of a sample is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is not what was written: cut off, changed, or never a sample.
    Damaged,
    /// Another state of the program left it behind.
    OtherBuild,
    /// It belongs to another study, or to another state of this one.
    OtherStudy,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unusable::Damaged => "damaged",
            Unusable::OtherBuild => "left by another build of windtunnel",
            Unusable::OtherStudy => "of another state of this study",
        })
    }
}

impl Identity {
    /// The identity of a run of a world: the calls to `service` under `spec`, with a heat map or without.
    pub fn of_run(cell: &str, seed: Seed, version: &str, with_heat: bool, service: &str, spec: &Spec) -> Identity {
        let mut inputs = inputs(seed, version, with_heat);
        inputs.fold_text(service);
        inputs.fold_text(&format!("{spec:?}"));
        Identity { cell: cell.into(), seed, inputs: inputs.to_string() }
    }

    /// The identity of a filling of a hashing structure.
    pub fn of_filling(cell: &str, seed: Seed, version: &str, hashing: &Hashing) -> Identity {
        let mut inputs = inputs(seed, version, false);
        inputs.fold_text(&format!("{hashing:?}"));
        Identity { cell: cell.into(), seed, inputs: inputs.to_string() }
    }
}

/// What the samples of all kinds of cells depend on.
fn inputs(seed: Seed, version: &str, with_heat: bool) -> Fingerprint {
    let mut inputs = Fingerprint::default();
    inputs.fold_text(version);
    inputs.fold(seed.0);
    inputs.fold(u64::from(with_heat));
    inputs
}

/// The word by which the text of a sample is known. The number goes up when the meaning of a line changes.
const FORMAT: &str = "windtunnel-sample-2";

/// The text of a sample. `sources` names the state of the program that made it.
pub fn write(sample: &Sample, of: &Identity, sources: &str) -> String {
    let head = serde_json::json!({
        "format": FORMAT,
        "cell": of.cell,
        "seed": of.seed.to_string(),
        "sources": sources,
        "identity": of.inputs,
    });
    let lines = format!("{head}\n{}\n", sample.to_json());
    let last = last_line(&lines);
    lines + &last
}

/// Reads what [`write()`] wrote, with equal bits; or says why it is not the sample of this run by this program.
pub fn read(text: &[u8], of: &Identity, sources: &str) -> Result<Sample, Unusable> {
    let text = str::from_utf8(text).map_err(|_| Unusable::Damaged)?;
    let end = text.trim_end_matches('\n').rfind('\n').ok_or(Unusable::Damaged)? + 1;
    let (lines, checksum) = text.split_at(end);
    if checksum != last_line(lines) {
        // What an older version wrote has no checksum, and says by its first line what it is.
        let head: Value = serde_json::from_str(lines.lines().next().unwrap_or("")).unwrap_or_default();
        return Err(if head["format"] == "windtunnel-sample" { Unusable::OtherBuild } else { Unusable::Damaged });
    }
    let (head, sample) = lines.split_once('\n').ok_or(Unusable::Damaged)?;
    let head: Value = serde_json::from_str(head).map_err(|_| Unusable::Damaged)?;
    if head["format"] != FORMAT || head["sources"] != sources {
        return Err(Unusable::OtherBuild);
    }
    let is_its = head["cell"] == of.cell.as_str()
        && head["seed"] == of.seed.to_string().as_str()
        && head["identity"] == of.inputs.as_str();
    if !is_its {
        return Err(Unusable::OtherStudy);
    }
    Sample::from_json(sample.trim_end()).map_err(|_| Unusable::Damaged)
}

/// The line that ends a text whose other lines are `lines`.
fn last_line(lines: &str) -> String {
    let mut checksum = Fingerprint::default();
    checksum.fold_text(lines);
    format!("{{\"checksum\":\"{checksum}\"}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: &str = "fedcba9876543210";

    fn identity() -> Identity {
        Identity { cell: "a_b".into(), seed: Seed(7), inputs: "0123456789abcdef".into() }
    }

    fn written() -> String {
        let sample = Sample { count: 3, verdict: "passed".into(), ..Sample::default() };
        write(&sample, &identity(), SOURCES)
    }

    #[test]
    fn every_bit_that_flips_is_found() {
        let text = written();
        let read = |text: &[u8]| read(text, &identity(), SOURCES);
        assert!(read(text.as_bytes()).is_ok_and(|sample| sample.count == 3));
        for place in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone().into_bytes();
                flipped[place] ^= 1 << bit;
                assert!(read(&flipped).is_err(), "bit {bit} of byte {place} of {text}");
            }
        }
        (0..text.len()).for_each(|end| assert!(read(&text.as_bytes()[..end]).is_err(), "cut at {end}"));
    }

    #[test]
    fn what_is_not_taken_is_told_apart() {
        let text = written();
        // With a checksum that fits: what somebody else wrote, not what was damaged.
        let other = |from: &str, to: &str| {
            let (lines, _) = text.split_at(text.trim_end().rfind('\n').expect("three lines") + 1);
            assert!(lines.contains(from), "{lines}");
            let lines = lines.replace(from, to);
            let text = format!("{lines}{}", last_line(&lines));
            read(text.as_bytes(), &identity(), SOURCES).expect_err("it is another")
        };
        assert_eq!(other(SOURCES, "0000000000000000"), Unusable::OtherBuild);
        assert_eq!(other(FORMAT, "windtunnel-sample-3"), Unusable::OtherBuild);
        assert_eq!(other("0123456789abcdef", "0123456789abcdee"), Unusable::OtherStudy);
        assert_eq!(other("\"7\"", "\"8\""), Unusable::OtherStudy);
        let first = "{\"cell\":\"a_b\",\"format\":\"windtunnel-sample\",\"identity\":\"00\",\"seed\":\"7\"}\n{}\n";
        let older = read(first.as_bytes(), &identity(), SOURCES);
        assert_eq!(older.expect_err("it is older"), Unusable::OtherBuild);
    }
}
