//! How large a structure over some hosts will be, before it is built, and what is too large to be built at all.
//!
//! A ring with 65,536 points a unit of weight over 100,000 hosts would ask for 160 GB, and a weight of 4,294,967,295
//! for as much by itself. Whoever takes numbers from people asks here first: scenarios, studies and `route` do.

use super::structure::room;
use super::{Haproxy, HaproxyMap, Ketama, Kind, Nginx, total_weight};

impl Kind {
    /// Most points of a ring, entries of a map, and places.
    pub const ENTRIES_MAX: u64 = 16_000_000;
    /// Most turns of hosts in which a table of Maglev or HAProxy's map is filled: some ten seconds.
    const TURNS_MAX: f64 = 5e9;
    /// Most places that a key of DxHash tries on average: some ten microseconds.
    const TRIES_MAX: u64 = 10_000;

    /// An upper bound of its [`entries`](super::Structure::entries) over `hosts`, at most 2⁶⁴ − 1. O(n).
    pub fn entries_over(self, hosts: &[(&str, u32)]) -> u64 {
        let n = hosts.len() as u64;
        let per_weight = |points: u32| total_weight(hosts).saturating_mul(points.into());
        match self {
            Kind::Ring { least, most, .. } => {
                let lightest = hosts.iter().map(|(_, weight)| *weight).min().unwrap_or(1).max(1);
                let share = f64::from(lightest) / total_weight(hosts).max(1) as f64;
                // As [`Ring::envoy`](super::Ring::envoy) has it; each host rounds its points up.
                let scale = ((share * least as f64).ceil() / share).min(most as f64);
                (scale as u64).saturating_add(n)
            }
            Kind::Karger { points, .. } => per_weight(points),
            Kind::Nginx => per_weight(Nginx::POINTS_PER_WEIGHT),
            Kind::Haproxy => per_weight(Haproxy::POINTS_PER_WEIGHT),
            Kind::HaproxyMap => HaproxyMap::length(hosts),
            Kind::Ketama => n.saturating_mul(Ketama::POINTS_PER_HOST.into()),
            Kind::Dubbo { replicas } => n.saturating_mul(replicas.into()),
            Kind::Maglev { size } => size.into(),
            Kind::Anchor { capacity } => room(capacity, hosts.len() as u32).into(),
            Kind::Dx { capacity } => u64::from(room(capacity, hosts.len() as u32)).next_power_of_two(),
            Kind::Modulo
            | Kind::NginxHash
            | Kind::NginxIpHash
            | Kind::Jump
            | Kind::Binomial
            | Kind::Rendezvous
            | Kind::MultiProbe { .. }
            | Kind::Memento => n,
        }
    }

    /// An upper bound of the memory of a structure over `hosts` in bytes, and of the places of hosts in it; at most
    /// four times what it is. O(n).
    pub fn bytes_over(self, hosts: &[(&str, u32)]) -> u64 {
        // A line of 64 bytes has room for five points and holds two to four of them, and one point in twenty lies
        // beside.
        let each = match self {
            Kind::Haproxy => 48,
            Kind::Ring { .. }
            | Kind::Karger { .. }
            | Kind::Nginx
            | Kind::Ketama
            | Kind::Dubbo { .. }
            | Kind::MultiProbe { .. } => 40,
            Kind::Maglev { .. } | Kind::HaproxyMap => 4,
            Kind::Anchor { .. } => 20,
            Kind::Dx { .. } => 5,
            Kind::Rendezvous => 24,
            Kind::Modulo | Kind::NginxHash | Kind::NginxIpHash => 8,
            Kind::Jump | Kind::Binomial | Kind::Memento => 0,
        };
        let places = 24 * hosts.len() as u64;
        self.entries_over(hosts).saturating_mul(each).saturating_add(places).saturating_add(1_024)
    }

    /// Why it should not be built over `hosts`: what would take minutes, or more memory than there is. In words for
    /// whoever gave the numbers, and what to do about it. O(n).
    pub fn check(self, hosts: &[(&str, u32)]) -> Result<(), (String, &'static str)> {
        let total = total_weight(hosts);
        let common = "divide the weights by what they have in common";
        if self == Kind::Haproxy
            && let Some((host, weight)) = hosts.iter().find(|(_, weight)| *weight > Haproxy::WEIGHT_MAX)
        {
            let (host, most) = (shortened(host), Haproxy::WEIGHT_MAX);
            return Err((format!("{host} weighs {weight}; in HAProxy a server weighs {most} at most"), common));
        }
        let entries = self.entries_over(hosts);
        let is_weighted = total > hosts.len() as u64;
        let points = |name: &str, each: u32| match entries > Self::ENTRIES_MAX {
            false => Ok(()),
            true if is_weighted => {
                let most = Self::ENTRIES_MAX / u64::from(each);
                Err((format!("the weights sum up to {total}; {name} takes up to {most} here"), common))
            }
            true => {
                let (n, most) = (hosts.len(), Self::ENTRIES_MAX);
                let said =
                    format!("{n} hosts of {each} points each are {entries} points; {name} takes up to {most} here");
                Err((said, "fewer hosts, or fewer points each"))
            }
        };
        let turns = |turns: f64, what: String, help: &'static str| match turns > Self::TURNS_MAX {
            true => Err((format!("{} hosts of such uneven weights take too long in {what}", hosts.len()), help)),
            false => Ok(()),
        };
        match self {
            Kind::Nginx => points("nginx", Nginx::POINTS_PER_WEIGHT),
            Kind::Karger { points: each, .. } => points("karger", each),
            Kind::Haproxy => points("haproxy", Haproxy::POINTS_PER_WEIGHT),
            Kind::HaproxyMap if entries > Self::ENTRIES_MAX => {
                let most = Self::ENTRIES_MAX;
                Err((format!("the weights sum up to {total}; haproxy_map takes up to {most} here"), common))
            }
            Kind::HaproxyMap => turns(
                entries as f64 * hosts.len() as f64,
                format!("a map of {entries}"),
                "weights closer to each other",
            ),
            Kind::Maglev { size } => {
                // In each round of turns every host is looked at, and where one host weighs nearly everything, it alone
                // takes an entry in most of them.
                let most = hosts.iter().map(|(_, weight)| *weight).max().unwrap_or(1);
                let rounds = f64::from(size) * f64::from(most) / total as f64;
                let help = "a smaller table, or weights closer to each other";
                turns(rounds * hosts.len() as f64, format!("a table of {size}"), help)
            }
            Kind::Dx { .. } if entries / hosts.len().max(1) as u64 > Self::TRIES_MAX => {
                let (n, most) = (hosts.len().max(1), Self::TRIES_MAX);
                let said = format!("with {n} of {entries} places taken a key tries {} on average", entries / n as u64);
                Err((format!("{said}; dx takes up to {most} here"), "a capacity nearer to how many hosts there may be"))
            }
            _ if entries > Self::ENTRIES_MAX => {
                let said = format!("{} hosts would make {entries} points or places", hosts.len());
                Err((format!("{said}; up to {} are built here", Self::ENTRIES_MAX), "fewer hosts, or fewer points"))
            }
            _ => Ok(()),
        }
    }
}

/// A name as a message can hold it.
fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HashFunction, Structure};
    use super::*;

    const KINDS: [Kind; 18] = [
        Kind::Modulo,
        Kind::NginxHash,
        Kind::NginxIpHash,
        Kind::HaproxyMap,
        Kind::Ring { least: 1_024, most: 8_388_608, function: HashFunction::Xxh64 },
        Kind::Karger { points: 40, function: HashFunction::Xxh64 },
        Kind::Ketama,
        Kind::Nginx,
        Kind::Haproxy,
        Kind::Dubbo { replicas: 160 },
        Kind::Maglev { size: 65_537 },
        Kind::Jump,
        Kind::Binomial,
        Kind::Rendezvous,
        Kind::MultiProbe { probes: 21, function: HashFunction::Xxh64 },
        Kind::Anchor { capacity: 0 },
        Kind::Dx { capacity: 0 },
        Kind::Memento,
    ];

    #[test]
    fn a_size_is_known_before_it_is_built() {
        for kind in KINDS {
            for (n, most) in [(1_u32, 1_u32), (3, 7), (100, 1), (100, 5), (2_000, 3)] {
                let names: Vec<String> = (0..n).map(|i| format!("10.0.{}.{}:80", i / 256, i % 256)).collect();
                let hosts: Vec<(&str, u32)> =
                    names.iter().zip(0..).map(|(name, i)| (name.as_str(), i % most + 1)).collect();
                assert_eq!(kind.check(&hosts), Ok(()));
                let built = Structure::build(kind, &hosts);
                let (said, is) = (kind.entries_over(&hosts), built.entries() as u64);
                let what = format!("{kind:?} over {n} hosts of 1 to {most}");
                assert!(is <= said && said <= 2 * is + u64::from(n) + 16, "{what}: {is} entries, {said} said");
                let (said, is) = (kind.bytes_over(&hosts), built.bytes() as u64);
                assert!(is <= said && said <= 4 * is + 48 * u64::from(n) + 1_024, "{what}: {is} bytes, {said} said");
            }
        }
    }

    #[test]
    fn what_no_machine_can_hold_is_refused_with_and_without_weights() {
        let refused = |kind: Kind, n: usize, weight: u32| {
            let (said, _) = kind.check(&vec![("host", weight); n]).expect_err("too large");
            assert!(said.len() < 200, "{said}");
            said
        };
        let karger = Kind::Karger { points: 65_536, function: HashFunction::Xxh64 };
        assert_eq!(
            refused(karger, 100_000, 1),
            "100000 hosts of 65536 points each are 6553600000 points; karger takes up to 16000000 here"
        );
        assert_eq!(refused(karger, 1, u32::MAX), "the weights sum up to 4294967295; karger takes up to 244 here");
        refused(Kind::Ketama, 1_000_000, 1);
        refused(Kind::Dubbo { replicas: 65_536 }, 100_000, 1);
        refused(Kind::Nginx, 1, u32::MAX);
        refused(Kind::Dx { capacity: 0 }, 10_000_000, 1);
        assert_eq!(
            refused(Kind::Dx { capacity: 1_000_000 }, 3, 1),
            "with 3 of 1048576 places taken a key tries 349525 on average; dx takes up to 10000 here"
        );
        assert_eq!(Kind::Dx { capacity: 1_000_000 }.check(&vec![("host", 1); 1_000]), Ok(()));
        assert!(Kind::HaproxyMap.check(&[("a", u32::MAX), ("b", 1)]).is_err());
        let long = "x".repeat(70_000);
        let (said, _) = Kind::Haproxy.check(&[(&long, 257)]).expect_err("too heavy");
        assert!(said.len() < 200, "{said}");
    }
}
