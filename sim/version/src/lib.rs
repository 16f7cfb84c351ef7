//! Core: versions, ranges, history.
