//! Maglev: a table of hosts, filled by turns.
//!
//! Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016), section 3.4, as built by
//! Envoy. Every host has its own order of the table's entries; in turns, each takes the first entry of its order that
//! is still free. All get the same number of entries to within one, and a lookup is one remainder and one read. When a
//! host leaves, the others' turns shift, and some entries that nobody lost change hands too.

use super::{check, total_weight, xxh64};

/// A table of a prime number of entries, each the index of a host.
///
/// Disruption: the keys of the host that left, and more the fewer entries a host has: 1.02 times the ideal at ten hosts
/// with 65,537 entries, 1.6 at a hundred, 7 at a thousand.
#[derive(Clone, Debug)]
pub struct Maglev {
    table: Vec<u32>,
}

impl Maglev {
    /// Envoy's default number of entries (`maglev_lb.h`, `DefaultTableSize`), a prime as the paper wants it.
    pub const TABLE_SIZE: u32 = 65_537;

    /// The largest table Envoy's configuration admits.
    pub const TABLE_SIZE_MAX: u32 = 5_000_011;

    /// The least prime that is not below `size`, and a table size that [`Maglev::new`] takes.
    pub fn next_size(size: u32) -> u32 {
        (size.clamp(2, Self::TABLE_SIZE_MAX)..).find(|size| is_prime(*size)).expect("the largest size is a prime")
    }

    /// Says what is wrong with a table size, in words for whoever chose it: it is above the largest, or no prime.
    pub fn check_size(size: u32) -> Result<(), String> {
        if size > Self::TABLE_SIZE_MAX {
            let (most, usual) = (Self::TABLE_SIZE_MAX, Self::TABLE_SIZE);
            return Err(format!("a table size is a prime number of at most {most}; {usual} is Envoy's default"));
        }
        match Self::next_size(size) {
            next if next == size => Ok(()),
            next => Err(format!("the table size must be a prime number; the next one is {next}")),
        }
    }

    /// The table of Envoy (`source/extensions/load_balancing_policies/maglev/maglev_lb.cc`) with `size` entries.
    ///
    /// Hosts are gone through in the order of their names, whatever their order in `hosts`. The order of entries of a
    /// host starts at `xxh64(name) mod size` and goes on in steps of `xxh64(name, seed 1) mod (size − 1) + 1`. In round
    /// r, a host of weight w takes a turn when `r · w` has reached its target, which then grows by the greatest weight;
    /// weights are shares of their sum, in floating point. O(size · log size) expected. Panics when `size` is not
    /// prime, or above [`Maglev::TABLE_SIZE_MAX`].
    pub fn new(hosts: &[(&str, u32)], size: u32) -> Self {
        const FREE: u32 = u32::MAX;
        struct Turn {
            host: u32,
            share: f64,
            target: f64,
            entry: u32,
            step: u32,
        }
        check(hosts);
        assert!(size <= Self::TABLE_SIZE_MAX, "a table of {size} entries is above {}", Self::TABLE_SIZE_MAX);
        assert!(is_prime(size), "the table size of Maglev must be a prime number, {size} is not");
        let total = total_weight(hosts) as f64;
        let mut order: Vec<usize> = (0..hosts.len()).collect();
        order.sort_by_key(|index| hosts[*index].0);
        let mut turns: Vec<Turn> = order
            .into_iter()
            .map(|index| {
                let (host, weight) = hosts[index];
                Turn {
                    host: index as u32,
                    share: f64::from(weight) / total,
                    target: 0.0,
                    entry: (xxh64(host.as_bytes(), 0) % u64::from(size)) as u32,
                    step: (xxh64(host.as_bytes(), 1) % u64::from(size - 1)) as u32 + 1,
                }
            })
            .collect();
        let greatest = turns.iter().map(|turn| turn.share).fold(0.0, f64::max);

        let mut table = vec![FREE; size as usize];
        let mut taken = 0;
        let mut round = 0_u32;
        while taken < size {
            round += 1;
            for turn in &mut turns {
                if taken == size {
                    break;
                }
                if f64::from(round) * turn.share < turn.target {
                    continue;
                }
                turn.target += greatest;
                while table[turn.entry as usize] != FREE {
                    turn.entry = (turn.entry + turn.step) % size;
                }
                table[turn.entry as usize] = turn.host;
                taken += 1;
            }
        }
        Maglev { table }
    }

    /// Entries of the table.
    pub fn entries(&self) -> usize {
        self.table.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.table.as_slice())
    }

    /// The host at entry `hash` modulo the size of the table. O(1).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.table[(hash % self.table.len() as u64) as usize] as usize
    }

    /// The host for the `attempt`-th retry, whose hash has nearly all bits turned: `hash ^ −attempt`. It may be the
    /// same.
    ///
    /// Envoy's `chooseHost(hash, attempt)`; attempt zero is [`Maglev::lookup`]. O(1).
    #[inline]
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        self.lookup(hash ^ u64::from(attempt).wrapping_neg())
    }

    /// The table: for each entry the index of its host.
    pub fn table(&self) -> impl ExactSizeIterator<Item = usize> {
        self.table.iter().map(|host| *host as usize)
    }
}

fn is_prime(number: u32) -> bool {
    number >= 2 && (2..).take_while(|d| d * d <= number).all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    //! Names of tests after those of envoyproxy/envoy test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc,
    //! whose numbers they hold.

    use super::*;

    fn table(hosts: &[(&str, u32)], size: u32) -> Vec<usize> {
        Maglev::new(hosts, size).table().collect()
    }

    fn least_and_most(table: &Maglev, hosts: usize) -> (usize, usize) {
        let mut counts = vec![0; hosts];
        table.table().for_each(|host| counts[host] += 1);
        (*counts.iter().min().unwrap(), *counts.iter().max().unwrap())
    }

    const SIX: [(&str, u32); 6] = [
        ("127.0.0.1:90", 1),
        ("127.0.0.1:91", 1),
        ("127.0.0.1:92", 1),
        ("127.0.0.1:93", 1),
        ("127.0.0.1:94", 1),
        ("127.0.0.1:95", 1),
    ];

    #[test]
    fn basic() {
        assert_eq!(table(&SIX, 7), [2, 4, 0, 1, 5, 0, 3]);
        let maglev = Maglev::new(&SIX, 7);
        for hash in 0..21 {
            assert_eq!(maglev.lookup(hash), [2, 4, 0, 1, 5, 0, 3][hash as usize % 7], "{hash}");
        }
    }

    #[test]
    fn basic_with_host_name() {
        let hosts = ["90", "91", "92", "93", "94", "95"].map(|host| (host, 1));
        assert_eq!(table(&hosts, 7), [2, 5, 0, 3, 4, 1, 0]);
    }

    #[test]
    fn basic_with_retry_host_predicate() {
        let maglev = Maglev::new(&SIX, 7);
        for (attempt, host) in [(0, 1), (1, 0), (2, 5)] {
            assert_eq!(maglev.lookup_attempt(10, attempt), host, "attempt {attempt}");
        }
    }

    #[test]
    fn basic_stability() {
        let mut hosts = SIX;
        hosts.reverse();
        let reversed: Vec<_> = Maglev::new(&hosts, 7).table().map(|host| 5 - host).collect();
        assert_eq!(reversed, [2, 4, 0, 1, 5, 0, 3], "the order in which hosts are given does not matter");
    }

    #[test]
    fn weighted() {
        let hosts = [("127.0.0.1:90", 1), ("127.0.0.1:91", 2)];
        assert_eq!(table(&hosts, 17), [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
        assert_eq!(least_and_most(&Maglev::new(&hosts, 17), 2), (6, 11));
        assert_eq!(table(&[("127.0.0.1:90", 7)], 17), [0; 17], "WeightedSingleHost");
    }

    #[test]
    fn locality_weighted() {
        // LocalityWeightedSameLocalityWeights: one host a locality, both localities the same weight.
        let same = [("127.0.0.1:90", 1), ("127.0.0.1:91", 1)];
        assert_eq!(table(&same, 17), [1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]);
        // LocalityWeightedDifferentLocalityWeights: localities 8 and 2; the third has weight zero and no part in it.
        let different = [("127.0.0.1:90", 8), ("127.0.0.1:91", 2)];
        assert_eq!(table(&different, 17), [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn locality_weighted_lopsided() {
        // Locality weights 127 and 1, one host in the first and 1023 in the second: one entry each, the rest to one.
        let names: Vec<_> = (0..1024).map(|port| format!("127.0.0.1:{port}")).collect();
        let weight = |i| if i == 0 { 127 * 1023 } else { 1 };
        let hosts: Vec<_> = names.iter().enumerate().map(|(i, name)| (name.as_str(), weight(i))).collect();
        let maglev = Maglev::new(&hosts, Maglev::TABLE_SIZE);
        let mut counts = vec![0; 1024];
        maglev.table().for_each(|host| counts[host] += 1);
        assert_eq!(counts[0], 65_537 - 1023);
        assert!(counts[1..].iter().all(|count| *count == 1));
    }

    #[test]
    #[should_panic(expected = "must be a prime number, 8 is not")]
    fn no_prime_number() {
        Maglev::new(&SIX, 8);
    }

    #[test]
    fn shares_differ_by_one_entry_at_most() {
        for (n, least, most) in [(100, 655, 656), (500, 131, 132), (1000, 65, 66)] {
            let names: Vec<_> = (0..n).map(|i| format!("10.0.{}.{}:8080", i / 256, i % 256)).collect();
            let hosts: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
            assert_eq!(least_and_most(&Maglev::new(&hosts, Maglev::TABLE_SIZE), n), (least, most), "n = {n}");
        }
    }
}
