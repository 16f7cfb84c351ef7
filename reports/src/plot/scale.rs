//! From data to axes: where an axis begins and ends, and where ticks help.
//!
//! Ticks stand at round numbers: one, two or five times a power of ten, and for time the divisions of an hour. An axis
//! of amounts begins at zero. Spans that reach over more than a factor of twenty are drawn on a logarithmic axis,
//! because a tail a hundred times the median would press everything else onto the ground.

use super::frame::Axis;
use crate::number::{Unit, decimal};
use base::Duration;
use base::math::{log10, pow};

/// Round steps that divide `span` into at most `most` parts.
fn round_step(span: f64, most: f64) -> f64 {
    let raw = (span / most).max(1e-12);
    let power = pow(10.0, log10(raw).floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= raw * (1.0 - 1e-9)).unwrap_or(raw)
}

fn decimals(step: f64) -> usize {
    (0..6).find(|&d| (step * pow(10.0, d as f64)).fract().abs() < 1e-6).unwrap_or(6)
}

/// An axis from zero to a round number at or above `max`, with at most `most` parts.
pub(crate) fn amounts(title: impl Into<String>, max: f64, most: f64) -> Axis {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let step = round_step(max, most);
    let parts = (max / step - 1e-9).ceil().max(1.0);
    let places = decimals(step);
    let ticks = (0..=parts as u32).map(|i| f64::from(i) * step).map(|at| (at, decimal(at, places))).collect();
    Axis { title: title.into(), low: 0.0, high: parts * step, ticks, grid: true }
}

/// An axis from below `low` to above `high`, at round numbers, with zero on it.
pub(crate) fn around(title: impl Into<String>, low: f64, high: f64, most: f64) -> Axis {
    let (low, high) = (low.min(0.0), high.max(0.0));
    let step = round_step(if high > low { high - low } else { 1.0 }, most);
    let (from, to) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil().max((low / step).floor() + 1.0));
    let places = decimals(step);
    let ticks = (from as i64..=to as i64).map(|i| i as f64 * step).map(|at| (at, decimal(at, places))).collect();
    Axis { title: title.into(), low: from * step, high: to * step, ticks, grid: true }
}

/// Differences on an axis with zero on it: straight, or, where the largest is more than twenty times the typical one,
/// logarithmic on both sides of zero.
pub(crate) struct Differences {
    /// Below this it is about straight, above about logarithmic; none when it is straight throughout.
    bend: Option<f64>,
    pub(crate) axis: Axis,
}

impl Differences {
    /// An axis called `title` that holds `low` to `high`; `typical` is a size of which one wants to see something.
    pub(crate) fn over(title: &str, low: f64, high: f64, typical: f64) -> Differences {
        let most = high.max(-low);
        if typical <= 0.0 || !most.is_finite() || most <= 20.0 * typical {
            return Differences { bend: None, axis: around(title, low, high, 7.0) };
        }
        let bend = pow(10.0, log10(typical).floor());
        let mut found = Differences { bend: Some(bend), axis: around(title, low, high, 7.0) };
        let decades: Vec<f64> =
            (0..20).map(|k| bend * pow(10.0, f64::from(k))).take_while(|t| *t < most * 10.0).collect();
        let ends = |reach: f64| decades.iter().copied().find(|t| *t >= reach).unwrap_or(reach);
        let (low, high) = (if low < 0.0 { -ends(-low) } else { 0.0 }, if high > 0.0 { ends(high) } else { 0.0 });
        let both = decades.iter().rev().map(|t| -t).chain([0.0]).chain(decades.iter().copied());
        let ticks = both.filter(|t| *t >= low && *t <= high).map(|t| (found.place(t), decimal(t, decimals(t.abs()))));
        found.axis = Axis {
            title: format!("{title} (logarithmic on both sides of zero)"),
            low: found.place(low),
            high: found.place(high),
            ticks: ticks.collect(),
            grid: true,
        };
        found
    }

    /// Where a difference stands.
    pub(crate) fn place(&self, x: f64) -> f64 {
        self.bend.map_or(x, |bend| log10(1.0 + x.abs() / bend).copysign(x))
    }
}

/// The axis of simulated time, from the beginning to `end` seconds.
pub(crate) fn time(end: f64) -> Axis {
    let end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
    let steps =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0];
    let step = if end < 10.0 {
        round_step(end, 12.0)
    } else {
        steps.into_iter().find(|step| end / step <= 14.0).unwrap_or_else(|| round_step(end, 12.0))
    };
    let places = decimals(step);
    let ticks = (0..=(end / step + 1e-9) as u32).map(|i| f64::from(i) * step).map(|at| (at, decimal(at, places)));
    Axis { title: "simulated time, s".into(), low: 0.0, high: end, ticks: ticks.collect(), grid: false }
}

/// How numbers become heights: straight from zero, or logarithmic where they reach over more than a factor of twenty.
pub(crate) struct Heights {
    logarithmic: bool,
    /// The smallest height a number gets on a logarithmic axis.
    floor: f64,
    pub(crate) axis: Axis,
}

impl Heights {
    /// An axis called `title` that holds all of `numbers`; what is not above zero counts as none.
    pub(crate) fn over(title: &str, numbers: impl IntoIterator<Item = f64>) -> Heights {
        Heights::bent_from(20.0, title, numbers)
    }

    fn bent_from(factor: f64, title: &str, numbers: impl IntoIterator<Item = f64>) -> Heights {
        let above = numbers.into_iter().filter(|x| x.is_finite() && *x > 0.0);
        let (low, high) = above.fold((f64::INFINITY, 0.0_f64), |(l, h), x| (l.min(x), h.max(x)));
        if high > low * factor {
            let mut axis = decades(low, high);
            axis.title = format!("{title} (logarithmic)");
            Heights { logarithmic: true, floor: axis.low, axis }
        } else {
            Heights { logarithmic: false, floor: 0.0, axis: amounts(title, high, 6.0) }
        }
    }

    /// The same for points and lines that need no ground to stand on: numbers that differ by less than a half are drawn
    /// from near the smallest, and those that differ by more than a factor of eight already on a logarithmic axis.
    pub(crate) fn snug(title: &str, numbers: impl IntoIterator<Item = f64>) -> Heights {
        let numbers: Vec<f64> = numbers.into_iter().filter(|x| x.is_finite()).collect();
        let (low, high) = numbers.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), &x| (l.min(x), h.max(x)));
        if low <= high * 0.5 || high <= 0.0 {
            return Heights::bent_from(8.0, title, numbers);
        }
        let step = round_step((high - low).max(high * 1e-6), 5.0);
        let (from, to) = ((low / step + 1e-9).floor() - 1.0, (high / step - 1e-9).ceil() + 1.0);
        let places = decimals(step);
        let ticks = (from as i64..=to as i64).map(|i| i as f64 * step).map(|at| (at, decimal(at, places))).collect();
        Heights::straight(Axis { title: title.into(), low: from * step, high: to * step, ticks, grid: true })
    }

    /// Heights that are the numbers themselves, on this axis.
    pub(crate) fn straight(axis: Axis) -> Heights {
        Heights { logarithmic: false, floor: 0.0, axis }
    }

    /// The height of a number.
    pub(crate) fn height(&self, x: f64) -> f64 {
        match self.logarithmic {
            true if x <= 0.0 => self.floor,
            true => log10(x).max(self.floor),
            false => x,
        }
    }
}

/// How spans become heights, in the unit that suits them.
pub(crate) struct Spans {
    unit: Unit,
    heights: Heights,
    pub(crate) axis: Axis,
}

impl Spans {
    /// An axis called `what` that holds all of `spans`; spans of no length are taken for "none".
    pub(crate) fn over(what: &str, spans: impl IntoIterator<Item = Duration>) -> Spans {
        let spans: Vec<Duration> = spans.into_iter().filter(|s| !s.is_zero()).collect();
        let unit = Unit::for_spans(spans.iter().copied());
        let heights = Heights::over(&format!("{what}, {}", unit.name()), spans.iter().map(|&s| unit.of(s)));
        Spans { unit, axis: heights.axis.clone(), heights }
    }

    /// The height of a span.
    pub(crate) fn height(&self, span: Duration) -> f64 {
        self.heights.height(self.unit.of(span))
    }
}

/// A logarithmic axis around `low..high`: ends and ticks at one, two and five times powers of ten, or at powers alone
/// when there are more than three of them.
pub(crate) fn decades(low: f64, high: f64) -> Axis {
    let (first, last) = (log10(low).floor() as i32, log10(high).ceil() as i32);
    let digits: &[f64] = if last - first > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let all: Vec<f64> =
        (first..=last).flat_map(|power| digits.iter().map(move |d| d * pow(10.0, f64::from(power)))).collect();
    let from = all.iter().copied().filter(|t| *t <= low * 1.000_001).fold(all[0], f64::max);
    let to = all.iter().copied().filter(|t| *t >= high * 0.999_999).fold(f64::INFINITY, f64::min);
    let to = if to.is_finite() { to } else { high };
    let ticks = all
        .into_iter()
        .filter(|t| *t >= from * 0.999 && *t <= to * 1.001)
        .map(|t| (log10(t), decimal(t, decimals(t))))
        .collect();
    Axis { title: String::new(), low: log10(from), high: log10(to), ticks, grid: true }
}

/// An axis of shares that gives every further nine the same room: 0 %, 90 %, 99 %, 99.9 %, as far as `count` samples
/// can tell.
pub(crate) fn nines(count: u64) -> Axis {
    let high = share(1.0, count).max(1.0);
    let named = [0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 0.999_999, 0.999_999_9, 0.999_999_99];
    let ticks = named.into_iter().map(|p| (share(p, count), p)).filter(|(x, _)| *x <= high * 0.93);
    let mut ticks: Vec<(f64, String)> = ticks.map(|(x, p)| (x, format!("{} %", trimmed(p * 100.0)))).collect();
    ticks.push((high, "max".into()));
    Axis { title: "share of requests at most this slow".into(), low: 0.0, high, ticks, grid: true }
}

/// Where the share `p` stands on an axis of nines. With `count` samples the largest stands where one in `count` would.
pub(crate) fn share(p: f64, count: u64) -> f64 {
    let end = log10(count.max(10) as f64);
    if p >= 1.0 { end } else { (-log10((1.0 - p).max(1e-15))).clamp(0.0, end) }
}

pub(crate) fn trimmed(x: f64) -> String {
    let text = format!("{x:.6}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn amounts_end_at_a_round_number_above_the_data() {
        let axis = amounts("", 612.0, 5.0);
        assert_eq!((axis.high, labels(&axis)), (800.0, vec!["0", "200", "400", "600", "800"]));
        assert_eq!(labels(&amounts("", 0.8, 4.0)), ["0.0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(amounts("", 0.0, 4.0).high, 1.0, "nothing at all still has an axis");
    }

    #[test]
    fn differences_far_apart_bend_on_both_sides_of_zero() {
        let straight = Differences::over("d", -3.0, 40.0, 2.0);
        assert_eq!((straight.place(7.0), straight.axis.title.as_str()), (7.0, "d"));
        let bent = Differences::over("d", -3.0, 4_000.0, 2.0);
        assert_eq!(labels(&bent.axis), ["−10", "−1", "0", "1", "10", "100", "1,000", "10,000"]);
        assert_eq!(bent.place(0.0), 0.0);
        assert_eq!(bent.place(-5.0), -bent.place(5.0));
        assert!(bent.place(-3.0) >= bent.axis.low && bent.place(4_000.0) <= bent.axis.high);
    }

    #[test]
    fn numbers_close_together_are_drawn_from_near_the_smallest() {
        let close = Heights::snug("", [1.002, 1.27]);
        assert_eq!(labels(&close.axis), ["0.9", "1.0", "1.1", "1.2", "1.3", "1.4"]);
        assert_eq!(Heights::snug("", [4.0, 9.0]).axis.low, 0.0, "a factor of two is seen from zero as well");
        assert!(Heights::snug("", [7.0, 7.0]).axis.high > 7.0, "equal numbers still have an axis");
    }

    #[test]
    fn differences_have_zero_on_their_axis() {
        let axis = around("", -12.0, 31.0, 6.0);
        assert_eq!(labels(&axis), ["−20", "−10", "0", "10", "20", "30", "40"]);
        assert_eq!(labels(&around("", 3.0, 9.0, 5.0)), ["0", "2", "4", "6", "8", "10"]);
        assert!(around("", 0.0, 0.0, 5.0).high > 0.0, "no difference at all still has an axis");
    }

    #[test]
    fn time_ticks_divide_hours_and_never_pass_the_end() {
        assert_eq!(labels(&time(250.0)), ["0", "30", "60", "90", "120", "150", "180", "210", "240"]);
        assert_eq!(labels(&time(0.5)).last(), Some(&"0.50"));
        assert!(time(86_400.0).ticks.iter().all(|(at, _)| *at <= 86_400.0));
        assert_eq!(time(0.0).high, 1.0, "a run of no length still has an axis");
    }

    #[test]
    fn spans_turn_logarithmic_beyond_a_factor_of_twenty_and_not_before() {
        let ms = Duration::ms;
        let straight = Spans::over("latency", [ms(5), ms(100)]);
        assert_eq!((straight.axis.title.as_str(), straight.height(ms(50))), ("latency, ms", 50.0));
        let bent = Spans::over("latency", [ms(5), ms(101)]);
        assert_eq!(bent.axis.title, "latency, ms (logarithmic)");
        assert_eq!(labels(&bent.axis), ["5", "10", "20", "50", "100", "200"]);
        assert_eq!(bent.height(ms(100)), 2.0);
        assert_eq!(bent.height(Duration::ZERO), bent.axis.low);
    }

    #[test]
    fn every_nine_gets_the_same_room() {
        let at = |p| share(p, 1_000_000);
        assert!((at(0.99) - at(0.9) - (at(0.999) - at(0.99))).abs() < 1e-9);
        assert_eq!(share(1.0, 1_000), 3.0);
        assert_eq!(labels(&nines(1_000)), ["0 %", "50 %", "75 %", "90 %", "95 %", "99 %", "max"]);
        assert!(nines(0).high >= 1.0);
    }
}
