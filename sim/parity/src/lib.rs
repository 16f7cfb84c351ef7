//! The same cores driven by madsim as real async processes; agreement is the test.
