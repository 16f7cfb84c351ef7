//! The trace of a run: always a fingerprint, and on demand the story.
//!
//! Every event of every run is folded into 64 bits, which costs a few instructions and no memory. A run that somebody
//! wants to look at also records entries, inside a window of time and up to a number, and writes them as JSON Lines
//! ([`json`]) or for Perfetto and `chrome://tracing` ([`chrome`]).
//!
//! > Recording changes nothing else: the fingerprint of a run is the same with and without it, for every window and
//! > every cap. Text is made only for entries that are kept.
//!
//! What is worth an entry, and how it reads, is up to the caller. The writers put bytes into whatever they are given;
//! files are somebody else's.

pub mod chrome;
pub mod json;
#[cfg(test)]
mod tests;

use base::{Duration, Fingerprint, Instant, NodeId};
use std::fmt;

/// The fingerprint so far, and the recorder when there is one.
#[derive(Clone, Debug)]
pub struct Trace {
    fingerprint: Fingerprint,
    events: u64,
    /// Boxed so that a run without one carries a null pointer.
    recorder: Option<Box<Recorder>>,
}

/// How much a trace keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Level {
    /// The fingerprint and the number of events.
    #[default]
    Fingerprint,
    /// Entries too.
    Entries {
        /// From when to when.
        window: Window,
        /// How many at most: the first ones are kept.
        cap: usize,
        /// Kinds that are counted and not kept: a story of landmarks has no use for every request.
        without: &'static [&'static str],
    },
}

/// A part of a run, both ends included, so that a window that ends at the moment of a failure shows the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment that belongs to it.
    pub from: Instant,
    /// The last moment that belongs to it.
    pub until: Instant,
}

impl Window {
    /// The whole run.
    pub const ALL: Window = Window { from: Instant::ZERO, until: Instant::MAX };

    /// The part within `reach` of `moment`.
    pub fn around(moment: Instant, reach: Duration) -> Self {
        Window { from: moment.saturating_sub(reach), until: moment.saturating_add(reach) }
    }

    /// True when `at` belongs to it.
    pub fn contains(self, at: Instant) -> bool {
        self.overlaps(at, at)
    }

    /// True when any moment from `start` to `end` belongs to it.
    pub fn overlaps(self, start: Instant, end: Instant) -> bool {
        start <= self.until && end >= self.from
    }
}

/// Something that happened, or that lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of the event that was being handled when this was noted: 1 is the first, 0 is before it. Several
    /// entries may belong to one event.
    pub seq: u64,
    /// When it happened, or began, on the kernel's clock.
    pub at: Instant,
    /// Where; none for what concerns the whole world.
    pub node: Option<NodeId>,
    /// What kind of thing it is, in one word: `deliver`, `timer`, `fault`, `request`, `rollout`.
    pub kind: &'static str,
    /// What it was, for people.
    pub text: String,
    /// How long it lasted, when it did.
    pub span: Option<Duration>,
    /// What it is a part of: entries of one request share its number, and Perfetto draws arrows between their spans.
    pub flow: Option<u64>,
}

impl fmt::Display for Entry {
    /// One line of a story: `37.412s n3 request req91 (8ms)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at)?;
        if let Some(node) = self.node {
            write!(f, "{node} ")?;
        }
        write!(f, "{} {}", self.kind, self.text)?;
        if let Some(span) = self.span {
            write!(f, " ({span})")?;
        }
        Ok(())
    }
}

/// The entries of a run, in the order in which they were noted: a span stands where it ended.
#[derive(Clone, Debug)]
pub struct Recorder {
    window: Window,
    cap: usize,
    without: &'static [&'static str],
    entries: Vec<Entry>,
    left_out: u64,
    passed_over: u64,
}

impl Recorder {
    /// What was kept.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries inside the window did not fit under the cap.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many entries inside the window were of a kind that is not kept.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The part of the run that is recorded.
    pub fn window(&self) -> Window {
        self.window
    }
}

impl Trace {
    /// A trace of nothing yet.
    pub fn new(level: Level) -> Self {
        let recorder = match level {
            Level::Fingerprint => None,
            Level::Entries { window, cap, without } => {
                Some(Box::new(Recorder { window, cap, without, entries: Vec::new(), left_out: 0, passed_over: 0 }))
            }
        };
        Trace { fingerprint: Fingerprint::EMPTY, events: 0, recorder }
    }

    /// Counts an event at `node` and folds it into the fingerprint. `digest` is whatever tells it from another event at
    /// the same place and time: its kind, its request, a hash of its message. Allocates nothing.
    #[inline]
    pub fn fold(&mut self, at: Instant, node: NodeId, digest: u64) {
        self.events += 1;
        // One step of the fold, because each waits for the one before: time, node and digest are mixed first, with odd
        // factors that keep every node's and every moment's digests apart.
        let place = (u64::from(node.0) + 1).wrapping_mul(NODE_FACTOR);
        self.fingerprint.fold(at.as_nanos().wrapping_mul(TIME_FACTOR).rotate_left(29) ^ place ^ digest);
    }

    /// Counts an event that concerns the whole world, such as a fault, and folds it in.
    #[inline]
    pub fn fold_world(&mut self, at: Instant, digest: u64) {
        self.events += 1;
        self.fingerprint.fold(at.as_nanos());
        self.fingerprint.fold(digest);
    }

    /// True when an entry at `at` would be recorded or, beyond the cap, counted. For callers who would have to do work
    /// before they can note anything.
    #[inline]
    pub fn wants(&self, at: Instant) -> bool {
        self.recorder.as_ref().is_some_and(|recorder| recorder.window.contains(at))
    }

    /// Records that something happened. `text` runs only when the entry is kept.
    #[inline]
    pub fn note(&mut self, at: Instant, node: Option<NodeId>, kind: &'static str, text: impl FnOnce() -> String) {
        if self.recorder.is_some() {
            self.record(at, None, node, kind, None, text);
        }
    }

    /// As [`Trace::note`], for a part of `flow`.
    #[inline]
    pub fn note_flow(
        &mut self,
        at: Instant,
        node: Option<NodeId>,
        kind: &'static str,
        flow: u64,
        text: impl FnOnce() -> String,
    ) {
        if self.recorder.is_some() {
            self.record(at, None, node, kind, Some(flow), text);
        }
    }

    /// Records, at its end, that something lasted from `start` to `end`, when any of that lies in the window. `name`
    /// runs only when the entry is kept.
    #[inline]
    pub fn span(
        &mut self,
        start: Instant,
        end: Instant,
        node: Option<NodeId>,
        kind: &'static str,
        name: impl FnOnce() -> String,
    ) {
        if self.recorder.is_some() {
            self.record(start, Some(end.saturating_since(start)), node, kind, None, name);
        }
    }

    /// As [`Trace::span`], for a part of `flow`.
    #[inline]
    pub fn span_flow(
        &mut self,
        start: Instant,
        end: Instant,
        node: Option<NodeId>,
        kind: &'static str,
        flow: u64,
        name: impl FnOnce() -> String,
    ) {
        if self.recorder.is_some() {
            self.record(start, Some(end.saturating_since(start)), node, kind, Some(flow), name);
        }
    }

    /// The fingerprint of everything folded so far.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How many events were folded.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The recorder, when this trace records.
    pub fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_deref()
    }

    /// What was recorded, nothing when nothing is.
    pub fn entries(&self) -> &[Entry] {
        self.recorder().map_or(&[], Recorder::entries)
    }

    /// Out of line, so that a run that does not record carries only a test of a pointer.
    #[inline(never)]
    fn record(
        &mut self,
        at: Instant,
        span: Option<Duration>,
        node: Option<NodeId>,
        kind: &'static str,
        flow: Option<u64>,
        text: impl FnOnce() -> String,
    ) {
        let seq = self.events;
        let Some(recorder) = self.recorder.as_mut() else { return };
        if !recorder.window.overlaps(at, at.saturating_add(span.unwrap_or(Duration::ZERO))) {
            return;
        }
        if recorder.without.contains(&kind) {
            recorder.passed_over += 1;
            return;
        }
        if recorder.entries.len() >= recorder.cap {
            recorder.left_out += 1;
            return;
        }
        recorder.entries.push(Entry { seq, at, node, kind, text: text(), span, flow });
    }
}

impl Default for Trace {
    /// Only the fingerprint.
    fn default() -> Self {
        Trace::new(Level::Fingerprint)
    }
}

/// Odd, and with bits all over, so that small node numbers land far from small digests.
const NODE_FACTOR: u64 = 0xd6e8_feb8_6659_fd93;
/// As odd as the other, and far from it: the digits of √3.
const TIME_FACTOR: u64 = 0xbb67_ae85_84ca_a73b;

/// How a trace is written for others: whose it is, and what it calls things. Entries carry ids, which mean nothing to a
/// reader.
pub struct Telling<'a> {
    /// The fingerprint of the run, as it is printed: that of the events, and of what was counted beside them.
    pub fingerprint: Fingerprint,
    /// `names[i]` is the name of node `i`; a node without one is called by its id.
    pub names: &'a [String],
    /// The text of an entry, with names in place of ids.
    pub text: &'a dyn Fn(&Entry) -> String,
}

impl Telling<'_> {
    /// How a reader should call a node. The world has a name too.
    fn node(&self, node: Option<NodeId>) -> String {
        match node {
            None => "world".to_string(),
            Some(node) => self.names.get(node.index()).cloned().unwrap_or_else(|| node.to_string()),
        }
    }
}

impl fmt::Debug for Telling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("fingerprint", &self.fingerprint).field("names", &self.names).finish()
    }
}
