//! `crash`: nodes go down, and come up again when the fault ends, without their memory. Whether anybody is told is the
//! difference between a process that dies and a machine that does.

use super::{Info, Inject};
use crate::node::{self, Hold};
use crate::run::{Injector, Message};
use crate::select::Selector;
use std::fmt;

/// Nodes go down.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    /// Which nodes.
    pub whom: Selector,
    /// What dies with them: the process, or the whole machine.
    pub how: node::Crash,
}

impl Inject for Crash {
    type Whom = Selector;

    const INFO: Info = Info::new(
        "crash",
        "nodes go down and lose their memory; with `how = \"machine\"` nobody is told, not even by a reset",
    );

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::Down(self.how));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            node::Crash::Machine => f.write_str(" (machine)"),
            node::Crash::Process => Ok(()),
        }
    }
}
