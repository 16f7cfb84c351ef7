//! The loop: takes the next event out of the queue, decides whether it still means anything, and hands it to the world.
//!
//! A [`Kernel`] owns time, nodes, network and trace, and knows no protocol: messages are a type parameter. The world
//! calls [`Kernel::advance`] until nothing is left or its run is over, and reads the event with [`Kernel::msg`] or
//! takes it with [`Kernel::take`]; between two calls it sends, sets timers, and looks at nodes. An event for a node
//! that is paused waits for the node; a timer of an earlier life is dropped; a message for a node that is down bounces,
//! or vanishes with its machine.
//!
//! > Same calls in the same order, same seed: same events, same fingerprint.

mod event;
mod faults;
mod timers;
mod under_way;

pub use event::{Bounce, Event, Kind, Message};
pub use faults::Injector;

use crate::fault::{Fault, Hit};
use crate::network::{Fate, Link, Network, Packet, Transport};
use crate::node::{Crash, Nodes, State};
use crate::queue::{Lane, Queue};
use crate::rule::NodeSet;
use crate::trace::{Level, Trace};
use base::{Instant, Key, NodeId, Seed, ZoneId, streams};
use std::collections::{BTreeMap, VecDeque};

/// The machine room of one run.
#[derive(Debug)]
pub struct Kernel<M> {
    now: Instant,
    queue: Queue<Entry<M>>,
    nodes: Nodes,
    network: Network,
    trace: Trace,
    seed: Seed,
    /// From which the chances of refusals on their way back follow.
    bounces: Key,
    plan: Vec<Fault>,
    /// Nodes held by each fault of the plan, while it lasts.
    held_by: Vec<Vec<NodeId>>,
    /// Whom each fault of the plan met.
    hits: Vec<Hit>,
    /// What waits for a paused node, in order of arrival.
    waiting: BTreeMap<NodeId, Vec<Entry<M>>>,
    /// Streams that wait for a retransmission, with what is behind it.
    stalled: BTreeMap<(NodeId, NodeId), Stalled<M>>,
    /// When the last message of each stream arrives.
    stream_order: BTreeMap<(NodeId, NodeId), Instant>,
    /// What happened together with the last event and is still to be told.
    untold: VecDeque<Event<M>>,
    /// The event that was not taken yet owns nothing.
    plain: bool,
}

/// An event on its way.
#[derive(Clone, Debug)]
enum Entry<M> {
    Message(Envelope<M>),
    /// An envelope on its way back to its sender.
    Bounce(Box<(Envelope<M>, Bounce)>),
    /// A connection sends again what did not get through.
    Retransmit(Box<Retransmission<M>>),
    /// The first message of a stalled stream is tried again.
    Unstall(NodeId, NodeId),
    /// Fires when the node's monotonic clock shows `due`.
    Timer {
        node: NodeId,
        life: u32,
        due: Instant,
        msg: M,
    },
    /// Work of a node is done: what takes its time whatever the node's clock shows.
    Work {
        node: NodeId,
        life: u32,
        msg: M,
    },
    Synced(Box<Synced<M>>),
    World(M),
    FaultBegins(u32),
    FaultEnds(u32),
    /// A clog of a swizzle begins at one node, until a moment; or it ends.
    Swizzle {
        fault: u32,
        node: NodeId,
        until: Option<Instant>,
    },
    /// What waited at the throttle of a fault that has ended may have left.
    Drained(u32),
    /// A node that went down in this life may take its first step.
    Up(NodeId, u32),
}

/// A message with its addresses. Lives are cut to sixteen bits: no node dies 65,536 times while a message travels.
#[derive(Clone, Debug)]
struct Envelope<M> {
    from: NodeId,
    to: NodeId,
    from_life: u16,
    to_life: u16,
    /// Whether the carrier notices a broken connection.
    connected: bool,
    msg: M,
}

/// An fsync on its way.
#[derive(Clone, Debug)]
struct Synced<M> {
    node: NodeId,
    life: u32,
    token: crate::disk::SyncToken,
    msg: M,
}

#[derive(Clone, Debug)]
struct Retransmission<M> {
    packet: Packet,
    envelope: Envelope<M>,
}

#[derive(Debug)]
struct Stalled<M> {
    behind: VecDeque<Retransmission<M>>,
}

impl<M: Message> Kernel<M> {
    /// An empty machine room with `zones` zones and the links between them.
    pub fn new(seed: Seed, zones: usize, link: impl Fn(ZoneId, ZoneId) -> Link, level: Level) -> Self {
        let mut queue = Queue::new();
        // Four lanes for hops; the rest are the world's to ask for.
        let mut lanes = 0;
        let network = Network::new(zones, link, || {
            lanes += 1;
            if lanes <= 4 { queue.lane() } else { None }
        });
        Kernel {
            now: Instant::ZERO,
            queue,
            nodes: Nodes::default(),
            network,
            trace: Trace::new(level),
            seed,
            bounces: seed.stream(&streams::BOUNCES.of(&[])).key(),
            plan: Vec::new(),
            held_by: Vec::new(),
            hits: Vec::new(),
            waiting: BTreeMap::new(),
            stalled: BTreeMap::new(),
            stream_order: BTreeMap::new(),
            untold: VecDeque::new(),
            plain: false,
        }
    }

    /// The kernel's time. Cores are never told it: see [`Kernel::local`].
    #[inline]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What a node's monotonic clock shows now: the `now` of its cores. It drifts, and no step moves it.
    #[inline]
    pub fn local(&self, node: NodeId) -> Instant {
        self.nodes.local(node, self.now)
    }

    /// The date that a node's wall clock shows now, in nanoseconds since 1970: for what reads a date, such as a lease
    /// that stores one.
    pub fn wall(&self, node: NodeId) -> Instant {
        self.nodes.get(node).clock().wall(self.now)
    }

    /// The nodes.
    #[inline]
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The trace.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The trace, to note something in it.
    #[inline]
    pub fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// The plan of faults.
    pub fn plan(&self) -> &[Fault] {
        &self.plan
    }

    /// Whom each fault of the plan met when it began, in the order of the plan.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// How many events are pending.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Adds a node. Its name keys its chances and must be unique.
    pub fn add_node(&mut self, name: impl Into<String>, zone: ZoneId, tags: Vec<String>) -> NodeId {
        self.nodes.add(name.into(), zone, tags, self.seed)
    }

    /// Removes a node for good. What is on its way to it is refused; its timers die.
    pub fn remove_node(&mut self, node: NodeId) {
        self.nodes.change(node, |n| n.remove(self.now));
        self.waiting.remove(&node);
    }

    /// Makes a node a machine on which work takes `slowdown` times longer than on others, before the run. Faults slow
    /// it further.
    pub fn set_slowdown(&mut self, node: NodeId, slowdown: f64) {
        self.nodes.change(node, |n| n.build_in(slowdown, self.now));
    }

    /// Gives a node another clock, before the run.
    pub fn set_clock(&mut self, node: NodeId, clock: crate::clock::Clock) {
        self.nodes.change(node, |n| {
            n.built_in_drift = clock.drift_ppb();
            *n.clock_mut() = clock;
        });
    }

    /// A node's disk.
    pub fn disk_mut(&mut self, node: NodeId) -> &mut crate::disk::Disk {
        self.nodes.disk_mut(node).0
    }

    /// Starts an fsync on a node's disk; `msg` comes as its timer when what was appended so far is durable.
    pub fn sync_disk(&mut self, node: NodeId, msg: M) {
        let life = self.nodes.life(node);
        let (disk, rng) = self.nodes.disk_mut(node);
        let sync = disk.sync(rng);
        let entry = Entry::Synced(Box::new(Synced { node, life, token: sync.token, msg }));
        self.queue.push(self.now.saturating_add(sync.takes), entry);
    }

    /// A lane for timers that are always set the same span ahead, while there are any left.
    pub fn lane(&mut self) -> Option<Lane> {
        self.queue.lane()
    }

    /// Sends a message of `bytes` bytes. `key` decides everything about its way that is left to chance.
    #[inline(always)]
    pub fn send(&mut self, from: NodeId, to: NodeId, bytes: u32, transport: Transport, key: Key, msg: M) {
        let (from_life, to_life) = (self.nodes.life(from) as u16, self.nodes.life(to) as u16);
        let connected = transport != Transport::Datagram;
        let envelope = Envelope { from, to, from_life, to_life, connected, msg };
        let packet = Packet { from, to, bytes, transport, key, tries: 0 };
        if transport == Transport::Stream
            && let Some(stalled) = self.stalled.get_mut(&(from, to))
        {
            stalled.behind.push_back(Retransmission { packet, envelope });
            return;
        }
        self.dispatch(packet, envelope);
    }

    #[inline(always)]
    fn dispatch(&mut self, packet: Packet, envelope: Envelope<M>) {
        let (from, to) = (self.nodes.zone(packet.from), self.nodes.zone(packet.to));
        match self.network.route(self.now, &packet, from, to) {
            Fate::Arrives { at, lane: Some(lane), .. } if packet.transport != Transport::Stream => {
                self.queue.push_lane(lane, at, Entry::Message(envelope));
            }
            fate => self.dispatch_with_care(fate, packet, envelope),
        }
    }

    #[inline(never)]
    fn dispatch_with_care(&mut self, fate: Fate, mut packet: Packet, envelope: Envelope<M>) {
        let pair = (packet.from, packet.to);
        match fate {
            Fate::Arrives { mut at, again, .. } => {
                if packet.transport == Transport::Stream {
                    let last = self.stream_order.entry(pair).or_insert(Instant::ZERO);
                    at = at.max(*last);
                    *last = at;
                }
                if let Some(again) = again {
                    self.queue.push(again, Entry::Message(envelope.clone()));
                }
                self.queue.push(at, Entry::Message(envelope));
            }
            Fate::Retransmit(at) => {
                packet.tries += 1;
                let retransmission = Retransmission { packet, envelope };
                if packet.transport == Transport::Stream {
                    self.stalled.entry(pair).or_insert_with(|| Stalled { behind: VecDeque::new() });
                    let stalled = self.stalled.get_mut(&pair).expect("just inserted");
                    stalled.behind.push_front(retransmission);
                    self.queue.push(at, Entry::Unstall(pair.0, pair.1));
                } else {
                    self.queue.push(at, Entry::Retransmit(Box::new(retransmission)));
                }
            }
            Fate::Lost if envelope.connected => {
                self.queue.push(self.now, Entry::Bounce(Box::new((envelope, Bounce::Unreachable))));
            }
            Fate::Lost => {}
        }
    }

    /// Lays out the plan of faults. Call once, before the first event.
    pub fn plan_faults(&mut self, plan: Vec<Fault>) {
        assert!(self.plan.is_empty(), "a run has one plan of faults");
        for (i, fault) in plan.iter().enumerate() {
            self.queue.push(fault.at, Entry::FaultBegins(i as u32));
            if let Some(lasts) = fault.lasts.filter(|_| !fault.kind.is_momentary()) {
                self.queue.push(fault.at.saturating_add(lasts), Entry::FaultEnds(i as u32));
            }
        }
        self.held_by = vec![Vec::new(); plan.len()];
        self.hits = vec![Hit::default(); plan.len()];
        self.plan = plan;
    }

    /// Moves on to the next event that means anything, and says of which kind it is; `None` when nothing is left to
    /// happen.
    ///
    /// [`Kernel::msg`] shows what it carries without taking it, [`Kernel::take`] takes it out; what is not taken is
    /// dropped at the next call. A handler of a common message reads a few words and is done.
    #[inline(always)]
    pub fn advance(&mut self) -> Option<Kind> {
        if !self.untold.is_empty() {
            return Some(Kind::Rare);
        }
        if std::mem::take(&mut self.plain) {
            std::mem::forget(self.queue.take());
        }
        loop {
            self.now = self.queue.advance()?;
            let entry = self.queue.current().expect("the queue came to an event");
            match entry {
                Entry::Message(envelope) => {
                    let (node, from) = (envelope.to, envelope.from);
                    let nodes = &self.nodes;
                    if nodes.is_running(node) && envelope.to_life == nodes.life(node) as u16 {
                        self.trace.fold(self.now, node, envelope.msg.digest());
                        self.plain = envelope.msg.is_plain();
                        return Some(Kind::Message { node, from });
                    }
                }
                Entry::Timer { node, life, msg, .. } | Entry::Work { node, life, msg } => {
                    let (node, life) = (*node, *life);
                    if life != self.nodes.life(node) {
                        continue;
                    }
                    if self.nodes.is_running(node) {
                        self.trace.fold(self.now, node, msg.digest());
                        self.plain = msg.is_plain();
                        return Some(Kind::Timer { node });
                    }
                }
                Entry::World(msg) => {
                    self.trace.fold_world(self.now, msg.digest());
                    self.plain = msg.is_plain();
                    return Some(Kind::World);
                }
                _ => {}
            }
            if let Some(event) = self.unusual() {
                self.untold.push_front(event);
                return Some(Kind::Rare);
            }
        }
    }

    /// What the event carries that [`Kernel::advance`] came to; `None` for [`Kind::Rare`].
    #[inline]
    pub fn msg(&self) -> Option<&M> {
        match self.queue.current()? {
            Entry::Message(Envelope { msg, .. })
            | Entry::Timer { msg, .. }
            | Entry::Work { msg, .. }
            | Entry::World(msg) => Some(msg),
            _ => None,
        }
    }

    /// Takes the event that [`Kernel::advance`] came to. Panics when it was taken already.
    pub fn take(&mut self) -> Event<M> {
        if let Some(event) = self.untold.pop_front() {
            return event;
        }
        self.plain = false;
        match self.queue.take() {
            Some(Entry::Message(Envelope { to: node, from, msg, .. })) => Event::Message { node, from, msg },
            Some(Entry::Timer { node, msg, .. } | Entry::Work { node, msg, .. }) => Event::Timer { node, msg },
            Some(Entry::World(msg)) => Event::World(msg),
            _ => panic!("an event can be taken once, after advance"),
        }
    }

    /// The next event that means anything, taken out, or `None` when nothing is left to happen.
    #[expect(clippy::should_implement_trait, reason = "an iterator would borrow the kernel that its events act on")]
    pub fn next(&mut self) -> Option<Event<M>> {
        self.advance()?;
        Some(self.take())
    }

    /// An event whose node does not run, or that is none of the common ones.
    #[cold]
    fn unusual(&mut self) -> Option<Event<M>> {
        match self.queue.take().expect("the queue came to an event") {
            Entry::Message(envelope) => self.undeliverable(envelope),
            // It is due; a clock has nothing to say about it any more.
            Entry::Timer { node, life, msg, .. } | Entry::Work { node, life, msg } => {
                self.wait(node, Entry::Work { node, life, msg });
                None
            }
            other => self.rare(other),
        }
    }

    fn wait(&mut self, node: NodeId, entry: Entry<M>) {
        self.waiting.entry(node).or_default().push(entry);
    }

    /// A message whose receiver does not run, or is not the one that was written to.
    fn undeliverable(&mut self, envelope: Envelope<M>) -> Option<Event<M>> {
        let to = envelope.to;
        let why = match self.nodes.state(to) {
            State::Paused => {
                self.wait(to, Entry::Message(envelope));
                return None;
            }
            // A datagram does not care which life it meets.
            State::Up if !envelope.connected => {
                self.trace.fold(self.now, to, envelope.msg.digest());
                return Some(Event::Message { node: to, from: envelope.from, msg: envelope.msg });
            }
            State::Up => Bounce::Reset,
            State::Down(Crash::Machine) => return None,
            State::Down(Crash::Process) | State::Removed if !envelope.connected => return None,
            State::Down(Crash::Process) if envelope.to_life != self.nodes.life(to) as u16 => Bounce::Reset,
            State::Down(Crash::Process) | State::Removed => Bounce::Refused,
        };
        self.bounce(envelope, why);
        None
    }

    /// Sends word back to the sender of a message that nobody took. It travels like any small packet; when it is lost,
    /// the sender's connection finds out when it sends again.
    fn bounce(&mut self, envelope: Envelope<M>, why: Bounce) {
        let (from, to) = (envelope.to, envelope.from);
        let key = self.bounces.derive(envelope.msg.digest()).derive(self.now.as_nanos());
        let packet = Packet { from, to, bytes: 40, transport: Transport::Exchange, key, tries: 0 };
        let at = match self.network.route(self.now, &packet, self.nodes.zone(from), self.nodes.zone(to)) {
            Fate::Arrives { at, .. } | Fate::Retransmit(at) => at,
            Fate::Lost => return,
        };
        self.queue.push(at, Entry::Bounce(Box::new((envelope, why))));
    }

    /// Resets the connection on which `peer` waits for an answer from `node`, whose process went down: `msg` bounces to
    /// `peer` as if it had just been refused.
    pub fn reset(&mut self, node: NodeId, peer: NodeId, msg: M) {
        let (from_life, to_life) = (self.nodes.life(peer) as u16, self.nodes.life(node) as u16);
        self.bounce(Envelope { from: peer, to: node, from_life, to_life, connected: true, msg }, Bounce::Reset);
    }

    fn rare(&mut self, entry: Entry<M>) -> Option<Event<M>> {
        match entry {
            Entry::Bounce(bounced) => {
                let (Envelope { from: node, to, from_life, .. }, why) = *bounced;
                if from_life != self.nodes.life(node) as u16 {
                    return None;
                }
                if !self.nodes.is_running(node) {
                    self.wait(node, Entry::Bounce(bounced));
                    return None;
                }
                let msg = bounced.0.msg;
                self.trace.fold(self.now, node, msg.digest() ^ (why as u64 + 1) << 60);
                Some(Event::Bounced { node, to, why, msg })
            }
            Entry::Retransmit(retransmission) => {
                let Retransmission { packet, envelope } = *retransmission;
                // A sender that went down meanwhile has forgotten what it was sending.
                if envelope.from_life == self.nodes.life(packet.from) as u16 {
                    self.dispatch(packet, envelope);
                }
                None
            }
            Entry::Unstall(from, to) => {
                self.unstall(from, to);
                None
            }
            Entry::Synced(synced) => self.synced(*synced),
            Entry::FaultBegins(fault) => {
                self.trace.fold_world(self.now, u64::from(fault) << 1);
                self.untold.push_back(Event::FaultBegan(fault as usize));
                self.begin(fault);
                self.untold.pop_front()
            }
            Entry::FaultEnds(fault) => {
                self.trace.fold_world(self.now, u64::from(fault) << 1 | 1);
                self.untold.push_back(Event::FaultEnded(fault as usize));
                self.end(fault);
                self.untold.pop_front()
            }
            Entry::Swizzle { fault, node, until } => {
                if let Some(until) = until {
                    self.clog(fault, &[node], until);
                } else {
                    let alone = NodeSet::new(&[node]);
                    self.network.rules.retain(|r| r.fault != fault || (r.from != alone && r.to != alone));
                }
                None
            }
            Entry::Drained(fault) => {
                self.drain(fault);
                None
            }
            Entry::Up(node, life) => {
                if life != self.nodes.life(node) {
                    return None;
                }
                if !self.nodes.is_running(node) {
                    self.wait(node, Entry::Up(node, life));
                    return None;
                }
                self.nodes.change(node, |n| n.is_gone = false);
                Some(Event::Up(node))
            }
            Entry::Message(_) | Entry::Timer { .. } | Entry::Work { .. } | Entry::World(_) => {
                unreachable!("handled where they are common")
            }
        }
    }

    /// An fsync is done, unless its node died meanwhile.
    fn synced(&mut self, synced: Synced<M>) -> Option<Event<M>> {
        let Synced { node, life, token, msg } = synced;
        if life != self.nodes.life(node) {
            return None;
        }
        // The platter does not wait for a paused process; only the news of it does.
        self.nodes.disk_mut(node).0.synced(token);
        if self.nodes.is_running(node) {
            self.trace.fold(self.now, node, msg.digest());
            return Some(Event::Timer { node, msg });
        }
        self.wait(node, Entry::Work { node, life, msg });
        None
    }

    /// Tries the messages of a stalled stream again, in order, until one of them stalls it anew.
    fn unstall(&mut self, from: NodeId, to: NodeId) {
        let Some(stalled) = self.stalled.remove(&(from, to)) else { return };
        let mut behind = stalled.behind;
        while let Some(Retransmission { packet, envelope }) = behind.pop_front() {
            if envelope.from_life != self.nodes.life(from) as u16 {
                continue;
            }
            self.dispatch(packet, envelope);
            if let Some(again) = self.stalled.get_mut(&(from, to)) {
                again.behind.append(&mut behind);
                return;
            }
        }
    }
}
