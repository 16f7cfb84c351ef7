//! Everything that is tested about whole worlds, in one binary:
//!
//! - `worlds`: a stack left alone, disturbed, and stormed; equal seeds, equal runs.
//! - `theory`: queues against the closed forms of queueing theory.
//! - `sabotage`: a planted bug for every invariant.
//! - `chaos`: random faults, one plan a seed.
//! - `eligibility`: zones that fail, instances that come cold or answer badly, sessions that stay.
//! - `lines`: calls that wait in line at their caller.
//! - `yardsticks`: strategies that know more than a client can, and the crossovers of those that know less.
//! - `common`: how the worlds are built.

mod chaos;
mod common;
mod eligibility;
mod lines;
mod sabotage;
mod theory;
mod worlds;
mod yardsticks;
