//! One service in a server's memory: its endpoints, the view made of them, and who watches.
//!
//! A view is built when somebody first needs it after a change, so a thousand registrations that nobody saw cost one
//! list and not a thousand. The digest of a view is kept up to date by difference.

use crate::view::{Endpoint, View};
use base::{Duration, InstanceId, Instant, NodeId, Revision, ServiceId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One service.
#[derive(Debug)]
pub(crate) struct Service {
    id: ServiceId,
    revision: Revision,
    endpoints: BTreeMap<InstanceId, Endpoint>,
    /// The sum of the endpoints' digests.
    digest: u64,
    /// How many views were made.
    built: u64,
    view: Option<Arc<View>>,
    /// The view as it was when the period of this number began, if it changed within it.
    snapshot: Option<(u64, Arc<View>)>,
    watchers: BTreeMap<NodeId, Watcher>,
    /// When watchers hear of changes that they have not been told of.
    pub(crate) push_at: Option<Instant>,
}

#[derive(Debug)]
struct Watcher {
    /// What it was told or said it holds.
    told: Revision,
    /// When it last asked.
    asked: Instant,
}

impl Service {
    pub(crate) fn new(id: ServiceId, revision: Revision) -> Self {
        Service {
            id,
            revision,
            endpoints: BTreeMap::new(),
            digest: 0,
            built: 0,
            view: None,
            snapshot: None,
            watchers: BTreeMap::new(),
            push_at: None,
        }
    }

    pub(crate) fn get(&self, instance: InstanceId) -> Option<&Endpoint> {
        self.endpoints.get(&instance)
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn views_built(&self) -> u64 {
        self.built
    }

    pub(crate) fn watcher_count(&self) -> usize {
        self.watchers.len()
    }

    /// Lists `endpoint`, or with `None` unlists `instance`, as of `revision`.
    pub(crate) fn change(&mut self, instance: InstanceId, endpoint: Option<Endpoint>, revision: Revision) {
        debug_assert!(revision > self.revision, "{revision} after {}", self.revision);
        self.view = None;
        self.revision = revision;
        let before = match endpoint {
            Some(endpoint) => {
                self.digest = self.digest.wrapping_add(endpoint.digest());
                self.endpoints.insert(instance, endpoint)
            }
            None => self.endpoints.remove(&instance),
        };
        self.digest = self.digest.wrapping_sub(before.map_or(0, |before| before.digest()));
    }

    /// Lists what a log remembers, before anybody has asked for a view.
    pub(crate) fn restore(&mut self, endpoint: Endpoint) {
        debug_assert!(self.view.is_none(), "a restart comes before all views");
        self.digest = self.digest.wrapping_add(endpoint.digest());
        let before = self.endpoints.insert(endpoint.instance, endpoint);
        debug_assert!(before.is_none(), "a log lists {} once", endpoint.instance);
    }

    /// Keeps the present view for fetches of this `period`, before its first change in it.
    pub(crate) fn freeze(&mut self, period: u64) {
        if self.snapshot.as_ref().is_none_or(|&(frozen, _)| frozen != period) {
            self.snapshot = Some((period, self.view()));
        }
    }

    /// The view as it was when `period` began.
    pub(crate) fn frozen_view(&mut self, period: u64) -> Arc<View> {
        match &self.snapshot {
            Some((frozen, view)) if *frozen == period => Arc::clone(view),
            _ => self.view(),
        }
    }

    /// The present view; O(n) once after each change.
    pub(crate) fn view(&mut self) -> Arc<View> {
        let view = self.view.get_or_insert_with(|| {
            self.built += 1;
            let endpoints = self.endpoints.values().copied().collect();
            Arc::new(View::of_sorted(self.id, self.revision, endpoints, self.digest))
        });
        Arc::clone(view)
    }

    /// Lets `watcher` wait for changes after `told`.
    pub(crate) fn watch(&mut self, watcher: NodeId, told: Revision, now: Instant) {
        self.watchers.insert(watcher, Watcher { told, asked: now });
    }

    pub(crate) fn unwatch(&mut self, watcher: NodeId) {
        self.watchers.remove(&watcher);
    }

    /// Those who have not been told of the present revision, in order of node; from now on they have. Forgets who has
    /// not asked again for `ttl`.
    pub(crate) fn tell(&mut self, now: Instant, ttl: Duration, mut each: impl FnMut(NodeId, Arc<View>)) {
        if self.watchers.is_empty() {
            return;
        }
        let view = self.view();
        self.watchers.retain(|&node, watcher| {
            if now.saturating_since(watcher.asked) > ttl {
                return false;
            }
            if watcher.told != view.revision {
                watcher.told = view.revision;
                each(node, Arc::clone(&view));
            }
            true
        });
    }
}
