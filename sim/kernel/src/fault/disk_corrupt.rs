//! `disk-corrupt`: one bit of each disk's durable log flips at one moment. Nobody notices before it is read again,
//! which is when the node comes up the next time.

use super::{Info, Inject};
use crate::run::{Injector, Message};
use crate::select::Selector;

/// A bit of each durable log flips.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskCorrupt {
    /// Which nodes.
    pub whom: Selector,
}

impl Inject for DiskCorrupt {
    type Whom = Selector;

    const INFO: Info =
        Info { is_momentary: true, ..Info::new("disk-corrupt", "a bit flips in what a disk had stored durably") };

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        for node in into.meet(&self.whom) {
            into.corrupt_disk(node);
        }
    }
}
