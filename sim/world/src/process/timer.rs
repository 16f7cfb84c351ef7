//! One timer for each core: set for the core's deadline, moved when the deadline moves.

use super::Cx;
use base::Instant;
use kernel::TimerId;

/// The timer of one core, on its node's clock.
#[derive(Debug)]
pub(crate) struct CoreTimer {
    /// [`TimerId::NONE`] while none is set.
    timer: TimerId,
    at: Instant,
}

impl Default for CoreTimer {
    fn default() -> Self {
        CoreTimer { timer: TimerId::NONE, at: Instant::ZERO }
    }
}

impl CoreTimer {
    /// Makes the timer agree with what the core wants. To be called after each time the core handled something.
    pub(crate) fn follow(&mut self, cx: &mut Cx<'_>, timer: u16, deadline: Option<Instant>) {
        if self.timer != TimerId::NONE {
            if deadline == Some(self.at) {
                return;
            }
            cx.site().sim.kernel.cancel(self.timer);
            self.timer = TimerId::NONE;
        }
        // A deadline that has passed already is met by a timer at once, not by a call from here: effects of the last
        // call come before effects of the next.
        if let Some(at) = deadline {
            (self.at, self.timer) = (at, cx.set_timer(at, timer));
        }
    }

    /// The timer fired: it is set no longer.
    pub(crate) fn fired(&mut self) {
        self.timer = TimerId::NONE;
    }
}
