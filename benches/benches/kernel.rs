//! The event queue under the hold model: take the next event out, put one in later, so that the number pending stays.
//!
//! Spans are exponential, as in the studies; an element is one event, out and in. The group `kernel` asks whether the
//! cost of an event stays flat as more are pending: with every event filed by its time, and with half of them in a
//! lane, as constant network delays are. The group `queue` asks the same of a binary heap, and what the difference is
//! worth.

use base::{Draw, Duration, Instant, Rng, Seed, dist};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kernel::Lane;
use kernel::queue::Queue;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// As large as what the world puts into its queue.
type Payload = [u64; 5];

/// Events pending.
const PENDING: [u64; 3] = [1_000, 100_000, 1_000_000];
/// Events an iteration.
const EVENTS: u64 = 100_000;
/// What an event is put in later by, in the mean; in a lane always.
const SPAN: Duration = Duration::ms(1);

fn span(rng: &mut Rng) -> Duration {
    Duration::ns((dist::unit_exponential(rng) * SPAN.as_nanos() as f64) as u64)
}

/// A queue that has held `pending` events for as long as it takes to forget how it was filled.
fn filled(pending: u64) -> (Queue<Payload>, Rng) {
    let (mut queue, mut rng) = (Queue::new(), Seed(1).stream("hold"));
    for i in 0..pending {
        queue.push(Instant::ZERO + span(&mut rng), [i; 5]);
    }
    hold(&mut queue, &mut rng, pending * 2);
    (queue, rng)
}

fn hold(queue: &mut Queue<Payload>, rng: &mut Rng, events: u64) {
    for _ in 0..events {
        let (at, payload) = queue.pop().expect("as many go in as come out");
        queue.push(at + span(rng), payload);
    }
}

fn hold_with_lane(queue: &mut Queue<Payload>, rng: &mut Rng, lane: Lane, events: u64) {
    for _ in 0..events {
        let (at, payload) = queue.pop().expect("as many go in as come out");
        if rng.next_u64() & 1 == 0 {
            queue.push_lane(lane, at + SPAN, payload);
        } else {
            queue.push(at + span(rng), payload);
        }
    }
}

fn hold_heap(heap: &mut BinaryHeap<Reverse<(Instant, u64, Payload)>>, rng: &mut Rng, sequence: &mut u64, events: u64) {
    for _ in 0..events {
        let Reverse((at, _, payload)) = heap.pop().expect("as many go in as come out");
        heap.push(Reverse((at + span(rng), *sequence, payload)));
        *sequence += 1;
    }
}

fn kernel(c: &mut Criterion) {
    let mut group = c.benchmark_group("kernel");
    group.sample_size(20).throughput(Throughput::Elements(EVENTS));
    for pending in PENDING {
        let (mut queue, mut rng) = filled(pending);
        group.bench_function(BenchmarkId::new("hold", pending), |b| b.iter(|| hold(&mut queue, &mut rng, EVENTS)));

        let (mut queue, mut rng) = filled(pending);
        let lane = queue.lane().expect("the first of eight");
        hold_with_lane(&mut queue, &mut rng, lane, pending * 2);
        group.bench_function(BenchmarkId::new("hold_with_lane", pending), |b| {
            b.iter(|| hold_with_lane(&mut queue, &mut rng, lane, EVENTS));
        });
    }
    group.finish();
}

fn queue(c: &mut Criterion) {
    let mut group = c.benchmark_group("queue");
    group.sample_size(20).throughput(Throughput::Elements(EVENTS));
    for pending in PENDING {
        let (mut heap, mut rng) = (BinaryHeap::new(), Seed(1).stream("hold"));
        let mut sequence = 0;
        while sequence < pending {
            heap.push(Reverse((Instant::ZERO + span(&mut rng), sequence, [sequence; 5])));
            sequence += 1;
        }
        hold_heap(&mut heap, &mut rng, &mut sequence, pending * 2);
        group.bench_function(BenchmarkId::new("heap_loop", pending), |b| {
            b.iter(|| hold_heap(&mut heap, &mut rng, &mut sequence, EVENTS));
        });

        let (mut queue, mut rng) = filled(pending);
        group.bench_function(BenchmarkId::new("hold", pending), |b| b.iter(|| hold(&mut queue, &mut rng, EVENTS)));
    }
    group.finish();
}

criterion_group!(benches, kernel, queue);
criterion_main!(benches);
