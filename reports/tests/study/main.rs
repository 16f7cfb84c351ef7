//! What is written about a study, and the statistics and theory behind it.

mod fixture;
#[path = "../reports/markup.rs"]
mod markup;
#[expect(dead_code, reason = "the other report's tests need more of it")]
#[path = "../reports/fixture.rs"]
mod outcome;
mod page;
mod pooled;
mod sample;
mod stats;
mod text;
mod theory;
