//! Explorations: one scenario under many seeds, its figures held against arithmetic.
//!
//! Each is written twice: small, for every day, and in full, ignored, which `cargo xtask soak NAME` starts. What a full
//! one is told stands in the environment: `SOAK_SEEDS` (how many), `SOAK_JOBS` (threads, one by default) and
//! `SOAK_FOLDER`, where each seed's figure is kept as soon as it is there, so that an exploration that was stopped goes
//! on where it was. Its last line is a row of a table in Markdown: name, seeds, least, mean with standard error,
//! deviation, most, what was expected.
#![expect(clippy::print_stdout, reason = "a full exploration speaks to whoever started it")]

mod coverage;
mod exposure;
mod figures;
#[path = "../generate/mod.rs"]
mod generate;
mod generated;
mod library;
mod scale;
