//! A node's disk: a log of records to which one appends, an `fsync` that takes time, and what a crash leaves of it.
//!
//! What is appended can be read back at once, but it is only in the page cache. It is durable when a [`Disk::sync`]
//! that began after it has completed. The disk has no clock: `sync` says how long it takes, and the world calls
//! [`Disk::synced`] when that time has passed.
//!
//! > What a completed sync covered survives every crash, whole and in order. Of what came later, a crash keeps some
//! > whole records from the front, and possibly a torn beginning of the next one. Recovery never returns a torn or
//! > damaged record, and says which of the two it met.
//!
//! The model is the optimistic reading of a journalling file system with one append-only file (ext4 `data=ordered`): a
//! crash may write back any prefix of what was cached, and never holes. A process that is killed while its machine
//! stays up loses nothing here; [`Disk::crash`] is the loss of power.
//!
//! Snapshots replace the log: [`Disk::replace`] is "write a new file, fsync it, rename it over the old one". Until the
//! next sync completes, a crash finds the old file or the new one and never a mixture.
//!
//! Left to others: when faults come (the world), what records mean (the roles), and what it costs to read.

mod crc32c;
mod frame;
#[cfg(test)]
mod tests;

use base::{Dist, Draw, Duration, Key};
use frame::Frame;
use std::collections::VecDeque;
use std::fmt;

/// One node's disk. Memory is what is stored, and eight bytes for each record that is not durable yet.
#[derive(Clone, Debug)]
pub struct Disk {
    /// How long an fsync takes on a healthy disk.
    latency: Dist,
    slow: f64,
    full: bool,
    capacity: usize,
    /// The file under the log's name. After a crash, exactly what is on the platter.
    current: File,
    /// Files that it replaced, oldest first, for as long as no sync has made the latest rename durable.
    replaced: VecDeque<File>,
    /// Grows whenever stored bytes disappear, so that a sync that a crash interrupted is not taken for complete.
    epoch: u64,
}

/// The contents of a file as its readers see them, and how much of it is durable.
#[derive(Clone, Debug, Default)]
struct File {
    /// Counts renames, so that a sync knows which file it was of. A crash may set it back, and then no sync of a later
    /// file is valid any more.
    version: u64,
    log: Vec<u8>,
    /// Bytes of the log that are on the platter; always the end of a record, or of what a crash left.
    durable: usize,
    /// Where each record that is not durable ends.
    ends: VecDeque<usize>,
}

/// An fsync on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sync {
    /// What to tell [`Disk::synced`] when it completes.
    pub token: SyncToken,
    /// When that is, counted from now.
    pub takes: Duration,
}

/// Which records an fsync covers. Stale once the disk has crashed, or recovery has cut its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncToken {
    epoch: u64,
    version: u64,
    upto: usize,
}

/// Not enough room. Nothing was written; everything that was stored still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskFull {
    /// Bytes that the write would have added, framing included.
    pub needed: usize,
    /// Bytes that there was room for.
    pub free: usize,
}

impl fmt::Display for DiskFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for {} bytes on a disk with {} free; nothing was written", self.needed, self.free)
    }
}

impl std::error::Error for DiskFull {}

/// What [`Disk::recover`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Whole records, which [`Disk::read_all`] now returns.
    pub records: usize,
    /// Bytes behind the last whole record, cut off.
    pub dropped_bytes: usize,
    /// Why it stopped there.
    pub reason: Reason,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// With a whole record, or empty.
    Clean,
    /// With the beginning of a record, as a crash in the middle of a write leaves it. Nobody had been told it was kept.
    Torn,
    /// With bytes whose checksum is wrong. Records that were promised may be among what was dropped: a replica should
    /// fetch them from its peers before it votes again.
    Corrupt,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Clean => "clean",
            Reason::Torn => "torn",
            Reason::Corrupt => "corrupt",
        })
    }
}

impl Disk {
    /// An empty disk without limit, on which an fsync takes a draw of `latency`.
    pub fn new(latency: Dist) -> Self {
        Disk {
            latency,
            slow: 1.0,
            full: false,
            capacity: usize::MAX,
            current: File::default(),
            replaced: VecDeque::new(),
            epoch: 0,
        }
    }

    /// Writes `record` at the end of the log and returns the byte at which it begins, header included. It can be read
    /// at once and is durable after the next sync. Amortised O(record). Panics when it is 4 GiB or longer.
    pub fn append(&mut self, record: &[u8]) -> Result<u64, DiskFull> {
        self.make_room(frame::framed(record.len()))?;
        let start = self.current.log.len();
        self.current.push(record);
        Ok(start as u64)
    }

    /// Begins an fsync of everything written so far. Draws from the latency whatever is left to write, as a disk with
    /// nothing to do still has to answer. Several may be on their way, and complete in any order.
    #[must_use = "nothing is durable before `synced` is told the token"]
    pub fn sync(&mut self, draw: &mut impl Draw) -> Sync {
        let span = self.latency.sample(draw);
        let takes = if self.slow == 1.0 { span } else { span.mul_f64(self.slow) };
        let File { version, log, .. } = &self.current;
        Sync { token: SyncToken { epoch: self.epoch, version: *version, upto: log.len() }, takes }
    }

    /// Completes an fsync: what it covered is durable, and so is the rename that made its file the current one.
    ///
    /// False when the token is stale: a crash came between, nothing changes, and whoever waited for it is gone too.
    /// O(records covered).
    pub fn synced(&mut self, token: SyncToken) -> bool {
        if token.epoch != self.epoch {
            return false;
        }
        // Files older than the synced one cannot come back.
        while self.replaced.front().is_some_and(|file| file.version < token.version) {
            self.replaced.pop_front();
        }
        let file = self.replaced.front_mut().filter(|file| file.version == token.version);
        let file = match file {
            Some(file) => file,
            None if self.current.version == token.version => &mut self.current,
            // A later rename is durable already, and this file no longer exists.
            None => return true,
        };
        file.durable = file.durable.max(token.upto.min(file.log.len()));
        while file.ends.front().is_some_and(|&end| end <= file.durable) {
            file.ends.pop_front();
        }
        true
    }

    /// Puts a new log with `records` in the place of the current one, atomically. The new log itself is written and
    /// synced before the rename; the rename is durable after the next sync, and until then both take up room.
    ///
    /// On error the old log is as it was. O(records).
    pub fn replace<R: AsRef<[u8]>>(&mut self, records: impl IntoIterator<Item = R>) -> Result<(), DiskFull> {
        let mut log = Vec::new();
        records.into_iter().for_each(|record| frame::push(&mut log, record.as_ref()));
        self.make_room(log.len())?;
        let durable = log.len();
        let version = self.current.version + 1;
        let old = std::mem::replace(&mut self.current, File { version, log, durable, ends: VecDeque::new() });
        self.replaced.push_back(old);
        Ok(())
    }

    /// Loses power: keeps what is durable, and of the rest what `draw` decides. Every outstanding sync is void.
    ///
    /// Each file that a rename not yet durable may have left is equally likely; in it, each number of whole cached
    /// records; and then in one of two cases a torn beginning of the next, cut at a byte that is equally likely to be
    /// any. Takes exactly one draw, so that what a disk holds moves no other chance.
    pub fn crash(&mut self, draw: &mut impl Draw) {
        let mut draw = Key(draw.next_u64()).draws();
        self.epoch += 1;
        let chosen = draw.below_u64(self.replaced.len() as u64 + 1) as usize;
        if let Some(file) = self.replaced.get_mut(chosen) {
            self.current = std::mem::take(file);
        }
        self.replaced.clear();

        let file = &mut self.current;
        let kept = draw.below_u64(file.ends.len() as u64 + 1) as usize;
        let mut end = if kept == 0 { file.durable } else { file.ends[kept - 1] };
        if let Some(&next) = file.ends.get(kept)
            && draw.below(2) == 1
        {
            end += draw.below_u64((next - end) as u64) as usize;
        }
        file.log.truncate(end);
        file.durable = end;
        file.ends.clear();
    }

    /// Damages one bit, drawn evenly from all that is durable under the log's name: bit rot. Nothing notices before
    /// [`Disk::recover`] or [`Disk::read_all`] reads it. Returns the byte, or nothing when nothing is durable. Takes
    /// exactly one draw.
    pub fn corrupt(&mut self, draw: &mut impl Draw) -> Option<u64> {
        let mut draw = Key(draw.next_u64()).draws();
        if self.current.durable == 0 {
            return None;
        }
        let byte = draw.below_u64(self.current.durable as u64);
        self.current.log[byte as usize] ^= 1 << draw.below(8);
        Some(byte)
    }

    /// Reads the log from the beginning to the first record that is torn or corrupt, cuts it off there, and says what
    /// was found. To be called after a restart, before the first append: a record behind garbage can never be read.
    /// When it cuts anything, outstanding syncs are void. O(log).
    pub fn recover(&mut self) -> Recovery {
        let mut records = self.read_all();
        let whole = records.by_ref().count();
        let (end, reason) = (records.offset, records.reason);
        let file = &mut self.current;
        let dropped_bytes = file.log.len() - end;
        self.epoch += u64::from(dropped_bytes > 0);
        file.log.truncate(end);
        file.durable = file.durable.min(end);
        while file.ends.back().is_some_and(|&e| e > end) {
            file.ends.pop_back();
        }
        Recovery { records: whole, dropped_bytes, reason }
    }

    /// The records of the log, first written first, up to the first that is torn or corrupt. Checks each as it goes.
    pub fn read_all(&self) -> Records<'_> {
        Records { log: &self.current.log, offset: 0, reason: Reason::Clean }
    }

    /// Bytes taken up: the log, and logs that it replaced as long as a crash could bring them back.
    pub fn bytes(&self) -> usize {
        self.current.log.len() + self.replaced.iter().map(|file| file.log.len()).sum::<usize>()
    }

    /// True when a crash now would lose nothing.
    pub fn is_durable(&self) -> bool {
        self.replaced.is_empty() && self.current.ends.is_empty()
    }

    /// From now on a sync takes `factor` times as long; 1.0 is healthy. Those on their way are not changed. Panics when
    /// the factor is negative or not a number.
    pub fn set_slow(&mut self, factor: f64) {
        assert!(factor >= 0.0 && factor.is_finite(), "a disk cannot be {factor} times as slow");
        self.slow = factor;
    }

    /// While set, every write is refused, whatever the capacity. Syncs and reads go on.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// How many bytes there is room for, framing (12 bytes a record) included. What is stored beyond it stays.
    pub fn set_capacity(&mut self, bytes: usize) {
        self.capacity = bytes;
    }

    fn make_room(&self, needed: usize) -> Result<(), DiskFull> {
        let free = if self.full { 0 } else { self.capacity.saturating_sub(self.bytes()) };
        // A disk that is full refuses also what would add nothing, or an empty snapshot could slip through.
        if self.full || needed > free { Err(DiskFull { needed, free }) } else { Ok(()) }
    }
}

impl File {
    fn push(&mut self, record: &[u8]) {
        frame::push(&mut self.log, record);
        self.ends.push_back(self.log.len());
    }
}

/// The records of a log, until one of them is not whole. Returned by [`Disk::read_all`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    log: &'a [u8],
    offset: usize,
    reason: Reason,
}

impl Records<'_> {
    /// Why there are no more records, once there are none.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match frame::first(&self.log[self.offset..]) {
            Frame::Whole(record) => {
                self.offset += frame::framed(record.len());
                return Some(record);
            }
            Frame::End => self.reason = Reason::Clean,
            Frame::Torn => self.reason = Reason::Torn,
            Frame::Corrupt => self.reason = Reason::Corrupt,
        }
        None
    }
}
