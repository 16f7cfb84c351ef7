//! Every structure behind one face: named with its parameters, built over hosts, asked, changed, shown.
//!
//! Strategies in a run, `windtunnel route` and studies of hashing all go through here, so that what is shown is what
//! runs.

use super::{
    Anchor, Binomial, DubboConsistentHash, Dx, Haproxy, HaproxyMap, HashFunction, Jump, Ketama, Maglev, Memento,
    Modulo, MultiProbe, Nginx, NginxHash, NginxIpHash, Rendezvous, Ring,
};
use base::Key;

/// Which structure, and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Modulo`].
    Modulo,
    /// [`NginxHash`].
    NginxHash,
    /// [`NginxIpHash`].
    NginxIpHash,
    /// [`HaproxyMap`].
    HaproxyMap,
    /// [`Ring::envoy`].
    Ring {
        /// The least number of points.
        least: u64,
        /// The greatest.
        most: u64,
        /// What hashes them.
        function: HashFunction,
    },
    /// [`Ring::fixed`].
    Karger {
        /// Points for each unit of weight.
        points: u32,
        /// What hashes them.
        function: HashFunction,
    },
    /// [`Ketama`].
    Ketama,
    /// [`Nginx`].
    Nginx,
    /// [`Haproxy`].
    Haproxy,
    /// [`DubboConsistentHash`].
    Dubbo {
        /// Points a host.
        replicas: u32,
    },
    /// [`Maglev`].
    Maglev {
        /// Entries of the table, a prime.
        size: u32,
    },
    /// [`Jump`].
    Jump,
    /// [`Binomial`].
    Binomial,
    /// [`Rendezvous`].
    Rendezvous,
    /// [`MultiProbe`].
    MultiProbe {
        /// Probes for a key.
        probes: u32,
        /// What hashes hosts, and the second hash of a key.
        function: HashFunction,
    },
    /// [`Anchor`].
    Anchor {
        /// Places; twice the hosts, at least 16, when zero or fewer than the hosts.
        capacity: u32,
    },
    /// [`Dx`].
    Dx {
        /// Places; as for [`Kind::Anchor`].
        capacity: u32,
    },
    /// [`Memento`].
    Memento,
}

/// What can be seen of a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dump {
    /// The host of each entry.
    Table(Vec<usize>),
    /// The points in ascending order: hash and host.
    Ring(Vec<(u64, usize)>),
}

/// A structure built over hosts.
///
/// ```
/// use balancer::hashing::{Kind, Structure};
///
/// let hosts = [("10.0.0.1:80", 1), ("10.0.0.2:80", 3)];
/// let ring = Structure::build(Kind::Ketama, &hosts);
/// let hash = Kind::Ketama.key_function().hash(b"user-42");
/// assert!(ring.lookup(hash) < 2);
/// ```
#[derive(Clone, Debug)]
pub struct Structure {
    inner: Inner,
    /// Of one whose hosts others number: the numbers given back, and the next that was never given out.
    free: Vec<u32>,
    next: u32,
}

#[derive(Clone, Debug)]
enum Inner {
    Modulo(Modulo),
    NginxHash(NginxHash),
    NginxIpHash(NginxIpHash),
    HaproxyMap(HaproxyMap),
    Ring(Ring),
    Ketama(Ketama),
    Nginx(Nginx),
    Haproxy(Haproxy),
    Dubbo(DubboConsistentHash),
    Maglev(Maglev),
    Jump(Jump),
    Binomial(Binomial),
    Rendezvous(Rendezvous),
    MultiProbe(MultiProbe),
    Anchor(Anchor),
    Dx(Dx),
    Memento(Memento),
}

/// The same expression for whichever structure it is.
macro_rules! each {
    ($inner:expr, $s:ident => $body:expr) => {
        match $inner {
            Inner::Modulo($s) => $body,
            Inner::NginxHash($s) => $body,
            Inner::NginxIpHash($s) => $body,
            Inner::HaproxyMap($s) => $body,
            Inner::Ring($s) => $body,
            Inner::Ketama($s) => $body,
            Inner::Nginx($s) => $body,
            Inner::Haproxy($s) => $body,
            Inner::Dubbo($s) => $body,
            Inner::Maglev($s) => $body,
            Inner::Jump($s) => $body,
            Inner::Binomial($s) => $body,
            Inner::Rendezvous($s) => $body,
            Inner::MultiProbe($s) => $body,
            Inner::Anchor($s) => $body,
            Inner::Dx($s) => $body,
            Inner::Memento($s) => $body,
        }
    };
}

impl Kind {
    /// The function that hashes keys for it, unless somebody wants another.
    pub fn key_function(self) -> HashFunction {
        match self {
            Kind::Ring { function, .. } | Kind::Karger { function, .. } | Kind::MultiProbe { function, .. } => function,
            Kind::Ketama | Kind::Dubbo { .. } => HashFunction::Md5,
            Kind::Nginx | Kind::NginxHash => HashFunction::Crc32,
            Kind::NginxIpHash => HashFunction::Ipv4,
            Kind::Haproxy => HashFunction::SdbmAvalanche,
            Kind::HaproxyMap => HashFunction::Sdbm,
            _ => HashFunction::Xxh64,
        }
    }

    /// How many of the lower bits of a hash it goes by; what is above them must be zero or means nothing.
    pub fn bits(self) -> u32 {
        match self {
            Kind::Ketama
            | Kind::Dubbo { .. }
            | Kind::Nginx
            | Kind::NginxHash
            | Kind::NginxIpHash
            | Kind::Haproxy
            | Kind::HaproxyMap => 32,
            // All points are below 2³², and whatever is above them goes to the first.
            Kind::Ring { function, .. } | Kind::Karger { function, .. } if !function.is_wide() => 32,
            _ => 64,
        }
    }
}

/// Places of a structure with a capacity over `n` hosts: twice the hosts, where nothing is said; and never less than
/// there must be.
pub(super) fn room(capacity: u32, n: u32) -> u32 {
    if capacity < n { (2 * n).max(16) } else { capacity }
}

impl Structure {
    /// Builds it over `hosts`, each a name and a weight; see [the module](super) for what it costs. Panics when there
    /// is no host, and when a weight is zero.
    pub fn build(kind: Kind, hosts: &[(&str, u32)]) -> Structure {
        let n = hosts.len() as u32;
        let room = |capacity: u32| room(capacity, n);
        let inner = match kind {
            Kind::Modulo => Inner::Modulo(Modulo::new(hosts)),
            Kind::NginxHash => Inner::NginxHash(NginxHash::new(hosts)),
            Kind::NginxIpHash => Inner::NginxIpHash(NginxIpHash::new(hosts)),
            Kind::HaproxyMap => Inner::HaproxyMap(HaproxyMap::new(hosts)),
            Kind::Ring { least, most, function } => Inner::Ring(Ring::envoy(hosts, least..=most, function)),
            Kind::Karger { points, function } => Inner::Ring(Ring::fixed(hosts, points, function)),
            Kind::Ketama => Inner::Ketama(Ketama::new(hosts)),
            Kind::Nginx => Inner::Nginx(Nginx::new(hosts)),
            Kind::Haproxy => Inner::Haproxy(Haproxy::new(hosts)),
            Kind::Dubbo { replicas } => Inner::Dubbo(DubboConsistentHash::new(hosts, replicas)),
            Kind::Maglev { size } => Inner::Maglev(Maglev::new(hosts, size)),
            Kind::Jump => Inner::Jump(Jump::new(hosts)),
            Kind::Binomial => Inner::Binomial(Binomial::new(hosts)),
            Kind::Rendezvous => Inner::Rendezvous(Rendezvous::new(hosts)),
            Kind::MultiProbe { probes, function } => Inner::MultiProbe(MultiProbe::hashed(hosts, probes, function)),
            Kind::Anchor { capacity } => Inner::Anchor(Anchor::new(hosts, room(capacity))),
            Kind::Dx { capacity } => Inner::Dx(Dx::new(hosts, room(capacity))),
            Kind::Memento => Inner::Memento(Memento::new(hosts)),
        };
        Structure { inner, free: Vec::new(), next: n }
    }

    /// The index of the host for `hash`; the place, of a structure that is changed in place.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        each!(&self.inner, s => s.lookup(hash))
    }

    /// The host for the `attempt`-th retry: of the next point or entry; none where a structure has no next place.
    #[inline]
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> Option<usize> {
        Some(match &self.inner {
            Inner::Ring(s) => s.lookup_attempt(hash, attempt),
            Inner::Nginx(s) => s.lookup_attempt(hash, attempt),
            Inner::Haproxy(s) => s.lookup_attempt(hash, attempt),
            Inner::Maglev(s) => s.lookup_attempt(hash, attempt),
            Inner::NginxHash(s) => s.lookup_attempt(hash, attempt),
            Inner::NginxIpHash(s) => s.lookup_attempt(hash, attempt),
            _ => return None,
        })
    }

    /// The host for `hash`, or for its `attempt`-th retry: the next one, or where a structure has no next place, the
    /// host of another hash drawn from this one.
    pub fn lookup_retry(&self, hash: u64, attempt: u32) -> usize {
        match attempt {
            0 => self.lookup(hash),
            _ => self.lookup_attempt(hash, attempt).unwrap_or_else(|| self.lookup(Key(hash).derive(attempt.into()).0)),
        }
    }

    /// [`Structure::lookup_retry`] for a key whose bytes are known, hashed by `function`. Differs from that of its hash
    /// where the originals hash a key more than once: for retries of [`NginxHash`], and for [`MultiProbe`] with
    /// SipHash.
    pub fn lookup_key(&self, key: &[u8], function: HashFunction, attempt: u32) -> usize {
        match &self.inner {
            Inner::NginxHash(s) if function == HashFunction::Crc32 => s.lookup_key(key, attempt),
            Inner::MultiProbe(s) if function == HashFunction::SipHash && attempt == 0 => s.lookup_key(key),
            _ => self.lookup_retry(function.hash(key), attempt),
        }
    }

    /// [`Haproxy::lookup_bounded`]; none of a structure with no such rule of its own.
    pub fn lookup_bounded(&self, hash: u64, factor: u32, served: impl Fn(usize) -> u32) -> Option<usize> {
        match &self.inner {
            Inner::Haproxy(s) => Some(s.lookup_bounded(hash, factor, served)),
            _ => None,
        }
    }

    /// Entries, points or places that a lookup goes by.
    pub fn entries(&self) -> usize {
        each!(&self.inner, s => s.entries())
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        each!(&self.inner, s => s.bytes())
    }

    /// Its table or ring, if it is one.
    pub fn dump(&self) -> Option<Dump> {
        fn widened(points: impl Iterator<Item = (u32, usize)>) -> Dump {
            Dump::Ring(points.map(|(hash, host)| (u64::from(hash), host)).collect())
        }
        Some(match &self.inner {
            Inner::Maglev(s) => Dump::Table(s.table().collect()),
            Inner::HaproxyMap(s) => Dump::Table(s.table().collect()),
            Inner::Ring(s) => Dump::Ring(s.points().collect()),
            Inner::Ketama(s) => widened(s.points()),
            Inner::Nginx(s) => widened(s.points()),
            Inner::Haproxy(s) => widened(s.points()),
            Inner::Dubbo(s) => widened(s.points()),
            _ => return None,
        })
    }

    /// Whether it is changed in place: hosts then hold places, which stay theirs when others come and go. At first they
    /// are those of the list it was built over.
    pub fn is_changed_in_place(&self) -> bool {
        match &self.inner {
            Inner::Rendezvous(_) | Inner::MultiProbe(_) | Inner::Nginx(_) => true,
            Inner::Ring(s) => s.is_fixed(),
            _ => self.gives_places(),
        }
    }

    /// Whether it gives out the places itself. Of the others that are changed in place, hosts are numbered here.
    fn gives_places(&self) -> bool {
        matches!(self.inner, Inner::Anchor(_) | Inner::Dx(_) | Inner::Memento(_) | Inner::Haproxy(_))
    }

    /// The `host` at `place`, its name and its weight, leaves; whether that could be done in place. Panics when it is
    /// not there, and when it is the only one.
    pub fn leave(&mut self, place: usize, host: (&str, u32)) -> bool {
        match &mut self.inner {
            Inner::Anchor(s) => s.remove(place),
            Inner::Dx(s) => s.remove(place),
            Inner::Memento(s) => s.remove(place),
            Inner::Haproxy(s) => s.remove(place),
            Inner::Rendezvous(s) => s.remove(place),
            Inner::Nginx(s) => s.remove(place, host.0, host.1),
            Inner::MultiProbe(s) => s.remove(place, host.0),
            Inner::Ring(s) if s.is_fixed() => s.remove(place, host.0, host.1),
            _ => return false,
        }
        if !self.gives_places() {
            self.free.push(place as u32);
        }
        true
    }

    /// A `host`, its name and its weight, comes and takes the place returned; none when every place is taken, and when
    /// this cannot be done in place.
    pub fn come(&mut self, host: (&str, u32)) -> Option<usize> {
        // Whoever left last gives up his number first.
        let number = self.free.last().copied().unwrap_or(self.next) as usize;
        match &mut self.inner {
            Inner::Anchor(s) => return s.add(),
            Inner::Dx(s) => return s.add(),
            Inner::Memento(s) => return Some(s.add()),
            Inner::Haproxy(s) => return Some(s.add(host.1)),
            Inner::Rendezvous(s) => s.insert(number, host.0, host.1),
            Inner::Nginx(s) => s.insert(number, host.0, host.1),
            Inner::MultiProbe(s) => s.insert(number, host.0),
            Inner::Ring(s) if s.is_fixed() => s.insert(number, host.0, host.1),
            _ => return None,
        }
        if self.free.pop().is_none() {
            self.next += 1;
        }
        Some(number)
    }

    /// The `host` at `place`, its name and its former weight, weighs `weight` from now on; how many entries that wrote.
    pub(crate) fn weigh(&mut self, place: usize, host: (&str, u32), weight: u32) -> usize {
        match &mut self.inner {
            Inner::Haproxy(s) => s.weigh(place, weight),
            Inner::Rendezvous(s) if host.1 != weight => {
                s.weigh(place, weight);
                1
            }
            Inner::Nginx(s) => s.weigh(place, host.0, host.1, weight),
            Inner::Ring(s) if s.is_fixed() && host.1 != weight => {
                // Its new points come first, so that the ring is never without any.
                let before = s.entries();
                s.insert(place, host.0, weight);
                s.remove(place, host.0, host.1);
                before.abs_diff(s.entries())
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_minutes_is_refused_in_words() {
        let even = [("a", 1), ("b", 1)];
        let heavy = [("a", 1), ("b", 2_000_000)];
        for kind in [Kind::Nginx, Kind::Karger { points: 160, function: HashFunction::Xxh64 }, Kind::Haproxy] {
            assert_eq!(kind.check(&even), Ok(()));
            let (said, help) = kind.check(&heavy).expect_err("too heavy");
            assert!(said.contains("2000") && help.contains("divide"), "{said}: {help}");
        }
        assert_eq!(Kind::HaproxyMap.check(&[("a", 2_000_000), ("b", 4_000_000)]), Ok(()), "one and two");
        assert!(Kind::HaproxyMap.check(&[("a", 2_000_000_001), ("b", 4_000_000_000)]).is_err());
        assert!(Kind::Maglev { size: 5_000_011 }.check(&[("a", 1); 2]).is_ok());
    }
}
