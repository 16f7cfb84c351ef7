//! A run folded into 64 bits: equal runs have equal fingerprints, and one event more, less or later gives another.
//!
//! Each value is mixed into the state with a multiplication and a rotation, so order matters. It is not
//! cryptographic; it is meant to catch accidents, at about a nanosecond a value.

use std::fmt;

/// The fold so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of nothing.
    pub const EMPTY: Fingerprint = Fingerprint(0x9e37_79b9_7f4a_7c15);

    /// Folds in one value.
    #[inline]
    pub fn fold(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }

    /// Folds in several values, in order.
    pub fn fold_all(&mut self, values: &[u64]) {
        values.iter().for_each(|&value| self.fold(value));
    }

    /// Folds in text, length first, so that `"ab", "c"` and `"a", "bc"` differ.
    pub fn fold_text(&mut self, text: &str) {
        self.fold(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    /// The 64 bits, with a last mix so that runs that differ late differ in every digit.
    pub const fn value(self) -> u64 {
        let mut z = self.0;
        z = (z ^ (z >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        z ^ (z >> 33)
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint::EMPTY
    }
}

impl fmt::Display for Fingerprint {
    /// Sixteen hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.value())
    }
}

/// What can be folded into a fingerprint: messages, by all that tells one from another, field by field.
///
/// A message between two nodes is folded with its time and its receiver, so it need say neither. How a type prints is
/// no part of it: a better word in a log changes no fingerprint.
pub trait Digest {
    /// Folds in all its fields, a number for its kind first.
    fn fold_into(&self, fold: &mut Fingerprint);

    /// All its fields in 64 bits.
    fn digest(&self) -> u64 {
        let mut fold = Fingerprint::EMPTY;
        self.fold_into(&mut fold);
        fold.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_boundaries_matter() {
        let of = |values: &[u64]| {
            let mut f = Fingerprint::EMPTY;
            values.iter().for_each(|&v| f.fold(v));
            f.value()
        };
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[0, 0]));
        let text = |parts: &[&str]| {
            let mut f = Fingerprint::EMPTY;
            parts.iter().for_each(|p| f.fold_text(p));
            f.to_string()
        };
        assert_ne!(text(&["ab", "c"]), text(&["a", "bc"]));
        assert_eq!(text(&["ab"]).len(), 16);
    }
}
