//! Outcomes become console tables, JSON, CSV, SVG and one HTML page.
//!
//! A run ends in a [`world::outcome::Outcome`]: plain numbers that know nothing of text. This crate is the border where
//! they become something to read, and nothing else happens here: no clock is read, no chance is drawn, and the only
//! files written are those of [`page::write`], in the folder it is given. Equal outcomes give equal bytes; the one
//! number that differs between two equal runs, the time on the wall, is an argument and goes to the console and to JSON
//! only.
//!
//! Read in this order:
//!
//! - [`console`]: what a person sees after a run, and after many seeds.
//! - [`json`]: what a program reads: one object a run.
//! - [`csv`]: the data behind every plot and table.
//! - [`plot`]: six pictures, drawn with plotters.
//! - [`page`]: all of it in one folder, with a page that needs nothing else.
//! - [`study`]: many runs compared, with a page of their own; the figures are those of the crate `study`.

pub mod console;
pub mod csv;
pub mod json;
pub mod page;
pub mod plot;
pub mod study;

mod number;
mod section;

pub use number::count;
