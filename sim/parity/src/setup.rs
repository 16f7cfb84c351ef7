//! What madsim is to run: the part of a world's description that registry, lock store, rollout and their clients need.
//!
//! One service, its callers, at most one rollout, and faults that both drivers can mean. Nodes stand in zones in turn,
//! as in the world: the registry and the lock store in the first, the controller in the second, callers and instances
//! one after the other.

use base::{Dist, Duration, InstanceId, Instant, Ratio, ServiceId, ZoneId};

/// Everything about a run but its seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many zones, at least one.
    pub zones: u32,
    /// How long it runs.
    pub length: Duration,
    /// The service; its instances start at version 0.
    pub service: ServiceId,
    /// Its versions' names, indexed by version.
    pub versions: Vec<String>,
    /// The chance that a version answers a call with an error, indexed by version.
    pub error_rates: Vec<Ratio>,
    /// Instances at the start.
    pub instances: u32,
    /// Work per call.
    pub service_time: Dist,
    /// From the start of a process to its first call; the first instances serve at once.
    pub start_up: Duration,
    /// How long an instance that was told to stop goes on serving.
    pub grace: Duration,
    /// How many callers.
    pub callers: u32,
    /// From one call of a caller to its next.
    pub call_every: Duration,
    /// How long a caller waits for an answer.
    pub call_timeout: Duration,
    /// Times and rules of the registry.
    pub registry: registry::Config,
    /// How instances register.
    pub registrant: registry::registrant::Config,
    /// How callers learn of instances.
    pub resolver: registry::resolver::Config,
    /// What is rolled out, and when it is asked for.
    pub rollout: Option<(Instant, rollout::Plan)>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// A deliberate mistake of the driver, to show that the comparison notices.
    pub plant: Option<Plant>,
}

/// Something that goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it begins.
    pub at: Instant,
    /// How long it lasts.
    pub lasts: Duration,
    /// What it is.
    pub kind: FaultKind,
}

/// What goes wrong, in madsim's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `Handle::kill`, and `Handle::restart` when it ends.
    Kill(Whom),
    /// `Handle::pause`, and `Handle::resume` when it ends.
    Pause(Whom),
    /// `NetSim::clog_node`: datagrams to and from it are dropped, streams wait.
    Clog(Whom),
    /// `NetSim::clog_link` both ways between every node of this zone and every other.
    CutOff(ZoneId),
}

/// A node by its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// The registry server.
    Registry,
    /// The lock store.
    Locks,
    /// The rollout's controller.
    Controller,
    /// A caller, from zero.
    Caller(u32),
    /// An instance, in order of creation.
    Instance(InstanceId),
}

/// A deliberate mistake of this driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The registry process sends each watcher its first push and drops the others.
    DropPushes,
    /// The controller process never gives the lock back.
    KeepLock,
    /// Instances that are told to stop do not tell the registry.
    LeaveSilently,
    /// Instances do not renew: what their core wants sent for it is dropped.
    DropRenewals,
}

impl Setup {
    /// The zone of the `n`-th node of a group.
    pub fn zone_in_turn(&self, n: u32) -> ZoneId {
        ZoneId(n % self.zones)
    }
}
