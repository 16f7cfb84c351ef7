//! What travels between nodes and what their timers carry: the union of the cores' words, and the only place they meet.
//!
//! A message rests in the event queue by value, so the common ones are a few words and the rare ones are boxed.

use crate::slab::Id;
use balancer::ProbeReply;
use base::{Digest, Fingerprint, InstanceId, Key, NodeId, Ratio, Seed, ServiceId, VersionId, streams};
use kernel::Message;
use traffic::Class;

/// Calls, as a kind of names.
#[derive(Debug)]
pub(crate) enum OfCalls {}

/// Requests at instances, as a kind of names.
#[derive(Debug)]
pub(crate) enum OfJobs {}

/// The name of a call.
pub(crate) type CallId = Id<OfCalls>;

/// The name of a request at an instance.
pub(crate) type JobId = Id<OfJobs>;

/// A message, a timer, or something outside all nodes.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    /// The next request of an open load arrives.
    Arrive(u32),
    /// A user of a closed load asks again, from the node at this place among the load's.
    Return { load: u32, source: u32 },
    /// Caller to instance: do this.
    Request { call: CallId, key: Key, attempt: u16 },
    /// Instance to caller: this became of it.
    Response { call: CallId, attempt: u16, class: Class },
    /// An instance has done its own work on a request.
    Served(JobId),
    /// The next request of a processor-sharing instance has finished its own work.
    Processed(InstanceId),
    /// A caller's patience with an attempt, or with the whole call, is over.
    Impatient { call: CallId, attempt: u16 },
    /// The pause before another attempt is over.
    Retry(CallId),
    /// An instance has started up.
    Started(InstanceId),
    /// An instance that was paused when it was told to stop hears of it.
    Stop(InstanceId),
    /// A caller that was paused when its hosts changed sees whether its calls in line find room.
    ServePending(u32),
    /// A call begins that came to a load source while that was paused.
    Begin(CallId),
    /// A stopping instance has served long enough.
    GraceOver(InstanceId),
    /// A process is woken by one of its timers.
    Wake { process: ProcessId, timer: u16 },
    /// What a process appended is on disk.
    Synced(ProcessId),
    /// Process to process.
    Letter(Box<Envelope>),
    /// Something that a process planned outside all nodes, or handed itself.
    Alarm { process: ProcessId, value: u32 },
    /// Controller to caller: how to split a service's traffic from now on.
    Split(Box<SplitOrder>),
    /// Caller to instance: how busy are you?
    Probe { caller: u32, upstream: u16, group: u8 },
    /// Instance to caller: this busy.
    Probed(Box<ProbeAnswer>),
    /// The operating system of a machine probes the connection of a process to a node that was away.
    KeepAlive { process: ProcessId, node: NodeId },
    /// Warm-up is over: measuring begins.
    WarmedUp,
    /// The timeline enters its next step.
    Step,
    /// Load stops: calm is over.
    LoadEnds,
    /// After load has stopped: is anything still under way?
    Drained,
}

/// A process's address: its number among all of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessId(pub(crate) u32);

/// Where a letter goes: a process, and the node on which that runs.
pub(crate) type Address = (NodeId, ProcessId);

impl ProcessId {
    /// No process.
    pub(crate) const NOBODY: ProcessId = ProcessId(u32::MAX);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A letter and its addresses.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) from: ProcessId,
    pub(crate) to: ProcessId,
    pub(crate) letter: Letter,
}

/// What processes say to each other: one row for each protocol and direction.
macro_rules! letters {
    ($($letter:ident($says:ty) $sentence:literal;)*) => {
        /// What processes say to each other.
        #[derive(Clone, Debug)]
        pub(crate) enum Letter {
            $(#[doc = $sentence] $letter($says),)*
            /// Nothing: what an idle connection brings that the other side does not know any more.
            Broken,
        }

        impl Digest for Letter {
            fn fold_into(&self, fold: &mut Fingerprint) {
                match self {
                    $(Letter::$letter(says) => says.fold_into(fold),)*
                    Letter::Broken => fold.fold(17),
                }
            }
        }
    };
}

letters! {
    Registry(registry::Input) "Client to registry server.";
    RegistryAnswer(registry::Effect) "Registry server to client.";
    Locks(coordination::Input) "Controller to lock store.";
    LocksAnswer(coordination::Effect) "Lock store to controller.";
}

/// How to split a service's traffic: shares by version, or no split.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SplitOrder {
    pub(crate) service: ServiceId,
    /// Later orders have larger numbers; an older one that arrives late is ignored.
    pub(crate) number: u64,
    pub(crate) shares: Option<[(VersionId, Ratio); 2]>,
}

/// The chances of messages that belong to no request: one stream of keys a node, by the node's name, so that what one
/// node sends changes nothing for another.
#[derive(Debug, Default)]
pub(crate) struct MessageKeys {
    nodes: Vec<(Key, u64)>,
}

impl MessageKeys {
    /// Adds the next node: nodes are added in the order of their ids.
    pub(crate) fn add(&mut self, seed: Seed, name: &str) {
        self.nodes.push((seed.stream(&streams::MESSAGES.of(&[&name])).key(), 0));
    }

    /// The key of the next message of `node`.
    pub(crate) fn next(&mut self, node: NodeId) -> Key {
        let (key, sent) = &mut self.nodes[node.index()];
        *sent += 1;
        key.derive(*sent)
    }
}

impl Message for Msg {
    #[inline]
    fn digest(&self) -> u64 {
        let tag = |kind: u64, value: u64| kind << 58 ^ value;
        match self {
            Msg::Arrive(load) => tag(1, u64::from(*load)),
            Msg::Return { load, source } => tag(8, u64::from(*load) << 32 ^ u64::from(*source)),
            Msg::Request { call, key, attempt } => tag(2, call.digest() ^ key.0 ^ u64::from(*attempt)),
            Msg::Response { call, attempt, class } => tag(3, call.digest() ^ u64::from(*attempt) << 8 ^ *class as u64),
            Msg::Served(job) => tag(4, job.digest()),
            Msg::Impatient { call, attempt } => tag(5, call.digest() ^ u64::from(*attempt)),
            Msg::Retry(call) => tag(6, call.digest()),
            Msg::Processed(instance) => tag(7, u64::from(instance.0)),
            other => other.rare_digest(),
        }
    }

    #[inline]
    fn is_plain(&self) -> bool {
        matches!(
            self,
            Msg::Arrive(_)
                | Msg::Return { .. }
                | Msg::Request { .. }
                | Msg::Response { .. }
                | Msg::Served(_)
                | Msg::Processed(_)
                | Msg::Impatient { .. }
        )
    }
}

impl Msg {
    /// Everything but the hot messages: a number for the kind, and all that tells one such message from another that
    /// comes to the same node at the same time. Which process of a node is woken shows in what it does.
    #[cold]
    fn rare_digest(&self) -> u64 {
        let mut fold = Fingerprint::EMPTY;
        let id = |id: u32| u64::from(id);
        match self {
            Msg::Started(instance) => fold.fold_all(&[1, id(instance.0)]),
            Msg::Stop(instance) => fold.fold_all(&[2, id(instance.0)]),
            Msg::GraceOver(instance) => fold.fold_all(&[3, id(instance.0)]),
            Msg::ServePending(caller) => fold.fold_all(&[4, id(*caller)]),
            Msg::Begin(call) => fold.fold_all(&[5, call.digest()]),
            Msg::Wake { .. } => fold.fold(6),
            Msg::Synced(_) => fold.fold(7),
            Msg::Alarm { value, .. } => fold.fold_all(&[8, id(*value)]),
            Msg::KeepAlive { .. } => fold.fold(9),
            Msg::WarmedUp => fold.fold(10),
            Msg::Step => fold.fold(11),
            Msg::LoadEnds => fold.fold(12),
            Msg::Drained => fold.fold(13),
            Msg::Letter(envelope) => envelope.letter.fold_into(&mut fold),
            Msg::Split(order) => order.fold_into(&mut fold),
            Msg::Probe { caller, upstream, group } => {
                fold.fold_all(&[120, id(*caller), u64::from(*upstream), u64::from(*group)]);
            }
            Msg::Probed(answer) => answer.fold_into(&mut fold),
            Msg::Arrive(_)
            | Msg::Return { .. }
            | Msg::Request { .. }
            | Msg::Response { .. }
            | Msg::Served(_)
            | Msg::Processed(_)
            | Msg::Impatient { .. }
            | Msg::Retry(_) => unreachable!("told apart in a few instructions"),
        }
        fold.value()
    }
}

/// An instance's answer to a probe.
#[derive(Clone, Debug)]
pub(crate) struct ProbeAnswer {
    pub(crate) caller: u32,
    pub(crate) upstream: u16,
    pub(crate) group: u8,
    pub(crate) instance: InstanceId,
    pub(crate) reply: ProbeReply,
}

impl Digest for ProbeAnswer {
    fn fold_into(&self, fold: &mut Fingerprint) {
        let ProbeAnswer { caller, upstream, group, instance, reply } = self;
        let (in_flight, latency) = (u64::from(reply.in_flight), reply.latency.as_nanos());
        fold.fold_all(&[121, u64::from(*caller), u64::from(*upstream), u64::from(*group), instance.0.into()]);
        fold.fold_all(&[in_flight, latency]);
    }
}

impl Digest for SplitOrder {
    fn fold_into(&self, fold: &mut Fingerprint) {
        fold.fold_all(&[110, self.service.0.into(), self.number, u64::from(self.shares.is_some())]);
        for (version, share) in self.shares.iter().flatten() {
            fold.fold_all(&[version.0.into(), share.billionths().into()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_node_sends_changes_nothing_for_another() {
        let first_keys = |seed, busy: u64| {
            let mut keys = MessageKeys::default();
            ["registry-1", "gateway-1"].into_iter().for_each(|name| keys.add(Seed(seed), name));
            (0..busy).for_each(|_| {
                keys.next(NodeId(0));
            });
            [keys.next(NodeId(1)), keys.next(NodeId(1))]
        };
        assert_eq!(first_keys(1, 0), first_keys(1, 99));
        assert_ne!(first_keys(1, 0), first_keys(2, 0), "another seed, other chances");
        assert_ne!(first_keys(1, 0)[0], first_keys(1, 0)[1]);
    }
}
