//! Where a core puts what it wants done.
//!
//! A core takes an input and a moment and answers with effects: send this, wake me then, note that. It does none of
//! them itself. The driver (the kernel's world, or madsim) takes the effects out in the order in which they were put
//! in. One outbox serves many calls, so the steady state allocates nothing.

use std::vec::Drain;

/// Effects in the order in which a core asked for them.
#[derive(Debug)]
pub struct Outbox<E> {
    effects: Vec<E>,
}

impl<E> Outbox<E> {
    /// An empty outbox.
    pub const fn new() -> Self {
        Outbox { effects: Vec::new() }
    }

    /// Asks for `effect`, after everything asked for before.
    pub fn push(&mut self, effect: E) {
        self.effects.push(effect);
    }

    /// Takes all effects out, first asked first; keeps the room they stood in.
    pub fn drain(&mut self) -> Drain<'_, E> {
        self.effects.drain(..)
    }

    /// True when nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// What is asked for at present.
    pub fn as_slice(&self) -> &[E] {
        &self.effects
    }
}

impl<E> Default for Outbox<E> {
    fn default() -> Self {
        Self::new()
    }
}
