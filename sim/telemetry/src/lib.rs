//! Core: what was counted and how long it took, in memory fixed before the run begins.
//!
//! | type | answers | memory |
//! | --- | --- | --- |
//! | [`Counter`] | how often | 8 bytes |
//! | [`Latency`] | how long, over a whole run, to 0.1 % | about 384 KiB |
//! | [`Profile`] | the same after the run, to be kept and added up | 16 bytes per bin in use |
//! | [`Sketch`] | how long, to 3 %, where there are many of them | 3.5 KiB |
//! | [`SuccessWindow`] | how it went in the last seconds | a [`Sketch`] per slot |
//! | [`Series`], [`LatencySeries`] | how it went over time | 8 bytes, or a [`Sketch`], per step |
//!
//! > Recording allocates nothing, never fails, and costs a few nanoseconds. Reading may cost more.
//!
//! Everything here is arithmetic on integers: means come from exact sums, quantiles from exact ranks. What is kept
//! folds into a [`Fingerprint`](base::Fingerprint), so that two runs that measured differently differ.

mod buckets;
mod counter;
mod latency;
mod profile;
mod series;
mod sketch;
mod window;

pub use counter::Counter;
pub use latency::{Bucket, Latency};
pub use profile::Profile;
pub use series::{Axis, LatencySeries, Series};
pub use sketch::Sketch;
pub use window::{Counts, SuccessWindow};
