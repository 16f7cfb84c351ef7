//! One timer per core: set for the core's deadline, moved when the deadline moves.

use crate::wire::{Core, Msg};
use base::{Instant, NodeId};
use kernel::{Kernel, TimerId};

/// The timer of one core, on its node's clock.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    set: Option<(Instant, TimerId)>,
}

impl Alarm {
    /// Makes the timer agree with what the core wants. Call after each time the core handled something.
    pub(crate) fn follow(&mut self, kernel: &mut Kernel<Msg>, node: NodeId, deadline: Option<Instant>, core: Core) {
        match (self.set, deadline) {
            (Some((at, _)), Some(wanted)) if at == wanted => return,
            (Some((_, timer)), _) => kernel.cancel(timer),
            (None, _) => {}
        }
        // A deadline that has passed already is met by a timer at once, not by a call from here: effects of the last
        // call come before effects of the next.
        self.set = deadline.map(|at| (at, kernel.timer_at(node, at, Msg::Wake(core))));
    }

    /// The timer fired: it is set no longer.
    pub(crate) fn fired(&mut self) {
        self.set = None;
    }
}
