//! What is written about a study: the page with its plots, the console, JSON and CSV; and that they agree with the
//! pooled latencies of its runs.

mod fixture;
#[path = "../reports/markup.rs"]
mod markup;
mod page;
mod pooled;
mod text;
