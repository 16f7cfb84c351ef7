//! Histograms against the sorted list of what was recorded.

use base::{Duration, Fingerprint, Instant, Ratio};
use proptest::prelude::*;
use telemetry::{Axis, Latency, LatencySeries, Series, Sketch, SuccessWindow};

/// Spans of every size from a nanosecond to beyond an hour, so that each octave is met.
fn span() -> impl Strategy<Value = Duration> {
    (0u32..46, any::<u64>()).prop_map(|(bits, n)| Duration::ns(n & ((1 << bits) - 1)))
}

/// The ⌈p·n⌉-th shortest: what a quantile means.
fn exact(spans: &[Duration], p: f64) -> Duration {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let rank = Ratio::from_f64(p).ceil_of(sorted.len() as u64).max(1);
    sorted[rank as usize - 1]
}

const SHARES: [f64; 9] = [0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.999_999_999, 1.0];

proptest! {
    #[test]
    fn a_latency_is_exact_but_for_its_buckets(spans in prop::collection::vec(span(), 1..300)) {
        let mut latency = Latency::new();
        spans.iter().for_each(|&s| latency.record(s));
        let sum: u128 = spans.iter().map(|s| u128::from(s.as_nanos())).sum();
        prop_assert_eq!(latency.count(), spans.len() as u64);
        prop_assert_eq!(latency.sum_nanos(), sum);
        prop_assert_eq!(latency.mean(), Some(Duration::ns((sum / spans.len() as u128) as u64)));
        prop_assert_eq!(latency.min(), spans.iter().min().copied());
        prop_assert_eq!(latency.max(), spans.iter().max().copied());
        for p in SHARES {
            let (got, truth) = (latency.quantile(p).expect("recorded"), exact(&spans, p));
            prop_assert!(got <= latency.max().expect("recorded"), "p{p}: {got} passes the longest");
            if truth <= Duration::secs(3600) {
                let slack = Duration::ns(512.max(truth.as_nanos() / 1024));
                prop_assert!(got >= truth && got <= truth + slack, "p{p}: {got}, truth {truth}");
            }
        }
        prop_assert_eq!(latency.quantile(1.0), latency.max());
        prop_assert_eq!(latency.buckets().map(|b| b.count).sum::<u64>(), latency.count());
        let buckets: Vec<_> = latency.buckets().collect();
        prop_assert!(buckets.windows(2).all(|w| w[0].up_to < w[1].up_to && w[0].cumulative < w[1].cumulative));
    }

    #[test]
    fn a_sketch_is_never_below_and_at_most_a_thirty_second_above(spans in prop::collection::vec(span(), 1..300)) {
        let mut sketch = Sketch::new();
        spans.iter().for_each(|&s| sketch.record(s));
        for p in SHARES {
            let (got, truth) = (sketch.quantile(p).expect("recorded"), exact(&spans, p));
            if truth.as_nanos() < 1 << 42 {
                let slack = Duration::ns(1024.max(truth.as_nanos() / 32));
                prop_assert!(got >= truth && got <= truth + slack, "p{p}: {got}, truth {truth}");
            }
        }
        prop_assert_eq!(sketch.quantile(1.0), spans.iter().max().copied());
        prop_assert_eq!(sketch.max(), spans.iter().max().copied());
    }

    #[test]
    fn merging_is_recording_together(
        a in prop::collection::vec(span(), 0..100), b in prop::collection::vec(span(), 0..100),
    ) {
        let record = |spans: &[Duration]| {
            let (mut latency, mut sketch) = (Latency::new(), Sketch::new());
            spans.iter().for_each(|&s| { latency.record(s); sketch.record(s) });
            (latency, sketch)
        };
        let (mut apart, other, together) = (record(&a), record(&b), record(&[a.clone(), b].concat()));
        apart.0.merge(&other.0);
        apart.1.merge(&other.1);
        prop_assert_eq!(fold(|f| apart.0.fold(f)), fold(|f| together.0.fold(f)));
        prop_assert_eq!(&apart.1, &together.1);
        prop_assert_eq!(apart.0.min(), together.0.min());
    }

    #[test]
    fn a_window_counts_what_a_list_would(
        records in prop::collection::vec((0u64..200, any::<bool>(), span()), 0..200),
        ask in prop::collection::vec((0u64..250, 0u64..80), 1..10),
    ) {
        let (width, longest) = (10, 60);
        let mut records = records;
        records.sort_by_key(|&(at, ..)| at);
        let mut window = SuccessWindow::new(Duration::ms(longest), Duration::ms(width));
        let mut ask = ask;
        ask.sort_unstable();
        let mut done = 0;
        for (now, asked) in ask {
            while let Some(&(at, ok, span)) = records.get(done).filter(|&&(at, ..)| at <= now) {
                window.record(Instant::from_millis(at), ok, span);
                done += 1;
            }
            // Whole slots, from the one that holds the first nanosecond after now - asked, six and the present at most.
            let start = (now * 1_000_000).checked_sub(asked * 1_000_000).map_or(0, |ns| ns + 1);
            let first = (start / (width * 1_000_000)).max((now / width).saturating_sub(longest / width));
            let inside = || records[..done].iter().filter(|&&(at, ..)| at / width >= first);
            let counts = window.since(Instant::from_millis(now), Duration::ms(asked));
            prop_assert_eq!(counts.ok, inside().filter(|&&(_, ok, _)| ok).count() as u64);
            prop_assert_eq!(counts.failed, inside().filter(|&&(_, ok, _)| !ok).count() as u64);
            let mut whole = Sketch::new();
            inside().for_each(|&(_, _, span)| whole.record(span));
            for p in [0.5, 0.99] {
                prop_assert_eq!(window.quantile(Instant::from_millis(now), Duration::ms(asked), p), whole.quantile(p));
            }
            prop_assert_eq!(window.mean(Instant::from_millis(now), Duration::ms(asked)), whole.mean());
        }
    }

    #[test]
    fn a_series_loses_nothing(records in prop::collection::vec((0u64..3000, 0u64..9), 0..100)) {
        let axis = Axis::new(Instant::from_millis(1000), Duration::ms(100), 10);
        let (mut series, mut latencies) = (Series::new(axis), LatencySeries::new(axis));
        for &(at, n) in &records {
            series.add(Instant::from_millis(at), n);
            latencies.record(Instant::from_millis(at), Duration::ms(n));
        }
        prop_assert_eq!(series.total(), records.iter().map(|r| r.1).sum::<u64>());
        prop_assert_eq!(latencies.sketches().iter().map(Sketch::count).sum::<u64>(), records.len() as u64);
        for (i, &count) in series.counts().iter().enumerate() {
            let inside = |at: u64| axis.index(Instant::from_millis(at)) == i;
            prop_assert_eq!(count, records.iter().filter(|r| inside(r.0)).map(|r| r.1).sum::<u64>());
        }
    }
}

fn fold(part: impl Fn(&mut Fingerprint)) -> u64 {
    let mut fingerprint = Fingerprint::EMPTY;
    part(&mut fingerprint);
    fingerprint.value()
}

proptest! {
    /// The crate everybody knows puts the same spans into the same buckets: its quantiles are ours, to the bucket.
    #[test]
    fn quantiles_are_hdr_histograms(
        spans in prop::collection::vec(1_000u64..10_000_000_000, 1..400),
        p in 0.0f64..=1.0,
    ) {
        let mut ours = Latency::new();
        let mut theirs = hdrhistogram::Histogram::<u64>::new_with_bounds(1_000, 3_600_000_000_000, 3).unwrap();
        for &ns in &spans {
            ours.record(Duration::ns(ns));
            theirs.record(ns).unwrap();
        }
        let longest = *spans.iter().max().unwrap();
        let (ours, theirs) = (ours.quantile(p).unwrap().as_nanos(), theirs.value_at_quantile(p).min(longest));
        prop_assert!(ours.abs_diff(theirs) <= 512.max(theirs / 500), "{ours} against {theirs}");
    }
}

proptest::proptest! {
    /// Taking a part away leaves what recording the rest alone would have given; only the least and the greatest are
    /// known to their buckets.
    #[test]
    fn a_part_can_be_taken_away(
        rest in proptest::collection::vec(0u64..20_000_000_000_000, 0..40),
        part in proptest::collection::vec(0u64..20_000_000_000_000, 0..40),
    ) {
        let of = |spans: &[u64]| {
            let mut latency = Latency::new();
            spans.iter().for_each(|ns| latency.record(Duration::ns(*ns)));
            latency
        };
        let mut all = of(&rest);
        let part = of(&part);
        all.merge(&part);
        let (found, alone) = (all.without(&part), of(&rest));
        let figures = |latency: &Latency| (latency.count(), latency.sum_nanos(), latency.mean());
        proptest::prop_assert_eq!(figures(&found), figures(&alone));
        // Beyond the last bucket a span is counted, and its length is known of the greatest alone.
        let within = |span: Option<Duration>| span.filter(|span| span.as_nanos() < 1 << 42);
        for p in [0.0, 0.5, 0.9, 0.999] {
            if let (Some(a), Some(b)) = (within(found.quantile(p)), within(alone.quantile(p))) {
                let (a, b) = (a.as_nanos(), b.as_nanos());
                proptest::prop_assert!(a >= b && a - b <= (b / 1024).max(512), "p{p}: {a} instead of {b}");
            }
        }
        if let (Some(a), Some(b)) = (found.max(), within(alone.max())) {
            proptest::prop_assert!(a >= b && a.as_nanos() - b.as_nanos() <= (b.as_nanos() / 1024).max(512));
        }
        proptest::prop_assert_eq!(found.min().is_none(), rest.is_empty());
    }
}
