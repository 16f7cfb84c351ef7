//! Processor sharing: the requests an instance works on share its processors evenly.
//!
//! With n requests at work on c processors, each gets on at the rate min(1, c / n): a short request is not held up by a
//! long one before it, as it is in a queue, but everybody slows everybody down. Only own work takes part; who waits for
//! downstream calls needs no processor. This is the egalitarian processor sharing of queueing theory, and what a kernel
//! that divides time fairly, or a quota of processor time, comes to.
//!
//! Nobody's rest is counted down. All at work get the same, so it is enough to know how much a request has got that was
//! there all the time; each is done when that has grown by its own work, and who is done first stays first whoever
//! comes or goes. A request costs O(log n), and the instance has one timer, for the next who will be done.

use super::Data;
use crate::sim::Sim;
use crate::spec;
use crate::wire::{JobId, Msg};
use base::{Duration, InstanceId, Instant};
use kernel::TimerId;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Work that is less than this is done: half a nanosecond, the resolution of a timer.
const RESOLUTION_NS: f64 = 0.5;

/// The processors of one instance, and who is at work on them.
#[derive(Debug)]
pub(crate) struct Processors {
    count: f64,
    at: Instant,
    /// What a request has got that has been at work ever since nobody was, in nanoseconds.
    got_ns: f64,
    /// ∫ busy processors dt, in processor-nanoseconds.
    busy_ns: f64,
    at_work: BinaryHeap<Reverse<Share>>,
    came: u64,
    timer: TimerId,
}

/// A request at work.
#[derive(Clone, Copy, Debug)]
struct Share {
    /// Done when a request has got so much.
    until_ns: f64,
    /// Of those that are done at once, who came first is answered first.
    number: u64,
    job: JobId,
}

impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Share {}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        self.until_ns.total_cmp(&other.until_ns).then(self.number.cmp(&other.number))
    }
}

impl Processors {
    pub(crate) fn new(count: f64) -> Self {
        Processors {
            count,
            at: Instant::ZERO,
            got_ns: 0.0,
            busy_ns: 0.0,
            at_work: BinaryHeap::new(),
            came: 0,
            timer: TimerId::NONE,
        }
    }

    /// Processors that are at work.
    fn busy(&self) -> f64 {
        self.count.min(self.at_work.len() as f64)
    }

    /// How fast each request gets on, at most 1; there is one.
    fn rate(&self) -> f64 {
        self.busy() / self.at_work.len() as f64
    }

    /// Work went on until `now`.
    fn advance(&mut self, now: Instant) {
        let span = now.saturating_since(self.at).as_nanos() as f64;
        self.at = now;
        if self.at_work.is_empty() {
            // So that the sum stays small, and exact.
            self.got_ns = 0.0;
        } else {
            self.got_ns += span * self.rate();
            self.busy_ns += span * self.busy();
        }
    }

    fn add(&mut self, job: JobId, work: Duration) {
        self.came += 1;
        let until_ns = self.got_ns + work.as_nanos() as f64;
        self.at_work.push(Reverse(Share { until_ns, number: self.came, job }));
    }

    /// Takes out the next one whose work is done.
    fn done(&mut self) -> Option<JobId> {
        let Reverse(first) = self.at_work.peek()?;
        if first.until_ns - self.got_ns >= RESOLUTION_NS {
            return None;
        }
        self.at_work.pop().map(|Reverse(share)| share.job)
    }

    /// How long it takes until the next one is done, if nobody comes.
    fn next_in(&self) -> Option<Duration> {
        let Reverse(first) = self.at_work.peek()?;
        let left = (first.until_ns - self.got_ns) / self.rate();
        // A timer that comes too early would have to be set again.
        Some(Duration::ns(left.ceil().max(1.0) as u64))
    }
}

impl Data {
    /// Own work on a request begins at an instance whose requests share its processors.
    pub(crate) fn share(&mut self, sim: &mut Sim, id: InstanceId, job: JobId, work: Duration) {
        let now = sim.kernel.now();
        let Some(processors) = self.processors_mut(id) else { return };
        processors.advance(now);
        processors.add(job, work);
        self.set_processed(sim, id);
    }

    /// The timer of an instance's processors: whoever is done by now goes on.
    pub(crate) fn processed(&mut self, sim: &mut Sim, id: InstanceId) {
        let now = sim.kernel.now();
        // Whoever is done may let the next one in, or be the last of an instance that leaves.
        while let Some(processors) = self.processors_mut(id) {
            processors.advance(now);
            let Some(job) = processors.done() else { break };
            self.served(sim, job);
        }
        self.set_processed(sim, id);
    }

    fn set_processed(&mut self, sim: &mut Sim, id: InstanceId) {
        let node = self.instances[id.index()].node;
        let Some(Some(processors)) = self.processors.get_mut(id.index()) else { return };
        sim.kernel.cancel(processors.timer);
        processors.timer = match processors.next_in() {
            Some(span) => sim.kernel.work_after(node, span, Msg::Processed(id)),
            None => TimerId::NONE,
        };
    }

    fn processors_mut(&mut self, id: InstanceId) -> Option<&mut Processors> {
        self.processors.get_mut(id.index())?.as_deref_mut()
    }

    /// The processors of an instance, where its requests share them.
    #[inline]
    pub(crate) fn processors(&self, id: InstanceId) -> Option<&Processors> {
        self.processors.get(id.index())?.as_deref()
    }

    /// Everything at work at an instance is lost.
    pub(crate) fn stop_processors(&mut self, sim: &mut Sim, id: InstanceId) {
        let now = sim.kernel.now();
        let Some(processors) = self.processors_mut(id) else { return };
        processors.advance(now);
        processors.at_work.clear();
        let timer = std::mem::replace(&mut processors.timer, TimerId::NONE);
        sim.kernel.cancel(timer);
    }

    /// What an instance has worked so far, in nanoseconds times its [`Data::room`]: places that were taken, or
    /// processors that were busy.
    pub(crate) fn work_area(&self, sim: &Sim, id: InstanceId) -> u128 {
        match self.processors(id) {
            Some(processors) => {
                let span = sim.kernel.now().saturating_since(processors.at).as_nanos() as f64;
                (processors.busy_ns + span * processors.busy()) as u128
            }
            None => self.instances[id.index()].areas(&self.records[id.index()]).1,
        }
    }

    /// How much an instance can work on at full speed: its processors, or its places when each has one of its own.
    pub(crate) fn room(&self, id: InstanceId) -> f64 {
        let service = &self.services[self.instances[id.index()].service().index()];
        spec::room(service.concurrency, service.processors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Instant {
        Instant::ZERO + Duration::us(us)
    }

    /// Lets work of so many microseconds come at so many, and tells when each is done.
    fn finished(count: f64, jobs: &[(u64, u64)]) -> Vec<(u32, u64)> {
        let mut processors = Processors::new(count);
        let mut done = Vec::new();
        let mut coming = jobs.iter().zip(0..).peekable();
        loop {
            let next_done = processors.next_in().map(|span| processors.at + span);
            let next_come = coming.peek().map(|((come, _), _)| at(*come));
            let Some(now) = [next_done, next_come].into_iter().flatten().min() else { return done };
            processors.advance(now);
            while let Some(job) = processors.done() {
                done.push((job.slot() as u32, (now - Instant::ZERO).as_nanos() / 1_000));
            }
            while let Some(((_, work), number)) = coming.next_if(|((come, _), _)| at(*come) == now) {
                processors.add(JobId::from_parts(number, 1), Duration::us(*work));
            }
        }
    }

    #[test]
    fn two_on_one_processor_take_twice_as_long_while_both_are_there() {
        // The first is alone for 4 of its 10, and then gets half until the second, of 3, has had its 3 after 6.
        assert_eq!(finished(1.0, &[(0, 10), (4, 3)]), [(1, 10), (0, 13)]);
    }

    #[test]
    fn nobody_is_faster_than_one_processor() {
        assert_eq!(finished(2.0, &[(0, 10), (0, 10)]), [(0, 10), (1, 10)]);
        assert_eq!(finished(4.0, &[(0, 10)]), [(0, 10)]);
        // Three on two: each gets two thirds.
        assert_eq!(finished(2.0, &[(0, 10), (0, 10), (0, 10)]), [(0, 15), (1, 15), (2, 15)]);
    }

    #[test]
    fn a_quota_below_one_slows_whoever_is_alone() {
        assert_eq!(finished(0.5, &[(0, 10), (100, 5)]), [(0, 20), (1, 110)]);
    }

    #[test]
    fn busy_processors_are_counted_and_not_requests() {
        let mut processors = Processors::new(2.0);
        for (us, number) in [(0, 0), (10, 1), (20, 2)] {
            processors.advance(at(us));
            processors.add(JobId::from_parts(number, 1), Duration::ms(1));
        }
        processors.advance(at(30));
        assert_eq!(processors.busy_ns, 10_000.0 + 20_000.0 + 20_000.0);
    }
}
