//! `slow`: the work of instances takes longer, as on a neighbour's busy machine. Whatever waits for a clock does not.

use super::{Info, Inject};
use crate::node::Hold;
use crate::run::{Injector, Message};
use crate::select::Selector;
use std::fmt;

/// Work takes longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Slow {
    /// Which nodes.
    pub whom: Selector,
    /// How many times longer.
    pub factor: f64,
}

impl Inject for Slow {
    type Whom = Selector;

    const INFO: Info = Info::new("slow", "work takes `factor` times longer");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::Slow(self.factor));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} times", self.factor)
    }
}
