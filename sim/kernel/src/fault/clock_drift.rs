//! `clock-drift`: clocks run fast or slow, and with them everything on the node that waits: heartbeats, timeouts,
//! leases.

use super::{Info, Inject};
use crate::node::Hold;
use crate::run::{Injector, Message};
use crate::select::Selector;
use std::fmt;

/// Clocks run fast or slow.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockDrift {
    /// Which nodes.
    pub whom: Selector,
    /// By how many nanoseconds per second, forward or back.
    pub ppb: i32,
}

impl Inject for ClockDrift {
    type Whom = Selector;

    const INFO: Info = Info::new("clock-drift", "clocks run fast or slow");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::Drift(self.ppb));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} ppm", f64::from(self.ppb) / 1000.0)
    }
}
