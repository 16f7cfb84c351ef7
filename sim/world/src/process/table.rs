//! All processes of a run: where each runs, what it is told, and what becomes of the connections between them.

use super::Process;
use super::cx::{Cx, NOWHERE};
use crate::data::Data;
use crate::fleet::{Fleet, Guests, Notice, Site};
use crate::outcome::Section;
use crate::sim::Sim;
use crate::wire::{Envelope, Letter, Msg, ProcessId};
use base::{Draw, Duration, NodeId, streams};
use kernel::{Bounce, Crash};
use std::any::Any;
use std::ops::Range;

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

    /// The address of the next process.
    fn next(&self) -> ProcessId {
        ProcessId(self.all.len() as u32)
    }

    /// Adds all processes of a node, in the order in which they are told things, and says which they are.
    pub(crate) fn add(&mut self, node: NodeId, processes: Vec<Box<dyn Process>>) -> Range<u32> {
        let first = self.next().0;
        if processes.is_empty() {
            return first..first;
        }
        self.on_node.resize(self.on_node.len().max(node.index() + 1), ProcessId::NOBODY);
        self.on_node[node.index()] = self.next();
        self.all.extend(processes.into_iter().map(Some));
        self.nodes.resize(self.all.len(), node);
        first..self.next().0
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

    /// What all processes add to the outcome, in the order in which their kinds first speak.
    pub(crate) fn report(&self, sim: &Sim) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        for section in self.all.iter().flatten().filter_map(|process| process.report(sim)) {
            match sections.iter_mut().find(|known| known.title == section.title) {
                Some(known) => known.merge(section),
                None => sections.push(section),
            }
        }
        sections
    }

    fn on(&self, node: NodeId) -> impl Iterator<Item = ProcessId> + use<> {
        let first = self.on_node.get(node.index()).map_or(ProcessId::NOBODY, |first| *first);
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
        let mut cx = Cx::new(Site { sim, data, fleet, guests: self }, me, node);
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
                    *first = ProcessId::NOBODY;
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
