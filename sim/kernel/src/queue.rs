//! The event queue: what happens next, in order of (time, sequence). Hot: every event of every run passes through here.
//!
//! Payloads rest in a slab and never move; the queue shuffles 16-byte keys. A key is one `u128`: 64 bits of time, 40 of
//! sequence, 24 of slab slot, so comparing two keys is comparing (time, sequence), and ties are served in order of
//! arrival.
//!
//! Four places can hold a key, from the cheapest to the most general:
//!
//! ```text
//!   lanes    FIFO rings for delays that are always the same (a network hop, a timeout): already in order
//!   front    the bucket being served, sorted when it was opened
//!   early    a small binary heap: keys that fell before the front's end after it was opened
//!   radix    11 levels of 64 buckets: everything later, unsorted until its turn comes
//! ```
//!
//! The radix part is a radix heap in base 64 (Ahuja, Mehlhorn, Orlin and Tarjan, "Faster Algorithms for the Shortest
//! Path Problem", 1990) with one change: a bucket that holds few keys is sorted when its turn comes instead of being
//! spread over ever finer levels. There is no bucket width to tune and no resize, so the cost per event stays flat
//! whether ten events are pending or a million, and whether they lie nanoseconds or hours apart.
//!
//! Cancelling marks the slab slot and leaves the key; dead keys are skipped when their turn comes, and swept out when
//! they outnumber the living, so a cancelled timer costs O(1) amortised and memory follows what is pending.

mod radix;

use base::Instant;
use radix::Radix;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A pending event's name, for cancelling it. Stale names are harmless: the event has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    slot: u32,
    generation: u32,
}

impl TimerId {
    /// The name of no event; cancelling it does nothing.
    pub const NONE: TimerId = TimerId { slot: u32::MAX, generation: 0 };
}

/// A FIFO ring for events that are always scheduled the same span ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u8);

/// (time, sequence, slot) in one comparable number.
type Key = u128;

const SLOT_BITS: u32 = 24;
const SEQUENCE_BITS: u32 = 40;
const EMPTY: Key = Key::MAX;
/// More lanes would make every pop look at more heads than they save.
const LANES_MAX: usize = 8;

/// A lane with more keys than this has its payloads read ahead, so many at a time.
const LONG_LANE: usize = 16 * 1024;
const READ_AHEAD: usize = 64;

/// Events ordered by (time, sequence).
#[derive(Debug)]
pub struct Queue<E> {
    slots: Vec<Slot<E>>,
    /// The first free slot; the others follow by [`Slot::next_free`].
    free: u32,
    sequence: u64,
    /// The time of the last event taken out: nothing may be scheduled before it.
    now: u64,
    /// The slot of the event that [`Queue::advance`] came to, until it is taken or left behind.
    current: u32,
    /// The opened bucket, latest first.
    front: Vec<Key>,
    early: BinaryHeap<Reverse<Key>>,
    /// The least of `front` and `early`, or [`EMPTY`].
    near: Key,
    radix: Radix,
    lanes: Vec<VecDeque<Key>>,
    /// The first key of each lane, or [`EMPTY`].
    heads: [Key; LANES_MAX],
    /// The least of those, and whose it is.
    lane_least: Key,
    lane_first: u8,
    /// Events that came out of lanes.
    lane_pops: usize,
    live: usize,
    dead: usize,
}

/// A line of its own: with a million events pending every first touch of one misses the cache, and a slot that
/// straddles two lines misses twice.
#[derive(Debug)]
#[repr(align(64))]
struct Slot<E> {
    generation: u32,
    next_free: u32,
    /// `None` in a free slot, and in one whose event was cancelled but whose key is still queued.
    payload: Option<E>,
}

const NONE: u32 = u32::MAX;

fn key(time: u64, sequence: u64, slot: u32) -> Key {
    (Key::from(time) << 64) | (Key::from(sequence) << SLOT_BITS) | Key::from(slot)
}

fn time_of(key: Key) -> u64 {
    (key >> 64) as u64
}

fn slot_of(key: Key) -> u32 {
    key as u32 & ((1 << SLOT_BITS) - 1)
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Queue<E> {
    /// An empty queue at time zero.
    pub fn new() -> Self {
        Queue {
            slots: Vec::new(),
            free: NONE,
            sequence: 0,
            now: 0,
            current: NONE,
            front: Vec::new(),
            early: BinaryHeap::new(),
            near: EMPTY,
            radix: Radix::new(),
            lanes: Vec::new(),
            heads: [EMPTY; LANES_MAX],
            lane_least: EMPTY,
            lane_first: 0,
            lane_pops: 0,
            live: 0,
            dead: 0,
        }
    }

    /// How many events are pending; cancelled ones are not.
    pub fn len(&self) -> usize {
        self.live
    }

    /// What is pending, in no particular order. O(slots ever used at once).
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.slots.iter().filter_map(|slot| slot.payload.as_ref())
    }

    /// True when nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The time of the last event taken out.
    pub fn now(&self) -> Instant {
        Instant::from_nanos(self.now)
    }

    /// A lane, or `None` when all eight are given out (scheduling without a lane is always right, only slower).
    pub fn lane(&mut self) -> Option<Lane> {
        if self.lanes.len() == LANES_MAX {
            return None;
        }
        self.lanes.push(VecDeque::new());
        Some(Lane(self.lanes.len() as u8 - 1))
    }

    /// Schedules `payload` at `at`, after everything already scheduled for that moment.
    ///
    /// Amortised O(1). Panics when `at` lies before the last event taken out: the past cannot be scheduled.
    #[inline(always)]
    pub fn push(&mut self, at: Instant, payload: E) -> TimerId {
        let (key, id) = self.admit(at, payload);
        self.place(key);
        id
    }

    /// Schedules `payload` at `at` through `lane`: O(1) when nothing in the lane is later, else as [`Queue::push`].
    #[inline(always)]
    pub fn push_lane(&mut self, lane: Lane, at: Instant, payload: E) -> TimerId {
        let (key, id) = self.admit(at, payload);
        let ring = &mut self.lanes[usize::from(lane.0)];
        match ring.back() {
            Some(&last) if last > key => self.place(key),
            Some(_) => ring.push_back(key),
            None => {
                ring.push_back(key);
                self.heads[usize::from(lane.0)] = key;
                if key < self.lane_least {
                    (self.lane_least, self.lane_first) = (key, lane.0);
                }
            }
        }
        id
    }

    /// Takes the next event out and moves time to it; `None` when nothing is pending.
    #[inline]
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        let at = self.advance()?;
        Some((at, self.take().expect("advance came to an event")))
    }

    /// Moves time to the next event, which [`Queue::current`] shows in its place and [`Queue::take`] takes out; `None`
    /// when nothing is pending. An event that is not taken is dropped at the next call.
    ///
    /// Most events are a few words that their handler reads and forgets; this saves carrying them about.
    #[inline(always)]
    pub fn advance(&mut self) -> Option<Instant> {
        if self.current != NONE {
            drop(self.take());
        }
        loop {
            let key = self.pop_key()?;
            let slot = slot_of(key);
            if self.slots[slot as usize].payload.is_some() {
                self.live -= 1;
                self.now = time_of(key);
                self.current = slot;
                return Some(Instant::from_nanos(self.now));
            }
            self.dead -= 1;
            self.release(slot);
        }
    }

    /// The event that [`Queue::advance`] came to, until it is taken.
    #[inline]
    pub fn current(&self) -> Option<&E> {
        self.slots.get(self.current as usize)?.payload.as_ref()
    }

    /// Takes the event that [`Queue::advance`] came to.
    #[inline]
    pub fn take(&mut self) -> Option<E> {
        let slot = self.current;
        let payload = self.slots.get_mut(slot as usize)?.payload.take();
        self.release(slot);
        self.current = NONE;
        payload
    }

    /// Takes a pending event back. `None` when it has already happened or was cancelled before. O(1) amortised.
    pub fn cancel(&mut self, id: TimerId) -> Option<E> {
        let entry = self.slots.get_mut(id.slot as usize)?;
        if entry.generation != id.generation || id.slot == self.current {
            return None;
        }
        let payload = entry.payload.take()?;
        self.live -= 1;
        self.dead += 1;
        if self.dead > self.live + 1024 {
            self.sweep();
        }
        Some(payload)
    }

    /// Moves pending events to other times: `when` is shown each with its time, and answers with another one. Those
    /// that move come after what is scheduled for their new moment already, among themselves in the order in which they
    /// were due. A moment that has passed becomes the present one. Names stay good. O(pending · log pending): for rare
    /// occasions.
    pub fn reschedule(&mut self, mut when: impl FnMut(&E, Instant) -> Option<Instant>) {
        let mut moved: Vec<(Key, Instant)> = Vec::new();
        let Queue { slots, front, early, radix, lanes, heads, .. } = self;
        let mut stays = |key: &Key| {
            let Some(payload) = &slots[slot_of(*key) as usize].payload else { return true };
            let was = Instant::from_nanos(time_of(*key));
            match when(payload, was).filter(|&at| at != was) {
                Some(at) => {
                    moved.push((*key, at));
                    false
                }
                None => true,
            }
        };
        front.retain(&mut stays);
        early.retain(|k| stays(&k.0));
        radix.retain(&mut stays);
        for (ring, head) in lanes.iter_mut().zip(heads) {
            ring.retain(&mut stays);
            *head = ring.front().copied().unwrap_or(EMPTY);
        }
        self.choose_lane();
        self.settle_near();
        moved.sort_unstable_by_key(|(key, _)| *key);
        for (was, at) in moved {
            let sequence = self.sequence;
            self.sequence += 1;
            self.place(key(at.as_nanos().max(self.now), sequence, slot_of(was)));
        }
    }

    #[inline]
    fn release(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.next_free = self.free;
        self.free = slot;
    }

    #[inline(always)]
    fn admit(&mut self, at: Instant, payload: E) -> (Key, TimerId) {
        let at = at.as_nanos();
        assert!(at >= self.now, "an event was scheduled {} ns in the past", self.now - at);
        let sequence = self.sequence;
        assert!(sequence < 1 << SEQUENCE_BITS, "more than {} events in one run", 1u64 << SEQUENCE_BITS);
        self.sequence += 1;
        self.live += 1;
        let slot = self.free;
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            self.free = entry.next_free;
            // A free slot holds nothing, which an assignment would check before every event.
            let nothing = entry.payload.replace(payload);
            debug_assert!(nothing.is_none(), "a free slot holds nothing");
            std::mem::forget(nothing);
            return (key(at, sequence, slot), TimerId { slot, generation: entry.generation });
        }
        let slot = self.slots.len() as u32;
        assert!(slot < 1 << SLOT_BITS, "more than {} events pending at once", 1 << SLOT_BITS);
        self.slots.push(Slot { generation: 0, next_free: NONE, payload: Some(payload) });
        (key(at, sequence, slot), TimerId { slot, generation: 0 })
    }

    #[inline]
    fn place(&mut self, key: Key) {
        if self.radix.accepts(time_of(key)) {
            self.radix.insert(key);
        } else {
            self.early.push(Reverse(key));
            self.near = self.near.min(key);
            // A window opened wide while little was pending, and much came to be scheduled inside it. Starting the
            // radix again from now costs one move per key, which this many early keys have already paid for.
            if self.early.len() > 256.max(self.radix.len() / 8) {
                self.rebase();
            }
        }
    }

    /// Takes out the least key of all four places.
    #[inline]
    fn pop_key(&mut self) -> Option<Key> {
        if self.near == EMPTY && !self.open_front() {
            return None;
        }
        if self.lane_least < self.near {
            let least = self.lane_least;
            let lane = usize::from(self.lane_first);
            let ring = &mut self.lanes[lane];
            ring.pop_front();
            self.lane_pops = self.lane_pops.wrapping_add(1);
            if ring.len() > LONG_LANE && self.lane_pops.is_multiple_of(READ_AHEAD) {
                // As where the radix spreads a bucket: what is next in a long lane is in no cache, and these loads are
                // waited for together.
                let next = ring.range(READ_AHEAD..2 * READ_AHEAD);
                let touched = next.fold(0, |acc, &key| acc ^ self.slots[slot_of(key) as usize].generation);
                std::hint::black_box(touched);
            }
            self.heads[lane] = ring.front().copied().unwrap_or(EMPTY);
            self.choose_lane();
            return Some(least);
        }
        let near = self.near;
        if self.front.last() == Some(&near) {
            self.front.pop();
        } else {
            self.early.pop();
        }
        self.settle_near();
        Some(near)
    }

    #[inline]
    fn settle_near(&mut self) {
        let front = self.front.last().copied().unwrap_or(EMPTY);
        self.near = self.early.peek().map_or(front, |early| front.min(early.0));
    }

    #[inline]
    fn choose_lane(&mut self) {
        // Nothing foretells which comes first: kept in registers, the choice costs no branch.
        let (mut least, mut first) = (self.heads[0], 0);
        for (lane, &head) in self.heads.iter().enumerate().take(self.lanes.len()).skip(1) {
            let comes_first = head < least;
            least = if comes_first { head } else { least };
            first = if comes_first { lane as u8 } else { first };
        }
        (self.lane_least, self.lane_first) = (least, first);
    }

    /// Nothing is near: opens buckets of the radix until something is, or until a lane is known to come first. A bucket
    /// that can wait stays closed, so that what the lanes cause can still be filed in it. False when nothing is
    /// pending.
    fn open_front(&mut self) -> bool {
        while let Some(start) = self.radix.next_start()
            && start <= time_of(self.lane_least)
        {
            let Queue { radix, front, slots, .. } = self;
            radix.advance(front, |key| u64::from(slots[slot_of(key) as usize].generation));
            self.settle_near();
            if self.near != EMPTY {
                return true;
            }
        }
        self.lane_least != EMPTY
    }

    fn rebase(&mut self) {
        let mut keys = self.radix.restart(self.now);
        keys.append(&mut self.front);
        keys.extend(self.early.drain().map(|k| k.0));
        for key in keys {
            self.radix.insert(key);
        }
        self.near = EMPTY;
    }

    /// Drops the keys of cancelled events everywhere.
    fn sweep(&mut self) {
        let Queue { slots, free, front, early, radix, lanes, heads, current, .. } = self;
        let mut keep = |key: &Key| {
            let slot = slot_of(*key);
            let entry = &mut slots[slot as usize];
            if entry.payload.is_none() {
                debug_assert!(slot != *current, "the current event's key has left");
                entry.generation = entry.generation.wrapping_add(1);
                entry.next_free = *free;
                *free = slot;
            }
            entry.payload.is_some()
        };
        front.retain(&mut keep);
        early.retain(|k| keep(&k.0));
        radix.retain(&mut keep);
        for (ring, head) in lanes.iter_mut().zip(heads) {
            ring.retain(&mut keep);
            *head = ring.front().copied().unwrap_or(EMPTY);
        }
        self.dead = 0;
        self.choose_lane();
        self.settle_near();
    }
}

#[cfg(test)]
mod tests;
