//! What is written about a study, and the statistics and theory behind it.

mod stats;
mod theory;
