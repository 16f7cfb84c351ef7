//! The date on a caller's wall clock, for the balancers that read it.
//!
//! Everything a caller waits for, it waits for by a clock that never steps, and that is the time its balancers are
//! told. Some follow a rule that takes the difference of two dates all the same; they are told of every step, and with
//! each attempt that ends how far the date was set meanwhile.

use super::Data;
use crate::data::caller::Caller;
use crate::sim::Sim;
use base::Instant;
use kernel::clock::BEGINNING;

/// The steps of a wall clock so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// When on the kernel's clock, and by how many nanoseconds ahead.
    all: Vec<(Instant, i64)>,
}

impl Steps {
    /// How far the date was set ahead after `since`, in nanoseconds; back when negative. O(steps).
    #[inline]
    pub(crate) fn after(&self, since: Instant) -> i64 {
        self.all.iter().filter(|(at, _)| *at > since).fold(0, |sum, (_, by_ns)| sum.saturating_add(*by_ns))
    }

    /// How far the date is ahead of what it would be without steps.
    pub(crate) fn total(&self) -> i64 {
        self.all.iter().fold(0, |sum, (_, by_ns)| sum.saturating_add(*by_ns))
    }
}

impl Data {
    /// Wall clocks may have been set: callers' balancers are told.
    #[cold]
    pub(crate) fn clocks_are_set(&mut self, sim: &mut Sim) {
        let now = sim.kernel.now();
        for Caller { node, upstreams, steps, .. } in &mut self.callers {
            let kept = i128::from(BEGINNING.as_nanos()) + i128::from(sim.kernel.local(*node).as_nanos());
            let ahead = i128::from(sim.kernel.wall(*node).as_nanos()) - kept;
            let by = ahead - i128::from(steps.total());
            if by != 0 {
                let by_ns = by.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                steps.all.push((now, by_ns));
                upstreams.iter_mut().for_each(|upstream| upstream.stepped(by_ns));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_has_met_the_steps_after_its_beginning() {
        let at = Instant::from_secs;
        let steps = Steps { all: vec![(at(2), -1_000), (at(5), 300), (at(5), -50)] };
        assert_eq!([1, 2, 4, 5].map(|since| steps.after(at(since))), [-750, 250, 250, 0]);
        assert_eq!((steps.total(), Steps::default().after(at(0))), (-750, 0));
    }
}
