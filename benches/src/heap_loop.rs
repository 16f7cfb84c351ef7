//! The model in one loop: a binary heap of events, ChaCha8, an array per server, a histogram. Nothing else.
//!
//! Written as somebody would who wants the answer and not a simulator: no slab, no wheel, no lanes, no ziggurat, and no
//! waste either: events are small values, no number is computed twice, and the steady state allocates nothing. Time is
//! whole nanoseconds, ties are broken by a sequence number, so that a run follows from its seed here too.

use crate::Model;
use base::Duration;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// What became of the requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many arrived, those of the warm-up included.
    pub requests: u64,
    /// How many were measured.
    pub measured: u64,
    /// The mean time from a request's arrival to its answer, in milliseconds.
    pub mean_ms: f64,
    /// The 99th percentile of that time, in milliseconds, to within 3 %.
    pub p99_ms: f64,
}

/// What happens next. `born` is when the request arrived at its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival,
    AtServer { server: u32, born: u64 },
    Served { server: u32 },
    Answer { server: u32, born: u64 },
}

/// Runs the model under `seed` until every request has been answered.
pub fn run(model: &Model, seed: u64) -> Summary {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut events = Events::default();
    // At each server, the requests waiting or being served, in order; for its client, those sent and not answered.
    let mut queues = vec![VecDeque::<u64>::new(); model.servers as usize];
    let mut outstanding = vec![0u32; model.servers as usize];
    let mut latency = Histogram::new();
    let (service, hop) = (model.service.as_nanos() as f64, model.hop.as_nanos());
    let gap = 1e9 / model.rate();
    let mut requests = 0;

    events.push(exponential(&mut rng, gap), Event::Arrival);
    while let Some((now, event)) = events.pop() {
        match event {
            Event::Arrival => {
                if now >= model.lasts.as_nanos() {
                    continue;
                }
                requests += 1;
                let server = choose(&mut rng, &outstanding);
                outstanding[server as usize] += 1;
                events.push(now + hop, Event::AtServer { server, born: now });
                events.push(now + exponential(&mut rng, gap), Event::Arrival);
            }
            Event::AtServer { server, born } => {
                let queue = &mut queues[server as usize];
                queue.push_back(born);
                if queue.len() == 1 {
                    events.push(now + exponential(&mut rng, service), Event::Served { server });
                }
            }
            Event::Served { server } => {
                let queue = &mut queues[server as usize];
                let born = queue.pop_front().expect("a server that serves has somebody to serve");
                if !queue.is_empty() {
                    events.push(now + exponential(&mut rng, service), Event::Served { server });
                }
                events.push(now + hop, Event::Answer { server, born });
            }
            Event::Answer { server, born } => {
                outstanding[server as usize] -= 1;
                if born >= model.warmup.as_nanos() {
                    latency.record(now - born);
                }
            }
        }
    }
    Summary {
        requests,
        measured: latency.count,
        mean_ms: latency.sum as f64 / latency.count as f64 / 1e6,
        p99_ms: latency.quantile(0.99).as_millis_f64(),
    }
}

/// The less loaded of two different servers drawn at random, the first of them when they are equal.
#[inline]
fn choose(rng: &mut ChaCha8Rng, outstanding: &[u32]) -> u32 {
    let n = outstanding.len() as u32;
    let first = below(rng, n);
    let mut second = below(rng, n - 1);
    if second >= first {
        second += 1;
    }
    if outstanding[second as usize] < outstanding[first as usize] { second } else { first }
}

/// A whole number below `bound`. Of 2³² equally likely products some numbers get one more than others: a bias of one in
/// 400,000 at ten thousand servers, which nobody would pay for here.
#[inline]
fn below(rng: &mut ChaCha8Rng, bound: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(bound)) >> 32) as u32
}

/// A draw from the exponential distribution, in whole nanoseconds, by inversion.
#[inline]
fn exponential(rng: &mut ChaCha8Rng, mean: f64) -> u64 {
    let unit = (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
    (-(1.0 - unit).ln() * mean) as u64
}

/// Events in order of time, and of their coming where times are equal.
#[derive(Default)]
struct Events {
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
}

impl Events {
    #[inline]
    fn push(&mut self, at: u64, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse((at, self.sequence, event)));
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

/// Counts in buckets, 32 to each power of two, as in an HDR histogram with two digits.
struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u64,
}

impl Histogram {
    fn new() -> Self {
        Histogram { buckets: vec![0; 64 * 32], count: 0, sum: 0 }
    }

    #[inline]
    fn record(&mut self, ns: u64) {
        // The power of two, and the five bits after its leading one; below 32 the number itself.
        let power = (ns | 32).ilog2() - 5;
        self.buckets[(power * 32) as usize + (ns >> power) as usize] += 1;
        self.count += 1;
        self.sum += ns;
    }

    /// The lower end of the bucket in which the share `p` of all counts is reached.
    fn quantile(&self, p: f64) -> Duration {
        let mut left = (p * self.count as f64).ceil() as u64;
        let reached = self.buckets.iter().position(|&count| {
            left = left.saturating_sub(count);
            left == 0
        });
        let index = reached.unwrap_or(0) as u64;
        let power = (index / 32).saturating_sub(1);
        Duration::ns((index - power * 32) << power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histogram_keeps_two_digits_at_every_size() {
        for ns in [0, 1, 31, 32, 63, 64, 65, 1_000, 123_456_789, u64::MAX / 2] {
            let mut histogram = Histogram::new();
            histogram.record(ns);
            let kept = histogram.quantile(0.99).as_nanos();
            assert!(kept <= ns && ns - kept <= ns / 32, "{ns} became {kept}");
        }
    }

    #[test]
    fn the_99th_percentile_has_one_in_a_hundred_above_it() {
        let mut histogram = Histogram::new();
        (1..=100_000).for_each(|ns| histogram.record(ns));
        let p99 = histogram.quantile(0.99).as_nanos() as f64;
        assert!((96_000.0..=99_000.0).contains(&p99), "{p99}");
    }

    #[test]
    fn equal_seeds_make_equal_runs() {
        let model = Model::bench(10, 10_000);
        assert_eq!(run(&model, 1), run(&model, 1));
        assert_ne!(run(&model, 1), run(&model, 2));
    }
}
