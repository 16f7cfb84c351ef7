//! `clog`: all packets to and from nodes wait until the fault ends, and then arrive at once.

use super::{Info, Inject};
use crate::run::{Injector, Message};
use crate::select::Selector;

/// Packets to and from nodes wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Clog {
    /// Which nodes.
    pub whom: Selector,
}

impl Inject for Clog {
    type Whom = Selector;

    const INFO: Info = Info::new("clog", "packets to and from nodes wait until the fault ends");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.clog(&nodes);
    }
}
