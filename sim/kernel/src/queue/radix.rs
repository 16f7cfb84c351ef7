//! The radix part of the event queue: everything that is not due soon, filed by how far away it is.
//!
//! All keys later than a reference time are held in 11 levels of 64 buckets. A key's level is the position of the
//! highest base-64 digit in which its time differs from the reference, its bucket that digit's value. So the lowest
//! occupied bucket of the lowest occupied level is always the next, and two words of bitmap find it.
//!
//! Buckets are chains of small chunks from one pool, so writing is sequential, an empty bucket costs four bytes, and
//! memory follows the number of keys held, whatever level they are at.

use super::{Key, time_of};

const LEVELS: usize = 11;
const BUCKETS: usize = LEVELS * 64;
const NONE: u32 = u32::MAX;
/// Keys in a chunk: with its header, 256 bytes.
const CHUNK: usize = 15;
/// A bucket with at most this many keys is sorted when its turn comes; a fuller one is first spread over finer ones.
const SORT_MAX: u32 = 48;
/// So is one with at most this many, when it is a small part of all: sorting them costs less than spreading them, but
/// the more of all pending keys a sorted bucket covers, the more new ones fall into it and take the slower way.
const SORT_LARGE_MAX: u32 = 320;
/// A bucket with at most this many keys has its payloads read ahead when it is spread: about as many as the first-level
/// cache has lines.
const TOUCH_MAX: u32 = 512;

#[derive(Debug)]
pub(super) struct Radix {
    /// The time relative to which keys are filed.
    reference: u64,
    /// Keys before this time belong elsewhere: what they would follow has left already.
    floor: u64,
    /// Which levels have an occupied bucket.
    levels: u16,
    /// Which buckets of each level are occupied.
    occupied: [u64; LEVELS],
    buckets: Box<[Bucket; BUCKETS]>,
    chunks: Vec<Chunk>,
    /// The first chunk of the chain of free ones.
    free: u32,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The chunk being filled; full ones follow it.
    head: u32,
    len: u32,
}

#[derive(Debug)]
struct Chunk {
    keys: [Key; CHUNK],
    len: u32,
    next: u32,
}

impl Radix {
    pub(super) fn new() -> Self {
        Radix {
            reference: 0,
            floor: 0,
            levels: 0,
            occupied: [0; LEVELS],
            buckets: Box::new([Bucket { head: NONE, len: 0 }; BUCKETS]),
            chunks: Vec::new(),
            free: NONE,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// True when `time` is late enough to be filed here.
    #[inline]
    pub(super) fn accepts(&self, time: u64) -> bool {
        time >= self.floor
    }

    /// Files a key whose time is accepted.
    #[inline]
    pub(super) fn insert(&mut self, key: Key) {
        self.file(key);
        self.len += 1;
    }

    #[inline]
    fn file(&mut self, key: Key) {
        let time = time_of(key);
        debug_assert!(time >= self.reference);
        // The last bit is set so that a key at the reference itself has a level: the lowest.
        let level = (63 - ((time ^ self.reference) | 1).leading_zeros()) as usize / 6;
        let digit = (time >> (6 * level)) as usize & 63;
        self.levels |= 1 << level;
        self.occupied[level] |= 1 << digit;
        let bucket = &mut self.buckets[level * 64 + digit];
        bucket.len += 1;
        if bucket.head != NONE {
            let chunk = &mut self.chunks[bucket.head as usize];
            if (chunk.len as usize) < CHUNK {
                chunk.keys[chunk.len as usize] = key;
                chunk.len += 1;
                return;
            }
        }
        let next = bucket.head;
        let chunk = if self.free == NONE {
            self.chunks.push(Chunk { keys: [0; CHUNK], len: 0, next: NONE });
            self.chunks.len() as u32 - 1
        } else {
            let chunk = self.free;
            self.free = self.chunks[chunk as usize].next;
            chunk
        };
        bucket.head = chunk;
        let chunk = &mut self.chunks[chunk as usize];
        chunk.keys[0] = key;
        chunk.len = 1;
        chunk.next = next;
    }

    /// A time before which nothing is held: the beginning of the next bucket. `None` when nothing is held.
    #[inline]
    pub(super) fn next_start(&self) -> Option<u64> {
        let (level, digit) = self.next_bucket()?;
        Some(self.start(level, digit))
    }

    #[inline]
    fn next_bucket(&self) -> Option<(usize, usize)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The earliest time that belongs into a bucket.
    #[inline]
    fn start(&self, level: usize, digit: usize) -> u64 {
        let shift = 6 * level as u32;
        // The digits above this level are the reference's; those below are zero.
        let above = self.reference.checked_shr(shift + 6).map_or(0, |high| high << (shift + 6));
        above | (digit as u64) << shift
    }

    /// Brings the next bucket one step closer: sorted into `front`, latest first,
    /// when it is small, else spread over finer buckets. `front` must be empty.
    ///
    /// `touch` reads what a key stands for. It is called for keys whose turn is near, many at a time: with a million
    /// events pending the payloads fit no cache, and loads that do not depend on each other are waited for together.
    pub(super) fn advance(&mut self, front: &mut Vec<Key>, touch: impl Fn(Key) -> u64) {
        let (level, digit) = self.next_bucket().expect("advance is asked for only when something is held");
        let start = self.start(level, digit);
        self.occupied[level] &= !(1 << digit);
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
        let Bucket { head: mut at, len } = self.buckets[level * 64 + digit];
        self.buckets[level * 64 + digit] = Bucket { head: NONE, len: 0 };
        let sorted = level == 0 || len <= SORT_MAX || (len <= SORT_LARGE_MAX && len as usize * 16 <= self.len);
        if sorted {
            while at != NONE {
                let chunk = &self.chunks[at as usize];
                front.extend_from_slice(&chunk.keys[..chunk.len as usize]);
                at = self.release(at);
            }
            if len > SORT_MAX {
                std::hint::black_box(front.iter().fold(0, |touched, &key| touched ^ touch(key)));
            }
            front.sort_unstable_by(|a, b| b.cmp(a));
            self.len -= front.len();
            // The new reference shares all digits from this level up with the old bucket, so every key filed at this
            // level or above stays where it belongs; below this level nothing is held.
            self.reference = time_of(front[0]);
            self.floor = self.reference.saturating_add(1);
        } else {
            self.reference = start;
            self.floor = start;
            let near = len <= TOUCH_MAX;
            let mut touched = 0;
            while at != NONE {
                for i in 0..self.chunks[at as usize].len as usize {
                    let key = self.chunks[at as usize].keys[i];
                    self.file(key);
                    if near {
                        touched ^= touch(key);
                    }
                }
                at = self.release(at);
            }
            std::hint::black_box(touched);
        }
    }

    /// Gives a chunk back and answers the one after it.
    #[inline]
    fn release(&mut self, chunk: u32) -> u32 {
        let next = self.chunks[chunk as usize].next;
        self.chunks[chunk as usize].next = self.free;
        self.free = chunk;
        next
    }

    /// Takes all keys out and starts again from `time`, accepting everything that is not before it.
    pub(super) fn restart(&mut self, time: u64) -> Vec<Key> {
        let keys = self.take_all();
        self.reference = time;
        self.floor = time;
        keys
    }

    fn take_all(&mut self) -> Vec<Key> {
        let mut keys = Vec::with_capacity(self.len);
        while let Some((level, digit)) = self.next_bucket() {
            self.occupied[level] &= self.occupied[level] - 1;
            if self.occupied[level] == 0 {
                self.levels &= !(1 << level);
            }
            let bucket = &mut self.buckets[level * 64 + digit];
            let mut at = bucket.head;
            *bucket = Bucket { head: NONE, len: 0 };
            while at != NONE {
                let chunk = &self.chunks[at as usize];
                keys.extend_from_slice(&chunk.keys[..chunk.len as usize]);
                at = self.release(at);
            }
        }
        self.len = 0;
        keys
    }

    /// Drops the keys for which `keep` says no.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Key) -> bool) {
        for key in self.take_all() {
            if keep(&key) {
                self.insert(key);
            }
        }
    }
}
