//! Nothing leaves a store before what it rests on is on disk.
//!
//! Effects that follow an appended record wait for the fsync that covers it; while one fsync is under way the next
//! batch gathers (group commit). Effects that rest on nothing new leave at once, unless they would overtake others.

/// Effects waiting for a disk.
#[derive(Debug)]
pub(crate) struct Durable<E> {
    syncing: bool,
    /// Wait for the fsync under way.
    held: Vec<E>,
    /// Wait for the one after it.
    next: Vec<E>,
    next_needed: bool,
}

impl<E> Default for Durable<E> {
    fn default() -> Self {
        Durable { syncing: false, held: Vec::new(), next: Vec::new(), next_needed: false }
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
    /// A core asked for effects; `appended` says whether a record was written for them.
    pub(crate) fn submit(&mut self, effects: Vec<E>, appended: bool) -> Release<E> {
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
        assert_eq!(durable.submit(vec![1], false), release(&[1], false));
        assert_eq!(durable.submit(vec![2], true), release(&[], true));
        assert_eq!(durable.submit(vec![3], false), release(&[], false), "behind 2");
        assert_eq!(durable.submit(vec![4], true), release(&[], false), "the next fsync's");
        assert_eq!(durable.synced(), release(&[2], true));
        assert_eq!(durable.submit(vec![5], false), release(&[], false));
        assert_eq!(durable.synced(), release(&[3, 4, 5], false));
        assert_eq!(durable.submit(vec![6], false), release(&[6], false));
    }
}
