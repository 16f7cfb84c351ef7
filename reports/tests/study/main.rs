//! What is written about a study.

mod fixture;
#[path = "../reports/markup.rs"]
mod markup;
mod page;
mod pooled;
mod text;
