//! The shape of a core: a state machine that is told the time and what arrived, and answers with what it wants done.
//!
//! A core has no clock, no thread and no socket. A driver (the kernel's world, or madsim) carries messages and effects
//! between cores and wakes each of them at its [`deadline`](Core::deadline). Same inputs in the same order at the same
//! moments give the same effects in the same order.

use crate::{Instant, Outbox};

/// A state machine that waits: for messages, and for moments.
pub trait Core {
    /// What it hears.
    type Input;
    /// What it wants done.
    type Effect;

    /// The input that says only that time has passed.
    const WAKE: Self::Input;

    /// Takes one input at `now` and puts what it wants done into `out`, in the order in which it wants it done.
    ///
    /// `now` is monotonic: it drifts against other machines' clocks and never steps. A core that reads dates is given
    /// them in its input.
    fn handle(&mut self, now: Instant, input: Self::Input, out: &mut Outbox<Self::Effect>);

    /// When it next wants [`Core::WAKE`], by the clock of `now`; `None` while only an input can move it. A driver that
    /// wakes it earlier, later or more often does no harm.
    fn deadline(&self) -> Option<Instant>;
}
