//! The fleet: services and their instances, how they are created, scaled and stopped, and what becomes of them when
//! machines die and come back.
//!
//! ```text
//!   create ─▶ Starting ──start-up──▶ Serving ──stop──▶ Draining ──grace──▶ Gone
//!                ▲                      │     └─stop──▶ Closing ──idle or grace──▶ Gone
//!                └── node comes up ─────┘ node goes down: everything under way is lost
//! ```
//!
//! Stopping takes an instance out of the registry first and lets it serve for a grace period, because callers learn
//! late; that is the race between endpoint removal and SIGTERM that every rolling update runs
//! (kubernetes/kubernetes#43576). An instance that refuses while it drains ends as soon as it is idle. At the end of
//! its grace either is killed, and its callers' connections are reset, as a kubelet does after
//! `terminationGracePeriodSeconds`.
//!
//! What runs beside instances (registrations, resolvers, whatever else) is told by a [`Notice`], through [`Guests`]:
//! the fleet does not know who listens.

mod callers;
mod create;
mod nodes;
mod scale;
pub(crate) mod service;
mod stop;

use crate::data::Data;
use crate::sim::Sim;
use base::{NodeId, ServiceId};
use kernel::Crash;
use service::Service;
use std::fmt::Debug;

/// What the orchestrator keeps.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Indexed as [`Data::services`].
    pub(crate) services: Vec<Service>,
}

/// The place where a fleet is worked on: what it may use, and whom it tells.
pub(crate) struct Site<'a> {
    pub(crate) sim: &'a mut Sim,
    pub(crate) data: &'a mut Data,
    pub(crate) fleet: &'a mut Fleet,
    pub(crate) guests: &'a mut dyn Guests,
}

/// Something about the fleet that processes beside it want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A node was made for an instance.
    Created(NodeId),
    /// The caller on a node begins to call: it wants to know whom.
    Calling(NodeId),
    /// The instance on a node begins to serve.
    Serving(NodeId),
    /// The instance on a node was told to stop.
    Stopping(NodeId),
    /// The instance on a node has left for good, and the node with it.
    Left(NodeId),
    /// Other instances than before serve this service.
    Changed(ServiceId),
}

/// Who is told what happens to the fleet and to its machines.
pub(crate) trait Guests: Debug {
    /// Something has happened to the fleet.
    fn notice(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet, notice: Notice);

    /// The processes of a node have gone down.
    fn down(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet, node: NodeId, crash: Crash);

    /// A node came up: its processes begin another life.
    fn boot(&mut self, sim: &mut Sim, data: &mut Data, fleet: &mut Fleet, node: NodeId);
}

impl Site<'_> {
    /// Tells everybody who listens.
    pub(crate) fn tell(&mut self, notice: Notice) {
        self.guests.notice(self.sim, self.data, self.fleet, notice);
    }
}
