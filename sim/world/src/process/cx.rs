//! What a process may use while it works: one narrow door.

use crate::catalogue::Probe;
use crate::fleet::Site;
use crate::sabotage::Sabotage;
use crate::wire::{Address, Envelope, Letter, Msg, ProcessId};
use base::{Duration, Instant, NodeId, Rng};
use kernel::disk::Disk;
use kernel::{TimerId, Transport};

/// No node.
pub(super) const NOWHERE: NodeId = NodeId(u32::MAX);

/// What a process may use while it works.
pub(crate) struct Cx<'a> {
    site: Site<'a>,
    me: ProcessId,
    node: NodeId,
}

impl Cx<'_> {
    /// Its name among all processes.
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

    /// The length of a step of the timeline: what changes more often need not be kept apart.
    pub(crate) fn timeline_step(&self) -> Duration {
        self.site.data.metrics.timeline.step
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

    /// Starts an fsync; [`Process::synced`](super::Process::synced) follows.
    pub(crate) fn sync(&mut self) {
        let node = self.node();
        self.site.sim.kernel.sync_disk(node, Msg::Synced(self.me));
    }

    /// Sends a letter to the process `to` on a node.
    pub(crate) fn send(&mut self, to: Address, bytes: u32, transport: Transport, letter: Letter) {
        let (from, me) = (self.node(), self.me);
        let key = self.site.sim.keys.next(from);
        let envelope = Envelope { from: me, to: to.1, letter };
        self.site.sim.kernel.send(from, to.0, bytes, transport, key, Msg::Letter(Box::new(envelope)));
    }

    /// Sets a timer of its own on its machine's clock; [`Process::wake`](super::Process::wake) follows with `timer`.
    pub(super) fn set_timer(&mut self, at: Instant, timer: u16) -> TimerId {
        let (node, process) = (self.node(), self.me);
        self.site.sim.kernel.timer_at(node, at, Msg::Wake { process, timer })
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
    /// What the process `me` on `node` may use.
    pub(super) fn new(site: Site<'a>, me: ProcessId, node: NodeId) -> Self {
        Cx { site, me, node }
    }

    /// The fleet, the callers and instances, and what may be done to them.
    pub(crate) fn site(&mut self) -> &mut Site<'a> {
        &mut self.site
    }
}
