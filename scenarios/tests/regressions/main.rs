//! Scenarios that once showed something wrong, each run by what it shows.
//!
//! The files lie in `files/`, as small as they could be made; a comment at the top of each says what happened. A test
//! runs one and says, in one sentence, what must be seen instead.

mod bursts;
mod clocks;
mod common;
mod overflows;
mod paused;
mod registries;
mod requests;
mod rollouts;
mod selectors;
mod sizes;
mod standstill;
mod throttles;
