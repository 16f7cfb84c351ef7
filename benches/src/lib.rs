//! Criterion benches and the yardstick.
