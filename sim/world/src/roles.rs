//! The roles that nodes play beside being instances of services, published once for everybody who names them.
//!
//! A node is made with its role's tag here; selectors of faults, reserved names, `explain` and the documentation go by
//! the same list, so that what can be written is what exists. Instances of a service carry the service's name as their
//! tag.

/// A role, as selectors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// A registry server.
    Registry,
    /// The store of locks and sessions.
    Coordination,
    /// The rollout controller.
    Controller,
    /// A gateway.
    Gateway,
    /// A source of load.
    Load,
}

impl RoleKind {
    /// All of them, in the order in which their nodes are made.
    pub const ALL: [RoleKind; 5] =
        [RoleKind::Registry, RoleKind::Coordination, RoleKind::Controller, RoleKind::Gateway, RoleKind::Load];

    /// The tag of its nodes, which is how a selector names all of them.
    pub const fn tag(self) -> &'static str {
        match self {
            RoleKind::Registry => "registry",
            RoleKind::Coordination => "coordination",
            RoleKind::Controller => "controller",
            RoleKind::Gateway => "gateway",
            RoleKind::Load => "load",
        }
    }

    /// The role with this tag.
    pub fn from_tag(tag: &str) -> Option<RoleKind> {
        RoleKind::ALL.into_iter().find(|role| role.tag() == tag)
    }

    /// What its nodes do, as a fragment of a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            RoleKind::Registry => "servers that know which instances are alive, and tell callers",
            RoleKind::Coordination => {
                "the store of sessions and locks, by which one controller at a time rolls out a service"
            }
            RoleKind::Controller => "the rollout controller, which orders instances and splits of traffic",
            RoleKind::Gateway => "gateways, which route the requests of loads to services",
            RoleKind::Load => "sources of load: users and their clients",
        }
    }

    /// How many nodes play it, in words.
    pub const fn nodes(self) -> &'static str {
        match self {
            RoleKind::Registry => {
                "registry.servers, 1 by default, called registry-1 and so on; none without a [registry]"
            }
            RoleKind::Coordination => "1, called coordination; none without a [[rollout]]",
            RoleKind::Controller => "1, called controller; none without a [[rollout]]",
            RoleKind::Gateway => {
                "gateway.instances, 1 by default, called gateway-1 and so on; none without a [gateway]"
            }
            RoleKind::Load => "`sources` of each load, 1 by default, called load-NAME-1 and so on",
        }
    }

    /// What a scenario must have for it to be there.
    pub const fn comes_with(self) -> &'static str {
        match self {
            RoleKind::Registry => "[registry]",
            RoleKind::Coordination | RoleKind::Controller => "[[rollout]]",
            RoleKind::Gateway => "[gateway]",
            RoleKind::Load => "[load.NAME]",
        }
    }

    /// The name of its `n`-th node, zero-based; of a load's, that of the load called `load`.
    pub fn node_name(self, load: &str, n: u32) -> String {
        match self {
            RoleKind::Coordination | RoleKind::Controller => self.tag().to_string(),
            RoleKind::Registry | RoleKind::Gateway => format!("{}-{}", self.tag(), n + 1),
            RoleKind::Load => format!("{}-{load}-{}", self.tag(), n + 1),
        }
    }

    /// The place of its `n`-th node among those that are spread over all zones in turn, zero-based.
    pub const fn place(self, n: u32) -> u32 {
        match self {
            // Beside the lock store, which is the first, and not in one zone with it where there are several.
            RoleKind::Controller => n + 1,
            _ => n,
        }
    }
}
