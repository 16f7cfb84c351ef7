//! Many series on one sheet: each has a colour, a dash and a mark of its own, and its name stands beside its end.
//!
//! A legend of twenty entries is a puzzle; names at the ends of lines are read in place. Where ends lie close together
//! the names move apart and thin lines lead to them.

use super::frame::{Axis, Plane, SMALL, SURE, printable, width, words};
use super::ink::{Dash, Ink, UNIT, series};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// How a series looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) ink: Ink,
    pub(crate) dash: Dash,
    pub(crate) mark: Mark,
}

/// The shape of a series' points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Disc,
    Square,
    Triangle,
    Diamond,
    Wedge,
    /// Crossed strokes, for what is not there.
    Cross,
    None,
}

impl Look {
    /// The look of the `i`-th series: colours repeat after seven, marks after five, dashes as [`series`] has them, so
    /// that no two of 35 look alike.
    pub(crate) fn of(i: usize) -> Look {
        const MARKS: [Mark; 5] = [Mark::Disc, Mark::Square, Mark::Triangle, Mark::Diamond, Mark::Wedge];
        let (ink, dash) = series(i);
        Look { ink, dash, mark: MARKS[i % MARKS.len()] }
    }

    /// The look of a curve of theory.
    pub(crate) const THEORY: Look = Look { ink: Ink::Quiet, dash: Dash::Dotted, mark: Mark::None };
}

/// A name beside the end of a series.
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) look: Look,
    /// Its height at the right edge of the panel, when it reaches it, or else its last height.
    pub(crate) y: f64,
    /// Whether it reaches the edge: then a line leads from there to the name.
    pub(crate) reaches: bool,
}

/// Names longer than this are cut.
const LONGEST: usize = 40;
/// Between two names, in units of the page.
const PITCH: f64 = 15.0;
/// From the edge to the swatch, the swatch, and from there to the name.
const LEAD: [f64; 3] = [16.0, 24.0, 6.0];

/// A name as it is written beside a line.
fn cut(name: &str) -> String {
    if name.chars().count() > LONGEST { name.chars().take(LONGEST - 1).chain(['…']).collect() } else { name.into() }
}

/// The room right of the data that these names take.
pub(crate) fn margin<'a>(names: impl IntoIterator<Item = &'a str>) -> f64 {
    let widest = names.into_iter().map(|name| width(&cut(name), SMALL)).fold(0.0, f64::max);
    LEAD.iter().sum::<f64>() + widest + 8.0
}

/// The height of a panel that has room for so many names.
pub(crate) fn height(names: usize, least: f64) -> f64 {
    (names as f64 * PITCH + 10.0).max(least)
}

impl Plane<'_> {
    /// A series' mark.
    pub(crate) fn mark(&self, at: (f64, f64), look: Look, radius: f64) {
        self.mark_beside(at, (0, 0), look, radius);
    }

    /// A mark so many tenths of a unit away from a point.
    fn mark_beside(&self, at: (f64, f64), (dx, dy): (i32, i32), look: Look, radius: f64) {
        let r = (radius * UNIT) as i32;
        let (s, long) = (r * 9 / 10, r * 13 / 10);
        let polygon = |points: &[(i32, i32)]| {
            let points: Vec<(i32, i32)> = points.iter().map(|(x, y)| (x + dx, y + dy)).collect();
            self.area.draw(&(EmptyElement::at(at) + Polygon::new(points, look.ink.fill(1.0)))).expect(SURE);
        };
        match look.mark {
            Mark::Disc => {
                let disc = Circle::new((dx, dy), r, look.ink.fill(1.0));
                self.area.draw(&(EmptyElement::at(at) + disc)).expect(SURE);
            }
            Mark::Square => polygon(&[(-s, -s), (s, -s), (s, s), (-s, s)]),
            Mark::Triangle => polygon(&[(0, -long), (long, r), (-long, r)]),
            Mark::Diamond => polygon(&[(0, -long), (long, 0), (0, long), (-long, 0)]),
            Mark::Wedge => polygon(&[(0, long), (long, -r), (-long, -r)]),
            Mark::Cross => {
                for [(x, y), (u, v)] in [[(-s, -s), (s, s)], [(-s, s), (s, -s)]] {
                    let points = vec![(x + dx, y + dy), (u + dx, v + dy)];
                    let line = PathElement::new(points, look.ink.line(1.6, Dash::Solid));
                    self.area.draw(&(EmptyElement::at(at) + line)).expect(SURE);
                }
            }
            Mark::None => {}
        }
    }

    /// A vertical interval with short bars at its ends.
    pub(crate) fn whisker(&self, x: f64, (low, high): (f64, f64), look: Look) {
        self.line([(x, low), (x, high)], look.ink.faint(1.2, Dash::Solid, 0.8));
        let bar = (3.0 * UNIT) as i32;
        for y in [low, high] {
            let cap = PathElement::new(vec![(-bar, 0), (bar, 0)], look.ink.faint(1.2, Dash::Solid, 0.8));
            self.area.draw(&(EmptyElement::at((x, y)) + cap)).expect(SURE);
        }
    }

    /// Names beside the right edge of a panel of this height in units of the page, in the order of their lines.
    pub(crate) fn ends(&self, x: &Axis, y: &Axis, height: f64, mut ends: Vec<End>) {
        let up = |value: f64| (y.high - value) / (y.high - y.low).max(f64::MIN_POSITIVE) * height;
        ends.sort_by(|a, b| b.y.total_cmp(&a.y));
        let places = apart(&ends.iter().map(|e| up(e.y)).collect::<Vec<_>>(), height);
        let unit = |v: f64| (v * UNIT).round() as i32;
        for (end, place) in ends.iter().zip(places) {
            let anchor = (x.high, end.y.clamp(y.low, y.high));
            let dy = unit(place - up(anchor.1));
            let path = |points: Vec<(i32, i32)>, style: ShapeStyle| {
                self.area.draw(&(EmptyElement::at(anchor) + PathElement::new(points, style))).expect(SURE);
            };
            let swatch = unit(LEAD[0]);
            let text = swatch + unit(LEAD[1]);
            if end.reaches {
                path(vec![(unit(3.0), 0), (swatch - unit(3.0), dy)], Ink::Axis.faint(0.8, Dash::Solid, 0.9));
            }
            path(vec![(swatch, dy), (text, dy)], end.look.ink.line(2.0, end.look.dash));
            self.mark_beside(anchor, ((swatch + text) / 2, dy), end.look, 3.2);
            let style = words(SMALL, Ink::Text, Pos::new(HPos::Left, VPos::Center), false);
            let name = Text::new(printable(&cut(&end.name)), (text + unit(LEAD[2]), dy), style);
            self.area.draw(&(EmptyElement::at(anchor) + name)).expect(SURE);
        }
    }
}

/// Moves places that fall from the top (rising numbers) apart until each has its room, as little as that takes, within
/// a panel of this height where there is room for all.
fn apart(wanted: &[f64], height: f64) -> Vec<f64> {
    // Neighbours that meet become one block around their mean (pool adjacent violators).
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (i, &y) in wanted.iter().enumerate() {
        // With the pitch taken out, places may not fall.
        blocks.push((y - i as f64 * PITCH, 1));
        while blocks.len() > 1 {
            let (last, before) = (blocks[blocks.len() - 1], blocks[blocks.len() - 2]);
            if before.0 <= last.0 {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            let n = before.1 + last.1;
            blocks.push(((before.0 * before.1 as f64 + last.0 * last.1 as f64) / n as f64, n));
        }
    }
    let all = wanted.len().saturating_sub(1) as f64 * PITCH;
    let (low, high) = (4.0_f64, (height - 4.0 - all).max(4.0));
    let bases = blocks.iter().flat_map(|&(base, n)| std::iter::repeat_n(base.clamp(low, high), n));
    bases.enumerate().map(|(i, base)| base + i as f64 * PITCH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_place_or_move_as_little_as_it_takes() {
        assert_eq!(apart(&[20.0, 100.0], 200.0), [20.0, 100.0]);
        let close = apart(&[100.0, 101.0, 102.0], 200.0);
        assert_eq!(close, [86.0, 101.0, 116.0], "evenly around their middle");
        let edge = apart(&[0.0, 0.0, 195.0, 199.0], 200.0);
        assert!(edge.windows(2).all(|w| w[1] - w[0] >= PITCH - 1e-9), "{edge:?}");
        assert!(edge[0] >= 0.0 && edge[3] <= 200.0, "{edge:?}");
    }

    #[test]
    fn no_two_of_the_first_35_look_alike() {
        let looks: Vec<Look> = (0..35).map(Look::of).collect();
        for (i, a) in looks.iter().enumerate() {
            assert!(looks[i + 1..].iter().all(|b| a.ink != b.ink || a.dash != b.dash), "series {i}");
        }
    }
}
