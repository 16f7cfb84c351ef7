//! How long a client waits before it asks again: twice as long each time, up to a limit, and never all at once.
//!
//! The wait is drawn evenly from the upper half of the step ("equal jitter"), so clients that failed together do not
//! return together, and none returns at once.

use base::{Draw, Duration, Instant};

/// Waits between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first step.
    pub first: Duration,
    /// No step is longer.
    pub limit: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 for the first): between half of the step and the whole of it,
    /// where the step is `first · 2^(failures − 1)`, at most `limit`. Draws once.
    pub fn wait(&self, failures: u32, draw: &mut impl Draw) -> Duration {
        let doublings = failures.saturating_sub(1).min(63);
        let step = self.first.saturating_mul(1 << doublings).min(self.limit).as_nanos();
        let half = step / 2;
        Duration::ns(half + draw.below_u64((step - half).saturating_add(1)))
    }
}

/// A question that is asked until it is answered: due to be sent, or sent and due to be given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// When to send, or when to stop waiting for an answer.
    pub(crate) at: Instant,
    /// True from sending to answer or timeout.
    pub(crate) sent: bool,
    /// Timeouts in a row.
    pub(crate) failures: u32,
    /// When it was first sent since the last answer.
    pub(crate) first_sent: Instant,
}

/// What a call wants when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Wait,
    Send,
    TimedOut,
}

impl Call {
    /// A call to be sent at `at`.
    pub(crate) fn at(at: Instant) -> Self {
        Call { at, sent: false, failures: 0, first_sent: at }
    }

    /// What is to be done at `now`; a send starts the wait for the answer, a timeout the wait for the next send.
    pub(crate) fn turn(&mut self, now: Instant, timeout: Duration, backoff: &Backoff, draw: &mut impl Draw) -> Turn {
        if now < self.at {
            return Turn::Wait;
        }
        self.sent = !self.sent;
        if self.sent {
            if self.failures == 0 {
                self.first_sent = now;
            }
            self.at = now.saturating_add(timeout);
            return Turn::Send;
        }
        self.failures = self.failures.saturating_add(1);
        self.at = now.saturating_add(backoff.wait(self.failures, draw));
        Turn::TimedOut
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;

    #[test]
    fn waits_double_up_to_the_limit_and_differ() {
        let backoff = Backoff { first: Duration::ms(100), limit: Duration::secs(1) };
        let mut rng = Seed(5).stream("backoff");
        for (failures, step_ms) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (1000, 1000), (u32::MAX, 1000)] {
            let waits: Vec<Duration> = (0..200).map(|_| backoff.wait(failures, &mut rng)).collect();
            let (low, high) = (Duration::ms(step_ms / 2), Duration::ms(step_ms));
            assert!(waits.iter().all(|w| (low..=high).contains(w)), "{failures}: {waits:?}");
            assert!(
                waits.iter().max().unwrap().saturating_sub(*waits.iter().min().unwrap()) > Duration::ms(step_ms / 3)
            );
        }
        let none = Backoff { first: Duration::ZERO, limit: Duration::ZERO };
        assert_eq!(none.wait(3, &mut rng), Duration::ZERO);
    }
}
