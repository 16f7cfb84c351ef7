//! What is written about a study, and the statistics and theory behind it.

mod fixture;
mod stats;
mod text;
mod theory;
