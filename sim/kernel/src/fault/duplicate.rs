//! `duplicate`: datagrams arrive twice by chance. A connection hides it from whoever reads from it.

use super::{Info, Inject, Path};
use crate::rule::Action;
use crate::run::{Injector, Message};
use base::Ratio;
use std::fmt;

/// Datagrams arrive twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// Which packets.
    pub path: Path,
    /// The chance of each.
    pub share: Ratio,
}

impl Inject for Duplicate {
    type Whom = Path;

    const INFO: Info = Info::new("duplicate", "datagrams arrive twice");

    fn whom(&self) -> &Path {
        &self.path
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        into.install(&self.path, &Action::Duplicate(self.share));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}", self.share)
    }
}
