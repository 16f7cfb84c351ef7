//! Parameters of structures by themselves, for whoever lets people choose them: `windtunnel route` by flags, studies by
//! keys of a table. Which structure has which parameter is known here and nowhere else.

use super::{HashFunction, Kind};

/// Parameters that stand in place of a structure's own, where they are given. A structure passes over those that it
/// does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// What hashes points and, where a structure lets it be chosen, hosts.
    pub function: Option<HashFunction>,
    /// Least number of points of a ring.
    pub least: Option<u64>,
    /// Greatest number of points of a ring.
    pub most: Option<u64>,
    /// Points per backend, or per unit of its weight.
    pub points: Option<u32>,
    /// Entries of a table, a prime.
    pub size: Option<u32>,
    /// Probes per lookup.
    pub probes: Option<u32>,
    /// Places of a structure with a capacity.
    pub capacity: Option<u32>,
}

impl Kind {
    /// The same structure with these parameters. Nothing is checked: bounds may contradict each other afterwards.
    #[must_use]
    pub fn with(self, given: &Parameters) -> Kind {
        let own = |function: HashFunction| given.function.unwrap_or(function);
        match self {
            Kind::Ring { least, most, function } => Kind::Ring {
                least: given.least.unwrap_or(least),
                most: given.most.unwrap_or(most),
                function: own(function),
            },
            Kind::Karger { points, function } => {
                Kind::Karger { points: given.points.unwrap_or(points), function: own(function) }
            }
            Kind::Dubbo { replicas } => Kind::Dubbo { replicas: given.points.unwrap_or(replicas) },
            Kind::Maglev { size } => Kind::Maglev { size: given.size.unwrap_or(size) },
            Kind::MultiProbe { probes, function } => {
                // Of the functions, go-mpchash has SipHash for hosts too.
                let function = given.function.filter(|given| *given == HashFunction::SipHash).unwrap_or(function);
                Kind::MultiProbe { probes: given.probes.unwrap_or(probes), function }
            }
            Kind::Anchor { capacity } => Kind::Anchor { capacity: given.capacity.unwrap_or(capacity) },
            Kind::Dx { capacity } => Kind::Dx { capacity: given.capacity.unwrap_or(capacity) },
            without => without,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_takes_what_it_has_and_passes_over_the_rest() {
        let given = Parameters {
            function: Some(HashFunction::Md5),
            most: Some(64),
            points: Some(8),
            size: Some(7),
            capacity: Some(32),
            ..Parameters::default()
        };
        let ring = Kind::Ring { least: 4, most: 9, function: HashFunction::Xxh64 };
        assert_eq!(ring.with(&given), Kind::Ring { least: 4, most: 64, function: HashFunction::Md5 });
        assert_eq!(Kind::Dubbo { replicas: 160 }.with(&given), Kind::Dubbo { replicas: 8 });
        assert_eq!(Kind::Maglev { size: 65_537 }.with(&given), Kind::Maglev { size: 7 });
        assert_eq!(Kind::Dx { capacity: 0 }.with(&given), Kind::Dx { capacity: 32 });
        assert_eq!(Kind::Ketama.with(&given), Kind::Ketama);
        // Of the functions, hosts of a multi-probe structure can have SipHash alone.
        let probes = Kind::MultiProbe { probes: 21, function: HashFunction::Xxh64 };
        assert_eq!(probes.with(&given), probes);
        let sip = Parameters { function: Some(HashFunction::SipHash), ..given };
        assert_eq!(probes.with(&sip), Kind::MultiProbe { probes: 21, function: HashFunction::SipHash });
    }
}
