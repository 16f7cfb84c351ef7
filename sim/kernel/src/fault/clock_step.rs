//! `clock-step`: the date that a clock shows jumps at one moment, as after a correction by hand. What waits goes by the
//! other clock, which never steps.

use super::{Info, Inject};
use crate::run::{Injector, Message};
use crate::select::Selector;
use base::Duration;
use std::fmt;

/// Clocks jump.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockStep {
    /// Which nodes.
    pub whom: Selector,
    /// By how many nanoseconds, forward or back.
    pub by_ns: i64,
}

impl Inject for ClockStep {
    type Whom = Selector;

    const INFO: Info =
        Info { is_momentary: true, sets_clocks: true, ..Info::new("clock-step", "clocks jump forward or back") };

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        for node in into.meet(&self.whom) {
            into.step_clock(node, self.by_ns);
        }
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.by_ns < 0 { '-' } else { '+' };
        write!(f, " {sign}{}", Duration::ns(self.by_ns.unsigned_abs()))
    }
}
