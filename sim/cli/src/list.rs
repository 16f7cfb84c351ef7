//! `windtunnel list`: what exists, a line each.

use crate::args::{Kind, ListArgs};
use crate::console::{Console, plain, wrap};
use crate::exit::Exit;
use crate::stop::Stop;
use study::{Measure, Theory};
use world::balancer::strategy::catalogue;
use world::{invariant, kernel};

/// Something that can be named in a scenario or on the command line.
pub(crate) struct Item {
    /// Its name.
    pub(crate) name: String,
    /// What kind of promise an invariant is; empty for everything else.
    pub(crate) class: &'static str,
    /// One line.
    pub(crate) line: String,
}

/// All of one kind, in the order in which it is best read.
pub(crate) fn items(kind: Kind) -> Vec<Item> {
    let item = |name: &str, line: &str| Item { name: name.into(), class: "", line: line.into() };
    match kind {
        Kind::Strategies => catalogue::all().iter().map(|s| item(s.name, s.summary)).collect(),
        Kind::Faults => kernel::fault::CATALOGUE.iter().map(|info| item(info.name, info.summary)).collect(),
        Kind::Invariants => {
            let of = |info: invariant::Info| Item { class: info.kind.name(), ..item(info.name, info.sentence) };
            invariant::all().map(of).collect()
        }
        Kind::Scenarios => {
            let of = |entry: &scenarios::Entry| item(entry.name, &title(entry));
            scenarios::library().iter().map(of).collect()
        }
        Kind::Studies => {
            let of = |entry: &scenarios::Entry| item(entry.name, &scenarios::study::title(entry));
            scenarios::study::library().iter().map(of).collect()
        }
        Kind::Measures => {
            let of = |measure: Measure| item(&measure.name(), &measure.title());
            Measure::names().filter_map(Measure::parse).map(of).collect()
        }
        Kind::Theories => Theory::CATALOGUE.iter().map(|(name, line)| item(name, line)).collect(),
        Kind::Engines => scenarios::decide::engines().iter().map(|engine| item(engine.name, engine.summary)).collect(),
    }
}

/// What a scenario of the library says it is about.
pub(crate) fn title(entry: &scenarios::Entry) -> String {
    let scenario = scenarios::parse(entry.text, entry.name).ok();
    scenario.and_then(|scenario| scenario.title).map_or_else(String::new, |title| title.value)
}

/// The kinds, with a heading and where in a scenario they belong.
pub(crate) const KINDS: [(Kind, &str, &str); 8] = [
    (Kind::Strategies, "strategies", "[balancer] strategy = \"…\""),
    (Kind::Faults, "faults", "[[fault]] kind = \"…\""),
    (Kind::Invariants, "invariants", "[expect] always, eventually, sometimes"),
    (Kind::Scenarios, "scenarios", "windtunnel run …"),
    (Kind::Studies, "studies", "windtunnel compare …"),
    (Kind::Measures, "measures", "of a study: measures = [\"…\"], [compare] measure, [[plot]] measure"),
    (Kind::Theories, "theories", "of a study: [[plot]] theory = \"…\""),
    (Kind::Engines, "engines", "windtunnel decide …"),
];

/// Lists one kind, or all.
pub(crate) fn list(args: &ListArgs, console: &mut Console) -> Result<Exit, Stop> {
    let wanted = KINDS.iter().filter(|(kind, ..)| args.what.is_none_or(|what| what == *kind));
    for (i, (kind, heading, place)) in wanted.enumerate() {
        let text =
            if console.look.json() { lines(*kind, heading) } else { table(*kind, heading, place, console, i > 0) };
        console.print(&text)?;
    }
    if !console.look.json() {
        console.print(&console.look.quiet("\n  windtunnel explain NAME says more about each").to_string())?;
        console.print("\n")?;
    }
    Ok(Exit::Passed)
}

fn lines(kind: Kind, heading: &str) -> String {
    let object = |item: Item| {
        let mut object = serde_json::json!({"kind": heading, "name": item.name, "line": item.line});
        if !item.class.is_empty() {
            object["class"] = item.class.into();
        }
        format!("{object}\n")
    };
    items(kind).into_iter().map(object).collect()
}

fn table(kind: Kind, heading: &str, place: &str, console: &Console, follows: bool) -> String {
    let look = console.look;
    let items = items(kind);
    let name_width = items.iter().map(|item| item.name.chars().count()).max().unwrap_or(0);
    let class_width = items.iter().map(|item| item.class.len()).max().unwrap_or(0);
    let class_column = if class_width > 0 { class_width + 2 } else { 0 };
    let indent = 4 + class_column + name_width + 2;
    let mut text = format!("{}  {}   {}\n", if follows { "\n" } else { "" }, look.strong(heading), look.quiet(place));
    for item in items {
        let class = format!("{:<class_column$}", item.class);
        let name = format!("{:<name_width$}", plain(&item.name));
        let prose = wrap(&plain(&item.line), look.width.saturating_sub(indent).max(30));
        for (i, line) in prose.iter().enumerate() {
            let margin = if i == 0 { format!("    {}{name}  ", look.quiet(&class)) } else { " ".repeat(indent) };
            text.push_str(format!("{margin}{line}").trim_end());
            text.push('\n');
        }
    }
    text
}
