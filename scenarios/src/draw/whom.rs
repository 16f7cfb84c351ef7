//! Whom a fault means, drawn: every form that a selector can have, of names that are there.
//!
//! Not every set that can be said has somebody in it, so a drawn one is read as a file's would be, and drawn again
//! where it is nobody.

use super::Dice;
use crate::select::{self, Names};
use world::roles::RoleKind;

/// How deep terms are nested.
const DEPTH: u32 = 3;
/// How often a set is drawn before everybody will do.
const TRIES: u32 = 20;

/// The forms of a term.
#[derive(Clone, Copy)]
enum Form {
    Everything,
    Service,
    Instance,
    Role,
    RoleNode,
    LoadNode,
    Zone,
    InZone,
    AllBut,
    OneOf,
    ShareOf,
}

const FORMS: [Form; 14] = [
    Form::Everything,
    // What people mean most often.
    Form::Service,
    Form::Service,
    Form::Instance,
    Form::Instance,
    Form::Role,
    Form::RoleNode,
    Form::LoadNode,
    Form::Zone,
    Form::InZone,
    Form::AllBut,
    Form::OneOf,
    Form::OneOf,
    Form::ShareOf,
];

/// Nodes.
pub(super) fn set(dice: &mut Dice, names: &Names<'_>) -> String {
    for _ in 0..TRIES {
        let mut text = term(dice, names, DEPTH);
        while dice.happens(1, 10) {
            text = format!("{text}, {}", term(dice, names, DEPTH));
        }
        if select::set(&text, names).is_ok() {
            return text;
        }
    }
    "everything".to_string()
}

/// What lies between nodes.
pub(super) fn path(dice: &mut Dice, names: &Names<'_>) -> String {
    for _ in 0..TRIES {
        let text = match dice.even(0..=3) {
            0 => set(dice, names),
            1 => format!("{} -> {}", set(dice, names), set(dice, names)),
            _ => format!("{} | {}", set(dice, names), set(dice, names)),
        };
        if select::path(&text, names).is_ok() {
            return text;
        }
    }
    "everything | everything".to_string()
}

fn term(dice: &mut Dice, names: &Names<'_>, depth: u32) -> String {
    let form = *dice.one(&FORMS);
    let inner = |dice: &mut Dice| if depth == 0 { service(dice, names) } else { term(dice, names, depth - 1) };
    match form {
        Form::Everything => "everything".to_string(),
        Form::Service => service(dice, names),
        Form::Instance => {
            let (name, instances, grows) = *dice.one(&names.services);
            // A rollout makes more of them, and a fault may wait for one.
            let most = instances + if grows { instances + 1 } else { 0 };
            format!("{name}-{}", dice.even(1..=most.max(1).into()))
        }
        Form::Role => dice.one(&names.roles).0.tag().to_string(),
        Form::RoleNode => {
            let (role, nodes) = *dice.one(&names.roles);
            match role {
                RoleKind::Load => load_node(dice, names),
                RoleKind::Registry | RoleKind::Gateway | RoleKind::Coordination | RoleKind::Controller => {
                    role.node_name("", dice.even(0..=nodes.saturating_sub(1).into()) as u32)
                }
            }
        }
        Form::LoadNode => load_node(dice, names),
        Form::Zone => format!("zone {}", dice.one(&names.zones)),
        Form::InZone => format!("{} in zone {}", inner(dice), dice.one(&names.zones)),
        Form::AllBut => format!("all but {}", inner(dice)),
        Form::OneOf => format!("one of {}", inner(dice)),
        Form::ShareOf => format!("{} of {}", dice.share(), inner(dice)),
    }
}

fn service(dice: &mut Dice, names: &Names<'_>) -> String {
    dice.one(&names.services).0.to_string()
}

fn load_node(dice: &mut Dice, names: &Names<'_>) -> String {
    let (load, nodes) = *dice.one(&names.loads);
    RoleKind::Load.node_name(load, dice.even(0..=nodes.saturating_sub(1).into()) as u32)
}
