//! The inks of all plots: one light and one dark colour each, and a dash where lines must be told apart without colour.
//!
//! Series take the palette of Okabe and Ito ("Color Universal Design", 2008), which readers with any of the common
//! kinds of colour blindness can tell apart; in the dark they are lifted until each has a contrast of at least 4.5 : 1
//! to the paper. plotters knows colours, not names, so an ink is found again in what plotters wrote by its light
//! colour, which therefore no two inks share.

use plotters::style::{Color, RGBAColor, RGBColor, ShapeStyle};

/// One unit of a plot's length in the whole numbers that plotters works with: tenths, so that lines keep their place
/// when a page scales them.
pub(crate) const UNIT: f64 = 10.0;

/// A named colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What everything stands on.
    Paper,
    /// Words.
    Text,
    /// Words that may be overlooked: ticks, units.
    Quiet,
    /// Lines behind the data.
    Grid,
    /// The axis itself.
    Axis,
    /// A time at which a fault acted.
    Fault,
    /// The bar that names it.
    FaultBar,
    /// Where a promise was broken.
    Broken,
    /// The part of the run that is not measured.
    Warmup,
    /// Series, in the order in which they are handed out.
    Blue,
    Vermilion,
    Green,
    Purple,
    Orange,
    Sky,
    Grey,
    /// Steps of amount, from little to much.
    Heat(u8),
}

/// How many steps of amount there are.
pub(crate) const HEATS: u8 = 9;

/// Light and dark colours of the steps of amount: a single hue, so that only lightness has to be told apart.
const HEAT: [[u32; 2]; HEATS as usize] = [
    [0xdeebf4, 0x17293a],
    [0xc5dcec, 0x1b3550],
    [0xa9cbe3, 0x1f4468],
    [0x89b6d8, 0x245682],
    [0x689fcb, 0x2c6a9e],
    [0x4a87bc, 0x3c82b9],
    [0x326eaa, 0x5d9dcd],
    [0x205593, 0x8bbcdf],
    [0x123c75, 0xc3def0],
];

impl Ink {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Ink> {
        use Ink::*;
        let named = [
            Paper, Text, Quiet, Grid, Axis, Fault, FaultBar, Broken, Warmup, Blue, Vermilion, Green, Purple, Orange,
            Sky, Grey,
        ];
        named.into_iter().chain((0..HEATS).map(Heat))
    }

    /// The name in style sheets.
    pub(crate) fn name(self) -> String {
        match self {
            Ink::Heat(step) => format!("heat{step}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    /// The colour on white paper and the one on dark paper, as `0xrrggbb`.
    pub(crate) const fn colours(self) -> [u32; 2] {
        match self {
            Ink::Paper => [0xffffff, 0x15181c],
            Ink::Text => [0x1d2126, 0xe6e8eb],
            Ink::Quiet => [0x59616a, 0xa4acb5],
            Ink::Grid => [0xe7e9ec, 0x2a2f36],
            Ink::Axis => [0x8d959e, 0x6b747e],
            Ink::Fault => [0xd9a441, 0xd9a440],
            Ink::FaultBar => [0x9a6a00, 0xe0ad4a],
            Ink::Broken => [0xb3261e, 0xff8a7a],
            Ink::Warmup => [0x9aa0a6, 0x8a929b],
            Ink::Blue => [0x0072b2, 0x4ea8e0],
            Ink::Vermilion => [0xd55e00, 0xf2894a],
            Ink::Green => [0x009e73, 0x2fc49a],
            Ink::Purple => [0xb85c93, 0xe3a3c8],
            Ink::Orange => [0xe69f00, 0xf3bd4d],
            Ink::Sky => [0x56b4e9, 0x9fd6f7],
            Ink::Grey => [0x6f767d, 0xb3bac1],
            Ink::Heat(step) => HEAT[step as usize],
        }
    }

    /// The ink whose light colour this is.
    pub(crate) fn of(rgb: u32) -> Option<Ink> {
        Ink::all().find(|ink| ink.colours()[0] == rgb)
    }

    fn rgb(self) -> RGBColor {
        let [_, r, g, b] = self.colours()[0].to_be_bytes();
        RGBColor(r, g, b)
    }

    /// For plotters' text and shapes, opaque.
    pub(crate) fn colour(self) -> RGBAColor {
        self.rgb().to_rgba()
    }

    /// A filled shape of this opacity.
    pub(crate) fn fill(self, opacity: f64) -> ShapeStyle {
        self.rgb().mix(opacity).filled()
    }

    /// A line of this width.
    pub(crate) fn line(self, width: f64, dash: Dash) -> ShapeStyle {
        self.faint(width, dash, 1.0)
    }

    /// A line that lets through what is behind it.
    pub(crate) fn faint(self, width: f64, dash: Dash, opacity: f64) -> ShapeStyle {
        // plotters has no word for dashes; the digits above the tenths of a width carry one to `svg::finish`.
        let code = dash as u32 * DASH + (width * UNIT).round() as u32;
        self.rgb().mix(opacity).stroke_width(code)
    }
}

/// Where a stroke width begins to name a dash: no line is a hundred wide.
pub(crate) const DASH: u32 = 1_000;

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid = 0,
    Dashed = 1,
    Dotted = 2,
    Mixed = 3,
    Long = 4,
}

impl Dash {
    /// SVG's `stroke-dasharray`; none for an unbroken line.
    pub(crate) fn pattern(code: u32) -> Option<&'static str> {
        match code {
            0 => None,
            1 => Some("6 3"),
            2 => Some("1.5 2.5"),
            3 => Some("8 3 2 3"),
            _ => Some("12 4"),
        }
    }
}

/// Colour and dash of the `i`-th series of a plot. After seven they repeat with other dashes.
pub(crate) fn series(i: usize) -> (Ink, Dash) {
    use Dash::*;
    use Ink::*;
    const INKS: [Ink; 7] = [Blue, Vermilion, Green, Purple, Orange, Sky, Grey];
    const DASHES: [Dash; 5] = [Solid, Dashed, Mixed, Dotted, Long];
    (INKS[i % INKS.len()], DASHES[(i + i / INKS.len()) % DASHES.len()])
}

/// As many lines as one panel can show apart; further ones share the last.
pub(crate) const LINES: [(Ink, Dash); 5] = [
    (Ink::Blue, Dash::Solid),
    (Ink::Vermilion, Dash::Dashed),
    (Ink::Green, Dash::Mixed),
    (Ink::Purple, Dash::Long),
    (Ink::Grey, Dash::Dotted),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance after WCAG 2.1.
    fn luminance(rgb: u32) -> f64 {
        let [_, r, g, b] = rgb.to_be_bytes();
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { base::math::pow((c + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_ink_is_found_again_by_its_light_colour() {
        for ink in Ink::all() {
            assert_eq!(Ink::of(ink.colours()[0]), Some(ink));
        }
    }

    #[test]
    fn words_can_be_read_on_both_papers() {
        let paper = Ink::Paper.colours();
        for ink in [Ink::Text, Ink::Quiet, Ink::FaultBar, Ink::Broken] {
            for (colour, paper) in ink.colours().into_iter().zip(paper) {
                let c = contrast(colour, paper);
                assert!(c >= 4.5, "{ink:?}: {c:.2} : 1 on {paper:06x}");
            }
        }
    }

    #[test]
    fn lines_stand_out_from_both_papers() {
        for i in 0..7 {
            let (ink, _) = series(i);
            let [light, dark] = ink.colours();
            let [white, black] = Ink::Paper.colours();
            assert!(contrast(light, white) >= 2.2, "{ink:?} on white: {:.2}", contrast(light, white));
            assert!(contrast(dark, black) >= 4.5, "{ink:?} in the dark: {:.2}", contrast(dark, black));
        }
    }

    #[test]
    fn amounts_grow_away_from_the_paper_in_even_steps() {
        for theme in 0..2 {
            let to_paper: Vec<f64> =
                (0..HEATS).map(|s| contrast(Ink::Heat(s).colours()[theme], Ink::Paper.colours()[theme])).collect();
            assert!(to_paper.windows(2).all(|w| w[1] > w[0] * 1.1), "{to_paper:.2?}");
        }
    }
}
