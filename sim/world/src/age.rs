//! How old things are when a run begins: where each process stands in its own periods.
//!
//! Heartbeats, polls, passes and checks follow each other from the moment their process was started. What a run finds
//! in place was started some time before, and not all at once; so each node has an age, drawn evenly from its stream
//! `NAME/phase`, and every period of the node counts from that start. Two periods of one process therefore meet as they
//! do in a real one, and those of two processes meet as chance has it. What starts during a run has no age: its periods
//! begin there.
//!
//! What goes by the date instead (a cache renewed at every half minute) goes by one that all nodes share, drawn from
//! `date`.

use base::{Draw, Duration, Seed, streams};

/// No process is older. Long against every period, so that an age falls evenly into each of them.
const OLDEST: Duration = Duration::secs(30 * 86_400);

/// How long a process called `name` has been running when the run begins.
pub(crate) fn age(seed: Seed, name: &str) -> Duration {
    Duration::ns(seed.stream(&streams::PHASE.of(&[&name])).below_u64(OLDEST.as_nanos()))
}

/// What time of day it is when the run begins.
pub(crate) fn date(seed: Seed) -> Duration {
    Duration::ns(seed.stream(&streams::DATE.of(&[])).below_u64(Duration::secs(86_400).as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_fall_evenly_into_a_period() {
        let thirds =
            (0..3_000).map(|n| age(Seed(1), &format!("shop-{n}")).as_nanos() % 30_000_000_000 / 10_000_000_000);
        let mut counts = [0; 3];
        thirds.for_each(|third| counts[third as usize] += 1);
        // σ is 26.
        assert!(counts.iter().all(|n| (910..=1_090).contains(n)), "{counts:?}");
    }
}
