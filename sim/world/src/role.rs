//! A role: what nodes are there for that are no instances, as selectors of faults name them.
//!
//! A node is made with its role's tag. Selectors, reserved names, `explain` and the documentation go by the same
//! declarations, so that what can be written is what exists. Instances of a service carry the service's name as their
//! tag. Processes that have nodes of their own declare their role beside their code; those of requests stand here.

use crate::spec::Spec;

/// A role, declared.
#[derive(Debug)]
pub struct Role {
    /// The tag of its nodes, by which a selector names all of them.
    pub tag: &'static str,
    /// What its nodes do, as a fragment of a sentence.
    pub sentence: &'static str,
    /// How many nodes play it and what they are called, in words.
    pub nodes: &'static str,
    /// The section that a scenario must have for it to be there.
    pub comes_with: &'static str,
    /// How its nodes are called.
    pub naming: Naming,
    /// The place of its first node among those that are spread over all zones in turn, zero-based.
    pub first_zone: u32,
    /// How many nodes play it in a world.
    pub count: fn(&Spec) -> u32,
}

/// How the nodes of a role are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By its tag: there is one.
    Alone,
    /// By its tag and a number from 1 on.
    Numbered,
    /// By its tag, a name of the scenario's and a number from 1 on.
    Named,
}

/// Roles are told apart by their tags.
impl PartialEq for Role {
    fn eq(&self, other: &Role) -> bool {
        self.tag == other.tag
    }
}

impl Eq for Role {}

impl Role {
    /// The key of the section that brings it.
    pub fn section(&self) -> &'static str {
        let open = self.comes_with.trim_matches(['[', ']']);
        open.split_once('.').map_or(open, |(section, _)| section)
    }

    /// The name of its `n`-th node, zero-based; `name` is the scenario's, for roles whose nodes are [`Naming::Named`].
    pub fn node_name(&self, name: &str, n: u32) -> String {
        match self.naming {
            Naming::Alone => self.tag.to_string(),
            Naming::Numbered => format!("{}-{}", self.tag, n + 1),
            Naming::Named => format!("{}-{name}-{}", self.tag, n + 1),
        }
    }
}

/// Gateways.
pub static GATEWAY: Role = Role {
    tag: "gateway",
    sentence: "gateways, which route the requests of loads to services",
    nodes: "gateway.instances, 1 by default, called gateway-1 and so on; none without a [gateway]",
    comes_with: "[gateway]",
    naming: Naming::Numbered,
    first_zone: 0,
    count: |spec| spec.gateway.as_ref().map_or(0, |gateway| gateway.instances),
};

/// Sources of load.
pub static LOAD: Role = Role {
    tag: "load",
    sentence: "sources of load: users and their clients",
    nodes: "`sources` of each load, 1 by default, called load-NAME-1 and so on",
    comes_with: "[load.NAME]",
    naming: Naming::Named,
    first_zone: 0,
    count: |spec| spec.loads.iter().map(|load| load.sources.max(1)).sum(),
};
