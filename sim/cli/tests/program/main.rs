//! The built program, as a person or a pipeline meets it: arguments in; two streams, files and a number out.
//!
//! - `help`: what it says about itself, as golden text.
//! - `wrong`: bad input of every kind; each a clear message, exit code 2, nothing written.
//! - `runs`: verdicts and their numbers, seeds, jobs, JSON.
//! - `files`: reports, traces, new scenarios.
//! - `replays`: stories.
//! - `compares`: studies, their resumption, their shards.
//! - `keeps`: what is kept when something ends too early, and what is refused so that nothing is lost.
//! - `decides`: decisions without a simulation.
//! - `routes`: choices without a simulation, public vectors among them.

mod support;

mod help;

mod wrong;

mod runs;

mod files;

mod replays;

mod decides;

mod routes;

mod compares;

mod keeps;
