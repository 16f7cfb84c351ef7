//! Samples of runs made by hand, the statistics over them, and theory by name.

#[expect(dead_code, reason = "the tests of reports need more of it")]
#[path = "../../../../reports/tests/reports/fixture.rs"]
mod outcome;
mod sample;
mod stats;
mod theory;
