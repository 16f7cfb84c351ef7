//! How a record lies on the disk: a header of twelve bytes, then the bytes of the record.
//!
//! ```text
//! 0        4             8                12
//! │ length │ crc(record) │ crc(first 8)   │ record …            little-endian, CRC-32C
//! ```
//!
//! The header has a checksum of its own so that the two ways in which a log can end badly are told apart. A write that
//! power cut short leaves a sound beginning and too few bytes: *torn*, harmless, nobody was told that it was kept.
//! Anything else that does not add up is damage to what once was whole: *corrupt*, and what follows may have been
//! promised to somebody. With one checksum over everything, a flipped bit in a length would look like a torn write, and
//! promised records would be dropped as if they had never been (Alagappan et al., "Protocol-Aware Recovery for
//! Consensus-Based Storage", FAST 2018, which is also why TigerBeetle checks header and body apart).

use super::crc32c::crc32c;

/// Bytes before a record.
pub(crate) const HEADER: usize = 12;

/// Bytes that a record of `len` bytes takes up.
pub(crate) const fn framed(len: usize) -> usize {
    HEADER + len
}

/// Appends `record` to `log`, framed. Panics when it is 4 GiB or longer.
pub(crate) fn push(log: &mut Vec<u8>, record: &[u8]) {
    let length = u32::try_from(record.len()).expect("a record is shorter than 4 GiB");
    let start = log.len();
    log.extend_from_slice(&length.to_le_bytes());
    log.extend_from_slice(&crc32c(record).to_le_bytes());
    let header_crc = crc32c(&log[start..]);
    log.extend_from_slice(&header_crc.to_le_bytes());
    log.extend_from_slice(record);
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// Nothing: the log ends here, as it should.
    End,
    /// A whole record.
    Whole(&'a [u8]),
    /// The beginning of one.
    Torn,
    /// Something that was never written like this.
    Corrupt,
}

/// Looks at the beginning of `bytes`. Checks every byte of the record it finds.
pub(crate) fn first(bytes: &[u8]) -> Frame<'_> {
    if bytes.is_empty() {
        return Frame::End;
    }
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        return Frame::Torn;
    };
    let word = |i: usize| u32::from_le_bytes([header[i], header[i + 1], header[i + 2], header[i + 3]]);
    if crc32c(&header[..8]) != word(8) {
        return Frame::Corrupt;
    }
    match rest.get(..word(0) as usize) {
        None => Frame::Torn,
        Some(record) if crc32c(record) == word(4) => Frame::Whole(record),
        Some(_) => Frame::Corrupt,
    }
}
