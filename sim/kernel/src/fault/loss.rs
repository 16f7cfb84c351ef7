//! `loss`: packets are lost by chance. A datagram is gone for good; a connection sends again, and takes longer.

use super::{Info, Inject, Path};
use crate::rule::Action;
use crate::run::{Injector, Message};
use base::Ratio;
use std::fmt;

/// Packets are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Which packets.
    pub path: Path,
    /// The chance of each.
    pub share: Ratio,
}

impl Inject for Loss {
    type Whom = Path;

    const INFO: Info = Info::new("loss", "packets are lost; connections send them again");

    fn whom(&self) -> &Path {
        &self.path
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        into.install(&self.path, &Action::Lose(self.share));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}", self.share)
    }
}
