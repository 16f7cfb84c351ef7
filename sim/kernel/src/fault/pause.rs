//! `pause`: nodes freeze and go on where they stopped, with everything that reached them meanwhile before them.

use super::{Info, Inject};
use crate::node::Hold;
use crate::run::{Injector, Message};
use crate::select::Selector;

/// Nodes freeze.
#[derive(Clone, Debug, PartialEq)]
pub struct Pause {
    /// Which nodes.
    pub whom: Selector,
}

impl Inject for Pause {
    type Whom = Selector;

    const INFO: Info =
        Info::new("pause", "nodes freeze, as in a long garbage collection, and go on where they stopped");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::Pause);
    }
}
