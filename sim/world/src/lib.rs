//! Where cores and kernel meet: roles, workloads, invariants, outcome.

pub mod outcome;
