//! A structure and who lives in it: built over hosts, changed with them where the algorithm allows it, asked.
//!
//! Most structures answer with the index of a host and are built anew when hosts change. Those that are changed in
//! place answer with places; who holds which is kept here.

use crate::Rebuilds;
use crate::hashing::{Kind, Structure};
use crate::hosts::Hosts;

#[derive(Debug)]
pub(in crate::strategy) struct HostTable {
    structure: Structure,
    /// Of a structure that is changed in place.
    places: Option<Places>,
}

/// Who holds which place.
#[derive(Debug)]
struct Places {
    /// The place of each host.
    of_hosts: Vec<u32>,
    /// The host at each place; what stands at an empty one means nothing.
    hosts: Vec<u32>,
}

impl HostTable {
    /// Builds `table` over hosts, has it follow them, or gives it up when there are none; whether it was not up to
    /// date.
    pub(in crate::strategy) fn refresh(
        table: &mut Option<HostTable>,
        rebuilds: &mut Rebuilds,
        kind: Kind,
        hosts: &Hosts,
    ) -> bool {
        if hosts.all() == hosts.before() && table.is_some() {
            return false;
        }
        if hosts.len() == 0 {
            *table = None;
            return true;
        }
        let entries = match table {
            Some(table) => table.follow(kind, hosts),
            None => {
                let (new, entries) = HostTable::build(kind, hosts);
                *table = Some(new);
                entries
            }
        };
        rebuilds.times += 1;
        rebuilds.entries += entries;
        true
    }

    /// Builds the structure over `hosts`; how many points, table entries or hosts that writes.
    pub(in crate::strategy) fn build(kind: Kind, hosts: &Hosts) -> (HostTable, u64) {
        let addresses: Vec<String> = hosts.all().iter().map(|host| host.address()).collect();
        let named: Vec<(&str, u32)> =
            addresses.iter().enumerate().map(|(i, address)| (address.as_str(), hosts.weight(i))).collect();
        let structure = Structure::build(kind, &named);
        let everybody: Vec<u32> = (0..hosts.len() as u32).collect();
        let places = Places { of_hosts: everybody.clone(), hosts: everybody };
        let places = structure.is_changed_in_place().then_some(places);
        let written = match kind {
            // It is a number, and that is all.
            Kind::Jump | Kind::Binomial => 1,
            // Of the places there is room for, those that are taken.
            Kind::Anchor { .. } | Kind::Dx { .. } | Kind::Memento => hosts.len(),
            _ => structure.entries(),
        };
        (HostTable { structure, places }, written as u64)
    }

    /// Follows the hosts: in place where the algorithm can, otherwise by building anew. The number of entries written.
    pub(in crate::strategy) fn follow(&mut self, kind: Kind, hosts: &Hosts) -> u64 {
        let structure = &mut self.structure;
        match self.places.as_mut().and_then(|places| places.follow(structure, hosts)) {
            Some(changed) => changed,
            None => {
                let (table, written) = HostTable::build(kind, hosts);
                *self = table;
                written
            }
        }
    }

    /// The memory of it, in bytes.
    pub(in crate::strategy) fn bytes(&self) -> usize {
        let places = self.places.as_ref().map_or(0, |p| size_of_val(&p.of_hosts[..]) + size_of_val(&p.hosts[..]));
        self.structure.bytes() + places
    }

    /// The host for `hash`.
    #[inline]
    pub(in crate::strategy) fn lookup(&self, hash: u64) -> usize {
        self.host(self.structure.lookup(hash))
    }

    /// For a retry; see [`Structure::lookup_retry`].
    pub(in crate::strategy) fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        self.host(self.structure.lookup_retry(hash, attempt))
    }

    /// The host for `hash` by the structure's own rule of bounded loads, if it has one.
    #[inline]
    pub(in crate::strategy) fn lookup_bounded(&self, hash: u64, factor: u32, outstanding: &[u32]) -> Option<usize> {
        let served = |place| outstanding[self.host(place)];
        self.structure.lookup_bounded(hash, factor, served).map(|place| self.host(place))
    }

    #[inline]
    fn host(&self, place: usize) -> usize {
        match &self.places {
            None => place,
            Some(places) => places.hosts[place] as usize,
        }
    }
}

impl Places {
    /// Lets hosts go and others in; the number of places or points that changed hands, or none when there is no room,
    /// or nobody stays.
    fn follow(&mut self, structure: &mut Structure, hosts: &Hosts) -> Option<u64> {
        let mut changed = 0;
        let (before, now) = (hosts.before(), hosts.all());
        let mut stayed = Vec::with_capacity(now.len());
        let mut rest = now.iter().enumerate().peekable();
        // Both lists are in the order of instances. The latest comers leave first, as jump and memento like it best.
        let mut left = Vec::new();
        for (host, &place) in before.iter().zip(&self.of_hosts) {
            while rest.next_if(|(_, other)| other.instance < host.instance).is_some() {}
            match rest.next_if(|(_, other)| other.instance == host.instance) {
                Some((index, _)) => stayed.push((index, host, place)),
                None => left.push((host, place)),
            }
        }
        if stayed.is_empty() {
            // Somebody must be there to hold a place.
            return None;
        }
        let written = |before: usize, structure: &Structure| before.abs_diff(structure.entries()).max(1);
        for (host, place) in left.into_iter().rev() {
            let entries = structure.entries();
            structure.leave(place as usize, (&host.address(), host.weight.max(1)));
            changed += written(entries, structure);
        }
        let mut places = vec![u32::MAX; now.len()];
        for (index, host, place) in stayed {
            places[index] = place;
            if host.weight.max(1) != hosts.weight(index) {
                let known = (host.address(), host.weight.max(1));
                changed += structure.weigh(place as usize, (&known.0, known.1), hosts.weight(index));
            }
        }
        for (index, place) in places.iter_mut().enumerate().filter(|(_, place)| **place == u32::MAX) {
            let entries = structure.entries();
            *place = structure.come((&now[index].address(), hosts.weight(index)))? as u32;
            changed += written(entries, structure);
        }
        let last = places.iter().max().map_or(0, |&place| place as usize);
        self.hosts.resize(self.hosts.len().max(last + 1), 0);
        for (index, &place) in places.iter().enumerate() {
            self.hosts[place as usize] = index as u32;
        }
        self.of_hosts = places;
        Some(changed as u64)
    }
}
