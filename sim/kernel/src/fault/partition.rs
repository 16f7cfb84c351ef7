//! `partition`: packets between two sets of nodes are dropped, in both directions or in one. Nobody is told: a
//! connection across it waits and sends again.

use super::{Info, Inject, Path};
use crate::rule::Action;
use crate::run::{Injector, Message};

/// Packets are dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// Which packets.
    pub path: Path,
}

impl Inject for Partition {
    type Whom = Path;

    const INFO: Info = Info::new("partition", "packets between two sets of nodes are dropped, both ways or one way");

    fn whom(&self) -> &Path {
        &self.path
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        into.install(&self.path, &Action::Drop);
    }
}
