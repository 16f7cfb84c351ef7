//! Processes: what runs on machines beside the life of a request. Registry servers and their clients, the lock store,
//! the controllers of rollouts.
//!
//! A [`Process`] sees the world through one narrow door, [`Cx`]: its clock, its disk, its timers, letters to other
//! processes, the fleet, and the callers of its node. It shares its machine's network interface, disk, clock and fate
//! with whatever else runs there, and is told by its address from those.
//!
//! To add one: a file beside these with a type that implements [`Process`], and a line in [`list`] that says where it
//! runs. One that speaks a protocol of its own adds a line in [`wire`](crate::wire).

pub(crate) mod durable;
pub(crate) mod host;
pub(crate) mod list;
pub(crate) mod locks;
pub(crate) mod registrant;
pub(crate) mod registry;
pub(crate) mod resolver;
pub(crate) mod rollout;
pub(crate) mod timer;
pub(crate) mod truth;

use crate::catalogue::Probe;
use crate::data::Data;
use crate::fleet::{Fleet, Guests, Notice, Site};
use crate::sabotage::Sabotage;
use crate::sim::Sim;
use crate::wire::{Envelope, Letter, Msg, ProcessId};
use base::{Draw, Duration, Instant, NodeId, Rng, streams};
use kernel::disk::Disk;
use kernel::{Bounce, Crash, Transport};
use std::any::Any;
use std::fmt::Debug;

/// What runs on a machine beside the life of a request. None of it is hot, so it stands behind `dyn`.
pub(crate) trait Process: Any + Debug {
    /// What people call it, behind "the".
    fn name(&self) -> &'static str;

    /// A life begins: it reads its disk. Called when the run begins, when its machine comes up again, and at once for
    /// what is made during the run.
    fn boot(&mut self, _: &mut Cx<'_>) {}

    /// A letter has come for it.
    fn letter(&mut self, _: &mut Cx<'_>, from: ProcessId, letter: Letter) {
        unreachable!("{letter:?} from {from:?} to {self:?}, which hears nothing");
    }

    /// A timer of its own has fired, with the number under which it was set.
    fn wake(&mut self, _: &mut Cx<'_>, timer: u16) {
        unreachable!("timer {timer} of {self:?}, which sets none");
    }

    /// Something outside all nodes that it had planned has come, whether its machine is up or not.
    fn alarm(&mut self, _: &mut Cx<'_>, value: u32) {
        unreachable!("alarm {value} of {self:?}, which plans none");
    }

    /// What it handed itself has come.
    fn handed(&mut self, _: &mut Cx<'_>, value: u32) {
        unreachable!("{value} for {self:?}, which hands itself nothing");
    }

    /// What it appended is on disk.
    fn synced(&mut self, _: &mut Cx<'_>) {}

    /// A letter to a node came back to its machine, or a connection to that node broke.
    fn bounced(&mut self, _: &mut Cx<'_>, _to: NodeId, _why: Bounce) {}

    /// Its machine, or all processes of it, went down: its memory is gone.
    fn down(&mut self, _: &mut Cx<'_>, _: Crash) {}

    /// Something happened to the fleet.
    fn notice(&mut self, _: &mut Cx<'_>, _: Notice) {}

    /// Whether it holds a connection to a node over which nothing need be said for long: one that the other side's end
    /// resets.
    fn is_connected_to(&self, _: NodeId) -> bool {
        false
    }
}

/// All processes of a run.
#[derive(Debug)]
pub(crate) struct Processes {
    /// Indexed by [`ProcessId`]; nothing while it is at work, and after its node has left.
    all: Vec<Option<Box<dyn Process>>>,
    /// Indexed likewise: where it runs, [`NOWHERE`] for what runs on no node.
    nodes: Vec<NodeId>,
    /// By node, the first process on it; the others follow, since all were made together.
    on_node: Vec<ProcessId>,
    /// Those on no node, which hear of everything.
    on_none: Vec<ProcessId>,
    /// Makes what runs beside an instance or a caller.
    beside: Beside,
    /// Nodes whose machines went away without a word, and have not come back.
    silent: Vec<NodeId>,
    /// Whether the run has begun: what is made from now on is booted at once.
    has_begun: bool,
}

/// What runs beside the instance or the caller on a node.
pub(crate) type Beside = fn(&Sim, &Data, NodeId) -> Vec<Box<dyn Process>>;

/// No node.
const NOWHERE: NodeId = NodeId(u32::MAX);
/// No process.
const NOBODY: ProcessId = ProcessId(u32::MAX);

/// What a process may use while it works.
pub(crate) struct Cx<'a> {
    site: Site<'a>,
    me: ProcessId,
    node: NodeId,
}

impl Processes {
    /// None yet.
    pub(crate) fn new(beside: Beside) -> Self {
        Processes {
            all: Vec::new(),
            nodes: Vec::new(),
            on_node: Vec::new(),
            on_none: Vec::new(),
            beside,
            silent: Vec::new(),
            has_begun: false,
        }
    }

    /// The number of the next process.
    pub(crate) fn next(&self) -> ProcessId {
        ProcessId(self.all.len() as u32)
    }

    /// Adds all processes of a node, in the order in which they are told things.
    pub(crate) fn add(&mut self, node: NodeId, processes: Vec<Box<dyn Process>>) {
        if processes.is_empty() {
            return;
        }
        self.on_node.resize(self.on_node.len().max(node.index() + 1), NOBODY);
        self.on_node[node.index()] = self.next();
        self.all.extend(processes.into_iter().map(Some));
        self.nodes.resize(self.all.len(), node);
    }

    /// Adds a process that runs on no node.
    pub(crate) fn add_outside(&mut self, process: Box<dyn Process>) {
        self.on_none.push(self.next());
        self.all.push(Some(process));
        self.nodes.push(NOWHERE);
    }

    /// What people call a process, behind "the".
    pub(crate) fn name(&self, of: ProcessId) -> &'static str {
        self.all[of.index()].as_ref().map_or("process", |process| process.name())
    }

    /// All processes of a kind, in the order in which they were made.
    pub(crate) fn all<P: Process>(&self) -> impl Iterator<Item = &P> {
        self.all.iter().filter_map(|process| (process.as_deref()? as &dyn Any).downcast_ref())
    }

    fn on(&self, node: NodeId) -> impl Iterator<Item = ProcessId> + use<> {
        let first = self.on_node.get(node.index()).map_or(NOBODY, |first| *first);
        let there = self.nodes.iter().skip(first.index()).take_while(|&&at| at == node).count() as u32;
        (first.0..first.0.saturating_add(there)).map(ProcessId)
    }

    /// Lets a process work.
    pub(crate) fn with(
        &mut self,
        sim: &mut Sim,
        data: &mut Data,
        fleet: &mut Fleet,
        me: ProcessId,
        work: impl FnOnce(&mut dyn Process, &mut Cx<'_>),
    ) {
        let node = self.nodes[me.index()];
        let Some(mut process) = self.all[me.index()].take() else {
            unreachable!("{me:?} is told something by itself");
        };
        let mut cx = Cx { site: Site { sim, data, fleet, guests: self }, me, node };
        work(&mut *process, &mut cx);
        self.all[me.index()] = Some(process);
    }

    /// The run begins.
    pub(crate) fn begin(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet) {
        self.has_begun = true;
        for me in (0..self.all.len() as u32).map(ProcessId) {
            self.with(sim, data, fleet, me, |process, cx| process.boot(cx));
        }
    }

    /// A letter to the node `to` came back, or a connection to it broke. All processes that share the machine hear it.
    pub(crate) fn bounced(
        &mut self,
        sim: &mut Sim,
        data: &mut Data,
        fleet: &mut Fleet,
        node: NodeId,
        (to, why): (NodeId, Bounce),
    ) {
        for me in self.on(node) {
            self.with(sim, data, fleet, me, |process, cx| process.bounced(cx, to, why));
        }
    }

    /// Resets the connection of a process to a node, if it still holds one.
    pub(crate) fn reset(&self, sim: &mut Sim, me: ProcessId, node: NodeId) {
        if self.all[me.index()].as_ref().is_some_and(|process| process.is_connected_to(node)) {
            let at = self.nodes[me.index()];
            let envelope = Envelope { from: me, to: me, letter: Letter::Broken };
            sim.kernel.reset(node, at, Msg::Letter(Box::new(envelope)));
        }
    }

    /// The processes that hold a connection to a node.
    pub(crate) fn connected_to(&self, node: NodeId) -> Vec<(ProcessId, NodeId)> {
        let is_connected =
            |process: &Option<Box<dyn Process>>| process.as_ref().is_some_and(|process| process.is_connected_to(node));
        let all = self.all.iter().zip(&self.nodes).enumerate().filter(|(_, (process, _))| is_connected(process));
        all.map(|(index, (_, &at))| (ProcessId(index as u32), at)).collect()
    }
}

impl Guests for Processes {
    fn notice(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet, notice: Notice) {
        match notice {
            Notice::Created(node) => {
                let processes = (self.beside)(sim, data, node);
                self.add(node, processes);
                if self.has_begun {
                    self.boot(sim, data, fleet, node);
                }
            }
            Notice::Calling(node) | Notice::Serving(node) | Notice::Stopping(node) => {
                for me in self.on(node) {
                    self.with(sim, data, fleet, me, |process, cx| process.notice(cx, notice));
                }
            }
            Notice::Left(node) => {
                self.on(node).for_each(|gone| self.all[gone.index()] = None);
                if let Some(first) = self.on_node.get_mut(node.index()) {
                    *first = NOBODY;
                }
            }
            Notice::Changed(_) => {
                for index in 0..self.on_none.len() {
                    let me = self.on_none[index];
                    self.with(sim, data, fleet, me, |process, cx| process.notice(cx, notice));
                }
            }
        }
    }

    fn down(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet, node: NodeId, crash: Crash) {
        for me in self.on(node) {
            self.with(sim, data, fleet, me, |process, cx| process.down(cx, crash));
        }
        if self.on(node).next().is_none() {
            return;
        }
        match crash {
            // The machine lives on and says so.
            Crash::Process => self.connected_to(node).into_iter().for_each(|(peer, _)| self.reset(sim, peer, node)),
            Crash::Machine => self.silent.push(node),
        }
    }

    fn boot(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet, node: NodeId) {
        for me in self.on(node) {
            self.with(sim, data, fleet, me, |process, cx| process.boot(cx));
        }
        if let Some(index) = self.silent.iter().position(|&silent| silent == node) {
            self.silent.swap_remove(index);
            self.probe_connections(sim, node);
        }
    }
}

/// How often the operating system probes a silent connection: Go's default, which Consul's clients use
/// (golang/go `src/net/dial.go`, `defaultTCPKeepAliveIdle`).
const KEEPALIVE: Duration = Duration::secs(15);

impl Processes {
    /// A machine that went away without a word is back. Peers still believe in their connections. The next keepalive
    /// probe of each meets a machine that knows nothing of it, and is answered with a reset. The probes have gone
    /// unanswered since the machine went away, each peer's in its own rhythm.
    fn probe_connections(&self, sim: &mut Sim, node: NodeId) {
        let life = u64::from(sim.kernel.nodes().life(node));
        for (process, at) in self.connected_to(node) {
            let nodes = sim.kernel.nodes();
            let name = streams::KEEPALIVE.of(&[&nodes.name(at), &nodes.name(node)]);
            let wait = sim.seed.nth(&name, life).below_u64(KEEPALIVE.as_nanos());
            sim.kernel.world_at(sim.kernel.now() + Duration::ns(wait + 1), Msg::KeepAlive { process, node });
        }
    }
}

impl Cx<'_> {
    /// Its address.
    pub(crate) fn me(&self) -> ProcessId {
        self.me
    }

    /// The node it runs on; none that there is, for a process that runs on none.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// The kernel's time, for what is written down. Cores are told [`Cx::local`].
    pub(crate) fn now(&self) -> Instant {
        self.site.sim.kernel.now()
    }

    /// What the monotonic clock of its machine shows.
    pub(crate) fn local(&self) -> Instant {
        self.site.sim.kernel.local(self.node())
    }

    /// The date that its machine shows.
    pub(crate) fn wall(&self) -> Instant {
        self.site.sim.kernel.wall(self.node())
    }

    /// The name of its machine.
    pub(crate) fn name(&self) -> &str {
        self.site.sim.kernel.nodes().name(self.node())
    }

    /// How often its machine has gone down.
    pub(crate) fn life(&self) -> u32 {
        self.site.sim.kernel.nodes().life(self.node())
    }

    /// How long its machine has been running, if the run found it in place just now.
    pub(crate) fn age(&self) -> Duration {
        self.site.sim.age(self.name())
    }

    /// The stream called `name` of its present life.
    pub(crate) fn stream(&self, name: &str) -> Rng {
        self.site.sim.seed.nth(name, u64::from(self.life()))
    }

    /// The disk that it shares with what else runs on its machine.
    pub(crate) fn disk(&mut self) -> &mut Disk {
        let node = self.node();
        self.site.sim.kernel.disk_mut(node)
    }

    /// Starts an fsync; [`Process::synced`] follows.
    pub(crate) fn sync(&mut self) {
        let node = self.node();
        self.site.sim.kernel.sync_disk(node, Msg::Synced(self.me));
    }

    /// Sends a letter to the process `to` on a node.
    pub(crate) fn send(&mut self, to: (NodeId, ProcessId), bytes: u32, transport: Transport, letter: Letter) {
        let (from, me) = (self.node(), self.me);
        let key = self.site.sim.keys.next(from);
        let envelope = Envelope { from: me, to: to.1, letter };
        self.site.sim.kernel.send(from, to.0, bytes, transport, key, Msg::Letter(Box::new(envelope)));
    }

    /// Has itself woken at a moment of the run, whether its machine is up or not.
    pub(crate) fn plan(&mut self, at: Instant, value: u32) {
        self.site.sim.kernel.world_at(at, Msg::Alarm { process: self.me, value });
    }

    /// Writes down what happened; `text` is made only where a story is kept.
    pub(crate) fn note(&mut self, kind: &'static str, text: impl FnOnce() -> String) {
        let (now, node) = (self.now(), Some(self.node).filter(|&node| node != NOWHERE));
        self.site.sim.kernel.trace_mut().note(now, node, kind, text);
    }

    /// Counts that something was reached.
    pub(crate) fn reached(&mut self, probe: Probe) {
        self.site.sim.checks.reached(probe);
    }

    /// Has itself handed something at this moment, or when its machine goes on that is paused; nothing where that is
    /// down.
    pub(crate) fn hand(&mut self, value: u32) {
        let (node, kernel) = (self.node(), &mut self.site.sim.kernel);
        if !kernel.nodes().is_dead(node) {
            kernel.hand(node, Msg::Alarm { process: self.me, value });
        }
    }

    /// A planted bug.
    pub(crate) fn has(&self, sabotage: Sabotage) -> bool {
        self.site.sim.sabotage == Some(sabotage)
    }
}

impl<'a> Cx<'a> {
    /// The fleet, the callers and instances, and what may be done to them.
    pub(crate) fn site(&mut self) -> &mut Site<'a> {
        &mut self.site
    }
}
