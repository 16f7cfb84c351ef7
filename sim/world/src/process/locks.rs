//! The lock store on a node with a disk. What must survive it is two numbers: the largest token and session it granted.

use super::durable::{Durable, Release};
use super::host::{Carrier, Host};
use super::kind::{Kind, Placing};
use super::{Cx, Process};
use crate::role::{Naming, Role};
use crate::wire::{Letter, ProcessId};
use base::{FencingToken, SessionId};
use coordination::{Config, Effect, Input, Locks};
use kernel::disk::Reason;
use kernel::{Crash, Transport};
use std::collections::BTreeMap;

/// The store, on a node of its own.
pub(crate) static ROLE: Role = Role {
    tag: "coordination",
    sentence: "the store of sessions and locks, by which one controller at a time rolls out a service",
    nodes: "1, called coordination; none without a [[rollout]]",
    comes_with: "[[rollout]]",
    naming: Naming::Alone,
    first_zone: 0,
    count: |spec| u32::from(!spec.rollouts.is_empty()),
};

pub(crate) static KIND: Kind = Kind { role: Some(&ROLE), place, ..Kind::NOWHERE };

fn place(placing: &mut Placing<'_>) {
    for _ in 0..(ROLE.count)(&placing.spec()) {
        placing.on_own_node(&ROLE, |_| vec![Box::new(LockStore::new())]);
    }
}

/// The lock store.
#[derive(Debug)]
pub(crate) struct LockStore {
    host: Option<Host<Locks>>,
    durable: Durable<(ProcessId, Effect)>,
    /// The numbers that are on disk, or on their way there.
    kept: (FencingToken, SessionId),
    /// Who said what is being handled.
    asker: ProcessId,
    /// Whose each session is.
    owners: BTreeMap<SessionId, ProcessId>,
}

const MESSAGE_BYTES: u32 = 200;

impl LockStore {
    fn new() -> Self {
        LockStore {
            host: None,
            durable: Durable::default(),
            kept: (FencingToken(0), SessionId(0)),
            asker: ProcessId::NOBODY,
            owners: BTreeMap::new(),
        }
    }

    fn release(&mut self, cx: &mut Cx<'_>, release: Release<(ProcessId, Effect)>) {
        if release.sync {
            cx.sync();
        }
        for (process, effect) in release.send {
            let Some(to) = effect.to() else { continue };
            cx.send((to, process), MESSAGE_BYTES, Transport::Exchange, Letter::LocksAnswer(effect));
        }
    }

    /// Whom an answer is for: whoever opened the session, or asks now.
    fn owner(&mut self, effect: &Effect) -> ProcessId {
        match effect {
            Effect::SessionCreated { session, .. } => {
                self.owners.insert(*session, self.asker);
                self.asker
            }
            Effect::Granted { session, .. } => self.owners.get(session).copied().unwrap_or(self.asker),
            _ => self.asker,
        }
    }
}

impl Process for LockStore {
    fn name(&self) -> &'static str {
        "lock store"
    }

    /// It comes up without its sessions, with its numbers.
    fn boot(&mut self, cx: &mut Cx<'_>) {
        self.asker = cx.me();
        let life = u64::from(cx.life());
        if life > 0 {
            let disk = cx.disk();
            let damaged = disk.recover().reason != Reason::Clean;
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            let last = disk.read_all().filter(|bytes| bytes.len() == 16).last();
            let kept = last.map_or((0, 0), |bytes| (number(&bytes[..8]), number(&bytes[8..])));
            // A damaged log may have lost the largest token, and a token given twice fences nobody. The upper half of a
            // token then counts restarts, so that the next one is larger than any before, whatever they were.
            let floor = if damaged { life << 32 } else { 0 };
            self.kept = (FencingToken(kept.0.max(floor)), SessionId(kept.1.max(floor)));
        }
        self.host = Some(Host::new(Locks::resume(Config::consul(), self.kept.0, self.kept.1)));
    }

    fn letter(&mut self, cx: &mut Cx<'_>, from: ProcessId, letter: Letter) {
        if let Letter::Locks(input) = letter {
            self.asker = from;
            self.handle(cx, input);
        }
    }

    fn wake(&mut self, cx: &mut Cx<'_>, _: u16) {
        self.woken(cx);
    }

    fn synced(&mut self, cx: &mut Cx<'_>) {
        let release = self.durable.synced();
        self.release(cx, release);
        self.follow(cx);
    }

    fn down(&mut self, _: &mut Cx<'_>, _: Crash) {
        *self = LockStore::new();
    }
}

impl Carrier<Locks> for LockStore {
    fn host(&mut self) -> Option<&mut Host<Locks>> {
        self.host.as_mut()
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Option<Input> {
        if let Effect::Note(event) = effect {
            if let coordination::Event::SessionEnded { session, .. } = event {
                self.owners.remove(&session);
            }
            cx.note("lock", || event.to_string());
        } else {
            let owner = self.owner(&effect);
            self.durable.want((owner, effect));
        }
        None
    }

    fn carried_out(&mut self, cx: &mut Cx<'_>) {
        let Some(host) = &self.host else { return };
        let now_kept = (host.core.last_token(), host.core.last_session());
        let mut appended = false;
        if now_kept != self.kept {
            let bytes = [now_kept.0.0.to_le_bytes(), now_kept.1.0.to_le_bytes()].concat();
            appended = cx.disk().append(&bytes).is_ok();
            if appended {
                self.kept = now_kept;
            } else {
                // A grant that a restart would forget is not told: who asked hears nothing and asks again, and then the
                // disk may have room.
                self.durable.retain(|(_, e)| !matches!(e, Effect::Granted { .. } | Effect::SessionCreated { .. }));
            }
        }
        let release = self.durable.submit(appended);
        self.release(cx, release);
    }
}
