//! What the processes let be seen from outside: the log of notes, measurements, and the last state of each.
//!
//! It stands for the metrics endpoints and log files of a real cluster, so it survives every kill; no process reads
//! what another one wrote, but for the controller, which asks for measurements as it would ask a metrics store.

use crate::net::now;
use base::{Duration, Instant, NodeId, Ratio, VersionId};
use registry::View;
use rollout::Measurement;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, on madsim's clock.
    pub at: Instant,
    /// Where.
    pub node: NodeId,
    /// `registry`, `registration`, `view`, `lock`, `rollout` or `process`.
    pub kind: &'static str,
    /// What.
    pub text: String,
}

/// What a caller shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallerState {
    pub(crate) view: Option<Arc<View>>,
    /// The number of the split it follows.
    pub(crate) split: u64,
}

/// One call that ended.
#[derive(Clone, Copy, Debug)]
struct Ended {
    at: Instant,
    ok: bool,
    took: Duration,
}

/// Longer than any window that is asked for.
const KEPT: Duration = Duration::secs(60);

/// Everything that can be seen.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) log: Vec<Line>,
    pub(crate) listed: Option<Arc<View>>,
    pub(crate) lock_held: bool,
    pub(crate) phase: Option<rollout::Phase>,
    pub(crate) weights: Vec<Ratio>,
    pub(crate) callers: BTreeMap<u32, CallerState>,
    pub(crate) calls: u64,
    ended: BTreeMap<VersionId, VecDeque<Ended>>,
}

impl Board {
    pub(crate) fn note(&mut self, node: NodeId, kind: &'static str, text: String) {
        self.log.push(Line { at: now(), node, kind, text });
    }

    /// A call to an instance of `version` ended.
    pub(crate) fn call_ended(&mut self, version: VersionId, ok: bool, took: Duration) {
        let at = now();
        self.calls += 1;
        let ended = self.ended.entry(version).or_default();
        ended.push_back(Ended { at, ok, took });
        while ended.front().is_some_and(|e| at.saturating_since(e.at) > KEPT) {
            ended.pop_front();
        }
    }

    /// How a version did in the last `window`.
    pub(crate) fn measure(&self, version: VersionId, window: Duration) -> Measurement {
        let from = now().saturating_sub(window);
        let recent: Vec<&Ended> = self.ended.get(&version).into_iter().flatten().filter(|e| e.at > from).collect();
        if recent.is_empty() {
            return Measurement::default();
        }
        let mut spans: Vec<Duration> = recent.iter().map(|e| e.took).collect();
        spans.sort_unstable();
        let samples = recent.len() as u64;
        let ok = recent.iter().filter(|e| e.ok).count() as u64;
        let p99 = spans[Ratio::percent(99).ceil_of(samples).max(1) as usize - 1];
        Measurement { success: Some(Ratio::of(ok, samples)), p99: Some(p99), samples }
    }
}
