//! The life of a virtual node: up, paused, slow, down, restarting.
//!
//! A node has a *life*, a number that grows each time it goes down. Timers set in one life never fire in the next,
//! and a connection opened in one life is broken in the next: that is how a restart loses memory. Its disk and its
//! clock outlive it. A disk syncs in a millisecond, one time in a hundred in ten: a network volume of a cloud.
//!
//! Faults *hold* a node in a state rather than set it, and what the node does follows from all holds together: two
//! overlapping pauses end when the later one does, two slowdowns multiply, and a node that two crashes keep down comes
//! back after both.

use crate::clock::Clock;
use crate::disk::Disk;
use base::{Dist, Duration, Instant, NodeId, Ratio, Rng, Seed, ZoneId, streams};

/// How a node goes down, which decides what others notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process dies and the machine lives on: connections are reset, new ones are refused at once.
    Process,
    /// The machine is gone: silence. Only a timeout tells.
    Machine,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Running.
    Up,
    /// Frozen, as in a long garbage collection: what arrives waits until it goes on.
    Paused,
    /// Not running.
    Down(Crash),
    /// Removed for good, by whoever created it.
    Removed,
}

/// All nodes of a run, in order of creation.
#[derive(Debug, Default)]
pub struct Nodes {
    /// What every event asks of a node, packed so that ten thousand nodes fit the cache.
    facts: Vec<Facts>,
    nodes: Vec<Node>,
}

/// The answers that follow from a [`Node`], kept beside it.
#[derive(Clone, Copy, Debug)]
struct Facts {
    life: u32,
    zone: u16,
    /// Neither paused, down nor removed.
    running: bool,
    /// Its clock shows the kernel's time, nothing slows it and nothing makes it fail.
    plain: bool,
}

#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    zone: ZoneId,
    tags: Vec<String>,
    pub(crate) life: u32,
    /// What most nodes never use; made when it is asked for.
    machine: Option<Box<Machine>>,
    seed: Seed,
    holds: Vec<(HolderId, Hold)>,
    removed: bool,
    /// How many times longer work takes on this machine than on others, whatever happens.
    built_in: f64,
    slowdown: f64,
    failing: Option<Failing>,
    /// How fast its clock gains whatever happens, in nanoseconds per second.
    pub(crate) built_in_drift: i32,
    /// It went down and has not come up again: also while a pause keeps the new process from its first step.
    pub(crate) is_gone: bool,
}

/// A clock that is not perfect, a disk, and the stream of their chances.
#[derive(Debug)]
struct Machine {
    clock: Clock,
    disk: Disk,
    rng: Rng,
}

/// What a node that is up does with a part of its work: it gives up after a while, instead of doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Which part.
    pub share: Ratio,
    /// After how long.
    pub after: Duration,
}

/// Who holds a node: the number of a fault in its plan.
pub(crate) type HolderId = u32;

/// What a fault does to a node for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hold {
    Down(Crash),
    Pause,
    Slow(f64),
    Fail(Failing),
    DiskSlow(f64),
    DiskFull,
    /// Parts per billion.
    Drift(i32),
}

impl Nodes {
    pub(crate) fn add(&mut self, name: String, zone: ZoneId, tags: Vec<String>, seed: Seed) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node {
            name,
            zone,
            tags,
            life: 0,
            machine: None,
            seed,
            holds: Vec::new(),
            removed: false,
            built_in: 1.0,
            slowdown: 1.0,
            failing: None,
            built_in_drift: 0,
            is_gone: false,
        });
        let zone = u16::try_from(zone.0).expect("fewer than 65,536 zones");
        self.facts.push(Facts { life: 0, zone, running: true, plain: true });
        id
    }

    /// How many nodes there ever were.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True before the first node is added.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Every node that has not been removed.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len() as u32).map(NodeId).filter(|id| !self.nodes[id.index()].removed)
    }

    /// A node's name.
    pub fn name(&self, id: NodeId) -> &str {
        &self.get(id).name
    }

    /// Every node's name, removed ones included, indexed by id.
    pub fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|n| n.name.clone()).collect()
    }

    /// The zone a node stands in.
    #[inline]
    pub fn zone(&self, id: NodeId) -> ZoneId {
        ZoneId(u32::from(self.facts[id.index()].zone))
    }

    /// Whether a node carries a tag.
    pub fn has_tag(&self, id: NodeId, tag: &str) -> bool {
        self.get(id).tags.iter().any(|t| t == tag)
    }

    /// What a node is doing.
    pub fn state(&self, id: NodeId) -> State {
        self.get(id).state()
    }

    /// True when the node is neither paused, down nor removed.
    #[inline]
    pub fn is_running(&self, id: NodeId) -> bool {
        self.facts[id.index()].running
    }

    /// True when the node is down or removed: its memory is gone. A paused node is alive.
    pub fn is_dead(&self, id: NodeId) -> bool {
        matches!(self.state(id), State::Down(_) | State::Removed)
    }

    /// The number of times the node has gone down.
    #[inline]
    pub fn life(&self, id: NodeId) -> u32 {
        self.facts[id.index()].life
    }

    /// How many times longer work takes on this node than it should; 1.0 when nothing slows it.
    #[inline]
    pub fn slowdown(&self, id: NodeId) -> f64 {
        if self.facts[id.index()].plain { 1.0 } else { self.get(id).slowdown }
    }

    /// Which part of its work this node gives up, if any; of several such faults, the latest decides. What giving up
    /// means is the world's to say.
    #[inline]
    pub fn failing(&self, id: NodeId) -> Option<Failing> {
        if self.facts[id.index()].plain { None } else { self.get(id).failing }
    }

    /// What a node's monotonic clock shows when the kernel's shows `now`.
    #[inline]
    pub(crate) fn local(&self, id: NodeId, now: Instant) -> Instant {
        if self.facts[id.index()].plain { now } else { self.get(id).monotonic(now) }
    }

    /// When a timer of `span` fires that a node sets now: on the kernel's clock, and on the node's.
    #[inline]
    pub(crate) fn fires_after(&self, id: NodeId, now: Instant, span: Duration) -> (Instant, Instant) {
        if self.facts[id.index()].plain {
            let at = now.saturating_add(span);
            return (at, at);
        }
        let clock = self.get(id).clock();
        (now.saturating_add(clock.to_global(now, span)), clock.monotonic(now).saturating_add(span))
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// Changes a node, and then the facts that follow from it.
    pub(crate) fn change<R>(&mut self, id: NodeId, change: impl FnOnce(&mut Node) -> R) -> R {
        let node = &mut self.nodes[id.index()];
        let result = change(node);
        self.facts[id.index()] = Facts {
            life: node.life,
            zone: node.zone.0 as u16,
            running: node.state() == State::Up,
            plain: node.clock().is_perfect() && node.slowdown == 1.0 && node.failing.is_none(),
        };
        result
    }

    /// A node's disk, and the stream its chances come from.
    pub(crate) fn disk_mut(&mut self, id: NodeId) -> (&mut Disk, &mut Rng) {
        let Machine { disk, rng, .. } = self.nodes[id.index()].machine();
        (disk, rng)
    }
}

impl Node {
    fn machine(&mut self) -> &mut Machine {
        let (name, seed) = (&self.name, self.seed);
        self.machine.get_or_insert_with(|| {
            Box::new(Machine {
                clock: Clock::perfect(),
                disk: Disk::new(Dist::lognormal(Duration::ms(1), Duration::ms(10))),
                rng: seed.stream(&streams::NODE.of(&[&name])),
            })
        })
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> Clock {
        self.machine.as_ref().map_or_else(Clock::perfect, |machine| machine.clock.clone())
    }

    fn monotonic(&self, now: Instant) -> Instant {
        self.machine.as_ref().map_or(now, |machine| machine.clock.monotonic(now))
    }

    /// How fast its clock gains, in nanoseconds per second.
    pub(crate) fn drift_ppb(&self) -> i32 {
        self.machine.as_ref().map_or(0, |machine| machine.clock.drift_ppb())
    }

    /// Its clock, to change it.
    pub(crate) fn clock_mut(&mut self) -> &mut Clock {
        &mut self.machine().clock
    }

    pub(crate) fn state(&self) -> State {
        // A machine that is gone is gone, whatever else happened to the process that ran on it.
        let down = self.holds.iter().filter_map(|(_, hold)| match hold {
            Hold::Down(crash) => Some(*crash),
            _ => None,
        });
        match down.max_by_key(|&crash| crash == Crash::Machine) {
            _ if self.removed => State::Removed,
            Some(crash) => State::Down(crash),
            None if self.holds.iter().any(|(_, hold)| *hold == Hold::Pause) => State::Paused,
            None => State::Up,
        }
    }

    /// Makes it a machine of another speed, for good.
    pub(crate) fn build_in(&mut self, slowdown: f64, now: Instant) {
        self.built_in = slowdown;
        self.settle(now);
    }

    /// Adds a hold; answers the state before it.
    pub(crate) fn hold(&mut self, holder: HolderId, hold: Hold, now: Instant) -> State {
        let before = self.state();
        self.holds.push((holder, hold));
        self.settle(now);
        before
    }

    /// Lets go of all holds of one holder; answers the state before.
    pub(crate) fn release(&mut self, holder: HolderId, now: Instant) -> State {
        let before = self.state();
        self.holds.retain(|(by, _)| *by != holder);
        self.settle(now);
        before
    }

    pub(crate) fn remove(&mut self, now: Instant) {
        self.removed = true;
        self.life += 1;
        self.settle(now);
    }

    fn settle(&mut self, now: Instant) {
        let (mut slowdown, mut disk_slowdown, mut full, mut drift) =
            (self.built_in, 1.0, false, i64::from(self.built_in_drift));
        self.failing = None;
        for (_, hold) in &self.holds {
            match hold {
                Hold::Slow(factor) => slowdown *= factor,
                Hold::Fail(failing) => self.failing = Some(*failing),
                Hold::DiskSlow(factor) => disk_slowdown *= factor,
                Hold::DiskFull => full = true,
                Hold::Drift(ppb) => drift += i64::from(*ppb),
                Hold::Down(_) | Hold::Pause => {}
            }
        }
        self.slowdown = slowdown;
        if self.machine.is_some() || disk_slowdown != 1.0 || full {
            let disk = &mut self.machine().disk;
            disk.set_slow(disk_slowdown);
            disk.set_full(full);
        }
        let drift = drift.clamp(-999_999_999, 999_999_999) as i32;
        if drift != self.drift_ppb() {
            self.clock_mut().set_drift(now, drift);
        }
    }
}
