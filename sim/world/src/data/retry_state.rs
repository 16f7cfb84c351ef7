//! What a call remembers of its earlier attempts, beside the calls, because most calls have one attempt.

use crate::data::call::Call;
use base::{Duration, InstanceId, Instant};

/// What a call remembers once it has been retried; kept beside the calls, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetryState {
    /// When the present attempt began.
    pub(crate) began: Instant,
    /// The last pause between attempts.
    pub(crate) pause: Duration,
    /// Instances that did not answer well, in order. Its room stays with the slot.
    pub(crate) tried: Vec<InstanceId>,
    /// How often [`Call::retries`] began anew at 1.
    pub(crate) laps: u32,
}

impl RetryState {
    /// Nothing to remember yet.
    pub(crate) fn clear(&mut self) {
        (self.began, self.pause, self.laps) = (Instant::ZERO, Duration::ZERO, 0);
        self.tried.clear();
    }

    /// All attempts before the present one, of a call that has been retried.
    pub(crate) fn retries(&self, call: &Call) -> u32 {
        self.laps.saturating_mul(u32::from(u16::MAX)).saturating_add(u32::from(call.retries))
    }
}
