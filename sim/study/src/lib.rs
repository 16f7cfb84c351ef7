//! A study: many runs of a varied scenario, or many fillings of hashing structures, and what they say together.
//!
//! ```text
//!   Plan: axes, cells, seeds,          world::run ─▶ Outcome ─┐
//!   what is compared, what is drawn                           ├─▶ Sample ─▶ Results ─▶ Analysis
//!                                      Hashing ───────────────┘  (a line of JSON)      (estimates, rankings, warnings)
//! ```
//!
//! Read in this order:
//!
//! - [`Plan`]: what is varied, run and compared; complete before the first run, and without a word about results.
//! - [`Measure`] and [`Theory`]: the numbers of a run, and the curves that they are held against.
//! - [`Sample`]: what is kept of one run; [`record`] is its text, with identity and checksum.
//! - [`stats`] and [`Pool`]: intervals, paired differences, corrections, rankings; latencies of all seeds pooled.
//! - [`Analysis`]: everything that reports say of a study, as numbers.
//!
//! What always holds: equal plans and equal samples give equal figures, bit for bit, on every machine and in whichever
//! order the samples came. Nothing here opens a file, reads a clock or a study file, or draws a picture.

mod analysis;
mod cell;
mod estimates;
mod hashing;
mod measure;
mod plan;
mod pool;
mod results;
mod sample;
pub mod stats;
mod theory;
mod warm_up;
mod warning;

pub use analysis::{Analysis, Combination, Compared};
pub use cell::Cell;
pub use hashing::{Hashing, Misfit, Parameter};
pub use measure::{Measure, Unit};
pub use plan::{Axis, Comparison, Kind, Plan, PlotKind, PlotSpec};
pub use pool::Pool;
pub use results::{Origin, PickTime, Results};
pub use sample::{Failure, Fault, Filling, Heat, Identity, Latencies, Sample, Series, Swamped, Unusable, jain, record};
pub use theory::Theory;
pub use warm_up::WarmUp;
pub use warning::Warning;
