//! What everything in a world may use: the kernel, the keys of messages, the ledger of checks.

use crate::check::Checks;
use crate::role::Role;
use crate::sabotage::Sabotage;
use crate::spec::Spec;
use crate::wire::{Address, MessageKeys, Msg, ProcessId};
use base::{Duration, Instant, NodeId, Outbox, Seed};
use kernel::Kernel;
use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Nodes that are named of those a fault met; the others are counted.
const HIT_NAMED: usize = 8;

/// What everything in a world may use.
#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) spec: Rc<Spec>,
    pub(crate) seed: Seed,
    pub(crate) kernel: Kernel<Msg>,
    pub(crate) keys: MessageKeys,
    pub(crate) checks: Checks,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) directory: Directory,
    pub(crate) outboxes: Outboxes,
}

impl Sim {
    /// How long the process called `name` has been running that is heard of now: a drawn time in the first moment of a
    /// run, and no time later.
    pub(crate) fn age(&self, name: &str) -> Duration {
        if self.kernel.now() == Instant::ZERO { crate::age::age(self.seed, name) } else { Duration::ZERO }
    }

    /// Whom a fault met, where the scenario does not say so by itself: the nodes that chance chose, or nobody. None
    /// before it has begun.
    pub(crate) fn hit(&self, fault: usize) -> Option<String> {
        let hit = &self.kernel.hits()[fault];
        if hit.nodes? == 0 {
            return Some("nobody".into());
        }
        let mut names: Vec<&str> = hit.drawn.iter().map(|&node| self.kernel.nodes().name(node)).collect();
        let others = names.len().saturating_sub(HIT_NAMED);
        names.truncate(HIT_NAMED);
        match (names.as_slice(), others) {
            ([], _) => None,
            (names, 0) => Some(names.join(", ")),
            (names, others) => Some(format!("{} and {others} more", names.join(", "))),
        }
    }
}

/// Where clients find those whom they ask, as their configuration has it: processes on nodes of their own, by role.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    by_role: BTreeMap<&'static str, Vec<Address>>,
}

impl Directory {
    /// The processes of a role, in the order in which they were placed.
    pub(crate) fn of(&self, role: &Role) -> &[Address] {
        self.by_role.get(role.tag).map_or(&[], Vec::as_slice)
    }

    /// How many nodes play a role so far.
    pub(crate) fn nodes(&self, role: &Role) -> u32 {
        self.of(role).chunk_by(|a, b| a.0 == b.0).count() as u32
    }

    /// Lists the processes of a role's next node.
    pub(crate) fn add(&mut self, role: &Role, node: NodeId, processes: impl Iterator<Item = ProcessId>) {
        self.by_role.entry(role.tag).or_default().extend(processes.map(|process| (node, process)));
    }
}

/// Outboxes that are not in use, one for each kind of core: they keep the room they have, and a thousand cores need not
/// have it each.
#[derive(Debug, Default)]
pub(crate) struct Outboxes {
    idle: Vec<Box<dyn Any>>,
}

impl Outboxes {
    /// An empty outbox; one that was given back, if there is one.
    pub(crate) fn take<E: 'static>(&mut self) -> Box<Outbox<E>> {
        match self.idle.iter().position(|outbox| outbox.is::<Outbox<E>>()) {
            Some(index) => self.idle.swap_remove(index).downcast().expect("it is of this kind"),
            None => Box::default(),
        }
    }

    /// Gives an outbox back.
    pub(crate) fn give<E: 'static>(&mut self, outbox: Box<Outbox<E>>) {
        self.idle.push(outbox);
    }
}
