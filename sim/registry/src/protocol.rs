//! What a server hears ([`Input`]), does ([`Effect`]) and tells ([`Event`]).
//!
//! The clients speak of the same things from their side in `registrant` and `resolver`; the driver carries one to the
//! other and may lose, repeat, delay and reorder them. Every message says whom it is about, so that none of that can
//! make a server act for the wrong instance.

use crate::record::Record;
use crate::registry::Stamp;
use crate::view::{Endpoint, View};
use base::{Duration, InstanceId, Instant, LeaseId, NodeId, Revision, ServiceId};
use std::fmt;
use std::sync::Arc;

/// What a server hears. Each takes O(log n) beside the effects it causes.
#[derive(Clone, Debug)]
pub enum Input {
    /// List this endpoint. The same endpoint from the same node again keeps its lease and starts it anew, so a repeated
    /// message changes nothing; anything else about a listed instance replaces what was known and grants a new lease.
    Register {
        /// Who asks and is answered.
        from: NodeId,
        /// The service it joins.
        service: ServiceId,
        /// How callers shall see it.
        endpoint: Endpoint,
        /// How long it may stay silent; `None` takes the store's default.
        ttl: Option<Duration>,
    },
    /// I am still here. Answered with `Renewed`, or `LeaseUnknown` when lease and instance do not belong together.
    Renew {
        /// Who asks and is answered.
        from: NodeId,
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
    },
    /// Take me out now.
    Deregister {
        /// Who asks and is answered.
        from: NodeId,
        /// The instance.
        instance: InstanceId,
        /// Its lease; another one's is refused with `LeaseUnknown`, so that a late message cannot unlist a successor.
        lease: LeaseId,
    },
    /// Keep me listed, but say that I want nothing new (or that I do again).
    SetDraining {
        /// Who asks and is answered.
        from: NodeId,
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
        /// What callers shall see from now on.
        draining: bool,
    },
    /// Tell me of every change after `after`, from now until `Unwatch`. Answered at once with the view when there is
    /// one that differs from `after` or `after` is zero, with `Watching` otherwise. Watching again moves the watch.
    Watch {
        /// Who asks and is told.
        watcher: NodeId,
        /// What it watches.
        service: ServiceId,
        /// The revision it holds; zero for nothing.
        after: Revision,
    },
    /// Tell me nothing more.
    Unwatch {
        /// Who asked.
        watcher: NodeId,
        /// What it watched.
        service: ServiceId,
    },
    /// What do you have that differs from `after`? Asked once, answered once.
    Fetch {
        /// Who asks and is answered.
        from: NodeId,
        /// What it asks for.
        service: ServiceId,
        /// The revision it holds; zero is always answered with a view.
        after: Revision,
    },
    /// The server's wall clock shows this date, in nanoseconds since 1970. A server with dated leases is told before
    /// every other input; others need not be.
    Date(Instant),
    /// Time has passed.
    Wake,
}

/// What a server wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answer: listed, for at least `ttl` from now.
    Granted {
        /// Who asked.
        to: NodeId,
        /// The instance.
        instance: InstanceId,
        /// What it renews with.
        lease: LeaseId,
        /// How long it may stay silent.
        ttl: Duration,
    },
    /// Answer: listed for another ttl.
    Renewed {
        /// Who asked.
        to: NodeId,
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
    },
    /// Answer: there is no such lease of this instance; the state is as it was. Who wants to be listed registers again.
    LeaseUnknown {
        /// Who asked.
        to: NodeId,
        /// The instance.
        instance: InstanceId,
        /// The lease it named.
        lease: LeaseId,
    },
    /// Answer: taken out.
    Deregistered {
        /// Who asked.
        to: NodeId,
        /// The instance.
        instance: InstanceId,
        /// The lease it had.
        lease: LeaseId,
    },
    /// Answer: callers will see `draining`.
    DrainingSet {
        /// Who asked.
        to: NodeId,
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
        /// What is shown.
        draining: bool,
    },
    /// Answer: the watch stands and there is nothing that differs from what the watcher holds.
    Watching {
        /// Who asked.
        to: NodeId,
        /// What it watches.
        service: ServiceId,
        /// The revision both sides have.
        revision: Revision,
    },
    /// News for a watcher.
    Push {
        /// Who watches.
        to: NodeId,
        /// What changed.
        service: ServiceId,
        /// How it is now.
        view: Arc<View>,
    },
    /// Answer to a fetch.
    Fetched {
        /// Who asked.
        to: NodeId,
        /// What was asked for.
        service: ServiceId,
        /// The view, or `None` when it is the one the asker holds.
        view: Option<Arc<View>>,
    },
    /// Append this to the log before doing what follows.
    Persist(Record),
    /// Something happened that a trace or an invariant wants to know.
    Note(Event),
}

/// What happened, for traces and invariants; prints as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An instance is listed, anew or with another endpoint.
    Registered {
        /// The service it joined.
        service: ServiceId,
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
        /// The change's revision.
        revision: Revision,
    },
    /// An instance left.
    Deregistered {
        /// The service it left.
        service: ServiceId,
        /// The instance.
        instance: InstanceId,
        /// The lease it had.
        lease: LeaseId,
        /// The change's revision.
        revision: Revision,
    },
    /// An instance was silent for longer than its ttl and was taken out.
    Expired {
        /// The service it was in.
        service: ServiceId,
        /// The instance.
        instance: InstanceId,
        /// The lease that ended.
        lease: LeaseId,
        /// The change's revision.
        revision: Revision,
    },
    /// An instance began to drain or opened again.
    Drained {
        /// The service it is in.
        service: ServiceId,
        /// The instance.
        instance: InstanceId,
        /// What callers see from now on.
        draining: bool,
        /// The change's revision.
        revision: Revision,
    },
    /// A pass found ended leases and kept them, because too few renewals arrived to trust the silence.
    Preserved {
        /// Leases past their end.
        expired: u64,
        /// Renewals in the last whole window.
        renewals: u64,
        /// How many it would have to exceed.
        threshold: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Registered { service, instance, lease, revision } => {
                write!(f, "{instance} registered in {service} with {lease} at {}", Stamp(*revision))
            }
            Event::Deregistered { service, instance, lease, revision } => {
                write!(f, "{instance} deregistered from {service} with {lease} at {}", Stamp(*revision))
            }
            Event::Expired { service, instance, lease, revision } => {
                write!(f, "{instance} expired from {service} with {lease} at {}", Stamp(*revision))
            }
            Event::Drained { service, instance, draining: true, revision } => {
                write!(f, "{instance} drains in {service} at {}", Stamp(*revision))
            }
            Event::Drained { service, instance, draining: false, revision } => {
                write!(f, "{instance} opens again in {service} at {}", Stamp(*revision))
            }
            Event::Preserved { expired, renewals, threshold } => {
                write!(f, "kept {expired} ended leases: {renewals} renewals do not exceed {threshold}")
            }
        }
    }
}
