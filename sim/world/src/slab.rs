//! Things that come and go by the million: stored in place, named by a slot and a generation.
//!
//! A name outlives its thing: a message about a call that ended long ago finds nothing, never another call that took
//! the slot over. A name is of a kind and not of a type, so that messages can carry names without knowing what they
//! name.

use std::fmt;
use std::marker::PhantomData;

/// A name for something of the kind `K` in a [`Slab`].
pub(crate) struct Id<K> {
    slot: u32,
    generation: u32,
    of: PhantomData<fn() -> K>,
}

/// Values in slots, reused last freed first, so the steady state allocates nothing and stays in the cache.
#[derive(Debug)]
pub(crate) struct Slab<T, K> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
    of: PhantomData<fn() -> K>,
}

/// A line of its own each: neighbours would make half of them straddle two.
#[derive(Debug)]
#[repr(C, align(64))]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

/// What a value takes in a slab.
pub(crate) const fn entry_bytes<T>() -> usize {
    size_of::<Entry<T>>()
}

impl<K> Id<K> {
    /// A number that tells this name from every other of its kind in one run, as good as always.
    pub(crate) fn digest(self) -> u64 {
        u64::from(self.slot) << 32 | u64::from(self.generation)
    }

    /// The slot, for tables beside the slab.
    pub(crate) fn slot(self) -> usize {
        self.slot as usize
    }

    /// Slot and generation, for those who pack names tighter.
    pub(crate) fn parts(self) -> (u32, u32) {
        (self.slot, self.generation)
    }

    /// The name with these parts.
    pub(crate) fn from_parts(slot: u32, generation: u32) -> Self {
        Id { slot, generation, of: PhantomData }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.generation) == (other.slot, other.generation)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

impl<T, K> Default for Slab<T, K> {
    fn default() -> Self {
        Slab { entries: Vec::new(), free: Vec::new(), of: PhantomData }
    }
}

impl<T, K> Slab<T, K> {
    /// Stores a value.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Id<K> {
        if let Some(slot) = self.free.pop() {
            let entry = &mut self.entries[slot as usize];
            entry.value = Some(value);
            return Id { slot, generation: entry.generation, of: PhantomData };
        }
        let slot = self.entries.len() as u32;
        self.entries.push(Entry { generation: 0, value: Some(value) });
        Id { slot, generation: 0, of: PhantomData }
    }

    /// The value, while it is there.
    #[inline]
    pub(crate) fn get(&self, id: Id<K>) -> Option<&T> {
        let entry = self.entries.get(id.slot as usize)?;
        if entry.generation == id.generation { entry.value.as_ref() } else { None }
    }

    /// The value, while it is there.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        let entry = self.entries.get_mut(id.slot as usize)?;
        if entry.generation == id.generation { entry.value.as_mut() } else { None }
    }

    /// The value in a slot, and its name.
    #[inline]
    pub(crate) fn at_mut(&mut self, slot: u32) -> Option<(Id<K>, &mut T)> {
        let entry = self.entries.get_mut(slot as usize)?;
        let id = Id { slot, generation: entry.generation, of: PhantomData };
        Some((id, entry.value.as_mut()?))
    }

    /// Takes the value out; its name means nothing from now on.
    #[inline]
    pub(crate) fn remove(&mut self, id: Id<K>) -> Option<T> {
        self.remove_if(id, |_| true)
    }

    /// Takes the value out, if it is there and `wanted` says so.
    #[inline]
    pub(crate) fn remove_if(&mut self, id: Id<K>, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let entry = self.entries.get_mut(id.slot as usize)?;
        if entry.generation != id.generation || !entry.value.as_ref().is_some_and(wanted) {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(id.slot);
        Some(value)
    }

    /// Everything that is there, in order of slot. O(slots ever used at once).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        self.entries.iter().enumerate().filter_map(|(slot, entry)| {
            let id = Id { slot: slot as u32, generation: entry.generation, of: PhantomData };
            entry.value.as_ref().map(|value| (id, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_finds_the_next_tenant() {
        let mut slab: Slab<&str, ()> = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        assert_eq!(slab.remove(first), None, "once");
        let second = slab.insert("second");
        assert_ne!(first, second);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&"second")));
        assert_eq!(slab.iter().count(), 1);
        assert_eq!(slab.get(Id::from_parts(u32::MAX, 0)), None);
    }
}
