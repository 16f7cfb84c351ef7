//! The machine room: time, chance, nodes, network, disks, clocks, faults and the record of it all. It knows no
//! protocol.
//!
//! > Same calls in the same order under the same seed give the same events and the same fingerprint, on every machine.
//!
//! Read in this order:
//!
//! - [`queue`]: what happens next.
//! - [`network`], [`rule`]: what becomes of a packet on its way, and how faults interfere.
//! - [`node`], [`clock`], [`disk`]: what a virtual machine is.
//! - [`fault`], [`select`]: what goes wrong, for whom.
//! - [`trace`]: the record of a run, and its fingerprint.
//! - [`run`]: the loop in which they meet.

pub mod clock;
pub mod disk;
pub mod fault;
pub mod network;
pub mod node;
pub mod queue;
pub mod rule;
pub mod run;
pub mod select;
pub mod trace;

pub use fault::{Fault, FaultKind, Path};
pub use network::{Link, Network, Transport};
pub use node::{Crash, Nodes, State};
pub use queue::{Lane, TimerId};
pub use run::{Bounce, Event, Kernel, Kind, Message};
pub use select::Selector;
