//! A hashing structure as a study varies it: its parameters, backends and keys, and whether it can be built.

use base::Seed;
use std::fmt;
use world::balancer::Strategy;
use world::balancer::hashing::{Backend, HashFunction, Kind, Maglev, Parameters, Ring};
use world::spec::in_turn;

/// A hashing structure and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// The strategy whose structure it is, one of [`by_key`](world::balancer::strategy::catalogue::by_key).
    pub structure: String,
    /// Number of backends, at least 2.
    pub backends: u32,
    /// Weights of the backends, in turn; 1 each when empty. None is zero.
    pub weights: Vec<u32>,
    /// Number of keys.
    pub keys: u32,
    /// The hash function of keys and points, when it is not the structure's own; one of [`Hashing::FUNCTIONS`].
    pub hash: Option<HashFunction>,
    /// Least number of points of a ring.
    pub min_ring: Option<u32>,
    /// Greatest number of points of a ring.
    pub max_ring: Option<u32>,
    /// Entries of a table, a prime.
    pub table_size: Option<u32>,
    /// Probes per lookup.
    pub probes: Option<u32>,
    /// Points per backend, or per unit of its weight.
    pub points: Option<u32>,
    /// Places, as a multiple of the backends; at least 2, which is the default.
    pub spare: Option<u32>,
}

/// What of a hashing structure can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The number of backends.
    Backends,
    /// The weights of the backends.
    Weights,
    /// The least number of points of a ring.
    MinRing,
    /// The greatest number of points of a ring.
    MaxRing,
    /// The size of the table.
    TableSize,
    /// The number of probes.
    Probes,
    /// The number of points per backend.
    Points,
    /// The number of places.
    Spare,
}

/// A parameter that cannot be, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which parameter.
    pub parameter: Parameter,
    /// Why not, as a sentence fragment.
    pub why: String,
}

/// More points than this no ring has: the most that Envoy's configuration admits.
const RING_MAX: u32 = *Ring::ENVOY_SIZE.end() as u32;

impl Hashing {
    /// The hash functions by the names of study files.
    pub const FUNCTIONS: [(&str, HashFunction); 5] = [
        ("xxh64", HashFunction::Xxh64),
        ("murmur2", HashFunction::Murmur2),
        ("siphash", HashFunction::SipHash),
        ("md5", HashFunction::Md5),
        ("crc32", HashFunction::Crc32),
    ];

    /// Says what is wrong with the structure, as far as that can be known without building it. O(backends).
    pub fn check(&self) -> Result<(), Misfit> {
        let misfit = |parameter, why: String| Err(Misfit { parameter, why });
        if let Some(size) = self.table_size {
            Maglev::check_size(size).or_else(|why| misfit(Parameter::TableSize, why))?;
        }
        for (size, parameter) in [(self.min_ring, Parameter::MinRing), (self.max_ring, Parameter::MaxRing)] {
            if size.is_some_and(|size| !(1..=RING_MAX).contains(&size)) {
                return misfit(parameter, format!("a ring has 1 to {RING_MAX} points"));
            }
        }
        if self.probes.is_some_and(|probes| !(1..=10_000).contains(&probes)) {
            return misfit(Parameter::Probes, "1 to 10000 probes".into());
        }
        if self.points.is_some_and(|points| !(4..=65_536).contains(&points)) {
            return misfit(Parameter::Points, "4 to 65536 points".into());
        }
        let spare = u64::from(self.spare.unwrap_or(2));
        if spare < 2 || spare * u64::from(self.backends) > 10_000_000 {
            return misfit(Parameter::Spare, "at least 2 places a backend, and at most 10000000 in all".into());
        }
        let kind = self.kind();
        if let Kind::Ring { least, most, .. } = kind
            && least > most
        {
            let parameter = if self.min_ring.is_some() { Parameter::MinRing } else { Parameter::MaxRing };
            return misfit(parameter, format!("`min_ring` ({least}) is above `max_ring` ({most})"));
        }
        // With the backend that comes.
        let mut backends = self.listed(Seed(0));
        backends.push(self.backend(Seed(0), self.backends));
        let hosts: Vec<(&str, u32)> = backends.iter().map(|one| (one.host.as_str(), one.weight)).collect();
        let blamed = if self.weights.is_empty() { Parameter::Backends } else { Parameter::Weights };
        kind.check(&hosts).or_else(|(said, help)| misfit(blamed, format!("{said}: {help}")))
    }

    /// The structure with its parameters. Panics when there is none of the name.
    pub fn kind(&self) -> Kind {
        let plain = Strategy::from_name(&self.structure).and_then(|strategy| strategy.structure());
        let given = Parameters {
            function: self.hash,
            least: self.min_ring.map(u64::from),
            most: self.max_ring.map(u64::from),
            points: self.points,
            size: self.table_size,
            probes: self.probes,
            capacity: Some(self.spare.unwrap_or(2) * self.backends),
        };
        plain.unwrap_or_else(|| panic!("`{}` is not the name of a structure", self.structure)).with(&given)
    }

    /// The backends under a seed.
    pub fn listed(&self, seed: Seed) -> Vec<Backend> {
        (0..self.backends).map(|n| self.backend(seed, n)).collect()
    }

    /// The `n`-th backend under a seed, zero-based.
    pub(crate) fn backend(&self, seed: Seed, n: u32) -> Backend {
        let weight = in_turn(&self.weights, n).unwrap_or(1);
        Backend { host: format!("backend-{seed}-{n}:8080"), weight, active: 0 }
    }
}

/// The structure with the parameters that were given: `ring min_ring=65536`.
impl fmt::Display for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.structure)?;
        let numbers = [
            ("min_ring", self.min_ring),
            ("max_ring", self.max_ring),
            ("table_size", self.table_size),
            ("probes", self.probes),
            ("points", self.points),
            ("spare", self.spare),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                write!(f, " {name}={number}")?;
            }
        }
        let named = |(_, function): &&(&str, HashFunction)| Some(*function) == self.hash;
        match Hashing::FUNCTIONS.iter().find(named) {
            Some((name, _)) => write!(f, " hash={name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
impl Hashing {
    /// A structure with its own parameters over equal backends.
    pub(crate) fn plain(structure: &str, backends: u32) -> Hashing {
        Hashing {
            structure: structure.into(),
            backends,
            weights: Vec::new(),
            keys: 20_000,
            hash: None,
            min_ring: None,
            max_ring: None,
            table_size: None,
            probes: None,
            points: None,
            spare: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_cannot_be_is_named() {
        let ring = |min_ring, max_ring| Hashing { min_ring, max_ring, ..Hashing::plain("ring", 20) };
        let wrong = |hashing: Hashing| hashing.check().expect_err("it cannot be");
        let above = |least: u32, most: u32| format!("`min_ring` ({least}) is above `max_ring` ({most})");
        let cases = [
            (ring(Some(20), Some(10)), Parameter::MinRing, above(20, 10)),
            // The other end is Envoy's default.
            (ring(None, Some(10)), Parameter::MaxRing, above(1_024, 10)),
            (ring(Some(0), None), Parameter::MinRing, "a ring has 1 to 8388608 points".into()),
            (
                Hashing { table_size: Some(8), ..Hashing::plain("maglev", 20) },
                Parameter::TableSize,
                "the table size must be a prime number; the next one is 11".into(),
            ),
            (
                Hashing { spare: Some(1), ..Hashing::plain("dx", 20) },
                Parameter::Spare,
                "at least 2 places a backend, and at most 10000000 in all".into(),
            ),
        ];
        for (hashing, parameter, why) in cases {
            assert_eq!(wrong(hashing), Misfit { parameter, why });
        }
    }

    #[test]
    fn a_structure_is_named_with_what_was_given() {
        let ring = Hashing { min_ring: Some(65_536), hash: Some(HashFunction::Md5), ..Hashing::plain("ring", 20) };
        assert_eq!(ring.to_string(), "ring min_ring=65536 hash=md5");
        assert_eq!(Hashing::plain("maglev", 3).to_string(), "maglev");
    }
}
