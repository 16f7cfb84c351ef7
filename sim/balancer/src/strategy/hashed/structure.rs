//! The structures behind one face: built over hosts, changed with them where the algorithm allows it, asked.

use crate::hashing::{
    Anchor, Dx, HashFunction, Jump, Ketama, Maglev, Memento, Modulo, MultiProbe, Nginx, Rendezvous, Ring,
};
use crate::hosts::Hosts;
use base::Key;

/// Which structure, and its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Modulo,
    Ring { least: u64, most: u64, function: HashFunction },
    Ketama,
    Nginx,
    Maglev { size: u32 },
    Jump,
    Rendezvous,
    MultiProbe { probes: u32 },
    Anchor { capacity: u32 },
    Dx { capacity: u32 },
    Memento,
}

#[derive(Debug)]
pub(super) enum Structure {
    Modulo(Modulo),
    Ring(Ring),
    Ketama(Ketama),
    Nginx(Nginx),
    Maglev(Maglev),
    Jump(Jump),
    Rendezvous(Rendezvous),
    MultiProbe(MultiProbe),
    Anchor(Held<Anchor>),
    Dx(Held<Dx>),
    Memento(Held<Memento>),
}

/// A structure of places that hosts hold, and who holds which.
#[derive(Debug)]
pub(super) struct Held<T> {
    structure: T,
    /// The place of each host.
    places: Vec<u32>,
    /// The host at each place; what stands at an empty one means nothing.
    hosts: Vec<u32>,
}

/// What [`Held`] asks of a structure.
pub(super) trait Places {
    fn find(&self, hash: u64) -> usize;
    fn leave(&mut self, place: usize);
    /// None when every place is taken.
    fn come(&mut self) -> Option<usize>;
}

impl Places for Anchor {
    fn find(&self, hash: u64) -> usize {
        self.lookup(hash)
    }
    fn leave(&mut self, place: usize) {
        self.remove(place);
    }
    fn come(&mut self) -> Option<usize> {
        self.add()
    }
}

impl Places for Dx {
    fn find(&self, hash: u64) -> usize {
        self.lookup(hash)
    }
    fn leave(&mut self, place: usize) {
        self.remove(place);
    }
    fn come(&mut self) -> Option<usize> {
        self.add()
    }
}

impl Places for Memento {
    fn find(&self, hash: u64) -> usize {
        self.lookup(hash)
    }
    fn leave(&mut self, place: usize) {
        self.remove(place);
    }
    fn come(&mut self) -> Option<usize> {
        Some(self.add())
    }
}

impl<T: Places> Held<T> {
    fn new(structure: T, hosts: usize) -> Self {
        Held { structure, places: (0..hosts as u32).collect(), hosts: (0..hosts as u32).collect() }
    }

    #[inline]
    fn lookup(&self, hash: u64) -> usize {
        self.hosts[self.structure.find(hash)] as usize
    }

    /// Lets hosts go and others in; the number of places that changed hands, or none when there is no room, or nobody
    /// stays.
    fn follow(&mut self, hosts: &Hosts) -> Option<u64> {
        let mut changed = 0;
        let (before, now) = (hosts.before(), hosts.all());
        let mut stayed = Vec::with_capacity(now.len());
        let mut rest = now.iter().enumerate().peekable();
        // Both lists are in the order of instances. The latest comers leave first, as jump and memento like it best.
        let mut left = Vec::new();
        for (host, &place) in before.iter().zip(&self.places) {
            while rest.next_if(|(_, other)| other.instance < host.instance).is_some() {}
            match rest.next_if(|(_, other)| other.instance == host.instance) {
                Some((index, _)) => stayed.push((index, place)),
                None => left.push(place),
            }
        }
        if stayed.is_empty() {
            // Somebody must be there to hold the house.
            return None;
        }
        for place in left.into_iter().rev() {
            self.structure.leave(place as usize);
            changed += 1;
        }
        let mut places = vec![u32::MAX; now.len()];
        stayed.into_iter().for_each(|(index, place)| places[index] = place);
        for place in places.iter_mut().filter(|place| **place == u32::MAX) {
            *place = self.structure.come()? as u32;
            changed += 1;
        }
        let last = places.iter().max().map_or(0, |&place| place as usize);
        self.hosts.resize(self.hosts.len().max(last + 1), 0);
        for (index, &place) in places.iter().enumerate() {
            self.hosts[place as usize] = index as u32;
        }
        self.places = places;
        Some(changed)
    }
}

impl Structure {
    pub(super) fn build(kind: Kind, hosts: &Hosts) -> Structure {
        let addresses: Vec<String> = hosts.all().iter().map(|host| host.address()).collect();
        let named: Vec<(&str, u32)> =
            addresses.iter().enumerate().map(|(i, address)| (address.as_str(), hosts.weight(i))).collect();
        let n = named.len();
        // Twice the hosts there are, where nothing is said; and never less than there must be.
        let room = |capacity: u32| match capacity {
            0 => (2 * n as u32).max(16),
            given if (given as usize) < n => 2 * n as u32,
            given => given,
        };
        match kind {
            Kind::Modulo => Structure::Modulo(Modulo::new(&named)),
            Kind::Ring { least, most, function } => Structure::Ring(Ring::envoy(&named, least..=most, function)),
            Kind::Ketama => Structure::Ketama(Ketama::new(&named)),
            Kind::Nginx => Structure::Nginx(Nginx::new(&named)),
            Kind::Maglev { size } => Structure::Maglev(Maglev::new(&named, size)),
            Kind::Jump => Structure::Jump(Jump::new(&named)),
            Kind::Rendezvous => Structure::Rendezvous(Rendezvous::new(&named)),
            Kind::MultiProbe { probes } => Structure::MultiProbe(MultiProbe::new(&named, probes)),
            Kind::Anchor { capacity } => Structure::Anchor(Held::new(Anchor::new(&named, room(capacity)), n)),
            Kind::Dx { capacity } => Structure::Dx(Held::new(Dx::new(&named, room(capacity)), n)),
            Kind::Memento => Structure::Memento(Held::new(Memento::new(&named), n)),
        }
    }

    /// Follows the hosts: in place where the algorithm can, otherwise by building anew. The number of entries written.
    pub(super) fn follow(&mut self, kind: Kind, hosts: &Hosts) -> u64 {
        let changed = match self {
            Structure::Anchor(held) => held.follow(hosts),
            Structure::Dx(held) => held.follow(hosts),
            Structure::Memento(held) => held.follow(hosts),
            _ => None,
        };
        changed.unwrap_or_else(|| {
            *self = Structure::build(kind, hosts);
            self.entries(hosts)
        })
    }

    /// How many points, table entries or hosts are written to build it over these hosts.
    pub(super) fn entries(&self, hosts: &Hosts) -> u64 {
        let entries = match self {
            Structure::Ring(s) => s.entries(),
            Structure::Ketama(s) => s.entries(),
            Structure::Nginx(s) => s.entries(),
            Structure::Maglev(s) => s.table().len(),
            // It is a number, and that is all.
            Structure::Jump(_) => 1,
            Structure::Modulo(_)
            | Structure::Rendezvous(_)
            | Structure::MultiProbe(_)
            | Structure::Anchor(_)
            | Structure::Dx(_)
            | Structure::Memento(_) => hosts.len(),
        };
        entries as u64
    }

    #[inline]
    pub(super) fn lookup(&self, hash: u64) -> usize {
        match self {
            Structure::Modulo(s) => s.lookup(hash),
            Structure::Ring(s) => s.lookup(hash),
            Structure::Ketama(s) => s.lookup(hash),
            Structure::Nginx(s) => s.lookup(hash),
            Structure::Maglev(s) => s.lookup(hash),
            Structure::Jump(s) => s.lookup(hash),
            Structure::Rendezvous(s) => s.lookup(hash),
            Structure::MultiProbe(s) => s.lookup(hash),
            Structure::Anchor(held) => held.lookup(hash),
            Structure::Dx(held) => held.lookup(hash),
            Structure::Memento(held) => held.lookup(hash),
        }
    }

    /// For a retry: the next point or entry where there is one, otherwise the host of another key drawn from this one.
    pub(super) fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        match self {
            Structure::Ring(s) => s.lookup_attempt(hash, attempt),
            Structure::Nginx(s) => s.lookup_attempt(hash, attempt),
            Structure::Maglev(s) => s.lookup_attempt(hash, attempt),
            _ => self.lookup(Key(hash).derive(attempt.into()).0),
        }
    }
}
