//! What a scenario may say, drawn at random: for tests that run whatever can be written, and for whoever explores what
//! may go wrong with a scenario.
//!
//! - [`Dice`]: values, of any size that has a meaning, and now and then the ends of what is allowed.
//! - [`faults`]: faults for a scenario that is there, in whom they mean, when, and how much.
//!
//! Everything here follows from a seed. What is drawn can be written into a file, and what is written can run: the
//! tests hold this against thousands of scenarios.

mod dice;
mod fault;
pub(crate) mod whom;

pub use dice::Dice;
pub use fault::{Weather, faults};
