//! `delay`: packets take longer by a draw of their own, so that datagrams may overtake each other; connections keep
//! their order.

use super::{Info, Inject, Path};
use crate::rule::Action;
use crate::run::{Injector, Message};
use base::Dist;
use std::fmt;

/// Packets take longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    /// Which packets.
    pub path: Path,
    /// By how much.
    pub by: Dist,
}

impl Inject for Delay {
    type Whom = Path;

    const INFO: Info = Info::new("delay", "packets take longer");

    fn whom(&self) -> &Path {
        &self.path
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        into.install(&self.path, &Action::Delay(self.by.clone()));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " by {} on average", self.by.mean())
    }
}
