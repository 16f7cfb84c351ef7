//! Latency twice: over time, where one sees what a fault or a step of a rollout did, and as a distribution, where one
//! sees how far the tail reaches.

use super::frame::{self, Key, Panel};
use super::ink::{Dash, Ink, series};
use super::scale::{Spans, nines, share};
use super::story::Story;
use super::{Plot, end, middles, scale};
use crate::csv::{self, Sheet};
use crate::number::count;
use base::Duration;
use world::outcome::{Distribution, Outcome};

pub(super) const OVER_TIME: &str = "plot-latency-time";
pub(super) const DISTRIBUTION: &str = "plot-latency-distribution";

/// Median, 99th percentile and maximum of the requests that ended in each step.
pub(super) fn over_time(outcome: &Outcome) -> Plot {
    let t = &outcome.timeline;
    let lines: [(&str, &[Duration], Ink, Dash, f64); 3] = [
        ("maximum", &t.max, Ink::Grey, Dash::Dotted, 1.5),
        ("99th percentile", &t.p99, Ink::Vermilion, Dash::Dashed, 1.8),
        ("median", &t.p50, Ink::Blue, Dash::Solid, 2.0),
    ];
    let spans = Spans::over("latency", lines.iter().flat_map(|(_, spans, ..)| spans.iter().copied()));
    let title = "Latency over time";
    let sheet = frame::Sheet {
        id: OVER_TIME,
        title,
        x: scale::time(end(outcome)),
        time: Some(Story::of(outcome)),
        right: frame::RIGHT,
        keys: lines.iter().map(|(name, _, ink, dash, _)| Key::Line(*ink, *dash, (*name).into())).collect(),
        panels: vec![Panel { y: spans.axis.clone(), height: 280.0 }],
    };
    let at: Vec<f64> = middles(t).collect();
    let svg = frame::draw(&sheet, |planes| {
        for (_, values, ink, dash, width) in &lines {
            // Where nothing ended there is nothing to join.
            let points: Vec<(f64, Duration)> = at.iter().copied().zip(values.iter().copied()).collect();
            for run in points.split(|(_, span)| span.is_zero()).filter(|run| !run.is_empty()) {
                planes[0].line(run.iter().map(|&(x, span)| (x, spans.height(span))), ink.line(*width, *dash));
            }
        }
    });
    let mut csv = Sheet::new(["t_s", "p50_ms", "p99_ms", "max_ms"]);
    let step = t.step.as_secs_f64();
    for i in 0..t.steps {
        let ms = |spans: &[Duration]| match spans.get(i) {
            Some(span) if !span.is_zero() => csv::number(span.as_millis_f64()),
            _ => String::new(),
        };
        csv.row([csv::number(i as f64 * step), ms(&t.p50), ms(&t.p99), ms(&t.max)]);
    }
    let caption = format!(
        "Each point sums up the requests that ended within {}, successes and failures alike, as their senders saw \
         them; a gap means that none ended. A median that stays while the 99th percentile climbs is the mark of a few slow \
         or dead instances; when both climb, capacity is short everywhere.",
        crate::number::span(t.step)
    );
    Plot { id: OVER_TIME, title, caption, svg, csv }
}

/// The distribution of latency over the measured part, on an axis of nines, for all requests and for each service.
pub(super) fn distribution(outcome: &Outcome) -> Plot {
    const DRAWN: usize = 6;
    let mut all: Vec<(String, &Distribution)> = vec![("all requests".into(), &outcome.latency)];
    all.extend(outcome.services.iter().map(|s| (s.name.clone(), &s.latency)));
    let drawn: Vec<_> = all.iter().filter(|(_, d)| !d.curve.is_empty()).take(DRAWN + 1).collect();
    let samples = drawn.iter().map(|(_, d)| d.count).max().unwrap_or(0);
    let spans = Spans::over("latency", drawn.iter().flat_map(|(_, d)| d.curve.iter().map(|(_, span)| *span)));
    let title = "Distribution of latency";
    let mut keys: Vec<Key> = drawn
        .iter()
        .enumerate()
        .map(|(i, (name, _))| {
            let (ink, dash) = series(i);
            Key::Line(ink, dash, name.clone())
        })
        .collect();
    if all.len() > drawn.len() && drawn.len() > DRAWN {
        keys.push(Key::Note(format!("and {} services in the data", all.len() - drawn.len())));
    }
    let sheet = frame::Sheet {
        id: DISTRIBUTION,
        title,
        x: nines(samples),
        time: None,
        right: frame::RIGHT,
        keys,
        panels: vec![Panel { y: spans.axis.clone(), height: 320.0 }],
    };
    let svg = frame::draw(&sheet, |planes| {
        for (i, (_, d)) in drawn.iter().enumerate().rev() {
            let (ink, dash) = series(i);
            let points = d.curve.iter().map(|&(p, span)| (share(p, d.count), spans.height(span)));
            planes[0].line(points, ink.line(if i == 0 { 2.2 } else { 1.8 }, dash));
            if let Some(&(p, span)) = d.curve.last() {
                planes[0].dot((share(p, d.count), spans.height(span)), 3.0, ink.fill(1.0));
            }
        }
    });
    let mut csv = Sheet::new(["of", "share", "latency_ms"]);
    for (name, d) in &all {
        for (p, span) in &d.curve {
            csv.row([name.clone(), format!("{p}"), csv::number(span.as_millis_f64())]);
        }
    }
    let caption = format!(
        "Read upwards from a share: that many of the requests took at most so long. Every further nine gets the same \
         room, so the tail is as easy to read as the middle; the dot at the end is the slowest request. {} requests after \
         warm-up; for a service, the calls to it as its callers saw them.",
        count(outcome.latency.count)
    );
    Plot { id: DISTRIBUTION, title, caption, svg, csv }
}
