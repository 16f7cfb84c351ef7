//! The lock store on a node with a disk. What must survive it is two numbers: the largest token and session it granted.

use super::durable::{Durable, Go};
use crate::alarm::Alarm;
use crate::wire::{self, Msg, Synced};
use crate::world::World;
use base::{Core, FencingToken, NodeId, Outbox, SessionId};
use coordination::{Config, Effect, Input, Locks};
use kernel::Transport;
use kernel::disk::Reason;

/// The lock store.
#[derive(Debug)]
pub(crate) struct LockStore {
    pub(crate) node: NodeId,
    pub(crate) core: Locks,
    durable: Durable<Effect>,
    alarm: Alarm,
    /// The numbers that are on disk, or on their way there.
    kept: (FencingToken, SessionId),
}

const MESSAGE_BYTES: u32 = 200;

impl LockStore {
    pub(crate) fn new(node: NodeId) -> Self {
        let core = Locks::new(Config::consul());
        let kept = (core.last_token(), core.last_session());
        LockStore { node, core, durable: Durable::default(), alarm: Alarm::default(), kept }
    }
}

impl World {
    pub(crate) fn locks_handle(&mut self, input: Input) {
        let Some(store) = &mut self.locks else { return };
        let now = self.kernel.local(store.node);
        let mut out = Outbox::new();
        store.core.handle(now, input, &mut out);
        let mut effects = Vec::new();
        for effect in out.drain() {
            if let Effect::Note(event) = &effect {
                let (at, node) = (self.kernel.now(), store.node);
                self.kernel.trace_mut().note(at, Some(node), "lock", || event.to_string());
            } else {
                effects.push(effect);
            }
        }
        let now_kept = (store.core.last_token(), store.core.last_session());
        let mut appended = false;
        if now_kept != store.kept {
            let bytes = [now_kept.0.0.to_le_bytes(), now_kept.1.0.to_le_bytes()].concat();
            appended = self.kernel.disk_mut(store.node).append(&bytes).is_ok();
            if appended {
                store.kept = now_kept;
            } else {
                // A grant that a restart would forget is not told: who asked hears nothing and asks again, and then the
                // disk may have room.
                effects.retain(|e| !matches!(e, Effect::Granted { .. } | Effect::SessionCreated { .. }));
            }
        }
        let go = store.durable.offer(effects, appended);
        self.locks_go(go);
    }

    pub(crate) fn locks_synced(&mut self) {
        let Some(store) = &mut self.locks else { return };
        let go = store.durable.synced();
        self.locks_go(go);
    }

    fn locks_go(&mut self, go: Go<Effect>) {
        let Some(store) = &mut self.locks else { return };
        if go.sync {
            self.kernel.sync_disk(store.node, Msg::Synced(Synced::Locks));
        }
        for effect in go.send {
            let Some(to) = effect.to() else { continue };
            let key = self.post.stamp(store.node);
            let msg = Msg::FromLocks(Box::new(effect));
            self.kernel.send(store.node, to, MESSAGE_BYTES, Transport::Exchange, key, msg);
        }
        let deadline = store.core.deadline();
        store.alarm.follow(&mut self.kernel, store.node, deadline, wire::Core::Locks);
    }

    pub(crate) fn locks_wake(&mut self) {
        if let Some(store) = &mut self.locks {
            store.alarm.fired();
        }
        self.locks_handle(Input::Wake);
    }

    /// The store came up again: without its sessions, with its numbers.
    pub(crate) fn locks_up(&mut self) {
        let Some(store) = &mut self.locks else { return };
        let life = u64::from(self.kernel.nodes().life(store.node));
        let disk = self.kernel.disk_mut(store.node);
        let damaged = disk.recover().reason != Reason::Clean;
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let last = disk.read_all().filter(|bytes| bytes.len() == 16).last();
        let kept = last.map_or((FencingToken(0), SessionId(0)), |bytes| {
            (FencingToken(number(&bytes[..8])), SessionId(number(&bytes[8..])))
        });
        // A damaged log may have lost the largest token, and a token given twice fences nobody. The upper half of a
        // token then counts restarts, so that the next one is larger than any before, whatever they were.
        let floor = if damaged { life << 32 } else { 0 };
        let kept = (FencingToken(kept.0.0.max(floor)), SessionId(kept.1.0.max(floor)));
        let node = store.node;
        let core = Locks::resume(Config::consul(), kept.0, kept.1);
        *store = LockStore { core, kept, ..LockStore::new(node) };
    }
}
