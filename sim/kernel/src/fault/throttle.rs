//! `throttle`: packets share a line of a given bandwidth, and wait for each other in front of it. What waits when the
//! fault ends leaves at the link's own rate.

use super::{Info, Inject, Path};
use crate::rule::{self, Action};
use crate::run::{Injector, Message};
use std::fmt;

/// Packets share a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    /// Which packets.
    pub path: Path,
    /// What the line carries, in bits per second; at least one.
    pub bits_per_second: u64,
}

impl Inject for Throttle {
    type Whom = Path;

    const INFO: Info = Info::new("throttle", "packets share a line of a given bandwidth");

    fn whom(&self) -> &Path {
        &self.path
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let line = rule::Throttle::new(self.bits_per_second, into.ends_at());
        into.install(&self.path, &Action::Throttle(line));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " to {} bit/s", self.bits_per_second)
    }
}
