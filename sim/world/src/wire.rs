//! What travels between nodes and what their timers carry: the union of the cores' words, and the only place they meet.
//!
//! A message rests in the event queue by value, so the common ones are a few words and the rare ones are boxed.

use crate::call::Call;
use crate::instance::Job;
use crate::probe::ProbeAnswer;
use crate::slab::Id;
use base::{InstanceId, Key, NodeId, Ratio, Seed, ServiceId, VersionId};
use kernel::Message;
use traffic::Class;

/// A message, a timer, or something outside all nodes.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    /// The next request of an open load arrives.
    Arrive(u32),
    /// A user of a closed load asks again, from the node at this place among the load's.
    Return { load: u32, source: u32 },
    /// Caller to instance: do this.
    Request { call: Id<Call>, key: Key, attempt: u16 },
    /// Instance to caller: this became of it.
    Response { call: Id<Call>, attempt: u16, class: Class },
    /// An instance has done its own work on a request.
    Served(Id<Job>),
    /// Somebody's own work at an instance is done whose requests share its processors.
    Processed(InstanceId),
    /// A caller's patience with an attempt, or with the whole call, is over.
    Impatient { call: Id<Call>, attempt: u16 },
    /// The pause before another attempt is over.
    Retry(Id<Call>),
    /// An instance has started up.
    Started(InstanceId),
    /// An instance that was paused when it was told to stop hears of it.
    Stop(InstanceId),
    /// A caller that was paused when its hosts changed sees whether its calls in line find room.
    ServeLines(u32),
    /// A call begins that came to a load source while that was paused.
    Begin(Id<Call>),
    /// A stopping instance has served long enough.
    GraceOver(InstanceId),
    /// A core wants to be told that time has passed.
    Wake(Core),
    /// What was appended is on disk.
    Synced(Synced),
    /// Client to registry server.
    ToRegistry(Box<registry::Input>),
    /// Registry server to client.
    FromRegistry(Box<registry::Effect>),
    /// Controller to lock store.
    ToLocks(Box<coordination::Input>),
    /// Lock store to controller.
    FromLocks(Box<coordination::Effect>),
    /// Controller to caller: how to split a service's traffic from now on.
    Split(Box<SplitOrder>),
    /// Caller to instance: how busy are you?
    Probe { caller: u32, upstream: u16, group: u8 },
    /// Instance to caller: this busy.
    Probed(Box<ProbeAnswer>),
    /// A rollout is asked for.
    RolloutAsked(u32),
    /// A watcher of a registry server that was away probes its connection: the server, the caller.
    KeepAlive(u32, u32),
    /// Warm-up is over: measuring begins.
    WarmedUp,
    /// The timeline enters its next step.
    Step,
    /// Load stops: calm is over.
    LoadEnds,
    /// After load has stopped: is anything still under way?
    Drained,
}

/// Which core of a node wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// A registry server.
    Server(u32),
    /// The registration of an instance at one of the servers.
    Registrant(InstanceId, u8),
    /// A caller's resolver.
    Resolver(u32),
    /// The lock store.
    Locks,
    /// A rollout's controller.
    Controller(u32),
    /// The controller's session with the lock store.
    Session(u32),
}

/// Whose records are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synced {
    /// A registry server's.
    Server(u32),
    /// The lock store's.
    Locks,
    /// A controller's, who does not wait for it.
    Controller,
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
pub(crate) struct Post {
    nodes: Vec<(Key, u64)>,
}

impl Post {
    /// Nodes are enrolled in the order of their ids.
    pub(crate) fn enroll(&mut self, seed: Seed, name: &str) {
        self.nodes.push((seed.stream(&format!("messages/{name}")).key(), 0));
    }

    /// The key of the next message of `node`.
    pub(crate) fn stamp(&mut self, node: NodeId) -> Key {
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
    fn rare_digest(&self) -> u64 {
        let mut fold = base::Fingerprint::EMPTY;
        match self {
            Msg::Wake(Core::Registrant(instance, server)) => {
                fold_all(&mut fold, &[8, u64::from(instance.0), u64::from(*server)]);
            }
            Msg::ToRegistry(input) => fold_input(&mut fold, input),
            Msg::FromRegistry(effect) => fold_effect(&mut fold, effect),
            // The rest has many shapes of few words each, and its debug text names every field.
            other => fold.fold_text(&format!("{other:?}")),
        }
        fold.value()
    }
}

fn fold_all(fold: &mut base::Fingerprint, words: &[u64]) {
    words.iter().for_each(|&word| fold.fold(word));
}

/// What a client says to a registry server, field by field: there may be a hundred thousand of them a second.
fn fold_input(fold: &mut base::Fingerprint, input: &registry::Input) {
    use registry::Input;
    let id = |id: u32| u64::from(id);
    match input {
        Input::Register { from, service, endpoint, ttl } => {
            // One more than the longest span stands for none.
            let ttl = ttl.map_or(0, |ttl| ttl.as_nanos().wrapping_add(1));
            fold_all(fold, &[10, id(from.0), id(service.0), endpoint.digest(), ttl]);
        }
        Input::Renew { from, instance, lease } => fold_all(fold, &[11, id(from.0), id(instance.0), lease.0]),
        Input::Deregister { from, instance, lease } => fold_all(fold, &[12, id(from.0), id(instance.0), lease.0]),
        Input::SetDraining { from, instance, lease, draining } => {
            fold_all(fold, &[13, id(from.0), id(instance.0), lease.0, u64::from(*draining)]);
        }
        Input::Watch { watcher, service, after } => fold_all(fold, &[14, id(watcher.0), id(service.0), after.0]),
        Input::Unwatch { watcher, service } => fold_all(fold, &[15, id(watcher.0), id(service.0)]),
        Input::Fetch { from, service, after } => fold_all(fold, &[16, id(from.0), id(service.0), after.0]),
        Input::Wake => fold.fold(17),
        Input::Date(date) => fold_all(fold, &[18, date.as_nanos()]),
    }
}

/// What a registry server says, field by field; a view by its revision and by the digest that was made of it once.
fn fold_effect(fold: &mut base::Fingerprint, effect: &registry::Effect) {
    use registry::Effect;
    let id = |id: u32| u64::from(id);
    match effect {
        Effect::Granted { to, instance, lease, ttl } => {
            fold_all(fold, &[20, id(to.0), id(instance.0), lease.0, ttl.as_nanos()]);
        }
        Effect::Renewed { to, instance, lease } => fold_all(fold, &[21, id(to.0), id(instance.0), lease.0]),
        Effect::LeaseUnknown { to, instance, lease } => fold_all(fold, &[22, id(to.0), id(instance.0), lease.0]),
        Effect::Deregistered { to, instance, lease } => fold_all(fold, &[23, id(to.0), id(instance.0), lease.0]),
        Effect::DrainingSet { to, instance, lease, draining } => {
            fold_all(fold, &[24, id(to.0), id(instance.0), lease.0, u64::from(*draining)]);
        }
        Effect::Watching { to, service, revision } => fold_all(fold, &[25, id(to.0), id(service.0), revision.0]),
        Effect::Push { to, service, view } => {
            fold_all(fold, &[26, id(to.0), id(service.0), view.revision.0, view.digest()]);
        }
        Effect::Fetched { to, service, view } => {
            let (revision, digest) = view.as_ref().map_or((0, 0), |view| (view.revision.0, view.digest()));
            fold_all(fold, &[27, id(to.0), id(service.0), u64::from(view.is_some()), revision, digest]);
        }
        Effect::Persist(_) | Effect::Note(_) => fold.fold_text(&format!("{effect:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_node_sends_changes_nothing_for_another() {
        let post = |seed, busy: u64| {
            let mut post = Post::default();
            ["registry-1", "gateway-1"].into_iter().for_each(|name| post.enroll(Seed(seed), name));
            (0..busy).for_each(|_| {
                post.stamp(NodeId(0));
            });
            [post.stamp(NodeId(1)), post.stamp(NodeId(1))]
        };
        assert_eq!(post(1, 0), post(1, 99));
        assert_ne!(post(1, 0), post(2, 0), "another seed, other chances");
        assert_ne!(post(1, 0)[0], post(1, 0)[1]);
    }
}
