//! What is kept of one run, how it comes about, and its text.

mod filling;
mod kept;
mod latencies;
pub mod record;
mod run;
mod unevenness;

pub use filling::Filling;
pub use kept::{Failure, Fault, Heat, Sample, Series, Swamped};
pub use latencies::Latencies;
pub use record::{Identity, Unusable};
pub use unevenness::jain;
