//! What has been sent and has not come to an end: for whoever must tell, when a run is over, what is still on its way
//! from what is gone for good.

use super::{Entry, Envelope, Kernel, Message};

impl<M: Message> Kernel<M> {
    /// Every message that is still on its way in some form: travelling, waiting to be sent again, held for a paused
    /// node or behind a stalled stream, or coming back undelivered. Timers are not messages. In no particular order;
    /// O(n) in what is pending.
    pub fn messages(&self) -> impl Iterator<Item = &M> {
        let queued = self.queue.iter().filter_map(carried);
        let held = self.waiting.values().flatten().filter_map(carried);
        let stalled = self.stalled.values().flat_map(|stalled| &stalled.behind).map(|again| &again.envelope.msg);
        queued.chain(held).chain(stalled)
    }
}

fn carried<M>(entry: &Entry<M>) -> Option<&M> {
    match entry {
        Entry::Message(Envelope { msg, .. }) => Some(msg),
        Entry::Retransmit(again) => Some(&again.envelope.msg),
        Entry::Bounce(bounced) => Some(&bounced.0.msg),
        _ => None,
    }
}
