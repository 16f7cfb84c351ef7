//! What an invariant may look at when it judges the whole world.

use crate::data::Data;
use crate::fleet::Fleet;
use crate::process::table::Processes;
use crate::sim::Sim;

/// A world as invariants see it: they count, and change nothing.
pub(crate) struct State<'a> {
    pub(crate) sim: &'a mut Sim,
    pub(crate) data: &'a mut Data,
    pub(crate) fleet: &'a Fleet,
    pub(crate) processes: &'a Processes,
}
