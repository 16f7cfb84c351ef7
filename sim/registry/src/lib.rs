//! Core: who is alive and where.
//!
//! A registry is a catalogue with leases. An instance registers and renews; who stops renewing is taken out when its
//! lease ends; callers watch or poll and keep what they saw last. Three state machines play the three parts:
//!
//! ```text
//!   instance's node              server                     caller's node
//!  ┌────────────┐  register   ┌──────────┐  watch, fetch   ┌──────────┐
//!  │ Registrant │ ──────────▶ │ Registry │ ◀────────────── │ Resolver │ ──▶ Arc<View>
//!  └────────────┘ renew, leave└──────────┘ ──────────────▶ └──────────┘
//!                                  │         push, fetched
//!                                  ▼ Persist(Record)
//! ```
//!
//! None of them sends, waits or writes: each has `handle(now, input, out)`, `deadline()` and getters.
//!
//! > **Contract.** Call `handle` with every message that arrives and with `Wake` at the moment `deadline` names, or
//! > later; ask for the deadline again after each call. Effects are to be done in the order in which they stand in the
//! > outbox. Where a store must survive a crash, a [`Record`] is on disk before any effect behind it leaves the node;
//! > a driver that does not wait for its disk may lose what it told others, and the next term says so to everybody
//! > (see [`Registry::recover`]).
//!
//! What always holds:
//!
//! - A lease's ttl is a lower bound: nobody who renews in time is taken out, whatever else happens to the server.
//! - The revisions of one server only grow, also over a restart that lost its disk: a term sits in their upper half.
//! - A watcher is told of the last change of its service, though not of each one before it.
//! - A caller that lost its registry keeps its last view.
//!
//! One server is one store. Agreement among servers is not here: where a world runs several, each knows what was
//! registered at it.
//!
//! Read in this order:
//!
//! - [`view`]: what a caller sees.
//! - [`protocol`]: what a server hears, does and tells.
//! - [`config`]: times and rules, with Consul's, etcd's and Eureka's.
//! - [`registry`](mod@registry): the server; beneath it `catalogue` (views, watchers), `expiry` (lease deadlines),
//!   `preservation` (Eureka's brake) and `grid` (periods, and who is where in them).
//! - [`record`]: what survives a restart.
//! - [`registrant`] and [`resolver`]: the clients, with [`backoff`] between them.

pub mod backoff;
mod catalogue;
pub mod config;
mod digest;
mod expiry;
mod grid;
mod preservation;
pub mod protocol;
pub mod record;
pub mod registrant;
pub mod registry;
pub mod resolver;
pub mod view;

pub use backoff::Backoff;
pub use config::{Config, ConfigError, SelfPreservation};
pub use protocol::{Effect, Event, Input};
pub use record::{Damage, Record};
pub use registrant::Registrant;
pub use registry::{Registry, Stamp, term};
pub use resolver::Resolver;
pub use view::{Endpoint, View};
