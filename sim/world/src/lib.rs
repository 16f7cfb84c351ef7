//! Where cores and kernel meet: roles, workloads, invariants, outcome.

pub mod invariant;
pub mod outcome;
pub mod spec;

pub use {balancer, kernel, registry, rollout, traffic, version};

pub use outcome::{Outcome, Verdict};
pub use spec::Spec;
