//! Where the points of a study's axis stand along a picture.
//!
//! Loads stand at −log(1 − ρ), because what matters happens close to one and every halving of what is left deserves the
//! same room; numbers over more than a factor of twenty stand on a logarithmic axis; words stand side by side. What is
//! beyond the last load that can be served stands apart at the right.

use crate::plot::frame::{Axis, SMALL, WIDTH, width};
use base::math::{log10, pow};

/// A study's axis, laid along a picture.
pub(crate) struct Along {
    pub(crate) axis: Axis,
    /// Where each point stands.
    pub(crate) places: Vec<f64>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Words,
    Straight,
    Logarithmic,
    Loads,
}

impl Along {
    /// An axis called `title` through these points. `loads` says whether the numbers are the loads of the cells.
    pub(crate) fn over(title: &str, labels: &[String], numbers: Option<&[f64]>, loads: bool) -> Along {
        let kind = kind(numbers, loads);
        let at = |i: usize| numbers.map_or(i as f64, |n| n[i]);
        let served = (0..labels.len()).map(at).filter(|x| kind != Kind::Loads || *x < 1.0).map(|x| place(kind, x));
        let (low, high) = served.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let span = if high > low { high - low } else { 1.0 };
        let mut beyond = 0.0;
        let places: Vec<f64> = (0..labels.len())
            .map(|i| {
                if kind == Kind::Loads && at(i) >= 1.0 {
                    beyond += 1.0;
                    high + span * 0.09 * beyond
                } else {
                    place(kind, at(i))
                }
            })
            .collect();
        let right = places.iter().copied().fold(high, f64::max);
        let air = if kind == Kind::Words { 0.5 } else { span * 0.03 };
        let bend = match kind {
            Kind::Loads => " (logarithmic in what is left free)",
            Kind::Logarithmic => " (logarithmic)",
            Kind::Words | Kind::Straight => "",
        };
        let mut axis =
            Axis { title: format!("{title}{bend}"), low: low - air, high: right + air, ticks: Vec::new(), grid: true };
        if !axis.low.is_finite() || !axis.high.is_finite() {
            (axis.low, axis.high) = (0.0, 1.0);
        }
        axis.ticks = ticks(&axis, &places, labels);
        Along { axis, places, kind }
    }

    /// Loads between the first and the last point that can be served, evenly along the picture, with their places;
    /// empty when the axis is not one of loads.
    pub(crate) fn loads_between(&self, numbers: &[f64]) -> Vec<(f64, f64)> {
        const POINTS: usize = 41;
        let served: Vec<f64> = numbers.iter().copied().filter(|x| *x > 0.0 && *x < 1.0).collect();
        if !matches!(self.kind, Kind::Loads | Kind::Straight) || served.is_empty() {
            return Vec::new();
        }
        let low = served.iter().copied().fold(1.0, f64::min);
        let high = served.iter().copied().fold(0.0, f64::max);
        let (from, to) = (place(self.kind, low), place(self.kind, high));
        (0..POINTS)
            .map(|i| {
                let at = from + (to - from) * i as f64 / (POINTS - 1) as f64;
                let rho = if self.kind == Kind::Loads { 1.0 - pow(10.0, -at) } else { at };
                (rho.clamp(low, high), at)
            })
            .collect()
    }
}

fn kind(numbers: Option<&[f64]>, loads: bool) -> Kind {
    let Some(numbers) = numbers else { return Kind::Words };
    let (low, high) = numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
    match () {
        () if numbers.len() < 2 || low == high => Kind::Words,
        () if loads && low > 0.0 && high >= 0.9 => Kind::Loads,
        () if low > 0.0 && high >= low * 20.0 => Kind::Logarithmic,
        () => Kind::Straight,
    }
}

fn place(kind: Kind, x: f64) -> f64 {
    match kind {
        Kind::Words | Kind::Straight => x,
        Kind::Logarithmic => log10(x.max(1e-300)),
        Kind::Loads => -log10((1.0 - x).max(1e-12)),
    }
}

/// Labels at the points, as many as have room, the first and the last among them.
fn ticks(axis: &Axis, places: &[f64], labels: &[String]) -> Vec<(f64, String)> {
    let cut = |text: &str| {
        if text.chars().count() > 16 { text.chars().take(15).chain(['…']).collect() } else { text.to_string() }
    };
    let mut all: Vec<(f64, String)> = places.iter().copied().zip(labels.iter().map(|l| cut(l))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let scale = (WIDTH - 260.0) / (axis.high - axis.low).max(f64::MIN_POSITIVE);
    let span = |(at, text): &(f64, String)| {
        let half = width(text, SMALL) / 2.0 + 4.0;
        (at * scale - half, at * scale + half)
    };
    let mut kept: Vec<(f64, String)> = Vec::new();
    let last = all.pop();
    for tick in all {
        let free = kept.last().is_none_or(|k| span(k).1 <= span(&tick).0);
        if free && last.as_ref().is_none_or(|l| span(&tick).1 <= span(l).0) {
            kept.push(tick);
        }
    }
    kept.extend(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(n: usize) -> Vec<String> {
        (0..n).map(|i| i.to_string()).collect()
    }

    #[test]
    fn loads_get_the_same_room_for_every_nine_and_those_beyond_stand_apart() {
        let along = Along::over("load", &labels(4), Some(&[0.5, 0.9, 0.99, 1.05]), true);
        assert!((along.places[2] - along.places[1] - 1.0).abs() < 1e-9);
        assert!(along.places[3] > along.places[2] && along.places[3] < along.axis.high);
        let between = along.loads_between(&[0.5, 0.9, 0.99, 1.05]);
        assert_eq!((between[0].0, between[40].0), (0.5, 0.99), "theory ends where results do");
    }

    #[test]
    fn numbers_far_apart_are_logarithmic_and_words_side_by_side() {
        assert_eq!(Along::over("n", &labels(3), Some(&[10.0, 100.0, 1_000.0]), false).places, [1.0, 2.0, 3.0]);
        assert_eq!(Along::over("n", &labels(3), Some(&[1.0, 2.0, 19.0]), false).places, [1.0, 2.0, 19.0]);
        let words = Along::over("who", &labels(2), None, false);
        assert_eq!((words.places, words.axis.low, words.axis.high), (vec![0.0, 1.0], -0.5, 1.5));
    }

    #[test]
    fn labels_that_would_meet_are_left_out_but_not_the_ends() {
        let many = Along::over("n", &labels(200), Some(&(0..200).map(f64::from).collect::<Vec<_>>()), false);
        let ticks = &many.axis.ticks;
        assert!(ticks.len() < 60, "{}", ticks.len());
        assert_eq!((ticks[0].1.as_str(), ticks[ticks.len() - 1].1.as_str()), ("0", "199"));
    }
}
