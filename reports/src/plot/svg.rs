//! From what plotters' SVG backend writes to what we publish.
//!
//! The backend writes one tag a line, whole numbers, and plain colours. Here lengths go back from tenths to units,
//! colours get a class beside them, dashes appear, neighbouring rectangles of one colour become one path, and the
//! picture gets a title for those who do not see it. The plain colours stay, so that a file by itself looks right on
//! white in every program; a page that defines the classes decides over light and dark.

use super::ink::{DASH, Dash, Ink, UNIT};
use crate::page::escape;
use std::fmt::Write as _;

/// Fonts for figures, here and on the page.
pub(crate) const SANS: &str =
    "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";

/// The picture called `id`, from what the backend wrote for a canvas of `size` units.
pub(super) fn finish(raw: &str, id: &str, title: &str, size: (f64, f64)) -> String {
    let (width, height) = (short(size.0), short(size.1));
    let mut out = String::with_capacity(raw.len() / 2);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"{id}-title\" font-family=\"{SANS}\">\n<title id=\"{id}-title\">{}</title>\n\
         <rect class=\"f-paper\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        escape(title)
    );
    let mut boxes = Boxes::default();
    for line in raw.lines() {
        let Some(tag) = Tag::parse(line) else {
            // What is between tags is the text of one of them, already escaped.
            if !line.trim().is_empty() && !line.starts_with('<') {
                out.push_str(line);
            } else if line == "</text>" {
                out.push_str("</text>\n");
            }
            continue;
        };
        if tag.name == "rect" {
            boxes.add(&tag, &mut out);
            continue;
        }
        boxes.close(&mut out);
        match tag.name {
            "polyline" => path(&tag, false, &mut out),
            "polygon" => path(&tag, true, &mut out),
            "line" | "circle" | "text" => shape(&tag, &mut out),
            _ => {}
        }
    }
    boxes.close(&mut out);
    out.push_str("</svg>\n");
    out
}

/// One opening tag as the backend writes it: `<name key="value" …>`, values escaped.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    fn parse(line: &'a str) -> Option<Tag<'a>> {
        let inside = line.strip_prefix('<')?;
        if inside.starts_with('/') {
            return None;
        }
        let inside = inside.strip_suffix("/>").or_else(|| inside.strip_suffix('>'))?;
        let (name, mut rest) = inside.split_once(' ')?;
        let mut attributes = Vec::new();
        while let Some((key, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            attributes.push((key.trim_start(), value));
            rest = after;
        }
        Some(Tag { name, attributes })
    }

    fn get(&self, key: &str) -> &'a str {
        self.attributes.iter().find(|(k, _)| *k == key).map_or("", |(_, v)| v)
    }

    fn length(&self, key: &str) -> f64 {
        self.get(key).parse::<f64>().unwrap_or(0.0) / UNIT
    }
}

/// A length with at most one decimal.
fn short(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), String::from)
}

/// Class, colour, opacity and width, as attributes with a space before each.
fn paint(tag: &Tag<'_>, out: &mut String) {
    let mut classes = Vec::new();
    let mut colours = String::new();
    for (kind, key) in [("f", "fill"), ("s", "stroke")] {
        let value = tag.get(key);
        if let Some(hex) = value.strip_prefix('#') {
            if let Some(ink) = u32::from_str_radix(hex, 16).ok().and_then(Ink::of) {
                classes.push(format!("{kind}-{}", ink.name()));
            }
            let _ = write!(colours, " {key}=\"#{}\"", hex.to_lowercase());
        }
    }
    if !classes.is_empty() {
        let _ = write!(out, " class=\"{}\"", classes.join(" "));
    }
    out.push_str(&colours);
    if tag.get("stroke").starts_with('#') {
        let code: u32 = tag.get("stroke-width").parse().unwrap_or(10);
        if !tag.get("fill").starts_with('#') {
            out.push_str(" fill=\"none\"");
        }
        let _ = write!(out, " stroke-width=\"{}\"", short(f64::from(code % DASH) / UNIT));
        if let Some(pattern) = Dash::pattern(code / DASH) {
            let _ = write!(out, " stroke-dasharray=\"{pattern}\"");
        }
    }
    let opacity = tag.get("opacity");
    if !matches!(opacity, "" | "1") {
        let _ = write!(out, " opacity=\"{opacity}\"");
    }
}

fn path(tag: &Tag<'_>, closed: bool, out: &mut String) {
    let mut d = String::new();
    for (i, point) in tag.get("points").split_whitespace().enumerate() {
        let Some((x, y)) = point.split_once(',') else { continue };
        let at = |v: &str| short(v.parse::<f64>().unwrap_or(0.0) / UNIT);
        let _ = write!(d, "{}{} {}", if i == 0 { "M" } else { "L" }, at(x), at(y));
    }
    out.push_str("<path");
    paint(tag, out);
    if !closed {
        out.push_str(" stroke-linejoin=\"round\"");
    }
    let _ = writeln!(out, " d=\"{d}{}\"/>", if closed { "Z" } else { "" });
}

fn shape(tag: &Tag<'_>, out: &mut String) {
    let _ = write!(out, "<{}", tag.name);
    paint(tag, out);
    let numbers: &[&str] = match tag.name {
        "line" => &["x1", "y1", "x2", "y2"],
        "circle" => &["cx", "cy", "r"],
        _ => &["x", "y"],
    };
    for key in numbers {
        let _ = write!(out, " {key}=\"{}\"", short(tag.length(key)));
    }
    if tag.name != "text" {
        out.push_str("/>\n");
        return;
    }
    let _ = write!(out, " dy=\"{}\" text-anchor=\"{}\"", tag.get("dy"), tag.get("text-anchor"));
    // The backend divides sizes by 1.24 on their way out.
    let _ = write!(out, " font-size=\"{}\"", short(tag.length("font-size") * 1.24));
    if tag.get("font-weight") == "bold" {
        out.push_str(" font-weight=\"600\"");
    }
    out.push('>');
}

/// Rectangles that follow one another in one paint, gathered into one path.
#[derive(Default)]
struct Boxes {
    paint: String,
    d: String,
}

impl Boxes {
    fn add(&mut self, tag: &Tag<'_>, out: &mut String) {
        let mut colours = String::new();
        paint(tag, &mut colours);
        if colours != self.paint {
            self.close(out);
            self.paint = colours;
        }
        let at = |key| short(tag.length(key));
        let (width, height) = (at("width"), at("height"));
        let _ = write!(self.d, "M{} {}h{width}v{height}h-{width}z", at("x"), at("y"));
    }

    fn close(&mut self, out: &mut String) {
        if !self.d.is_empty() {
            let _ = writeln!(out, "<path{} shape-rendering=\"crispEdges\" d=\"{}\"/>", self.paint, self.d);
            self.d.clear();
            self.paint.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_of_one_paint_become_one_path() {
        let raw = "<svg width=\"100\" height=\"100\" viewBox=\"0 0 100 100\" xmlns=\"http://www.w3.org/2000/svg\">\n\
                   <rect x=\"10\" y=\"0\" width=\"15\" height=\"20\" opacity=\"1\" fill=\"#0072B2\" stroke=\"none\"/>\n\
                   <rect x=\"30\" y=\"0\" width=\"10\" height=\"20\" opacity=\"1\" fill=\"#0072B2\" stroke=\"none\"/>\n\
                   <rect x=\"40\" y=\"0\" width=\"10\" height=\"20\" opacity=\"0.5\" fill=\"#0072B2\" stroke=\"none\"/>\n\
                   </svg>\n";
        let svg = finish(raw, "p", "A & B", (10.0, 10.0));
        assert!(svg.contains("d=\"M1 0h1.5v2h-1.5zM3 0h1v2h-1z\""), "{svg}");
        assert!(svg.contains("opacity=\"0.5\""), "{svg}");
        assert!(svg.contains("class=\"f-blue\" fill=\"#0072b2\""), "{svg}");
        assert!(svg.contains("<title id=\"p-title\">A &amp; B</title>"), "{svg}");
    }

    #[test]
    fn a_width_above_a_thousand_names_its_dash() {
        let raw =
            "<line opacity=\"1\" stroke=\"#D55E00\" stroke-width=\"1015\" x1=\"0\" y1=\"5\" x2=\"10\" y2=\"5\"/>\n";
        let svg = finish(raw, "p", "", (1.0, 1.0));
        assert!(svg.contains("stroke-width=\"1.5\" stroke-dasharray=\"6 3\""), "{svg}");
    }
}
