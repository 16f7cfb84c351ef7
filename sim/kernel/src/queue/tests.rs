//! The queue against the obvious one: a sorted map from (time, sequence).

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a test does to both queues.
#[derive(Clone, Debug)]
enum Step {
    /// Schedules so many events this far ahead, in a lane or not.
    Push { span: u64, lane: Option<u8>, copies: u16 },
    /// Takes the next events out.
    Pop(u16),
    /// Cancels an event pushed some pushes ago, pending or not.
    Cancel { ago: usize },
    /// Moves every event whose number leaves this remainder, to so far from now.
    Move { every: usize, span: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Spans from nothing to hours, on every level of the radix, with many ties.
    let span = prop_oneof![
        4 => 0u64..4,
        4 => 0u64..5_000,
        4 => 0u64..50_000_000,
        2 => (0u32..44).prop_map(|bits| 1u64 << bits),
        1 => Just(1_000_000u64),
    ];
    let copies = prop_oneof![8 => Just(1u16), 1 => 1u16..600];
    let step = prop_oneof![
        8 => (span, prop::option::of(0u8..3), copies).prop_map(|(span, lane, copies)| Step::Push { span, lane, copies }),
        7 => (1u16..4).prop_map(Step::Pop),
        1 => (1u16..400).prop_map(Step::Pop),
        3 => (0usize..300).prop_map(|ago| Step::Cancel { ago }),
        1 => (1usize..7, 0u64..60_000_000).prop_map(|(every, span)| Step::Move { every, span }),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_a_sorted_map(steps in steps()) {
        let mut queue = Queue::new();
        let lanes: Vec<Lane> = (0..3).map(|_| queue.lane().unwrap()).collect();
        let mut model: BTreeMap<(u64, usize), usize> = BTreeMap::new();
        // By number: the name, the time, and the place among those of that time.
        let mut pushed: Vec<(TimerId, u64, usize)> = Vec::new();
        let mut sequence = 0;
        let mut now = 0;
        for step in steps {
            match step {
                Step::Push { span, lane, copies } => for _ in 0..copies {
                    let (at, n) = (now + span, pushed.len());
                    let id = match lane {
                        Some(lane) => queue.push_lane(lanes[usize::from(lane)], Instant::from_nanos(at), n),
                        None => queue.push(Instant::from_nanos(at), n),
                    };
                    pushed.push((id, at, sequence));
                    model.insert((at, sequence), n);
                    sequence += 1;
                },
                Step::Pop(copies) => for _ in 0..copies {
                    let expected = model.pop_first().map(|((at, _), n)| (Instant::from_nanos(at), n));
                    prop_assert_eq!(queue.pop(), expected);
                    now = expected.map_or(now, |(at, _)| at.as_nanos());
                },
                Step::Cancel { ago } => if let Some(n) = pushed.len().checked_sub(ago + 1) {
                    let (id, at, place) = pushed[n];
                    prop_assert_eq!(queue.cancel(id), model.remove(&(at, place)));
                    prop_assert_eq!(queue.cancel(id), None, "twice");
                },
                Step::Move { every, span } => {
                    let to = now + span;
                    queue.reschedule(|n, _| (n % every == 0).then_some(Instant::from_nanos(to)));
                    let moves = model.iter().filter(|((at, _), n)| **n % every == 0 && *at != to);
                    let moves: Vec<((u64, usize), usize)> = moves.map(|(key, n)| (*key, *n)).collect();
                    for (key, n) in moves {
                        model.remove(&key);
                        model.insert((to, sequence), n);
                        (pushed[n].1, pushed[n].2) = (to, sequence);
                        sequence += 1;
                    }
                },
            }
            prop_assert_eq!(queue.len(), model.len());
        }
        while let Some(((at, _), n)) = model.pop_first() {
            prop_assert_eq!(queue.pop(), Some((Instant::from_nanos(at), n)));
        }
        prop_assert_eq!(queue.pop(), None);
    }
}

#[test]
fn ties_are_served_in_order_of_arrival_whatever_way_they_came() {
    let mut queue = Queue::new();
    let lane = queue.lane().unwrap();
    let at = Instant::from_millis(5);
    queue.push(Instant::from_millis(1), "first of all");
    queue.push(at, "a");
    queue.push_lane(lane, at, "b");
    assert_eq!(queue.pop().unwrap().1, "first of all");
    queue.push(at, "c");
    queue.push_lane(lane, at, "d");
    let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, e)| e).collect();
    assert_eq!(order, ["a", "b", "c", "d"]);
}

#[test]
fn a_window_opened_wide_and_then_flooded_is_narrowed_again() {
    let mut queue = Queue::new();
    queue.push(Instant::from_secs(3600), 0u32);
    queue.push(Instant::from_nanos(1), 1);
    assert_eq!(queue.pop().unwrap().1, 1);
    for n in 0..10_000u64 {
        queue.push(Instant::from_nanos(2 + n * 7919 % 1_000_000), 2);
    }
    assert!(queue.early.len() <= 1_250, "{} keys in the heap", queue.early.len());
    let mut last = Instant::ZERO;
    while let Some((at, _)) = queue.pop() {
        assert!(last <= at);
        last = at;
    }
    assert_eq!(last, Instant::from_secs(3600));
}

#[test]
fn cancelled_timers_do_not_pile_up() {
    let mut queue = Queue::new();
    let lane = queue.lane().unwrap();
    for n in 0..100_000u64 {
        let at = Instant::from_nanos(1_000_000_000 + n);
        let id = if n % 2 == 0 { queue.push(at, n) } else { queue.push_lane(lane, at, n) };
        assert_eq!(queue.cancel(id), Some(n));
    }
    assert!(queue.slots.len() <= 1_100, "{} slots for nothing pending", queue.slots.len());
    assert_eq!(queue.pop(), None);
}

#[test]
#[should_panic(expected = "in the past")]
fn the_past_cannot_be_scheduled() {
    let mut queue = Queue::new();
    queue.push(Instant::from_secs(2), ());
    queue.pop();
    queue.push(Instant::from_secs(1), ());
}

#[test]
fn the_end_of_time_can_be_scheduled() {
    let mut queue = Queue::new();
    queue.push(Instant::MAX, 1);
    queue.push(Instant::ZERO, 0);
    queue.push(Instant::MAX, 2);
    assert_eq!(std::iter::from_fn(|| queue.pop()).map(|(_, e)| e).collect::<Vec<_>>(), [0, 1, 2]);
}
