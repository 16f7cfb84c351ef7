//! What all plots share: the sheet with its margins, panels above one another on one x axis, grid, ticks, legend, and,
//! where that axis is time, the phases of the run and the faults shaded through every panel.
//!
//! A plot says which panels and axes it wants and then draws its data on [`Plane`]s in the units of the data. Titles of
//! y axes lie flat above their panel, where they are read without turning the head; faults are named in a strip above
//! the panels, so that no label stands on data.

use super::ink::{Dash, Ink, UNIT};
use super::story::Story;
use super::svg;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// How wide every plot is.
pub(crate) const WIDTH: f64 = 960.0;
/// Between the data and the right edge, unless something is written there.
pub(crate) const RIGHT: f64 = 22.0;
/// The size of ticks and labels.
pub(crate) const SMALL: f64 = 12.0;
/// The size of axis titles and legend.
const NORMAL: f64 = 13.0;
/// Faults are stacked in at most so many lanes; the last takes, unnamed, what does not fit into the others.
const LANES: usize = 6;
const LANE: f64 = 16.0;

/// One axis: from where to where in the plane's own coordinates, and what is written where.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) title: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) ticks: Vec<(f64, String)>,
    /// Whether ticks draw a line through the panel.
    pub(crate) grid: bool,
}

/// A panel: its y axis and how high it is.
pub(crate) struct Panel {
    pub(crate) y: Axis,
    pub(crate) height: f64,
}

/// An entry of the legend.
pub(crate) enum Key {
    Line(Ink, Dash, String),
    Area(Ink, f64, String),
    /// Steps of amount, with what is written at either end.
    Ramp(String, String),
    /// Words alone.
    Note(String),
}

/// What a plot asks for.
pub(crate) struct Sheet<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) x: Axis,
    /// The phases and faults that are shown, when x is time.
    pub(crate) time: Option<Story>,
    /// Room between the data and the right edge; [`RIGHT`] unless series are named there.
    pub(crate) right: f64,
    pub(crate) keys: Vec<Key>,
    pub(crate) panels: Vec<Panel>,
}

type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A panel's area, in the coordinates of its axes.
pub(crate) struct Plane<'a> {
    pub(super) area: DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
}

impl Plane<'_> {
    /// A line through `points`.
    pub(crate) fn line(&self, points: impl IntoIterator<Item = (f64, f64)>, style: ShapeStyle) {
        let points: Vec<(f64, f64)> = points.into_iter().collect();
        match points.as_slice() {
            [] => {}
            // A line through one point cannot be seen; a dot can.
            [only] => self.dot(*only, 2.0, ShapeStyle { filled: true, ..style }),
            _ => {
                for element in LineSeries::new(points, style) {
                    self.area.draw(&element).expect(SURE);
                }
            }
        }
    }

    /// What lies between two lines over the same x.
    pub(crate) fn band(&self, points: &[(f64, f64, f64)], style: ShapeStyle) {
        if points.len() < 2 {
            return;
        }
        let there = points.iter().map(|&(x, low, _)| (x, low));
        let back = points.iter().rev().map(|&(x, _, high)| (x, high));
        self.area.draw(&Polygon::new(there.chain(back).collect::<Vec<_>>(), style)).expect(SURE);
    }

    /// A closed shape through these corners.
    pub(crate) fn polygon(&self, corners: Vec<(f64, f64)>, style: ShapeStyle) {
        self.area.draw(&Polygon::new(corners, style)).expect(SURE);
    }

    /// A rectangle between two corners.
    pub(crate) fn rectangle(&self, a: (f64, f64), b: (f64, f64), style: ShapeStyle) {
        self.area.draw(&Rectangle::new([a, b], style)).expect(SURE);
    }

    /// A round mark with a radius in units of the page.
    pub(crate) fn dot(&self, at: (f64, f64), radius: f64, style: ShapeStyle) {
        self.area.draw(&Circle::new(at, radius * UNIT, style)).expect(SURE);
    }

    /// Words beside a point, `dx` and `dy` units away.
    pub(crate) fn label(&self, at: (f64, f64), (dx, dy): (f64, f64), text: &str, ink: Ink, side: HPos) {
        let style = words(SMALL, ink, Pos::new(side, VPos::Center), false);
        let offset = ((dx * UNIT) as i32, (dy * UNIT) as i32);
        let element = EmptyElement::at(at) + Text::new(printable(text), offset, style);
        self.area.draw(&element).expect(SURE);
    }
}

/// Why drawing never fails here.
pub(super) const SURE: &str = "writing a picture into a string cannot fail";

/// The whole picture: the frame from `sheet`, the data from `paint`, which gets a plane for each panel, in order.
pub(crate) fn draw(sheet: &Sheet<'_>, paint: impl FnOnce(&[Plane<'_>])) -> String {
    let layout = Layout::of(sheet);
    let size = (WIDTH, layout.height);
    let mut raw = String::new();
    {
        let pixels = |x: f64| (x * UNIT).round() as u32;
        let root = SVGBackend::with_string(&mut raw, (pixels(WIDTH), pixels(layout.height))).into_drawing_area();
        legend(&root, &sheet.keys, layout.left);
        if let Some(story) = &sheet.time {
            strip(&root, sheet, &layout, story);
        }
        let planes: Vec<Plane<'_>> = sheet
            .panels
            .iter()
            .zip(&layout.tops)
            .map(|(p, &top)| {
                let y = (px(top + p.height))..(px(top));
                let x = px(layout.left)..px(WIDTH - sheet.right);
                let spec = Cartesian2d::<RangedCoordf64, RangedCoordf64>::new(
                    sheet.x.low..sheet.x.high,
                    p.y.low..p.y.high,
                    (x, y),
                );
                Plane { area: root.apply_coord_spec(spec) }
            })
            .collect();
        for (panel, plane) in sheet.panels.iter().zip(&planes) {
            behind(sheet, panel, plane);
        }
        paint(&planes);
        for (panel, &top) in sheet.panels.iter().zip(&layout.tops) {
            y_axis(&root, panel, top, layout.left);
        }
        x_axis(&root, sheet, &layout);
        root.present().expect(SURE);
    }
    svg::finish(&raw, sheet.id, sheet.title, size)
}

/// Where everything stands, in units.
struct Layout {
    left: f64,
    right: f64,
    /// Where the strip of phases and faults begins.
    strip: f64,
    /// The upper edge of each panel's data.
    tops: Vec<f64>,
    /// The lower edge of the last panel.
    bottom: f64,
    height: f64,
    lanes: Vec<Placed>,
}

/// Where a mark stands in the strip.
struct Placed {
    lane: usize,
    /// Whether there is room for its name.
    named: bool,
    /// Whether the name stands left of the bar.
    leftwards: bool,
}

impl Layout {
    fn of(sheet: &Sheet<'_>) -> Layout {
        let ticks = sheet.panels.iter().flat_map(|p| &p.y.ticks).map(|(_, text)| width(text, SMALL));
        // Never less than five digits take, so that plots one above another mostly share their left edge too.
        let left = ticks.fold(46.0, f64::max) + 16.0;
        let strip = 6.0 + legend_rows(&sheet.keys, left) as f64 * 22.0;
        let (lanes, strip_height) = sheet.time.as_ref().map_or((Vec::new(), 0.0), |story| {
            let lanes = place(sheet, story, left);
            let rows = lanes.iter().map(|p| p.lane + 1).max().unwrap_or(0);
            (lanes, 18.0 + rows as f64 * LANE + 2.0)
        });
        let mut y = strip + strip_height;
        let tops = sheet
            .panels
            .iter()
            .map(|panel| {
                let top = y + if panel.y.title.is_empty() { 8.0 } else { 26.0 };
                y = top + panel.height + 12.0;
                top
            })
            .collect();
        let bottom = y - 12.0;
        Layout { left, right: sheet.right, strip, tops, bottom, height: (bottom + 46.0).ceil(), lanes }
    }

    /// Where a value of the x axis stands on the sheet.
    fn x(&self, axis: &Axis, value: f64) -> f64 {
        let span = (axis.high - axis.low).max(f64::MIN_POSITIVE);
        self.left + (value - axis.low) / span * (WIDTH - self.right - self.left)
    }
}

/// Gives each mark the first lane in which neither its bar nor its name meets another.
fn place(sheet: &Sheet<'_>, story: &Story, left: f64) -> Vec<Placed> {
    let layout =
        Layout { left, right: sheet.right, strip: 0.0, tops: Vec::new(), bottom: 0.0, height: 0.0, lanes: Vec::new() };
    let mut taken: Vec<Vec<(f64, f64)>> = vec![Vec::new(); LANES];
    let marks = &story.marks;
    let mut placed = Vec::with_capacity(marks.len());
    for mark in marks {
        let from = layout.x(&sheet.x, mark.from);
        let until = layout.x(&sheet.x, mark.until).max(from + 4.0);
        let name = width(&mark.name, SMALL - 1.0) + 8.0;
        let leftwards = until + name > WIDTH - 2.0;
        let (a, b) = if leftwards { (from - name, until) } else { (from, until + name) };
        let free = |lane: &Vec<(f64, f64)>, a: f64, b: f64| lane.iter().all(|&(x, y)| b + 6.0 < x || a > y + 6.0);
        let fits = a > 0.0;
        let lane = taken[..LANES - 1].iter().position(|lane| fits && free(lane, a, b));
        if let Some(lane) = lane {
            taken[lane].push((a, b));
        }
        placed.push(Placed { lane: lane.unwrap_or(LANES - 1), named: lane.is_some(), leftwards });
    }
    placed
}

fn px(x: f64) -> i32 {
    (x * UNIT).round() as i32
}

pub(super) fn words(size: f64, ink: Ink, pos: Pos, strong: bool) -> TextStyle<'static> {
    let style = if strong { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::SansSerif, size * UNIT, style).color(&ink.colour()).pos(pos)
}

fn write(root: &Root<'_>, text: &str, (x, y): (f64, f64), style: &TextStyle<'_>) {
    root.draw_text(&printable(text), style, (px(x), px(y))).expect(SURE);
}

fn stroke(root: &Root<'_>, a: (f64, f64), b: (f64, f64), style: ShapeStyle) {
    root.draw(&PathElement::new([(px(a.0), px(a.1)), (px(b.0), px(b.1))], style)).expect(SURE);
}

fn fill(root: &Root<'_>, a: (f64, f64), b: (f64, f64), style: ShapeStyle) {
    root.draw(&Rectangle::new([(px(a.0), px(a.1)), (px(b.0), px(b.1))], style)).expect(SURE);
}

const HERE: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
const MIDDLE: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };
const END: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };

/// How wide a legend entry is, mark and gap included.
fn key_width(key: &Key) -> f64 {
    match key {
        Key::Line(_, _, text) => 30.0 + width(text, NORMAL) + 22.0,
        Key::Area(_, _, text) => 18.0 + width(text, NORMAL) + 22.0,
        Key::Ramp(low, high) => width(low, NORMAL) + width(high, NORMAL) + 16.0 * 9.0 + 38.0,
        Key::Note(text) => width(text, NORMAL) + 22.0,
    }
}

/// Where each entry stands: row and x.
fn key_places(keys: &[Key], left: f64) -> Vec<(usize, f64)> {
    let (mut row, mut x) = (0, left);
    keys.iter()
        .map(|key| {
            let width = key_width(key);
            if x > left && x + width - 22.0 > WIDTH - RIGHT {
                (row, x) = (row + 1, left);
            }
            let place = (row, x);
            x += width;
            place
        })
        .collect()
}

fn legend_rows(keys: &[Key], left: f64) -> usize {
    key_places(keys, left).last().map_or(0, |(row, _)| row + 1)
}

fn legend(root: &Root<'_>, keys: &[Key], left: f64) {
    let style = words(NORMAL, Ink::Text, HERE, false);
    for (key, (row, x)) in keys.iter().zip(key_places(keys, left)) {
        let y = 6.0 + row as f64 * 22.0 + 9.0;
        match key {
            Key::Line(ink, dash, text) => {
                stroke(root, (x, y), (x + 24.0, y), ink.line(2.0, *dash));
                write(root, text, (x + 30.0, y), &style);
            }
            Key::Area(ink, opacity, text) => {
                fill(root, (x, y - 6.0), (x + 12.0, y + 6.0), ink.fill(*opacity));
                write(root, text, (x + 18.0, y), &style);
            }
            Key::Ramp(low, high) => {
                write(root, low, (x, y), &style);
                let from = x + width(low, NORMAL) + 8.0;
                for step in 0..super::ink::HEATS {
                    let a = from + 16.0 * f64::from(step);
                    fill(root, (a, y - 6.0), (a + 16.0, y + 6.0), Ink::Heat(step).fill(1.0));
                }
                write(root, high, (from + 16.0 * 9.0 + 8.0, y), &style);
            }
            Key::Note(text) => write(root, text, (x, y), &words(SMALL, Ink::Quiet, HERE, false)),
        }
    }
}

/// The phases by name, and a bar for every fault.
fn strip(root: &Root<'_>, sheet: &Sheet<'_>, layout: &Layout, story: &Story) {
    let quiet = words(SMALL, Ink::Quiet, MIDDLE, false);
    let [warm, storm, end] = story.boundaries();
    let y = layout.strip + 9.0;
    for (name, from, until) in [("warm-up", 0.0, warm), ("storm", warm, storm), ("calm", storm, end)] {
        let (a, b) = (layout.x(&sheet.x, from), layout.x(&sheet.x, until));
        if until > from {
            stroke(root, (a + 1.0, y + 8.0), (b - 1.0, y + 8.0), Ink::Axis.line(1.0, Dash::Solid));
            for x in [a + 1.0, b - 1.0] {
                stroke(root, (x, y + 8.0), (x, y + 4.0), Ink::Axis.line(1.0, Dash::Solid));
            }
        }
        if b - a > width(name, SMALL) + 4.0 {
            write(root, name, ((a + b) / 2.0, y), &quiet);
        }
    }
    for (mark, place) in story.marks.iter().zip(&layout.lanes) {
        let y = layout.strip + 20.0 + place.lane as f64 * LANE + LANE / 2.0;
        let (a, b) = (layout.x(&sheet.x, mark.from), layout.x(&sheet.x, mark.until));
        let ink = if mark.broken { Ink::Broken } else { Ink::FaultBar };
        if mark.broken {
            stroke(root, (a - 4.0, y - 4.0), (a + 4.0, y + 4.0), ink.line(2.2, Dash::Solid));
            stroke(root, (a - 4.0, y + 4.0), (a + 4.0, y - 4.0), ink.line(2.2, Dash::Solid));
        } else if b - a < 4.0 {
            let tip = |dx: f64, dy: f64| (px(a + dx), px(y + dy));
            let diamond = vec![tip(0.0, -5.0), tip(5.0, 0.0), tip(0.0, 5.0), tip(-5.0, 0.0)];
            root.draw(&Polygon::new(diamond, ink.fill(1.0))).expect(SURE);
        } else {
            fill(root, (a, y - 3.0), (b, y + 3.0), ink.fill(1.0));
        }
        if place.named {
            let (x, pos) = if place.leftwards { (a - 7.0, END) } else { (b.max(a + 4.0) + 6.0, HERE) };
            write(root, &mark.name, (x, y), &words(SMALL - 1.0, ink, pos, mark.broken));
        }
    }
}

/// What lies behind the data: grid, faults, phases.
fn behind(sheet: &Sheet<'_>, panel: &Panel, plane: &Plane<'_>) {
    let (x, y) = (&sheet.x, &panel.y);
    let held = |t: f64| t.clamp(x.low, x.high);
    if let Some(story) = &sheet.time {
        let [warm, ..] = story.boundaries();
        if warm > x.low {
            plane.rectangle((x.low, y.low), (held(warm), y.high), Ink::Warmup.fill(0.12));
        }
        // Where faults overlap, the shade is that of one: many of them must not hide the data.
        let mut shaded = f64::NEG_INFINITY;
        for mark in story.marks.iter().filter(|m| !m.broken) {
            let (a, b) = (held(mark.from), held(mark.until));
            if b > a.max(shaded) {
                plane.rectangle((a.max(shaded), y.low), (b, y.high), Ink::Fault.fill(0.18));
            }
            shaded = shaded.max(b);
            plane.line([(a, y.low), (a, y.high)], Ink::Fault.faint(1.0, Dash::Solid, 0.6));
        }
    }
    let thin = Ink::Grid.line(1.0, Dash::Solid);
    if y.grid {
        y.ticks.iter().for_each(|&(at, _)| plane.line([(x.low, at), (x.high, at)], thin));
    }
    if x.grid {
        x.ticks.iter().for_each(|&(at, _)| plane.line([(at, y.low), (at, y.high)], thin));
    }
    if let Some(story) = &sheet.time {
        let [warm, storm, _] = story.boundaries();
        for t in [warm, storm].into_iter().filter(|&t| t > x.low && t < x.high) {
            plane.line([(t, y.low), (t, y.high)], Ink::Axis.line(1.0, Dash::Dashed));
        }
        for mark in story.marks.iter().filter(|m| m.broken && m.from <= x.high) {
            plane.line([(mark.from, y.low), (mark.from, y.high)], Ink::Broken.line(1.4, Dash::Long));
        }
    }
}

fn y_axis(root: &Root<'_>, panel: &Panel, top: f64, left: f64) {
    if !panel.y.title.is_empty() {
        write(root, &panel.y.title, (left, top - 13.0), &words(NORMAL, Ink::Text, HERE, true));
    }
    let style = words(SMALL, Ink::Quiet, END, false);
    let span = (panel.y.high - panel.y.low).max(f64::MIN_POSITIVE);
    for (at, text) in &panel.y.ticks {
        write(root, text, (left - 8.0, top + panel.height * (1.0 - (at - panel.y.low) / span)), &style);
    }
}

fn x_axis(root: &Root<'_>, sheet: &Sheet<'_>, layout: &Layout) {
    let line = Ink::Axis.line(1.0, Dash::Solid);
    for (panel, &top) in sheet.panels.iter().zip(&layout.tops) {
        let y = top + panel.height;
        stroke(root, (layout.left, y), (WIDTH - sheet.right, y), line);
    }
    let style = words(SMALL, Ink::Quiet, MIDDLE, false);
    for (at, text) in &sheet.x.ticks {
        let x = layout.x(&sheet.x, *at);
        stroke(root, (x, layout.bottom), (x, layout.bottom + 5.0), line);
        // The last tick may stand at the very edge; its label must not.
        let half = width(text, SMALL) / 2.0;
        write(root, text, (x.min(WIDTH - half - 1.0), layout.bottom + 14.0), &style);
    }
    let title = words(NORMAL, Ink::Text, MIDDLE, true);
    let centre = (layout.left + WIDTH - sheet.right) / 2.0;
    write(root, &sheet.x.title, (centre, layout.bottom + 34.0), &title);
}

/// `text` without control characters, which XML does not allow, and cut to what a label can hold.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST + 1).collect();
    if out.chars().count() > LONGEST {
        out = out.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    out
}

/// About how wide `text` is in a sans-serif face of this size, rather too wide than too narrow.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.29,
        ' ' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '/' | '-' => 0.37,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '<' | '>' | '=' | '+' | '&' | '#' | '…' | '→' => 0.95,
        'A'..='Z' => 0.70,
        c if c >= '\u{2e80}' => 1.05,
        _ => 0.58,
    };
    printable(text).chars().map(em).sum::<f64>() * size
}
