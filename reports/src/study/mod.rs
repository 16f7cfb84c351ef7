//! A study's results: many runs, compared.
//!
//! A [`Plan`] says what is run; every run leaves a [`Sample`]; both together are [`Results`], from which everything
//! that is written follows. Equal results give equal bytes.

mod analysis;
mod console;
mod data;
pub(crate) mod estimates;
mod measure;
mod page;
mod plan;
mod plot;
pub(crate) mod pool;
mod sample;
pub mod stats;
pub mod theory;

pub use console::console;
pub use data::json;
pub use measure::Measure;
pub use page::write;
pub use plan::{Axis, Cell, Comparison, Kind, PickTime, Plan, PlotKind, PlotSpec, Results};
pub use sample::{Failure, Fault, Hashing, Heat, Latencies, Sample, Series, Swamped};
pub use theory::Theory;
