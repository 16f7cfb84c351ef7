//! Consistent hashing: which host a key belongs to.
//!
//! A structure is built once from the hosts, each a name and a weight, and then answers [`lookup`](Ring::lookup)
//! with an index into that list. A change of hosts is a new structure; how many keys it moves is what sets the
//! algorithms apart.
//!
//! | structure | as in | lookup, n hosts | weights | keys moved when a host leaves |
//! |---|---|---|---|---|
//! | [`Modulo`] | textbooks | O(log n) | yes | nearly all |
//! | [`NginxHash`], [`NginxIpHash`] | nginx `hash`, `ip_hash` | O(log n) | yes | nearly all |
//! | [`HaproxyMap`] | HAProxy `map-based` | O(1) | yes | nearly all |
//! | [`Jump`] | Lamping and Veach; Guava | O(log n) | no | its own, if last of the list; else about half on average |
//! | [`Binomial`] | Coluzzi and others | O(1) | no | as jump |
//! | [`Rendezvous`] | Thaler and Ravishankar | O(n) | yes | its own |
//! | [`MultiProbe`] | Appleton and O'Reilly; go-mpchash | O(probes) | no | its own |
//! | [`Maglev`] | Envoy | O(1), one table entry | yes | its own, and about as many again |
//! | [`Ring`], sized as Envoy | Envoy, gRPC | O(1) expected | yes | its own, and more: points per host follow n |
//! | [`Ring`], fixed points | Karger | O(1) expected | yes | its own |
//! | [`Ketama`] | libketama | O(1) expected | yes | its own, if weights are equal |
//! | [`Nginx`] | nginx `hash … consistent`, pingora-ketama | O(1) expected | yes | its own |
//! | [`DubboConsistentHash`] | Dubbo `consistenthash` | O(1) expected | no | its own |
//!
//! Four more are changed in place, and answer with places that hosts hold: [`Anchor`] and [`Dx`], within a capacity,
//! [`Memento`], without, and [`Haproxy`], the ring of HAProxy's `hash-type consistent`. All move only the keys of
//! whoever leaves; the last one alone knows weights. [`Ring`] with fixed points, [`Nginx`], [`Rendezvous`] and
//! [`MultiProbe`] can be changed in place as well. [`Structure`] is any of them all, and [`ListedStructure`] one over a
//! list in which hosts may have weight zero, with what a change of the list moves.
//!
//! [`BoundedLoad`] goes around any of them as Envoy has it, and [`Haproxy`] has a rule of its own: it sends a key
//! elsewhere while its host has more requests than its part.
//!
//! What always holds:
//!
//! - The same hosts in the same order give the same structure, bit for bit, on every machine.
//! - A lookup allocates nothing and returns an index below the number of hosts.
//! - The name of a host is hashed exactly as given, byte for byte ([`Nginx`] alone takes it apart first). What it means
//!   (address, hostname, metadata key) is the caller's matter, and so is hashing a request's key; [`HashFunction`] has
//!   the functions the originals use.
//!
//! Building one panics when there is no host, or when a weight is zero: a host that gets nothing is to be left out.
//!
//! ```
//! use balancer::hashing::{HashFunction, Maglev};
//!
//! let table = Maglev::new(&[("10.0.0.1:80", 1), ("10.0.0.2:80", 3)], Maglev::TABLE_SIZE);
//! let host = table.lookup(HashFunction::Xxh64.hash(b"user-42"));
//! assert!(host < 2);
//! ```

mod anchor;
mod binomial;
mod bounded;
mod dubbo;
mod dx;
mod function;
mod haproxy;
mod haproxy_function;
mod jump;
mod ketama;
mod listed;
mod maglev;
mod memento;
mod modulo;
mod multi_probe;
mod nginx;
mod nginx_modulo;
mod parameters;
mod points;
mod rendezvous;
mod ring;
mod siphash;
mod size;
mod structure;

#[cfg(test)]
mod properties;

pub use anchor::Anchor;
pub use binomial::Binomial;
pub use bounded::BoundedLoad;
pub use dubbo::DubboConsistentHash;
pub use dx::Dx;
pub use function::{HashFunction, crc32, md5, murmur2, xxh64};
pub use haproxy::{Haproxy, HaproxyMap};
pub use haproxy_function::{djb2, sdbm, wt6};
pub use jump::{Jump, jump};
pub use ketama::Ketama;
pub use listed::{Asked, Backend, Change, ListedStructure, TooLarge};
pub use maglev::Maglev;
pub use memento::Memento;
pub use modulo::Modulo;
pub use multi_probe::MultiProbe;
pub use nginx::Nginx;
pub use nginx_modulo::{NginxHash, NginxIpHash};
pub use parameters::Parameters;
pub use rendezvous::Rendezvous;
pub use ring::Ring;
pub use siphash::siphash;
pub use structure::{Dump, Kind, Structure};

/// Refuses what no structure can be built from.
fn check(hosts: &[(&str, u32)]) {
    assert!(!hosts.is_empty(), "hashing needs at least one host");
    assert!(u32::try_from(hosts.len()).is_ok(), "{} hosts do not fit an index", hosts.len());
    for (host, weight) in hosts {
        assert!(*weight > 0, "host {host} has weight zero; leave it out");
    }
}

/// The sum of the weights; at most 2⁶⁴ − 2³³ + 1, so it fits.
fn total_weight(hosts: &[(&str, u32)]) -> u64 {
    hosts.iter().map(|(_, weight)| u64::from(*weight)).sum()
}

/// The greatest number that divides all of `weights`; one when there are none, or all are zero.
pub(crate) fn common_divisor(weights: impl Iterator<Item = u32>) -> u32 {
    let mut divisor = 0;
    for weight in weights {
        let mut rest = weight;
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        if divisor == 1 {
            break;
        }
    }
    divisor.max(1)
}
