//! What a run asks of the allocator: nothing per request in the steady state, no more for a longer run, and little per
//! node.
//!
//! An allocator that counts stands before the system's. It counts per thread, so that tests run side by side.

#[path = "../worlds/full_stack.rs"]
mod full_stack;
#[path = "../worlds/study.rs"]
mod study;

use base::{Duration, Seed};
use benches::Model;
use benches::counting::{self, Counting, Usage};
use world::{Options, Spec, Verdict};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a run asked for, and how many requests it answered.
fn usage(spec: &Spec) -> (Usage, u64) {
    let (run, usage) = counting::usage_of(|| world::run(spec, Seed(1), &Options::default()));
    assert_eq!(run.outcome.verdict, Verdict::Passed, "{:?}", run.outcome.failure);
    (usage, run.outcome.requests.sent)
}

fn lasting(servers: u32, lasts: Duration) -> Model {
    Model { lasts, ..Model::bench(servers, 1) }
}

#[test]
fn the_allocator_counts() {
    let (_, usage) = counting::usage_of(|| {
        let mut bytes = vec![1u8; 1 << 20];
        bytes.reserve_exact(1 << 21);
        drop(bytes);
    });
    assert!(usage.asked == 2 && usage.live == 0, "{usage:?}");
    assert!(usage.peak >= 3 << 20, "{usage:?}");
    let (kept, usage) = counting::usage_of(|| vec![1u8; 1 << 10]);
    assert_eq!(usage.live, kept.len() as i64);
}

/// Asserts that the second half of a run asks for no memory: what little it may ask for is some vector that doubles.
fn assert_steady(name: &str, spec: impl Fn(Duration) -> Spec, half: Duration) {
    let ((short, few), (long, many)) = (usage(&spec(half)), usage(&spec(half + half)));
    let (asked, requests) = (long.asked as i64 - short.asked as i64, many - few);
    assert!(requests > 100_000, "{name}: {requests} requests show little");
    assert!(asked.unsigned_abs() < requests / 1_000, "{name}: {asked} allocations in {requests} requests");
}

#[test]
fn a_request_allocates_nothing() {
    assert_steady("study", |lasts| study::world(&lasting(1_000, lasts)), Duration::ms(200));
    assert_steady("full stack", |lasts| full_stack::world(&lasting(1_000, lasts)), Duration::ms(200));
}

#[test]
fn a_longer_run_needs_no_more_memory() {
    for (name, world) in [("study", study::world as fn(&Model) -> Spec), ("full stack", full_stack::world)] {
        let peak = |lasts| usage(&world(&lasting(500, lasts))).0.peak;
        let (short, long) = (peak(Duration::ms(250)), peak(Duration::secs(1)));
        assert!(long as f64 <= short as f64 * 1.1, "{name}: {short} bytes, and {long} in four times the time");
    }
}

/// Bytes of an idle server while it runs: the design's bound. A node makes its disk, its clock and its streams of
/// chance when it uses them, and its series over time when something happens.
const IDLE_MAX: i64 = 1_024;
/// The same with its registration, which the bound does not cover: the registrant on the node, its lease and its line
/// in the registry's catalogue and in every view, its record on the registry's disk, and the timer of its heartbeat.
const REGISTERED_MAX: i64 = 1_700;

/// What one more idle server costs at the peak of a run, its part of the outcome included.
fn idle_node(world: impl Fn(&Model) -> Spec, steps: u32) -> i64 {
    let peak = |servers| {
        let mut spec = world(&Model { load: 1e-6, ..lasting(servers, Duration::ms(100)) });
        spec.timeline_steps = steps;
        usage(&spec).0.peak
    };
    // Just below powers of two, where vectors that double hold little that is not used.
    (peak(16_000) - peak(8_000)) / 8_000
}

#[test]
fn an_idle_node_costs_little() {
    let (alone, registered) = (idle_node(study::world, 1), idle_node(full_stack::world, 1));
    assert!((1..=IDLE_MAX).contains(&alone), "{alone} bytes");
    assert!((1..=REGISTERED_MAX).contains(&registered), "{registered} bytes with a registration");
}

/// How many steps a scenario's timeline has.
const STEPS: u32 = 240;

/// The outcome says of each instance what it took in and what it held in each step, four bytes either, and a run holds
/// no second copy of that.
#[test]
fn a_timeline_costs_its_numbers_once() {
    let (short, long) = (idle_node(study::world, 1), idle_node(study::world, STEPS));
    let most = IDLE_MAX + 2 * 4 * i64::from(STEPS);
    assert!((1..=most).contains(&long), "{long} bytes with a timeline, {short} without");
}
