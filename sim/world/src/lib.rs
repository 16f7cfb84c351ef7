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
//! - `call`, `line`, `instance`, `caller`, `load`: a request's life. These are the hot files.
//! - `life`: the life of instances; `role`: registry, lock store and controller on their nodes.
//! - [`invariant`]: what must hold. [`theory`]: what queueing theory says of the simplest worlds.
//! - `build`, `world`, `finish`: the first moment, the loop, the last moment.

mod again;
mod age;
mod alarm;
mod build;
mod call;
mod caller;
mod check;
mod date;
mod demand;
mod finish;
mod instance;
pub mod invariant;
mod life;
mod line;
mod load;
mod metrics;
pub mod outcome;
mod probe;
mod report;
mod role;
pub mod roles;
mod sabotage;
mod sharing;
mod slab;
pub mod spec;
mod standstill;
pub mod theory;
mod unfinished;
mod wire;
mod world;

pub use {balancer, kernel, registry, rollout, telemetry, traffic, version};

pub use outcome::{Outcome, Verdict};
pub use sabotage::Sabotage;
pub use spec::Spec;
pub use standstill::{Free, Progress, Standstill};
pub use world::{Options, Run, run, try_run};
