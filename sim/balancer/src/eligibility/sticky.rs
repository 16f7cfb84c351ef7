//! Sticky sessions: a session stays with the instance that served it first, for as long as that may be picked.
//!
//! As a cookie does in Envoy's stateful session filter (`source/extensions/http/stateful_session/cookie`, not in its
//! strict mode): a request that names an instance goes there if the instance is healthy or degraded, past priorities,
//! localities and the strategy; otherwise it is balanced like any other, and the session moves to where it went.
//!
//! The session is the hash by which a request is routed, and its client remembers it: one entry a session, for the life
//! of the client. Clients do not share what they remember.

use base::InstanceId;
use std::collections::BTreeMap;

/// Where each session is. A lookup is O(log sessions).
#[derive(Debug, Default)]
pub struct Sessions {
    at: BTreeMap<u64, InstanceId>,
}

impl Sessions {
    /// The instance that serves `session`, when it has been anywhere.
    pub fn get(&self, session: u64) -> Option<InstanceId> {
        self.at.get(&session).copied()
    }

    /// From now on `session` is at `instance`.
    pub fn put(&mut self, session: u64, instance: InstanceId) {
        self.at.insert(session, instance);
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }
}
