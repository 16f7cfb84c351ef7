//! Where cores and kernel meet: a complete service-governance stack on virtual nodes.
//!
//! A [`Spec`] says what there is: zones, a registry, services with versions and downstream calls, a gateway, load,
//! rollouts, faults, and what is expected. [`run`] makes it happen under a seed and answers with an [`Outcome`].
//!
//! ```text
//!   load ──▶ gateway ──▶ instance ──▶ instance          a request's way: view, balancer, network, queue, work, calls
//!     │         │           │  ▲
//!     └─────────┴── watch ──┤  │ register, renew          registry servers, with disks
//!                           ▼  │
//!                         registry      coordination ◀── lock ── controller ──▶ orchestrator, traffic weights
//! ```
//!
//! Read in this order:
//!
//! - [`spec`], [`outcome`]: what goes in and what comes out.
//! - `run`, `world`: the loop, and the four parts of a world.
//! - `data`: a request's life. These are the hot files.
//! - `fleet`: services and instances; `process`: registry, lock store and rollouts on their nodes.
//! - [`invariant`]: what must hold. [`theory`]: what queueing theory says of the simplest worlds.
//! - `build`, `finish`: the first moment and the last.

mod age;
mod build;
mod catalogue;
mod check;
mod data;
mod finish;
mod fleet;
pub mod invariant;
mod options;
pub mod outcome;
mod process;
mod role;
pub mod roles;
mod run;
mod sabotage;
mod sim;
mod slab;
pub mod spec;
mod standstill;
pub mod theory;
mod wire;
mod world;

pub use {balancer, kernel, registry, rollout, telemetry, traffic, version};

pub use options::{Options, Run};
pub use outcome::{Outcome, Verdict};
pub use run::{run, try_run};
pub use sabotage::Sabotage;
pub use spec::Spec;
pub use standstill::{Free, Progress, Standstill};
