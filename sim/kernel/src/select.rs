//! Whom a fault means: names, tags and zones, combined.
//!
//! A selector is resolved when its fault begins, against the nodes that exist at that moment, so that "every instance
//! in zone b" includes the one a rollout started a second ago. Where a selector leaves something to chance, the draw
//! comes from the fault's own stream.

use crate::node::Nodes;
use base::{Draw, NodeId, Ratio, Rng, ZoneId};
use std::fmt;

/// A description of a set of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Every node.
    All,
    /// The node with this name.
    Name(String),
    /// Every node that carries this tag.
    Tag(String),
    /// Every node in this zone.
    Zone(ZoneId),
    /// One node of a set, drawn evenly.
    OneOf(Box<Selector>),
    /// A share of a set, rounded up, drawn evenly.
    Share(Ratio, Box<Selector>),
    /// Every node that is in any of these sets.
    Any(Vec<Selector>),
    /// Every node that is in all of these sets.
    Both(Vec<Selector>),
    /// Every node that is not in this set.
    Not(Box<Selector>),
}

impl Selector {
    /// The nodes meant, in order of id. Nodes that have been removed are never meant.
    pub fn resolve(&self, nodes: &Nodes, rng: &mut Rng) -> Vec<NodeId> {
        let draw = |set: &Selector, rng: &mut Rng, count: &dyn Fn(u64) -> u64| {
            let mut members = set.resolve(nodes, rng);
            let wanted = count(members.len() as u64) as usize;
            rng.shuffle(&mut members);
            members.truncate(wanted);
            members.sort_unstable();
            members
        };
        match self {
            Selector::OneOf(set) => draw(set, rng, &|n| n.min(1)),
            Selector::Share(share, set) => draw(set, rng, &|n| share.ceil_of(n)),
            Selector::Any(sets) => {
                let mut members: Vec<NodeId> = sets.iter().flat_map(|set| set.resolve(nodes, rng)).collect();
                members.sort_unstable();
                members.dedup();
                members
            }
            Selector::Both(sets) => {
                let resolved: Vec<Vec<NodeId>> = sets.iter().map(|set| set.resolve(nodes, rng)).collect();
                nodes.ids().filter(|id| resolved.iter().all(|members| members.binary_search(id).is_ok())).collect()
            }
            Selector::Not(set) => {
                let without = set.resolve(nodes, rng);
                nodes.ids().filter(|id| without.binary_search(id).is_err()).collect()
            }
            Selector::All => nodes.ids().collect(),
            Selector::Name(name) => nodes.ids().filter(|&id| nodes.name(id) == name).collect(),
            Selector::Tag(tag) => nodes.ids().filter(|&id| nodes.has_tag(id, tag)).collect(),
            Selector::Zone(zone) => nodes.ids().filter(|&id| nodes.zone(id) == *zone).collect(),
        }
    }
}

impl Selector {
    /// Whether chance decides who is in it.
    pub fn is_drawn(&self) -> bool {
        match self {
            Selector::OneOf(_) | Selector::Share(..) => true,
            Selector::Any(sets) | Selector::Both(sets) => sets.iter().any(Selector::is_drawn),
            Selector::Not(set) => set.is_drawn(),
            Selector::All | Selector::Name(_) | Selector::Tag(_) | Selector::Zone(_) => false,
        }
    }
}

/// Something that speaks of zones, written with their names, which are indexed by id; a zone without a name is `z2`.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, T>(pub &'a T, pub &'a [String]);

impl fmt::Display for Named<'_, Selector> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zones = self.1;
        let join = |f: &mut fmt::Formatter<'_>, sets: &[Selector], word: &str| {
            for (i, set) in sets.iter().enumerate() {
                if i > 0 {
                    f.write_str(word)?;
                }
                write!(f, "{}", Named(set, zones))?;
            }
            Ok(())
        };
        match self.0 {
            Selector::All => f.write_str("everything"),
            Selector::Name(name) | Selector::Tag(name) => f.write_str(name),
            Selector::Zone(zone) => match zones.get(zone.index()) {
                Some(name) => write!(f, "zone {name}"),
                None => write!(f, "zone {zone}"),
            },
            Selector::OneOf(set) => write!(f, "one of {}", Named(&**set, zones)),
            Selector::Share(share, set) => write!(f, "{share} of {}", Named(&**set, zones)),
            Selector::Any(sets) => join(f, sets, ", "),
            Selector::Both(sets) => join(f, sets, " in "),
            Selector::Not(set) => write!(f, "all but {}", Named(&**set, zones)),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Named(self, &[]))
    }
}
