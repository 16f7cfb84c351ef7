//! What is written about a run, tested on a run made by hand.

mod fixture;
mod markup;
mod page;
mod text;
