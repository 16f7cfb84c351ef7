//! All kinds of processes together: the roles of their nodes, who is placed, and who runs beside an instance or a
//! caller.

use super::Process;
use super::kind::{Beside, Kind, Placing};
use super::list::processes;
use crate::data::Data;
use crate::role::Role;
use crate::sim::Sim;
use base::NodeId;

macro_rules! kinds {
    ($($module:ident)*) => {
        /// All kinds, in the order of the list.
        const KINDS: &[&Kind] = &[$(&super::$module::KIND),*];
    };
}

processes!(kinds);

/// The roles of nodes on which processes run, in the order in which those nodes are made.
pub(crate) fn roles() -> impl Iterator<Item = &'static Role> {
    KINDS.iter().filter_map(|kind| kind.role)
}

/// Puts all processes where they run by themselves.
pub(crate) fn place(placing: &mut Placing<'_>) {
    KINDS.iter().for_each(|kind| (kind.place)(placing));
}

/// What runs beside an instance or a caller.
pub(crate) fn beside(sim: &Sim, data: &Data, node: NodeId) -> Vec<Box<dyn Process>> {
    let at = Beside { sim, data, node };
    KINDS.iter().flat_map(|kind| (kind.beside)(&at)).collect()
}
