//! How requests ended: each in one way, none in two.

use base::Ratio;

/// How many requests ended in which way. `sent = succeeded + failed + unfinished`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Arrived.
    pub sent: u64,
    /// Answered as they should be.
    pub succeeded: u64,
    /// Ended otherwise, or lost: nobody worked on them any more when the run ended.
    pub failed: u64,
    /// Queued, at work, on their way, or waiting for such a call when the run ended.
    pub unfinished: u64,
    /// The failures by name, such as `timeout`; names that never occurred are left out.
    pub errors: Vec<(&'static str, u64)>,
    /// Attempts beyond the first, at any hop.
    pub retries: u64,
}

impl Requests {
    /// The share that succeeded; all of them when there were none.
    pub fn success(&self) -> Ratio {
        if self.sent == 0 { Ratio::ONE } else { Ratio::of(self.succeeded, self.sent) }
    }
}
