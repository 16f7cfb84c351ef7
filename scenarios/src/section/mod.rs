//! The sections of a scenario file, one module a section: what may be written in it, and what becomes of it.

pub mod fault;
