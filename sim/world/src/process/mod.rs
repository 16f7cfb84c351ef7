//! Processes: what runs on machines beside the life of a request. Registry servers and their clients, the lock store,
//! the controllers of rollouts.
//!
//! A [`Process`] sees the world through one narrow door, [`Cx`]: its clock, its disk, its timers, letters to other
//! processes, the fleet, and the callers of its node. It shares its machine's network interface, disk, clock and fate
//! with whatever else runs there, and is told by its address from those.
//!
//! To add one: a file beside these with a type that implements [`Process`] and a [`Kind`](kind::Kind) that says where
//! it runs, and its line in [`list`]. One that speaks a protocol of its own adds a line in [`wire`](crate::wire).

mod cx;
pub(crate) mod durable;
pub(crate) mod host;
pub(crate) mod kind;
pub(crate) mod kinds;
mod list;
pub(crate) mod table;
pub(crate) mod timer;

pub(crate) use cx::Cx;
use list::processes;

use crate::fleet::Notice;
use crate::outcome::Section;
use crate::sim::Sim;
use crate::wire::{Letter, ProcessId};
use base::NodeId;
use kernel::{Bounce, Crash};
use std::any::Any;
use std::fmt::Debug;

macro_rules! modules {
    ($($module:ident)*) => {
        $(pub(crate) mod $module;)*
    };
}

processes!(modules);

/// What runs on a machine beside the life of a request. None of it is hot, so it stands behind `dyn`.
pub(crate) trait Process: Any + Debug {
    /// What people call it, behind "the".
    fn name(&self) -> &'static str;

    /// A life begins: it reads its disk. Called when the run begins, when its machine comes up again, and at once for
    /// what is made during the run.
    fn boot(&mut self, _: &mut Cx<'_>) {}

    /// A letter has come for it.
    fn letter(&mut self, _: &mut Cx<'_>, from: ProcessId, letter: Letter) {
        unreachable!("{letter:?} from {from:?} to {self:?}, which hears nothing");
    }

    /// A timer of its own has fired, with the number under which it was set.
    fn wake(&mut self, _: &mut Cx<'_>, timer: u16) {
        unreachable!("timer {timer} of {self:?}, which sets none");
    }

    /// Something outside all nodes that it had planned has come, whether its machine is up or not.
    fn alarm(&mut self, _: &mut Cx<'_>, value: u32) {
        unreachable!("alarm {value} of {self:?}, which plans none");
    }

    /// What it handed itself has come.
    fn handed(&mut self, _: &mut Cx<'_>, value: u32) {
        unreachable!("{value} for {self:?}, which hands itself nothing");
    }

    /// What it appended is on disk.
    fn synced(&mut self, _: &mut Cx<'_>) {}

    /// A letter to a node came back to its machine, or a connection to that node broke.
    fn bounced(&mut self, _: &mut Cx<'_>, _to: NodeId, _why: Bounce) {}

    /// Its machine, or all processes of it, went down: its memory is gone.
    fn down(&mut self, _: &mut Cx<'_>, _: Crash) {}

    /// Something happened to the fleet.
    fn notice(&mut self, _: &mut Cx<'_>, _: Notice) {}

    /// What it adds to the outcome when the run is over; `sim` knows the name of its node.
    fn report(&self, _: &Sim) -> Option<Section> {
        None
    }

    /// Whether it holds a connection to a node over which nothing need be said for long: one that the other side's end
    /// resets.
    fn is_connected_to(&self, _: NodeId) -> bool {
        false
    }
}
