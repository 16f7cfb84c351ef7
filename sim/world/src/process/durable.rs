//! Nothing leaves a store before what it rests on is on disk.
//!
//! Effects that follow an appended record wait for the fsync that covers it; while one fsync is under way the next
//! batch gathers (group commit). Effects that rest on nothing new leave at once, unless they would overtake others.

/// Effects waiting for a disk.
#[derive(Debug)]
pub(crate) struct Durable<E> {
    /// What the core has asked for while it handled one thing.
    wanted: Vec<E>,
    syncing: bool,
    /// Wait for the fsync under way.
    held: Vec<E>,
    /// Wait for the one after it.
    next: Vec<E>,
    next_needed: bool,
}

impl<E> Default for Durable<E> {
    fn default() -> Self {
        Durable { wanted: Vec::new(), syncing: false, held: Vec::new(), next: Vec::new(), next_needed: false }
    }
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Release<E> {
    /// Carry these out.
    pub(crate) send: Vec<E>,
    /// Start an fsync.
    pub(crate) sync: bool,
}

impl<E> Durable<E> {
    /// The core asks for an effect.
    pub(crate) fn want(&mut self, effect: E) {
        self.wanted.push(effect);
    }

    /// Drops the effects of what was handled last that must not be told.
    pub(crate) fn retain(&mut self, may_leave: impl FnMut(&E) -> bool) {
        self.wanted.retain(may_leave);
    }

    /// The core has handled one thing; `appended` says whether a record was written for the effects it asked for.
    pub(crate) fn submit(&mut self, appended: bool) -> Release<E> {
        let effects = std::mem::take(&mut self.wanted);
        match (appended, self.syncing) {
            (false, false) => Release { send: effects, sync: false },
            (true, false) => {
                self.syncing = true;
                self.held.extend(effects);
                Release { send: Vec::new(), sync: true }
            }
            (appended, true) => {
                self.next_needed |= appended;
                self.next.extend(effects);
                Release { send: Vec::new(), sync: false }
            }
        }
    }

    /// Whether what a core asks for now would have to wait.
    pub(crate) fn is_syncing(&self) -> bool {
        self.syncing
    }

    /// The fsync under way has completed.
    pub(crate) fn synced(&mut self) -> Release<E> {
        let mut send = std::mem::replace(&mut self.held, std::mem::take(&mut self.next));
        let sync = std::mem::take(&mut self.next_needed);
        self.syncing = sync;
        if !sync {
            send.append(&mut self.held);
        }
        Release { send, sync }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_nothing_overtakes_its_record() {
        let mut durable = Durable::default();
        let release = |send: &[u32], sync| Release { send: send.to_vec(), sync };
        let submit = |durable: &mut Durable<u32>, effect, appended| {
            durable.want(effect);
            durable.submit(appended)
        };
        assert_eq!(submit(&mut durable, 1, false), release(&[1], false));
        assert_eq!(submit(&mut durable, 2, true), release(&[], true));
        assert_eq!(submit(&mut durable, 3, false), release(&[], false), "behind 2");
        assert_eq!(submit(&mut durable, 4, true), release(&[], false), "the next fsync's");
        assert_eq!(durable.synced(), release(&[2], true));
        assert_eq!(submit(&mut durable, 5, false), release(&[], false));
        assert_eq!(durable.synced(), release(&[3, 4, 5], false));
        assert_eq!(submit(&mut durable, 6, false), release(&[6], false));
    }
}
