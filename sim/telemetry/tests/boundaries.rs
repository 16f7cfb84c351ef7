//! Boundary twins: what holds at the limit, and what holds one nanosecond beyond.

use base::{Duration, Fingerprint, Instant, Ratio};
use telemetry::{Axis, Counter, Counts, Latency, LatencySeries, Series, Sketch, SuccessWindow};

const MS: fn(u64) -> Duration = Duration::ms;

fn ms(n: u64) -> Instant {
    Instant::from_millis(n)
}

#[test]
fn nothing_recorded_is_no_number_at_all() {
    let latency = Latency::new();
    assert_eq!((latency.count(), latency.mean(), latency.min(), latency.max()), (0, None, None, None));
    assert_eq!((latency.quantile(0.0), latency.quantile(1.0)), (None, None));
    assert_eq!(latency.buckets().count(), 0);
    assert_eq!((Sketch::new().quantile(0.5), Sketch::new().mean(), Sketch::new().max()), (None, None, None));
    let window = SuccessWindow::new(MS(10), MS(1));
    assert_eq!(window.since(ms(5), MS(10)), Counts { ok: 0, failed: 0 });
    assert_eq!(window.since(ms(5), MS(10)).success(), None);
    assert_eq!((window.quantile(ms(5), MS(10), 0.5), window.mean(ms(5), MS(10))), (None, None));
}

#[test]
fn a_span_beyond_the_last_bucket_is_counted_and_keeps_its_length() {
    let mut latency = Latency::new();
    for span in [Duration::secs(3600), Duration::secs(36_000), Duration::MAX] {
        latency.record(span);
    }
    assert_eq!(latency.count(), 3);
    assert_eq!(latency.max(), Some(Duration::MAX));
    assert_eq!(latency.quantile(1.0), Some(Duration::MAX));
    assert_eq!(latency.sum_nanos(), 39_600_000_000_000 + u128::from(u64::MAX));
    latency.record(Duration::ZERO);
    assert_eq!(latency.min(), Some(Duration::ZERO));
}

#[test]
fn the_rank_of_a_quantile_is_exact() {
    // 100 spans: the 99th shortest is p99, and one billionth more is the 100th.
    let (mut latency, mut sketch) = (Latency::new(), Sketch::new());
    for _ in 0..99 {
        latency.record(MS(1));
        sketch.record(MS(1));
    }
    latency.record(MS(500));
    sketch.record(MS(500));
    assert!(latency.quantile(0.99).expect("recorded") < MS(2));
    assert!(sketch.quantile(0.99).expect("recorded") < MS(2));
    assert_eq!(latency.quantile(0.990_000_001), Some(MS(500)));
    assert_eq!(sketch.quantile(0.990_000_001), Some(MS(500)));
    assert_eq!(latency.quantile(f64::NAN), latency.quantile(0.0));
    let shares = [0.99, 0.0, 0.990_000_001, 1.0, 0.5];
    let each: Option<Vec<Duration>> = shares.iter().map(|p| latency.quantile(*p)).collect();
    assert_eq!(latency.quantiles(&shares), each);
    assert_eq!(Latency::new().quantiles(&shares), None);
    assert_eq!(latency.quantile(7.0), Some(MS(500)));
}

#[test]
fn a_window_forgets_at_the_edge_of_a_slot() {
    let mut window = SuccessWindow::new(MS(30), MS(10));
    let counted = |window: &SuccessWindow, now: Instant, span| window.since(now, span).total();
    window.record(ms(9), true, MS(1));
    // Thirty milliseconds reach into the slot 0..10 until its last nanosecond is thirty milliseconds old.
    assert_eq!(counted(&window, ms(39), MS(30)), 1);
    assert_eq!(counted(&window, Instant::from_nanos(39_999_998), MS(30)), 1);
    assert_eq!(counted(&window, Instant::from_nanos(39_999_999), MS(30)), 0);
    assert_eq!(counted(&window, ms(40), MS(30)), 0);
    // A window longer than the ring is cut to the ring.
    assert_eq!(counted(&window, ms(39), MS(1000)), 1);
    assert_eq!(counted(&window, ms(40), MS(1000)), 0);
    // An empty window still takes the slot it stands in, until that slot's last nanosecond.
    assert_eq!(counted(&window, Instant::from_nanos(9_999_998), MS(0)), 1);
    assert_eq!(counted(&window, Instant::from_nanos(9_999_999), MS(0)), 0);
}

#[test]
fn a_clock_that_steps_back_takes_its_slots_with_it() {
    let mut window = SuccessWindow::new(MS(20), MS(10));
    window.record(ms(1005), false, MS(9));
    assert_eq!(window.since(ms(1005), MS(20)).failed, 1);
    assert_eq!(window.since(ms(105), MS(20)).total(), 0, "that was later than now");
    // 1005 ms and 105 ms share a slot of the ring of three: (100 % 3) and (10 % 3) are both 1.
    window.record(ms(105), true, MS(1));
    assert_eq!(window.since(ms(105), MS(20)), Counts { ok: 1, failed: 0 });
    assert_eq!(window.since(ms(1005), MS(20)).total(), 0, "the earlier stretch has taken the slot over");
}

#[test]
fn success_is_a_share_of_both() {
    let mut window = SuccessWindow::new(MS(100), MS(10));
    for i in 0..1000 {
        window.record(ms(50), i % 50 != 0, MS(8));
    }
    let counts = window.since(ms(59), MS(100));
    assert_eq!(counts, Counts { ok: 980, failed: 20 });
    assert_eq!(counts.success(), Some(Ratio::percent(98)));
    assert_eq!(window.mean(ms(59), MS(100)), Some(MS(8)));
    assert_eq!(window.quantile(ms(59), MS(100), 0.99), Some(MS(8)), "never past the longest");
}

#[test]
fn what_comes_late_or_early_goes_into_the_nearest_step() {
    let axis = Axis::new(ms(100), MS(10), 3);
    let mut series = Series::new(axis);
    for at in [0, 99, 100, 109] {
        series.add(ms(at), 1);
    }
    series.add(ms(110), 10);
    for at in [129, 130, 1_000_000] {
        series.add(ms(at), 100);
    }
    assert_eq!(series.counts(), [4, 10, 300]);
    assert_eq!((axis.begins(0), axis.begins(2)), (ms(100), ms(120)));
    series.raise(ms(110), 9);
    series.raise(ms(111), 12);
    assert_eq!(series.counts(), [4, 12, 300]);
}

#[test]
fn an_axis_covers_what_it_is_asked_to() {
    // 1 s in 3 steps does not divide: the steps are a nanosecond too long rather than too short.
    let axis = Axis::covering(Instant::ZERO, Duration::secs(1), 3);
    assert_eq!(axis.step(), Duration::ns(333_333_334));
    assert_eq!(axis.index(Instant::from_nanos(999_999_999)), 2);
    assert!(axis.begins(3) >= Instant::from_secs(1));
}

#[test]
fn a_fingerprint_sees_one_nanosecond_and_one_step() {
    let fold = |part: &dyn Fn(&mut Fingerprint)| {
        let mut fingerprint = Fingerprint::EMPTY;
        part(&mut fingerprint);
        fingerprint.value()
    };
    let latency = |ns| {
        let mut latency = Latency::new();
        latency.record(Duration::ns(ns));
        latency.record(MS(900));
        fold(&|f| latency.fold(f))
    };
    assert_eq!(latency(5_000_000), latency(5_000_000));
    assert_ne!(latency(5_000_000), latency(5_000_001), "same bucket, other sum");
    let steps = |at| {
        let mut series = LatencySeries::new(Axis::new(ms(0), MS(10), 4));
        series.record(ms(at), MS(1));
        fold(&|f| series.fold(f))
    };
    assert_eq!(steps(10), steps(19));
    assert_ne!(steps(10), steps(20));
    let mut counter = Counter::ZERO;
    counter.inc();
    counter.add(41);
    assert_eq!(counter.get(), 42);
    assert_ne!(fold(&|f| counter.fold(f)), fold(&|f| Counter::ZERO.fold(f)));
    let windows = |ok| {
        let mut window = SuccessWindow::new(MS(20), MS(10));
        window.record(ms(5), ok, MS(1));
        fold(&|f| window.fold(f))
    };
    assert_ne!(windows(true), windows(false));
}
