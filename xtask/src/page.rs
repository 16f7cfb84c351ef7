//! What a report's page must hold once a browser has built it, judged on the document the browser gives back.
//!
//! The page lists its own plots in `<script type="application/json" id="plots">["latency", …]</script>`. Each of these
//! names an element that must exist and contain an SVG with something drawn in it. The page must also stand alone: it
//! may link to the data beside it, but load nothing.
//!
//! The reader below knows only what browsers write when they serialize a document: lower-case names, attributes in
//! double quotes, raw text in scripts and styles.

/// Fewer plots than this are not a report.
pub(crate) const PLOTS_MIN: usize = 5;
/// Marks in the SVG of a plot that shows something; one alone is the background.
const MARKS_MIN: usize = 2;

/// What was found in a document.
pub(crate) struct Page {
    /// The ids that the page lists as its plots.
    pub(crate) plots: Vec<String>,
    /// What is wrong, a sentence each.
    pub(crate) faults: Vec<String>,
}

/// Judges the document `dom`.
pub(crate) fn judge(dom: &str) -> Page {
    let tags = tags(dom);
    let mut faults = Vec::new();
    let plots = match manifest(dom, &tags) {
        Ok(plots) => plots,
        Err(fault) => {
            faults.push(fault);
            Vec::new()
        }
    };
    if plots.len() < PLOTS_MIN {
        faults.push(format!("the page lists {} plots, at least {PLOTS_MIN} make a report", plots.len()));
    }
    faults.extend(plots.iter().filter_map(|id| plot_fault(&tags, id)));
    faults.extend(tags.iter().filter_map(loaded_from_elsewhere));
    Page { plots, faults }
}

fn manifest(dom: &str, tags: &[Tag<'_>]) -> Result<Vec<String>, String> {
    let is_manifest = |tag: &&Tag<'_>| tag.name == "script" && tag.attribute("id") == Some("plots");
    let tag = tags.iter().find(is_manifest).ok_or("the page lists no plots: no <script id=\"plots\"> in it")?;
    let text = dom[tag.end..].split("</script").next().unwrap_or_default();
    let ids: Vec<String> =
        serde_json::from_str(text).map_err(|e| format!("the page's list of plots is not a JSON array of ids: {e}"))?;
    Ok(ids)
}

/// What is wrong with the plot in the element `id`, if anything.
fn plot_fault(tags: &[Tag<'_>], id: &str) -> Option<String> {
    let Some(first) = tags.iter().position(|tag| tag.attribute("id") == Some(id)) else {
        return Some(format!("plot `{id}` is listed, but no element has that id"));
    };
    let element = &tags[first..=closing(tags, first)];
    let Some(svg) = element.iter().position(|tag| tag.name == "svg") else {
        return Some(format!("plot `{id}` holds no <svg>"));
    };
    let marks = element[svg..].iter().filter(|tag| tag.draws()).count();
    (marks < MARKS_MIN).then(|| format!("plot `{id}` is empty: its <svg> holds {marks} marks"))
}

/// The index of the tag that closes `tags[first]`, or the last one.
fn closing(tags: &[Tag<'_>], first: usize) -> usize {
    let mut depth = 0_usize;
    for (index, tag) in tags.iter().enumerate().skip(first).filter(|(_, tag)| tag.name == tags[first].name) {
        depth = if tag.closes { depth.saturating_sub(1) } else { depth + 1 };
        if depth == 0 {
            return index;
        }
    }
    tags.len() - 1
}

fn loaded_from_elsewhere(tag: &Tag<'_>) -> Option<String> {
    let source = match tag.name {
        "link" | "image" | "use" => tag.attribute("href"),
        "object" => tag.attribute("data"),
        _ => tag.attribute("src"),
    }?;
    let inside = source.starts_with("data:") || source.starts_with('#') || source.is_empty();
    (!inside).then(|| format!("the page does not stand alone: <{}> loads `{source}`", tag.name))
}

/// One tag of a document, opening or closing.
struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    closes: bool,
    /// Where in the document the text after the tag begins.
    end: usize,
}

impl<'a> Tag<'a> {
    fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.attributes;
        while let Some((before, after)) = rest.split_once("=\"") {
            let (value, further) = after.split_once('"')?;
            if before.trim() == name || before.rsplit(char::is_whitespace).next() == Some(name) {
                return Some(value);
            }
            rest = further;
        }
        None
    }

    /// True for a shape of SVG that has an extent.
    fn draws(&self) -> bool {
        let has = |name| self.attribute(name).is_some_and(|value| !value.trim().is_empty());
        match self.name {
            "path" => has("d"),
            "polyline" | "polygon" => has("points"),
            "rect" => has("width"),
            "circle" => has("r"),
            "line" => has("x1"),
            _ => false,
        }
    }
}

/// All tags of `dom`, in order. Comments and what stands inside scripts and styles are passed over.
fn tags(dom: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(offset) = dom[at..].find('<') {
        let open = at + offset + 1;
        if dom[open..].starts_with("!--") {
            at = dom[open..].find("-->").map_or(dom.len(), |length| open + length + 3);
            continue;
        }
        let mut quoted = false;
        let is_end = |c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        };
        let Some(length) = dom[open..].find(is_end) else { break };
        let inner = &dom[open..open + length];
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let (name, attributes) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        at = open + length + 1;
        tags.push(Tag { name, attributes, closes, end: at });
        if !closes && matches!(name, "script" | "style") {
            at = dom[at..].find(&format!("</{name}")).map_or(dom.len(), |length| at + length);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "<svg><rect width=\"9\"></rect><path d=\"M0 0\"></path></svg>";

    /// A document that lists `ids`, with `bodies` in it.
    fn page(ids: &str, bodies: &str) -> Vec<String> {
        judge(&format!(
            "<!DOCTYPE html><html><head><style>a > b {{ color: red }}</style></head><body><!-- <svg id=\"z\"> -->{bodies}\
             <script type=\"application/json\" id=\"plots\">{ids}</script></body></html>"
        ))
        .faults
    }

    fn five(last: &str) -> Vec<String> {
        let four: String =
            ["a", "b", "c", "d"].map(|id| format!("<figure id=\"{id}\"><div>{DRAWN}</div></figure>")).concat();
        page("[\"a\", \"b\", \"c\", \"d\", \"e\"]", &format!("{four}{last}"))
    }

    #[test]
    fn a_page_with_every_plot_it_lists_is_accepted() {
        assert_eq!(five(&format!("<div id=\"e\"><div></div>{DRAWN}</div><a href=\"data.csv\">data</a>")), [""; 0]);
        // The element may be the drawing itself; other attributes may come first and hold any character but quotes.
        let svg = DRAWN.replace("<svg>", "<svg data-id=\"x\" aria-label=\"p99 > 10 ms\" id=\"e\">");
        assert_eq!(five(&svg), [""; 0]);
    }

    #[test]
    fn a_plot_that_is_missing_or_empty_is_found() {
        assert_eq!(five(""), ["plot `e` is listed, but no element has that id"]);
        assert_eq!(five("<div data-id=\"e\"></div>"), ["plot `e` is listed, but no element has that id"]);
        // The drawing of the neighbour does not count.
        let neighbour = format!("<div id=\"e\"><div></div></div><div>{DRAWN}</div>");
        assert_eq!(five(&neighbour), ["plot `e` holds no <svg>"]);
        let background = "<div id=\"e\"><svg><rect width=\"9\"></rect><path d=\"\"></path></svg></div>";
        assert_eq!(five(background), ["plot `e` is empty: its <svg> holds 1 marks"]);
        // Only what the browser built counts, not what a script would have built.
        let unbuilt = format!("<script>document.write('<div id=\"e\">{DRAWN}</div>')</script>");
        assert_eq!(five(&unbuilt), ["plot `e` is listed, but no element has that id"]);
    }

    #[test]
    fn the_list_itself_is_judged() {
        assert_eq!(page("[]", ""), ["the page lists 0 plots, at least 5 make a report"]);
        assert!(page("{", "")[0].starts_with("the page's list of plots is not a JSON array"));
        assert!(judge("<html></html>").faults[0].starts_with("the page lists no plots"));
    }

    #[test]
    fn a_page_that_loads_something_does_not_stand_alone() {
        let with = |extra: &str| five(&format!("<div id=\"e\">{DRAWN}</div>{extra}"));
        assert_eq!(
            with("<script src=\"chart.js\"></script>"),
            ["the page does not stand alone: <script> loads `chart.js`"]
        );
        assert_eq!(with("<link rel=\"stylesheet\" href=\"a.css\">").len(), 1);
        assert_eq!(with("<img src=\"data:image/png;base64,AA\"><link rel=\"icon\" href=\"data:,\">"), [""; 0]);
    }
}
