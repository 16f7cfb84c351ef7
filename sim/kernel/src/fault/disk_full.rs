//! `disk-full`: disks refuse to store more. What they had stored stays and can be read.

use super::{Info, Inject};
use crate::node::Hold;
use crate::run::{Injector, Message};
use crate::select::Selector;

/// Disks refuse to store more.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskFull {
    /// Which nodes.
    pub whom: Selector,
}

impl Inject for DiskFull {
    type Whom = Selector;

    const INFO: Info = Info::new("disk-full", "disks refuse to store more");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::DiskFull);
    }
}
