//! What is written about a study: console, JSON, and a folder with a page, plots and tables.
//!
//! [`study::Results`] come in, and everything that is written follows from them. Equal results give equal bytes.

mod console;
mod data;
mod page;
mod plot;
mod words;

pub use console::console;
pub use data::json;
pub use page::write;
