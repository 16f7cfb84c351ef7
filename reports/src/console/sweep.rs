//! Many seeds of one scenario on the console: how they ended, how far they spread, and how to run a failing one again.
//!
//! Seeds are independent samples, so the spread over seeds is what a single run cannot show. What all runs say together
//! comes with its 95 % interval: latencies are those of all requests, as a study pools them, the share of successes is
//! that of all requests, the rest are means. Beside it stand the standard deviation of the runs (that of a sample, over
//! n − 1), the least and the greatest run, and the number of runs.

use super::table::{Cell, Table, label};
use super::{Paint, Tone, plain};
use crate::number::{count, counted, decimal, decimals_for};
use study::stats::{Estimate, weighted};
use study::{Latencies, Pool};
use world::outcome::{Outcome, Verdict};

/// What a sweep keeps of one seed's run.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRow {
    /// The scenario's short name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// The name of the invariant or objective that failed, when one did.
    pub failure: Option<String>,
    /// The run's fingerprint, 16 hex digits.
    pub fingerprint: String,
    /// Events handled.
    pub events: u64,
    /// Requests measured.
    pub sent: u64,
    /// The share of them that succeeded, in percent; none when there were no requests.
    pub success_percent: Option<f64>,
    /// The latencies of the measured requests.
    pub latency: Latencies,
    /// Median latency in milliseconds; none when there were no requests.
    pub p50_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// The command that runs this seed again.
    pub replay: String,
}

impl SweepRow {
    /// What a sweep keeps of this outcome.
    pub fn of(outcome: &Outcome, replay: impl Into<String>) -> Self {
        let (requests, latency) = (&outcome.requests, &outcome.latency);
        let ms = |span: base::Duration| (latency.count > 0).then(|| span.as_millis_f64());
        SweepRow {
            scenario: outcome.run.scenario.clone(),
            seed: outcome.run.seed.0,
            verdict: outcome.verdict,
            failure: outcome.failure.as_ref().map(|f| f.name.clone()),
            fingerprint: outcome.run.fingerprint.to_string(),
            events: outcome.run.events,
            sent: requests.sent,
            latency: Latencies::of(latency, &[]),
            success_percent: (requests.sent > 0).then(|| requests.success().as_f64() * 100.0),
            p50_ms: ms(latency.p50),
            p99_ms: ms(latency.p99),
            max_ms: ms(latency.max),
            replay: replay.into(),
        }
    }
}

/// Failing seeds listed in full before the rest is only counted.
const LISTED: usize = 20;

/// Many seeds as text that ends in a line break. The rows come in the order in which they are to be listed.
pub fn sweep(rows: &[SweepRow], colour: bool) -> String {
    let paint = Paint(colour);
    let mut lines = Vec::new();
    let Some(first) = rows.first() else {
        return "  no seed was run\n".into();
    };
    let (low, high) = rows.iter().fold((first.seed, first.seed), |(l, h), r| (l.min(r.seed), h.max(r.seed)));
    let names: std::collections::BTreeSet<&str> = rows.iter().map(|r| r.scenario.as_str()).collect();
    let name = if names.len() == 1 { plain(&first.scenario) } else { format!("{} scenarios", names.len()) };
    lines.push(format!(
        "  {}   {}   seeds {low} to {high}",
        paint.tone(Tone::Strong, &name),
        counted(rows.len() as u64, "run", "runs"),
    ));
    lines.push(String::new());
    block(&mut lines, paint, "verdicts", &verdicts(rows));
    lines.push(String::new());
    block(&mut lines, paint, "over seeds", &spread(rows));

    let failing: Vec<&SweepRow> = rows.iter().filter(|r| r.verdict != Verdict::Passed).collect();
    lines.push(String::new());
    if failing.is_empty() {
        lines.push(format!("  {}", paint.tone(Tone::Good, "✓ PASSED   every seed")));
    } else {
        let word =
            format!("✗ FAILED   {} of {}", count(failing.len() as u64), counted(rows.len() as u64, "run", "runs"));
        lines.push(format!("  {}", paint.tone(Tone::Bad, &word)));
        let mut table = Table::bare("rlll");
        for row in failing.iter().take(LISTED) {
            table.row([
                Cell::plain(format!("seed {}", row.seed)),
                Cell::plain(row.verdict.name()),
                Cell::plain(row.failure.as_deref().map(plain).unwrap_or_default()),
                Cell::strong(plain(&row.replay)),
            ]);
        }
        lines.extend(table.lines(paint).into_iter().map(|line| format!("    {line}")));
        if failing.len() > LISTED {
            lines.push(format!("    and {} more", count((failing.len() - LISTED) as u64)));
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn block(lines: &mut Vec<String>, paint: Paint, name: &str, table: &Table) {
    for (i, line) in table.lines(paint).into_iter().enumerate() {
        let margin = label(if i == 0 { name } else { "" });
        lines.push(format!("  {}{line}", paint.tone(Tone::Quiet, &margin)));
    }
}

fn verdicts(rows: &[SweepRow]) -> Table {
    let mut table = Table::bare("llrl");
    for verdict in [Verdict::Passed, Verdict::Coverage, Verdict::Objective, Verdict::Liveness, Verdict::Safety] {
        let of_it: Vec<&SweepRow> = rows.iter().filter(|r| r.verdict == verdict).collect();
        if of_it.is_empty() && verdict != Verdict::Passed {
            continue;
        }
        let mut reasons = std::collections::BTreeMap::<&str, u64>::new();
        for name in of_it.iter().filter_map(|r| r.failure.as_deref()) {
            *reasons.entry(name).or_default() += 1;
        }
        let reasons: Vec<String> = reasons.iter().map(|(name, n)| format!("{} {}", plain(name), count(*n))).collect();
        let good = verdict == Verdict::Passed;
        table.row([
            if good { Cell::toned(Tone::Good, "✓") } else { Cell::toned(Tone::Bad, "✗") },
            Cell::plain(verdict.name()),
            Cell::plain(count(of_it.len() as u64)),
            Cell::quiet(reasons.join(", ")),
        ]);
    }
    table
}

/// One minus the confidence of intervals.
const ALPHA: f64 = 0.05;

/// What all runs say together, and how a number varies from seed to seed.
fn spread(rows: &[SweepRow]) -> Table {
    let mut table = Table::new("lrrrrrr", ["", "all", "95 %", "sd", "min", "max", "n"].map(String::from));
    let mut add = |name: &str, values: Vec<f64>, all: Option<Estimate>| {
        let (Some(s), Some(all)) = (Spread::of(&values), all) else { return };
        let decimals = if name == "success %" { 3 } else { decimals_for(all.mean) };
        let show = |x| decimal(x, decimals);
        let interval = all.interval(ALPHA).map(|(low, high)| format!("{} – {}", show(low), show(high)));
        table.row([
            Cell::plain(name),
            Cell::plain(show(all.mean)),
            Cell::plain(interval.unwrap_or_default()),
            Cell::plain(s.sd.map(show).unwrap_or_default()),
            Cell::plain(show(s.min)),
            Cell::plain(show(s.max)),
            Cell::plain(count(values.len() as u64)),
        ]);
    };
    let mean = |values: &[f64]| Estimate::of(values.iter().copied()).map(|e| e.within(0.0, f64::INFINITY, ALPHA));
    let requests: Vec<f64> = rows.iter().map(|r| r.sent as f64).collect();
    add("requests", requests.clone(), mean(&requests));
    let successes: Vec<(usize, f64)> =
        rows.iter().enumerate().filter_map(|(i, r)| Some((i, r.success_percent?))).collect();
    let weights: Vec<f64> = successes.iter().map(|(i, _)| rows[*i].sent as f64).collect();
    let of_all = Estimate::of(weighted(successes.clone(), &weights).into_iter().map(|(_, x)| x));
    let of_all = of_all.map(|e| e.within(0.0, 100.0, ALPHA));
    add("success %", successes.into_iter().map(|(_, x)| x).collect(), of_all);
    let pool = Pool::of(rows.iter().map(|r| &r.latency).enumerate(), ALPHA);
    let at = |p: f64| pool.as_ref().map(|pool| pool.quantile(p).0);
    add("p50 ms", rows.iter().filter_map(|r| r.p50_ms).collect(), at(0.5));
    add("p99 ms", rows.iter().filter_map(|r| r.p99_ms).collect(), at(0.99));
    let longest: Vec<f64> = rows.iter().filter_map(|r| r.max_ms).collect();
    add("max ms", longest.clone(), mean(&longest));
    let events: Vec<f64> = rows.iter().map(|r| r.events as f64).collect();
    add("events", events.clone(), mean(&events));
    table
}

/// Standard deviation and range of a sample.
struct Spread {
    /// None for a single value, which says nothing about spread.
    sd: Option<f64>,
    min: f64,
    max: f64,
}

impl Spread {
    /// None for an empty sample.
    fn of(values: &[f64]) -> Option<Spread> {
        let n = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Some(Spread {
            sd: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_deviation_is_that_of_a_sample() {
        let s = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert!((s.sd.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!((s.min, s.max), (2.0, 9.0));
        assert!(Spread::of(&[3.0]).unwrap().sd.is_none(), "one value has no spread");
        assert!(Spread::of(&[]).is_none());
    }
}
