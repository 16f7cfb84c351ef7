//! What goes into a rollout and what comes out of it.

use crate::{Event, State};
use base::{Duration, FencingToken, Ratio, ServiceId, VersionId};

/// Something a rollout is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Begin, or go on after [`Rollout::recover`](crate::Rollout::recover). Told twice, it changes nothing.
    Start,
    /// The lock of the service is ours, under this token. A grant that is older than a lock already lost is ignored;
    /// one that comes after the end is given back at once.
    LockGranted {
        /// The token of this grant, larger than that of every grant before.
        token: FencingToken,
        /// The version that the service was left at by whoever settled last; the plan's `from` when nobody can say. A
        /// rollout that has not begun starts from it, and is over when it is the one that is wanted.
        running: Option<VersionId>,
        /// True when the wanted version is the one that the service was left at, and `running` is what a rollout that
        /// nobody brought to its end has left beside it. Then there is nothing to try and nowhere to go back to: no
        /// steps, no checks, no rollback, and no order gives `running` more than it has.
        returns: bool,
        /// True when a later rollout of the service began while this one was without the lock: it ends, and leaves
        /// everything to that one.
        superseded: bool,
    },
    /// Somebody else holds the lock.
    LockRefused {
        /// When to ask again; none means after the plan's `lock_retry`.
        retry_after: Option<Duration>,
    },
    /// The lock is ours no more. Nothing is done to the world until it is granted again.
    LockLost,
    /// What the world looks like: the answer to [`Effect::Observe`], or volunteered. Looks may be skipped, but an older
    /// one must not come after a newer one.
    Observed(Observation),
    /// How the new version does: the answer to [`Effect::Measure`]. One that was not asked for is ignored.
    Measured(Measurement),
    /// Go on from a [`Step::Pause`](crate::Step::Pause); ignored anywhere else.
    Promote,
    /// Stop and go back. Ignored when already on the way back or at an end.
    Abort,
    /// [`Core::deadline`](base::Core::deadline) has come. Coming early or twice does no harm.
    Wake,
}

/// What the world looks like, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The instances of the plan's `from`.
    pub old: Instances,
    /// The instances of the plan's `to`.
    pub new: Instances,
    /// The instances of all other versions, which an earlier rollout left behind.
    pub others: u32,
    /// The share of traffic the router gives to the new version; none where the router splits by instances or cannot
    /// say. A share other than the one last commanded makes the rollout command it again.
    pub weight: Option<Ratio>,
}

/// The instances of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// How many there should be: what the last [`Effect::Scale`] the world carried out said.
    pub desired: u32,
    /// How many there are, starting, serving and on their way out alike. A rollout ends only when the last one is gone.
    pub total: u32,
    /// How many of the desired ones have been ready for at least the plan's `min_ready`, without a break. Those on
    /// their way out do not count.
    pub available: u32,
}

/// How the new version did in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// The share of its requests that succeeded; none when there were none.
    pub success: Option<Ratio>,
    /// The latency that 99 % of its requests did not pass; none when there were none.
    pub p99: Option<Duration>,
    /// How many of its requests ended in the window.
    pub samples: u64,
}

/// Something a rollout wants done.
///
/// Those with a token change the world; whoever carries one out must refuse a token smaller than one already seen. They
/// are declarations and may come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask for the lock of the service; answer with [`Input::LockGranted`] or [`Input::LockRefused`].
    AcquireLock {
        /// Whose lock.
        service: ServiceId,
    },
    /// Give the lock back.
    ReleaseLock {
        /// The token of the grant.
        token: FencingToken,
    },
    /// There should be `replicas` instances of `version`. When there are too many, those not available go first.
    Scale {
        /// The right to do so.
        token: FencingToken,
        /// Of what.
        version: VersionId,
        /// How many.
        replicas: u32,
    },
    /// There should be no instance of any version but these two.
    RemoveOthers {
        /// The right to do so.
        token: FencingToken,
        /// The plan's `from` and `to`.
        keep: [VersionId; 2],
    },
    /// Split the traffic of the service by version. The shares add up to one; old version first.
    SetWeights {
        /// The right to do so.
        token: FencingToken,
        /// Which version gets which share.
        weights: [(VersionId, Ratio); 2],
        /// The largest share that the new version may have by the step that gives this order: what an invariant
        /// compares the order with. A step without a hold is over before its order is carried out.
        limit: Ratio,
    },
    /// Split the traffic of the service by instances, whatever their version: what a rolling update relies on.
    ClearWeights {
        /// The right to do so.
        token: FencingToken,
    },
    /// Look at the instances and answer with [`Input::Observed`].
    Observe {
        /// How long an instance must have been ready to be called available.
        min_ready: Duration,
    },
    /// Look at the last `window` of a version's requests and answer with [`Input::Measured`]. No answer until the next
    /// check counts as a measurement without data.
    Measure {
        /// Whose requests.
        version: VersionId,
        /// How far back.
        window: Duration,
    },
    /// Keep this for [`Rollout::recover`](crate::Rollout::recover). It comes before the effects that follow from it;
    /// when it is lost, an older state leads to the same end by a longer way.
    Persist(State),
    /// Something happened that people want to read.
    Note(Event),
}
