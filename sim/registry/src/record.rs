//! What survives a restart: one small record per change of the catalogue, with a checksum.
//!
//! ```text
//!   len: u8 │ tag: u8 │ fields, little endian │ crc32 of everything before: u32
//! ```
//!
//! `len` counts tag and fields. A crash may leave half a record, or zeros, at the end of the log;
//! [`Record::decode_log`] keeps what stands before the damage. Renewals are not recorded: a restart renews everybody.

use crate::view::Endpoint;
use base::{Duration, InstanceId, LeaseId, NodeId, Revision, ServiceId, VersionId, ZoneId};
use std::fmt;

/// One change, as the log holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// A compacted log begins with this: how far the store had come.
    Started {
        /// The store's revision.
        revision: Revision,
        /// The next lease it would have granted.
        next_lease: LeaseId,
    },
    /// An instance was listed; it ends any earlier lease of the same instance.
    Registered {
        /// The change's revision.
        revision: Revision,
        /// The lease granted.
        lease: LeaseId,
        /// Who registered it.
        owner: NodeId,
        /// The service it joined.
        service: ServiceId,
        /// How callers see it.
        endpoint: Endpoint,
        /// How long it may stay silent.
        ttl: Duration,
    },
    /// The holder of this lease began to drain, or opened again.
    Draining {
        /// The change's revision.
        revision: Revision,
        /// Whose.
        lease: LeaseId,
        /// What callers see.
        draining: bool,
    },
    /// The holder of this lease left.
    Deregistered {
        /// The change's revision.
        revision: Revision,
        /// Whose.
        lease: LeaseId,
    },
    /// This lease ended.
    Expired {
        /// The change's revision.
        revision: Revision,
        /// Whose.
        lease: LeaseId,
    },
}

/// Why bytes are not a record. Nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The bytes end before the record does: a torn tail.
    Torn,
    /// The checksum does not belong to the bytes.
    Checksum,
    /// The checksum is right, and yet it is no record of ours: another program's log, or another version's.
    Unknown,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Torn => "the log ends within a record",
            Damage::Checksum => "a record does not match its checksum",
            Damage::Unknown => "a record is of no known kind",
        })
    }
}

impl std::error::Error for Damage {}

impl Record {
    /// The store's revision when this was written.
    pub const fn revision(&self) -> Revision {
        match *self {
            Record::Started { revision, .. }
            | Record::Registered { revision, .. }
            | Record::Draining { revision, .. }
            | Record::Deregistered { revision, .. }
            | Record::Expired { revision, .. } => revision,
        }
    }

    /// Appends the record's bytes, 22 to 59 of them.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.push(0);
        match *self {
            Record::Started { revision, next_lease } => {
                bytes.push(1);
                put(bytes, &[revision.0, next_lease.0]);
            }
            Record::Registered { revision, lease, owner, service, endpoint: e, ttl } => {
                bytes.push(2);
                put(bytes, &[revision.0, lease.0, ttl.as_nanos()]);
                for word in [owner.0, service.0, e.instance.0, e.node.0, e.zone.0, e.version.0, e.weight] {
                    bytes.extend(word.to_le_bytes());
                }
                bytes.push(u8::from(e.draining));
            }
            Record::Draining { revision, lease, draining } => {
                bytes.push(3);
                put(bytes, &[revision.0, lease.0]);
                bytes.push(u8::from(draining));
            }
            Record::Deregistered { revision, lease } => {
                bytes.push(4);
                put(bytes, &[revision.0, lease.0]);
            }
            Record::Expired { revision, lease } => {
                bytes.push(5);
                put(bytes, &[revision.0, lease.0]);
            }
        }
        bytes[start] = (bytes.len() - start - 1) as u8;
        let crc = crc32(&bytes[start..]);
        bytes.extend(crc.to_le_bytes());
    }

    /// The first record of `bytes`, and how many of them it takes.
    pub fn decode(bytes: &[u8]) -> Result<(Record, usize), Damage> {
        let &len = bytes.first().ok_or(Damage::Torn)?;
        let body_end = 1 + usize::from(len);
        let crc = bytes.get(body_end..body_end + 4).ok_or(Damage::Torn)?;
        if crc != crc32(&bytes[..body_end]).to_le_bytes() {
            return Err(Damage::Checksum);
        }
        let mut fields = Fields(&bytes[1..body_end]);
        let record = fields.record().filter(|_| fields.0.is_empty()).ok_or(Damage::Unknown)?;
        Ok((record, body_end + 4))
    }

    /// The records of a log up to its end or its first damage, and where and what that is.
    pub fn decode_log(bytes: &[u8]) -> (Vec<Record>, Option<(usize, Damage)>) {
        let (mut records, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            match Record::decode(&bytes[at..]) {
                Ok((record, taken)) => {
                    records.push(record);
                    at += taken;
                }
                Err(damage) => return (records, Some((at, damage))),
            }
        }
        (records, None)
    }
}

fn put(bytes: &mut Vec<u8>, words: &[u64]) {
    for word in words {
        bytes.extend(word.to_le_bytes());
    }
}

/// What is left to read of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn record(&mut self) -> Option<Record> {
        let tag = self.byte()?;
        let revision = Revision(self.u64()?);
        let lease = LeaseId(self.u64()?);
        Some(match tag {
            1 => Record::Started { revision, next_lease: lease },
            2 => {
                let ttl = Duration::ns(self.u64()?);
                let (owner, service) = (NodeId(self.u32()?), ServiceId(self.u32()?));
                let endpoint = Endpoint {
                    instance: InstanceId(self.u32()?),
                    node: NodeId(self.u32()?),
                    zone: ZoneId(self.u32()?),
                    version: VersionId(self.u32()?),
                    weight: self.u32()?,
                    draining: self.flag()?,
                };
                Record::Registered { revision, lease, owner, service, endpoint, ttl }
            }
            3 => Record::Draining { revision, lease, draining: self.flag()? },
            4 => Record::Deregistered { revision, lease },
            5 => Record::Expired { revision, lease },
            _ => return None,
        })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

/// CRC-32 as in Ethernet and zip (polynomial 0x04c11db7, reflected), bit by bit: records are short and rare.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Record> {
        let endpoint = Endpoint {
            instance: InstanceId(7),
            node: NodeId(3),
            zone: ZoneId(1),
            version: VersionId(2),
            weight: u32::MAX,
            draining: true,
        };
        let (revision, lease) = (Revision(u64::MAX - 1), LeaseId(258));
        vec![
            Record::Started { revision, next_lease: lease },
            Record::Registered {
                revision,
                lease,
                owner: NodeId(9),
                service: ServiceId(4),
                endpoint,
                ttl: Duration::secs(30),
            },
            Record::Draining { revision, lease, draining: true },
            Record::Draining { revision, lease, draining: false },
            Record::Deregistered { revision, lease },
            Record::Expired { revision, lease },
        ]
    }

    fn log(records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::new();
        records.iter().for_each(|r| r.encode(&mut bytes));
        bytes
    }

    #[test]
    fn the_checksum_is_the_one_everybody_has() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_log_reads_as_it_was_written() {
        let (records, damage) = Record::decode_log(&log(&samples()));
        assert_eq!((records, damage), (samples(), None));
        let lengths: Vec<usize> = samples().iter().map(|r| log(&[*r]).len()).collect();
        assert_eq!(lengths, [22, 59, 23, 23, 22, 22]);
    }

    #[test]
    fn every_cut_is_seen_and_costs_only_what_was_cut() {
        let whole = log(&samples());
        let ends: Vec<usize> = (0..=samples().len()).map(|n| log(&samples()[..n]).len()).collect();
        for cut in 0..whole.len() {
            let (records, damage) = Record::decode_log(&whole[..cut]);
            let kept = ends.iter().rposition(|&end| end <= cut).unwrap();
            assert_eq!(records, samples()[..kept], "cut at {cut}");
            let expected = if ends[kept] == cut { None } else { Some((ends[kept], Damage::Torn)) };
            assert_eq!(damage, expected, "cut at {cut}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_zeroed_tail_is_seen() {
        let whole = log(&samples());
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (records, damage) = Record::decode_log(&bytes);
            assert!(damage.is_some() && records.len() < samples().len(), "bit {bit} went unseen");
            assert_eq!(records, samples()[..records.len()], "bit {bit}");
        }
        let end = log(&samples()[..2]).len();
        let mut zeroed = whole;
        zeroed[end + 1..].fill(0);
        assert_eq!(Record::decode_log(&zeroed), (samples()[..2].to_vec(), Some((end, Damage::Checksum))));
        assert_eq!(Record::decode(&[0; 64]), Err(Damage::Checksum));
    }

    #[test]
    fn a_right_checksum_does_not_make_a_record() {
        let sealed = |body: &[u8]| {
            let mut bytes = vec![body.len() as u8];
            bytes.extend(body);
            let crc = crc32(&bytes);
            bytes.extend(crc.to_le_bytes());
            bytes
        };
        let mut foreign = vec![6u8];
        foreign.extend([0; 16]);
        assert_eq!(Record::decode(&sealed(&foreign)), Err(Damage::Unknown));
        let mut doubtful = vec![3u8];
        doubtful.extend([0; 16]);
        doubtful.push(2);
        assert_eq!(Record::decode(&sealed(&doubtful)), Err(Damage::Unknown));
        assert_eq!(Record::decode(&sealed(&[4, 0, 0])), Err(Damage::Unknown));
    }
}
