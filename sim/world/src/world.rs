//! The state of a run, in four parts that need to know less and less of each other.

use crate::data::Data;
use crate::fleet::{Fleet, Site};
use crate::process::table::Processes;
use crate::sim::Sim;

/// The state of a run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) data: Data,
    pub(crate) fleet: Fleet,
    pub(crate) processes: Processes,
}

impl World {
    /// The place where the fleet is worked on.
    pub(crate) fn site(&mut self) -> Site<'_> {
        Site { sim: &mut self.sim, data: &mut self.data, fleet: &mut self.fleet, guests: &mut self.processes }
    }
}
