//! Whom a fault means, as people write it.
//!
//! ```text
//! path   = set "|" set            both ways
//!        | set "->" set           one way
//! set    = term { "," term }
//! term   = "everything" | "all but" term | "one of" term | PERCENT "of" term
//!        | term "in zone" ZONE | "zone" ZONE | NAME
//! NAME   = a service, an instance such as checkout-3, a load, or a role: registry, gateway, load, controller, operator
//! ```
//!
//! A prefix takes everything to its right up to the next comma: `one of checkout in zone a` is one of those in zone a.

use crate::problem::known;
use crate::scalar::{Percent, Scalar};
use base::ZoneId;
use world::kernel::fault::Path;
use world::kernel::select::Selector;

/// What exists in a scenario, as far as selectors can name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names<'s> {
    /// Services with the number of instances that surely exist, and whether a rollout makes more.
    pub(crate) services: Vec<(&'s str, u32, bool)>,
    /// Zones, in order.
    pub(crate) zones: Vec<&'s str>,
    /// Roles and how many nodes play them: `registry`, `gateway`, `controller`, ….
    pub(crate) roles: Vec<(&'static str, u32)>,
    /// Loads and the number of their nodes.
    pub(crate) loads: Vec<(&'s str, u32)>,
}

/// What is wrong with a selector: message, and what to read beside it.
pub(crate) type Wrong = (String, String);

/// More words than any sensible selector has; it also bounds the depth of recursion.
const WORDS_MAX: usize = 64;

/// Reads a set of nodes.
pub(crate) fn set(text: &str, names: &Names<'_>) -> Result<Selector, Wrong> {
    if text.contains('|') || text.contains("->") {
        return Err((
            format!("`{text}` names two sides"),
            "this kind of fault concerns nodes, not the packets between them".to_string(),
        ));
    }
    let mut sets = Vec::new();
    for part in text.split(',') {
        let words: Vec<&str> = part.split_whitespace().collect();
        if words.len() > WORDS_MAX {
            return Err(("this selector is too long".to_string(), format!("at most {WORDS_MAX} words")));
        }
        sets.push(term(&words, names)?);
    }
    Ok(if sets.len() == 1 { sets.remove(0) } else { Selector::Any(sets) })
}

/// Reads what lies between two sets of nodes. A set alone stands for what passes between it and the rest: everybody else
/// where the set is certain, everybody where it is drawn, because a second draw would give another set.
pub(crate) fn path(text: &str, names: &Names<'_>) -> Result<Path, Wrong> {
    let (sides, one_way) = match (text.split_once("->"), text.split_once('|')) {
        (Some(_), Some(_)) => {
            return Err((format!("`{text}` says `|` and `->`"), "`a | b` both ways, `a -> b` one way".to_string()));
        }
        (Some(sides), None) => (sides, true),
        (None, Some(sides)) => (sides, false),
        (None, None) => {
            let from = set(text, names)?;
            let to = if is_drawn(&from) { Selector::All } else { Selector::Not(Box::new(from.clone())) };
            return Ok(Path { from, to, one_way: false });
        }
    };
    if sides.1.contains('|') || sides.1.contains("->") {
        return Err((format!("`{text}` names more than two sides"), "write a fault for each pair".to_string()));
    }
    Ok(Path { from: set(sides.0, names)?, to: set(sides.1, names)?, one_way })
}

/// Whether chance decides who is in it.
fn is_drawn(selector: &Selector) -> bool {
    match selector {
        Selector::OneOf(_) | Selector::Share(..) => true,
        Selector::Any(sets) | Selector::Both(sets) => sets.iter().any(is_drawn),
        Selector::Not(set) => is_drawn(set),
        Selector::All | Selector::Name(_) | Selector::Tag(_) | Selector::Zone(_) => false,
    }
}

fn term(words: &[&str], names: &Names<'_>) -> Result<Selector, Wrong> {
    match words {
        [] => Err(("nobody is named".to_string(), "such as `checkout`, `one of checkout` or `zone a`".to_string())),
        ["everything"] => Ok(Selector::All),
        ["all", "but", rest @ ..] => Ok(Selector::Not(Box::new(term(rest, names)?))),
        ["one", "of", rest @ ..] => Ok(Selector::OneOf(Box::new(term(rest, names)?))),
        [share, "of", rest @ ..] if share.ends_with('%') => {
            let share = Percent::from_text(share).map_err(|wrong| (wrong.message, wrong.label))?;
            Ok(Selector::Share(share.0, Box::new(term(rest, names)?)))
        }
        ["zone", name] => zone(name, names),
        [set @ .., "in", "zone", name] => Ok(Selector::Both(vec![term(set, names)?, zone(name, names)?])),
        [name] => named(name, names),
        _ => Err((
            format!("cannot read `{}`", words.join(" ")),
            "such as `checkout`, `checkout-3`, `one of checkout`, `30% of checkout`, `checkout in zone a`, `all but gateway`"
                .to_string(),
        )),
    }
}

fn zone(name: &str, names: &Names<'_>) -> Result<Selector, Wrong> {
    match names.zones.iter().position(|zone| *zone == name) {
        Some(index) => Ok(Selector::Zone(ZoneId(index as u32))),
        None => Err((format!("unknown zone `{name}`"), known(name, &names.zones))),
    }
}

fn named(name: &str, names: &Names<'_>) -> Result<Selector, Wrong> {
    if names.services.iter().any(|(service, ..)| *service == name) || names.roles.iter().any(|(role, _)| *role == name)
    {
        return Ok(Selector::Tag(name.to_string()));
    }
    if let Some((group, number)) = name.rsplit_once('-').and_then(|(g, n)| Some((g, n.parse::<u32>().ok()?))) {
        let load = group.strip_prefix("load-").unwrap_or("");
        let services = names.services.iter().filter(|(s, ..)| *s == group).map(|(_, count, grows)| (*count, *grows));
        let roles = names.roles.iter().filter(|(r, _)| *r == group).map(|(_, count)| (*count, false));
        let loads = names.loads.iter().filter(|(l, _)| *l == load).map(|(_, count)| (*count, false));
        if let Some((count, grows)) = services.chain(roles).chain(loads).next() {
            return match number {
                1.. if number <= count || grows => Ok(Selector::Name(name.to_string())),
                _ => Err((format!("there is no `{name}`"), format!("{group}-1 to {group}-{count} exist"))),
            };
        }
    }
    let mut all: Vec<&str> = names.services.iter().map(|(name, ..)| *name).collect();
    all.extend(names.roles.iter().map(|(role, _)| *role));
    all.push("everything");
    if names.zones.contains(&name) {
        return Err((format!("`{name}` is a zone"), format!("write `zone {name}`")));
    }
    Err((format!("unknown name `{name}`"), known(name, &all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names {
            services: vec![("checkout", 3, false), ("stock", 2, true)],
            zones: vec!["a", "b"],
            roles: vec![("registry", 2), ("gateway", 1), ("load", 1)],
            loads: vec![("shoppers", 1)],
        }
    }

    #[test]
    fn sets_print_as_they_were_written() {
        for text in [
            "checkout",
            "checkout-3",
            "registry",
            "registry-2",
            "load-shoppers-1",
            "everything",
            "one of checkout",
            "30% of checkout",
            "all but gateway",
            "one of all but gateway",
            "stock-9",
            "checkout, registry",
        ] {
            assert_eq!(set(text, &names()).map(|s| s.to_string()), Ok(text.to_string()));
        }
        assert_eq!(set("zone b", &names()), Ok(Selector::Zone(ZoneId(1))));
        let inside = Selector::Both(vec![Selector::Tag("checkout".into()), Selector::Zone(ZoneId(0))]);
        assert_eq!(set("one of checkout in zone a", &names()), Ok(Selector::OneOf(Box::new(inside))));
    }

    #[test]
    fn paths_have_a_direction() {
        let both = path("registry | gateway", &names()).expect("a path");
        assert_eq!(
            (both.from.to_string(), both.to.to_string(), both.one_way),
            ("registry".into(), "gateway".into(), false)
        );
        assert!(path("gateway -> registry", &names()).expect("a path").one_way);
        let alone = path("zone a", &names()).expect("a path");
        assert_eq!(alone.to, Selector::Not(Box::new(Selector::Zone(ZoneId(0)))));
        assert_eq!(path("one of checkout", &names()).expect("a path").to, Selector::All, "a second draw would differ");
    }

    #[test]
    fn what_cannot_be_meant_is_explained() {
        let wrong = |text| path(text, &names()).map(|p| p.to_string()).expect_err(text);
        assert_eq!(wrong("chekout").0, "unknown name `chekout`");
        assert!(wrong("chekout").1.starts_with("did you mean `checkout`? known: checkout, stock, registry"));
        assert_eq!(wrong("checkout-4"), ("there is no `checkout-4`".into(), "checkout-1 to checkout-3 exist".into()));
        assert_eq!(wrong("zone c").1, "known: a, b");
        assert_eq!(wrong("a").1, "write `zone a`");
        assert!(wrong("a | b | c").0.contains("more than two"));
        assert!(wrong("checkout |").0.contains("nobody"));
        assert!(wrong("1 of checkout").0.contains("cannot read"));
        assert!(wrong(&"all but ".repeat(100_000)).0.contains("too long"));
        assert!(set("registry | gateway", &names()).expect_err("two sides").0.contains("two sides"));
    }
}
