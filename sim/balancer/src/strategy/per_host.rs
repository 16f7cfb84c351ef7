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
    /// Hosts that stay keep what they have, and new ones begin with what `new` gives them. O(n), which
    /// is a copy but between the first and the last change; to be called once for every update.
    pub(crate) fn refresh(&mut self, hosts: &Hosts, mut new: impl FnMut(&Host) -> T) {
        swap(&mut self.values, &mut self.before);
        self.values.clear();
        let (was, is) = hosts.between_kept();
        self.values.extend_from_slice(&self.before[..is.start]);
        let mut before = hosts.before()[was.clone()].iter().zip(&self.before[was.clone()]).peekable();
        for host in &hosts.all()[is] {
            while before.next_if(|(other, _)| other.instance < host.instance).is_some() {}
            let stayed = before.next_if(|(other, _)| other.instance == host.instance);
            self.values.push(stayed.map_or_else(|| new(host), |(_, value)| *value));
        }
        self.values.extend_from_slice(&self.before[was.end..]);
    }
}

impl<T> PerHost<T> {
    /// The memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.values[..]) + size_of_val(&self.before[..])
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
