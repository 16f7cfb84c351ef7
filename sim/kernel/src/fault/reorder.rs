//! `reorder`: datagrams are held back for a span by chance, so that later ones overtake them.

use super::{Info, Inject, Path};
use crate::rule::Action;
use crate::run::{Injector, Message};
use base::{Duration, Ratio};
use std::fmt;

/// Datagrams overtake each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Reorder {
    /// Which packets.
    pub path: Path,
    /// The chance of each to be held back.
    pub share: Ratio,
    /// For how long.
    pub by: Duration,
}

impl Inject for Reorder {
    type Whom = Path;

    const INFO: Info = Info::new("reorder", "datagrams overtake each other");

    fn whom(&self) -> &Path {
        &self.path
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        into.install(&self.path, &Action::Reorder(self.share, self.by));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} by {}", self.share, self.by)
    }
}
