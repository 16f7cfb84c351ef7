//! What a strategy remembers of each host, kept in step with the hosts.

use crate::hosts::{Host, Hosts};
use std::mem::swap;
use std::ops::{Deref, DerefMut};

/// One `T` a host, in the order of hosts.
#[derive(Debug)]
pub(crate) struct PerHost<T> {
    values: Vec<T>,
    /// What they were before the latest update; kept for the room it has.
    before: Vec<T>,
}

impl<T> Default for PerHost<T> {
    fn default() -> Self {
        PerHost { values: Vec::new(), before: Vec::new() }
    }
}

impl<T: Copy> PerHost<T> {
    /// Hosts that stay keep what they have, and new ones begin with what `new` gives them. O(n); to be called once for
    /// every update.
    pub(crate) fn refresh(&mut self, hosts: &Hosts, mut new: impl FnMut(&Host) -> T) {
        swap(&mut self.values, &mut self.before);
        self.values.clear();
        let mut before = hosts.before().iter().zip(&self.before).peekable();
        for host in hosts.all() {
            while before.next_if(|(other, _)| other.instance < host.instance).is_some() {}
            let stayed = before.next_if(|(other, _)| other.instance == host.instance);
            self.values.push(stayed.map_or_else(|| new(host), |(_, value)| *value));
        }
    }
}

impl<T> Deref for PerHost<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for PerHost<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}
