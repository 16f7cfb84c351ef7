//! `disk-slow`: an fsync takes longer, and with it everything that may be said only when it is durable.

use super::{Info, Inject};
use crate::node::Hold;
use crate::run::{Injector, Message};
use crate::select::Selector;
use std::fmt;

/// An fsync takes longer.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskSlow {
    /// Which nodes.
    pub whom: Selector,
    /// How many times longer.
    pub factor: f64,
}

impl Inject for DiskSlow {
    type Whom = Selector;

    const INFO: Info = Info::new("disk-slow", "an fsync takes `factor` times longer");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::DiskSlow(self.factor));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} times", self.factor)
    }
}
