//! What is written about a study, and the statistics and theory behind it.

mod fixture;
#[path = "../reports/markup.rs"]
mod markup;
mod page;
mod stats;
mod text;
mod theory;
