//! Whom a fault means, as people write it.
//!
//! ```text
//! path   = set "|" set            both ways
//!        | set "->" set           one way
//! set    = term { "," term }
//! term   = "everything" | "all but" term | "one of" term | PERCENT "of" term
//!        | term "in zone" ZONE | "zone" ZONE | NAME
//! NAME   = a service, an instance such as checkout-3, a role such as gateway, or a node of one such as gateway-1
//! ```
//!
//! A prefix takes everything to its right up to the next comma: `one of checkout in zone a` is one of those in zone a.
//!
//! A set in which there is nobody is refused: a fault of it would hit nobody, and the run would pass for that reason.
//! Who is there is counted by group and zone, since nodes of a group are spread over the zones in turn.

use crate::problem::known;
use crate::scalar::{Percent, Scalar};
use base::ZoneId;
use std::collections::BTreeMap;
use world::kernel::fault::Path;
use world::kernel::select::Selector;
use world::roles::{self, LOAD, Naming, Role};

/// What exists in a scenario, as far as selectors can name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names<'s> {
    /// Services with the number of instances that surely exist, and whether a rollout makes more.
    pub(crate) services: Vec<(&'s str, u32, bool)>,
    /// Zones, in order.
    pub(crate) zones: Vec<&'s str>,
    /// Every role, and how many nodes play it at least.
    pub(crate) roles: Vec<(&'static Role, u32)>,
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
    let groups = Groups::of(names);
    for part in text.split(',') {
        let words: Vec<&str> = part.split_whitespace().collect();
        if words.len() > WORDS_MAX {
            return Err(("this selector is too long".to_string(), format!("at most {WORDS_MAX} words")));
        }
        let set = term(&words, names)?;
        if groups.meant(&set).is_empty() {
            return Err((format!("`{}` is nobody", words.join(" ")), groups.instead(&set, names)));
        }
        sets.push(set);
    }
    Ok(if sets.len() == 1 { sets.remove(0) } else { Selector::Any(sets) })
}

/// Reads what lies between two sets of nodes. A set alone stands for what passes between it and the rest: everybody
/// else where the set is certain, everybody where it is drawn, because a second draw would give another set.
pub(crate) fn path(text: &str, names: &Names<'_>) -> Result<Path, Wrong> {
    let (sides, one_way) = match (text.split_once("->"), text.split_once('|')) {
        (Some(_), Some(_)) => {
            return Err((format!("`{text}` says `|` and `->`"), "`a | b` both ways, `a -> b` one way".to_string()));
        }
        (Some(sides), None) => (sides, true),
        (None, Some(sides)) => (sides, false),
        (None, None) => {
            let from = set(text, names)?;
            let to = if from.is_drawn() { Selector::All } else { Selector::Not(Box::new(from.clone())) };
            if Groups::of(names).meant(&to).is_empty() {
                return Err((format!("`{}` is everybody", text.trim()), "nobody is on the other side".to_string()));
            }
            return Ok(Path { from, to, one_way: false });
        }
    };
    if sides.1.contains('|') || sides.1.contains("->") {
        return Err((format!("`{text}` names more than two sides"), "write a fault for each pair".to_string()));
    }
    Ok(Path { from: set(sides.0, names)?, to: set(sides.1, names)?, one_way })
}

/// Where nodes are: by group, which is a service, a role, or one load, and by zone.
struct Groups<'s> {
    /// The name of each group, its tag, and its nodes in each zone.
    all: Vec<(String, &'s str, Vec<u32>)>,
}

/// How many nodes of each group and zone a set has: no more than these, and some wherever it has any.
type Meant = BTreeMap<(usize, usize), u32>;

impl<'s> Groups<'s> {
    fn of(names: &Names<'s>) -> Self {
        let zones = names.zones.len().max(1);
        let spread = |nodes: u32, first: u32| {
            let (each, rest) = (nodes / zones as u32, nodes % zones as u32);
            let from_first = |zone: usize| (zone as u32 + zones as u32 - first % zones as u32) % zones as u32;
            (0..zones).map(|zone| each + u32::from(from_first(zone) < rest)).collect()
        };
        let mut all: Vec<(String, &'s str, Vec<u32>)> = Vec::new();
        // A rollout may put an instance into any zone.
        let possible = |nodes: u32, grows: bool| if grows { nodes + zones as u32 } else { nodes };
        let service = |(name, nodes, grows): &(&'s str, u32, bool)| {
            (name.to_string(), *name, spread(possible(*nodes, *grows), 0))
        };
        all.extend(names.services.iter().map(service));
        let roles = names.roles.iter().filter(|(role, nodes)| **role != LOAD && *nodes > 0);
        all.extend(roles.map(|(role, nodes)| (role.tag.to_string(), role.tag, spread(*nodes, role.first_zone))));
        let load = LOAD.tag;
        all.extend(names.loads.iter().map(|(name, nodes)| (format!("{load}-{name}"), load, spread(*nodes, 0))));
        Groups { all }
    }

    fn meant(&self, set: &Selector) -> Meant {
        let select = |is_meant: &dyn Fn(&str, usize) -> bool| {
            let mut meant = Meant::new();
            for (group, (_, tag, zones)) in self.all.iter().enumerate() {
                let here = zones.iter().enumerate().filter(|(zone, nodes)| **nodes > 0 && is_meant(tag, *zone));
                meant.extend(here.map(|(zone, nodes)| ((group, zone), *nodes)));
            }
            meant
        };
        match set {
            Selector::All => select(&|_, _| true),
            Selector::Tag(name) => select(&|tag, _| tag == name),
            Selector::Zone(wanted) => select(&|_, zone| zone == wanted.index()),
            Selector::Name(name) => self.one(name),
            Selector::OneOf(set) => self.meant(set),
            Selector::Share(share, _) if share.billionths() == 0 => Meant::new(),
            Selector::Share(_, set) => self.meant(set),
            Selector::Any(sets) => {
                let mut meant = Meant::new();
                for (place, nodes) in sets.iter().flat_map(|set| self.meant(set)) {
                    let most = self.all[place.0].2[place.1];
                    let sum = meant.entry(place).or_insert(0);
                    *sum = (*sum + nodes).min(most);
                }
                meant
            }
            Selector::Both(sets) => {
                let mut sets = sets.iter().map(|set| self.meant(set));
                let first = sets.next().unwrap_or_default();
                sets.fold(first, |both, set| {
                    let fewer = |(place, nodes)| Some((place, u32::min(nodes, *set.get(&place)?)));
                    both.into_iter().filter_map(fewer).collect()
                })
            }
            Selector::Not(set) => {
                let without = self.meant(set);
                // A draw takes one of many, or a part of them: the others are left.
                let drawn = set.is_drawn();
                let rest = |((group, zone), nodes): ((usize, usize), u32)| {
                    let gone = without.get(&(group, zone)).copied().unwrap_or(0);
                    let gone = if drawn && without.values().sum::<u32>() > 1 { 0 } else { gone };
                    (nodes > gone).then_some(((group, zone), nodes - gone))
                };
                self.meant(&Selector::All).into_iter().filter_map(rest).collect()
            }
        }
    }

    /// The place of the node with this name, which was looked up before; of one that a rollout will make, the zone it
    /// will be in.
    fn one(&self, name: &str) -> Meant {
        let (group, number) =
            name.rsplit_once('-').and_then(|(g, n)| Some((g, n.parse::<u32>().ok()?))).unwrap_or((name, 1));
        let found = self.all.iter().position(|(known, ..)| known == group || known == name);
        let Some(index) = found else { return Meant::new() };
        let zones = self.all[index].2.len() as u32;
        let first = roles::find(self.all[index].1).map_or(0, |role| role.first_zone);
        Meant::from([((index, ((first + number.saturating_sub(1)) % zones) as usize), 1)])
    }

    /// What to write instead of a set that is nobody.
    fn instead(&self, set: &Selector, names: &Names<'_>) -> String {
        let zones = |set: &Selector| {
            let meant = self.meant(set);
            let zones = (0..names.zones.len()).filter(|zone| meant.keys().any(|(_, there)| there == zone));
            zones.map(|zone| names.zones[zone]).collect::<Vec<_>>()
        };
        match set {
            Selector::OneOf(set) => self.instead(set, names),
            Selector::Share(share, set) if share.billionths() > 0 => self.instead(set, names),
            Selector::Share(..) => "a share above 0 %".to_string(),
            Selector::Both(sets) => match sets.first() {
                Some(all) if !zones(all).is_empty() => {
                    let zones = zones(all);
                    let plural = if zones.len() == 1 { "zone" } else { "zones" };
                    format!("`{all}` is in {plural} {}", zones.join(", "))
                }
                _ => "nobody is there".to_string(),
            },
            Selector::Not(_) => "nobody else is there".to_string(),
            Selector::All | Selector::Tag(_) | Selector::Zone(_) | Selector::Name(_) | Selector::Any(_) => {
                format!("there are {}", self.all.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", "))
            }
        }
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
    if let Some((role, 0)) = names.roles.iter().find(|(role, _)| role.tag == name) {
        return Err((format!("there is no `{name}` here"), format!("it comes with {}", role.comes_with)));
    }
    if names.services.iter().any(|(service, ..)| *service == name) || roles::find(name).is_some() {
        return Ok(Selector::Tag(name.to_string()));
    }
    if let Some((group, number)) = name.rsplit_once('-').and_then(|(g, n)| Some((g, n.parse::<u32>().ok()?))) {
        let load = group.strip_prefix("load-").unwrap_or("");
        let services = names.services.iter().filter(|(s, ..)| *s == group).map(|(_, count, grows)| (*count, *grows));
        let roles = names.roles.iter().filter(|(role, _)| role.tag == group && role.naming != Naming::Alone);
        let roles = roles.filter(|(role, count)| **role != LOAD && *count > 0).map(|(_, count)| (*count, false));
        let loads = names.loads.iter().filter(|(l, _)| *l == load).map(|(_, count)| (*count, false));
        if let Some((count, grows)) = services.chain(roles).chain(loads).next() {
            return match number {
                1.. if number <= count || grows => Ok(Selector::Name(name.to_string())),
                _ => Err((format!("there is no `{name}`"), format!("{group}-1 to {group}-{count} exist"))),
            };
        }
    }
    let mut all: Vec<&str> = names.services.iter().map(|(name, ..)| *name).collect();
    all.extend(names.roles.iter().filter(|(_, count)| *count > 0).map(|(role, _)| role.tag));
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
            roles: roles::all().zip([2, 0, 0, 1, 1]).collect(),
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

    #[test]
    fn a_set_in_which_there_is_nobody_is_refused() {
        let wrong = |text| path(text, &names()).map(|p| p.to_string()).expect_err(text);
        assert_eq!(wrong("operator").0, "unknown name `operator`");
        assert_eq!(wrong("controller"), ("there is no `controller` here".into(), "it comes with [[rollout]]".into()));
        // One gateway is in the first zone.
        let nobody = ("`gateway in zone b` is nobody".into(), "`gateway` is in zone a".into());
        assert_eq!(wrong("gateway in zone b"), nobody);
        assert_eq!(wrong("registry | gateway in zone b"), nobody);
        assert_eq!(wrong("one of gateway in zone b").1, "`gateway` is in zone a");
        assert_eq!(wrong("checkout, gateway in zone b"), nobody, "a part of a list is meant too");
        assert_eq!(wrong("0% of checkout").1, "a share above 0 %");
        assert_eq!(wrong("all but everything").0, "`all but everything` is nobody");
        assert_eq!(wrong("everything"), ("`everything` is everybody".into(), "nobody is on the other side".into()));
        assert_eq!(wrong("checkout-2 in zone a").1, "`checkout-2` is in zone b");
        assert!(path("checkout-3 in zone a", &names()).is_ok());
        // A second controller's neighbour: the lock store and the controller are not in one zone.
        let rolled = Names { roles: roles::all().zip([0, 1, 1, 0, 1]).collect(), ..names() };
        assert!(set("controller in zone b", &rolled).is_ok() && set("coordination in zone a", &rolled).is_ok());
        assert!(set("controller in zone a", &rolled).is_err() && set("coordination in zone b", &rolled).is_err());
    }
}
