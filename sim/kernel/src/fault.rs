//! Faults as data: what, whom, when, how long.
//!
//! A plan is a `Vec<Fault>`, written by hand or drawn from the seed before the run. It can be printed, replayed, cut
//! down and saved. Each fault draws from streams keyed by its own name, so taking one out of the plan leaves the
//! others, and everything else in the run, exactly as they were.

use crate::node::{Crash, Failing};
use crate::select::{Named, Selector};
use base::{Dist, Duration, Instant, NodeId, Ratio};
use std::fmt;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Unique in its plan; the key of its chances.
    pub name: String,
    /// When it begins.
    pub at: Instant,
    /// How long its cause lasts; for ever when `None`. Steps and corruption have no length.
    pub lasts: Option<Duration>,
    /// What it does, to whom.
    pub kind: FaultKind,
}

/// Which packets a network fault concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// One end.
    pub from: Selector,
    /// The other end.
    pub to: Selector,
    /// Only packets from `from` to `to`, instead of both ways.
    pub one_way: bool,
}

/// Whom a fault concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerned<'a> {
    /// Nodes.
    Nodes(&'a Selector),
    /// Packets between them.
    Packets(&'a Path),
}

/// Whom a fault met when it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// How many nodes it concerned; of a fault of the network, those of the smaller side. None before it has begun.
    pub nodes: Option<u32>,
    /// The nodes that chance chose, in order of id; none where nothing was left to chance.
    pub drawn: Vec<NodeId>,
}

/// What a fault does, to whom.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Nodes go down, and come up again when the fault ends, without their memory.
    Crash(Selector, Crash),
    /// Nodes freeze, and go on where they stopped.
    Pause(Selector),
    /// Work takes so many times longer.
    Slow(Selector, f64),
    /// A part of the work is given up after a while: an instance answers with errors, and quickly.
    Error(Selector, Failing),
    /// Packets between two sets of nodes are dropped.
    Partition(Path),
    /// All packets to and from these nodes wait until the fault ends.
    Clog(Selector),
    /// A random half of the nodes is clogged one by one during the first half of the fault, and let go one by one, in
    /// another random order, during the second (FoundationDB, `fdbserver/workloads/RandomClogging.cpp`).
    Swizzle(Selector),
    /// Packets take longer.
    Delay(Path, Dist),
    /// Packets are lost.
    Loss(Path, Ratio),
    /// Datagrams arrive twice.
    Duplicate(Path, Ratio),
    /// Datagrams are held back for a span, so that later ones overtake them.
    Reorder(Path, Ratio, Duration),
    /// Packets share a line of so many bits per second.
    Throttle(Path, u64),
    /// An fsync takes so many times longer.
    DiskSlow(Selector, f64),
    /// Disks refuse to store more.
    DiskFull(Selector),
    /// One bit of each disk's durable log flips.
    DiskCorrupt(Selector),
    /// Clocks jump by so many nanoseconds, forward or back.
    ClockStep(Selector, i64),
    /// Clocks gain so many nanoseconds per second, or lose them.
    ClockDrift(Selector, i32),
}

impl FaultKind {
    /// The word in scenario files.
    pub const fn name(&self) -> &'static str {
        match self {
            FaultKind::Crash(..) => "crash",
            FaultKind::Pause(..) => "pause",
            FaultKind::Slow(..) => "slow",
            FaultKind::Error(..) => "error",
            FaultKind::Partition(..) => "partition",
            FaultKind::Clog(..) => "clog",
            FaultKind::Swizzle(..) => "swizzle",
            FaultKind::Delay(..) => "delay",
            FaultKind::Loss(..) => "loss",
            FaultKind::Duplicate(..) => "duplicate",
            FaultKind::Reorder(..) => "reorder",
            FaultKind::Throttle(..) => "throttle",
            FaultKind::DiskSlow(..) => "disk-slow",
            FaultKind::DiskFull(..) => "disk-full",
            FaultKind::DiskCorrupt(..) => "disk-corrupt",
            FaultKind::ClockStep(..) => "clock-step",
            FaultKind::ClockDrift(..) => "clock-drift",
        }
    }

    /// Whom it concerns.
    pub const fn concerns(&self) -> Concerned<'_> {
        match self {
            FaultKind::Crash(whom, _)
            | FaultKind::Pause(whom)
            | FaultKind::Slow(whom, _)
            | FaultKind::Error(whom, _)
            | FaultKind::Clog(whom)
            | FaultKind::Swizzle(whom)
            | FaultKind::DiskSlow(whom, _)
            | FaultKind::DiskFull(whom)
            | FaultKind::DiskCorrupt(whom)
            | FaultKind::ClockStep(whom, _)
            | FaultKind::ClockDrift(whom, _) => Concerned::Nodes(whom),
            FaultKind::Partition(path)
            | FaultKind::Delay(path, _)
            | FaultKind::Loss(path, _)
            | FaultKind::Duplicate(path, _)
            | FaultKind::Reorder(path, ..)
            | FaultKind::Throttle(path, _) => Concerned::Packets(path),
        }
    }

    /// True for what happens at one moment and has no length.
    pub const fn is_momentary(&self) -> bool {
        matches!(self, FaultKind::DiskCorrupt(..) | FaultKind::ClockStep(..))
    }
}

/// Every kind of fault with one sentence, in the order in which people look for them.
pub const CATALOGUE: &[(&str, &str)] = &[
    ("crash", "nodes go down and lose their memory; with `how = \"machine\"` nobody is told, not even by a reset"),
    ("pause", "nodes freeze, as in a long garbage collection, and go on where they stopped"),
    ("slow", "work takes `factor` times longer"),
    ("error", "instances answer a `share` of requests with errors, and quickly; all of them by default"),
    ("partition", "packets between two sets of nodes are dropped, both ways or one way"),
    ("clog", "packets to and from nodes wait until the fault ends"),
    ("swizzle", "a random half of the nodes is clogged one by one and let go in another order"),
    ("delay", "packets take longer"),
    ("loss", "packets are lost; connections send them again"),
    ("duplicate", "datagrams arrive twice"),
    ("reorder", "datagrams overtake each other"),
    ("throttle", "packets share a line of a given bandwidth"),
    ("disk-slow", "an fsync takes `factor` times longer"),
    ("disk-full", "disks refuse to store more"),
    ("disk-corrupt", "a bit flips in what a disk had stored durably"),
    ("clock-step", "clocks jump forward or back"),
    ("clock-drift", "clocks run fast or slow"),
];

impl fmt::Display for Named<'_, Path> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named(Path { from, to, one_way }, zones) = self;
        write!(f, "{} {} {}", Named(from, zones), if *one_way { "→" } else { "|" }, Named(to, zones))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Named(self, &[]))
    }
}

impl fmt::Display for Named<'_, FaultKind> {
    /// What it does to whom, in a few words: `one of backend (machine)`, `registry | gateway`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named(kind, zones) = self;
        match kind.concerns() {
            Concerned::Nodes(whom) => write!(f, "{}", Named(whom, zones))?,
            Concerned::Packets(path) => write!(f, "{}", Named(path, zones))?,
        }
        match kind {
            FaultKind::Crash(_, Crash::Machine) => f.write_str(" (machine)"),
            FaultKind::Crash(_, Crash::Process)
            | FaultKind::Pause(_)
            | FaultKind::Clog(_)
            | FaultKind::Swizzle(_)
            | FaultKind::DiskFull(_)
            | FaultKind::DiskCorrupt(_)
            | FaultKind::Partition(_) => Ok(()),
            FaultKind::Slow(_, factor) | FaultKind::DiskSlow(_, factor) => write!(f, " {factor} times"),
            FaultKind::Error(_, failing) => write!(f, " {} after {}", failing.share, failing.after),
            FaultKind::Delay(_, by) => write!(f, " by {} on average", by.mean()),
            FaultKind::Loss(_, share) | FaultKind::Duplicate(_, share) => write!(f, " {share}"),
            FaultKind::Reorder(_, share, by) => write!(f, " {share} by {by}"),
            FaultKind::Throttle(_, bits) => write!(f, " to {bits} bit/s"),
            FaultKind::ClockStep(_, by) => {
                let sign = if *by < 0 { '-' } else { '+' };
                write!(f, " {sign}{}", Duration::ns(by.unsigned_abs()))
            }
            FaultKind::ClockDrift(_, ppb) => write!(f, " {} ppm", f64::from(*ppb) / 1000.0),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Named(self, &[]))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.kind.name(), self.kind, self.at)?;
        match self.lasts {
            _ if self.kind.is_momentary() => Ok(()),
            Some(lasts) => write!(f, " for {lasts}"),
            None => f.write_str(" for good"),
        }
    }
}
